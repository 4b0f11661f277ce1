// SPDX-License-Identifier: Apache-2.0
#include "recovery.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "quarantine.hpp"
#include "sha256.hpp"

// After an unclean end the page cache is not believed: it may show what a failed write-back never brought to the disk.
// So the surviving bytes of the last segment are written anew, into a file that is synced before it takes the old
// one's name. Only when there is no room for that, the old file is synced, read back past the cache, and sealed in place.

namespace daybook {
namespace {

constexpr std::uint64_t chunk = 256 * 1024;
constexpr std::uint64_t least_payload = 64 * 1024;

std::vector<std::byte> read_range(LogFile& file, std::uint64_t offset, std::uint64_t bytes) {
  std::vector<std::byte> content(bytes);
  content.resize(file.read(offset, content));
  return content;
}

void tell_cut(LogOpening& opening, const Cut& cut) {
  opening.tail = TailStatus::torn;
  opening.bytes_cut = cut.bytes;
  opening.cut_sha256.assign(cut.sha256.begin(), cut.sha256.end());
  opening.quarantine = cut.file;
}

class Recovery {
 public:
  Recovery(Storage& storage, Clock& clock, Random& random, const LogOptions& options, const Inspection& found,
           LogOpening& opening)
      : storage_(storage), clock_(clock), random_(random), options_(options), found_(found), opening_(opening) {}

  ReadyLog run() {
    opening_ = LogOpening{};
    opening_.head = found_.head;
    opening_.epoch = found_.highest_epoch.next();
    opening_.log_uuid = found_.log_uuid;
    for (const std::string& name : found_.temporaries) {
      if (name != next_temporary) remove_if_exists(storage_, name);
    }
    next_ = take_over_reserved(storage_, least_bytes());
    ReadyLog ready = found_.tail == Inspection::Tail::clean_end ? go_on() : begin_anew();
    write_note();
    return ready;
  }

 private:
  const FoundSegment& last() const { return found_.segments.back(); }

  ReadyLog go_on() {
    opening_.tail = TailStatus::clean;
    LogFile file = LogFile::open(storage_, last().name, OpenMode::read_write);
    std::uint64_t capacity = last().file_bytes;
    if (capacity < last().header.segment_bytes && file.allocate(last().header.segment_bytes)) {
      capacity = last().header.segment_bytes;
    }
    SegmentWriter segment = SegmentWriter::resume(std::move(file), last().header, last().end, capacity);
    // The mark of the clean close goes before anything is written that it would deny.
    format::WitnessSlot slot = *found_.witness.newest;
    slot.clean = false;
    slot.epoch = opening_.epoch;
    Witness witness = Witness::resume(storage_, slot);
    if (kept("log.go_on.revoke")) witness.write_durably(slot);
    return {std::move(segment), std::move(witness), slot, found_.head, std::move(next_)};
  }

  ReadyLog begin_anew() {
    opening_.tail = TailStatus::unclean;
    if (found_.tail == Inspection::Tail::torn_tail) {
      put_aside();
    } else {
      recall_cut();
    }
    const format::WitnessSlot slot = slot_of_head();
    if (last().end.next != last().header.first) make_last_durable();

    const SegmentSizes sizes{options_.segment_bytes_min, options_.segment_bytes_max};
    const std::uint64_t least = segment_bytes_for(0, options_.commit_alignment);
    const std::uint64_t wanted = sizes.after(last().header.segment_bytes, last().used_bytes, least);
    auto reserved = std::exchange(next_, std::nullopt);
    if (!reserved) reserved = reserve_file(storage_, wanted, std::min(wanted, least_bytes()));
    if (!reserved) reserved = space_of_empty_segment();
    if (!reserved) {
      throw StorageError({log_folder, std::nullopt, std::nullopt}, ENOSPC,
                         "there is no room for a new segment of " + std::to_string(wanted) + " bytes in " +
                             storage_.describe(log_folder) + "; free some and open the book again");
    }
    format::SegmentHeader header =
        successor(last().header, found_.head, opening_.epoch, reserved->bytes, clock_, random_);
    header.log_uuid = found_.log_uuid;
    header.commit_alignment = options_.commit_alignment;
    SegmentWriter segment = SegmentWriter::begin(storage_, std::move(reserved->file), header);
    if (!unkept_.empty()) static_cast<void>(keep(unkept_));  // sealing may have given back the room for it
    return {std::move(segment), renew_witness(slot), slot, found_.head};
  }

  // A little is enough to open with and to finish a little; the next segment is larger again once there is room.
  std::uint64_t least_bytes() const {
    const std::uint64_t least = segment_bytes_for(least_payload, options_.commit_alignment);
    return std::min(least, options_.segment_bytes_min);
  }

