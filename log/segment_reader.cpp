// SPDX-License-Identifier: Apache-2.0
#include "segment_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "crc32c.hpp"
#include "daybook/core/mutant.hpp"

// No length is followed before the checksum of the header that holds it agreed, and none beyond the end of the file.
// Decoding events is left to event_codec.

namespace daybook {
namespace {

constexpr std::size_t chunk = 256 * 1024;

std::string text(std::uint64_t number) {
  return std::to_string(number);
}

std::string hexadecimal(std::uint32_t number) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", number);
  return digits;
}

std::string short_hash(const Hash& hash) {
  return to_hexadecimal(std::span(hash).first(8));
}

Step bad(const Step& seen, std::uint64_t at, std::string found, std::optional<Damage> no_crash = std::nullopt) {
  Step step = seen;
  step.kind = Step::Kind::bad;
  step.bad_offset = at;
  step.found = std::move(found);
  step.no_crash = no_crash;
  return step;
}

}  // namespace

std::string to_hexadecimal(std::span<const std::uint8_t> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (const std::uint8_t byte : bytes) {
    result += digits[byte >> 4];
    result += digits[byte & 0xF];
  }
  return result;
}

Cursor Cursor::at_start(const format::SegmentHeader& header) {
  Cursor cursor;
  cursor.next = header.first;
  cursor.chain = header.chain;
  cursor.epoch = header.epoch;
  return cursor;
}

SegmentReader::SegmentReader(SegmentFile file, const format::SegmentHeader& header)
    : file_(std::move(file)), header_(header), cursor_(Cursor::at_start(header)) {}

format::Parsed<format::SegmentHeader> SegmentReader::read_header(SegmentFile& file) {
  std::array<std::byte, format::segment_header_bytes> bytes;
  return format::parse_segment_header(std::span(bytes).first(file.read(0, bytes)));
}

std::span<const std::byte> SegmentReader::window(std::uint64_t offset, std::uint64_t bytes) {
  if (offset < buffer_offset_ || offset + bytes > buffer_offset_ + buffer_bytes_) {
    const std::uint64_t size = file_.size();
    const std::uint64_t left = offset < size ? size - offset : 0;
    const std::uint64_t wanted = std::min<std::uint64_t>(left, std::max<std::uint64_t>(bytes, chunk));
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    // What is here already is not read again: an archive would have to go back for it.
    const std::uint64_t end = buffer_offset_ + buffer_bytes_;
    const std::uint64_t have =
        offset >= buffer_offset_ && offset < end ? std::min<std::uint64_t>(end - offset, wanted) : 0;
    if (have != 0) std::memmove(buffer_.data(), buffer_.data() + (offset - buffer_offset_), have);
    buffer_offset_ = offset;
    buffer_bytes_ = have + file_.read(offset + have, std::span(buffer_).first(wanted).subspan(have));
  }
  const std::uint64_t skip = offset - buffer_offset_;
  return std::span<const std::byte>(buffer_).subspan(skip, std::min<std::uint64_t>(bytes, buffer_bytes_ - skip));
}

Step SegmentReader::judge_header(Step step, const format::BatchHeader& header) const {
  if ((kept("log.batch.salt") && header.salt != header_.salt) ||
      (kept("log.batch.offset") && header.offset != step.offset)) {
    return bad(step, step.offset,
               "a batch of another place: it was written for offset " + text(header.offset) +
                   (header.salt == header_.salt ? " of this segment" : " of another segment"),
               Damage::foreign);
  }
  step.header = header;
  step.end = format::align_up(step.offset + format::batch_header_bytes + header.payload_bytes,
                              header.seal ? 8 : header_.commit_alignment);
  if (kept("log.batch.sequence") && header.first != cursor_.next) {
    return bad(
        step, step.offset,
        "a batch that begins with sequence " + text(header.first.value()) + ", expected " + text(cursor_.next.value()),
        Damage::corrupt_middle);
  }
  if (kept("log.batch.epoch") && header.epoch < cursor_.epoch) {
    return bad(step, step.offset,
               "a batch of epoch " + text(header.epoch.value()) + " behind one of epoch " + text(cursor_.epoch.value()),
               Damage::corrupt_middle);
  }
  if (kept("log.batch.chain") && cursor_.chain && header.previous != *cursor_.chain) {
    return bad(step, step.offset,
               "a batch that continues chain hash " + short_hash(header.previous) + "…, expected " +
                   short_hash(*cursor_.chain) + "…",
               Damage::corrupt_middle);
  }
  step.kind = header.seal ? Step::Kind::seal : Step::Kind::batch;
  return step;
}

Step SegmentReader::judge_seal(Step step) const {
  const auto seal = format::parse_seal_payload(step.payload);
  if (!seal) return bad(step, step.offset, seal.error().sentence, Damage::corrupt_middle);
  const std::uint64_t used = step.offset + format::batch_header_bytes + format::seal_payload_bytes;
  if ((kept("log.seal.batches") && seal->batches != cursor_.batches) ||
      (kept("log.seal.events") && seal->events != cursor_.events) ||
      (kept("log.seal.last") && seal->last != cursor_.last()) ||
      (kept("log.seal.chain") && seal->chain != step.header.previous) ||
      (kept("log.seal.used_bytes") && seal->used_bytes != used)) {
    return bad(step, step.offset,
               "a seal over " + text(seal->batches) + " batches up to sequence " + text(seal->last.value()) +
                   " and offset " + text(seal->used_bytes) + ", expected " + text(cursor_.batches) + ", " +
                   text(cursor_.last().value()) + " and " + text(used),
               Damage::corrupt_middle);
  }
  return step;
}

