// SPDX-License-Identifier: Apache-2.0
#pragma once

// View: what `decide` may ask of the state. Store: a View that `apply` can change. Implemented in memory (State) and
// over LMDB (JobIndex); a property keeps them equal at every sequence. Not thread-safe. Pointers that a View returns
// are valid until the next call of a non-const member.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/core/entities.hpp"
#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/recurring.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

struct ReadyQuery {
  std::vector<NameId> queues;  // the caller has left out the paused ones
  std::vector<NameId> kinds;
  bool any_kind = false;  // then `kinds` is empty
  std::size_t limit = 1;
  std::optional<NameId> group = {};  // of this group only (0: of none); unset: whatever the group
};

/// Which groups of a queue have ready jobs of these kinds.
struct GroupQuery {
  NameId queue;
  std::vector<NameId> kinds;
  bool any_kind = false;  // then `kinds` is empty
};

/// What the engine waits for, unset where there is nothing to wait for. Ready jobs are not in it.
struct Timers {
  std::optional<Instant> wall_due;
  std::optional<BookTime> book_due;
  std::optional<BookTime> lease_end;
  std::optional<Instant> wall_deadline;  // of jobs that wait
  std::optional<BookTime> book_deadline;
  std::optional<Instant> recurring;  // when the first schedule wants attention
};

/// The orders in which what is kept for a while stands: final jobs of a state by when they ended, results by until when they are kept.
enum class Shelf : std::uint8_t { completed, cancelled, dead, result };
inline constexpr std::size_t shelves = 4;

struct ShelfPosition {
  Instant at{};
  Sequence id;
  friend auto operator<=>(const ShelfPosition&, const ShelfPosition&) = default;
};

/// Where a job stands on a shelf, if it does.
[[nodiscard]] std::optional<ShelfPosition> position_on(Shelf shelf, const Job& job);

/// How a child stands to one of its parents.
enum class Kinship : std::uint8_t {
  awaits = 0,  // it awaits the end of this parent next
  open = 1,    // it is not final, and may read the parent's result
  closed = 2,  // it is final
};
[[nodiscard]] Kinship kinship(JobState child, Sequence awaits, Sequence parent);

/// How many jobs there are of each stored state, by queue. Pairs with no job may be missing.
using Counts = std::map<std::pair<NameId, JobState>, std::uint64_t>;

class View {
 public:
  virtual ~View() = default;

  [[nodiscard]] virtual const Book& book() const = 0;
  [[nodiscard]] virtual const Job* job(Sequence id) const = 0;
  [[nodiscard]] virtual const Queue* queue(NameId id) const = 0;
  [[nodiscard]] virtual const Group* group(NameId queue, NameId id) const = 0;
  [[nodiscard]] virtual const Worker* worker(NameId id) const = 0;
  [[nodiscard]] virtual const Name* name(NameId id) const = 0;
  [[nodiscard]] virtual std::optional<NameId> find_name(NameSort sort, std::string_view text) const = 0;
  [[nodiscard]] virtual const Setting* setting(std::string_view key) const = 0;
  [[nodiscard]] virtual const Hold* hold(Sequence id) const = 0;
  [[nodiscard]] virtual const Recurring* recurring(NameId id) const = 0;  // removed ones too

  /// The job, not final, that holds this unique key in this queue.
  [[nodiscard]] virtual std::optional<Sequence> key_holder(NameId queue, std::string_view key) const = 0;

  /// As recorded, whatever its age: the caller judges the window.
  [[nodiscard]] virtual const RequestRecord* request(NameId client, std::string_view id) const = 0;

  /// The first waiting jobs by (priority, due.at, id) among those due at the moment of the last `advance`.
  [[nodiscard]] virtual std::vector<Sequence> ready(const ReadyQuery& query) const = 0;

  /// The first group, by id and from `from` on, that has ready jobs as asked; 0 stands for the jobs without a group.
  [[nodiscard]] virtual std::optional<NameId> next_group(const GroupQuery& query, NameId from) const = 0;

  /// How many jobs run in a queue, and in one group of it (never 0).
  [[nodiscard]] virtual std::uint64_t running_in(NameId queue) const = 0;
  [[nodiscard]] virtual std::uint64_t running_in(NameId queue, NameId group) const = 0;

