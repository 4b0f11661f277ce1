// SPDX-License-Identifier: Apache-2.0
#include "inspection.hpp"

#include <algorithm>
#include <cstdio>

#include "crc32c.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "event_codec.hpp"

// The witness is read before the segments: beside a living writer it then never says more than they show. What a
// crash can leave follows from the writer's order of syncs: at most the very last batch is torn, in the last segment, and
// nothing valid stands behind it. All else is damage, and damage is told, not mended.

namespace daybook {
namespace {

constexpr const char* nothing_changed = " Nothing was changed.";
constexpr const char* what_to_do =
    " Nothing was changed. Run daybook verify to see the whole extent, then restore the book from a backup; without "
    "one, "
    "daybook salvage makes a new book of what can be proved.";

std::string text(std::uint64_t number) {
  return std::to_string(number);
}

std::string hexadecimal_offset(std::uint64_t offset) {
  char buffer[20];
  std::snprintf(buffer, sizeof buffer, "0x%llX", static_cast<unsigned long long>(offset));
  return buffer;
}

class Inspector {
 public:
  Inspector(Storage& storage, Depth depth, Inspection& found) : storage_(storage), depth_(depth), found_(found) {}

  void run() {
    found_.witness = read_witness(storage_);
    note_witness();
    const LogFiles files = list_log(storage_);
    found_.temporaries = files.temporaries;
    if (files.segments.empty()) no_segments();
    if (kept("log.segments.first") && files.segments.front() != Sequence(1))
      missing(Sequence(1), files.segments.front());
    for (std::size_t i = 0; i < files.segments.size(); ++i) {
      const bool last = i + 1 == files.segments.size();
      const Sequence first = files.segments[i];
      if (kept("log.segments.contiguous") && i != 0 && first != found_.head.sequence.next())
        missing(found_.head.sequence.next(), first);
      const bool plain = std::binary_search(files.plain.begin(), files.plain.end(), first);
      if (last && plain) {
        inspect_last(first);
      } else {
        inspect_sealed(first);
        if (last) no_successor();
      }
    }
  }

 private:
  using Tail = Inspection::Tail;
  using Problem = format::Problem;

  const format::WitnessSlot* witness() const { return found_.witness.newest ? &*found_.witness.newest : nullptr; }
  bool acknowledged(Sequence sequence) const { return witness() != nullptr && witness()->acknowledged >= sequence; }

  [[noreturn]] static void damaged(Damage damage, const std::string& path, std::uint64_t offset,
                                   std::optional<Sequence> sequence, const std::string& sentence) {
    throw CorruptionError(damage, {path, offset, sequence}, sentence + "." + what_to_do);
  }

  [[noreturn]] static void newer(const std::string& path, std::uint64_t offset, std::optional<Sequence> sequence,
                                 const std::string& sentence) {
    throw CorruptionError(Damage::unknown_format, {path, offset, sequence}, sentence + "." + nothing_changed);
  }

  void note_witness() {
    if (!found_.witness.exists) {
      found_.notes.push_back("the witness (" + std::string(witness_name) +
                             ") is missing: what was acknowledged cannot be compared with it");
    } else if (witness() == nullptr) {
      found_.notes.push_back("no slot of the witness (" + std::string(witness_name) +
                             ") is whole: what was acknowledged cannot be compared with it");
    } else {
      found_.log_uuid = witness()->log_uuid;
      found_.highest_epoch = witness()->epoch;
      for (std::size_t i = 0; i < 2; ++i) {
        if (const auto& problem = found_.witness.problems[i]) {
          found_.notes.push_back("slot " + text(i) + " of the witness is not whole (" + problem->sentence +
                                 "); the other one counts");
        }
      }
    }
  }

  [[noreturn]] void no_segments() const {
    if (kept("log.segments.witnessed") && witness() != nullptr) {
      damaged(Damage::lost_acknowledged, segment_name(Sequence(1)), 0, Sequence(1),
              "no segment is left, and the witness saw events synced up to sequence " +
                  text(witness()->acknowledged.value()));
    }
    throw CorruptionError(Damage::foreign, {log_folder, std::nullopt, std::nullopt},
                          "no log: " + storage_.describe(log_folder) + " holds no segment." + nothing_changed);
  }

  [[noreturn]] static void missing(Sequence expected, Sequence next) {
    damaged(Damage::corrupt_sealed_segment, segment_name(expected), 0, expected,
            "the segment is missing: the next one there is begins with sequence " + text(next.value()));
  }

