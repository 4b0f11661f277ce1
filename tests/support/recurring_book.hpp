// SPDX-License-Identifier: Apache-2.0
#pragma once

// RecurringBook: a MemoryBook with schedules, and the story of what became of their occurrences.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/core/recurring_info.hpp"
#include "support/memory_book.hpp"

namespace daybook::testing {

class RecurringBook : public MemoryBook {
 public:
  RecurringBook() {
    done(RaiseFeatureLevel{});
    told_ = events.size();
  }

  static Instant day(std::string_view clock) {
    return *parse_instant("2026-03-04T" + std::string(clock) + "Z");  // the day on which a MemoryBook begins, at noon
  }
  static Recurrence every(Duration period) { return {.rule = IntervalRule{period, day("00:00:00")}}; }
  static Recurrence cron(std::string_view expression, std::string zone = "UTC") {
    return {.rule = CronRule{.expression = *parse_cron(expression), .zone = std::move(zone)}};
  }
  static RecurringSpec spec(Recurrence recurrence, Overlap overlap = Overlap::skip, MissedPolicy missed = {}) {
    return {.name = "report",
            .recurrence = std::move(recurrence),
            .job = {.queue = "mail", .kind = "send"},
            .missed = missed,
            .overlap = overlap};
  }

  // ---- verbs

  Declared declare(RecurringSpec what) {
    const auto answer = ask(DeclareRecurring{"service", std::move(what)});
    EXPECT_TRUE(answer.has_value()) << answer.error().sentence;
    return answer ? std::get<Declared>(*answer) : Declared();
  }
  Synced sync(std::vector<RecurringSpec> specs, std::string owner = "service") {
    const auto answer = ask(SyncRecurring{std::move(owner), std::move(specs)});
    EXPECT_TRUE(answer.has_value()) << answer.error().sentence;
    return answer ? std::get<Synced>(*answer) : Synced();
  }
  /// As the engine does: until nothing is due.
  void fire() {
    for (int i = 0; i < 10'000; ++i) {
      const auto next = state.timers().recurring;
      if (!next || *next > now.wall) return;
      done(FireRecurring{});
    }
    ADD_FAILURE() << "it never ends";
  }
  /// Time passes, with somebody who looks when something is due.
  void run_until(Instant until) {
    for (auto next = state.timers().recurring; next && *next <= until; next = state.timers().recurring) {
      if (*next > now.wall) pass(*next - now.wall);
      fire();
    }
    if (now.wall < until) pass(until - now.wall);
  }
  /// Time passes, and nobody looks.
  void away_until(Instant until) { pass(until - now.wall); }
  void complete_all() {
    while (true) {
      const auto jobs = claim({.queues = {"mail"}, .worker = "w1", .lease = 1h, .count = 100});
      if (jobs.empty()) return;
      for (const ClaimedJob& job : jobs) done(Complete{job.id, job.token});
    }
  }

  // ---- looking

  [[nodiscard]] const Recurring& schedule_named(std::string_view name = "report") const {
    static const Recurring none;
    const Recurring* found = find_recurring(state, name);
    EXPECT_NE(found, nullptr);
    return found ? *found : none;
  }
  [[nodiscard]] RecurringInfo info(std::string_view name = "report") const {
    return recurring_info(schedule_named(name), state);
  }

  /// What became of occurrences since it was last asked: "timer 12:10, overlap 12:20-12:40 (3), buffered 12:50".
  std::string story() {
    std::string told;
    for (; told_ < events.size(); ++told_) {
      const std::string line = line_of(events[told_].event);
      told += (told.empty() || line.empty() ? "" : ", ") + line;
    }
    return told;
  }

 private:
  static std::string clock(Instant at) {
    const std::string text = to_string(at);
    const std::string seconds = text.substr(17, 2);
    const std::string date = text.substr(0, 10) == "2026-03-04" ? "" : text.substr(5, 6);
    return date + text.substr(11, 5) + (seconds == "00" ? "" : ":" + seconds);
  }
  static std::string line_of(const Event& event) {
    if (const auto* fired = std::get_if<RecurringFired>(&event)) {
      return std::string(to_string(fired->by)) + " " + clock(fired->nominal);
    }
    if (const auto* buffered = std::get_if<RecurringBuffered>(&event)) return "buffered " + clock(buffered->nominal);
    if (std::holds_alternative<JobCancelled>(event)) return "cancelled";
    if (std::holds_alternative<CancelRequested>(event)) return "asked to stop";
    const auto* skipped = std::get_if<RecurringSkipped>(&event);
    if (!skipped) return {};
    std::string line = std::string(to_string(skipped->reason)) + " " + clock(skipped->from);
    if (skipped->count > 1) line += "-" + clock(skipped->until) + " (" + std::to_string(skipped->count) + ")";
    return line;
  }

  std::size_t told_ = 0;
};

}  // namespace daybook::testing
