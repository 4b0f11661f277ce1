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

Sequence last_older_than(const LogReader& log, const std::vector<SegmentSummary>& segments, Instant limit) {
  Sequence last;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    if (segments[i].form == SegmentForm::dropped || segments[i + 1].last == Sequence()) continue;
    bool older = false;
    log.read(segments[i + 1].first, [&](const RecordedEvent& event) {
      older = event.wall < limit;
      return false;
    });
    if (!older) break;
    last = segments[i].last;
  }
  return last;
}

Sequence snapshot_to_rely_on(const SnapshotSource& source) {
  const auto newest_until = [&](Sequence until) {  // one at a time: each is a whole state in memory
    const auto search = newest_snapshot(source, until);
    return search.found ? search.found->summary.point.sequence : Sequence();
  };
  const Sequence newest = newest_until(Sequence(UINT64_MAX));
  return newest == Sequence() ? newest : newest_until(Sequence(newest.value() - 1));
}

void require_whole(const LogReader& log, const SegmentsDropped& planned) {
  log.read(planned.first, [&](const RecordedEvent& event) { return event.sequence < planned.last; });
}

}  // namespace daybook
