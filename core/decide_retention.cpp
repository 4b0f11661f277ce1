// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <utility>

#include "daybook/core/limits.hpp"
#include "daybook/core/retention.hpp"
#include "draft.hpp"

// Letting go. What to let go was planned by plan_prune; here it is only seen to that nothing goes that must stay.

namespace daybook {

Refused judge(Draft& draft, const Prune& command) {
  const Holds holds(draft.view);
  std::set<Sequence> going;
  JobsPruned pruned;
  for (const Sequence id : command.jobs) {
    const Job* job = draft.view.job(id);
    if (!job || !may_be_pruned(*job, holds, draft.view, draft.now) || !going.insert(id).second) continue;
    pruned.jobs.push_back({job->id, job->state, job->finalized_at.value_or(Instant()), job->last_event});
  }
  ResultsForgotten forgotten;
  for (const Sequence id : command.results) {
    const Job* job = draft.view.job(id);
    const bool there = job && job->result_until && may_be_pruned(*job, holds, draft.view, draft.now);
    if (there && going.insert(id).second) forgotten.jobs.push_back(job->id);  // a job that goes takes its result along
  }
  if (!forgotten.jobs.empty()) draft.add(std::move(forgotten));
  if (!pruned.jobs.empty()) draft.add(std::move(pruned));
  return std::nullopt;
}

}  // namespace daybook
