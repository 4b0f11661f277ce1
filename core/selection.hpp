// SPDX-License-Identifier: Apache-2.0
#pragma once

// Selection: which jobs a claim gets, one after the other, without changing anything. Within a queue the groups that have
// ready jobs take turns (deficit round robin: as many starts in a turn as the group's weight); a group, or a queue, that is
// at a limit is passed over whole. Among the queues goes first whose next job is first by (priority, due, id).

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "daybook/core/decide.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

struct Pick {
  const Job* job = nullptr;
  // As JobClaimed carries them.
  std::optional<std::uint32_t> turn_left;
  std::optional<Bucket> queue_bucket;
  std::optional<Bucket> group_bucket;
};

/// The part of a selection that is about one queue.
class QueueSelection {
 public:
  /// `query` names the kinds; at most `count` jobs will be taken.
  QueueSelection(const View& view, const Moment& now, GroupQuery query, std::size_t count);

  /// The job whose turn it is; null: there is none, or a limit holds back what there is.
  [[nodiscard]] const Job* next();
  /// Takes that job.
  [[nodiscard]] Pick take();
  [[nodiscard]] const HeldBack& held_back() const { return held_back_; }

 private:
  /// What this selection knows of a group and took of it.
  struct Known {
    std::vector<Sequence> jobs;  // the first of its ready ones
    std::size_t taken = 0;
    bool all = false;  // there are no more
    std::uint32_t weight = 1;
    std::uint64_t running = 0;
    std::optional<Bucket> bucket;  // as of now; only under a rate
  };

  [[nodiscard]] Known& known(NameId group);
  [[nodiscard]] const Job* first_of(NameId group);
  [[nodiscard]] bool may_start(NameId group, const Known& known);
  [[nodiscard]] bool queue_may_start();
  [[nodiscard]] bool offer(NameId group);
  void find();
  void hold_until(BookTime time);

  const View& view_;
  const Moment& now_;
  GroupQuery query_;
  std::size_t left_;
  Queue queue_;
  Turn turn_;
  std::uint64_t running_ = 0;
  std::map<NameId, Known> groups_;
  bool alone_ = false;  // the group of `turn_` is the only one there is
  bool looked_ = false;
  std::optional<NameId> offered_;
  const Job* job_ = nullptr;
  HeldBack held_back_;
};

class Selection {
 public:
  Selection(const View& view, const Moment& now, const ReadyQuery& query);

  [[nodiscard]] std::optional<Pick> next();
  /// After `next` found nothing: what would have to happen for it to find more.
  [[nodiscard]] HeldBack held_back() const;

 private:
  std::vector<QueueSelection> queues_;
};

}  // namespace daybook
