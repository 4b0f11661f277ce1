// SPDX-License-Identifier: Apache-2.0
#pragma once

// JobTable: all jobs, and every order in which they are asked for. Each waiting job stands in exactly one place: in the
// ready set of its lane (queue, kind, group), or among the future ones of the clock that its due time is compared with.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daybook/core/job.hpp"
#include "daybook/core/view.hpp"
#include "families.hpp"
#include "scoped_text.hpp"

namespace daybook {

class JobTable {
 public:
  [[nodiscard]] const Job* find(Sequence id) const;
  void put(Job job);
  void erase(Sequence id);
  void advance(const Moment& now);

  [[nodiscard]] std::optional<Sequence> key_holder(NameId queue, std::string_view key) const;
  [[nodiscard]] std::vector<Sequence> ready(const ReadyQuery& query) const;
  [[nodiscard]] std::optional<NameId> next_group(const GroupQuery& query, NameId from) const;
  [[nodiscard]] std::uint64_t running_in(NameId queue) const;
  [[nodiscard]] std::uint64_t running_in(NameId queue, NameId group) const;
  [[nodiscard]] std::vector<Sequence> expired(BookTime now, std::size_t limit) const;
  [[nodiscard]] std::vector<ShelfPosition> aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                std::size_t limit) const;
  [[nodiscard]] std::vector<Sequence> overdue(const Moment& now, std::size_t limit) const;
  [[nodiscard]] const Families& families() const { return families_; }
  [[nodiscard]] std::vector<Sequence> running() const;
  [[nodiscard]] Timers timers() const;
  [[nodiscard]] Counts counts() const;
  void each(const std::function<void(const Job&)>& visit) const;
  void each_after(Sequence after, const std::function<bool(const Job&)>& visit) const;

 private:
  /// The order of claims within a lane, and of lanes among each other.
  struct ReadyKey {
    Priority priority;
    Instant at;
    Sequence id;
    friend auto operator<=>(const ReadyKey&, const ReadyKey&) = default;
  };
  using ReadySet = std::set<ReadyKey>;
  using Groups = std::map<NameId, ReadySet>;         // by group; only that of no group may be empty
  using Lanes = std::unordered_map<NameId, Groups>;  // by kind
  using StateCounts = std::array<std::uint64_t, job_states>;

  enum class Place : std::uint8_t { none, ready, wall_future, book_future };
  struct Entry {
    Job job;
    Place place = Place::none;
  };

  [[nodiscard]] Place place_of(const Job& job) const;
  void enter(const Job& job, Place place);
  void leave(const Job& job, Place place);
  void take_key(const Job& job);
  void give_key(const Job& job);
  void count(const Job& job, std::int64_t by);
  void shelve(const Job& job);
  void unshelve(const Job& job);
  void note_family(const Job& job);
  template <class Key>
  void promote(std::set<Key>& future, Key last);
  void demote();
  void demote(ReadySet& lane);
  template <class Visit>
  void each_kind(NameId queue, const std::vector<NameId>& kinds, bool any_kind, Visit visit) const;
  [[nodiscard]] std::vector<const ReadySet*> lanes_of(const ReadyQuery& query) const;

  std::unordered_map<Sequence, Entry> jobs_;  // nodes do not move: find() hands out pointers
  std::unordered_map<NameId, Lanes> lanes_;   // by queue; what ran empty stays
  std::set<std::pair<Instant, Sequence>> wall_future_;
  std::set<std::pair<BookTime, Sequence>> book_future_;
  std::set<std::pair<BookTime, Sequence>> lease_ends_;  // of running jobs
  ByScopedText<Sequence> keys_;                         // of jobs that hold one
  std::array<std::set<ShelfPosition>, shelves> shelves_;
  std::set<std::pair<Instant, Sequence>> wall_deadlines_;
  std::set<std::pair<BookTime, Sequence>> book_deadlines_;
  std::unordered_map<NameId, StateCounts> counts_;            // by queue
  std::unordered_map<std::uint64_t, std::uint64_t> running_;  // by queue and group, where any run
  Families families_;
  Moment now_;  // of the last advance
  // No ready job compared with the wall clock is due later than this: a step back that stays above it demotes nobody.
  Instant latest_ready_ = Instant::min();
};

}  // namespace daybook
