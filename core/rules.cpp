// SPDX-License-Identifier: Apache-2.0
#include "rules.hpp"

#include <algorithm>
#include <limits>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/names.hpp"

// Who may speak for a job, and which values mean something. Each refusal names the thing and the fact.

namespace daybook {
namespace {

Instant in_range(Instant wall) {
  return std::clamp(wall, limits::due_min, limits::due_max);
}

/// What became of the claim that `token` stood for, as far as the job still knows.
std::string superseded(const Job& job, const Token& token) {
  switch (job.state) {
    case JobState::running:
      return "token " + to_string(token) + " was superseded by attempt " + std::to_string(job.attempt) + ", claimed " +
             to_string(job.lease->claimed_at);
    case JobState::waiting:
    case JobState::awaiting:
      return "the claim of token " + to_string(token) + " has ended and the job waits again, due " +
             to_string(job.due.at);
    case JobState::uncertain:
      return "the record of the job has a hole, and it waits for an operator";
    case JobState::completed:
    case JobState::cancelled:
    case JobState::dead:
      break;
  }
  std::string how = "the job is " + std::string(to_string(job.state));
  if (job.state == JobState::dead) how += " (" + std::string(to_string(job.dead_reason)) + ")";
  if (job.finalized_at) how += " since " + to_string(*job.finalized_at);
  return how;
}

}  // namespace

std::string shown(const JobId& id) {
  return "job " + to_string(id);
}

Result<const Job*> find_job(const View& view, const JobId& id) {
  const Job* job = view.job(id.sequence);
  if (job && (id.generation == GenerationTag() || id.generation == job->id.generation)) return job;
  const std::uint64_t number = id.sequence.value();
  if (job) {
    return refuse(RefusalCode::another_history,
                  shown(id) + ": that id is of another history of this book, whose job here is " + to_string(job->id),
                  number);
  }
  if (id.generation != GenerationTag() && id.generation != view.book().generation.tag) {
    return refuse(RefusalCode::another_history, shown(id) + ": that id is of another history, and no job that this book has",
                  number);
  }
  return refuse(RefusalCode::no_such_job, shown(id) + ": no such job in this book: never issued, or pruned since",
                number);
}

Refusal key_taken(const View& view, std::string_view key, Sequence holder) {
  const Job* job = view.job(holder);
  const JobId id = job ? job->id : JobId{holder, view.book().generation.tag};
  return {RefusalCode::duplicate_key,
          "unique key " + quoted(key, limits::unique_key_bytes_max) + " is held by " + shown(id), holder.value()};
}

Refusal lease_ended(const Job& job) {
  return {RefusalCode::lease_lost, shown(job.id) + ": lease lost, it ended at " + to_string(job.lease->ends_at_wall),
          job.id.sequence.value()};
}

std::optional<Refusal> challenge(const Book& book, const Job& job, const Token& token, std::optional<BookTime> now) {
  const std::uint64_t number = job.id.sequence.value();
  if (token.generation != book.generation.tag) {
    return Refusal{RefusalCode::another_history,
                   shown(job.id) + ": token " + to_string(token) +
                       " was granted by another history of this book, or is not written in full",
                   number};
  }
  if (job.completed_by == token) {
    return Refusal{RefusalCode::already_completed,
                   shown(job.id) + ": already completed by this token" +
                       (job.finalized_at ? " at " + to_string(*job.finalized_at) : std::string()),
                   number};
  }
  if (job.lease && job.lease->token == token) {
    if (now && job.lease->ends_at <= *now) return lease_ended(job);
    return std::nullopt;
  }
  const bool never_granted = token.claim <= job.id.sequence || token.claim > book.head;
  if (never_granted && !job.lease) {
    return Refusal{RefusalCode::not_running,
                   shown(job.id) + ": not claimed, and token " + to_string(token) + " was never granted for it",
                   number};
  }
  return Refusal{RefusalCode::lease_lost, shown(job.id) + ": lease lost, " + superseded(job, token), number};
}

std::uint32_t attempts_anew(const Job& job, const RetryPolicy& policy) {
  const std::uint32_t room = std::numeric_limits<std::uint32_t>::max() - job.attempt;
  return job.attempt + std::min(room, policy.max_attempts);
}

Next after_failure(const Job& job, bool retryable, std::optional<Duration> retry_in, const Moment& now) {
  if (job.cancel_requested) return Cancelled{};
  if (!retryable) return Dead{DeadReason::not_retryable};
  if (job.attempt >= job.attempts_allowed) return Dead{DeadReason::attempts_exhausted};
  return Again{due_after(retry_in ? *retry_in : retry_delay(job.spec->retry, job.attempt, now.chance), now)};
}

BookTime lease_end(const Job& job, std::optional<BookTime> run_ends_at, Duration lease, const Moment& now) {
  BookTime end = now.book + lease;
  if (run_ends_at) end = std::min(end, *run_ends_at);
  if (job.end_by) end = std::min(end, *job.end_by);
  return end;
}

LeaseExpired lost_lease(const Job& job, ExpiryReason reason, const Moment& now) {
  Next next = Again{due_now(now)};
  if (job.cancel_requested) {
    next = Cancelled{};
  } else if (reason != ExpiryReason::another_history && job.attempt >= job.attempts_allowed) {
    next = Dead{DeadReason::lease_lost};
  }
  return LeaseExpired{job.id, job.lease->token, job.attempt, reason, std::move(next)};
}

Due due_now(const Moment& now) {
  return {in_range(now.wall), now.book};
}

Due due_after(Duration delay, const Moment& now) {
  const Instant start = in_range(now.wall);
  const BookTime after = delay > BookTime::max() - std::max(now.book, BookTime()) ? BookTime::max() : now.book + delay;
  return {delay >= limits::due_max - start ? limits::due_max : start + delay, after};
}

Result<Due> due_of(const When& when, const Moment& now, std::string_view what) {
  if (const auto* instant = std::get_if<Instant>(&when.value)) {
    if (*instant >= limits::due_min && *instant <= limits::due_max) return Due{*instant, std::nullopt};
    return refuse(RefusalCode::due_out_of_range, std::string(what) + " " + to_string(*instant) +
                                                     ": out of range, expected " + to_string(limits::due_min) + " to " +
                                                     to_string(limits::due_max));
  }
  if (const auto* delay = std::get_if<Duration>(&when.value)) {
    if (auto refused = check_delay(std::string(what) + " after", *delay))
      return tl::unexpected<Refusal>(std::move(*refused));
    return due_after(*delay, now);
  }
  return due_now(now);
}

std::optional<Refusal> check_delay(std::string_view what, Duration delay) {
  if (delay >= Duration::zero() && delay <= limits::after_max) return std::nullopt;
  return Refusal{RefusalCode::due_out_of_range, std::string(what) + " " + to_string(delay) +
                                                    ": out of range, expected 0s to " + to_string(limits::after_max)};
}

std::optional<Refusal> check_timeout(std::string_view what, const std::optional<Duration>& timeout) {
  if (!timeout || (*timeout > Duration::zero() && *timeout <= limits::after_max)) return std::nullopt;
  return Refusal{RefusalCode::due_out_of_range, std::string(what) + " " + to_string(*timeout) +
                                                    ": out of range, expected 1us to " + to_string(limits::after_max)};
}

std::optional<Refusal> check_lease(Duration lease) {
  if (lease >= limits::lease_min && lease <= limits::lease_max) return std::nullopt;
  return Refusal{RefusalCode::lease_out_of_range, "lease " + to_string(lease) + ": out of range, expected " +
                                                      to_string(limits::lease_min) + " to " +
                                                      to_string(limits::lease_max)};
}

std::optional<Refusal> check_contents(std::string_view what, const Envelope& contents, const Bounds& bounds) {
  const std::size_t found = contents.bytes().size();
  if (found > bounds.payload_bytes) {
    return Refusal{RefusalCode::payload_too_large, std::string(what) + " of " + std::to_string(found) +
                                                       " bytes: at most " + std::to_string(bounds.payload_bytes) +
                                                       " are kept; store it elsewhere and pass a reference"};
  }
  const Envelope::Contents& sealed = contents.contents();
  if (sealed.subject.size() > limits::name_bytes_max || sealed.nonce.size() > limits::name_bytes_max) {
    return Refusal{RefusalCode::invalid_argument, std::string(what) + ": subject and nonce have at most " +
                                                      std::to_string(limits::name_bytes_max) + " bytes each"};
  }
  return std::nullopt;
}

std::optional<Refusal> check_text(std::string_view what, std::string_view name) {
  if (auto fine = check_name(what, name); !fine) return fine.error();
  return std::nullopt;
}

std::optional<Refusal> check_texts(std::string_view what, const std::vector<std::string>& names) {
  if (names.size() > limits::claim_names_max) {
    return Refusal{RefusalCode::invalid_argument, std::to_string(names.size()) + " " + std::string(what) +
                                                      " names: at most " + std::to_string(limits::claim_names_max)};
  }
  for (const std::string& name : names) {
    if (auto refused = check_text(what, name)) return refused;
  }
  return std::nullopt;
}

}  // namespace daybook
