// SPDX-License-Identifier: Apache-2.0
#pragma once

// EngineBook: an engine on a disk in memory with time that the test moves, and verbs to live with it.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/scheduler/engine.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"

namespace daybook::test {

class EngineBook {
 public:
  using Replied = std::shared_ptr<std::optional<Reply>>;

  // ---- its life

  void open(ClockPolicy policy = ClockPolicy::ask) {
    log = log_exists(storage) ? SegmentLog::open(storage, clock, random, log_options, found)
                              : SegmentLog::create(storage, clock, random, log_options, found);
    auto state = std::make_unique<State>(rebuild(events_of(*log), log->tail().sequence));
    engine = std::make_unique<Engine>(Engine::Parts{.journal = *log,
                                                    .store = std::move(state),
                                                    .clock = clock,
                                                    .random = random,
                                                    .bounds = {},
                                                    .clock_policy = policy,
                                                    .warn = {}});
    BookOpened opening;
    opening.epoch = found.epoch;
    opening.tail = found.tail;
    engine->open(opening, {});
  }
  void close() {
    engine->withdraw_all();
    step();
    engine->close();
    forget();
  }
  void kill() {  // the process; the page cache stays
    forget();
    storage.kill();
  }
  void crash() {  // the machine
    forget();
    storage.crash();
  }

  // ---- asking

  Replied submit(Command command) {
    auto replied = std::make_shared<std::optional<Reply>>();
    engine->submit(Submission{.commands = {std::move(command)}},
                   [replied](Reply reply) { *replied = std::move(reply); });
    return replied;
  }
  Replied wait_for_claim(Duration wait, Claim claim = any()) {
    auto replied = std::make_shared<std::optional<Reply>>();
    engine->submit_claim(++tickets_, std::move(claim), {}, engine->now().book + wait,
                         [replied](Reply reply) { *replied = std::move(reply); });
    return replied;
  }
  Engine::Step step() {
    Engine::Step done = engine->step();
    for (auto& [completion, reply] : done.finished) completion(std::move(reply));
    done.finished.clear();
    return done;
  }
  /// The reply to one command, after one step. A StorageError is thrown.
  Result<Answer> ask(Command command) {
    const Replied replied = submit(std::move(command));
    step();
    Reply& reply = replied->value();
    if (reply.error) std::rethrow_exception(reply.error);
    if (!reply.answers) return tl::unexpected<Refusal>(reply.answers.error());
    return std::move(reply.answers->front());
  }
  JobId schedule(Schedule command) { return std::get<Scheduled>(ask(std::move(command)).value()).job; }
  std::vector<ClaimedJob> claim(Claim command = any()) {
    return std::get<Claimed>(ask(std::move(command)).value()).jobs;
  }
  void renew(const ClaimedJob& job, Duration lease) {
    Renew command;
    command.claims.push_back({.job = job.id, .token = job.token});
    command.lease = lease;
    ask(std::move(command)).value();
  }
  std::optional<RefusalCode> refusal_of(Command command) {
    const auto answer = ask(std::move(command));
    return answer ? std::nullopt : std::optional(answer.error().code);
  }

  static Claim any() { return any(std::chrono::seconds(30)); }
  static Claim any(Duration lease) { return Claim{.queues = {"mail"}, .worker = "w", .lease = lease, .count = 1000}; }
  static Schedule mail(When due = {}) {
    return Schedule{.queue = "mail", .kind = "welcome", .payload = "hello", .due = due};
  }

  // ---- looking

  [[nodiscard]] const Book& book() const { return engine->view().book(); }
  [[nodiscard]] const Job& job(JobId id) const { return *engine->view().job(id.sequence); }
  template <class Wanted>
  [[nodiscard]] std::vector<Wanted> recorded() const {
    std::vector<Wanted> all;
    log->read(Sequence(1), [&](const RecordedEvent& event) {
      if (const auto* one = std::get_if<Wanted>(&event.event)) all.push_back(*one);
      return true;
    });
    return all;
  }

  MemoryStorage storage;
  ManualClock clock;
  FixedRandom random;
  LogOptions log_options;
  LogOpening found;
  std::unique_ptr<SegmentLog> log;
  std::unique_ptr<Engine> engine;

 private:
  void forget() {
    engine.reset();
    log.reset();
  }
  Engine::Ticket tickets_ = 0;
};

}  // namespace daybook::test
