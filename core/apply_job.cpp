// SPDX-License-Identifier: Apache-2.0
#include "apply_job.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/overload.hpp"

// What each event makes of its job. Nothing here decides: a number that policy or time contributed is read
// from the event. Checks are limited to what the change itself relies on, so that damaged bytes end in an
// error and never in a job that no rule could have produced. Finding and storing the job is apply.cpp's.

namespace daybook {

void cannot_follow(const RecordedEvent& recorded, const std::string& found) {
  throw CorruptionError(Damage::corrupt_middle, Place{{}, std::nullopt, recorded.sequence},
                        std::string(type_name(recorded.event)) + " cannot follow the events before it: " + found +
                            "; nothing was changed on disk. Run: daybook verify");
}

namespace {

void expect_state(const Job& job, JobState wanted, const RecordedEvent& recorded) {
  if (job.state == wanted) return;
  cannot_follow(recorded, "job " + to_string(job.id) + " is " + std::string(to_string(job.state)) + ", expected " +
                              std::string(to_string(wanted)));
}

void expect_claim(const Job& job, const Token& token, const RecordedEvent& recorded) {
  expect_state(job, JobState::running, recorded);
  if (!job.lease) cannot_follow(recorded, "job " + to_string(job.id) + " runs without a lease");
  if (job.lease->token == token) return;
  cannot_follow(recorded, "job " + to_string(job.id) + ": found token " + to_string(token) + ", expected " +
                              to_string(job.lease->token));
}

void expect_attempt(const Job& job, std::uint32_t found, std::uint32_t wanted, const RecordedEvent& recorded) {
  if (found == wanted) return;
  cannot_follow(recorded, "job " + to_string(job.id) + ": found attempt " + std::to_string(found) + ", expected " +
                              std::to_string(wanted));
}

void expect_unclaimed(const Job& job, const RecordedEvent& recorded) {
  if (job.state != JobState::awaiting) expect_state(job, JobState::waiting, recorded);
}

/// A log may hold any number: what does not fit never ends.
std::optional<BookTime> end_of(const std::optional<Duration>& timeout, BookTime now) {
  std::int64_t end = 0;
  if (!timeout || __builtin_add_overflow(now.time_since_epoch().count(), timeout->count(), &end)) return std::nullopt;
  return BookTime(Duration(end));
}

void expect_parent(const Job& job, Sequence parent, const RecordedEvent& recorded) {
  const std::vector<JobId>& parents = job.spec->dependencies.parents;
  if (std::any_of(parents.begin(), parents.end(), [&](const JobId& id) { return id.sequence == parent; })) return;
  cannot_follow(recorded, "job " + std::to_string(parent.value()) + " is no parent of job " + to_string(job.id));
}

/// Of an awaiting job, by the end of the parent that it awaits.
void expect_awaiting(const Job& job, const JobId& parent, const RecordedEvent& recorded) {
  expect_state(job, JobState::awaiting, recorded);
  if (job.awaits == parent.sequence) return;
  cannot_follow(recorded, "job " + to_string(job.id) + " awaits job " + std::to_string(job.awaits.value()) +
                              ", found job " + to_string(parent));
}

void end_attempt(Job& job) {
  job.lease.reset();
  job.cancel_requested = false;
}

void finalize(Job& job, JobState state, const RecordedEvent& recorded) {
  job.state = state;
  job.finalized_at = recorded.wall;
  job.awaits = Sequence();
  if (state != JobState::dead) job.steps.clear();  // a dead job may be retried, and goes on where it was
}

void follow(Job& job, const Next& next, const RecordedEvent& recorded) {
  end_attempt(job);
  std::visit(Overload{[&](const Again& again) {
                        job.state = JobState::waiting;
                        job.due = again.due;
                      },
                      [&](const Dead& dead) {
                        finalize(job, JobState::dead, recorded);
                        job.dead_reason = dead.reason;
                      },
                      [&](const Cancelled&) { finalize(job, JobState::cancelled, recorded); }},
             next);
}

/// For an end of the claim that the job is not charged for.
void give_back_attempt(Job& job, const RecordedEvent& recorded) {
  if (job.attempt == 0) cannot_follow(recorded, "job " + to_string(job.id) + " has no attempt to give back");
  --job.attempt;
}

Job hand_back(Job job, const Token& token, const Next& next, const RecordedEvent& recorded) {
  expect_claim(job, token, recorded);
  if (std::holds_alternative<Dead>(next))
    cannot_follow(recorded, "job " + to_string(job.id) + " dies of being handed back");
  give_back_attempt(job, recorded);
  follow(job, next, recorded);
  return job;
}

}  // namespace

Job scheduled(const JobScheduled& event, const RecordedEvent& recorded, BookTime now) {
  if (!event.spec) cannot_follow(recorded, "it says nothing of what was scheduled");
  Job job;
  job.id = JobId{recorded.sequence, event.generation};
  job.spec = event.spec;
  job.attempts_allowed = event.spec->retry.max_attempts;
  job.due = event.due;
  job.scheduled_at = recorded.wall;
  job.trace = recorded.by.trace;
  job.unique_until = event.unique_until;
  job.due_latest = event.due_latest;
  job.start_by = event.spec->start_by;
  job.end_by = end_of(event.spec->total_timeout, now);
  if (event.awaits != Sequence()) {
    expect_parent(job, event.awaits, recorded);
    job.state = JobState::awaiting;
    job.awaits = event.awaits;
  }
  return job;
}

Job changed(Job job, const JobReplaced& event, const RecordedEvent& recorded, BookTime now) {
  expect_unclaimed(job, recorded);
  if (!event.spec || event.spec->queue != job.spec->queue || event.spec->unique_key != job.spec->unique_key ||
      event.spec->recurring != job.spec->recurring) {
    cannot_follow(recorded, "job " + to_string(job.id) + " would get another queue, unique key or schedule");
  }
  if (event.spec->dependencies != job.spec->dependencies) {
    cannot_follow(recorded, "job " + to_string(job.id) + " would wait for other jobs");
  }
  if (event.attempts_allowed <= job.attempt) {
    cannot_follow(recorded, "job " + to_string(job.id) + " would wait with no attempt left");
  }
  job.spec = event.spec;
  job.due = event.due;
  job.due_latest = event.due_latest;
  job.start_by = event.spec->start_by;
  job.end_by = end_of(event.spec->total_timeout, now);
  job.attempts_allowed = event.attempts_allowed;
  job.trace = recorded.by.trace;
  job.progress = {};
  job.steps.clear();
  return job;
}

Job changed(Job job, const StepRecorded& event, const RecordedEvent& recorded) {
  expect_claim(job, event.token, recorded);
  job.steps.push_back(event.step);
  return job;
}

Job changed(Job job, const ResultsForgotten&, const RecordedEvent& recorded) {
  expect_state(job, JobState::completed, recorded);
  job.result = {};
  job.result_until.reset();
  return job;
}

Job changed(Job job, const JobClaimed& event, const RecordedEvent& recorded, BookTime now) {
  expect_state(job, JobState::waiting, recorded);
  expect_attempt(job, event.attempt, job.attempt + 1, recorded);
  job.state = JobState::running;
  job.attempt = event.attempt;
  job.start_by.reset();
  job.lease = Lease{.token = Token{recorded.sequence, event.generation},
                    .worker = event.worker,
                    .holder = event.holder,
                    .length = event.lease,
                    .ends_at = event.lease_ends_at,
                    .ends_at_wall = event.lease_ends_at_wall,
                    .claimed_at = recorded.wall,
                    .run_ends_at = end_of(job.spec->run_timeout, now)};
  return job;
}

Job changed(Job job, const LeasesRenewed& event, const Renewal& renewal, const RecordedEvent& recorded) {
  expect_claim(job, renewal.token, recorded);
  job.lease->length = event.lease;
  job.lease->ends_at = renewal.lease_ends_at;
  job.lease->ends_at_wall = renewal.lease_ends_at_wall;
  if (renewal.progress) job.progress = *renewal.progress;
  return job;
}

Job changed(Job job, const JobCompleted& event, const RecordedEvent& recorded) {
  expect_claim(job, event.token, recorded);
  expect_attempt(job, event.attempt, job.attempt, recorded);
  end_attempt(job);
  finalize(job, JobState::completed, recorded);
  job.completed_by = event.token;
  job.result = event.result;
  job.result_until = event.result_until;
  return job;
}

Job changed(Job job, const AttemptFailed& event, const RecordedEvent& recorded) {
  expect_claim(job, event.token, recorded);
  expect_attempt(job, event.attempt, job.attempt, recorded);
  job.error = event.error;
  job.error_kind = event.error_kind;
  follow(job, event.next, recorded);
  return job;
}

Job changed(Job job, const LeaseExpired& event, const RecordedEvent& recorded) {
  expect_claim(job, event.token, recorded);
  expect_attempt(job, event.attempt, job.attempt, recorded);
  if (event.reason == ExpiryReason::another_history) give_back_attempt(job, recorded);
  follow(job, event.next, recorded);
  return job;
}

Job changed(Job job, const JobSnoozed& event, const RecordedEvent& recorded) {
  return hand_back(std::move(job), event.token, event.next, recorded);
}

Job changed(Job job, const JobReleased& event, const RecordedEvent& recorded) {
  return hand_back(std::move(job), event.token, event.next, recorded);
}

Job changed(Job job, const CancelRequested&, const RecordedEvent& recorded) {
  expect_state(job, JobState::running, recorded);
  job.cancel_requested = true;
  return job;
}

Job changed(Job job, const JobCancelled&, const RecordedEvent& recorded) {
  const bool waits = job.state == JobState::awaiting || job.state == JobState::uncertain;
  if (!waits) expect_state(job, JobState::waiting, recorded);
  finalize(job, JobState::cancelled, recorded);
  return job;
}

Job changed(Job job, const JobRescheduled& event, const RecordedEvent& recorded) {
  expect_unclaimed(job, recorded);
  job.due = event.due;
  return job;
}

Job changed(Job job, const JobRetried& event, const RecordedEvent& recorded) {
  if (job.state != JobState::uncertain) expect_state(job, JobState::dead, recorded);
  if (event.attempts_allowed <= job.attempt) {
    cannot_follow(recorded, "job " + to_string(job.id) + " would wait with no attempt left");
  }
  job.state = JobState::waiting;
  job.dead_reason = DeadReason::none;
  job.finalized_at.reset();
  job.due = event.due;
  job.attempts_allowed = event.attempts_allowed;
  job.start_by.reset();
  job.end_by.reset();
  return job;
}

Job changed(Job job, const JobMoved& event, const RecordedEvent& recorded) {
  if (job.state != JobState::waiting && job.state != JobState::awaiting) expect_state(job, JobState::dead, recorded);
  if (job.spec->queue == event.queue) cannot_follow(recorded, "job " + to_string(job.id) + " is in that queue");
  auto spec = std::make_shared<JobSpec>(*job.spec);
  spec->queue = event.queue;
  job.spec = std::move(spec);
  return job;
}

Job changed(Job job, const JobMarkedUncertain&, const RecordedEvent& recorded) {
  if (job.state == JobState::completed || job.state == JobState::cancelled) {
    cannot_follow(recorded, "job " + to_string(job.id) + " is " + std::string(to_string(job.state)) + " for ever");
  }
  end_attempt(job);
  job.state = JobState::uncertain;
  job.awaits = Sequence();
  job.dead_reason = DeadReason::none;
  job.finalized_at.reset();
  return job;
}

Job changed(Job job, const JobExpired&, const RecordedEvent& recorded) {
  expect_unclaimed(job, recorded);
  finalize(job, JobState::dead, recorded);
  job.dead_reason = DeadReason::expired;
  return job;
}

Job changed(Job job, const JobTimedOut& event, const RecordedEvent& recorded) {
  if (event.token == Token{}) {
    expect_unclaimed(job, recorded);
  } else {
    expect_claim(job, event.token, recorded);
  }
  follow(job, event.cancelled ? Next(Cancelled{}) : Next(Dead{DeadReason::timed_out}), recorded);
  return job;
}

Job changed(Job job, const ChildFreed& event, const RecordedEvent& recorded) {
  expect_awaiting(job, event.parent, recorded);
  job.state = JobState::waiting;
  job.awaits = Sequence();
  return job;
}

Job changed(Job job, const ChildDropped& event, const RecordedEvent& recorded) {
  expect_awaiting(job, event.parent, recorded);
  finalize(job, event.cancelled ? JobState::cancelled : JobState::dead, recorded);
  if (!event.cancelled) job.dead_reason = DeadReason::parent_failed;
  return job;
}

Job changed(Job job, const ChildAwaits& event, const RecordedEvent& recorded) {
  expect_unclaimed(job, recorded);
  expect_parent(job, event.next.sequence, recorded);
  job.state = JobState::awaiting;
  job.awaits = event.next.sequence;
  return job;
}

Job changed(Job job, const OutcomeRefused& event, const RecordedEvent&) {
  const RefusedOutcome refused{event.token, event.reason};
  const auto at = std::find(job.refused.begin(), job.refused.end(), refused);
  if (at == job.refused.end()) job.refused.push_back(refused);
  return job;
}

}  // namespace daybook
