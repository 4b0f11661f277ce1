// SPDX-License-Identifier: Apache-2.0
#include "archive_format.hpp"

#include <cstring>
#include <string>

#include "crc32c.hpp"
#include "daybook/core/assert.hpp"
#include "daybook/core/mutant.hpp"
#include "fields.hpp"

// An archive begins as a skippable frame of Zstandard (RFC 8878, 3.1.2), whose content the rest of this header is: what knows
// only Zstandard passes over it and finds the segment.

namespace daybook::format {
namespace {

constexpr std::uint32_t skippable_frame_magic = 0x184D2A5E;
constexpr std::size_t frame_header_bytes = 8;
constexpr std::size_t field_bytes = 88;
constexpr std::size_t segment_header_at = 256;
constexpr std::size_t seal_at = segment_header_at + segment_header_bytes;
constexpr std::size_t checksum_at = archive_header_bytes - 4;
static_assert(field_bytes <= segment_header_at && seal_at + seal_record_bytes <= checksum_at);

std::string_view magic_of(ArchiveKind kind) {
  return kind == ArchiveKind::archive ? "DAYBKARC" : "DAYBKSTB";
}

std::string name_of(ArchiveKind kind) {
  return kind == ArchiveKind::archive ? "archive header" : "stub header";
}

template <class Walker, class Header>
void walk_fields(Walker& walker, Header& header) {
  walker.text(magic_of(header.kind));  //  8
  walker.u32(header.format_version);   // 16
  walker.u32(header.minimum_reader);   // 20
  walker.u64(header.segment_bytes);    // 24
  walker.u64(header.body_bytes);       // 32
  walker.u32(header.body_crc32c);      // 40
  std::uint32_t unused = 0;            // 44
  walker.u32(unused);                  //
  walker.raw(header.segment_sha256);   // 48
  walker.u64(header.last_batch_end);   // 80
  // 88: zeros; 256: segment header; 4352: seal; 4544: zeros; 4604: checksum
}

}  // namespace

std::array<std::byte, archive_header_bytes> to_bytes(const ArchiveHeader& header) {
  std::array<std::byte, archive_header_bytes> bytes{};
  if (header.kind == ArchiveKind::archive) {
    Writer frame(bytes);
    frame.u32(skippable_frame_magic);
    frame.u32(archive_header_bytes - frame_header_bytes);
  }
  Writer writer{std::span(bytes).subspan(frame_header_bytes)};
  walk_fields(writer, header);
  DAYBOOK_ASSERT(writer.position() == field_bytes - frame_header_bytes);
  std::memcpy(bytes.data() + segment_header_at, header.segment_header.data(), segment_header_bytes);
  std::memcpy(bytes.data() + seal_at, header.seal.data(), seal_record_bytes);
  Writer{std::span(bytes).subspan(checksum_at)}.u32(crc32c(std::span(bytes).first(checksum_at)));
  return bytes;
}

Parsed<ArchiveHeader> parse_archive_header(std::span<const std::byte> bytes, ArchiveKind kind) {
  const std::string what = name_of(kind);
  if (kept("log.archive_header.size") && bytes.size() < archive_header_bytes) {
    return problem(Problem::Kind::too_short, what + " of " + std::to_string(bytes.size()) + " bytes, expected " +
                                                 std::to_string(archive_header_bytes));
  }
  bytes = bytes.first(archive_header_bytes);
  const std::string_view magic = magic_of(kind);
  if (kept("log.archive_header.magic") &&
      std::memcmp(bytes.data() + frame_header_bytes, magic.data(), magic.size()) != 0) {
    return problem(Problem::Kind::foreign, "other bytes where a " + what + " has \"" + std::string(magic) + "\"");
  }
  std::uint32_t stored = 0;
  Reader{bytes.subspan(checksum_at)}.u32(stored);
  const std::uint32_t computed = crc32c(bytes.first(checksum_at));
  if (kept("log.archive_header.checksum") && stored != computed) {
    return problem(Problem::Kind::checksum, what + " checksum: found " + std::to_string(stored) + ", expected " +
                                                std::to_string(computed) + " for its bytes");
  }
  ArchiveHeader header;
  header.kind = kind;
  Reader from{bytes.subspan(frame_header_bytes)};
  walk_fields(from, header);
  if (kept("log.archive_header.reader") && header.minimum_reader > archive_reader) {
    return problem(Problem::Kind::newer, what + " of format version " + std::to_string(header.format_version) +
                                             ", which needs reader " + std::to_string(header.minimum_reader) +
                                             " (this one is " + std::to_string(archive_reader) +
                                             "): written by a newer release of Daybook; upgrade to read it");
  }
  if (kept("log.archive_header.segment_bytes") && header.segment_bytes < segment_header_bytes + seal_record_bytes) {
    return problem(Problem::Kind::implausible, what + " of a segment of " + std::to_string(header.segment_bytes) +
                                                   " bytes, expected at least " +
                                                   std::to_string(segment_header_bytes + seal_record_bytes));
  }
  std::memcpy(header.segment_header.data(), bytes.data() + segment_header_at, segment_header_bytes);
  std::memcpy(header.seal.data(), bytes.data() + seal_at, seal_record_bytes);
  return header;
}

}  // namespace daybook::format
