// SPDX-License-Identifier: Apache-2.0

// Many jobs by a filter: looked at in slices, put on record as one command, changed one by one in batches that share their syncs. Each
// change is a submission of its own, so one that is refused keeps no other back.
#include "daybook/operate.hpp"

#include <algorithm>
#include <future>
#include <utility>
#include <vector>

#include "daybook/daybook.hpp"

namespace daybook {

namespace {

Command change_of(const Operation& operation, JobId job) {
  switch (operation.verb) {
    case OperatorVerb::retry:
      return Retry{job, operation.due, operation.where};
    case OperatorVerb::cancel:
      return Cancel{job, operation.where};
    case OperatorVerb::reschedule:
      return Reschedule{job, operation.due, operation.where};
    case OperatorVerb::move:
      break;
  }
  return Move{job, operation.queue, operation.where};
}

std::vector<JobId> matching(const Daybook& book, const Operation& operation) {
  std::vector<JobId> found;
  Sequence after;
  for (bool more = true; more;) {
    book.look([&](const View& view, const Moment& now) {
      std::size_t seen = 0;
      more = false;
      view.each_job_after(after, [&](const Job& job) {
        if (found.size() == operation.limit) return false;
        after = job.id.sequence;
        if (operation.where.matches(job, view, now)) found.push_back(job.id);
        more = ++seen == limits::operate_slice;
        return !more;
      });
    });
  }
  return found;
}

void count(OperateReport& report, const Result<std::vector<Answer>>& answers) {
  if (answers) {
    ++(std::get<Done>(answers->front()).changed ? report.changed : report.unchanged);
    return;
  }
  ++report.refused;
  OperateReport::Refused& refused = report.refusals[answers.error().code];
  if (refused.jobs++ == 0) refused.first = answers.error().sentence;
}

}  // namespace

Result<OperateReport> Daybook::operate(Operation operation) {
  if (operation.context.request) {
    return refuse(RefusalCode::invalid_argument, "a command by a filter takes no request id: doing it again is safe");
  }
  const std::vector<JobId> jobs = matching(*this, operation);
  OperateReport report;
  report.matched = jobs.size();
  if (jobs.empty()) return report;

  auto begun = execute({.commands = {Operate{.verb = operation.verb,
                                             .where = operation.where,
                                             .matched = report.matched,
                                             .due = operation.due,
                                             .queue = operation.queue}},
                        .context = operation.context});
  if (!begun) return tl::unexpected<Refusal>(std::move(begun.error()));
  report.command = std::get<Recorded>(begun->front()).event;
  operation.context.cause = report.command;

  const std::size_t batch = std::max<std::size_t>(1, operation.batch);
  for (std::size_t from = 0; from < jobs.size() && !report.stopped; from += batch) {
    std::vector<std::future<Result<std::vector<Answer>>>> answers;
    for (std::size_t i = from; i < std::min(from + batch, jobs.size()); ++i) {
      answers.push_back(submit({.commands = {change_of(operation, jobs[i])}, .context = operation.context}));
    }
    static_cast<void>(drive());  // where no thread does what was posted
    for (auto& answer : answers) count(report, answer.get());
    if (operation.between) report.stopped = !operation.between(report);
  }
  return report;
}

}  // namespace daybook
