// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/recurring_info.hpp"

#include "daybook/core/escape.hpp"

namespace daybook {
namespace {

std::string text(const View& view, NameId id) {
  const Name* name = view.name(id);
  return name == nullptr ? std::string() : name->text;
}

Schedule schedule_of(const RecurringTerms& terms, const View& view) {
  Schedule job;
  job.queue = text(view, terms.job.queue);
  job.kind = text(view, terms.job.kind);
  job.payload = terms.job.payload;
  job.priority = terms.job.priority;
  job.retry = terms.job.retry;
  job.tags = terms.job.tags;
  job.keep_result = terms.job.keep_result;
  job.group = text(view, terms.job.group);
  if (terms.start_deadline) job.start_deadline = after(*terms.start_deadline);
  job.run_timeout = terms.job.run_timeout;
  job.total_timeout = terms.job.total_timeout;
  return job;
}

}  // namespace

RecurringInfo recurring_info(const Recurring& recurring, const View& view) {
  RecurringInfo info;
  info.spec.name = text(view, recurring.id);
  if (recurring.terms) {
    info.spec.recurrence = recurring.terms->recurrence;
    info.spec.job = schedule_of(*recurring.terms, view);
    info.spec.missed = recurring.terms->missed;
    info.spec.overlap = recurring.terms->overlap;
  }
  info.owner = recurring.owner;
  info.paused = recurring.paused;
  info.pause_reason = recurring.pause_reason;
  info.next = recurring.next;
  info.last = recurring.last;
  if (recurring.last) info.last_job = recurring.last_job;
  for (const Sequence id : recurring.live) {
    if (const Job* job = view.job(id)) info.live.push_back(job->id);
  }
  info.buffered = recurring.buffer;
  return info;
}

Refusal no_such_recurring(std::string_view name) {
  return {RefusalCode::no_such_recurring,
          "recurring schedule " + quoted(name) + ": none of that name is declared; see: daybook recurring list"};
}

const Recurring* find_recurring(const View& view, std::string_view name) {
  const auto id = view.find_name(NameSort::recurring, name);
  const Recurring* found = id ? view.recurring(*id) : nullptr;
  return found && found->terms ? found : nullptr;
}

}  // namespace daybook
