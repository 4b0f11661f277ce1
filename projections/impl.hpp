// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of JobIndex: LMDB, and over it an overlay of what changed since the last projection, with the fronts of
// the orders in which jobs are claimed and fall due. Spread over overlay.cpp (entities), windows.cpp (orders),
// project.cpp (writing), bulk_load.cpp (making) and job_index.cpp (opening, closing, the public face).
//
// What holds between any two calls:
//   - A job that is `dirty` differs, or may differ, from LMDB; what LMDB's tables say of it is void.
//   - Every running job and every dirty waiting job is in memory.
//   - Of the clean waiting jobs, a Lane or a Future knows at least those that stand in its table up to `known`.
//     It may know more, but nothing that is not so.
//   - A waiting job is in a Lane of memory when it is due at `now_`, else in a Future, wherever LMDB has it.
//   - LMDB has a clean waiting job in `ready` when the frontier of its clock passed it, else in a future table;
//     no frontier is ahead of `now_`.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daybook/core/recurring_table.hpp"
#include "daybook/projections/job_index.hpp"
#include "lmdb.hpp"
#include "positions.hpp"
#include "sorted_writes.hpp"
#include "trust.hpp"

namespace daybook {

/// The part of a job that decides where the tables list it, and how.
struct Listing {
  std::shared_ptr<const JobSpec> spec;
  JobState state{};
  Due due;
  std::optional<BookTime> lease_end;  // while running
  std::optional<Instant> finalized_at;
  std::optional<Instant> result_until;
  Deadlines ends;
  Sequence awaits;
};

struct CachedJob {
  Job job;
  std::optional<Listing> listed;  // as LMDB has it; unset: not at all
  bool dirty = false;
  bool erased = false;  // `job` is only what it was
};

struct CachedRequest {
  RequestRecord request;
  bool dirty = false;
  bool erased = false;
};

struct Lane {
  std::set<Waiting, ByClaimOrder> jobs;
  ReadyPosition known = ReadyPosition::before_all();
};

/// Deadlines of waiting jobs, by one clock: in memory those of dirty jobs, in LMDB those of the others.
struct DeadlineOrder {
  std::set<FuturePosition> dirty;
  FuturePosition passed =
      FuturePosition::before_all();  // LMDB's entries up to here are void, until the next projection
};

/// Children by parent: in memory those of dirty jobs, in LMDB those of the others.
struct FamilyOrder {
  std::set<FamilyPosition> dirty;
  std::set<Sequence> ended;        // at least the final jobs that somebody awaits
  std::set<Sequence> ended_dirty;  // changed since the last projection
  bool any = false;                // there is, or was, a job with parents
};

struct Future {
  std::set<Waiting, ByDue> jobs;
  FuturePosition known = FuturePosition::before_all();
};

/// Text with a number in front, as a key of hash tables: (sort, name), (queue, unique key), (client, request id).
struct NumberedText {
  std::uint32_t number = 0;
  std::string text;
};
struct NumberedTextView {
  std::uint32_t number = 0;
  std::string_view text;
  NumberedTextView(std::uint32_t n, std::string_view t) : number(n), text(t) {}
  NumberedTextView(const NumberedText& owner) : number(owner.number), text(owner.text) {}  // NOLINT
};
struct NumberedTextHash {
  using is_transparent = void;
  std::size_t operator()(const NumberedTextView& key) const {
    return std::hash<std::string_view>()(key.text) * 31 + key.number;
  }
};
struct NumberedTextEqual {
  using is_transparent = void;
  bool operator()(const NumberedTextView& a, const NumberedTextView& b) const {
    return a.number == b.number && a.text == b.text;
  }
};
template <class Value>
using ByNumberedText = std::unordered_map<NumberedText, Value, NumberedTextHash, NumberedTextEqual>;

struct JobIndex::Impl {
  Impl(trust::Folder folder, const Uuid& boot_id, const IndexTuning& tuning, lmdb::Environment::Tables tables);

