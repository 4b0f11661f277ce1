// SPDX-License-Identifier: Apache-2.0
#pragma once

// JobInfo: a job as people see it, names spelled out and the phase derived. A value, valid for ever.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/job.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

struct LeaseInfo {
  Token token;
  std::string worker;
  Holder holder{};
  Instant claimed_at{};
  Instant expires_at{};  // by the wall clock as it stood when the lease was granted
  BookTime ends_at{};    // what counts
};

inline constexpr std::size_t children_shown = 100;

struct JobInfo {
  JobId id;
  std::string queue;
  std::string kind;
  Phase phase{};
  Priority priority;
  std::uint32_t attempt = 0;
  std::uint32_t attempts_allowed = 0;
  Instant due_at{};
  Instant scheduled_at{};
  std::optional<Instant> finalized_at;
  std::optional<LeaseInfo> lease;
  DeadReason dead_reason{};
  bool cancel_requested = false;
  std::string unique_key;
  bool holds_key = false;
  std::vector<Tag> tags;
  RetryPolicy retry;
  Envelope payload;
  Envelope progress;
  Envelope result;
  std::optional<Instant> result_until;  // set while there is one that will be forgotten
  Envelope error;
  std::string error_kind;
  std::string trace;
  std::vector<std::string> steps;   // their names
  std::string group;                // empty: none
  std::optional<Instant> start_by;  // by the wall clock as it stood, like due_at; unset once it was claimed
  std::optional<Duration> run_timeout;
  std::optional<Duration> total_timeout;
  std::vector<JobId> parents;  // that it waits or waited for, and the rule
  RunWhen run_when{};
  Otherwise otherwise{};
  std::optional<Sequence> awaits;  // while awaiting: the parent whose end is looked at next
  std::vector<JobId> children;     // at most children_shown; first those that wait, the final ones last
  bool more_children = false;      // there are more than those
  std::string recurring;           // the recurring schedule that it is of; empty: none …
  std::optional<Instant> nominal;  // … and the instant of its occurrence
};

[[nodiscard]] JobInfo job_info(const Job& job, const View& view, const Moment& now);

}  // namespace daybook
