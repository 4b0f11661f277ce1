// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeper: decides when a snapshot is due, and takes it. Starts no thread: the facade gives it one of its own, off the path of commands; a
// simulation calls it when it likes. Works on what the log shows to everybody, so the engine goes on meanwhile.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "daybook/core/command.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/replay/snapshot.hpp"

namespace daybook {

/// When snapshots are taken by themselves: at whichever comes first.
struct SnapshotOptions {
  std::uint64_t every_events = limits::snapshot_events_default;        // since the last one; 0: not by count
  std::uint64_t every_log_bytes = limits::snapshot_log_bytes_default;  // likewise
};

/// What becomes of finished segments once a snapshot stands behind them.
struct SegmentOptions {
  bool archive = true;  // compressed, readable as before
  std::optional<Duration>
      drop_after{};  // dropped when all of it is older, behind the older of two snapshots; unset: never
};

/// The command that puts a snapshot on record, and the hashes of the states that were passed on the way, for whoever drives the engine.
[[nodiscard]] RecordSnapshot record_of(const TakenSnapshot& taken);

class Keeper {
 public:
  struct Parts {
    Storage& storage;
    SnapshotOptions options = {};
    std::function<void(const std::string&)> warn = {};  // what an operator should know; may be empty
    /// Called after a snapshot was published, on the thread of `take`; may be empty.
    std::function<void(const TakenSnapshot&)> taken = {};
    SegmentOptions segments = {};
    Clock* clock = nullptr;  // for `drop_after`
    // How far dropping is on record, and how to put more on record: true once that is durable, for only then files go. Empty: nothing
    // is dropped.
    std::function<Sequence()> dropped_through = {};
    std::function<bool(const SegmentsDropped&)> record_drop = {};
  };

  /// For who holds the book's lock: removes what a process that died has left unfinished. `head` is the log's end. What fails is told to `warn`.
  Keeper(Parts parts, Sequence head);

  /// How far the log has come, and how many bytes were written to it since it was opened. Returns whether a snapshot is due. May be called
  /// from another thread than `keep`.
  bool note(Sequence head, std::uint64_t log_bytes);

  /// Takes one now, due or not, and then archives and drops segments as it was told to, in a book of feature level 2. Nothing when `stop`
  /// was requested or the log is empty. One call at a time. Throws StorageError, CorruptionError; then the book is as well as before, and the next one is due after as long again.
  std::optional<TakenSnapshot> take(const std::stop_token& stop = {});

  /// The same, and a failure is only told to `warn`.
  std::optional<TakenSnapshot> keep(const std::stop_token& stop = {});

 private:
  void begin();
  void require_room() const;
  void tidy_segments(const LogReader& log, const TakenSnapshot& taken, const std::stop_token& stop);
  void drop_old(const LogReader& log, Sequence relied_on, const std::stop_token& stop);

  Parts parts_;
  std::atomic<std::uint64_t> head_;
  std::atomic<std::int64_t> log_bytes_ = 0;  // since the book was opened
  // Where the last one stood, or the last try. What the log held behind it when the book was opened counts as bytes below 0.
  std::atomic<std::uint64_t> kept_head_;
  std::atomic<std::int64_t> kept_bytes_;
};

}  // namespace daybook
