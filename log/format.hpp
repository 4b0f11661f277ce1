// SPDX-License-Identifier: Apache-2.0
#pragma once

// The log's fixed structures, as values and as bytes. Pure functions: no file, no clock, no judgement of what
// a structure means at its place. Everything is little-endian; nothing is believed before its checksum
// agreed.
//
//   segment   [segment header 4096] [batch] [batch] … [seal] or zeros
//   batch     [batch header 128] [payload] [zeros up to the commit alignment]
//   seal      a batch with flag SEAL: no events, its payload is a SealPayload
//   witness   two slots of 512, written alternately

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "daybook/core/ids.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/time.hpp"
#include "daybook/log/journal.hpp"

namespace daybook::format {

inline constexpr std::uint32_t version = 1;  // what this release writes
inline constexpr std::uint32_t reader = 1;   // what it can read: files that ask for more are refused
inline constexpr std::uint32_t feature_level = limits::feature_level_highest;  // the highest it reads

inline constexpr std::size_t segment_header_bytes = 4096;
inline constexpr std::size_t batch_header_bytes = 128;
inline constexpr std::size_t seal_payload_bytes = 64;
inline constexpr std::size_t witness_slot_bytes = 512;

/// Why bytes are not the structure that was looked for.
struct Problem {
  enum class Kind : std::uint8_t {
    too_short,    // fewer bytes than the structure has
    blank,        // zeros only: allocated, never written
    foreign,      // another magic: not this structure at all
    checksum,     // the magic is right, the checksum is not
    newer,        // intact, but written by a newer release of Daybook
    implausible,  // intact, but the fields contradict each other
  };
  Kind kind{};
  std::string sentence;  // "batch header checksum 1c2d3e4f, expected 9a8b7c6d": found against expected, no place
  friend bool operator==(const Problem&, const Problem&) = default;
};
[[nodiscard]] std::string_view to_string(Problem::Kind kind);

template <class T>
using Parsed = tl::expected<T, Problem>;

/// The first 4096 bytes of a segment file, written and synced before its first batch. Magic, version, minimum reader and
/// the place of the checksum (the last four bytes, over all before them) stay as they are in every version to come.
struct SegmentHeader {
  std::uint32_t format_version = format::version;
  std::uint32_t minimum_reader = format::reader;              // a release that reads less must refuse the file
  std::uint32_t feature_level = limits::feature_level_first;  // of what the segment may hold
  std::uint32_t generation = 0;        // number of the history; 0: not known when the segment was begun
  GenerationTag generation_tag;        // 0: likewise
  std::uint32_t commit_alignment = 8;  // 8, 512 or 4096: every batch begins at a multiple of it
  Uuid log_uuid;
  Uuid boot_id;                     // of the machine's boot in which it was begun
  Sequence first;                   // sequence of its first event, from 1
  Epoch epoch;                      // of the writer that began it, from 1
  std::uint64_t salt = 0;           // random per segment; stands in each of its batches
  std::uint64_t segment_bytes = 0;  // size it was allocated with, this header included
  Instant created{};                // wall clock; for people
  Hash chain{};                     // hash after the event before `first`; zeros for the first segment of a log
  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

/// Before every batch. Its checksum covers everything before it, so its length is safe to follow once it was parsed.
struct BatchHeader {
  std::uint32_t payload_bytes = 0;  // multiple of 8; follows the header at once
  Sequence first;                   // of its first event; of a seal: of the event that would come next
  std::uint32_t count = 0;          // events; 0 exactly with `seal`
  bool seal = false;                // flag bit 0; other flags must be 0
  std::uint64_t salt = 0;           // the segment's
  std::uint64_t offset = 0;         // of this header in its file
  Epoch epoch;                      // of the writer; never decreases along the log
  std::uint64_t batch_id = 0;       // chosen by the writer: tells two attempts at the same sequence apart
  Hash previous{};                  // chain hash before this batch
  std::uint32_t payload_crc32c = 0;
  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;
};

/// The payload of a seal, which ends a segment.
struct SealPayload {
  std::uint64_t batches = 0;     // in this segment, the seal not counted
  std::uint64_t events = 0;      // in this segment
  Sequence last;                 // of the last event; of an empty segment: the one before its first
  Hash chain{};                  // after that event; the same as `previous` of the seal's header
  std::uint64_t used_bytes = 0;  // of the file, up to and including the seal
  friend bool operator==(const SealPayload&, const SealPayload&) = default;
};

/// One slot of the witness: how far the log was synced. Of the slots that parse, the one with the higher counter counts.
struct WitnessSlot {
  Uuid log_uuid;
  bool clean = false;            // flag bit 0: closed in order, nothing was written since; other flags must be 0
  Sequence acknowledged;         // the highest synced event; 0: none yet
  std::uint64_t end_offset = 0;  // where its batch ends in its segment (before padding)
  Sequence segment;              // first sequence of that segment: names the file
  Epoch epoch;
  std::uint64_t counter = 0;  // of witness writes, from 1; slot = counter % 2
  Hash chain{};               // after `acknowledged`
  friend bool operator==(const WitnessSlot&, const WitnessSlot&) = default;
};

/// The bytes with their checksum (the header's and slot's own; `payload_crc32c` is the caller's to set).
[[nodiscard]] std::array<std::byte, segment_header_bytes> to_bytes(const SegmentHeader& header);
[[nodiscard]] std::array<std::byte, batch_header_bytes> to_bytes(const BatchHeader& header);
[[nodiscard]] std::array<std::byte, seal_payload_bytes> to_bytes(const SealPayload& seal);
[[nodiscard]] std::array<std::byte, witness_slot_bytes> to_bytes(const WitnessSlot& slot);

/// Read from the front of `bytes`, which may be longer. Never throw.
[[nodiscard]] Parsed<SegmentHeader> parse_segment_header(std::span<const std::byte> bytes);
[[nodiscard]] Parsed<BatchHeader> parse_batch_header(std::span<const std::byte> bytes);
[[nodiscard]] Parsed<WitnessSlot> parse_witness_slot(std::span<const std::byte> bytes);

/// The bytes of a seal's payload, whose checksum (in its batch header) was checked before. Exactly its size.
[[nodiscard]] Parsed<SealPayload> parse_seal_payload(std::span<const std::byte> bytes);

/// The hash after a batch: SHA-256 over its header without the header's checksum (the first 124 bytes, which hold the
/// hash before it) and then its payload, without padding. A seal holds no event and does not move the chain. `header` is
/// the 128 stored bytes.
[[nodiscard]] Hash chain_hash(std::span<const std::byte, batch_header_bytes> header,
                              std::span<const std::byte> payload);

/// `offset` rounded up to a multiple of `alignment`, a power of two.
[[nodiscard]] constexpr std::uint64_t align_up(std::uint64_t offset, std::uint64_t alignment) {
  return (offset + alignment - 1) & ~(alignment - 1);
}

/// Zeros only?
[[nodiscard]] bool is_blank(std::span<const std::byte> bytes);

}  // namespace daybook::format
