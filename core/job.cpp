// SPDX-License-Identifier: Apache-2.0
// Words for a job's states, and what is derived from a job and the clock. The rules are in decide and apply.
#include "daybook/core/job.hpp"

#include <algorithm>
#include <array>

#include "daybook/core/escape.hpp"

namespace daybook {
namespace {

constexpr std::array phases = {Phase::scheduled, Phase::available, Phase::retryable, Phase::awaiting, Phase::running,
                               Phase::completed, Phase::cancelled, Phase::dead,      Phase::uncertain};

}  // namespace

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::waiting:
      return "waiting";
    case JobState::awaiting:
      return "awaiting";
    case JobState::running:
      return "running";
    case JobState::completed:
      return "completed";
    case JobState::cancelled:
      return "cancelled";
    case JobState::dead:
      return "dead";
    case JobState::uncertain:
      return "uncertain";
  }
  return "unknown";
}

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::scheduled:
      return "scheduled";
    case Phase::available:
      return "available";
    case Phase::retryable:
      return "retryable";
    case Phase::awaiting:
      return "awaiting";
    case Phase::running:
      return "running";
    case Phase::completed:
      return "completed";
    case Phase::cancelled:
      return "cancelled";
    case Phase::dead:
      return "dead";
    case Phase::uncertain:
      return "uncertain";
  }
  return "unknown";
}

std::string_view to_string(DeadReason reason) {
  switch (reason) {
    case DeadReason::none:
      return "none";
    case DeadReason::attempts_exhausted:
      return "attempts_exhausted";
    case DeadReason::not_retryable:
      return "not_retryable";
    case DeadReason::expired:
      return "expired";
    case DeadReason::lease_lost:
      return "lease_lost";
    case DeadReason::parent_failed:
      return "parent_failed";
    case DeadReason::timed_out:
      return "timed_out";
  }
  return "unknown";
}

std::string_view to_string(RunWhen run_when) {
  switch (run_when) {
    case RunWhen::succeeded:
      return "succeeded";
    case RunWhen::failed:
      return "failed";
    case RunWhen::always:
      return "always";
  }
  return "unknown";
}

std::string_view to_string(Otherwise otherwise) {
  switch (otherwise) {
    case Otherwise::fail:
      return "fail";
    case Otherwise::cancel:
      return "cancel";
  }
  return "unknown";
}

std::string_view to_string(Holder holder) {
  switch (holder) {
    case Holder::external:
      return "external";
    case Holder::handler:
      return "handler";
  }
  return "unknown";
}

Result<Phase> parse_phase(std::string_view text) {
  std::string known;
  for (const Phase phase : phases) {
    if (to_string(phase) == text) {
      return phase;
    }
    known += known.empty() ? "" : ", ";
    known += to_string(phase);
  }
  return refuse(RefusalCode::invalid_argument, quoted(text) + " is not a state of a job; the states are " + known);
}

bool is_due(const Due& due, const Moment& now) {
  return due.after ? *due.after <= now.book : due.at <= now.wall;
}

Phase phase(const Job& job, const Moment& now) {
  switch (job.state) {
    case JobState::waiting:
      if (is_due(job.due, now)) {
        return Phase::available;
      }
      return job.attempt > 0 ? Phase::retryable : Phase::scheduled;
    case JobState::awaiting:
      return Phase::awaiting;
    case JobState::running:
      return Phase::running;
    case JobState::completed:
      return Phase::completed;
    case JobState::cancelled:
      return Phase::cancelled;
    case JobState::dead:
      return Phase::dead;
    case JobState::uncertain:
      return Phase::uncertain;
  }
  return Phase::uncertain;
}

Deadlines deadlines(const Job& job) {
  Deadlines ends;
  if (job.state != JobState::waiting && job.state != JobState::awaiting) {
    return ends;
  }
  ends.book = job.end_by;
  if (job.start_by && job.start_by->after) {
    ends.book = ends.book ? std::min(*ends.book, *job.start_by->after) : *job.start_by->after;
  } else if (job.start_by) {
    ends.wall = job.start_by->at;
  }
  return ends;
}

bool is_overdue(const Job& job, const Moment& now) {
  const Deadlines ends = deadlines(job);
  return (ends.wall && *ends.wall <= now.wall) || (ends.book && *ends.book <= now.book);
}

bool operator==(const Job& a, const Job& b) {
  const bool same_spec = a.spec == b.spec || (a.spec && b.spec && *a.spec == *b.spec);
  return same_spec && a.id == b.id && a.state == b.state && a.dead_reason == b.dead_reason &&
         a.cancel_requested == b.cancel_requested && a.attempt == b.attempt &&
         a.attempts_allowed == b.attempts_allowed && a.due == b.due && a.scheduled_at == b.scheduled_at &&
         a.finalized_at == b.finalized_at && a.lease == b.lease && a.completed_by == b.completed_by &&
         a.progress == b.progress && a.result == b.result && a.error == b.error && a.error_kind == b.error_kind &&
         a.trace == b.trace && a.last_event == b.last_event && a.refused == b.refused &&
         a.key_handed_over == b.key_handed_over && a.unique_until == b.unique_until && a.due_latest == b.due_latest &&
         a.steps == b.steps && a.result_until == b.result_until && a.start_by == b.start_by && a.end_by == b.end_by &&
         a.awaits == b.awaits && a.final_event == b.final_event;
}

}  // namespace daybook
