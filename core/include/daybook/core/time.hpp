// SPDX-License-Identifier: Apache-2.0
#pragma once

// Three clocks, three types. Microseconds everywhere.
//
//   Instant   the wall clock, UTC. It may step in either direction; it is recorded raw and orders nothing.
//   BootTime  CLOCK_BOOTTIME: since the machine started, suspend included. Comparable within one boot only.
//   BookTime  the book's own time: advances with boot time, and across a boot by a bounded wall difference.
//             It never steps back. Delays, backoff and leases are measured in it.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/refusal.hpp"

namespace daybook {

using Duration = std::chrono::microseconds;
using Instant = std::chrono::sys_time<Duration>;

struct BootClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<BootClock, Duration>;
  static constexpr bool is_steady = true;
};
using BootTime = BootClock::time_point;

struct BookClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<BookClock, Duration>;
  static constexpr bool is_steady = true;
};
using BookTime = BookClock::time_point;

/// What the world contributes to a decision: the three times, sampled once, and 64 random bits for jitter.
struct Moment {
  Instant wall;
  BootTime boot;
  BookTime book;
  std::uint64_t chance = 0;
  friend bool operator==(const Moment&, const Moment&) = default;
};

/// RFC 3339 in UTC with microseconds: "2026-03-04T12:05:00.113204Z". Outside the years 0 to 9999, which RFC 3339 cannot
/// write, the bare count since 1970: "@253402300800000000us".
[[nodiscard]] std::string to_string(Instant instant);

/// The shortest exact form of the units d h m s ms us: "1h30m", "250ms", "0s"; negative with a leading "-".
[[nodiscard]] std::string to_string(Duration duration);

/// RFC 3339, any offset, "T" or a space, up to nine fractional digits (cut to microseconds), years 1970 to 9999 in UTC.
/// No leap seconds. The refusal shows what would parse.
[[nodiscard]] Result<Instant> parse_instant(std::string_view text);

/// "10m", "1h30m", "250ms", "7d", "1.5s": units from large to small, each once, up to eight digits after the point, down to
/// whole microseconds. No sign, no bare number. The refusal shows what would parse.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

}  // namespace daybook
