// SPDX-License-Identifier: Apache-2.0
#pragma once

// The index over a log: opened and caught up where it can be trusted, made anew from the log where it cannot. The log is
// never changed here, and nothing that the index lacks or gets wrong can lose anything.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/time.hpp"
#include "daybook/log/journal.hpp"
#include "daybook/projections/job_index.hpp"
#include "daybook/replay/replay.hpp"

namespace daybook {

struct StoreOpening {
  std::unique_ptr<JobIndex> index;  // holds everything up to the journal's tail, and has projected it
  std::uint64_t events_replayed = 0;
  bool rebuilt = false;
  Sequence began_at;  // when rebuilt: the last event that a snapshot already knew; 0: made from the first event on
  std::string note;   // why it was rebuilt; empty when it was not
};

/// Opens the index in `index_folder` (absolute) and applies what it has not seen. An index that is missing, not to be
/// trusted, or on another chain than the log is made anew, from where `start` begins; `note` says why. Throws CorruptionError `lost_acknowledged`
/// when a trusted index has seen events of this very log that the log no longer has; CorruptionError and StorageError of
/// reading the log; StorageError when no index can be written.
/// Of `now`, wall and boot time count; the book time is the book's to know.
[[nodiscard]] StoreOpening open_store(const std::string& index_folder, Journal& journal, const Uuid& log_uuid,
                                      const Uuid& boot_id, const Moment& now, const ChainAt& chain_at,
                                      const StartAt& start = {}, const Progress& progress = {});

/// Drops the index and makes it anew from the log, in memory first, from where `start` begins. `note` stays empty. Throws as above.
[[nodiscard]] StoreOpening rebuild_store(const std::string& index_folder, Journal& journal, const Uuid& log_uuid,
                                         const Uuid& boot_id, const Moment& now, const StartAt& start = {},
                                         const Progress& progress = {});

/// Every difference between an index and a replay to the same sequence, one sentence each; empty: none. Throws
/// CorruptionError for damage in the log, also when the log is shorter than what the index has seen.
/// Where folding may begin, `start` says.
[[nodiscard]] std::vector<std::string> verify_index(const View& index, const ReadEvents& read,
                                                    const Progress& progress = {}, const StartAt& start = {});

}  // namespace daybook
