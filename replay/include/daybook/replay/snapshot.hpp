// SPDX-License-Identifier: Apache-2.0
#pragma once

// Snapshots: the state as it stood, kept beside the log so that a restart, a rebuild or a look into the past does not begin with the
// first event. Derived from the log alone and disposable as long as the log is whole; once old segments were dropped, what their events
// led to is known from a snapshot only. Two are kept. Needs no lock: snapshots are made from what a LogReader sees.
//
// A snapshot is believed when every byte is as it was written, it is of this very log, and the log's chain hash at its sequence is the
// one it carries. Any other is passed over and said to be so.

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daybook/log/log_reader.hpp"
#include "daybook/log/snapshot_file.hpp"
#include "daybook/replay/replay.hpp"

namespace daybook {

/// Where snapshots lie, and the log that they are held against.
struct SnapshotSource {
  Storage& storage;
  Uuid log_uuid;
  ChainAt chain_at;
};
/// The reader must outlive it.
[[nodiscard]] SnapshotSource snapshots_of(Storage& storage, const LogReader& log);

struct SnapshotSearch {
  struct Found {
    State state;
    SnapshotSummary summary;
  };
  std::optional<Found> found;
  std::vector<std::string> notes;  // one sentence for each that was passed over: which, and why
};

/// The newest snapshot at or before `until` that can be believed, read into memory. What cannot be read is passed over as well. Nothing
/// when there is none, or `stop` was requested. Throws CorruptionError and StorageError of the log.
[[nodiscard]] SnapshotSearch newest_snapshot(const SnapshotSource& source, Sequence until,
                                             const std::stop_token& stop = {});

/// For `rebuild` and its like: folding begins at the newest snapshot. `tell` is called with each note.
[[nodiscard]] StartAt start_at_snapshot(SnapshotSource source, std::function<void(const std::string&)> tell = {});

struct TakenSnapshot {
  SnapshotSummary summary;
  bool existed = false;  // it was there already, and was read and verified
  Sequence other;        // of the other one that is kept; 0: there is none
  std::uint64_t events_folded = 0;
  std::vector<StateHashed> hashed;  // the states that the fold passed, to be put on record
  std::vector<std::string> notes;   // as above
};

/// Makes the snapshot of the state after the last event that `log` shows: folds what followed the newest one, writes, syncs, reads back
/// every byte, and only then gives it its name. Afterwards of the older ones the newest that can be believed is kept. Cut short at any
/// point, it leaves the snapshots that were there, or these and the new one. Takes about 400 bytes of memory a job beside its payload.
/// Nothing when `stop` was requested, or the log is empty. Throws StorageError, CorruptionError.
[[nodiscard]] std::optional<TakenSnapshot> take_snapshot(Storage& storage, const LogReader& log,
                                                         const std::stop_token& stop = {},
                                                         const Progress& progress = {});

/// The same of a state that the caller has: the one behind `head`, with the frontier of the tree over all events up to there. `other` is
/// an older one that was believed a moment ago, and is kept.
[[nodiscard]] std::optional<SnapshotSummary> write_snapshot(Storage& storage, const State& state, const Uuid& log_uuid,
                                                            const Head& head, const MerkleFrontier& frontier,
                                                            Sequence other = {}, const std::stop_token& stop = {});

struct SnapshotEntry {
  Sequence sequence;
  std::uint64_t bytes = 0;
};
/// By their names, the newest last; whether they can be believed is not looked at. Throws StorageError.
[[nodiscard]] std::vector<SnapshotEntry> list_snapshots(Storage& storage);

/// What a writer that died left behind. Only for who holds the book's lock. Throws StorageError.
void remove_unfinished_snapshots(Storage& storage);

/// Holds every snapshot against a fold of the whole log from its first event: an event that means something else today than it meant
/// when the snapshot was made shows here. One sentence for each that differs, or cannot be believed; those behind the log's head are
/// not judged. Throws CorruptionError and StorageError of the log.
[[nodiscard]] std::vector<std::string> verify_snapshots(Storage& storage, const LogReader& log,
                                                        const Progress& progress = {});

}  // namespace daybook
