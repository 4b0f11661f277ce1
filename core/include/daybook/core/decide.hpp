// SPDX-License-Identifier: Apache-2.0
#pragma once

// decide judges: pure, it changes nothing. Policy, time and chance are settled here and written into the events.

#include <optional>
#include <vector>

#include "daybook/core/command.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// Bounds that a book's owner may set within limits.hpp.
struct Bounds {
  std::size_t payload_bytes = limits::payload_bytes_default;
  std::size_t batch_commands = limits::batch_commands_default;
  std::size_t batch_bytes = limits::batch_bytes_default;
  bool room = true;  // false: new jobs are refused with storage_full
};

/// Events without a refusal: they happen. With one: the command is refused, and the events say so on the record.
struct Decision {
  std::vector<Event> events;
  std::optional<Refusal> refusal;
};

/// `next` is the sequence that the first of the events will get (a new job's id depends on it). The view must have
/// been advanced to `now`, and expired leases ended, before a claim is decided.
[[nodiscard]] Decision decide(const View& view, const Command& command, const Moment& now, Sequence next,
                              const Bounds& bounds);

}  // namespace daybook
