// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>

#include "daybook/core/conflict.hpp"
#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "draft.hpp"
#include "enumerator.hpp"
#include "rules.hpp"
#include "scheduling.hpp"
#include "selection.hpp"

// Scheduling and claiming.

namespace daybook {
namespace {

Refused check_tags(const std::vector<Tag>& tags) {
  if (tags.size() > limits::tags_max) {
    return Refusal{RefusalCode::too_many_tags,
                   std::to_string(tags.size()) + " tags: at most " + std::to_string(limits::tags_max)};
  }
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const Tag& tag = tags[i];
    if (tag.key.empty() || tag.key.size() > limits::tag_bytes_max || tag.value.size() > limits::tag_bytes_max) {
      return Refusal{RefusalCode::invalid_argument,
                     "tag " + std::to_string(i + 1) + ": a key has 1 to " + std::to_string(limits::tag_bytes_max) +
                         " bytes, a value at most as many; found " + std::to_string(tag.key.size()) + " and " +
                         std::to_string(tag.value.size())};
    }
    const auto same = [&](const Tag& other) { return other.key == tag.key; };
    if (std::any_of(tags.begin(), tags.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      return Refusal{RefusalCode::invalid_argument, "tag " + std::to_string(i + 1) + ": that key is given twice"};
    }
  }
  return std::nullopt;
}

Refused check_asked(const Draft& draft, const Schedule& command) {
  if (auto refused = check_text("queue", command.queue)) return refused;
  if (auto refused = check_text("kind", command.kind)) return refused;
  if (auto refused = check_contents("payload", command.payload, draft.bounds)) return refused;
  if (command.unique_key.size() > limits::unique_key_bytes_max) {
    return Refusal{RefusalCode::invalid_argument, "unique key of " + std::to_string(command.unique_key.size()) +
                                                      " bytes: at most " +
                                                      std::to_string(limits::unique_key_bytes_max)};
  }
  if (!command.group.empty()) {
    if (auto refused = check_text("group", command.group)) return refused;
  }
  if (auto refused = check_tags(command.tags)) return refused;
  if (auto fine = check(command.retry); !fine) return fine.error();
  if (auto refused = check_timeout("run timeout", command.run_timeout)) return refused;
  return check_timeout("total timeout", command.total_timeout);
}

std::vector<NameId> known(const View& view, NameSort sort, const std::vector<std::string>& texts) {
  std::vector<NameId> ids;
  for (const std::string& text : texts) {
    const auto id = view.find_name(sort, text);
    if (id && std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

Refused check_asked(const Claim& command) {
  if (command.queues.empty()) return Refusal{RefusalCode::invalid_argument, "a claim names at least one queue"};
  if (auto refused = check_texts("queue", command.queues)) return refused;
  if (auto refused = check_texts("kind", command.kinds)) return refused;
  if (auto refused = check_text("worker", command.worker)) return refused;
  if (auto refused = check_lease(command.lease)) return refused;
  if (auto refused = check_enumerator("holder", command.holder, Holder::handler)) return refused;
  if (command.count < 1 || command.count > limits::claim_count_max) {
    return Refusal{RefusalCode::invalid_argument, "a claim of " + std::to_string(command.count) + " jobs: 1 to " +
                                                      std::to_string(limits::claim_count_max) + " at once"};
  }
  return std::nullopt;
}

/// Whoever forgot the key would get a job each time, and no word.
Refused check_key_options(const Schedule& command) {
  if (auto refused = check_enumerator("on_conflict", command.on_conflict, OnConflict::throttle)) return refused;
  if (command.debounce_max && command.on_conflict != OnConflict::debounce) {
    return Refusal{RefusalCode::invalid_argument, "a maximum of debouncing goes with on_conflict debounce"};
  }
  const bool keyless = command.unique_key.empty();
  if (!keyless || (command.on_conflict <= OnConflict::return_existing && !command.unique_for &&
                   command.unique_scope == UniqueScope())) {
    return std::nullopt;
  }
  return Refusal{RefusalCode::invalid_argument,
                 "on_conflict " + std::string(to_string(command.on_conflict)) +
                     ", unique_for and unique_scope say what a unique key means: give one"};
}

Refused check_durations(const Schedule& command) {
  if (command.unique_for && *command.unique_for < std::chrono::milliseconds(1)) {
    return Refusal{RefusalCode::invalid_argument,
                   "a unique key is held for at least 1 ms; found " + to_string(*command.unique_for)};
  }
  const auto in_range = [](std::string_view what, const std::optional<Duration>& duration) -> Refused {
    if (!duration || (*duration >= Duration() && *duration <= limits::after_max)) return std::nullopt;
    return Refusal{RefusalCode::invalid_argument,
                   std::string(what) + " " + to_string(*duration) + ": 0 to " + to_string(limits::after_max)};
  };
  if (auto refused = in_range("a unique key held for", command.unique_for)) return refused;
  if (auto refused = in_range("a debounce of", command.debounce_max)) return refused;
  return in_range("a result kept for", command.keep_result);
}

/// The job that holds the key now. One whose time with it has passed holds it on record until another takes it.
struct KeyHolder {
  const Job* job = nullptr;
  bool lapsed = false;
};

KeyHolder holder_of(const Draft& draft, const Schedule& command) {
  if (command.unique_key.empty()) return {};
  const auto queue = draft.view.find_name(NameSort::queue, command.queue);
  const auto id = queue ? draft.view.key_holder(*queue, command.unique_key) : std::nullopt;
  const Job* job = id ? draft.view.job(*id) : nullptr;
  if (!job) return {};
  return {job, job->unique_until && *job->unique_until <= draft.now.book};
}

std::optional<Due> latest_due(const Draft& draft, const Schedule& command) {
  if (command.on_conflict != OnConflict::debounce || !command.debounce_max) return std::nullopt;
  return due_after(*command.debounce_max, draft.now);
}

/// What was asked for as it takes effect: times by the clock that decides them, parents as they are in the book.
struct Terms {
  Due due;
  std::optional<Due> start_by;
  Dependencies dependencies;
};

std::shared_ptr<const JobSpec> spec_of(Draft& draft, const Schedule& command, const Terms& terms) {
  const NameId queue = draft.name(NameSort::queue, command.queue);
  const NameId kind = draft.name(NameSort::kind, command.kind);
  const NameId group = command.group.empty() ? NameId() : draft.name(NameSort::group, command.group);
  return std::make_shared<const JobSpec>(JobSpec{.queue = queue,
                                                 .kind = kind,
                                                 .priority = command.priority,
                                                 .retry = command.retry,
                                                 .unique_key = command.unique_key,
                                                 .unique_scope = command.unique_scope,
                                                 .keep_result = command.keep_result,
                                                 .tags = command.tags,
                                                 .payload = command.payload,
                                                 .group = group,
                                                 .start_by = terms.start_by,
                                                 .run_timeout = command.run_timeout,
                                                 .total_timeout = command.total_timeout,
                                                 .dependencies = terms.dependencies});
}

/// `key_from`: the job that hands its key over to this one.
Refused add_job(Draft& draft, const Schedule& command, const Terms& terms, std::optional<JobId> key_from) {
  if (auto refused = require_room(draft)) return refused;
  std::optional<BookTime> until;
  if (!command.unique_key.empty() && command.unique_for) until = draft.now.book + *command.unique_for;
  const std::vector<JobId>& parents = terms.dependencies.parents;
  // Whose parents have all ended is freed or dropped at once.
  const auto open = open_parent(draft.view, parents);
  const bool dropped = !open && !ended_as_asked(draft.view, terms.dependencies);
  const JobId awaited = open ? *open : dropped ? parents.back() : JobId();
  auto spec = spec_of(draft, command, terms);
  const JobId id{draft.next(), draft.generation()};
  draft.add(JobScheduled{.spec = std::move(spec),
                         .generation = draft.generation(),
                         .due = terms.due,
                         .unique_until = until,
                         .due_latest = command.unique_key.empty() ? std::nullopt : latest_due(draft, command),
                         .key_from = key_from,
                         .awaits = awaited.sequence});
  if (dropped) draft.add(ChildDropped{id, awaited, terms.dependencies.otherwise == Otherwise::cancel});
  return std::nullopt;
}

/// The holder goes on waiting for whom it waits.
Refused replace(Draft& draft, const Schedule& command, Terms terms, const Job& holder) {
  if (auto refused = require_room(draft)) return refused;
  const std::optional<Due> latest = holder.due_latest ? holder.due_latest : latest_due(draft, command);
  terms.dependencies = holder.spec->dependencies;
  draft.add(JobReplaced{.job = holder.id,
                        .spec = spec_of(draft, command, terms),
                        .due = merged_due(command.on_conflict, holder.due, terms.due, latest),
                        .due_latest = latest,
                        .attempts_allowed = attempts_anew(holder, command.retry),
                        .policy = command.on_conflict});
  return std::nullopt;
}

}  // namespace

Refused judge(Draft& draft, const Schedule& command) {
  if (auto refused = check_content(draft, command)) return refused;
  const auto due = due_of(command.due, draft.now);
  if (!due) return due.error();
  auto dependencies = find_dependencies(draft.view, command);
  if (!dependencies) return dependencies.error();
  Terms terms{*due, std::nullopt, std::move(*dependencies)};
  if (command.start_deadline) {
    const auto* after = std::get_if<Duration>(&command.start_deadline->value);
    if (auto refused = check_timeout("start deadline", after ? std::optional(*after) : std::nullopt)) return refused;
    const auto start_by = due_of(*command.start_deadline, draft.now, "start deadline");
    if (!start_by) return start_by.error();
    terms.start_by = *start_by;
  }
  const KeyHolder holder = holder_of(draft, command);
  if (!holder.job) return add_job(draft, command, terms, std::nullopt);
  const JobId id = holder.job->id;
  if (holder.lapsed) return add_job(draft, command, terms, id);
  const Merge merge = merge_of(command.on_conflict, holder.job->state);
  if (merge == Merge::follow) return add_job(draft, command, terms, id);
  if (merge == Merge::replace) return replace(draft, command, std::move(terms), *holder.job);
  const NameId kind = draft.name(NameSort::kind, command.kind);
  draft.add(DuplicateSuppressed{id, kind, merge == Merge::refuse ? OnConflict::reject : command.on_conflict});
  if (merge == Merge::existing) return std::nullopt;
  return key_taken(draft.view, command.unique_key, id.sequence);
}

Refused judge(Draft& draft, const Claim& command) {
  if (auto refused = check_asked(command)) return refused;
  if (draft.book().clock_doubted) {
    return Refusal{RefusalCode::clock_doubted,
                   "the clock is in doubt, it did not fit the last event before the book was opened: nothing is "
                   "claimed until it is "
                   "confirmed; see: daybook clock, daybook confirm-clock"};
  }
  const View& view = draft.view;
  ReadyQuery query;
  for (const NameId id : known(view, NameSort::queue, command.queues)) {
    const Queue* queue = view.queue(id);
    if (queue && !queue->paused) query.queues.push_back(id);
  }
  query.kinds = known(view, NameSort::kind, command.kinds);
  query.any_kind = command.kinds.empty();
  query.limit = command.count;
  if (query.queues.empty() || (query.kinds.empty() && !query.any_kind)) return std::nullopt;

  Selection selection(view, draft.now, query);
  for (std::uint32_t left = command.count; left > 0; --left) {
    const std::optional<Pick> pick = selection.next();
    if (!pick) {
      draft.held_back = selection.held_back();
      break;
    }
    const NameId worker = draft.name(NameSort::worker, command.worker);
    const Job& job = *pick->job;
    const std::optional<BookTime> run_ends_at =
        job.spec->run_timeout ? std::optional(draft.now.book + *job.spec->run_timeout) : std::nullopt;
    const BookTime end = lease_end(job, run_ends_at, command.lease, draft.now);
    draft.add(JobClaimed{.job = job.id,
                         .attempt = job.attempt + 1,
                         .worker = worker,
                         .holder = command.holder,
                         .generation = draft.generation(),
                         .lease = command.lease,
                         .lease_ends_at = end,
                         .lease_ends_at_wall = draft.now.wall + (end - draft.now.book),
                         .turn_left = pick->turn_left,
                         .queue_bucket = pick->queue_bucket,
                         .group_bucket = pick->group_bucket});
  }
  return std::nullopt;
}

Refused check_content(const Draft& draft, const Schedule& command) {
  if (auto refused = check_asked(draft, command)) return refused;
  if (auto refused = check_key_options(command)) return refused;
  return check_durations(command);
}

Refused require_room(const Draft& draft) {
  if (draft.bounds.room) return std::nullopt;
  return Refusal{
      RefusalCode::storage_full,
      "no room for new jobs, the disk is nearly full: make room on the book's file system, and they are taken again "
      "without a restart; what is scheduled goes on meanwhile"};
}

JobSpec template_of(Draft& draft, const Schedule& command) {
  return *spec_of(draft, command, Terms{});
}

}  // namespace daybook
