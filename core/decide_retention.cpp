// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "daybook/core/limits.hpp"
#include "daybook/core/retention.hpp"
#include "draft.hpp"

// Letting go. What to let go was planned by plan_prune; here it is only seen to that nothing goes that must stay.

namespace daybook {

Refused judge(Draft& draft, const Prune& command) {
  ResultsForgotten forgotten;
  for (const Sequence id : command.results) {
    const Job* job = draft.view.job(id);
    const bool twice = std::any_of(forgotten.jobs.begin(), forgotten.jobs.end(),
                                   [&](const JobId& other) { return other.sequence == id; });
    if (job && job->result_until && may_be_pruned(draft.view, *job, draft.now) && !twice) forgotten.jobs.push_back(job->id);
  }
  if (!forgotten.jobs.empty()) draft.add(std::move(forgotten));

  JobsPruned pruned;
  for (const Sequence id : command.jobs) {
    const Job* job = draft.view.job(id);
    const bool twice = std::any_of(pruned.jobs.begin(), pruned.jobs.end(),
                                   [&](const PrunedJob& other) { return other.job.sequence == id; });
    if (!job || !may_be_pruned(draft.view, *job, draft.now) || twice) continue;
    pruned.jobs.push_back({job->id, job->state, job->finalized_at.value_or(Instant()), job->last_event});
  }
  if (!pruned.jobs.empty()) draft.add(std::move(pruned));
  return std::nullopt;
}

}  // namespace daybook
