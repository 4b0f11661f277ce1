// SPDX-License-Identifier: Apache-2.0
#pragma once

// decide judges: pure, it changes nothing. Policy, time and chance are settled here and written into the events.

#include <cstdint>
#include <optional>
#include <vector>

#include "daybook/core/command.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/view.hpp"
#include "daybook/core/zones.hpp"

namespace daybook {

/// Bounds that a book's owner may set within limits.hpp.
struct Bounds {
  std::size_t payload_bytes = limits::payload_bytes_default;
  std::size_t batch_commands = limits::batch_commands_default;
  std::size_t batch_bytes = limits::batch_bytes_default;
  bool room = true;  // false: new jobs are refused with storage_full
};

/// What an opening does when the wall clock is more than five minutes before the book's last event, or a year after it
/// (limits::clock_back_max, clock_ahead_max). Books of feature level 1 always trust.
enum class ClockPolicy : std::uint8_t {
  ask,    // it is put on record, and nothing is claimed until somebody confirms the clock
  trust,  // the clock is believed; a doubt that an earlier opening recorded is ended
};

/// How far the wall clock is from the last event of a book that is being opened, when that is further than it would be if the
/// clock were right. A held copy is as old as the past it shows, so there only a clock before that past is strange. Never in
/// a book of feature level 1 or without events.
[[nodiscard]] std::optional<Duration> doubtful_gap(const Book& book, Instant wall);

/// Why a claim did not get ready jobs that there are. Nothing set: no limit kept any from it.
struct HeldBack {
  bool by_running = false;        // as many run as may: any end of an attempt may help
  std::optional<BookTime> until;  // a rate has its next start then
  friend bool operator==(const HeldBack&, const HeldBack&) = default;
};

/// Events without a refusal: they happen. With one: the command is refused, and the events say so on the record.
struct Decision {
  std::vector<Event> events;
  std::optional<Refusal> refusal;
  HeldBack held_back = {};  // of a claim that got fewer jobs than it asked for
};

/// `next` is the sequence that the first of the events will get (a new job's id depends on it). The view must have
/// been advanced to `now`, and expired leases ended, before a claim is decided. `zones` are those in which schedules recur.
[[nodiscard]] Decision decide(const View& view, const Command& command, const Moment& now, Sequence next,
                              const Bounds& bounds, const Zones& zones = utc_alone());

}  // namespace daybook