  /// Running jobs whose lease ended at or before `now`, by (lease end, id).
  [[nodiscard]] virtual std::vector<Sequence> expired(BookTime now, std::size_t limit) const = 0;

  /// What stands on the shelf behind `behind`, up to and with `until`, in order.
  [[nodiscard]] virtual std::vector<ShelfPosition> aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                        std::size_t limit) const = 0;

  /// Waiting and awaiting jobs that a deadline has passed (`is_overdue`): those by the wall clock first, by (deadline, id),
  /// then those by book time; each once.
  [[nodiscard]] virtual std::vector<Sequence> overdue(const Moment& now, std::size_t limit) const = 0;

  /// Awaiting jobs whose awaited parent is final, by (parent, id). A parent that is not there is not final.
  [[nodiscard]] virtual std::vector<Sequence> unsettled(std::size_t limit) const = 0;
  /// Whether a job that is not final has this one among its parents.
  [[nodiscard]] virtual bool has_open_children(Sequence parent) const = 0;
  /// The jobs that have this one among their parents: first those that await its end next, then the others that are not final, then
  /// the final ones; by id each.
  [[nodiscard]] virtual std::vector<Sequence> children(Sequence parent, std::size_t limit) const = 0;
  /// The recurring schedules that want attention at `now` (`attention_at`), by (when, id).
  [[nodiscard]] virtual std::vector<NameId> due_recurring(Instant now, std::size_t limit) const = 0;

  [[nodiscard]] virtual std::vector<Sequence> running() const = 0;  // by id
  [[nodiscard]] virtual std::vector<NameId> workers() const = 0;    // by id
  [[nodiscard]] virtual Timers timers() const = 0;
  [[nodiscard]] virtual Counts counts() const = 0;

  /// Everything, by id (requests by (client, id), settings by key, groups by (queue, id)). For listing and for comparing stores.
  virtual void each_job(const std::function<void(const Job&)>& visit) const = 0;
  /// Those behind `after`, by id, until `visit` says that it has seen enough.
  virtual void each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) const = 0;
  virtual void each_queue(const std::function<void(const Queue&)>& visit) const = 0;
  virtual void each_group(const std::function<void(const Group&)>& visit) const = 0;
  virtual void each_name(const std::function<void(const Name&)>& visit) const = 0;
  virtual void each_request(const std::function<void(const RequestRecord&)>& visit) const = 0;
  virtual void each_setting(const std::function<void(const Setting&)>& visit) const = 0;
  virtual void each_hold(const std::function<void(const Hold&)>& visit) const = 0;
  virtual void each_recurring(const std::function<void(const Recurring&)>& visit) const = 0;  // removed ones too
};

class Store : public View {
 public:
  /// Housekeeping before a decision: jobs that fell due move to the ready lanes; when the wall clock stepped back,
  /// those that are no longer due move out again. Changes no entity.
  virtual void advance(const Moment& now) = 0;

  // Written by `apply` alone, by the undoing of a refused batch, and where a snapshot is read. A put replaces the entity of the same id.
  virtual void put(const Book& book) = 0;
  virtual void put(Job job) = 0;
  virtual void put(Queue queue) = 0;
  virtual void put(Group group) = 0;
  virtual void put(Worker worker) = 0;
  virtual void put(Name name) = 0;
  virtual void put(RequestRecord request) = 0;
  virtual void put(Setting setting) = 0;
  virtual void put(Hold hold) = 0;
  virtual void put(Recurring recurring) = 0;

  virtual void erase_worker(NameId id) = 0;
  virtual void erase_job(Sequence id) = 0;
  virtual void erase_group(NameId queue, NameId id) = 0;
  virtual void erase_hold(Sequence id) = 0;

  // Only for undoing what was never recorded.
  virtual void erase_queue(NameId id) = 0;
  virtual void erase_name(NameId id) = 0;
  virtual void erase_request(NameId client, std::string_view id) = 0;
  virtual void erase_setting(std::string_view key) = 0;
  virtual void erase_recurring(NameId id) = 0;
};

/// Every difference between two stores, one sentence each, at most `limit`. Empty: equal. Housekeeping (which lane a
/// waiting job sits in, requests older than the window) is no difference.
[[nodiscard]] std::vector<std::string> differences(const View& left, const View& right, std::size_t limit = 20);

}  // namespace daybook
