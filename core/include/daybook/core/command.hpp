// SPDX-License-Identifier: Apache-2.0
#pragma once

// Commands: what a caller asks, in the imperative. Aggregates with defaults, made for designated initialisers.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daybook/core/envelope.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/filter.hpp"
#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/rate.hpp"
#include "daybook/core/recurring.hpp"
#include "daybook/core/retry.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// When a job shall run: at once, at an instant of the wall clock, or after a duration of book time. An instant in the
/// past is due at once; before 1970 or after 9999 is refused.
struct When {
  std::variant<std::monostate, Instant, Duration> value;
  friend bool operator==(const When&, const When&) = default;
};
[[nodiscard]] inline When at_once() {
  return {};
}
[[nodiscard]] inline When at(Instant instant) {
  return {instant};
}
[[nodiscard]] inline When after(Duration delay) {
  return {delay};
}

/// Answer: Scheduled.
struct Schedule {
  std::string queue;  // 1 to 128 bytes of UTF-8 without control characters, like every name
  std::string kind;
  Envelope payload = {};
  When due = {};
  Priority priority = {};
  std::string unique_key = {};  // up to 255 bytes; held within the queue until the job is final
  OnConflict on_conflict = OnConflict::reject;
  RetryPolicy retry = {};
  std::vector<Tag> tags = {};

  // From here on of feature level 2.
  UniqueScope unique_scope = {};            // final states in which the key is held as well
  std::optional<Duration> unique_for = {};  // the key is held no longer than this, from now; 1 ms to after_max
  std::optional<Duration> debounce_max =
      {};  // a debounce pushes the due time no further than this from the first command of the key that gave one
  std::optional<Duration> keep_result = {};  // instead of the book's retention of results; 0: not at all
  std::string group = {};  // a name, or empty: whose job it is, for fair share and limits within the queue

  // Deadlines (docs/deadlines.md). Durations are book time. Unset: none.
  std::optional<When> start_deadline = {};     // not claimed once by then: dead, reason expired; 0 is refused
  std::optional<Duration> run_timeout = {};    // an attempt that takes longer has failed, error kind "timeout"
  std::optional<Duration> total_timeout = {};  // not final so long after now: dead, reason timed_out

  // Dependencies (docs/dependencies.md). With parents, `run_when` must be said, and `otherwise` unless it is `always`; without, neither.
  std::vector<Parent> parents = {};  // up to 1,000, each scheduled before; one that is named twice is waited for once
  std::optional<RunWhen> run_when = {};
  std::optional<Otherwise> otherwise = {};
};

/// What recurs, and how: docs/recurring.md.
struct RecurringSpec {
  std::string name;  // like every name; one book has one schedule of a name
  Recurrence recurrence;
  /// Each of its jobs: queue, kind, payload, priority, retry, tags, group and so on. Not its due time, unique key and what goes
  /// with one. A start deadline is a duration, from when the job is made.
  Schedule job;
  MissedPolicy missed = {};
  Overlap overlap = Overlap::skip;
};

/// Answer: Claimed, possibly empty. The jobs are the first by (priority, due, id) among all that are due, in queues
/// that are not paused, and of these kinds. In a queue whose jobs have groups, the groups take turns, each as many starts as
/// its weight; the order is within a group then. Jobs that a limit holds back are passed over.
struct Claim {
  std::vector<std::string> queues;
  std::vector<std::string> kinds = {};  // empty: any
  std::string worker;
  Duration lease = limits::lease_default;
  std::uint32_t count = 1;
  Holder holder = Holder::external;
};

/// Answer: Renewed, one outcome per claim: refusing one does not refuse the others.
struct Renew {
  struct One {
    JobId job;
    Token token;
    std::optional<Envelope> progress = {};
  };
  std::vector<One> claims;
  Duration lease = limits::lease_default;
};

/// Answer: Done.
struct Complete {
  JobId job;
  Token token;
  Envelope result = {};
};

/// Answer: Done.
struct Fail {
  JobId job;
  Token token;
  Envelope error = {};
  std::string error_kind = {};  // "transient", "business", "timeout", "crash", or your own; may be empty
  bool retryable = true;
  std::optional<Duration> retry_in = {};  // instead of the policy's delay, exactly; still costs the attempt
};

/// Answer: Done.
struct Snooze {
  JobId job;
  Token token;
  When due;
};

/// Answer: Done.
struct Release {
  JobId job;
  Token token;
};