  // A segment that holds nothing is about to be replaced: on a disk without room, by itself. Being killed in between leaves the
  // log that ends before it.
  std::optional<ReservedFile> space_of_empty_segment() {
    const bool empty = last().end.next == last().header.first && !last().sealed;
    if (!empty || found_.segments.size() < 2) return std::nullopt;
    rename_file(storage_, last().name, next_temporary);
    sync_folder(storage_, log_folder);
    return take_over_reserved(storage_, least_bytes());
  }

  // ---- the tear ----

  void put_aside() {
    LogFile file = LogFile::open(storage_, last().name, OpenMode::read);
    auto bytes = read_range(file, found_.cut_from, found_.cut_bytes);
    tell_cut(opening_, Cut{.file = {}, .bytes = bytes.size(), .sha256 = sha256(bytes)});
    if (!keep(bytes)) unkept_ = std::move(bytes);
  }

  // Nobody was told of these bytes. That a full disk cannot keep them does not keep the book shut; their hash goes on record.
  bool keep(const std::vector<std::byte>& bytes) {
    try {
      opening_.quarantine =
          put_in_quarantine(storage_, last().header.first, found_.cut_from, bytes, evidence_removed_).file;
    } catch (const StorageError& error) {
      if (error.error_number() != ENOSPC && error.error_number() != EDQUOT) throw;
      return false;
    }
    return true;
  }

  // An opening that was killed behind its cut has told nobody. While no event followed, the cut is told again.
  void recall_cut() {
    const auto look_for = [&](Sequence segment, std::uint64_t offset) {
      if (const auto cut = find_in_quarantine(storage_, segment, offset)) tell_cut(opening_, *cut);
    };
    constexpr std::uint64_t seal = format::batch_header_bytes + format::seal_payload_bytes;
    for (std::size_t i = found_.segments.size(); i-- > 0;) {
      const FoundSegment& segment = found_.segments[i];
      if (segment.end.last() != found_.head.sequence) break;  // an event follows it
      if (segment.sealed) {
        look_for(segment.header.first, segment.used_bytes - seal);
      } else {
        look_for(segment.header.first, 0);
        look_for(segment.header.first, segment.end.offset);
      }
    }
  }

  // ---- what survived ----

  void make_last_durable() {
    const std::vector<std::byte> seal = last().sealed
                                            ? std::vector<std::byte>{}
                                            : seal_bytes(last().header, last().end, opening_.epoch, random_.next());
    const std::uint64_t bytes = last().used_bytes + seal.size();
    LogFile copy = LogFile::open(storage_, recovered_temporary, OpenMode::create);
    if (!copy.allocate(bytes)) {
      remove_if_exists(storage_, recovered_temporary);
      seal_in_place();
      return;
    }
    LogFile file = LogFile::open(storage_, last().name, OpenMode::read);
    for (std::uint64_t at = 0; at < last().used_bytes;) {
      const auto part = read_range(file, at, std::min(chunk, last().used_bytes - at));
      if (part.empty()) break;
      copy.write(at, part);
      at += part.size();
    }
    if (!seal.empty()) copy.write(last().used_bytes, seal);
    if (kept("log.recovered.sync")) copy.sync();
    if (kept("log.recovered.read_back")) {
      expect_whole(LogFile::open(storage_, recovered_temporary, OpenMode::read), true);
    }
    copy.make_read_only();
    rename_file(storage_, recovered_temporary, last().name);
    if (kept("log.recovered.sync_folder")) sync_folder(storage_, log_folder);
  }

  void seal_in_place() {
    if (last().sealed && last().file_bytes == last().used_bytes) {  // may be read-only already
      LogFile file = LogFile::open(storage_, last().name, OpenMode::read);
      if (kept("log.sealed_in_place.sync")) file.sync();
      if (kept("log.sealed_in_place.drop_cache")) file.drop_cache();
      if (kept("log.sealed_in_place.read_back")) expect_whole(std::move(file), true);
      return;
    }
    LogFile file = LogFile::open(storage_, last().name, OpenMode::read_write);
    if (kept("log.seal_in_place.sync_data")) file.sync_data();
    if (kept("log.seal_in_place.drop_cache")) file.drop_cache();
    if (kept("log.seal_in_place.read_back")) {
      expect_whole(LogFile::open(storage_, last().name, OpenMode::read), last().sealed);
    }
    file.truncate(last().used_bytes);
    if (kept("log.seal_in_place.sync_cut")) file.sync();
    if (last().sealed) {
      file.make_read_only();
    } else {
      SegmentWriter::resume(std::move(file), last().header, last().end, 0).seal(opening_.epoch, random_.next());
    }
  }