  // Only a segment that has a successor is archived or dropped.
  [[noreturn]] void no_successor() const {
    const Sequence next = found_.head.sequence.next();
    damaged(acknowledged(next) ? Damage::lost_acknowledged : Damage::corrupt_sealed_segment, segment_name(next), 0,
            next, "the segment is missing: " + found_.segments.back().name + " was not the last one");
  }

  // ---- headers ----

  // What the header says must fit its name, the witness and the segment before.
  void check_header(const FoundSegment& segment, Sequence first, bool last) {
    const Damage damage = last ? Damage::corrupt_middle : Damage::corrupt_sealed_segment;
    const format::SegmentHeader& header = segment.header;
    if (kept("log.segment.name") && header.first != first) {
      damaged(damage, segment.name, 0, first,
              "the segment begins with sequence " + text(header.first.value()) + ", expected " + text(first.value()) +
                  " by its name");
    }
    const bool uuid_known = witness() != nullptr || !found_.segments.empty();
    if (kept("log.segment.log_uuid") && uuid_known && header.log_uuid != found_.log_uuid) {
      damaged(Damage::foreign, segment.name, 0, first,
              "the segment is of log " + to_string(header.log_uuid) + ", expected " + to_string(found_.log_uuid));
    }
    if (kept("log.segment.chain") && header.chain != found_.head.chain) {
      damaged(damage, segment.name, 0, first,
              "the segment continues chain hash " + to_hexadecimal(std::span(header.chain).first(8)) + "…, expected " +
                  to_hexadecimal(std::span(found_.head.chain).first(8)) + "…");
    }
    if (kept("log.segment.epoch") && !found_.segments.empty() && header.epoch < found_.segments.back().end.epoch) {
      damaged(damage, segment.name, 0, first,
              "the segment is of epoch " + text(header.epoch.value()) + ", behind one of epoch " +
                  text(found_.segments.back().end.epoch.value()));
    }
  }

  void accept(FoundSegment segment) {
    found_.log_uuid = segment.header.log_uuid;
    found_.head = {segment.end.last(), *segment.end.chain};
    found_.highest_epoch = std::max(found_.highest_epoch, segment.end.epoch);
    found_.segments.push_back(std::move(segment));
  }

  // ---- walking ----

  // Up to the first step that is no batch. Takes what it proved into `found_`.
  Step walk(SegmentReader& reader, const FoundSegment& segment) {
    while (true) {
      Step step = reader.next();
      if (step.kind != Step::Kind::batch) return step;
      if (depth_ == Depth::everything) decode(step, segment);
      if (witness() != nullptr) compare_with_witness(reader.cursor(), step, segment);
      found_.head = {step.last, *reader.cursor().chain};
      ++found_.batches;
      found_.events += step.header.count;
    }
  }

  static void decode(const Step& step, const FoundSegment& segment) {
    each_event(step.payload, step.header.first, step.header.count, [](const RecordedEvent&) { return true; },
               {segment.name, step.offset, step.header.first});
  }

  // The batch that holds the event which the witness names must end with it, at its place, with its hash.
  void compare_with_witness(const Cursor& cursor, const Step& step, const FoundSegment& segment) {
    const format::WitnessSlot& slot = *witness();
    if (slot.acknowledged < step.header.first || slot.acknowledged > step.last) return;
    if ((slot.acknowledged == step.last || !kept("log.witnessed.last")) &&
        (slot.chain == *cursor.chain || !kept("log.witnessed.chain")) &&
        (slot.segment == segment.header.first || !kept("log.witnessed.segment")) &&
        (slot.end_offset == cursor.batch_end || !kept("log.witnessed.offset"))) {
      return;
    }
    damaged(Damage::foreign, segment.name, step.offset, slot.acknowledged,
            "the witness saw sequence " + text(slot.acknowledged.value()) + " end at offset " +
                hexadecimal_offset(slot.end_offset) + " with chain hash " +
                to_hexadecimal(std::span(slot.chain).first(8)) + "…, here is another history of it (" +
                hexadecimal_offset(cursor.batch_end) + ", " + to_hexadecimal(std::span(*cursor.chain).first(8)) + "…)");
  }

  // ---- a segment that has a successor ----

