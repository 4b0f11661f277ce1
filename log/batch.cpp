// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "daybook/core/assert.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/journal.hpp"
#include "event_codec.hpp"

// The framing of events within a batch's payload. The batch's own header, checksums and place are not known here.

namespace daybook {
namespace {

void store_u32(std::byte* to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint32_t load_u32(const std::byte* from) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
  return value;
}

[[noreturn]] void bad_framing(const Place& where, std::size_t at, const std::string& what) {
  throw CorruptionError(Damage::foreign, where, "batch payload at its byte " + std::to_string(at) + ": " + what);
}

/// The message whose frame begins at `at`, within bounds; moves `at` behind it.
std::span<const std::byte> next_message(std::span<const std::byte> payload, std::size_t& at, const Place& where) {
  const std::size_t left = payload.size() - at;
  if (kept("log.events.frame") && left < message_frame_bytes) {
    bad_framing(where, at, std::to_string(left) + " bytes are left, expected an event's length");
  }
  const std::uint32_t bytes = load_u32(payload.data() + at);
  const std::uint32_t reserved = load_u32(payload.data() + at + 4);
  if ((kept("log.events.empty") && bytes == 0) || (kept("log.events.multiple") && bytes % 8 != 0) ||
      (kept("log.events.length") && bytes > left - message_frame_bytes) ||
      (kept("log.events.reserved") && reserved != 0)) {
    bad_framing(where, at,
                "an event of " + std::to_string(bytes) + " bytes (then " + std::to_string(reserved) +
                    "), expected a multiple of 8 from 8 to " + std::to_string(left - message_frame_bytes) +
                    " (then 0)");
  }
  const auto message = payload.subspan(at + message_frame_bytes, bytes);
  at += message_frame_bytes + bytes;
  return message;
}

RecordedEvent decode_event_of(Sequence expected, std::span<const std::byte> message, const Place& where) {
  RecordedEvent event = decode_event(message, where);
  if (kept("log.events.sequence") && event.sequence != expected) {
    throw CorruptionError(Damage::foreign, {where.path, where.offset, expected},
                          "event of sequence " + std::to_string(event.sequence.value()) + ", expected " +
                              std::to_string(expected.value()));
  }
  return event;
}

}  // namespace

std::size_t BatchEncoder::add(const RecordedEvent& event) {
  DAYBOOK_ASSERT(batch_.count == 0 || event.sequence.value() == batch_.first.value() + batch_.count);
  const std::size_t start = batch_.bytes.size();
  try {
    batch_.bytes.resize(start + message_frame_bytes);
    const std::size_t size = encode_event(event, batch_.bytes);
    DAYBOOK_ASSERT(size <= UINT32_MAX);
    store_u32(batch_.bytes.data() + start, static_cast<std::uint32_t>(size));
  } catch (...) {
    batch_.bytes.resize(start);
    throw;
  }
  if (batch_.count == 0) batch_.first = event.sequence;
  ++batch_.count;
  return batch_.bytes.size() - start;
}

void BatchEncoder::add_stored(Sequence sequence, std::span<const std::byte> message) {
  DAYBOOK_ASSERT(batch_.count == 0 || sequence.value() == batch_.first.value() + batch_.count);
  DAYBOOK_ASSERT(!message.empty() && message.size() % 8 == 0 && message.size() <= UINT32_MAX);
  const std::size_t start = batch_.bytes.size();
  batch_.bytes.resize(start + message_frame_bytes + message.size());
  store_u32(batch_.bytes.data() + start, static_cast<std::uint32_t>(message.size()));
  std::copy(message.begin(), message.end(),
            batch_.bytes.begin() + static_cast<std::ptrdiff_t>(start + message_frame_bytes));
  if (batch_.count == 0) batch_.first = sequence;
  ++batch_.count;
}

void BatchEncoder::clear() {
  batch_.first = Sequence();
  batch_.count = 0;
  batch_.bytes.clear();
}

void each_message(std::span<const std::byte> payload, std::uint32_t count,
                  const std::function<bool(std::span<const std::byte>)>& visit, const Place& where) {
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!visit(next_message(payload, at, where))) return;
  }
  if (kept("log.events.rest") && at != payload.size()) {
    bad_framing(where, at,
                std::to_string(payload.size() - at) + " bytes are left behind the last of " + std::to_string(count) +
                    " events, expected none");
  }
}

void each_stored_event(std::span<const std::byte> payload, Sequence first, std::uint32_t count,
                       const std::function<bool(const RecordedEvent&, std::span<const std::byte>)>& visit,
                       const Place& where) {
  Sequence expected = first;
  const auto decode = [&](std::span<const std::byte> message) {
    const RecordedEvent event = decode_event_of(expected, message, where);
    expected = expected.next();
    return visit(event, message);
  };
  each_message(payload, count, decode, where);
}

void each_event(std::span<const std::byte> payload, Sequence first, std::uint32_t count,
                const std::function<bool(const RecordedEvent&)>& visit, const Place& where) {
  each_stored_event(
      payload, first, count, [&](const RecordedEvent& event, std::span<const std::byte>) { return visit(event); },
      where);
}

std::vector<RecordedEvent> decode_batch(const EncodedBatch& batch) {
  std::vector<RecordedEvent> events;
  Sequence expected = batch.first;
  const auto decode = [&](std::span<const std::byte> message) {
    events.push_back(decode_event_of(expected, message, {}));
    expected = expected.next();
    return true;
  };
  each_message(batch.bytes, batch.count, decode);
  return events;
}

}  // namespace daybook
