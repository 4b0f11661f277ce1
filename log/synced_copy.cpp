// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/synced_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/log_reader.hpp"
#include "inspection.hpp"
#include "recovery.hpp"
#include "segment_file.hpp"
#include "segment_name.hpp"
#include "segment_reader.hpp"
#include "segment_writer.hpp"
#include "witness.hpp"

// The witness is looked at first: what it vouches for is there whatever happens afterwards, because segments before its own
// are finished, and of its own the bytes up to its end never change.

namespace daybook {
namespace {

constexpr std::size_t chunk = 256 * 1024;

// Without a whole witness: the last batch that can be proved.
format::WitnessSlot slot_without_witness(Storage& from) {
  Inspection found;
  inspect(from, Depth::ends, found);
  format::WitnessSlot slot;
  slot.log_uuid = found.log_uuid;
  slot.acknowledged = found.head.sequence;
  slot.chain = found.head.chain;
  slot.epoch = found.highest_epoch;
  for (const FoundSegment& segment : found.segments) {
    if (segment.end.next == segment.header.first) continue;
    slot.segment = segment.header.first;
  }
  if (slot.acknowledged == Sequence()) return slot;
  SegmentFile file = SegmentFile::open(from, slot.segment);
  if (const auto* header = file.archive_header()) {
    slot.end_offset = header->last_batch_end;
    return slot;
  }
  const auto header = SegmentReader::read_header(file);
  if (!header) throw CorruptionError(Damage::corrupt_middle, {file.name(), 0, slot.segment}, header.error().sentence);
  SegmentReader reader(std::move(file), *header);
  reader.skip_before(slot.acknowledged.next());
  slot.end_offset = reader.cursor().batch_end;
  return slot;
}

format::WitnessSlot synced_end(Storage& from) {
  const WitnessFound witness = read_witness(from);
  format::WitnessSlot slot = witness.newest ? *witness.newest : slot_without_witness(from);
  if (kept("log.synced_copy.no_event") && slot.acknowledged == Sequence()) {
    throw StorageError({log_folder, std::nullopt, std::nullopt}, ENODATA,
                       "the log in " + from.describe(log_folder) + " holds no event yet; there is nothing to copy");
  }
  slot.clean = false;
  return slot;
}

LogFile create(Storage& into, const std::string& name) {
  return LogFile::open(into, name, OpenMode::create);
}

// The file as it is on the disk. Returns its bytes.
std::uint64_t copy_file(LogFile& source, LogFile copy) {
  std::vector<std::byte> bytes(chunk);
  std::uint64_t at = 0;
  while (const std::size_t read = source.read(at, bytes)) {
    copy.write(at, std::span<const std::byte>(bytes).first(read));
    at += read;
  }
  if (kept("log.synced_copy.sync")) copy.sync();
  copy.make_read_only();
  return at;
}

// A finished segment, in its form.
std::uint64_t copy_segment(Storage& from, Storage& into, Sequence first) {
  SegmentFile source = SegmentFile::open(from, first);
  const std::string name = source.name();
  const std::uint64_t bytes = copy_file(source.file(), create(into, name));
  if (source.archive_header() != nullptr) {
    const auto kind = source.archive_header()->kind;
    if (kept("log.synced_copy.check_body"))
      SegmentFile::open_as(LogFile::open(into, name, OpenMode::read), first, kind).check_body();
  }
  return bytes;
}

// Of the segment in which the synced events end, what the witness vouches for; plain, whatever its form is.
std::uint64_t copy_front(Storage& from, Storage& into, const format::WitnessSlot& end) {
  SegmentFile source = SegmentFile::open(from, end.segment);
  LogFile copy = create(into, segment_name(end.segment));
  std::vector<std::byte> bytes(chunk);
  for (std::uint64_t at = 0; at < end.end_offset;) {
    const auto part = std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), end.end_offset - at));
    const std::size_t read = source.read(at, part);
    if (kept("log.synced_copy.ends") && read < part.size()) {
      throw CorruptionError(Damage::lost_acknowledged, {source.name(), at + read, end.acknowledged},
                            "the segment ends here, and the witness saw events synced up to sequence " +
                                std::to_string(end.acknowledged.value()) + ", offset " +
                                std::to_string(end.end_offset) + ". Nothing was changed. Run: daybook verify");
    }
    copy.write(at, part.first(read));
    at += part.size();
  }
  if (kept("log.synced_copy.sync_front")) copy.sync();
  return end.end_offset;
}