  void inspect_sealed(Sequence first) {
    FoundSegment segment;
    SegmentFile file = SegmentFile::open(storage_, first);
    segment.name = file.name();
    segment.form = file.form();
    segment.file_bytes = file.size();
    segment.disk_bytes = file.file().size();
    const auto header = SegmentReader::read_header(file);
    if (!header && header.error().kind == Problem::Kind::newer) newer(segment.name, 0, first, header.error().sentence);
    if (!header) damaged(Damage::corrupt_sealed_segment, segment.name, 0, first, header.error().sentence);
    segment.header = *header;
    check_header(segment, first, false);
    if (depth_ == Depth::everything) file.check();
    if (depth_ == Depth::ends || segment.form == SegmentForm::dropped) {
      read_seal(file, segment);
    } else {
      read_sealed(std::move(file), segment);
    }
    if (segment.form == SegmentForm::dropped) accept_dropped(segment);
    segment.sealed = true;
    segment.used_bytes = segment.file_bytes;
    if (const auto* slot = witness(); kept("log.witnessed.sealed_chain") && slot != nullptr &&
                                      slot->acknowledged == segment.end.last() && slot->chain != *segment.end.chain) {
      damaged(Damage::foreign, segment.name, 0, slot->acknowledged,
              "the witness saw another history of this sequence: chain hash " +
                  to_hexadecimal(std::span(slot->chain).first(8)) + "…, found " +
                  to_hexadecimal(std::span(*segment.end.chain).first(8)) + "…");
    }
    accept(std::move(segment));
  }

  // Segments go from the beginning of the log on.
  void accept_dropped(const FoundSegment& segment) {
    if (!found_.segments.empty() && found_.segments.back().form != SegmentForm::dropped) {
      damaged(Damage::corrupt_sealed_segment, segment.name, 0, segment.header.first,
              "a stub behind a segment that is still here, " + found_.segments.back().name);
    }
    found_.dropped_through = segment.end.last();
  }

  // The whole of it. Its file ends with the seal.
  void read_sealed(SegmentFile file, FoundSegment& segment) {
    SegmentReader reader(std::move(file), segment.header);
    const Step step = walk(reader, segment);
    const Sequence next = reader.cursor().next;
    if (step.kind == Step::Kind::bad && step.no_crash == Damage::unknown_format) {
      newer(segment.name, step.bad_offset, next, step.found);
    }
    if (kept("log.sealed.whole") && step.kind == Step::Kind::bad) {
      damaged(Damage::corrupt_sealed_segment, segment.name, step.bad_offset, next, step.found);
    }
    if (kept("log.sealed.seal") && step.kind == Step::Kind::blank) {
      damaged(Damage::corrupt_sealed_segment, segment.name, step.offset, next,
              "the segment has a successor and ends without a seal");
    }
    if (kept("log.sealed.file_end") && reader.cursor().offset != segment.file_bytes) {
      damaged(Damage::corrupt_sealed_segment, segment.name, reader.cursor().offset, std::nullopt,
              "the segment ends with its seal, and the file goes on to offset " + text(segment.file_bytes));
    }
    segment.end = reader.cursor();
  }

  // Only its end: what the seal says must fit the header here and, by the caller, the next one.
  void read_seal(SegmentFile& file, FoundSegment& segment) {
    constexpr std::uint64_t record = format::batch_header_bytes + format::seal_payload_bytes;
    const auto no_seal = [&](const std::string& found) {
      damaged(Damage::corrupt_sealed_segment, segment.name,
              segment.file_bytes < record ? 0 : segment.file_bytes - record, std::nullopt,
              "the segment has a successor and does not end with its seal: " + found);
    };
    if (kept("log.seal_only.file_bytes") && segment.file_bytes < format::segment_header_bytes + record) {
      no_seal("the file has " + text(segment.file_bytes) + " bytes");
    }
    std::vector<std::byte> bytes(record);
    const std::uint64_t offset = segment.file_bytes - record;
    bytes.resize(file.read(offset, bytes));
    const auto batch = format::parse_batch_header(bytes);
    if (!batch && batch.error().kind == Problem::Kind::newer) {
      newer(segment.name, offset, std::nullopt, batch.error().sentence);
    }
    if (!batch) no_seal(batch.error().sentence);
    if ((kept("log.seal_only.is_seal") && !batch->seal) ||
        (kept("log.seal_only.salt") && batch->salt != segment.header.salt) ||
        (kept("log.seal_only.offset") && batch->offset != offset)) {
      no_seal("a batch that is not the seal of this place");
    }
    const auto seal = format::parse_seal_payload(std::span<const std::byte>(bytes).subspan(format::batch_header_bytes));
    if (!seal) no_seal(seal.error().sentence);
    if (kept("log.seal_only.checksum") &&
        crc32c(std::span<const std::byte>(bytes).subspan(format::batch_header_bytes)) != batch->payload_crc32c)
      no_seal("seal payload checksum does not agree");
    if ((kept("log.seal_only.used_bytes") && seal->used_bytes != segment.file_bytes) ||
        (kept("log.seal_only.chain") && seal->chain != batch->previous) ||
        (kept("log.seal_only.last") && seal->last.next() != batch->first) ||
        (kept("log.seal_only.epoch") && batch->epoch < segment.header.epoch) ||
        (kept("log.seal_only.events") && seal->last.value() - segment.header.first.value() + 1 != seal->events)) {
      no_seal("a seal that contradicts its place");
    }
    segment.end.offset = segment.file_bytes;
    segment.end.next = batch->first;
    segment.end.chain = seal->chain;
    segment.end.epoch = batch->epoch;
    segment.end.batches = seal->batches;
    segment.end.events = seal->events;
    segment.end.batch_end = offset;
  }

