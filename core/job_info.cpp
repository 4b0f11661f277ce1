// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/job_info.hpp"

#include "daybook/core/conflict.hpp"

namespace daybook {

namespace {

std::string name_of(const View& view, NameId id) {
  const Name* name = view.name(id);
  return name == nullptr ? std::string() : name->text;
}

}  // namespace

JobInfo job_info(const Job& job, const View& view, const Moment& now) {
  JobInfo info{
      .id = job.id,
      .queue = name_of(view, job.spec->queue),
      .kind = name_of(view, job.spec->kind),
      .phase = phase(job, now),
      .priority = job.spec->priority,
      .attempt = job.attempt,
      .attempts_allowed = job.attempts_allowed,
      .due_at = job.due.at,
      .scheduled_at = job.scheduled_at,
      .finalized_at = job.finalized_at,
      .lease = std::nullopt,
      .dead_reason = job.dead_reason,
      .cancel_requested = job.cancel_requested,
      .unique_key = job.spec->unique_key,
      .holds_key = holds_key(job) && !(job.unique_until && *job.unique_until <= now.book),
      .tags = job.spec->tags,
      .retry = job.spec->retry,
      .payload = job.spec->payload,
      .progress = job.progress,
      .result = job.result,
      .result_until = job.result_until,
      .error = job.error,
      .error_kind = name_of(view, job.error_kind),
      .trace = job.trace,
      .steps = {},
      .group = name_of(view, job.spec->group),
      .start_by = job.start_by ? std::optional(job.start_by->at) : std::nullopt,
      .run_timeout = job.spec->run_timeout,
      .total_timeout = job.spec->total_timeout,
      .parents = job.spec->dependencies.parents,
      .run_when = job.spec->dependencies.run_when,
      .otherwise = job.spec->dependencies.otherwise,
      .awaits = job.awaits == Sequence() ? std::nullopt : std::optional(job.awaits),
      .children = {},
      .recurring = name_of(view, job.spec->recurring),
      .nominal = job.spec->nominal,
  };
  for (const Sequence id : view.children(job.id.sequence, children_shown + 1)) {
    info.more_children = info.children.size() == children_shown;
    if (info.more_children) break;
    const Job* child = view.job(id);
    info.children.push_back(child == nullptr ? JobId{id, job.id.generation} : child->id);
  }
  for (const StepResult& step : job.steps) info.steps.push_back(step.name);
  if (job.lease) {
    info.lease = LeaseInfo{job.lease->token,      name_of(view, job.lease->worker), job.lease->holder,
                           job.lease->claimed_at, job.lease->ends_at_wall,          job.lease->ends_at};
  }
  return info;
}

}  // namespace daybook
