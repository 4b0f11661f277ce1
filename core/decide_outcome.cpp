// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/retention.hpp"
#include "draft.hpp"
#include "rules.hpp"

// What a worker says of its claims. Every judge asks first whether the token still speaks for the job: a
// worker that lost its lease must learn it, and change nothing.

namespace daybook {
namespace {

/// The job, when the token speaks for it now. A token that once did, or that another history granted, goes on
/// record.
Result<const Job*> speaker(Draft& draft, const JobId& id, const Token& token, OutcomeKind outcome) {
  auto found = find_job(draft.view, id);
  if (!found) return found;
  const Job& job = **found;
  auto refused = challenge(draft.book(), job, token, draft.now.book);
  if (!refused) return found;
  if (refused->code == RefusalCode::lease_lost || refused->code == RefusalCode::another_history) {
    draft.record_refused(job, token, outcome, refused->code);
  }
  return tl::unexpected<Refusal>(std::move(*refused));
}

std::optional<Instant> result_until(const Draft& draft, const Job& job, const Envelope& result) {
  if (result.empty() || draft.book().feature_level < 2) return std::nullopt;
  const std::optional<Duration> kept_for =
      job.spec->keep_result ? job.spec->keep_result : retention_of(draft.view).results;
  if (!kept_for) return std::nullopt;
  return due_after(*kept_for, draft.now).at;
}

}  // namespace

Refused judge(Draft& draft, const Renew& command) {
  if (command.claims.empty()) return Refusal{RefusalCode::invalid_argument, "a renewal names at least one claim"};
  if (command.claims.size() > limits::claim_count_max) {
    return Refusal{RefusalCode::invalid_argument, "a renewal of " + std::to_string(command.claims.size()) +
                                                      " claims: at most " + std::to_string(limits::claim_count_max)};
  }
  if (auto refused = check_lease(command.lease)) return refused;

  LeasesRenewed renewed{command.lease, RenewReason::heartbeat, {}};
  std::set<Sequence> seen;
  for (const Renew::One& one : command.claims) {
    const auto job = speaker(draft, one.job, one.token, OutcomeKind::renew);
    if (!job) continue;
    if (one.progress && check_contents("progress", *one.progress, draft.bounds)) continue;
    if (!seen.insert((*job)->id.sequence).second) continue;
    const BookTime end = lease_end(**job, (*job)->lease->run_ends_at, command.lease, draft.now);
    renewed.renewals.push_back(Renewal{.job = (*job)->id,
                                       .token = one.token,
                                       .lease_ends_at = end,
                                       .lease_ends_at_wall = draft.now.wall + (end - draft.now.book),
                                       .progress = one.progress});
  }
  if (!renewed.renewals.empty()) draft.add(std::move(renewed));
  return std::nullopt;
}

Refused judge(Draft& draft, const Complete& command) {
  const auto job = speaker(draft, command.job, command.token, OutcomeKind::complete);
  if (!job) return job.error();
  if (auto refused = check_contents("result", command.result, draft.bounds)) return refused;
  draft.add(JobCompleted{(*job)->id, command.token, (*job)->attempt, command.result,
                         result_until(draft, **job, command.result)});
  return std::nullopt;
}

Refused judge(Draft& draft, const RecordStep& command) {
  const auto found = speaker(draft, command.job, command.token, OutcomeKind::step);
  if (!found) return found.error();
  const Job& job = **found;
  if (auto refused = check_text("step", command.name)) return refused;
  if (auto refused = check_contents("result of a step", command.result, draft.bounds)) return refused;
  std::size_t bytes = command.result.bytes().size();
  for (const StepResult& step : job.steps) {
    if (step.name == command.name) return std::nullopt;
    bytes += step.result.bytes().size();
  }
  if (job.steps.size() == limits::steps_max || bytes > limits::steps_bytes_max) {
    return Refusal{RefusalCode::payload_too_large,
                   shown(job.id) + ": step " + quoted(command.name) + " would make " +
                       std::to_string(job.steps.size() + 1) + " steps with " + std::to_string(bytes) +
                       " bytes of results: at most " + std::to_string(limits::steps_max) + " and " +
                       std::to_string(limits::steps_bytes_max),
                   job.id.sequence.value()};
  }
  draft.add(StepRecorded{job.id, command.token, {command.name, command.result}});
  return std::nullopt;
}

Refused judge(Draft& draft, const Fail& command) {
  const auto job = speaker(draft, command.job, command.token, OutcomeKind::fail);
  if (!job) return job.error();
  if (auto refused = check_contents("error", command.error, draft.bounds)) return refused;
  if (!command.error_kind.empty()) {
    if (auto refused = check_text("error kind", command.error_kind)) return refused;
  }
  if (command.retry_in) {
    if (auto refused = check_delay("retry in", *command.retry_in)) return refused;
  }
  const NameId error_kind =
      command.error_kind.empty() ? NameId() : draft.name(NameSort::error_kind, command.error_kind);
  draft.add(AttemptFailed{.job = (*job)->id,
                          .token = command.token,
                          .attempt = (*job)->attempt,
                          .error = command.error,
                          .error_kind = error_kind,
                          .retryable = command.retryable,
                          .next = after_failure(**job, command.retryable, command.retry_in, draft.now)});
  return std::nullopt;
}

Refused judge(Draft& draft, const Snooze& command) {
  const auto job = speaker(draft, command.job, command.token, OutcomeKind::snooze);
  if (!job) return job.error();
  const auto due = due_of(command.due, draft.now);
  if (!due) return due.error();
  const Next next = (*job)->cancel_requested ? Next(Cancelled{}) : Next(Again{*due});
  draft.add(JobSnoozed{(*job)->id, command.token, next});
  return std::nullopt;
}

Refused judge(Draft& draft, const Release& command) {
  const auto job = speaker(draft, command.job, command.token, OutcomeKind::release);
  if (!job) return job.error();
  const Next next = (*job)->cancel_requested ? Next(Cancelled{}) : Next(Again{(*job)->due});
  draft.add(JobReleased{(*job)->id, command.token, next});
  return std::nullopt;
}

}  // namespace daybook
