// SPDX-License-Identifier: Apache-2.0
#pragma once

// SegmentReader: walks the batches of one segment and checks all of each before it hands it on. Says what it found
// where it must stop; what that means (a clean end, a tear, damage) is for inspection.hpp to judge.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "format.hpp"
#include "segment_file.hpp"

namespace daybook {

/// The point between two batches: what the next one must continue.
struct Cursor {
  std::uint64_t offset = format::segment_header_bytes;
  Sequence next;
  std::optional<Hash> chain;  // unset after batches were skipped: the next one is believed in what it continues
  Epoch epoch;                // of the batch before: the next may not have a lower one
  std::uint64_t batches = 0;
  std::uint64_t events = 0;
  std::uint64_t batch_end = format::segment_header_bytes;  // of the batch before, without padding

  [[nodiscard]] static Cursor at_start(const format::SegmentHeader& header);
  [[nodiscard]] Sequence last() const { return Sequence(next.value() - 1); }
};

struct Step {
  enum class Kind : std::uint8_t {
    batch,  // whole; the cursor moved behind it
    seal,   // whole; the cursor moved behind it
    blank,  // zeros, or the end of the file, where a batch could begin
    bad,    // anything else
  };
  Kind kind{};
  std::uint64_t offset = 0;            // where it begins
  format::BatchHeader header;          // with batch and seal; with bad: when `end` is set
  std::span<const std::byte> payload;  // with batch and seal; good until the next call
  Sequence last;                       // with batch

  // with bad
  std::string found;                 // found against expected
  std::uint64_t bad_offset = 0;      // where exactly
  std::optional<std::uint64_t> end;  // of the batch, padding included, when its header can be believed
  std::optional<Damage> no_crash;    // no crash leaves this: what it is then
  std::optional<Hash> behind;        // the batch itself is whole, only its padding is not: the chain hash behind it
};

class SegmentReader {
 public:
  /// Does not read. `header` is that of the file, which is no stub.
  SegmentReader(SegmentFile file, const format::SegmentHeader& header);

  [[nodiscard]] static format::Parsed<format::SegmentHeader> read_header(SegmentFile& file);

  [[nodiscard]] const Cursor& cursor() const { return cursor_; }
  [[nodiscard]] SegmentFile& file() { return file_; }
  [[nodiscard]] Step next();

  /// Goes on elsewhere, with the batch that continues `chain`.
  void move_to(std::uint64_t offset, Sequence next, const Hash& chain);

  /// Moves over the batches that end before `sequence`, reading only their headers. Stops at whatever `next` is to judge.
  void skip_before(Sequence sequence);

  /// The first byte from `offset` on that is not zero; nothing when the rest of the file is zeros.
  [[nodiscard]] std::optional<std::uint64_t> first_nonzero(std::uint64_t offset);
  /// Behind the last byte that is not zero.
  [[nodiscard]] std::uint64_t nonzero_end(std::uint64_t offset);
  /// The first place from `offset` on where a batch of this segment, of `from` or later, provably begins.
  [[nodiscard]] std::optional<format::BatchHeader> find_batch(std::uint64_t offset, Sequence from);
  /// Likewise of whatever segment, when its own salt is not known.
  [[nodiscard]] std::optional<format::BatchHeader> find_any_batch(std::uint64_t offset, Sequence from);

 private:
  [[nodiscard]] std::optional<format::BatchHeader> find(std::uint64_t offset, Sequence from, bool any_salt);
  [[nodiscard]] std::span<const std::byte> window(std::uint64_t offset, std::uint64_t bytes);
  [[nodiscard]] Step judge_header(Step step, const format::BatchHeader& header) const;
  [[nodiscard]] Step judge_seal(Step step) const;

  SegmentFile file_;
  format::SegmentHeader header_;
  Cursor cursor_;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_offset_ = 0;
  std::size_t buffer_bytes_ = 0;
};

[[nodiscard]] std::string to_hexadecimal(std::span<const std::uint8_t> bytes);

}  // namespace daybook
