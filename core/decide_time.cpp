// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "draft.hpp"
#include "rules.hpp"

// What time ends: leases, attempts over their run timeout, jobs over a deadline.

namespace daybook {
namespace {

/// A lease never outlasts a timeout, so whatever ends a running job does so at the end of its lease.
void end_claim(Draft& draft, const Job& job) {
  const Lease& lease = *job.lease;
  if (job.end_by && lease.ends_at >= *job.end_by) {
    draft.add(JobTimedOut{job.id, lease.token, job.cancel_requested});
  } else if (lease.run_ends_at && lease.ends_at >= *lease.run_ends_at) {
    draft.add(AttemptFailed{.job = job.id,
                            .token = lease.token,
                            .attempt = job.attempt,
                            .error = "the attempt took longer than its run timeout, " +
                                     to_string(job.spec->run_timeout.value_or(Duration(0))),
                            .error_kind = draft.name(NameSort::error_kind, "timeout"),
                            .retryable = true,
                            .next = after_failure(job, true, std::nullopt, draft.now)});
  } else {
    draft.add(lost_lease(job, ExpiryReason::expired, draft.now));
  }
}

}  // namespace

Refused judge(Draft& draft, const ExpireLeases& command) {
  const std::vector<Sequence> expired = draft.view.expired(draft.now.book, command.limit);
  for (const Sequence id : expired) {
    const Job* job = draft.view.job(id);
    if (!job || !job->lease || job->lease->ends_at > draft.now.book) continue;
    end_claim(draft, *job);
  }
  const std::size_t left = command.limit - std::min<std::size_t>(command.limit, expired.size());
  for (const Sequence id : draft.view.overdue(draft.now, left)) {
    const Job* job = draft.view.job(id);
    if (!job || !is_overdue(*job, draft.now)) continue;
    if (job->start_by && is_due(*job->start_by, draft.now)) {
      draft.add(JobExpired{job->id});
    } else {
      draft.add(JobTimedOut{job->id, Token{}, false});
    }
  }
  return std::nullopt;
}

}  // namespace daybook