Step SegmentReader::next() {
  Step step;
  step.offset = cursor_.offset;
  const auto start = window(step.offset, format::batch_header_bytes);
  if (format::is_blank(start)) {
    step.kind = Step::Kind::blank;
    return step;
  }
  const auto parsed = format::parse_batch_header(start);
  if (!parsed) {
    using Kind = format::Problem::Kind;
    const Kind kind = parsed.error().kind;
    return bad(step, step.offset, parsed.error().sentence,
               kind == Kind::newer         ? std::optional(Damage::unknown_format)
               : kind == Kind::implausible ? std::optional(Damage::corrupt_middle)
                                           : std::nullopt);
  }
  step = judge_header(std::move(step), *parsed);
  if (step.kind == Step::Kind::bad) return step;

  const std::uint64_t payload_bytes = step.header.payload_bytes;
  const auto whole = window(step.offset, *step.end - step.offset);
  if (kept("log.batch.length") && whole.size() < format::batch_header_bytes + payload_bytes) {
    return bad(step, step.offset + whole.size(),
               "the file ends after " + text(whole.size() - format::batch_header_bytes) + " of the batch's " +
                   text(payload_bytes) + " payload bytes");
  }
  step.payload = whole.subspan(format::batch_header_bytes, payload_bytes);
  const std::uint32_t checksum = crc32c(step.payload);
  if (kept("log.batch.payload_checksum") && checksum != step.header.payload_crc32c) {
    return bad(step, step.offset,
               "batch payload checksum: its bytes give " + hexadecimal(checksum) + ", expected " +
                   hexadecimal(step.header.payload_crc32c));
  }
  const auto padding = whole.subspan(format::batch_header_bytes + payload_bytes);
  if (kept("log.batch.padding") && !format::is_blank(padding)) {
    Step padded = bad(step, step.offset + format::batch_header_bytes + payload_bytes,
                      "padding behind the batch that is not zero");
    padded.last = Sequence(step.header.first.value() + step.header.count - 1);
    padded.behind = format::chain_hash(whole.first<format::batch_header_bytes>(), step.payload);
    return padded;
  }
  if (step.kind == Step::Kind::seal) {
    step = judge_seal(std::move(step));
    if (step.kind == Step::Kind::bad) return step;
  } else {
    step.last = Sequence(step.header.first.value() + step.header.count - 1);
    cursor_.next = step.last.next();
    cursor_.chain = format::chain_hash(whole.first<format::batch_header_bytes>(), step.payload);
    ++cursor_.batches;
    cursor_.events += step.header.count;
    cursor_.batch_end = step.offset + format::batch_header_bytes + payload_bytes;
  }
  cursor_.epoch = step.header.epoch;
  cursor_.offset = *step.end;
  return step;
}

void SegmentReader::skip_before(Sequence sequence) {
  while (cursor_.next < sequence) {
    const auto parsed = format::parse_batch_header(window(cursor_.offset, format::batch_header_bytes));
    if (!parsed || parsed->seal) return;
    Step step;
    step.offset = cursor_.offset;
    step = judge_header(std::move(step), *parsed);
    if (step.kind == Step::Kind::bad) return;
    const Sequence behind(parsed->first.value() + parsed->count);
    if (behind > sequence) return;
    cursor_.next = behind;
    cursor_.chain.reset();
    ++cursor_.batches;
    cursor_.events += parsed->count;
    cursor_.epoch = parsed->epoch;
    cursor_.offset = *step.end;
    cursor_.batch_end = step.offset + format::batch_header_bytes + parsed->payload_bytes;
  }
}

std::optional<std::uint64_t> SegmentReader::first_nonzero(std::uint64_t offset) {
  while (true) {
    const auto bytes = window(offset, chunk);
    if (bytes.empty()) return std::nullopt;
    if (!format::is_blank(bytes)) {
      const auto at = std::find_if(bytes.begin(), bytes.end(), [](std::byte byte) { return byte != std::byte{0}; });
      return offset + static_cast<std::uint64_t>(at - bytes.begin());
    }
    offset += bytes.size();
  }
}

std::uint64_t SegmentReader::nonzero_end(std::uint64_t offset) {
  std::uint64_t end = offset;
  while (true) {
    const auto bytes = window(offset, chunk);
    if (bytes.empty()) return end;
    if (!format::is_blank(bytes)) {
      const auto at = std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte byte) { return byte != std::byte{0}; });
      end = offset + static_cast<std::uint64_t>(bytes.rend() - at);
    }
    offset += bytes.size();
  }
}

void SegmentReader::move_to(std::uint64_t offset, Sequence next, const Hash& chain) {
  cursor_.offset = offset;
  cursor_.batch_end = offset;
  cursor_.next = next;
  cursor_.chain = chain;
}

std::optional<format::BatchHeader> SegmentReader::find_batch(std::uint64_t offset, Sequence from) {
  return find(offset, from, false);
}

std::optional<format::BatchHeader> SegmentReader::find_any_batch(std::uint64_t offset, Sequence from) {
  return find(offset, from, true);
}

std::optional<format::BatchHeader> SegmentReader::find(std::uint64_t offset, Sequence from, bool any_salt) {
  for (offset = format::align_up(offset, 8);; offset += 8) {
    const auto bytes = window(offset, format::batch_header_bytes);
    if (bytes.size() < format::batch_header_bytes) return std::nullopt;
    if (bytes[0] == std::byte{0}) continue;  // cheaper than parsing, and true of most of an unused tail
    const auto header = format::parse_batch_header(bytes);
    if (!header || (kept("log.find.offset") && header->offset != offset) ||
        (kept("log.find.sequence") && header->first < from)) {
      continue;
    }
    if (any_salt || header->salt == header_.salt || !kept("log.find.salt")) return *header;
  }
}

}  // namespace daybook
