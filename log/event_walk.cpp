// SPDX-License-Identifier: Apache-2.0
#include "event_walk.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "event_codec.hpp"
#include "segment_file.hpp"
#include "segment_name.hpp"
#include "segment_reader.hpp"

// A segment may be sealed, cut to its used size and followed by another while it is read; what stands before the end
// that was asked for never changes, so names are listed once and each file is opened when its turn comes.

namespace daybook {
namespace {

constexpr const char* advice =
    ". Nothing was changed. Run daybook verify to see the whole extent; daybook salvage makes a new book of what can "
    "be proved.";

[[noreturn]] void damaged(Damage damage, const std::string& path, std::uint64_t offset, Sequence sequence,
                          const std::string& found) {
  throw CorruptionError(damage, {path, offset, sequence}, found + advice);
}

// The segments from that which holds `from` on.
std::vector<Sequence> segments_from(Storage& storage, Sequence from) {
  const LogFiles files = list_log(storage);
  if (!files.dropped.empty() && from < files.first_readable()) {
    throw DroppedError(from, Sequence(files.first_readable().value() - 1));
  }
  std::vector<Sequence> segments = files.segments;
  const auto behind = std::upper_bound(segments.begin(), segments.end(), from);
  if (behind == segments.begin()) {
    damaged(Damage::lost_acknowledged, segment_name(from), 0, from, "no segment holds this sequence");
  }
  segments.erase(segments.begin(), behind - 1);
  return segments;
}

SegmentReader open_segment(Storage& storage, const Uuid& log_uuid, Sequence first) {
  SegmentFile file = SegmentFile::open(storage, first);
  const std::string name = file.name();
  const auto header = SegmentReader::read_header(file);
  if (!header) {
    damaged(
        header.error().kind == format::Problem::Kind::newer ? Damage::unknown_format : Damage::corrupt_sealed_segment,
        name, 0, first, header.error().sentence);
  }
  if ((kept("log.walk.log_uuid") && header->log_uuid != log_uuid) ||
      (kept("log.walk.name") && header->first != first)) {
    damaged(Damage::foreign, name, 0, first,
            "a segment of log " + to_string(header->log_uuid) + " that begins with sequence " +
                std::to_string(header->first.value()) + ", expected " + to_string(log_uuid) + " and " +
                std::to_string(first.value()));
  }
  return SegmentReader(std::move(file), *header);
}

}  // namespace

void walk_events(Storage& storage, const Uuid& log_uuid, Sequence from, Sequence until,
                 const std::function<bool(const RecordedEvent&)>& visit) {
  walk_stored_events(storage, log_uuid, from, until,
                     [&](const RecordedEvent& event, std::span<const std::byte>) { return visit(event); });
}

void walk_stored_events(Storage& storage, const Uuid& log_uuid, Sequence from, Sequence until,
                        const std::function<bool(const RecordedEvent&, std::span<const std::byte>)>& visit) {
  from = std::max(from, Sequence(1));
  if (from > until) return;
  std::optional<Cursor> before;
  for (const Sequence first : segments_from(storage, from)) {
    SegmentReader reader = open_segment(storage, log_uuid, first);
    if (before && ((kept("log.walk.sequence") && first != before->next) ||
                   (kept("log.walk.chain") && reader.cursor().chain != before->chain) ||
                   (kept("log.walk.epoch") && reader.cursor().epoch < before->epoch))) {
      damaged(Damage::corrupt_sealed_segment, segment_name(first), 0, before->next,
              "the segment does not continue the one before it, which ends with sequence " +
                  std::to_string(before->last().value()));
    }
    reader.skip_before(from);
    Step step = reader.next();
    for (; step.kind == Step::Kind::batch; step = reader.next()) {
      bool more = true;
      each_stored_event(step.payload, step.header.first, step.header.count,
                        [&](const RecordedEvent& event, std::span<const std::byte> stored) {
                          more = event.sequence < from || visit(event, stored);
                          return more;
                        },
                        {reader.file().name(), step.offset, step.header.first});
      if (!more || step.last >= until) return;
    }
    if (kept("log.walk.whole") && step.kind == Step::Kind::bad) {
      damaged(step.no_crash.value_or(Damage::corrupt_sealed_segment), reader.file().name(), step.bad_offset,
              reader.cursor().next, step.found);
    }
    if (kept("log.walk.blank") && step.kind == Step::Kind::blank) {
      damaged(Damage::lost_acknowledged, reader.file().name(), step.offset, reader.cursor().next,
              "the log ends here, expected events up to sequence " + std::to_string(until.value()));
    }
    before = reader.cursor();
  }
  damaged(Damage::lost_acknowledged, segment_name(before->next), 0, before->next,
          "the segment is missing: expected events up to sequence " + std::to_string(until.value()));
}

std::optional<Hash> chain_behind(Storage& storage, const Uuid& log_uuid, Sequence sequence) {
  if (sequence == Sequence(0)) return Hash{};
  std::vector<Sequence> segments;
  try {
    segments = segments_from(storage, sequence);
  } catch (const DroppedError&) {
    // Of a dropped segment the chain hash behind its last event is known: it stands in the header of the next.
    auto next = SegmentFile::open_if_exists(storage, sequence.next());
    if (!next) return std::nullopt;
    const auto header = SegmentReader::read_header(*next);
    if (!header || header->log_uuid != log_uuid) return std::nullopt;
    return header->chain;
  }
  SegmentReader reader = open_segment(storage, log_uuid, segments.front());
  reader.skip_before(sequence);
  const Step step = reader.next();
  if (kept("log.chain_behind.whole") && step.kind == Step::Kind::bad) {
    damaged(step.no_crash.value_or(Damage::corrupt_sealed_segment), reader.file().name(), step.bad_offset,
            reader.cursor().next, step.found);
  }
  if (step.kind != Step::Kind::batch || (kept("log.chain_behind.end") && step.last != sequence)) return std::nullopt;
  return reader.cursor().chain;
}

}  // namespace daybook