void add_leaves(SegmentFile stub, MerkleFrontier& frontier) {
  Hash leaf{};
  for (std::uint64_t at = format::archive_header_bytes;
       stub.file().read(at, std::as_writable_bytes(std::span(leaf))) == leaf.size(); at += leaf.size()) {
    frontier.add(leaf);
  }
}

}  // namespace

SyncedCopy copy_synced(Storage& from, Storage& into, const std::function<void(Sequence)>& copied) {
  const format::WitnessSlot end = synced_end(from);
  SyncedCopy result;
  result.head = {end.acknowledged, end.chain};
  make_folder(into, log_folder);
  if (kept("log.synced_copy.sync_book")) sync_folder(into, "");
  const std::vector<Sequence> segments = list_log(from).segments;
  for (const Sequence first : segments) {
    if (first > end.segment) break;
    result.bytes += first == end.segment ? copy_front(from, into, end) : copy_segment(from, into, first);
    ++result.segments;
    const auto next = std::upper_bound(segments.begin(), segments.end(), first);
    if (copied) copied(first == end.segment || next == segments.end() ? end.acknowledged : Sequence(next->value() - 1));
  }
  static_cast<void>(Witness::create(into, end));
  return result;
}

MerkleFrontier copy_dropped(Storage& from, Storage& into, const Head& dropped, Epoch epoch, Clock& clock,
                            Random& random) {
  MerkleFrontier frontier;
  const std::vector<Sequence> stubs = list_log(from).dropped;
  for (const Sequence first : stubs) {
    static_cast<void>(copy_segment(from, into, first));
    add_leaves(SegmentFile::open(into, first), frontier);
  }
  SegmentFile last = SegmentFile::open(into, stubs.back());
  const auto previous = SegmentReader::read_header(last);
  if (!previous) {
    throw CorruptionError(Damage::corrupt_sealed_segment, {last.name(), 0, stubs.back()}, previous.error().sentence);
  }
  auto reserved = reserve_file(into, limits::segment_bytes_min, format::segment_header_bytes);
  if (!reserved) {
    throw StorageError({log_folder, std::nullopt, std::nullopt}, ENOSPC,
                       "there is no room for a segment in " + into.describe(log_folder));
  }
  const auto header = successor(*previous, dropped, epoch, reserved->bytes, clock, random);
  static_cast<void>(SegmentWriter::begin(into, std::move(reserved->file), header));
  format::WitnessSlot slot;
  slot.log_uuid = previous->log_uuid;
  slot.acknowledged = dropped.sequence;
  slot.chain = dropped.chain;
  slot.segment = stubs.back();
  slot.end_offset = last.archive_header()->last_batch_end;
  slot.epoch = epoch;
  static_cast<void>(Witness::create(into, slot));
  return frontier;
}

std::uint64_t copy_folder(Storage& from, Storage& into, const std::string& folder) {
  std::vector<std::string> names;
  if (const int error = from.list(folder, names)) {
    if (error == ENOENT) return 0;
    throw StorageError({folder, std::nullopt, std::nullopt}, error, "cannot list the folder " + from.describe(folder));
  }
  std::uint64_t bytes = 0;
  make_folder(into, folder);
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    if (name.ends_with(".tmp")) continue;
    if (auto source = LogFile::open_if_exists(from, path, OpenMode::read)) {
      bytes += copy_file(*source, create(into, path));
    }
  }
  if (kept("log.synced_copy.sync_other")) sync_folder(into, folder);
  if (kept("log.synced_copy.sync_other_book")) sync_folder(into, "");
  return bytes;
}

}  // namespace daybook
