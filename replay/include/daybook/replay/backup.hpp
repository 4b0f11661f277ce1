// SPDX-License-Identifier: Apache-2.0
#pragma once

// A backup: the files of a living book, and behind them the beginning of a new generation that is held. The log keeps its
// uuid, its bytes and its chain, so that what was proved of it stays proved; nobody runs a job of it until it is adopted.

#include <cstdint>
#include <functional>
#include <optional>

#include "daybook/core/ports.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/journal.hpp"
#include "daybook/replay/replay.hpp"

namespace daybook {

struct Backup {
  Head copied;  // the last event of the original that it holds: all that was acknowledged before it began is there
  Head head;    // of the backup, the beginning of the new generation included
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;  // copied, snapshots included
};

/// The newest verified snapshot in a book's directory, as a state; nothing when there is none.
using LoadSnapshot = std::function<std::optional<State>(Storage&)>;

/// Copies the book in `from`, which another process may be writing, into `out`, an empty directory locked by the caller. No lock is
/// taken on `from`, and nothing is changed there. Every event of the copy is read and its checksums and chain are checked
/// before the copy counts. `load_snapshot` is asked, of `out`, only when the log's beginning was dropped. `progress` is told sequences,
/// first while they are copied, then while they are checked. Cut short at any point, it leaves no log that could be opened and is not
/// held. Throws StorageError (EAGAIN: segments were dropped meanwhile; empty the directory and begin anew);
/// CorruptionError when the original is damaged; DroppedError when its beginning was dropped and there is no snapshot.
[[nodiscard]] Backup back_up(Storage& from, Storage& out, Clock& clock, Random& random,
                             const LoadSnapshot& load_snapshot = {}, const Progress& progress = {});

}  // namespace daybook
