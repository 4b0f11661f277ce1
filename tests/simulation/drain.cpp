// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "world.hpp"

// The end of every life: the disk works, the queues run, and every job comes to its end within a bounded number of steps.

namespace daybook::simulation {

using namespace std::chrono_literals;

namespace {

constexpr int rounds_at_most = 100;
constexpr int steps_at_most = 1000;

const std::vector<std::string> queues{"mail", "bills", "übung"};

Submission by_operator(Command command) {
  return Submission{.commands = {std::move(command)}, .context = {.actor = "ops"}};
}

bool is_due(const Ledger::Life& life, const Moment& now) {
  if (life.state != JobState::waiting) return false;
  return life.due.after ? *life.due.after <= now.book : life.due.at <= now.wall;
}

std::size_t count_due(const Ledger& ledger, const Moment& now) {
  return static_cast<std::size_t>(
      std::ranges::count_if(ledger.lives(), [&](const auto& entry) { return is_due(entry.second, now); }));
}

bool anything_left(const Ledger& ledger) {
  return std::ranges::any_of(ledger.lives(), [](const auto& entry) { return !is_final(entry.second.state); });
}

}  // namespace

void World::drain() {
  Choices none(0);
  calm();
  if (!over() && lied_) crash(End::power_lost, none);
  if (over() || lied_) return;
  if (engine_ && (shaken_ || engine_->poisoned())) go_down(End::killed, none);
  for (int tries = 0; !engine_ && !over() && tries < 2; ++tries) open_once(none);
  if (over()) return;
  if (!engine_) return failure.say("the book does not open on a disk that works");

  withdraw_claims();
  if (oracle.model().book().held) submit(by_operator(AdoptBook{}));
  for (const std::string& queue : queues) submit(by_operator(ResumeQueue{queue}));
  submit(by_operator(ConfirmClock{}));
  step();
  clock.advance(2s);
  step();
  if (!over() && !schedules()) return;
  if (!over() && !recurs()) return;
  for (int round = 0; !over() && anything_left(oracle.ledger()); ++round) {
    if (round == rounds_at_most) return failure.say("there are jobs that come to no end");
    if (!claim_and_complete()) return;
    if (round < 2 && !expect_wake()) return;
    if (round >= 2) skip_to_the_last_due();
  }
  if (over()) return;
  close(End::power_lost, none);
  if (over()) return;
  const LogVerdict verdict = verify_log(disk);
  if (verdict.kind != LogVerdict::Kind::clean_end || verdict.head.sequence != oracle.head()) {
    failure.say("after a clean end verify says: " + verdict.message);
  }
}

/// There is room on the disk, and the housekeeping has had the time to see it.
bool World::schedules() {
  bool scheduled = false;
  engine_->submit(by_operator(Schedule{.queue = "mail", .kind = "send"}),
                  [&](const Reply& reply) { scheduled = !reply.error && reply.answers; });
  step();
  if (!scheduled) failure.say("room has returned, and nothing can be scheduled");
  return scheduled && !over();
}

/// What recurs is handled when its time comes, for which the engine asks to be woken. Then it ends, or no life would.
bool World::recurs() {
  const auto first = [&] {
    std::optional<Instant> earliest;
    oracle.model().each_recurring([&](const Recurring& one) {
      const auto at = attention_at(one);
      if (at && (!earliest || *at < *earliest)) earliest = at;
    });
    return earliest;
  };
  const auto handled = [&] {
    for (int left = steps_at_most; left > 0 && !over() && first() && *first() <= clock.wall(); --left) step();
    if (!over() && first() && *first() <= clock.wall())
      failure.say("a recurring schedule is due, and nothing comes of it");
    return !over();
  };
  if (!handled()) return false;
  if (const auto next = first(); next && *next - clock.wall() < 48h) {
    if (!wake_wall_ || *wake_wall_ > *next) {
      failure.say("a recurring schedule will be due, and the engine does not ask to be woken");
      return false;
    }
    clock.advance(*next - clock.wall());
    if (!handled()) return false;
  }
  std::vector<std::string> names;
  oracle.model().each_recurring([&](const Recurring& one) {
    if (one.terms) names.push_back(oracle.model().name(one.id)->text);
  });
  for (const std::string& name : names) submit(by_operator(RemoveRecurring{name}));
  step();
  return !over();
}

/// One claim takes all that is due.
bool World::claim_and_complete() {
  const std::size_t due = count_due(oracle.ledger(), now());
  std::vector<ClaimedJob> claimed;
  engine_->submit(by_operator(Claim{.queues = queues, .worker = "last", .lease = 1h, .count = 10'000}),
                  [&](const Reply& reply) {
                    if (!reply.error && reply.answers) claimed = std::get<Claimed>(reply.answers->front()).jobs;
                  });
  step();
  if (over()) return false;
  if (claimed.size() < due) {
    failure.say(std::to_string(due) + " jobs were due, " + std::to_string(claimed.size()) + " could be claimed");
    return false;
  }
  for (const ClaimedJob& job : claimed) submit(by_operator(Complete{job.id, job.token, "done"}));
  step();
  return !over() && engine_ != nullptr;
}

/// The engine asks to be woken by the time the next job is due, when somebody waits for it; and then it is claimed.
bool World::expect_wake() {
  const auto anybody_waits = [&] {
    return std::ranges::any_of(oracle.ledger().lives(),
                               [](const auto& entry) { return entry.second.state == JobState::waiting; });
  };
  if (!anybody_waits()) return true;
  bool claimed = false;
  engine_->submit_claim(++tickets_, Claim{.queues = queues, .worker = "last", .lease = 1h}, {}, BookTime::max(),
                        [&](const Reply& reply) { claimed = !reply.error && reply.answers; });
  step();
  for (int wakes = 0; wakes < 200 && !claimed && !over(); ++wakes) {
    std::optional<BootTime> next = wake_boot_;
    if (wake_wall_) {
      const BootTime at = clock.boot() + (*wake_wall_ - clock.wall());
      if (!next || at < *next) next = at;
    }
    if (!next) break;
    if (*next > clock.boot()) clock.advance(*next - clock.boot());
    step();
  }
  if (!claimed) {
    withdraw_claims();
    step();
    // What waited may have met its start deadline.
    if (!over() && anybody_waits()) failure.say("a job waits, a worker waits, and the engine does not ask to be woken");
  }
  return !over();
}

void World::skip_to_the_last_due() {
  Moment last = now();
  for (const auto& [job, life] : oracle.ledger().lives()) {
    if (life.state == JobState::running) last.book = std::max(last.book, life.lease_end);
    if (life.state != JobState::waiting) continue;
    if (life.due.after) {
      last.book = std::max(last.book, *life.due.after);
    } else {
      last.wall = std::max(last.wall, life.due.at);
    }
  }
  clock.advance(last.book - now().book);
  if (last.wall > clock.wall()) clock.step_wall(last.wall - clock.wall());
  step();
}

}  // namespace daybook::simulation
