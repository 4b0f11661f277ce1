// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "draft.hpp"
#include "enumerator.hpp"
#include "rules.hpp"

// Jobs that wait for others: which parents are taken, which end of a parent frees or drops which child, and what a queue schedules
// when a job of it dies.

namespace daybook {
namespace {

// Parents that are looked at by one command, but for those of the last child.
constexpr std::size_t parents_looked_at = 100'000;

Refusal at_parent(std::size_t index, std::size_t count, Refusal refusal) {
  refusal.sentence =
      "parent " + std::to_string(index + 1) + " of " + std::to_string(count) + ": " + std::move(refusal.sentence);
  return refusal;
}

Refusal invalid(std::string sentence) {
  return {RefusalCode::invalid_argument, std::move(sentence)};
}

Refused check_rule(const Schedule& command) {
  if (command.parents.empty()) {
    if (!command.run_when && !command.otherwise) return std::nullopt;
    return invalid("a job without parents cannot say when to run after them: name parents, or leave that out");
  }
  if (!command.run_when) {
    return invalid("a job with parents says when it runs: when they succeeded, when one failed, or always");
  }
  if (auto refused = check_enumerator("run_when", *command.run_when, RunWhen::always)) return refused;
  if (auto refused = check_enumerator("otherwise", command.otherwise.value_or(Otherwise::fail), Otherwise::cancel)) {
    return refused;
  }
  const bool always = *command.run_when == RunWhen::always;
  if (!always && !command.otherwise) {
    return invalid("a job that runs when its parents " + std::string(to_string(*command.run_when)) +
                   " says what becomes of it otherwise: fail or cancel");
  }
  if (always && command.otherwise) {
    return invalid("a job that always runs after its parents has no otherwise: leave it out");
  }
  if (command.parents.size() > limits::parents_max) {
    return invalid(std::to_string(command.parents.size()) + " parents: a job has at most " +
                   std::to_string(limits::parents_max) + "; put jobs between that each wait for some of them");
  }
  if (command.on_conflict > OnConflict::return_existing) {
    return invalid("on_conflict " + std::string(to_string(command.on_conflict)) +
                   " would change for whom another job waits: with parents it is reject or return_existing");
  }
  return std::nullopt;
}

}  // namespace

Result<Dependencies> find_dependencies(const View& view, const Schedule& command) {
  if (auto refused = check_rule(command)) return tl::unexpected<Refusal>(std::move(*refused));
  Dependencies found;
  if (command.parents.empty()) return found;
  found.run_when = *command.run_when;
  found.otherwise = command.otherwise.value_or(Otherwise::fail);
  std::set<Sequence> seen;
  for (std::size_t i = 0; i < command.parents.size(); ++i) {
    const auto* id = std::get_if<JobId>(&command.parents[i]);
    if (!id) {
      return tl::unexpected<Refusal>(
          at_parent(i, command.parents.size(), invalid("a command of the same batch, and there is no batch")));
    }
    const auto job = find_job(view, *id);
    if (!job) return tl::unexpected<Refusal>(at_parent(i, command.parents.size(), job.error()));
    if (seen.insert((*job)->id.sequence).second) found.parents.push_back((*job)->id);
  }
  return found;
}

std::optional<JobId> open_parent(const View& view, const std::vector<JobId>& parents) {
  for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent) {
    const Job* job = view.job(parent->sequence);
    const bool ended = job ? is_final(job->state) : parent->sequence > view.book().lost_through;
    if (!ended) return *parent;
  }
  return std::nullopt;
}

std::optional<JobId> live_parent(const View& view, const std::vector<JobId>& parents) {
  for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent) {
    const Job* job = view.job(parent->sequence);
    if (job && !is_final(job->state)) return *parent;
  }
  return std::nullopt;
}

bool ended_as_asked(const View& view, const Dependencies& asked) {
  if (asked.run_when == RunWhen::always) return true;
  const bool all_completed = std::all_of(asked.parents.begin(), asked.parents.end(), [&](const JobId& id) {
    const Job* job = view.job(id.sequence);
    return !job || job->state == JobState::completed;
  });
  return (asked.run_when == RunWhen::succeeded) == all_completed;
}

std::optional<JobScheduled> after_death(const View& view, const Job& dead, const Moment& now) {
  const Queue* queue = view.queue(dead.spec->queue);
  if (!queue || !queue->on_dead || dead.spec->dependencies.on_dead || view.book().feature_level < 2) {
    return std::nullopt;
  }
  JobSpec spec;
  spec.queue = queue->on_dead->queue;
  spec.kind = queue->on_dead->kind;
  // An id and the words of an enum: nothing to be escaped.
  spec.payload =
      "{\"job\":\"" + to_string(dead.id) + "\",\"dead_reason\":\"" + std::string(to_string(dead.dead_reason)) + "\"}";
  spec.dependencies = {
      .parents = {dead.id}, .run_when = RunWhen::always, .otherwise = Otherwise::fail, .on_dead = true};
  return JobScheduled{.spec = std::make_shared<const JobSpec>(std::move(spec)),
                      .generation = view.book().generation.tag,
                      .due = due_now(now)};
}

Refused judge(Draft& draft, const SettleChildren& command) {
  std::size_t looked_at = 0;
  for (const Sequence id : draft.view.unsettled(command.limit)) {
    const Job* job = draft.view.job(id);
    const Job* parent = job ? draft.view.job(job->awaits) : nullptr;
    if (!parent || !is_final(parent->state)) continue;
    const Dependencies& asked = job->spec->dependencies;
    if (const auto next = open_parent(draft.view, asked.parents)) {
      draft.add(ChildAwaits{job->id, *next});
    } else if (ended_as_asked(draft.view, asked)) {
      draft.add(ChildFreed{job->id, parent->id});
    } else {
      draft.add(ChildDropped{job->id, parent->id, asked.otherwise == Otherwise::cancel});
    }
    looked_at += asked.parents.size();
    if (looked_at > parents_looked_at) break;
  }
  return std::nullopt;
}

Refused judge(Draft& draft, const SetOnDead& command) {
  if (auto refused = check_text("queue", command.queue)) return refused;
  if (!command.kind.empty() || !command.into.empty()) {
    if (auto refused = check_text("kind", command.kind)) return refused;
    if (auto refused = check_text("queue of the job to schedule", command.into)) return refused;
  }
  const NameId id = draft.name(NameSort::queue, command.queue);
  std::optional<OnDead> on_dead;
  if (!command.kind.empty()) {
    const NameId kind = draft.name(NameSort::kind, command.kind);
    on_dead = OnDead{kind, draft.name(NameSort::queue, command.into)};
  }
  const Queue* queue = draft.view.queue(id);
  if (on_dead != (queue ? queue->on_dead : std::nullopt)) draft.add(OnDeadSet{id, on_dead});
  return std::nullopt;
}

}  // namespace daybook
