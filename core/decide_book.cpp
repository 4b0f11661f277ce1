// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/retention.hpp"
#include "draft.hpp"
#include "enumerator.hpp"
#include "rules.hpp"

// The book itself, its queues and its workers: opening and closing, clocks, copies, configuration, pauses,
// who is there.

namespace daybook {
namespace {

constexpr std::size_t renewals_per_event = limits::claim_count_max;

/// Handlers died with the process that had the book open. Whether an external worker still lives, nobody knows: on
/// record it could stay for ever, while one that lives joins again, and this ends none of its claims.
void strike_workers_off(Draft& draft) {
  for (const NameId id : draft.view.workers()) draft.add(WorkerLeft{id, LeaveReason::process_died});
}

/// A copy may be copied itself, and adopted twice: chance tells the two apart.
GenerationBegun generation_of_its_own(const Generation& copied, std::uint64_t chance) {
  GenerationTag tag(static_cast<std::uint32_t>(chance));
  while (tag == GenerationTag() || tag == copied.tag) tag = tag.next();
  return {.generation = {.number = copied.number + 1, .tag = tag},
          .held = true,
          .copied_from = Uuid(),
          .nonce_salt = chance};
}

void end_handlers_claims(Draft& draft) {
  for (const Sequence id : draft.view.running()) {
    const Job* job = draft.view.job(id);
    if (job && job->lease && job->lease->holder == Holder::handler) {
      draft.add(lost_lease(*job, ExpiryReason::process_died, draft.now));
    }
  }
}

/// After a new boot nobody knows how long the machine was off: who may still live gets the lease again in
/// full.
void grant_again(Draft& draft) {
  std::map<Duration, std::vector<Renewal>> by_length;  // an event carries one length
  const auto put_down = [&](Duration length, std::vector<Renewal>& renewals) {
    draft.add(LeasesRenewed{length, RenewReason::new_boot, std::move(renewals)});
    renewals.clear();
  };
  for (const Sequence id : draft.view.running()) {
    const Job* job = draft.view.job(id);
    if (!job || !job->lease || job->lease->holder != Holder::external) continue;
    const Lease& lease = *job->lease;
    std::vector<Renewal>& renewals = by_length[lease.length];
    const BookTime end = lease_end(*job, lease.run_ends_at, lease.length, draft.now);
    renewals.push_back(Renewal{.job = job->id,
                               .token = lease.token,
                               .lease_ends_at = end,
                               .lease_ends_at_wall = draft.now.wall + (end - draft.now.book),
                               .progress = std::nullopt});
    if (renewals.size() == renewals_per_event) put_down(lease.length, renewals);
  }
  for (auto& [length, renewals] : by_length) {
    if (!renewals.empty()) put_down(length, renewals);
  }
}

}  // namespace

Refused judge(Draft& draft, const OpenBook& command) {
  const Book& book = draft.book();
  if (command.opening.epoch <= book.epoch) {
    return Refusal{RefusalCode::invalid_argument,
                   "opening under epoch " + std::to_string(command.opening.epoch.value()) +
                       ": the book has seen epoch " + std::to_string(book.epoch.value())};
  }
  draft.add(command.opening);
  // A held copy keeps what it shows; adopting it ends the claims.
  if (book.held) return std::nullopt;
  if (book.open) {
    strike_workers_off(draft);
    end_handlers_claims(draft);
  }
  if (command.opening.new_boot) grant_again(draft);
  return std::nullopt;
}

Refused judge(Draft& draft, const CloseBook&) {
  if (!draft.book().open) return Refusal{RefusalCode::closed, "the book is not open"};
  draft.add(BookClosed{});
  return std::nullopt;
}

Refused judge(Draft& draft, const StepClock& command) {
  draft.add(ClockStepped{command.by, draft.book().era + 1});
  return std::nullopt;
}

Refused judge(Draft& draft, const BeginGeneration& command) {
  const Generation& asked = command.begun.generation;
  const Generation& last = draft.book().generation;
  if (asked.number <= last.number || asked.tag == GenerationTag() || asked.tag == last.tag) {
    return Refusal{RefusalCode::invalid_argument, "a generation has a number above " + std::to_string(last.number) +
                                                      " and a tag of its own; found " + std::to_string(asked.number) +
                                                      " and tag " + std::to_string(asked.tag.value())};
  }
  draft.add(command.begun);
  return std::nullopt;
}

Refused judge(Draft& draft, const AdoptBook&) {
  const Book& book = draft.book();
  if (!book.held) return Refusal{RefusalCode::not_held, "this book is not held: there is nothing to adopt"};
  const GenerationBegun own = generation_of_its_own(book.generation, draft.now.chance);
  draft.add(own);
  draft.add(BookAdopted{});
  strike_workers_off(draft);
  for (const Sequence id : draft.view.running()) {
    const Job* job = draft.view.job(id);
    if (job && job->lease && job->lease->token.generation != own.generation.tag) {
      draft.add(lost_lease(*job, ExpiryReason::another_history, draft.now));
    }
  }
  return std::nullopt;
}

Refused judge(Draft& draft, const Configure& command) {
  for (const Setting& setting : command.settings) {
    if (auto refused = check_text("setting", setting.key)) return refused;
    if (auto refused = check_retention_setting(setting)) return refused;
    if (setting.value.size() > limits::reason_bytes_max) {
      return Refusal{RefusalCode::invalid_argument, "setting " + quoted(setting.key) + ": " +
                                                        std::to_string(setting.value.size()) + " bytes, at most " +
                                                        std::to_string(limits::reason_bytes_max)};
    }
  }
  std::map<std::string, std::string> changed;
  for (const Setting& setting : command.settings) {
    const Setting* known = draft.view.setting(setting.key);
    const auto here = changed.find(setting.key);
    const bool set = here != changed.end() || known;
    const std::string before = here != changed.end() ? here->second : known ? known->value : std::string();
    if (set && before == setting.value) continue;
    draft.add(ConfigurationChanged{setting, before});
    changed[setting.key] = setting.value;
  }
  return std::nullopt;
}

Refused judge(Draft& draft, const PauseQueue& command) {
  if (auto refused = check_text("queue", command.queue)) return refused;
  const NameId id = draft.name(NameSort::queue, command.queue);
  const Queue* queue = draft.view.queue(id);
  if (!queue || !queue->paused) draft.add(QueuePaused{id});
  return std::nullopt;
}

Refused judge(Draft& draft, const ResumeQueue& command) {
  if (auto refused = check_text("queue", command.queue)) return refused;
  const auto id = draft.view.find_name(NameSort::queue, command.queue);
  if (!id) return Refusal{RefusalCode::queue_unknown, "queue " + quoted(command.queue) + ": nobody has named it yet"};
  const Queue* queue = draft.view.queue(*id);
  if (queue && queue->paused) draft.add(QueueResumed{*id});
  return std::nullopt;
}

Refused judge(Draft& draft, const JoinWorker& command) {
  if (auto refused = check_text("worker", command.worker)) return refused;
  if (auto refused = check_texts("queue", command.queues)) return refused;
  if (auto refused = check_texts("kind", command.kinds)) return refused;
  if (auto refused = check_enumerator("holder", command.holder, Holder::handler)) return refused;
  if (command.queues.empty()) return Refusal{RefusalCode::invalid_argument, "a worker serves at least one queue"};
  if (command.slots < 1 || command.slots > limits::claim_count_max) {
    return Refusal{RefusalCode::invalid_argument, "a worker of " + std::to_string(command.slots) + " slots: 1 to " +
                                                      std::to_string(limits::claim_count_max)};
  }
  Worker worker{.id = draft.name(NameSort::worker, command.worker),
                .holder = command.holder,
                .slots = command.slots,
                .queues = {},
                .kinds = {},
                .joined_at = draft.now.wall,
                .epoch = draft.book().epoch};
  for (const std::string& queue : command.queues) worker.queues.push_back(draft.name(NameSort::queue, queue));
  for (const std::string& kind : command.kinds) worker.kinds.push_back(draft.name(NameSort::kind, kind));
  draft.add(WorkerJoined{std::move(worker)});
  return std::nullopt;
}

Refused judge(Draft& draft, const LeaveWorker& command) {
  if (auto refused = check_text("worker", command.worker)) return refused;
  const auto id = draft.view.find_name(NameSort::worker, command.worker);
  if (!id || !draft.view.worker(*id)) {
    return Refusal{RefusalCode::worker_unknown, "worker " + quoted(command.worker) + " has not joined, or has left"};
  }
  draft.add(WorkerLeft{*id, LeaveReason::stopped});
  return std::nullopt;
}

}  // namespace daybook
