// SPDX-License-Identifier: Apache-2.0
#pragma once

// A recurring schedule, the entity: what a book makes jobs of, again and again. When it recurs is recurrence.hpp's; what a caller
// declares (RecurringSpec) and asks of it stands among the commands. docs/recurring.md explains policies and guarantees.
//
// An occurrence is one nominal instant of one schedule. It is handled once: a job is made of it (*fired*), or an event says why not
// (*skipped*). What was fired is never fired again, whatever the clocks, crashes and restarts.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/recurrence.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// What becomes of occurrences that were missed: handled more than limits::missed_after behind their due time, because the book was
/// closed, held, or without room, or because its clock leapt.
enum class Missed : std::uint8_t {
  skip = 0,  // none runs
  once = 1,  // the last of them runs
  all = 2,   // all run, up to the cap
};

struct MissedPolicy {
  Missed runs = Missed::once;
  Duration window = limits::missed_window_default;  // what was due longer ago is skipped; 0 to after_max
  std::uint32_t cap = limits::missed_cap_default;   // with `all`, the last so many run; 1 to missed_cap_max
  friend bool operator==(const MissedPolicy&, const MissedPolicy&) = default;
};

/// What becomes of an occurrence that falls due while a job of the schedule has not ended, or an earlier occurrence waits for that.
enum class Overlap : std::uint8_t {
  skip = 0,          // it is skipped
  buffer_one = 1,    // it waits until they have ended, when no other does; else it is skipped
  buffer_all = 2,    // it waits until they have ended, behind up to buffered_max others
  cancel_other = 3,  // they are cancelled (the running ones asked to stop), and it runs
  allow = 4,         // it runs beside them
};

/// Why a job was made.
enum class FiredBy : std::uint8_t {
  timer = 0,     // its time had come
  catch_up = 1,  // it was missed, and the policy wants it
  buffer = 2,    // it waited until the jobs before it had ended
  run_now = 3,   // somebody asked for it; no occurrence, and its nominal instant is that of the asking
  backfill = 4,  // somebody asked for the occurrences of the past
};

enum class SkipReason : std::uint8_t {
  missed = 0,         // the policy for missed ones
  out_of_window = 1,  // missed, and due too long ago
  cap = 2,            // missed, and more of them than the policy's cap
  overlap = 3,        // a job before it had not ended
  buffer_full = 4,    // … and as many occurrences waited as may
  too_many_live = 5,  // limits::recurring_live_max of its jobs had not ended
  paused = 6,
  replaced = 7,  // the schedule got another recurrence before it was handled
  removed = 8,   // the schedule was removed before it was handled
};

[[nodiscard]] std::string_view to_string(Missed missed);
[[nodiscard]] std::string_view to_string(Overlap overlap);
[[nodiscard]] std::string_view to_string(FiredBy by);
[[nodiscard]] std::string_view to_string(SkipReason reason);
[[nodiscard]] Result<Missed> parse_missed(std::string_view text);  // the refusal lists the values; so below
[[nodiscard]] Result<Overlap> parse_overlap(std::string_view text);

/// The setting that records the release of the time zone data by which schedules were planned.
inline constexpr std::string_view zone_data_setting = "time_zones";

/// An occurrence to come: when it is due follows from jitter.
struct Occurrence {
  Instant nominal{};
  Instant due{};
  friend bool operator==(const Occurrence&, const Occurrence&) = default;
};

/// What a schedule is declared as, names interned.
struct RecurringTerms {
  Recurrence recurrence;
  JobSpec job;                             // of each of its jobs; without unique key, start deadline and occurrence
  std::optional<Duration> start_deadline;  // of each of its jobs, from when it is made
  MissedPolicy missed;
  Overlap overlap{};
  friend bool operator==(const RecurringTerms&, const RecurringTerms&) = default;
};

/// A stretch of time, both ends included.
struct Stretch {
  Instant from{};
  Instant until{};
  friend bool operator==(const Stretch&, const Stretch&) = default;
};

/// Exists from the first declaration on. Removed, it stays as a record of what was handled, so that a schedule declared again under
/// that name fires nothing twice.
struct Recurring {
  NameId id = {};                                    // of its name
  std::string owner = {};                            // who declared it
  std::shared_ptr<const RecurringTerms> terms = {};  // null: removed
  bool paused = false;
  std::string pause_reason = {};
  Instant handled =
      limits::due_min - Duration(1);      // the last nominal instant handled, or when it was declared; never goes back
  std::optional<Occurrence> next = {};    // unset: there is none any more
  Instant paused_until = Instant::min();  // occurrences up to here fell into a pause
  std::vector<Instant> buffer = {};  // nominal instants of the occurrences that wait for jobs to end, the first first
  std::vector<Sequence> live = {};   // its jobs that are not final, by id
  std::vector<Stretch> unmade =
      {};  // in order: at or before `handled`, and no job made within; the last unmade_max of them
  std::optional<Instant> last = {};  // nominal instant of the last job made of it …
  JobId last_job = {};               // … and that job

  friend bool operator==(const Recurring& a, const Recurring& b);  // by value, the terms included
};

/// When the schedule has to be looked at: at once (due_min) when an occurrence waits and no job runs, else when the next one
/// is due. Unset while it is paused, or removed, or has nothing to come.
[[nodiscard]] std::optional<Instant> attention_at(const Recurring& recurring);

}  // namespace daybook