/// Answer: StepDone. Makes the result of a step of the running attempt durable: a later attempt gets it with the claim, and the
/// first result of a name is the one that counts.
struct RecordStep {
  JobId job;
  Token token;
  std::string name;  // like every name
  Envelope result = {};
};

/// Answer: Done. A waiting job is cancelled; a running one is asked to stop, and is cancelled when its attempt ends
/// in any way but completion. Asking twice is the same as once.
struct Cancel {
  JobId job;
  std::optional<Filter> only_if = {};  // the job is refused, not_matching, unless this matches it; so below
};

/// Answer: Done. For a waiting job.
struct Reschedule {
  JobId job;
  When due;
  std::optional<Filter> only_if = {};
};

/// Answer: Done. For a dead job, or an uncertain one: waits again, with as many more attempts as its policy gave at first.
struct Retry {
  JobId job;
  When due = {};
  std::optional<Filter> only_if = {};
};

/// Answer: Done. For a waiting, awaiting or dead job: from here on it is one of this queue, which need not exist yet. Its unique key goes with
/// it, and is refused where another job of that queue holds it. Moving it to where it is is fine, and records nothing.
struct Move {
  JobId job;
  std::string queue;
  std::optional<Filter> only_if = {};
};

/// Answer: Recorded, the event that the changes name as their cause. Says on record what somebody is about to do to `matched` jobs; the
/// changes are commands of their own. See Daybook::operate.
struct Operate {
  OperatorVerb verb{};
  Filter where;
  std::uint64_t matched = 0;
  When due = {};           // retry, reschedule
  std::string queue = {};  // move
};

/// Answer: Recorded, the id of the hold. While it stands, nothing that the filter matches is pruned.
struct PlaceHold {
  Filter where;
};
/// Answer: Done.
struct LiftHold {
  Sequence hold;
};

/// Answer: Done. A queue need not exist yet. Pausing a paused queue is fine and records nothing.
struct PauseQueue {
  std::string queue;
};
struct ResumeQueue {
  std::string queue;
};

/// Answer: Done. What may run at once in a queue, and how many jobs may start in a time: of the queue, and of each of its groups
/// by itself. What is unset stays as it is, 0 (a rate of 0 starts) lifts a limit; `clear` lifts all before the others are
/// set. A rate without a burst has one of as many as its starts. Lowering a limit ends nothing that runs. A queue need not
/// exist yet. Changing nothing is fine and records nothing. From feature level 2 on.
struct SetLimits {
  std::string queue;
  bool clear = false;
  std::optional<std::uint32_t> running = {};  // at most 1,000,000
  std::optional<std::uint32_t> running_per_group = {};
  std::optional<Rate> rate = {};  // up to 1,000,000 starts in 1 ms to 366 days
  std::optional<Rate> rate_per_group = {};
};

/// Answer: Done. From here on, when a job of `queue` becomes dead, for whatever reason, a job of this kind is scheduled in the queue `into`,
/// which need not exist yet, in the same batch of events: one for each death. Its payload is
/// {"job":"17-9f3ac1d2","dead_reason":"attempts_exhausted"}, and the dead job is its parent. A job that came about this way brings about
/// no other when it dies. Without a kind: nothing is scheduled any more. Changing nothing is fine and records nothing. From feature level 2
/// on.
struct SetOnDead {
  std::string queue;
  std::string kind = {};
  std::string into = {};
};

/// Answer: Done. How many jobs of the group start before it is another group's turn, 1 to 1000; 1 unless set. From feature
/// level 2 on.
struct SetWeight {
  std::string queue;
  std::string group;
  std::uint32_t weight = 1;
};

// Recurring schedules, from feature level 2 on. A name that no schedule has is refused, no_such_recurring.

/// Answer: Declared. Adds the schedule, or changes the one of that name, which is this owner's (another's is refused). One that is
/// paused stays so. With another recurrence it begins anew: what was not handled by now is skipped. Saying what is so records nothing.
struct DeclareRecurring {
  std::string owner;  // like every name
  RecurringSpec spec;
};

/// Answer: Synced. Declares all of them, and removes whatever else is this owner's.
struct SyncRecurring {
  std::string owner;
  std::vector<RecurringSpec> specs;
};

/// Answer: Done. Pausing a paused one is fine and records nothing. What falls due meanwhile is skipped when it is resumed.
struct PauseRecurring {
  std::string name;
};
struct ResumeRecurring {
  std::string name;
};

/// Answer: Scheduled. One job at once, also while it is paused and whatever its overlap policy says. No occurrence.
struct RunRecurringNow {
  std::string name;
};

