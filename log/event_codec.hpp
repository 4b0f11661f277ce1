// SPDX-License-Identifier: Apache-2.0
#pragma once

// One event as stored bytes and back (schema and its rules: event.capnp), and the framing of events in a
// batch's payload:
//
//   [u32 bytes of the message, a multiple of 8] [u32 zero] [message]   and so on, nothing between or behind
//
// Cap'n Proto stays behind this header.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/event.hpp"

namespace daybook {

inline constexpr std::size_t message_frame_bytes = 8;

/// Appends the event's message, a multiple of 8 bytes, to `out`, whose size must be a multiple of 8, and
/// returns its size. Builds it in place: a vector with room to spare is not reallocated, and nothing else is
/// allocated.
std::size_t encode_event(const RecordedEvent& event, std::vector<std::byte>& out);

/// The event of one message, at any alignment. `where` is the batch's place, for error texts. Throws CorruptionError:
/// `unknown_format` for an event type or a revision that this release does not know, `foreign` for bytes that are no
/// event. Its place is `where`, with the event's sequence when that could be read.
[[nodiscard]] RecordedEvent decode_event(std::span<const std::byte> message, const Place& where = {});

/// Hands the events of a payload on to `visit`, in order, until it returns false. Checks on the way that the lengths fit,
/// that there are exactly `count` events from `first` on without a gap, and that nothing is left over. Throws as
/// decode_event does.
void each_event(std::span<const std::byte> payload, Sequence first, std::uint32_t count,
                const std::function<bool(const RecordedEvent&)>& visit, const Place& where = {});

/// The same with the message each event was stored as, good until `visit` returns.
void each_stored_event(std::span<const std::byte> payload, Sequence first, std::uint32_t count,
                       const std::function<bool(const RecordedEvent&, std::span<const std::byte>)>& visit,
                       const Place& where = {});

/// Likewise for the messages as they are stored, without decoding them: lengths and count are checked, no more.
void each_message(std::span<const std::byte> payload, std::uint32_t count,
                  const std::function<bool(std::span<const std::byte>)>& visit, const Place& where = {});

}  // namespace daybook
