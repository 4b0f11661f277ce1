// SPDX-License-Identifier: Apache-2.0
// A service declares what recurs, is away for some nights, and goes on; all of it in virtual time, over the end of summer time.
#include <daybook/daybook.hpp>
#include <daybook/testing/test_book.hpp>
#include <iostream>

using namespace std::chrono_literals;

namespace {

// What the service says at each start. What it no longer says here is removed.
void declare(daybook::Daybook& book) {
  const auto cron = daybook::parse_cron("30 2 * * *");
  const auto synced = book.recurring().sync(
      "reports", {{.name = "nightly",
                   .recurrence = {.rule = daybook::CronRule{.expression = *cron, .zone = "Europe/Prague"}},
                   .job = {.queue = "reports", .kind = "nightly"},
                   .missed = {.runs = daybook::Missed::once}}});
  if (!synced) throw std::runtime_error(synced.error().sentence);
  std::cout << synced->added << " added, " << synced->unchanged << " as it was\n";
}

// Works for so long, and is gone.
void live(daybook::testing::TestBook& test, daybook::Duration time) {
  daybook::WorkLoop worker = test->work({.queues = {"reports"}});
  worker.on("nightly", [](daybook::Attempt& attempt) {
    std::cout << "report of " << daybook::to_string(*attempt.job().nominal) << ", at "
              << daybook::to_string(attempt.job().due_at) << "\n";
    return daybook::done();
  });
  if (!worker.start()) throw std::runtime_error("the worker was refused");
  declare(*test);
  test.advance_and_run(time);
  worker.stop();
}

}  // namespace

int main() {
  daybook::testing::TestBook test;
  test.clock().set_wall(*daybook::parse_instant("2026-10-23T12:00:00Z"));
  live(test, 24h * 3);  // 02:30 comes twice on the 25th, and counts once

  test.clock().advance(24h * 3);  // three nights without anybody
  test.reopen();
  live(test, 24h);  // the last of them is made up for, the others are on record as skipped

  const auto nightly = test->recurring().find("nightly");
  if (!nightly) return 1;
  std::cout << "next: " << daybook::to_string(nightly->next->nominal) << "\n";
}