/// Answer: Backfilled. A job at once for each occurrence in [from, until), in order, of which none was made: those that were
/// skipped, and those before the schedule was declared. Overlap does not count. More than backfill_max are refused. An
/// occurrence that is yet to be handled is left alone, and so is what another recurrence of the schedule handled.
struct BackfillRecurring {
  std::string name;
  Instant from{};
  Instant until{};
};

/// Answer: Done. Its jobs stay; what waits for them to end is skipped.
struct RemoveRecurring {
  std::string name;
};

/// Answer: Done.
struct JoinWorker {
  std::string worker;
  std::uint32_t slots = 1;
  std::vector<std::string> queues;
  std::vector<std::string> kinds = {};
  Holder holder = Holder::external;
};
struct LeaveWorker {
  std::string worker;
};

/// Answer: Done. Ends the hold of a copied book: from here on it runs jobs, in a generation of its own: ids of its twins are refused.
struct AdoptBook {};

/// Answer: Done. Says that the wall clock is right, although it does not fit the last event before the opening. Fine, and
/// records nothing, when nobody doubts it.
struct ConfirmClock {};

/// Answer: Done. Lets the book hold what a higher feature level knows; releases that do not know that level refuse it from
/// here on. There is no way back. Fine, and records nothing, when the book has that level.
struct RaiseFeatureLevel {
  std::uint32_t level = limits::feature_level_highest;
};

/// Answer: Done. Records settings that differ from those on record.
struct Configure {
  std::vector<Setting> settings;
};

// ---- said by the engine, never by a caller ------------------------------------------------------------------------

/// The first command of an opening.
struct OpenBook {
  BookOpened opening;
};
/// The last one.
struct CloseBook {};
struct StepClock {
  Duration by{};
};
/// The first event of a new book or of a copy.
struct BeginGeneration {
  GenerationBegun begun;
};
struct DoubtClock {
  ClockDoubted doubt;
};
/// Comes with the hashes of the states that the snapshot's fold passed.
struct RecordSnapshot {
  SnapshotTaken snapshot;
  std::vector<StateHashed> hashed = {};
};
/// Comes before the files go.
struct RecordDrop {
  SegmentsDropped dropped;
};
/// Lets go of final jobs, and of results. What is not there, not final or still wanted is left as it is.
struct Prune {
  std::vector<Sequence> jobs;
  std::vector<Sequence> results;
};
/// Frees and drops awaiting jobs whose parents have ended, at most `limit`.
struct SettleChildren {
  std::uint32_t limit = 1000;
};
/// Ends what time has ended, at most `limit`: leases, attempts over their run timeout, jobs over a deadline.
struct ExpireLeases {
  std::uint32_t limit = 1000;
};
/// Handles occurrences that are due, and those that waited for jobs to end: a part of them, so that it takes no long time. None while
/// the clock is in doubt or the book has no room.
struct FireRecurring {
  std::uint32_t jobs = limits::recurring_jobs;  // at most so many are made
};
/// Sees to it that what comes next is right by the time zone data and the clock of now.
struct ReplanRecurring {};

using Command =
    std::variant<Schedule, Claim, Renew, Complete, Fail, Snooze, Release, Cancel, Reschedule, Retry, PauseQueue,
                 ResumeQueue, JoinWorker, LeaveWorker, AdoptBook, Configure, OpenBook, CloseBook, StepClock,
                 BeginGeneration, ExpireLeases, ConfirmClock, RaiseFeatureLevel, DoubtClock, RecordSnapshot, RecordDrop,
                 RecordStep, Prune, SetLimits, SetWeight, Move, Operate, PlaceHold, LiftHold, DeclareRecurring,
                 SyncRecurring, PauseRecurring, ResumeRecurring, RunRecurringNow, BackfillRecurring, RemoveRecurring,
                 FireRecurring, ReplanRecurring, SetOnDead, SettleChildren>;

/// "Schedule", "Complete", …
[[nodiscard]] std::string_view type_name(const Command& command);

/// Names a request, so that repeating it after an unknown outcome gets the first answer instead of a second effect.
/// Remembered for 24 hours of book time.
struct RequestId {
  std::string client;
  std::string id;
};

/// Who asks, and why. Recorded in every event.
struct Context {
  std::string actor = "service";
  ActorOrigin origin = ActorOrigin::declared;
  std::string reason = {};
  std::string trace = {};
  Sequence cause = {};
  std::optional<RequestId> request = {};
};

/// One command, or a batch of them that happens wholly or not at all.
struct Submission {
  std::vector<Command> commands;
  Context context = {};
};

}  // namespace daybook
