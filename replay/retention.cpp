// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/retention.hpp"

#include <algorithm>

namespace daybook {

std::optional<SegmentsDropped> plan_drop(const std::vector<SegmentSummary>& segments, Sequence on_record,
                                         Sequence until, Sequence snapshot) {
  const Sequence most = std::min(until, snapshot);
  SegmentsDropped drop{on_record.next(), on_record};
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    if (segments[i].last <= most) drop.last = std::max(drop.last, segments[i].last);
  }
  return drop.last > on_record ? std::optional(drop) : std::nullopt;
}

}  // namespace daybook
