// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which segments may be dropped: whole ones, from the beginning on, and only what a verified snapshot stands for.

#include <optional>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/snapshot.hpp"

namespace daybook {

/// What is to be put on record before `drop_next` removes it: the events behind `on_record` (Book::dropped_through) up to the
/// end of the last finished segment that ends at or before both `until` and `snapshot`, the sequence of the newest snapshot that
/// was read back and folded (0: there is none). Nothing when no such segment is left.
[[nodiscard]] std::optional<SegmentsDropped> plan_drop(const std::vector<SegmentSummary>& segments, Sequence on_record,
                                                       Sequence until, Sequence snapshot);

/// The last event of the newest finished segment that is older than `limit`: every event in it happened before. 0: there is
/// none. Reads one event of each segment that is still here. Throws as `LogReader::read` does.
[[nodiscard]] Sequence last_older_than(const LogReader& log, const std::vector<SegmentSummary>& segments,
                                       Instant limit);

/// The sequence of the snapshot that dropping may rely on: the older of the two newest that can be believed, so that one of them may
/// be lost; 0 where there are not two. Reads them whole.
[[nodiscard]] Sequence snapshot_to_rely_on(const SnapshotSource& source);

/// Reads the events that are to be dropped, for the last time: what is damaged stays, for somebody to look at. Throws as
/// `LogReader::read` does.
void require_whole(const LogReader& log, const SegmentsDropped& planned);

}  // namespace daybook
