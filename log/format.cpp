// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include <cstring>

#include "daybook/core/assert.hpp"
#include "daybook/core/mutant.hpp"
#include "fields.hpp"
#include "sha256.hpp"

// Each structure's layout is written once, as a function that walks its fields in order; a Writer or a Reader goes along.
// Offsets therefore cannot differ between the two. What lies between the last field and the checksum is zero.

namespace daybook::format {
namespace {

constexpr std::string_view segment_magic = "DAYBKSEG";
constexpr std::string_view batch_magic = "DBAT";
constexpr std::string_view witness_magic = "DAYBKWIT";

constexpr std::uint32_t flag_seal = 1;
constexpr std::uint32_t flag_clean = 1;

template <class Walker, class Header>
void walk_segment_header(Walker& walker, Header& header) {
  walker.text(segment_magic);            //   0
  walker.u32(header.format_version);     //   8
  walker.u32(header.minimum_reader);     //  12
  walker.u32(header.feature_level);      //  16
  walker.u32(header.generation);         //  20
  field(walker, header.generation_tag);  //  24
  walker.u32(header.commit_alignment);   //  28
  walker.raw(header.log_uuid.bytes);     //  32
  walker.raw(header.boot_id.bytes);      //  48
  field(walker, header.first);           //  64
  field(walker, header.epoch);           //  72
  walker.u64(header.salt);               //  80
  walker.u64(header.segment_bytes);      //  88
  field(walker, header.created);         //  96
  walker.raw(header.chain);              // 104
  // 136: zeros; 4092: checksum
}

template <class Walker, class Header>
void walk_batch_header(Walker& walker, Header& header, std::uint32_t& unknown_flags) {
  walker.text(batch_magic);                              //   0
  walker.u32(header.payload_bytes);                      //   4
  field(walker, header.first);                           //   8
  walker.u32(header.count);                              //  16
  flags(walker, header.seal, flag_seal, unknown_flags);  //  20
  walker.u64(header.salt);                               //  24
  walker.u64(header.offset);                             //  32
  field(walker, header.epoch);                           //  40
  walker.u64(header.batch_id);                           //  48
  walker.raw(header.previous);                           //  56
  walker.u32(header.payload_crc32c);                     //  88
  // 92: zeros; 124: checksum
}

template <class Walker, class Seal>
void walk_seal_payload(Walker& walker, Seal& seal) {
  walker.u64(seal.batches);     //   0
  walker.u64(seal.events);      //   8
  field(walker, seal.last);     //  16
  walker.u64(seal.used_bytes);  //  24
  walker.raw(seal.chain);       //  32
  // 64: the end
}

template <class Walker, class Slot>
void walk_witness_slot(Walker& walker, Slot& slot, std::uint32_t& witness_version, std::uint32_t& unknown_flags) {
  walker.text(witness_magic);                            //   0
  walker.u32(witness_version);                           //   8
  flags(walker, slot.clean, flag_clean, unknown_flags);  //  12
  walker.raw(slot.log_uuid.bytes);                       //  16
  field(walker, slot.acknowledged);                      //  32
  walker.u64(slot.end_offset);                           //  40
  field(walker, slot.segment);                           //  48
  field(walker, slot.epoch);                             //  56
  walker.u64(slot.counter);                              //  64
  walker.raw(slot.chain);                                //  72
  // 104: zeros; 508: checksum
}

constexpr std::size_t segment_header_fields = 136;
constexpr std::size_t batch_header_fields = 92;
constexpr std::size_t witness_slot_fields = 104;
static_assert(segment_header_fields + checksum_bytes <= segment_header_bytes);
static_assert(batch_header_fields + checksum_bytes <= batch_header_bytes && batch_header_bytes % 8 == 0);
static_assert(witness_slot_fields + checksum_bytes <= witness_slot_bytes);

}  // namespace

std::string_view to_string(Problem::Kind kind) {
  switch (kind) {
    case Problem::Kind::too_short:
      return "too_short";
    case Problem::Kind::blank:
      return "blank";
    case Problem::Kind::foreign:
      return "foreign";
    case Problem::Kind::checksum:
      return "checksum";
    case Problem::Kind::newer:
      return "newer";
    case Problem::Kind::implausible:
      return "implausible";
  }
  return "unknown";
}

std::array<std::byte, segment_header_bytes> to_bytes(const SegmentHeader& header) {
  std::array<std::byte, segment_header_bytes> bytes{};
  Writer writer(bytes);
  walk_segment_header(writer, header);
  DAYBOOK_ASSERT(writer.position() == segment_header_fields);
  write_checksum(bytes);
  return bytes;
}

std::array<std::byte, batch_header_bytes> to_bytes(const BatchHeader& header) {
  std::array<std::byte, batch_header_bytes> bytes{};
  std::uint32_t unused = 0;
  Writer writer(bytes);
  walk_batch_header(writer, header, unused);
  DAYBOOK_ASSERT(writer.position() == batch_header_fields);
  write_checksum(bytes);
  return bytes;
}

std::array<std::byte, seal_payload_bytes> to_bytes(const SealPayload& seal) {
  std::array<std::byte, seal_payload_bytes> bytes{};
  Writer writer(bytes);
  walk_seal_payload(writer, seal);
  DAYBOOK_ASSERT(writer.position() == seal_payload_bytes);
  return bytes;
}

std::array<std::byte, witness_slot_bytes> to_bytes(const WitnessSlot& slot) {
  std::array<std::byte, witness_slot_bytes> bytes{};
  std::uint32_t slot_version = version;
  std::uint32_t unused = 0;
  Writer writer(bytes);
  walk_witness_slot(writer, slot, slot_version, unused);
  DAYBOOK_ASSERT(writer.position() == witness_slot_fields);
  write_checksum(bytes);
  return bytes;
}

Parsed<SegmentHeader> parse_segment_header(std::span<const std::byte> bytes) {
  const auto checked =
      intact(bytes, segment_header_bytes, segment_magic, "segment header", kept("log.segment_header.checksum"));
  if (!checked) return tl::unexpected<Problem>(checked.error());
  SegmentHeader header;
  Reader from(*checked);
  walk_segment_header(from, header);
  if (kept("log.segment_header.reader") && header.minimum_reader > reader) {
    return newer("segment of format version " + std::to_string(header.format_version) + ", which needs reader " +
                 std::to_string(header.minimum_reader) + " (this one is " + std::to_string(reader) + ")");
  }
  if (kept("log.segment_header.feature_level") && header.feature_level > feature_level) {
    return newer("segment of feature level " + std::to_string(header.feature_level) + " (this release knows up to " +
                 std::to_string(feature_level) + ")");
  }
  const std::uint32_t alignment = header.commit_alignment;
  if (kept("log.segment_header.alignment") && alignment != 8 && alignment != 512 && alignment != 4096) {
    return problem(Problem::Kind::implausible,
                   "segment header with commit alignment " + std::to_string(alignment) + ", expected 8, 512 or 4096");
  }
  if ((kept("log.segment_header.first") && header.first == Sequence(0)) ||
      (kept("log.segment_header.bytes") && header.segment_bytes < segment_header_bytes)) {
    return problem(Problem::Kind::implausible,
                   "segment header with first sequence " + std::to_string(header.first.value()) + " and a size of " +
                       std::to_string(header.segment_bytes) + " bytes, expected at least 1 and " +
                       std::to_string(segment_header_bytes));
  }
  return header;
}

Parsed<BatchHeader> parse_batch_header(std::span<const std::byte> bytes) {
  const auto checked =
      intact(bytes, batch_header_bytes, batch_magic, "batch header", kept("log.batch_header.checksum"));
  if (!checked) return tl::unexpected<Problem>(checked.error());
  BatchHeader header;
  std::uint32_t unknown_flags = 0;
  Reader from(*checked);
  walk_batch_header(from, header, unknown_flags);
  const auto reserved =
      checked->subspan(batch_header_fields).first(batch_header_bytes - batch_header_fields - checksum_bytes);
  if (kept("log.batch_header.flags") && unknown_flags != 0)
    return newer("batch header with flags " + hexadecimal(unknown_flags) + ", of which none is known");
  if (kept("log.batch_header.reserved") && !is_blank(reserved))
    return newer("batch header with fields behind byte " + std::to_string(batch_header_fields));
  if (kept("log.batch_header.payload_bytes") && header.payload_bytes % 8 != 0) {
    return problem(Problem::Kind::implausible,
                   "batch of " + std::to_string(header.payload_bytes) + " bytes, expected a multiple of 8");
  }
  if (kept("log.batch_header.first") && header.first == Sequence(0)) {
    return problem(Problem::Kind::implausible, "batch of first sequence 0, expected at least 1");
  }
  if (header.seal && ((kept("log.batch_header.seal_count") && header.count != 0) ||
                      (kept("log.batch_header.seal_bytes") && header.payload_bytes != seal_payload_bytes))) {
    return problem(Problem::Kind::implausible, "seal with " + std::to_string(header.count) + " events and " +
                                                   std::to_string(header.payload_bytes) + " bytes, expected 0 and " +
                                                   std::to_string(seal_payload_bytes));
  }
  if (kept("log.batch_header.count") && !header.seal && header.count == 0) {
    return problem(Problem::Kind::implausible, "batch without events, expected at least one");
  }
  return header;
}

Parsed<SealPayload> parse_seal_payload(std::span<const std::byte> bytes) {
  if (kept("log.seal.bytes") && bytes.size() != seal_payload_bytes) {
    return problem(Problem::Kind::implausible, "seal of " + std::to_string(bytes.size()) + " bytes, expected " +
                                                   std::to_string(seal_payload_bytes));
  }
  SealPayload seal;
  Reader from(bytes);
  walk_seal_payload(from, seal);
  return seal;
}

Parsed<WitnessSlot> parse_witness_slot(std::span<const std::byte> bytes) {
  const auto checked =
      intact(bytes, witness_slot_bytes, witness_magic, "witness slot", kept("log.witness_slot.checksum"));
  if (!checked) return tl::unexpected<Problem>(checked.error());
  WitnessSlot slot;
  std::uint32_t slot_version = 0;
  std::uint32_t unknown_flags = 0;
  Reader from(*checked);
  walk_witness_slot(from, slot, slot_version, unknown_flags);
  if ((kept("log.witness_slot.version") && slot_version != version) ||
      (kept("log.witness_slot.flags") && unknown_flags != 0)) {
    return newer("witness of version " + std::to_string(slot_version) + " with flags " + hexadecimal(unknown_flags) +
                 " (known: version " + std::to_string(version) + ")");
  }
  return slot;
}

Hash chain_hash(std::span<const std::byte, batch_header_bytes> header, std::span<const std::byte> payload) {
  return sha256({header.first(batch_header_bytes - checksum_bytes), payload});
}

bool is_blank(std::span<const std::byte> bytes) {
  // Comparing the bytes with themselves, shifted by one, lets memcmp do the work.
  return bytes.empty() ||
         (bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace daybook::format
