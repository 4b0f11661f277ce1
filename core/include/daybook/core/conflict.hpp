// SPDX-License-Identifier: Apache-2.0
#pragma once

// What becomes of a Schedule whose unique key another job of the queue holds. docs/unique_keys.md shows the table.
//
// A job holds its key while it waits, waits for parents, runs or is uncertain, and beyond that as far as its UniqueScope says;
// in no case after `unique_until`, nor once it handed the key over. At most one job of a queue holds a key.

#include <cstdint>

#include "daybook/core/event.hpp"
#include "daybook/core/job.hpp"

namespace daybook {

enum class Merge : std::uint8_t {
  refuse,    // duplicate_key, which names the holder
  existing,  // nothing new: the answer is the holder's id
  replace,   // the holder gets the new contents; its id, and its place in the record, stay
  follow,    // the holder runs: a new job is scheduled, and takes the key over, so that the next one merges with it
};

/// The cell of the table: what `policy` means for a holder in `state`.
[[nodiscard]] Merge merge_of(OnConflict policy, JobState state);

/// The due time of a holder that was replaced: of the newcomer for `replace`, the holder's own for `throttle`, and for `debounce`
/// the newcomer's, but not after `latest` (unset: no bound).
[[nodiscard]] Due merged_due(OnConflict policy, const Due& holder, const Due& newcomer,
                             const std::optional<Due>& latest);

/// Does the job hold its unique key, as far as the record says? That `unique_until` has passed is for whoever asks at a moment.
[[nodiscard]] bool holds_key(const Job& job);

}  // namespace daybook
