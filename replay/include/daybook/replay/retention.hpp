// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which segments may be dropped: whole ones, from the beginning on, and only what a verified snapshot stands for.

#include <optional>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/log/log_reader.hpp"

namespace daybook {

/// What is to be put on record before `drop_next` removes it: the events behind `on_record` (Book::dropped_through) up to the
/// end of the last finished segment that ends at or before both `until` and `snapshot`, the sequence of the newest snapshot that
/// was read back and folded (0: there is none). Nothing when no such segment is left.
[[nodiscard]] std::optional<SegmentsDropped> plan_drop(const std::vector<SegmentSummary>& segments, Sequence on_record,
                                                       Sequence until, Sequence snapshot);

}  // namespace daybook