  // ---- the last segment ----

  void inspect_last(Sequence first) {
    FoundSegment segment;
    segment.name = segment_name(first);
    SegmentFile file = LogFile::open(storage_, segment.name, OpenMode::read);
    segment.file_bytes = segment.disk_bytes = file.size();
    const auto header = SegmentReader::read_header(file);
    if (!header) {
      judge_lost_header(std::move(file), std::move(segment), first, header.error());
      return;
    }
    segment.header = *header;
    check_header(segment, first, true);
    SegmentReader reader(std::move(file), segment.header);
    Step step = walk(reader, segment);
    segment.end = reader.cursor();
    segment.used_bytes = reader.cursor().offset;
    segment.sealed = step.kind == Step::Kind::seal;
    switch (step.kind) {
      case Step::Kind::bad:
        judge_bad(reader, segment, step);
        break;
      case Step::Kind::blank:
        judge_blank(reader, segment);
        break;
      case Step::Kind::seal:
      case Step::Kind::batch:
        judge_sealed_end(reader, segment);
        break;
    }
    accept(std::move(segment));
    compare_head_with_witness();
  }

  // By the order of syncs a segment has its name only after its header: this is rot. It may be mended when nothing that
  // ever counted was in the segment.
  void judge_lost_header(SegmentFile file, FoundSegment segment, Sequence first, const Problem& problem) {
    if (problem.kind == Problem::Kind::newer) newer(segment.name, 0, first, problem.sentence);
    format::SegmentHeader header;
    header.log_uuid = found_.log_uuid;
    header.first = first;
    header.epoch = found_.highest_epoch;
    header.chain = found_.head.chain;
    header.segment_bytes = segment.file_bytes;
    SegmentReader reader(std::move(file), header);
    const bool alone = found_.segments.empty() && witness() == nullptr;
    const bool empty = !reader.first_nonzero(format::segment_header_bytes).has_value();
    if (kept("log.lost_header.cut_short") && acknowledged(first) && segment.file_bytes < witness()->end_offset) {
      damaged(
          Damage::lost_acknowledged, segment.name, segment.file_bytes, first,
          problem.sentence + "; the witness saw events synced up to sequence " + text(witness()->acknowledged.value()));
    }
    if ((kept("log.lost_header.alone") && alone) ||
        (kept("log.lost_header.foreign") && problem.kind == Problem::Kind::foreign && empty)) {
      damaged(Damage::foreign, segment.name, 0, first, problem.sentence);
    }
    if ((kept("log.lost_header.clean") && found_.witness.clean()) ||
        (kept("log.lost_header.acknowledged") && acknowledged(first)) || (kept("log.lost_header.empty") && !empty)) {
      damaged(Damage::corrupt_middle, segment.name, 0, first, problem.sentence);
    }
    if (!found_.segments.empty()) header = found_.segments.back().header;
    segment.header = header;
    segment.header.first = first;
    segment.header.chain = found_.head.chain;
    segment.end = Cursor::at_start(segment.header);
    segment.header_lost = true;
    found_.cut_from = 0;
    found_.cut_bytes = reader.nonzero_end(0);
    found_.tail = found_.cut_bytes == 0 ? Tail::unclean_end : Tail::torn_tail;
    found_.torn = problem.sentence;
    found_.notes.push_back("the header of the last segment, which holds no event, is damaged: " + problem.sentence);
    accept(std::move(segment));
    compare_head_with_witness();
  }