  // Between the inspection and here the cache may have lost what the disk never had.
  void expect_whole(LogFile file, bool sealed) {
    SegmentReader reader(std::move(file), last().header);
    Step step = reader.next();
    while (step.kind == Step::Kind::batch) step = reader.next();
    // (The chain hash covers sequences and counts: where it is the same, so is the end.)
    if ((kept("log.read_back.chain") && reader.cursor().chain != last().end.chain) ||
        (kept("log.read_back.seal") && sealed && step.kind != Step::Kind::seal)) {
      throw StorageError(
          {last().name, reader.cursor().offset, reader.cursor().next}, EIO,
          "the segment reads differently from the disk than it did a moment ago, when it was whole up to "
          "sequence " +
              std::to_string(found_.head.sequence.value()) +
              "; the disk did not keep what it was given. Open the book again to judge what is left");
    }
  }

  // ---- the witness ----

  format::WitnessSlot slot_of_head() {
    format::WitnessSlot slot;
    if (found_.witness.newest) slot = *found_.witness.newest;
    slot.clean = false;
    slot.log_uuid = found_.log_uuid;
    slot.epoch = opening_.epoch;
    if (found_.witness.newest && slot.acknowledged == found_.head.sequence) return slot;
    slot.acknowledged = found_.head.sequence;
    slot.chain = found_.head.chain;
    for (std::size_t i = found_.segments.size(); i-- > 0;) {
      const FoundSegment& segment = found_.segments[i];
      slot.segment = segment.header.first;
      slot.end_offset = segment.end.batch_end;
      if (segment.end.next == segment.header.first) continue;  // empty
      if (i + 1 != found_.segments.size()) slot.end_offset = last_batch_end(segment);
      break;
    }
    return slot;
  }

  // Inspection read only the seal of this segment.
  std::uint64_t last_batch_end(const FoundSegment& segment) {
    SegmentFile file = SegmentFile::open(storage_, segment.header.first);
    if (const auto* header = file.archive_header()) return header->last_batch_end;
    SegmentReader reader(std::move(file), segment.header);
    reader.skip_before(segment.end.next);
    return reader.cursor().batch_end;
  }

  Witness renew_witness(const format::WitnessSlot& slot) {
    if (!found_.witness.newest) return Witness::create(storage_, slot);
    Witness witness = Witness::resume(storage_, *found_.witness.newest);
    if (kept("log.recover.witness")) witness.write_durably(slot);
    return witness;
  }

  void write_note() {
    const std::string head = "the log ends with sequence " + std::to_string(found_.head.sequence.value());
    if (opening_.tail == TailStatus::clean) opening_.note = "the log was closed cleanly; " + head;
    if (opening_.tail == TailStatus::unclean) opening_.note = "the log was not closed; nothing was torn; " + head;
    if (opening_.tail == TailStatus::torn) {
      opening_.note = "the log was not closed; " + std::to_string(opening_.bytes_cut) +
                      " bytes of a batch that was never acknowledged were cut and " +
                      (opening_.quarantine.empty() ? "not kept, the disk is full" : "kept in " + opening_.quarantine) +
                      "; " + head;
    }
    for (const std::string& note : found_.notes) opening_.note += "; " + note;
    for (const std::string& file : evidence_removed_) opening_.note += "; " + file + " made room for it";
  }

  Storage& storage_;
  Clock& clock_;
  Random& random_;
  const LogOptions& options_;
  const Inspection& found_;
  LogOpening& opening_;
  std::vector<std::string> evidence_removed_;  // older cuts, to keep the quarantine bounded
  std::optional<ReservedFile> next_;  // the reserve of the writer before, until it is used
  std::vector<std::byte> unkept_;     // cut bytes that there was no room for
};

}  // namespace

ReadyLog recover(Storage& storage, Clock& clock, Random& random, const LogOptions& options, const Inspection& found,
                 LogOpening& opening) {
  return Recovery(storage, clock, random, options, found, opening).run();
}

format::SegmentHeader successor(const format::SegmentHeader& previous, const Head& head, Epoch epoch,
                                std::uint64_t bytes, Clock& clock, Random& random) {
  format::SegmentHeader header = previous;
  header.format_version = format::version;
  header.minimum_reader = format::reader;
  header.boot_id = clock.boot_id();
  header.first = head.sequence.next();
  header.epoch = epoch;
  header.salt = random.next();
  header.segment_bytes = bytes;
  header.created = clock.wall();
  header.chain = head.chain;
  return header;
}

}  // namespace daybook
