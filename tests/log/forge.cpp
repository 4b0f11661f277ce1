// SPDX-License-Identifier: Apache-2.0
#include "forge.hpp"

#include <algorithm>

#include "crc32c.hpp"
#include "daybook/core/error.hpp"
#include "daybook/log/log_reader.hpp"

namespace daybook::test {
namespace {

using Content = std::vector<std::byte>;

template <std::size_t size>
void put(Content& content, std::uint64_t at, const std::array<std::byte, size>& bytes) {
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
}

std::span<const std::byte> from(const Content& content, std::uint64_t at) {
  return std::span<const std::byte>(content).subspan(at);
}

}  // namespace

void forge_segment(MemoryStorage& disk, const std::string& segment,
                   const std::function<void(format::SegmentHeader&)>& change) {
  Content content = disk.content(segment);
  format::SegmentHeader header = format::parse_segment_header(content).value();
  change(header);
  put(content, 0, format::to_bytes(header));
  disk.write_durably(segment, content);
}

void forge_batch(MemoryStorage& disk, const std::string& segment, std::uint64_t offset,
                 const std::function<void(format::BatchHeader&)>& change) {
  Content content = disk.content(segment);
  format::BatchHeader header = format::parse_batch_header(from(content, offset)).value();
  change(header);
  put(content, offset, format::to_bytes(header));
  disk.write_durably(segment, content);
}

void forge_payload_checksum(MemoryStorage& disk, const std::string& segment, std::uint64_t offset) {
  const Content content = disk.content(segment);
  forge_batch(disk, segment, offset, [&](format::BatchHeader& header) {
    header.payload_crc32c = crc32c(from(content, offset + format::batch_header_bytes).first(header.payload_bytes));
  });
}

void forge_seal(MemoryStorage& disk, const std::string& segment,
                const std::function<void(format::SealPayload&)>& change_payload,
                const std::function<void(format::BatchHeader&)>& change_header) {
  const std::uint64_t offset = batch_ends(disk, segment).back();
  Content content = disk.content(segment);
  const std::uint64_t at = offset + format::batch_header_bytes;
  const auto payload = from(content, at).first(format::seal_payload_bytes);
  format::SealPayload seal = format::parse_seal_payload(payload).value();
  if (change_payload) change_payload(seal);
  const auto bytes = format::to_bytes(seal);
  put(content, at, bytes);
  disk.write_durably(segment, content);
  forge_batch(disk, segment, offset, [&](format::BatchHeader& header) {
    header.payload_crc32c = crc32c(bytes);
    if (change_header) change_header(header);
  });
}

void forge_witness(MemoryStorage& disk, const std::function<void(format::WitnessSlot&)>& change) {
  Content content = disk.content(witness_file);
  format::WitnessSlot newest;
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{format::witness_slot_bytes}}) {
    const auto slot = format::parse_witness_slot(from(content, at).first(format::witness_slot_bytes));
    if (slot && slot->counter > newest.counter) newest = *slot;
  }
  change(newest);
  for (std::uint64_t i = 0; i < 2; ++i, ++newest.counter) {
    put(content, newest.counter % 2 * format::witness_slot_bytes, format::to_bytes(newest));
  }
  disk.write_durably(witness_file, content);
}

void rechecksum(std::span<std::byte> structure) {
  const std::uint32_t sum = crc32c(structure.first(structure.size() - 4));
  for (std::size_t i = 0; i < 4; ++i) structure[structure.size() - 4 + i] = static_cast<std::byte>(sum >> (8 * i));
}

std::string open_says(const LogBook& book, std::optional<Damage> expected) {
  LogBook copy(book);
  try {
    copy.open();
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), expected) << error.what();
    return error.what();
  }
  EXPECT_EQ(std::nullopt, expected) << "opened";
  return "";
}

std::string verify_says(const LogBook& book, Damage expected) {
  const LogVerdict verdict = verify_log(*book.disk);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::damaged) << verdict.message;
  EXPECT_EQ(verdict.damage, expected) << verdict.message;
  return verdict.message;
}

std::string reading_says(const LogBook& book, Damage expected) {
  try {
    const LogReader reader(*book.disk);
    reader.read(Sequence(1), [](const RecordedEvent&) { return true; });
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), expected) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "read to the end";
  return "";
}

std::string last_segment(const LogBook& book) {
  return book.segments().back();
}

}  // namespace daybook::test
