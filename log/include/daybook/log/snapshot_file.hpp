// SPDX-License-Identifier: Apache-2.0
#pragma once

// One snapshot as a file: all entities as they stood after an event of the log, with what proves them (docs/snapshot_format.md). When
// one is made, which ones are kept and which one is believed is replay's business.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daybook/core/entities.hpp"
#include "daybook/core/ids.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/core/view.hpp"
#include "daybook/log/journal.hpp"
#include "daybook/log/merkle.hpp"

namespace daybook {

/// Which point of which log a snapshot stands for.
struct SnapshotPoint {
  Uuid log_uuid;
  Sequence sequence;  // the last event that is in it, the end of a batch
  Hash chain{};       // the log's chain hash behind that event
  Generation generation;
  std::uint32_t feature_level = 1;
  friend bool operator==(const SnapshotPoint&, const SnapshotPoint&) = default;
};

/// How many there are beside the book itself.
struct SnapshotCounts {
  std::uint64_t names = 0;
  std::uint64_t settings = 0;
  std::uint64_t queues = 0;
  std::uint64_t workers = 0;
  std::uint64_t requests = 0;
  std::uint64_t jobs = 0;
  std::uint64_t others = 0;  // of the types that came later: at most 2³² - 1
  friend bool operator==(const SnapshotCounts&, const SnapshotCounts&) = default;
};

struct SnapshotSummary {
  SnapshotPoint point;
  SnapshotCounts counts;
  Hash state_hash{};
  MerkleFrontier frontier;  // of the events up to the point
  Hash file_sha256{};       // of the whole file
  std::uint64_t bytes = 0;  // of the file
  friend bool operator==(const SnapshotSummary&, const SnapshotSummary&) = default;
};

/// "snapshots/00000000000000000042.snap".
[[nodiscard]] std::string snapshot_name(Sequence sequence);

struct SnapshotFiles {
  std::vector<Sequence> snapshots;      // ascending, by their names
  std::vector<std::string> unfinished;  // "snapshots/….tmp"
};
/// What lies in the folder; nothing when there is none. Throws StorageError.
[[nodiscard]] SnapshotFiles list_snapshot_files(Storage& storage);

/// What the header says, nothing else is looked at. Throws CorruptionError, StorageError.
[[nodiscard]] SnapshotPoint read_snapshot_point(Storage& storage, const std::string& name);

/// "snapshots/00000000000000000042.tmp": the same while it is written and not yet read back.
[[nodiscard]] std::string unfinished_snapshot_name(Sequence sequence);

/// Writes all of `view` under the unfinished name, which nobody may have, and syncs it. Nothing when `stop` was requested. When it is not
/// finished, also by an exception, no file is left behind, as far as the disk allows. Throws StorageError.
[[nodiscard]] std::optional<SnapshotSummary> write_snapshot_file(Storage& storage, const View& view,
                                                                 const SnapshotPoint& point,
                                                                 const MerkleFrontier& frontier,
                                                                 const std::stop_token& stop = {});
/// Gives it its name, durably. Throws StorageError.
void publish_snapshot_file(Storage& storage, Sequence sequence);
/// Fine when there is none. Throws StorageError.
void remove_snapshot_file(Storage& storage, const std::string& name);

enum class SnapshotProof : std::uint8_t {
  bytes,    // every checksum, every hash; the entities can be decoded
  meaning,  // and each entity, written again, gives the bytes it was read from
};

/// Reads every byte, and puts the entities into `into`, an empty store, unless that is null. Nothing when `stop` was requested. Throws
/// CorruptionError for whatever is not as it was written; `into` is then half filled and must be dropped. Throws StorageError.
[[nodiscard]] std::optional<SnapshotSummary> read_snapshot_file(Storage& storage, const std::string& name, Store* into,
                                                                SnapshotProof proof, const std::stop_token& stop = {});

}  // namespace daybook
