// SPDX-License-Identifier: Apache-2.0
#pragma once

// MemoryBook: an open book in memory with a clock in the test's hand, and verbs for its story.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/apply.hpp"
#include "daybook/core/execute.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/state.hpp"

namespace daybook::testing {

using namespace std::chrono_literals;

inline constexpr GenerationTag first_tag{0x9f3ac1d2};

class MemoryBook {
 public:
  MemoryBook() {
    now.wall = Instant(Duration(1'772'625'600'000'000));  // 2026-03-04T12:00:00Z
    now.boot = BootTime(100s);
    now.book = BookTime(110s);
    (void)submit({BeginGeneration{{Generation{1, first_tag}, false, {}, 7}}, opening(true, TailStatus::created)});
  }

  // ---- the world

  void pass(Duration by) {
    now.wall += by;
    now.boot += by;
    now.book += by;
  }
  void step_wall(Duration by) { now.wall += by; }
  void boot_anew() {
    now.boot = BootTime(5s);
    ++boot;
  }

  // ---- asking

  Outcome submit(std::vector<Command> commands, Context context = {}) {
    return execute_here({std::move(commands), std::move(context)});
  }
  Outcome execute_here(const Submission& submission) {
    Outcome outcome = execute(state, submission, now, bounds, *zones);
    events.insert(events.end(), outcome.events.begin(), outcome.events.end());
    return outcome;
  }
  Result<Answer> ask(Command command, Context context = {}) {
    Outcome outcome = submit({std::move(command)}, std::move(context));
    if (!outcome.answers) return tl::unexpected<Refusal>(outcome.answers.error());
    if (outcome.answers->empty()) return Done{};  // repeated
    return outcome.answers->front();
  }
  /// The code that the command is refused with; nothing when it is not.
  std::optional<RefusalCode> refusal_of(Command command) {
    auto answer = ask(std::move(command));
    if (answer) return std::nullopt;
    sentence = answer.error().sentence;
    return answer.error().code;
  }
  [[nodiscard]] Decision decide_here(const Command& command) const {
    return decide(state, command, now, state.book().head.next(), bounds, *zones);
  }

  // ---- verbs that must succeed

  JobId schedule(Schedule command = {.queue = "mail", .kind = "send"}) {
    const auto answer = ask(std::move(command));
    EXPECT_TRUE(answer.has_value()) << answer.error().sentence;
    return answer ? std::get<Scheduled>(*answer).job : JobId();
  }
  std::vector<ClaimedJob> claim(Claim command) {
    const auto answer = ask(std::move(command));
    EXPECT_TRUE(answer.has_value()) << answer.error().sentence;
    return answer ? std::get<Claimed>(*answer).jobs : std::vector<ClaimedJob>();
  }
  ClaimedJob claim_one(Duration lease = 30s, Holder holder = Holder::external) {
    auto jobs = claim({.queues = {"mail"}, .worker = "w1", .lease = lease, .holder = holder});
    EXPECT_EQ(jobs.size(), 1U);
    return jobs.empty() ? ClaimedJob() : jobs.front();
  }
  void done(Command command) {
    const auto answer = ask(std::move(command));
    EXPECT_TRUE(answer.has_value()) << answer.error().sentence;
  }
  /// As the engine does behind each step.
  void settle(std::uint32_t at_once = 1000) {
    while (!state.unsettled(1).empty()) done(SettleChildren{at_once});
  }
  void crash_and_open(bool new_boot = false) {
    if (new_boot) boot_anew();
    done(opening(new_boot, TailStatus::unclean));
  }
  void close_and_open(bool new_boot = false) {
    done(CloseBook{});
    if (new_boot) boot_anew();
    done(opening(new_boot, TailStatus::clean));
  }
  /// As salvage writes it: no command leads to such an event.
  void put_down(Event event) {
    const Book& of = state.book();
    events.push_back({of.head.next(), of.epoch, now.wall, now.boot, {}, std::nullopt, std::move(event)});
    apply(state, events.back());
  }
  void become_a_copy() {
    const Generation last = state.book().generation;
    const Generation next{last.number + 1, GenerationTag(last.tag.value() + 1)};
    done(BeginGeneration{{next, true, {}, 8}});
  }

  // ---- looking

  [[nodiscard]] const Job& job(const JobId& id) const {
    const Job* found = state.job(id.sequence);
    EXPECT_NE(found, nullptr);
    static const Job none;
    return found ? *found : none;
  }
  [[nodiscard]] JobState state_of(const JobId& id) const { return job(id).state; }

  template <class E>
  [[nodiscard]] std::vector<E> all() const {
    std::vector<E> found;
    for (const RecordedEvent& recorded : events) {
      if (const auto* event = std::get_if<E>(&recorded.event)) found.push_back(*event);
    }
    return found;
  }
  template <class E>
  [[nodiscard]] std::size_t count() const {
    return all<E>().size();
  }
  template <class E>
  [[nodiscard]] const E& last() const {
    for (auto at = events.rbegin(); at != events.rend(); ++at) {
      if (const auto* event = std::get_if<E>(&at->event)) return *event;
    }
    ADD_FAILURE() << "no such event";
    static const E none{};
    return none;
  }

  [[nodiscard]] OpenBook opening(bool new_boot, TailStatus tail) const {
    BookOpened opened;
    opened.epoch = state.book().epoch.next();
    opened.boot_id.bytes[0] = boot;
    opened.book_offset = now.book.time_since_epoch() - now.boot.time_since_epoch();
    opened.new_boot = new_boot;
    opened.tail = tail;
    return {opened};
  }

  State state;
  Moment now;
  Bounds bounds;
  const Zones* zones = &utc_alone();
  std::uint8_t boot = 1;
  std::vector<RecordedEvent> events;
  std::string sentence;  // of the last refusal_of
};

[[nodiscard]] inline State replayed(const std::vector<RecordedEvent>& events) {
  State state;
  for (const RecordedEvent& recorded : events) apply(state, recorded);
  return state;
}

}  // namespace daybook::testing
