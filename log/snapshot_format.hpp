// SPDX-License-Identifier: Apache-2.0
#pragma once

// A snapshot's fixed structures, as values and as bytes (docs/snapshot_format.md). Pure functions, as in format.hpp.
//
//   file      [snapshot header 512] [frame] [frame] … [trailer frame]
//   frame     [frame header 64] [payload]
//   payload   [u32 bytes of the message] [u16 type] [u16 revision] [message]   and so on, nothing between or behind

#include "daybook/log/merkle.hpp"
#include "daybook/log/snapshot_file.hpp"
#include "format.hpp"

namespace daybook::format {

inline constexpr std::uint32_t snapshot_version = 1;  // what this release writes
inline constexpr std::uint32_t snapshot_reader = 1;   // what it can read

inline constexpr std::size_t snapshot_header_bytes = 512;
inline constexpr std::size_t frame_header_bytes = 64;
inline constexpr std::size_t record_header_bytes = 8;
inline constexpr std::size_t trailer_fixed_bytes = 128;  // then the hashes of the frontier

/// Before the records of a part of the entities. Its checksum covers everything before it, so its length is safe to follow.
struct FrameHeader {
  std::uint32_t payload_bytes = 0;  // multiple of 8
  std::uint64_t number = 0;         // of the frame, from 0
  std::uint64_t offset = 0;         // of this header in its file
  Sequence snapshot;                // the sequence of the snapshot
  std::uint32_t records = 0;        // 0 exactly in the trailer
  bool trailer = false;             // flag bit 0; other flags must be 0
  std::uint32_t payload_crc32c = 0;
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// The payload of the last frame.
struct Trailer {
  SnapshotCounts counts;
  Hash state_hash{};
  Hash content_sha256{};  // of the file's bytes before the trailer's frame
  MerkleFrontier frontier;
  friend bool operator==(const Trailer&, const Trailer&) = default;
};

[[nodiscard]] std::array<std::byte, snapshot_header_bytes> to_bytes(const SnapshotPoint& point);
[[nodiscard]] std::array<std::byte, frame_header_bytes> to_bytes(const FrameHeader& header);
[[nodiscard]] std::vector<std::byte> to_bytes(const Trailer& trailer);

/// Read from the front of `bytes`, which may be longer. Never throw.
[[nodiscard]] Parsed<SnapshotPoint> parse_snapshot_header(std::span<const std::byte> bytes);
[[nodiscard]] Parsed<FrameHeader> parse_frame_header(std::span<const std::byte> bytes);
/// Exactly the payload, whose checksum was checked before.
[[nodiscard]] Parsed<Trailer> parse_trailer(std::span<const std::byte> bytes);

}  // namespace daybook::format
