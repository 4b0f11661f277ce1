// SPDX-License-Identifier: Apache-2.0
#pragma once

// One event as stored bytes and back (schema: event.capnp). Cap'n Proto stays behind this header.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/event.hpp"

namespace daybook {

/// Turns events into messages. Reuses its scratch memory: a warm encoder allocates only for events larger
/// than it met. Not thread-safe.
class EventEncoder {
 public:
  EventEncoder();
  ~EventEncoder();
  EventEncoder(EventEncoder&&) noexcept;
  EventEncoder& operator=(EventEncoder&&) noexcept;

  /// Appends the message, a multiple of 8 bytes, to `out`. Returns its size.
  std::size_t append(const RecordedEvent& event, std::vector<std::byte>& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The event of one message. Any alignment. Throws CorruptionError: `unknown_format` for an event type or a
/// revision that this release does not know, `corrupt_sealed_segment` for bytes that are no event. The place
/// carries the sequence when it was readable, never a path: who knows the file adds it.
[[nodiscard]] RecordedEvent decode_event(std::span<const std::byte> message);

/// Hands the events of a batch's payload on to `visit`, in order, until it returns false. Checks the whole
/// framing on the way: lengths, `count` events from `first` on without a gap, nothing left over. Throws as
/// decode_event does.
void each_event(std::span<const std::byte> payload, Sequence first, std::uint32_t count,
                const std::function<bool(const RecordedEvent&)>& visit);

/// Likewise, for the stored bytes of each event, without decoding them (Merkle leaves). Checks lengths and
/// count only.
void each_message(std::span<const std::byte> payload, std::uint32_t count,
                  const std::function<bool(std::span<const std::byte>)>& visit);

}  // namespace daybook
