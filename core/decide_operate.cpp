// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "daybook/core/conflict.hpp"
#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "draft.hpp"
#include "enumerator.hpp"
#include "rules.hpp"

// What a service or an operator does to jobs from outside, one by one or by a filter, and what is held back from pruning.

namespace daybook {
namespace {

Refusal not_in_state(RefusalCode code, const Job& job, std::string_view rule) {
  return {code, shown(job.id) + " is " + std::string(to_string(job.state)) + ": " + std::string(rule),
          job.id.sequence.value()};
}

/// The job, when it is one that the asker meant.
Result<const Job*> find_meant(const Draft& draft, const JobId& id, const std::optional<Filter>& only_if) {
  auto found = find_job(draft.view, id);
  if (!found || !only_if || only_if->matches(**found, draft.view, draft.now)) return found;
  return refuse(RefusalCode::not_matching, shown((*found)->id) + ": it does not, or no longer, match the filter",
                id.sequence.value());
}

/// Two filters together may be more than one may be.
Refused check_filter(const std::string& text) {
  if (text.size() <= limits::filter_bytes_max) {
    if (Filter::parse(text)) return std::nullopt;
    return Refusal{RefusalCode::invalid_argument, "the filter, written out, is nested too deeply to be read again"};
  }
  return Refusal{RefusalCode::invalid_argument, "the filter, written out, has " + std::to_string(text.size()) +
                                                    " bytes: at most " + std::to_string(limits::filter_bytes_max)};
}

}  // namespace

Refused judge(Draft& draft, const Cancel& command) {
  const auto found = find_meant(draft, command.job, command.only_if);
  if (!found) return found.error();
  const Job& job = **found;
  switch (job.state) {
    case JobState::waiting:
    case JobState::awaiting:
    case JobState::uncertain:
      draft.add(JobCancelled{job.id});
      return std::nullopt;
    case JobState::running:
      if (!job.cancel_requested) draft.add(CancelRequested{job.id});
      return std::nullopt;
    case JobState::cancelled:
      return std::nullopt;
    case JobState::completed:
    case JobState::dead:
      break;
  }
  return not_in_state(RefusalCode::already_final, job, "there is nothing left to cancel");
}

Refused judge(Draft& draft, const Reschedule& command) {
  const auto found = find_meant(draft, command.job, command.only_if);
  if (!found) return found.error();
  const Job& job = **found;
  switch (job.state) {
    case JobState::waiting:
    case JobState::awaiting: {
      const auto due = due_of(command.due, draft.now);
      if (!due) return due.error();
      draft.add(JobRescheduled{job.id, *due});
      return std::nullopt;
    }
    case JobState::running:
      return not_in_state(RefusalCode::is_running, job, "only a waiting job can be rescheduled");
    case JobState::uncertain:
      return not_in_state(RefusalCode::is_uncertain, job, "its record has a hole; retry or cancel it");
    case JobState::completed:
    case JobState::cancelled:
    case JobState::dead:
      break;
  }
  return not_in_state(RefusalCode::already_final, job, "only a waiting job can be rescheduled");
}

Refused judge(Draft& draft, const Retry& command) {
  const auto found = find_meant(draft, command.job, command.only_if);
  if (!found) return found.error();
  const Job& job = **found;
  if (job.state != JobState::dead && job.state != JobState::uncertain) {
    return not_in_state(RefusalCode::not_dead, job, "only a dead job can be retried");
  }
  const auto due = due_of(command.due, draft.now);
  if (!due) return due.error();
  if (!job.spec->unique_key.empty()) {
    const auto holder = draft.view.key_holder(job.spec->queue, job.spec->unique_key);
    if (holder && *holder != job.id.sequence) return key_taken(draft.view, job.spec->unique_key, *holder);
  }
  draft.add(JobRetried{job.id, *due, attempts_anew(job, job.spec->retry)});
  // By hand it runs whatever its parents ended as, but not before they did.
  if (const auto next = live_parent(draft.view, job.spec->dependencies.parents)) {
    draft.add(ChildAwaits{job.id, *next});
  }
  return std::nullopt;
}

Refused judge(Draft& draft, const Move& command) {
  if (auto refused = check_text("queue", command.queue)) return refused;
  const auto found = find_meant(draft, command.job, command.only_if);
  if (!found) return found.error();
  const Job& job = **found;
  switch (job.state) {
    case JobState::waiting:
    case JobState::awaiting:
    case JobState::dead:
      break;
    case JobState::running:
      return not_in_state(RefusalCode::is_running, job, "only a waiting or a dead job can be moved");
    case JobState::uncertain:
      return not_in_state(RefusalCode::is_uncertain, job, "its record has a hole; retry or cancel it");
    case JobState::completed:
    case JobState::cancelled:
      return not_in_state(RefusalCode::already_final, job, "only a waiting or a dead job can be moved");
  }
  const auto known = draft.view.find_name(NameSort::queue, command.queue);
  if (known == job.spec->queue) return std::nullopt;
  if (known && holds_key(job)) {
    if (const auto holder = draft.view.key_holder(*known, job.spec->unique_key)) {
      return key_taken(draft.view, job.spec->unique_key, *holder);
    }
  }
  const NameId queue = draft.name(NameSort::queue, command.queue);
  draft.add(JobMoved{job.id, queue});
  return std::nullopt;
}

Refused judge(Draft& draft, const Operate& command) {
  if (auto refused = check_enumerator("verb", command.verb, OperatorVerb::move)) return refused;
  OperatorCommanded commanded{
      .verb = command.verb, .filter = command.where.text(), .matched = command.matched, .due = {}, .queue = {}};
  if (auto refused = check_filter(commanded.filter)) return refused;
  if (command.verb == OperatorVerb::retry || command.verb == OperatorVerb::reschedule) {
    const auto due = due_of(command.due, draft.now);
    if (!due) return due.error();
    commanded.due = *due;
  }
  if (command.verb == OperatorVerb::move) {
    if (auto refused = check_text("queue", command.queue)) return refused;
    commanded.queue = draft.name(NameSort::queue, command.queue);
  }
  draft.add(std::move(commanded));
  return std::nullopt;
}

Refused judge(Draft& draft, const PlaceHold& command) {
  std::string filter = command.where.text();
  if (auto refused = check_filter(filter)) return refused;
  std::size_t standing = 0;
  draft.view.each_hold([&](const Hold&) { ++standing; });
  if (standing >= limits::holds_max) {
    return Refusal{RefusalCode::invalid_argument,
                   std::to_string(standing) + " holds stand: at most " + std::to_string(limits::holds_max)};
  }
  draft.add(HoldPlaced{std::move(filter)});
  return std::nullopt;
}

Refused judge(Draft& draft, const LiftHold& command) {
  if (!draft.view.hold(command.hold)) {
    return Refusal{RefusalCode::invalid_argument,
                   "hold " + std::to_string(command.hold.value()) + ": no such hold stands; see: daybook holds"};
  }
  draft.add(HoldLifted{command.hold});
  return std::nullopt;
}

}  // namespace daybook
