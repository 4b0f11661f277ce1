// SPDX-License-Identifier: Apache-2.0
#pragma once

// A job as it stands: what was asked (JobSpec) and what became of it (Job). Values; only `apply`
// makes new ones. docs/job_lifecycle.md draws the states and lists every event.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/dependencies.hpp"
#include "daybook/core/envelope.hpp"
#include "daybook/core/ids.hpp"
#include "daybook/core/retry.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// Stored states. What depends on the clock is derived (see Phase), so that nothing has to be written when a job falls due.
enum class JobState : std::uint8_t {
  waiting = 0,    // due in the future or now; may be claimed once due
  awaiting = 1,   // waits for its parents
  running = 2,    // claimed, under a lease
  completed = 3,  // final: an attempt finished it
  cancelled = 4,  // final: an operator or the service ended it
  dead = 5,       // final until retried by hand; see DeadReason
  uncertain = 6,  // the record has a hole where it may have changed: waits for an operator to retry or cancel it
};

inline constexpr std::size_t job_states = 7;

/// What a person sees.
enum class Phase : std::uint8_t {
  scheduled,
  available,
  retryable,
  awaiting,
  running,
  completed,
  cancelled,
  dead,
  uncertain,
};

enum class DeadReason : std::uint8_t {
  none = 0,
  attempts_exhausted = 1,
  not_retryable = 2,
  expired = 3,        // its start deadline passed
  lease_lost = 4,     // the last allowed attempt ended with its lease
  parent_failed = 5,  // its parents ended otherwise than it asked for
  timed_out = 6,      // its total timeout passed
};

[[nodiscard]] std::string_view to_string(JobState state);
[[nodiscard]] std::string_view to_string(Phase phase);
[[nodiscard]] std::string_view to_string(DeadReason reason);
[[nodiscard]] Result<Phase> parse_phase(std::string_view text);  // the refusal lists the phases
[[nodiscard]] constexpr bool is_final(JobState state) {
  return state == JobState::completed || state == JobState::cancelled || state == JobState::dead;
}

/// When a job may start. `at` is always set: the instant asked for, or for a relative due time the wall clock plus the
/// delay at the moment of decision; it orders claims and is what people see. When `after` is set, it alone decides
/// whether the job is due, so that a wall clock that steps delays nothing.
struct Due {
  Instant at{};
  std::optional<BookTime> after;
  friend bool operator==(const Due&, const Due&) = default;
};
[[nodiscard]] bool is_due(const Due& due, const Moment& now);

struct Tag {
  std::string key;
  std::string value;
  friend bool operator==(const Tag&, const Tag&) = default;
};

/// In which final states a job still holds its unique key; in all others it does anyway.
struct UniqueScope {
  bool completed = false;
  bool cancelled = false;
  bool dead = false;
  friend bool operator==(const UniqueScope&, const UniqueScope&) = default;
};

/// What was asked for. Set by `JobScheduled`, changed as a whole by `JobReplaced`, and in its queue by `JobMoved`.
struct JobSpec {
  NameId queue;
  NameId kind;
  Priority priority;
  RetryPolicy retry;
  std::string unique_key;  // empty: none. Held in its queue as conflict.hpp says.
  UniqueScope unique_scope = {};
  std::optional<Duration> keep_result = {};  // of this job's result, instead of the book's retention
  std::vector<Tag> tags;
  Envelope payload;
  NameId group = {};  // whose job it is, for fair share and limits within the queue; 0: nobody's in particular
  std::optional<Due> start_by = {};            // the start deadline; nothing stands for none in these three
  std::optional<Duration> run_timeout = {};    // of an attempt, from its claim
  std::optional<Duration> total_timeout = {};  // from the scheduling to the final state
  Dependencies dependencies = {};
  NameId recurring = {};                // the recurring schedule that it is of; 0: none …
  std::optional<Instant> nominal = {};  // … and the instant of its occurrence; set together
  friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

/// Who holds a claim, and so what happens to it when the book is found unclosed.
enum class Holder : std::uint8_t {
  external = 0,  // may outlive the process that has the book open: keeps its lease to the end
  handler = 1,   // a thread of that process: died with it
};
[[nodiscard]] std::string_view to_string(Holder holder);

/// The current claim. Set by `JobClaimed`, moved by `LeasesRenewed`, gone with any end of the attempt.
struct Lease {
  Token token;
  NameId worker;
  Holder holder = Holder::external;
  Duration length{};       // as granted or last renewed
  BookTime ends_at{};      // expires when book time reaches this, and not before an event says so
  Instant ends_at_wall{};  // the same, as the wall clock stood when it was granted; for people
  Instant claimed_at{};
  std::optional<BookTime> run_ends_at = {};  // when the run timeout ends the attempt; the lease never outlasts it
  friend bool operator==(const Lease&, const Lease&) = default;
};

/// A refused outcome that is on record: once per token and reason.
struct RefusedOutcome {
  Token token;
  RefusalCode reason{};
  friend bool operator==(const RefusedOutcome&, const RefusedOutcome&) = default;
};

/// The result of a step that a handler ran once and for all: a later attempt gets it instead of running the step again.
struct StepResult {
  std::string name;
  Envelope result;
  friend bool operator==(const StepResult&, const StepResult&) = default;
};

struct Job {
  JobId id;
  std::shared_ptr<const JobSpec> spec;  // never null
  JobState state = JobState::waiting;
  DeadReason dead_reason = DeadReason::none;
  bool cancel_requested = false;       // the running attempt was asked to stop
  std::uint32_t attempt = 0;           // claims that counted; a snoozed or released claim does not
  std::uint32_t attempts_allowed = 0;  // dead after this many; raised by a retry by hand
  Due due;
  Instant scheduled_at{};
  std::optional<Instant> finalized_at;  // set while final
  std::optional<Lease> lease;           // set while running, and only then
  std::optional<Token> completed_by;    // set while completed: the token that did it
  Envelope progress;                    // last checkpoint; the next attempt receives it
  Envelope result;                      // of the completion
  Envelope error;                       // of the last failed attempt
  NameId error_kind;                    // of the same; 0: none
  std::string trace;                    // W3C traceparent of the scheduling; may be empty
  Sequence last_event;                  // the last event that touched this job: history ends there
  std::vector<RefusedOutcome> refused;
  bool key_handed_over = false;          // another job took its unique key
  std::optional<BookTime> unique_until;  // from then on it does not hold its unique key, whatever its state
  std::optional<Due> due_latest;         // a debounce pushes its due time no further
  std::vector<StepResult> steps;         // in the order they were recorded; none once completed or cancelled
  std::optional<Instant> result_until;   // the result is forgotten from then on; unset: there is none, or it was
  std::optional<Due> start_by;           // set until the first claim, or a retry by hand: dead when this comes first
  std::optional<BookTime> end_by;        // set until a retry by hand: dead when it is not final by then
  Sequence awaits;                       // set while awaiting, and only then: the parent whose end is looked at next
  Sequence final_event;  // set while final, if a job that was not waited for it then: the event that made it final

  friend bool operator==(const Job& a, const Job& b);  // by value, the spec included
};

[[nodiscard]] Phase phase(const Job& job, const Moment& now);

/// What ends a job that nobody works on, by either clock; unset: nothing. While a job runs its lease has the end.
struct Deadlines {
  std::optional<Instant> wall;
  std::optional<BookTime> book;
  friend bool operator==(const Deadlines&, const Deadlines&) = default;
};
[[nodiscard]] Deadlines deadlines(const Job& job);
[[nodiscard]] bool is_overdue(const Job& job, const Moment& now);

}  // namespace daybook
