// SPDX-License-Identifier: Apache-2.0
#pragma once

// When something recurs. All of it is arithmetic: the same recurrence, instant and time zone data give the same answer anywhere.
// docs/recurring.md explains the rules with examples.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daybook/core/cron.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/zones.hpp"

namespace daybook {

/// What becomes of a local time that the clocks leave out. Neither concerns an expression that leaves out no hour.
enum class DstGap : std::uint8_t {
  skip = 0,   // nothing
  shift = 1,  // it is later by what was left out: 02:30 becomes 03:30
};

/// Which of the two instants counts when the clocks show a local time twice. Neither concerns an expression that leaves out no hour:
/// it has both.
enum class DstRepeat : std::uint8_t { first = 0, last = 1, both = 2 };

[[nodiscard]] std::string_view to_string(DstGap gap);
[[nodiscard]] std::string_view to_string(DstRepeat repeat);

struct CronRule {
  CronExpression expression;
  std::string zone = "UTC";
  DstGap gap = DstGap::shift;
  DstRepeat repeat = DstRepeat::first;
  friend bool operator==(const CronRule&, const CronRule&) = default;
};

/// Every `period`, such that `anchor` is one of the instants; those before it count too. Knows no clocks: a day is 24 hours.
struct IntervalRule {
  Duration period{};
  Instant anchor{};
  friend bool operator==(const IntervalRule&, const IntervalRule&) = default;
};

/// These and no others, in order.
struct CalendarRule {
  std::vector<Instant> instants;
  friend bool operator==(const CalendarRule&, const CalendarRule&) = default;
};

struct Recurrence {
  std::variant<CronRule, IntervalRule, CalendarRule> rule;
  std::optional<Instant> start = {};  // the first instant that may be one
  std::optional<Instant> end = {};    // the first that may no longer be
  Duration jitter{};                  // the most that a run is delayed by
  friend bool operator==(const Recurrence&, const Recurrence&) = default;
};

/// For people: "0 2 * * * in Europe/Prague", "every 1h from …", "3 instants from … to …", and what bounds and delays it.
[[nodiscard]] std::string to_string(const Recurrence& recurrence);

/// Refusal `invalid_argument` for an unknown zone, a period or jitter out of range, instants that are too many, out of order or
/// outside the years 1970 to 9999, and an end that is not after the start.
[[nodiscard]] Result<void> check(const Recurrence& recurrence, const Zones& zones);

/// The first instant after `after`; nothing when there is none up to the year 9999. The refusal is that of an unknown zone.
/// Instants are nominal: jitter is not in them. They rise strictly: what falls together counts once.
[[nodiscard]] Result<std::optional<Instant>> next_occurrence(const Recurrence& recurrence, Instant after,
                                                             const Zones& zones);

/// The same for a zone at hand, which the rule's name does not replace.
[[nodiscard]] std::optional<Instant> next_occurrence(const CronRule& rule, Instant after, const Zone& zone);

/// When an occurrence is due: its nominal instant, later by 0 to `jitter`, but before the next occurrence, so that their order
/// stays. The delay follows from the schedule's name and the instant, so it is the same however often it is asked for.
/// The refusal is that of an unknown zone.
[[nodiscard]] Result<Instant> due_of_occurrence(const Recurrence& recurrence, std::string_view name, Instant nominal,
                                                const Zones& zones);

/// How an occurrence of a cron rule came about.
enum class DstNote : std::uint8_t {
  none = 0,
  shifted = 1,        // its local time was left out
  first_of_two = 2,   // its local time will be shown again
  second_of_two = 3,  // … was shown before
};
[[nodiscard]] DstNote dst_note(const CronRule& rule, Instant occurrence, const Zone& zone);

}  // namespace daybook