  // ---- job_index.cpp: life
  void load();  // what is wholly in memory, and the running jobs
  void load_meta();
  void load_entities();
  void mark_open();
  void close();

  // ---- bulk_load.cpp
  void fill(const State& state, const IndexMark& mark);

  // ---- overlay.cpp: entities
  const Job* find_job(Sequence id);
  CachedJob* cached(Sequence id);  // from memory or LMDB; erased ones too; null: there is none
  Job read_job(Sequence id, std::string_view record) const;
  void put_job(Job job);
  void erase_job(Sequence id);
  void count_running(const Job& job, std::int64_t by);
  void forget_listing(const Job& job);
  void enter_listing(const Job& job);
  void evict();
  const RequestRecord* find_request(NameId client, std::string_view id);
  void put_request(RequestRecord request);
  void erase_request(NameId client, std::string_view id);
  std::optional<Sequence> find_key(NameId queue, std::string_view key) const;
  std::vector<Sequence> dirty_in_order() const;
  void each_job(const std::function<void(const Job&)>& visit);
  void each_job_after(Sequence after, const std::function<bool(const Job&)>& visit);
  void each_job_in(NameId queue, JobState state, const std::function<bool(const Job&)>& visit);
  void each_request(const std::function<void(const RequestRecord&)>& visit) const;
  [[noreturn]] void damaged(Table table, std::string_view what) const;

  // ---- windows.cpp: orders
  void advance(const Moment& now);
  std::vector<Sequence> ready(const ReadyQuery& query);
  std::optional<NameId> next_group(const GroupQuery& query, NameId from);
  std::optional<NameId> next_group(LaneId from);
  [[nodiscard]] std::uint64_t running_in(NameId queue) const;
  [[nodiscard]] std::uint64_t running_in(NameId queue, NameId group) const;
  Timers timers();
  void enter_waiting(const Waiting& job);
  void leave_waiting(const Waiting& job);
  [[nodiscard]] bool due_now(const Waiting& job) const;
  [[nodiscard]] std::vector<ShelfPosition> aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                std::size_t limit) const;
  [[nodiscard]] bool stale_on_disk(Sequence id) const;  // LMDB's entry for it is void
  void read_lane(LaneId id, Lane& lane);
  std::size_t read_future(FutureClock clock);
  const Waiting* next_ready(LaneId id, Lane& lane, ReadyPosition after);
  const Waiting* first_future(FutureClock clock);
  void retreat(const Moment& now);
  void plan_retreat(const Frontiers& next, Writes& writes) const;
  void find_lanes();
  std::set<LaneId> lanes_of(const ReadyQuery& query) const;
  void enter_lane(const Waiting& job);
  Future& future(FutureClock clock) { return clock == FutureClock::wall ? future_wall_ : future_book_; }
  void cut_windows();
  void cut_lanes();

  // ---- deadlines.cpp
  DeadlineOrder& deadline_order(FutureClock clock) {
    return clock == FutureClock::wall ? deadlines_wall_ : deadlines_book_;
  }
  void enter_deadlines(const Job& job);
  void leave_deadlines(const Job& job);
  [[nodiscard]] std::optional<FuturePosition> next_deadline(FutureClock clock, FuturePosition after);
  std::vector<Sequence> overdue(const Moment& now, std::size_t limit);
  void settle_deadlines();
  static void plan_deadlines(Sequence id, const Deadlines& before, const Deadlines& after, Writes& writes);

  // ---- families.cpp
  void enter_family(const Job& job);
  void leave_family(const Job& job);
  void mark_ended(Sequence parent, bool ended);
  [[nodiscard]] std::vector<FamilyPosition> family(Sequence parent, Kinship last, std::size_t limit) const;
  std::vector<Sequence> unsettled(std::size_t limit);
  [[nodiscard]] std::vector<Sequence> children(Sequence parent, std::size_t limit) const;
  void load_families();
  static void plan_family(Sequence id, const std::optional<Listing>& before, const std::optional<Listing>& after,
                          Writes& writes);
  void plan_ended(Writes& writes) const;

