// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the operators' verbs about jobs have in common: one job by its id, or all that a filter matches.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "daybook/core/command.hpp"
#include "daybook/core/filter.hpp"
#include "verb.hpp"

namespace daybook::cli {

struct ChangeJobs {
  OperatorVerb verb{};
  std::optional<JobId> job;
  std::optional<Filter> where;
  bool dry_run = false;
  std::optional<ChangeRate> rate;
  std::optional<std::uint64_t> limit;
  std::optional<Duration> in;  // of retry and reschedule
  std::optional<Instant> at;
  std::string queue;  // of move
};

/// ID, --where, --dry-run, --rate and --limit.
Verb& choose_jobs(Verb& verb, ChangeJobs& asked);

/// Does it, and prints the job as it then stands, or how many there were. --dry-run only looks.
int change_jobs(const Common& common, const ChangeJobs& asked);

}  // namespace daybook::cli
