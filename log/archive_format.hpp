// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands in front of an archive and of a stub, as a value and as bytes. Both keep the segment's own header and seal, so
// that they continue the chain as the segment did.
//
//   archive   [archive header 4608] [a Zstandard frame: the segment's file]
//   stub      [archive header 4608] [a leaf hash of 32 bytes for each event]

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "format.hpp"

namespace daybook::format {

inline constexpr std::uint32_t archive_version = 1;  // what this release writes
inline constexpr std::uint32_t archive_reader = 1;   // what it can read: files that ask for more are refused

inline constexpr std::size_t archive_header_bytes = 4608;
inline constexpr std::size_t seal_record_bytes = batch_header_bytes + seal_payload_bytes;
inline constexpr std::size_t leaf_bytes = 32;

enum class ArchiveKind : std::uint8_t { archive, stub };

struct ArchiveHeader {
  ArchiveKind kind{};
  std::uint32_t format_version = archive_version;
  std::uint32_t minimum_reader = archive_reader;
  std::uint64_t segment_bytes = 0;   // of the segment's file
  std::uint64_t body_bytes = 0;      // that follow this header, to the end of the file
  std::uint32_t body_crc32c = 0;     // of those
  Hash segment_sha256{};             // of the segment's file
  std::uint64_t last_batch_end = 0;  // where the last batch ends in the segment, without padding
  std::array<std::byte, segment_header_bytes>
      segment_header{};  // as they stand in the segment, with their own checksums
  std::array<std::byte, seal_record_bytes> seal{};
  friend bool operator==(const ArchiveHeader&, const ArchiveHeader&) = default;
};

[[nodiscard]] std::array<std::byte, archive_header_bytes> to_bytes(const ArchiveHeader& header);

/// Reads from the front of `bytes`, which may be longer. What the segment's header and seal say is not judged. Never throws.
[[nodiscard]] Parsed<ArchiveHeader> parse_archive_header(std::span<const std::byte> bytes, ArchiveKind kind);

}  // namespace daybook::format