  // ---- project.cpp: writing
  void project(const IndexMark& durable, const Moment& now);
  std::size_t unprojected() const;
  /// Plans moving what LMDB has in a future table up to `limit` to the ready lanes, at most tuning_.promotions
  /// jobs; returns how far that gets. `include_stale`: also what the overlay superseded.
  FuturePosition plan_promotion(FutureClock clock, FuturePosition limit, bool include_stale, Writes& writes,
                                std::vector<Waiting>& moved) const;
  void settle_promoted(const std::vector<Waiting>& moved);
  void promote(FutureClock clock, FuturePosition limit);
  void plan_listing(const CachedJob& entry, const Frontiers& next, Writes& writes) const;
  void plan_keys(Writes& writes) const;
  void plan_requests(Writes& writes) const;
  void plan_prune(BookTime before, Writes& writes) const;
  void plan_others(Writes& writes) const;
  void plan_meta(const IndexMark& mark, const Frontiers& frontiers, Writes& writes) const;
  void write_jobs(lmdb::WriteTransaction& transaction, const std::vector<Sequence>& ids) const;
  void settle_projected(const std::vector<Sequence>& ids);

  trust::Folder folder_;
  Uuid boot_id_;
  IndexTuning tuning_;
  lmdb::Environment lmdb_;
  IndexMark mark_;
  Frontiers frontiers_;
  Moment now_;  // of the last `advance`

  Book book_;
  bool book_dirty_ = false;

  std::unordered_map<Sequence, CachedJob> jobs_;
  std::vector<Sequence> dirty_jobs_;                      // each once
  Sequence last_listed_;                                  // the highest id in LMDB
  std::set<std::pair<BookTime, Sequence>> leases_;        // of all running jobs
  std::array<std::set<ShelfPosition>, shelves> shelves_;  // of the jobs that changed
  std::map<LaneId, Lane> lanes_;  // every lane that LMDB or memory has a job in, and some that are empty
  std::set<LaneId> long_lanes_;   // at least those that hold more than a window
  std::size_t entered_ = 0;       // into lanes of groups, since they were last cut
  Future future_wall_;
  Future future_book_;
  DeadlineOrder deadlines_wall_;
  DeadlineOrder deadlines_book_;
  FamilyOrder families_;
  ByNumberedText<std::optional<Sequence>> keys_;                    // changed since the last projection; unset: free
  std::map<NameId, std::array<std::uint64_t, job_states>> counts_;  // by state
  std::set<NameId> counts_dirty_;
  std::map<std::pair<NameId, NameId>, std::uint64_t> running_;  // by (queue, group), where any run

  ByNumberedText<CachedRequest> requests_;
  std::size_t dirty_requests_ = 0;

  // Few, and wholly in memory.
  std::map<NameId, Queue> queues_;
  std::map<std::pair<NameId, NameId>, Group> groups_;  // by (queue, id)
  std::map<NameId, Worker> workers_;
  std::unordered_map<NameId, Name> names_;
  ByNumberedText<NameId> names_by_text_;
  std::map<std::string, Setting, std::less<>> settings_;
  std::map<Sequence, Hold> holds_;
  RecurringTable recurring_;
  std::set<NameId> queues_dirty_;
  std::set<std::pair<NameId, NameId>> groups_dirty_;
  std::set<NameId> workers_dirty_;
  std::set<NameId> names_dirty_;
  std::set<NameId> recurring_dirty_;
  bool settings_dirty_ = false;
  bool holds_dirty_ = false;
};

[[nodiscard]] inline Table future_table(FutureClock clock) {
  return clock == FutureClock::wall ? Table::future_wall : Table::future_book;
}

[[nodiscard]] inline Listing listing(const Job& job) {
  return {
      job.spec,         job.state,
      job.due,          job.state == JobState::running && job.lease ? std::optional(job.lease->ends_at) : std::nullopt,
      job.finalized_at, job.result_until,
      deadlines(job),   job.awaits};
}

}  // namespace daybook
