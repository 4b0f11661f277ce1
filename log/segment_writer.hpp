// SPDX-License-Identifier: Apache-2.0
#pragma once

// SegmentWriter: one segment that takes batches, each written at once and synced before it counts; then its seal.
// Every failure is a StorageError, after which the writer must not be used: what reached the disk is unknown.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "daybook/core/ports.hpp"
#include "file_io.hpp"
#include "format.hpp"
#include "segment_reader.hpp"

namespace daybook {

/// The most that a batch of so many bytes takes of a segment, with its seal behind it.
[[nodiscard]] std::uint64_t segment_bytes_for(std::uint64_t payload_bytes, std::uint32_t alignment);

/// A temporary whose space is reserved, to become a segment.
struct ReservedFile {
  LogFile file;
  std::uint64_t bytes = 0;
};
/// Makes "log/next.tmp" with `wanted` bytes, or, when there is no room, with half of it again and again, down to `least`.
/// Nothing when there is no room at all; then no file stays.
[[nodiscard]] std::optional<ReservedFile> reserve_file(Storage& storage, std::uint64_t wanted, std::uint64_t least);

/// The "log/next.tmp" that the writer before left, when it has at least `least` bytes and the disk is so full that a new one might
/// find no room: blank, whatever it held. Otherwise nothing, and no file stays.
[[nodiscard]] std::optional<ReservedFile> take_over_reserved(Storage& storage, std::uint64_t least);

/// The size of the segment that follows one of `bytes` of which `used` were used: twice as large, unless that one was cut
/// short, within the bounds; always enough for `least`.
struct SegmentSizes {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  [[nodiscard]] std::uint64_t after(std::uint64_t bytes, std::uint64_t used, std::uint64_t least) const;
};

class SegmentWriter {
 public:
  /// Makes `file`, a temporary whose space is reserved and blank, the segment that `header` describes: header, sync,
  /// rename (over an empty segment of the same name, if there is one), sync of the folder.
  [[nodiscard]] static SegmentWriter begin(Storage& storage, LogFile file, const format::SegmentHeader& header);

  /// Goes on behind `cursor`, in a segment that was closed cleanly. `capacity`: bytes of the file that may be used.
  [[nodiscard]] static SegmentWriter resume(LogFile file, const format::SegmentHeader& header, const Cursor& cursor,
                                            std::uint64_t capacity);

  [[nodiscard]] bool fits(std::uint64_t payload_bytes) const;

  /// Writes the batch and syncs it. Returns the bytes written. `payload` continues the cursor and fits.
  std::uint64_t append(std::span<const std::byte> payload, std::uint32_t count, Epoch epoch, std::uint64_t batch_id);

  /// Ends the segment: seal, cut to what is used, sync, read-only. No append after it.
  void seal(Epoch epoch, std::uint64_t batch_id);

  [[nodiscard]] const Cursor& cursor() const { return cursor_; }
  [[nodiscard]] const format::SegmentHeader& header() const { return header_; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }

 private:
  SegmentWriter(LogFile file, const format::SegmentHeader& header, const Cursor& cursor, std::uint64_t capacity);

  LogFile file_;
  format::SegmentHeader header_;
  Cursor cursor_;
  std::uint64_t capacity_;
  std::vector<std::byte> buffer_;  // kept, so that a warm writer allocates nothing
};

/// The seal that follows `cursor`, as bytes.
[[nodiscard]] std::vector<std::byte> seal_bytes(const format::SegmentHeader& header, const Cursor& cursor, Epoch epoch,
                                                std::uint64_t batch_id);

}  // namespace daybook
