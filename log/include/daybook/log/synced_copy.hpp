// SPDX-License-Identifier: Apache-2.0
#pragma once

// Copies the files of a log while another process may be writing it. Takes no lock and changes nothing there. The copy is for
// a backup to build on: by itself it opens as the original would after a crash.

#include <cstdint>
#include <functional>
#include <string>

#include "daybook/core/ids.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/log/journal.hpp"
#include "daybook/log/merkle.hpp"

namespace daybook {

struct SyncedCopy {
  Head head;  // the last event copied: everything that was acknowledged when the copying began is at or before it
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
};

/// Copies what is synced into the log folder of `into`, which holds no log: first it notes the witness, then it copies the
/// finished segments byte for byte (plain, archived or stubs) and of the one after them what the witness vouches for, and writes the
/// witness last. All of it is synced. Checks the checksums of archives and stubs, and not the events: read the copy for that.
/// `copied` is told the last sequence of each segment. Throws StorageError; CorruptionError; DroppedError when all that could be
/// copied was dropped.
[[nodiscard]] SyncedCopy copy_synced(Storage& from, Storage& into, const std::function<void(Sequence)>& copied = {});

/// Copies what stands for the events that were dropped, up to `dropped`, the last of them, byte for byte into the log folder of `into`,
/// which is there and holds no log, and puts an empty segment and a witness behind it, so that a log opens there that goes on with
/// the next event in an epoch above `epoch`. All of it is synced. Returns the Merkle tree of those events. Throws StorageError;
/// CorruptionError when leaf hashes are not as they were written.
[[nodiscard]] MerkleFrontier copy_dropped(Storage& from, Storage& into, const Head& dropped, Epoch epoch, Clock& clock,
                                          Random& random);

/// Copies the files of a folder, synced; those that go meanwhile, and temporaries, are left out. Returns their bytes.
std::uint64_t copy_folder(Storage& from, Storage& into, const std::string& folder);

}  // namespace daybook
