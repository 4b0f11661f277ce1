// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include <cstring>

#include "crc32c.hpp"
#include "daybook/core/assert.hpp"
#include "daybook/core/mutant.hpp"
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

class Writer {
 public:
  explicit Writer(std::span<std::byte> bytes) : bytes_(bytes) {}

  void text(std::string_view value) { raw(value.data(), value.size()); }
  void u32(std::uint32_t value) { number(value); }
  void u64(std::uint64_t value) { number(value); }
  void i64(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  template <std::size_t size>
  void raw(const std::array<std::uint8_t, size>& value) {
    raw(value.data(), size);
  }
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  template <class T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_[position_++] = static_cast<std::byte>(value >> (8 * i));
  }
  void raw(const void* from, std::size_t size) {
    std::memcpy(bytes_.subspan(position_, size).data(), from, size);
    position_ += size;
  }

  std::span<std::byte> bytes_;
  std::size_t position_ = 0;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void text(std::string_view value) { position_ += value.size(); }  // the magic, judged before
  void u32(std::uint32_t& value) { value = number<std::uint32_t>(); }
  void u64(std::uint64_t& value) { value = number<std::uint64_t>(); }
  void i64(std::int64_t& value) { value = static_cast<std::int64_t>(number<std::uint64_t>()); }
  template <std::size_t size>
  void raw(std::array<std::uint8_t, size>& value) {
    std::memcpy(value.data(), bytes_.subspan(position_, size).data(), size);
    position_ += size;
  }
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  template <class T>
  T number() {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::to_integer<T>(bytes_[position_++]) << (8 * i);
    return value;
  }

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
};

// Strong types and times, through whichever walks along.
template <class Tag, class Rep>
void field(Writer& to, const Strong<Tag, Rep>& value) {
  if constexpr (sizeof(Rep) == 4)
    to.u32(value.value());
  else
    to.u64(value.value());
}
template <class Tag, class Rep>
void field(Reader& from, Strong<Tag, Rep>& value) {
  Rep raw{};
  if constexpr (sizeof(Rep) == 4)
    from.u32(raw);
  else
    from.u64(raw);
  value = Strong<Tag, Rep>(raw);
}
void field(Writer& to, const Instant& value) {
  to.i64(value.time_since_epoch().count());
}
void field(Reader& from, Instant& value) {
  std::int64_t raw = 0;
  from.i64(raw);
  value = Instant(Duration(raw));
}
/// A word of flags of which only bit 0 has a meaning. Reading leaves the others to `unknown`.
void flags(Writer& to, const bool& bit, std::uint32_t mask, std::uint32_t&) {
  to.u32(bit ? mask : 0);
}
void flags(Reader& from, bool& bit, std::uint32_t mask, std::uint32_t& unknown) {
  std::uint32_t raw = 0;
  from.u32(raw);
  bit = (raw & mask) != 0;
  unknown = raw & ~mask;
}

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

constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t segment_header_fields = 136;
constexpr std::size_t batch_header_fields = 92;
constexpr std::size_t witness_slot_fields = 104;
static_assert(segment_header_fields + checksum_bytes <= segment_header_bytes);
static_assert(batch_header_fields + checksum_bytes <= batch_header_bytes && batch_header_bytes % 8 == 0);
static_assert(witness_slot_fields + checksum_bytes <= witness_slot_bytes);

void write_checksum(std::span<std::byte> bytes) {
  const auto covered = bytes.first(bytes.size() - checksum_bytes);
  Writer(bytes.last(checksum_bytes)).u32(crc32c(covered));
}

std::string hexadecimal(std::uint32_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(8, '0');
  for (std::size_t i = 8; i-- > 0; value >>= 4) text[i] = digits[value & 0xF];
  return text;
}

tl::unexpected<Problem> problem(Problem::Kind kind, std::string sentence) {
  return tl::unexpected<Problem>(Problem{kind, std::move(sentence)});
}

tl::unexpected<Problem> newer(const std::string& what) {
  return problem(Problem::Kind::newer, what + ": written by a newer release of Daybook; upgrade to read it");
}

/// What a structure is judged by before a field of it is believed: size, magic, checksum. Returns exactly its bytes.
Parsed<std::span<const std::byte>> intact(std::span<const std::byte> bytes, std::size_t size, std::string_view magic,
                                          const std::string& what, bool with_checksum) {
  if (kept("log.format.size") && bytes.size() < size) {
    return problem(Problem::Kind::too_short,
                   what + " of " + std::to_string(bytes.size()) + " bytes, expected " + std::to_string(size));
  }
  bytes = bytes.first(size);
  if (kept("log.format.magic") && std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) {
    if (is_blank(bytes)) return problem(Problem::Kind::blank, "zeros, expected a " + what);
    std::uint32_t found = 0;
    Reader(bytes).u32(found);
    return problem(Problem::Kind::foreign, "bytes that begin with " + hexadecimal(found) +
                                               " (little-endian), expected a " + what + ", which begins with \"" +
                                               std::string(magic) + "\"");
  }
  std::uint32_t stored = 0;
  Reader(bytes.last(checksum_bytes)).u32(stored);
  const std::uint32_t computed = crc32c(bytes.first(size - checksum_bytes));
  if (with_checksum && stored != computed) {
    return problem(Problem::Kind::checksum, what + " checksum: found " + hexadecimal(stored) + ", expected " +
                                                hexadecimal(computed) + " for its bytes");
  }
  return bytes;
}

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
