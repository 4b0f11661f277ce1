// SPDX-License-Identifier: Apache-2.0
#pragma once

// JobIndex: the Store that lives in LMDB, for books larger than memory. What is running, changed since the last
// `project`, or near the front of a lane is kept in memory over it, so that deciding touches the disk rarely and a job
// that came and went between two projections is written once. A cache of the log, disposable at any time:
// docs/index_format.md. Not thread-safe. It reaches the disk through LMDB, not through the Storage port.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daybook/core/ids.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/core/state.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// Which point of which log an index stands for.
struct IndexMark {
  Uuid log_uuid;
  Sequence applied;
  std::array<std::uint8_t, 32> chain{};
  friend bool operator==(const IndexMark&, const IndexMark&) = default;
};

/// Why an index that was found was not believed; for the log of the service.
struct IndexDistrust {
  std::string why;
};

/// How much of the index is kept in memory between two projections. The defaults are right for all but tests.
struct IndexTuning {
  std::size_t window = 16'384;           // waiting jobs known per lane, and per order of future jobs
  std::size_t chunk = 1'024;             // of these, read from LMDB at a time
  std::size_t cached_jobs = 65'536;      // jobs kept although LMDB holds them too; running ones are not counted
  std::size_t promotions = 50'000;       // jobs moved to the ready lanes in one transaction
  std::uint64_t map_bytes = 1ULL << 30;  // address space at first; it grows by itself
};

class JobIndex final : public Store {
 public:
  /// Opens the index in `folder` (absolute), or says why it cannot be trusted: missing, another layout, left open under
  /// another boot or on another file, or closed uncleanly in a way that LMDB may not have survived. Checks everything
  /// but the chain: the caller compares `mark()` with the log and calls `create` when it does not fit.
  [[nodiscard]] static std::unique_ptr<JobIndex> open(const std::string& folder, const Uuid& log_uuid,
                                                      const Uuid& boot_id, IndexDistrust& distrust,
                                                      const IndexTuning& tuning = {});
  /// Drops what is in `folder` and makes a new index holding `state`, loaded in sorted order. The folder becomes
  /// 0700, its files 0600; symbolic links are refused. Throws StorageError.
  [[nodiscard]] static std::unique_ptr<JobIndex> create(const std::string& folder, const Uuid& boot_id,
                                                        const State& state, const IndexMark& mark,
                                                        const IndexTuning& tuning = {});
  ~JobIndex() override;  // without close(): as a crash would leave it

  /// What LMDB holds is as of this point; the memory over it may be ahead.
  [[nodiscard]] IndexMark mark() const;

  /// Writes what changed into LMDB, in one transaction with the mark. Everything applied must be durable in the log,
  /// and `durable` its end. Throws StorageError; the index must then be dropped, the log is unaffected.
  void project(const IndexMark& durable, const Moment& now);
  [[nodiscard]] std::size_t unprojected() const;  // entities that `project` would write

  /// The jobs of one queue in one stored state, by id, until `visit` returns false: without reading the others.
  void each_job_in(NameId queue, JobState state, const std::function<bool(const Job&)>& visit) const;

  /// Projects nothing; syncs LMDB and marks the index as cleanly closed. No call after it.
  void close();

  /// Makes sure that no later opening believes this index: its trust mark is removed, durably as far as the disk
  /// allows. For a caller that found it wrong. No call after it.
  void condemn() noexcept;

  [[nodiscard]] const Book& book() const override;
  [[nodiscard]] const Job* job(Sequence id) const override;
  [[nodiscard]] const Queue* queue(NameId id) const override;
  [[nodiscard]] const Group* group(NameId queue, NameId id) const override;
  [[nodiscard]] const Worker* worker(NameId id) const override;
  [[nodiscard]] const Name* name(NameId id) const override;
  [[nodiscard]] std::optional<NameId> find_name(NameSort sort, std::string_view text) const override;
  [[nodiscard]] const Setting* setting(std::string_view key) const override;
  [[nodiscard]] const Hold* hold(Sequence id) const override;
  [[nodiscard]] const Recurring* recurring(NameId id) const override;
  [[nodiscard]] std::optional<Sequence> key_holder(NameId queue, std::string_view key) const override;
  [[nodiscard]] const RequestRecord* request(NameId client, std::string_view id) const override;
  [[nodiscard]] std::vector<Sequence> ready(const ReadyQuery& query) const override;
  [[nodiscard]] std::optional<NameId> next_group(const GroupQuery& query, NameId from) const override;
  [[nodiscard]] std::uint64_t running_in(NameId queue) const override;
  [[nodiscard]] std::uint64_t running_in(NameId queue, NameId group) const override;
  [[nodiscard]] std::vector<Sequence> expired(BookTime now, std::size_t limit) const override;
  [[nodiscard]] std::vector<ShelfPosition> aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                std::size_t limit) const override;
  [[nodiscard]] std::vector<Sequence> overdue(const Moment& now, std::size_t limit) const override;
  [[nodiscard]] std::vector<Sequence> unsettled(std::size_t limit) const override;
  [[nodiscard]] bool has_open_children(Sequence parent) const override;
  [[nodiscard]] std::vector<Sequence> children(Sequence parent, std::size_t limit) const override;
  [[nodiscard]] std::vector<NameId> due_recurring(Instant now, std::size_t limit) const override;
  [[nodiscard]] std::vector<Sequence> running() const override;
  [[nodiscard]] std::vector<NameId> workers() const override;
  [[nodiscard]] Timers timers() const override;
  [[nodiscard]] Counts counts() const override;
  void each_job(const std::function<void(const Job&)>& visit) const override;
  void each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) const override;
  void each_queue(const std::function<void(const Queue&)>& visit) const override;
  void each_group(const std::function<void(const Group&)>& visit) const override;
  void each_name(const std::function<void(const Name&)>& visit) const override;
  void each_request(const std::function<void(const RequestRecord&)>& visit) const override;
  void each_setting(const std::function<void(const Setting&)>& visit) const override;
  void each_hold(const std::function<void(const Hold&)>& visit) const override;
  void each_recurring(const std::function<void(const Recurring&)>& visit) const override;

  void advance(const Moment& now) override;
  void put(const Book& book) override;
  void put(Job job) override;
  void put(Queue queue) override;
  void put(Group group) override;
  void put(Worker worker) override;
  void put(Name name) override;
  void put(RequestRecord request) override;
  void put(Setting setting) override;
  void put(Hold hold) override;
  void put(Recurring recurring) override;
  void erase_worker(NameId id) override;
  void erase_group(NameId queue, NameId id) override;
  void erase_hold(Sequence id) override;
  void erase_recurring(NameId id) override;
  void erase_job(Sequence id) override;
  void erase_queue(NameId id) override;
  void erase_name(NameId id) override;
  void erase_request(NameId client, std::string_view id) override;
  void erase_setting(std::string_view key) override;

 private:
  struct Impl;
  explicit JobIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace daybook
