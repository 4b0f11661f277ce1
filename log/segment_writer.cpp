// SPDX-License-Identifier: Apache-2.0
#include "segment_writer.hpp"

#include <algorithm>

#include "crc32c.hpp"
#include "daybook/core/assert.hpp"
#include "daybook/core/mutant.hpp"
#include "segment_name.hpp"

// The order of writes and syncs here is what recovery relies on: a batch is synced before the next is written, a seal
// before its segment has a successor, a header before its segment has a name.

namespace daybook {
namespace {

constexpr std::uint64_t blank_step = 256 * 1024;
constexpr std::uint64_t plenty_beside =
    64 * 1024 * 1024;  // with so much free, making a reserve anew is cheaper than reading one
constexpr std::uint64_t seal_record_bytes = format::batch_header_bytes + format::seal_payload_bytes;

std::uint64_t record_bytes(std::uint64_t payload_bytes, std::uint32_t alignment) {
  return format::align_up(format::batch_header_bytes + payload_bytes, alignment);
}

// A reserve that is blank is only read; what a writer that died left in it (a header) is written over, in the room it has.
void make_blank(LogFile& file, std::uint64_t bytes) {
  std::vector<std::byte> part(blank_step);
  bool wrote = false;
  for (std::uint64_t at = 0; at < bytes; at += blank_step) {
    part.resize(std::min(blank_step, bytes - at));
    part.resize(file.read(at, part));
    if (std::all_of(part.begin(), part.end(), [](std::byte byte) { return byte == std::byte{0}; })) continue;
    std::fill(part.begin(), part.end(), std::byte{0});
    file.write(at, part);
    wrote = true;
  }
  if (wrote) file.sync();
}

}  // namespace

std::uint64_t segment_bytes_for(std::uint64_t payload_bytes, std::uint32_t alignment) {
  return format::segment_header_bytes + record_bytes(payload_bytes, alignment) + seal_record_bytes;
}

std::optional<ReservedFile> reserve_file(Storage& storage, std::uint64_t wanted, std::uint64_t least) {
  remove_if_exists(storage, next_temporary);
  LogFile file = LogFile::open(storage, next_temporary, OpenMode::create);
  for (std::uint64_t bytes = wanted; bytes >= least; bytes /= 2) {
    if (file.allocate(bytes)) return ReservedFile{std::move(file), bytes};
  }
  remove_if_exists(storage, next_temporary);
  return std::nullopt;
}

std::optional<ReservedFile> take_over_reserved(Storage& storage, std::uint64_t least) {
  try {
    auto file = LogFile::open_if_exists(storage, next_temporary, OpenMode::read_write);
    if (!file) return std::nullopt;
    const std::uint64_t bytes = file->size();
    std::uint64_t free = 0;
    const bool plenty = storage.free_bytes(free) == 0 && free / 2 > bytes + plenty_beside;
    if (!plenty && bytes >= least && file->allocate(bytes)) {
      make_blank(*file, bytes);
      return ReservedFile{std::move(*file), bytes};
    }
  } catch (const StorageError&) {
    // Whatever is wrong with it, it is of no use; the log does not need it to be well.
  }
  remove_if_exists(storage, next_temporary);
  return std::nullopt;
}

std::uint64_t SegmentSizes::after(std::uint64_t bytes, std::uint64_t used, std::uint64_t least) const {
  const std::uint64_t wanted = used * 2 < bytes ? bytes : bytes * 2;
  return std::max(std::clamp(wanted, min, max), least);
}

SegmentWriter::SegmentWriter(LogFile file, const format::SegmentHeader& header, const Cursor& cursor,
                             std::uint64_t capacity)
    : file_(std::move(file)), header_(header), cursor_(cursor), capacity_(capacity) {}

SegmentWriter SegmentWriter::begin(Storage& storage, LogFile file, const format::SegmentHeader& header) {
  const std::string name = segment_name(header.first);
  file.write(0, format::to_bytes(header));
  if (kept("log.begin.sync")) file.sync();
  rename_file(storage, file.name(), name);
  if (kept("log.begin.sync_folder")) sync_folder(storage, log_folder);
  file.renamed(name);
  return SegmentWriter(std::move(file), header, Cursor::at_start(header), header.segment_bytes);
}

SegmentWriter SegmentWriter::resume(LogFile file, const format::SegmentHeader& header, const Cursor& cursor,
                                    std::uint64_t capacity) {
  return SegmentWriter(std::move(file), header, cursor, capacity);
}

bool SegmentWriter::fits(std::uint64_t payload_bytes) const {
  return cursor_.offset + record_bytes(payload_bytes, header_.commit_alignment) + seal_record_bytes <= capacity_;
}

std::uint64_t SegmentWriter::append(std::span<const std::byte> payload, std::uint32_t count, Epoch epoch,
                                    std::uint64_t batch_id) {
  DAYBOOK_ASSERT(fits(payload.size()));
  DAYBOOK_ASSERT(payload.size() % 8 == 0);
  DAYBOOK_ASSERT(count > 0);
  DAYBOOK_ASSERT(epoch >= cursor_.epoch);
  format::BatchHeader header;
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  header.first = cursor_.next;
  header.count = count;
  header.salt = header_.salt;
  header.offset = cursor_.offset;
  header.epoch = epoch;
  header.batch_id = batch_id;
  header.previous = *cursor_.chain;
  header.payload_crc32c = crc32c(payload);

  const auto header_bytes = format::to_bytes(header);
  const std::uint64_t bytes = record_bytes(payload.size(), header_.commit_alignment);
  buffer_.clear();
  buffer_.insert(buffer_.end(), header_bytes.begin(), header_bytes.end());
  buffer_.insert(buffer_.end(), payload.begin(), payload.end());
  buffer_.resize(bytes);
  file_.write(cursor_.offset, buffer_);
  if (kept("log.append.sync_data")) file_.sync_data();

  cursor_.batch_end = cursor_.offset + format::batch_header_bytes + payload.size();
  cursor_.offset += bytes;
  cursor_.next = Sequence(cursor_.next.value() + count);
  cursor_.chain = format::chain_hash(header_bytes, payload);
  cursor_.epoch = epoch;
  ++cursor_.batches;
  cursor_.events += count;
  return bytes;
}

void SegmentWriter::seal(Epoch epoch, std::uint64_t batch_id) {
  const auto bytes = seal_bytes(header_, cursor_, epoch, batch_id);
  file_.write(cursor_.offset, bytes);
  file_.truncate(cursor_.offset + bytes.size());
  if (kept("log.seal.sync")) file_.sync();
  file_.make_read_only();
}

std::vector<std::byte> seal_bytes(const format::SegmentHeader& segment, const Cursor& cursor, Epoch epoch,
                                  std::uint64_t batch_id) {
  format::SealPayload seal;
  seal.batches = cursor.batches;
  seal.events = cursor.events;
  seal.last = cursor.last();
  seal.chain = *cursor.chain;
  seal.used_bytes = cursor.offset + seal_record_bytes;
  const auto payload = format::to_bytes(seal);

  format::BatchHeader header;
  header.payload_bytes = format::seal_payload_bytes;
  header.first = cursor.next;
  header.seal = true;
  header.salt = segment.salt;
  header.offset = cursor.offset;
  header.epoch = epoch;
  header.batch_id = batch_id;
  header.previous = *cursor.chain;
  header.payload_crc32c = crc32c(payload);
  const auto header_bytes = format::to_bytes(header);

  std::vector<std::byte> bytes(header_bytes.begin(), header_bytes.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

}  // namespace daybook