  void judge_bad(SegmentReader& reader, const FoundSegment& segment, const Step& step) {
    const Sequence next = segment.end.next;
    if (step.no_crash == Damage::unknown_format) newer(segment.name, step.bad_offset, next, step.found);
    if (kept("log.tail.no_crash") && step.no_crash)
      damaged(*step.no_crash, segment.name, step.bad_offset, next, step.found);
    judge_tear(reader, segment, step.bad_offset, step.end, step.found);
  }

  void judge_blank(SegmentReader& reader, const FoundSegment& segment) {
    const auto stray = reader.first_nonzero(segment.end.offset);
    if (!stray || !kept("log.tail.zeros")) {
      found_.tail = Tail::unclean_end;  // until the witness says more
      return;
    }
    judge_tear(reader, segment, *stray, std::nullopt,
               "bytes that are not zero behind offset " + text(segment.end.offset) + ", where the segment is unused");
  }

  // Is it what a crash leaves of one batch in flight?
  void judge_tear(SegmentReader& reader, const FoundSegment& segment, std::uint64_t bad_offset,
                  std::optional<std::uint64_t> batch_end, const std::string& found) {
    const std::uint64_t offset = segment.end.offset;
    const Sequence next = segment.end.next;
    if (const auto behind = reader.find_batch(offset + 8, next); behind && kept("log.tail.later_batch")) {
      damaged(Damage::corrupt_middle, segment.name, bad_offset, next,
              found + "; a valid batch (sequence " + text(behind->first.value()) + ") stands behind it, at offset " +
                  hexadecimal_offset(behind->offset) + ", so this is not the trace of a crash");
    }
    const std::uint64_t most = batch_end.value_or(format::align_up(
        offset + format::batch_header_bytes + limits::batch_bytes_max, segment.header.commit_alignment));
    if (const auto stray = reader.first_nonzero(most); stray && kept("log.tail.reach")) {
      damaged(Damage::corrupt_middle, segment.name, bad_offset, next,
              found + "; more than one batch in flight can leave: the bytes at offset " + hexadecimal_offset(*stray) +
                  " are not zero");
    }
    if (kept("log.tail.acknowledged") && acknowledged(next)) {
      damaged(Damage::lost_acknowledged, segment.name, bad_offset, next,
              found + "; the witness saw events synced up to sequence " + text(witness()->acknowledged.value()));
    }
    if (kept("log.tail.clean") && found_.witness.clean()) {
      damaged(Damage::corrupt_middle, segment.name, bad_offset, next,
              found + "; the log was closed cleanly, so no batch was in flight");
    }
    found_.tail = Tail::torn_tail;
    found_.cut_from = offset;
    found_.cut_bytes = reader.nonzero_end(offset) - offset;
    found_.torn = found;
  }

  void judge_sealed_end(SegmentReader& reader, const FoundSegment& segment) {
    if (const auto stray = reader.first_nonzero(segment.end.offset); stray && kept("log.tail.behind_seal")) {
      damaged(Damage::corrupt_sealed_segment, segment.name, *stray, std::nullopt,
              "bytes that are not zero behind the seal, which ends at offset " + text(segment.end.offset));
    }
    found_.tail = Tail::unclean_end;
  }

  void compare_head_with_witness() {
    const FoundSegment& last = found_.segments.back();
    const format::WitnessSlot* slot = witness();
    if (slot == nullptr) return;
    if (kept("log.head.acknowledged") && slot->acknowledged > found_.head.sequence) {
      damaged(Damage::lost_acknowledged, last.name, last.used_bytes, found_.head.sequence.next(),
              "the log ends with sequence " + text(found_.head.sequence.value()) +
                  ", and the witness saw events synced up to sequence " + text(slot->acknowledged.value()));
    }
    if ((kept("log.clean_end.clean") && !slot->clean) || found_.tail != Tail::unclean_end) return;
    if ((slot->acknowledged == found_.head.sequence || !kept("log.clean_end.head")) &&
        (!last.sealed || !kept("log.clean_end.unsealed"))) {  // a lost header was refused under a clean witness
      found_.tail = Tail::clean_end;
    } else {
      found_.notes.push_back("the log goes on behind its clean end (sequence " + text(slot->acknowledged.value()) +
                             "), as in a copy that was made while it was written");
    }
  }

  Storage& storage_;
  Depth depth_;
  Inspection& found_;
};

}  // namespace

void inspect(Storage& storage, Depth depth, Inspection& found) {
  found = Inspection{};
  Inspector(storage, depth, found).run();
}

}  // namespace daybook
