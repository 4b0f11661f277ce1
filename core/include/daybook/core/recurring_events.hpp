// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events of recurring schedules. Calendars are computed when it is decided; the events say what came out.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daybook/core/ids.hpp"
#include "daybook/core/recurring.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// A schedule was declared, or declared in another way than before.
struct RecurringDeclared {
  NameId recurring = {};
  std::string owner = {};
  std::shared_ptr<const RecurringTerms> terms = {};  // never null
  Instant handled{};                                 // occurrences up to here are none of it
  std::optional<Occurrence> next = {};
  bool changed = false;  // there was one of that name
  friend bool operator==(const RecurringDeclared& a, const RecurringDeclared& b);
};

/// A job is made of an occurrence. Its JobScheduled follows in the same batch, and names this event as its cause.
struct RecurringFired {
  NameId recurring = {};
  Instant nominal{};
  FiredBy by{};
  std::optional<Occurrence> next = {};  // to come from here on
  friend bool operator==(const RecurringFired&, const RecurringFired&) = default;
};

/// Occurrences in a row of which no jobs are made.
struct RecurringSkipped {
  NameId recurring = {};
  Instant from{};           // the first …
  Instant until{};          // … and the last of them
  std::uint64_t count = 0;  // for `replaced` and `removed`: at least so many, when it is limits::recurring_slice
  SkipReason reason{};
  bool buffered = false;  // they had waited for jobs to end
  std::optional<Occurrence> next = {};
  friend bool operator==(const RecurringSkipped&, const RecurringSkipped&) = default;
};

/// An occurrence waits for the schedule's jobs to end.
struct RecurringBuffered {
  NameId recurring = {};
  Instant nominal{};
  std::optional<Occurrence> next = {};
  friend bool operator==(const RecurringBuffered&, const RecurringBuffered&) = default;
};

struct RecurringPaused {
  NameId recurring = {};
  std::string problem = {};  // why it cannot go on; empty: somebody paused it
  friend bool operator==(const RecurringPaused&, const RecurringPaused&) = default;
};

/// What fell due during the pause is skipped, by events of its own.
struct RecurringResumed {
  NameId recurring = {};
  Instant until{};  // the end of the pause
  std::optional<Occurrence> next = {};
  friend bool operator==(const RecurringResumed&, const RecurringResumed&) = default;
};

struct RecurringRemoved {
  NameId recurring = {};
  friend bool operator==(const RecurringRemoved&, const RecurringRemoved&) = default;
};

/// New time zone data, or a clock that was set back, changed what comes next.
struct RecurringReplanned {
  NameId recurring = {};
  std::optional<Occurrence> next = {};
  friend bool operator==(const RecurringReplanned&, const RecurringReplanned&) = default;
};

/// Somebody asked for jobs of occurrences in the past of which none had been made. `count` RecurringFired follow.
struct RecurringBackfilled {
  NameId recurring = {};
  Instant from{};
  Instant until{};  // not included
  std::uint64_t count = 0;
  friend bool operator==(const RecurringBackfilled&, const RecurringBackfilled&) = default;
};

}  // namespace daybook
