// SPDX-License-Identifier: Apache-2.0

// Scheduling through the facade: one job, several at once, and whether a parent that is not there ever was.

#include <algorithm>
#include <string>
#include <utility>

#include "daybook/daybook.hpp"
#include "daybook_impl.hpp"

namespace daybook {
namespace {

std::vector<JobId> parents_of(const std::vector<Command>& commands) {
  std::vector<JobId> ids;
  for (const Command& command : commands) {
    const auto* asked = std::get_if<Schedule>(&command);
    if (asked == nullptr) continue;
    for (const Parent& parent : asked->parents) {
      if (const auto* id = std::get_if<JobId>(&parent)) ids.push_back(*id);
    }
  }
  return ids;
}

/// The rules know only the jobs of the state; the log knows those that were pruned as well, also by an earlier generation.
Refusal told_apart(const Daybook& book, const std::vector<JobId>& parents, Refusal refusal) {
  if (refusal.code != RefusalCode::no_such_job && refusal.code != RefusalCode::another_history) return refusal;
  const auto parent =
      std::ranges::find_if(parents, [&](const JobId& id) { return id.sequence.value() == refusal.job; });
  if (parent == parents.end()) return refusal;
  const auto found = book.job(*parent);
  if (found) return refusal;
  const std::string place = refusal.sentence.substr(0, refusal.sentence.find("job "));
  return {found.error().code, place + found.error().sentence, refusal.job};
}

}  // namespace

Result<std::vector<Answer>> Daybook::execute(Submission submission) {
  const std::vector<JobId> parents = parents_of(submission.commands);
  auto answers = impl_->driver().call(impl_->owned(std::move(submission)));
  if (answers || parents.empty()) return answers;
  return tl::unexpected<Refusal>(told_apart(*this, parents, std::move(answers.error())));
}

Result<JobId> Daybook::schedule(Schedule command) {
  return execute({.commands = {std::move(command)}, .context = impl_->context()})
      .map([](const std::vector<Answer>& answers) { return std::get<Scheduled>(answers.front()).job; });
}

Result<std::vector<JobId>> Daybook::schedule_all(std::vector<Schedule> commands) {
  Submission submission{.commands = {}, .context = impl_->context()};
  for (Schedule& command : commands) submission.commands.emplace_back(std::move(command));
  return execute(std::move(submission)).map([](const std::vector<Answer>& answers) {
    std::vector<JobId> ids;
    for (const Answer& answer : answers) ids.push_back(std::get<Scheduled>(answer).job);
    return ids;
  });
}

Result<void> Daybook::set_on_dead(SetOnDead on_dead, std::string reason) {
  return impl_->done(std::move(on_dead), std::move(reason));
}

Result<JobInfo> parent_of(Driver& driver, const ClaimedJob& job, const JobId& parent) {
  const auto same = [&](const JobId& id) {
    return id.sequence == parent.sequence &&
           (parent.generation == GenerationTag() || parent.generation == id.generation);
  };
  std::optional<JobInfo> found;
  if (std::any_of(job.parents.begin(), job.parents.end(), same)) {
    driver.look([&](const View& view, const Moment& now) {
      if (const Job* known = view.job(parent.sequence)) found = job_info(*known, view, now);
    });
  }
  if (found) return std::move(*found);
  return refuse(RefusalCode::invalid_argument, "job " + to_string(parent) + " is no parent of job " + to_string(job.id),
                parent.sequence.value());
}

}  // namespace daybook
