// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules that several commands share: which job is meant, who may speak for it, what follows the end of an
// attempt, and which values are in range.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/command.hpp"
#include "daybook/core/decide.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// "job 17-9f3ac1d2", or "job 17" as an operator types it.
[[nodiscard]] std::string shown(const JobId& id);

/// Refusals no_such_job and another_history. An id without a generation means the job of that sequence.
[[nodiscard]] Result<const Job*> find_job(const View& view, const JobId& id);

/// Why this token does not speak for the job: another_history, already_completed, lease_lost, not_running.
/// Nothing: it is the token of the current claim, and the lease had not ended at `now` (unset: whenever it
/// ends).
[[nodiscard]] std::optional<Refusal> challenge(const Book& book, const Job& job, const Token& token,
                                               std::optional<BookTime> now);
/// The same for a lease that book time has passed.
[[nodiscard]] Refusal lease_ended(const Job& job);

/// duplicate_key: `holder` has it.
[[nodiscard]] Refusal key_taken(const View& view, std::string_view key, Sequence holder);

/// A fresh round of attempts for a job that has had some.
[[nodiscard]] std::uint32_t attempts_anew(const Job& job, const RetryPolicy& policy);

/// What follows a failed attempt: `retryable` as the worker said, `retry_in` instead of the policy's delay.
[[nodiscard]] Next after_failure(const Job& job, bool retryable, std::optional<Duration> retry_in, const Moment& now);

/// Until when a lease of this length holds: the run timeout and the total timeout end it sooner.
[[nodiscard]] BookTime lease_end(const Job& job, std::optional<BookTime> run_ends_at, Duration lease,
                                 const Moment& now);

/// For whom a job waits, its parents' ids in full and each once. Refuses a rule without parents, parents without a rule, and parents that
/// are not in the book.
[[nodiscard]] Result<Dependencies> find_dependencies(const View& view, const Schedule& command);
/// The last of these parents that has not ended, so that in the usual order of ends there is little to look at again. One that was pruned (while a
/// dropped child waited to be retried) has; one that may have been lost in a gap of the record has not. Unset: all have.
[[nodiscard]] std::optional<JobId> open_parent(const View& view, const std::vector<JobId>& parents);
/// The same of those that are in the book.
[[nodiscard]] std::optional<JobId> live_parent(const View& view, const std::vector<JobId>& parents);
/// Did the parents, all of which have ended, end as the job asks for? One that was pruned counts neither way.
[[nodiscard]] bool ended_as_asked(const View& view, const Dependencies& asked);
/// What the queue of this dead job schedules for it.
[[nodiscard]] std::optional<JobScheduled> after_death(const View& view, const Job& dead, const Moment& now);

/// What follows the end of a claim that nobody reported.
[[nodiscard]] LeaseExpired lost_lease(const Job& job, ExpiryReason reason, const Moment& now);

[[nodiscard]] Due due_now(const Moment& now);
[[nodiscard]] Due due_after(Duration delay, const Moment& now);  // never past due_max
[[nodiscard]] Result<Due> due_of(const When& when, const Moment& now, std::string_view what = "due");

// Nothing: in range.
[[nodiscard]] std::optional<Refusal> check_lease(Duration lease);
[[nodiscard]] std::optional<Refusal> check_delay(std::string_view what, Duration delay);
[[nodiscard]] std::optional<Refusal> check_timeout(std::string_view what, const std::optional<Duration>& timeout);
[[nodiscard]] std::optional<Refusal> check_contents(std::string_view what, const Envelope& contents,
                                                    const Bounds& bounds);
[[nodiscard]] std::optional<Refusal> check_text(std::string_view what, std::string_view name);
[[nodiscard]] std::optional<Refusal> check_texts(std::string_view what, const std::vector<std::string>& names);

}  // namespace daybook
