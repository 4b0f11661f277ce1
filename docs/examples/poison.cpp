// SPDX-License-Identifier: Apache-2.0

// A job that kills whoever runs it: after the attempts that it may have it is dead, and the others were done meanwhile. The processes that die
// here are books without a disk.
#include <daybook/daybook.hpp>
#include <daybook/testing/test_book.hpp>
#include <iostream>
#include <optional>

using namespace std::chrono_literals;

int main() {
  daybook::testing::TestBook test;
  daybook::JobId poison;
  for (const char* document : {"letter", "bomb", "invoice"}) {
    const auto job = test->schedule(
        {.queue = "documents", .kind = "convert", .payload = document, .retry = {.first = 1min, .max_attempts = 3}});
    if (!job) return 1;
    if (document == std::string_view("bomb")) poison = *job;
  }

  for (int life = 1; life <= 5; ++life) {
    std::optional<daybook::testing::TestBook> what_is_left;
    {
      auto worker = test->work({.queues = {"documents"}});
      worker.on("convert", [&](daybook::Attempt& attempt) {
        if (attempt.job().payload.bytes() == "bomb") what_is_left.emplace(test.as_if_killed());
        return daybook::done();
      });
      if (!worker.start()) return 1;
      for (int minutes = 0; minutes < 10 && !what_is_left; ++minutes) test.advance_and_run(1min);
    }
    if (!what_is_left) break;
    std::cout << "life " << life << " of the service was ended by attempt " << (*what_is_left)->job(poison)->attempt
              << "\n";
    test = std::move(*what_is_left);
  }

  const auto job = test->job(poison).value();
  std::cout << "the bomb is " << to_string(job.phase) << ": " << to_string(job.dead_reason) << "\n";
  const auto queue = test->stat().queues.at(0);
  std::cout << queue.completed << " others are completed\n";
  return job.dead_reason == daybook::DeadReason::lease_lost && queue.completed == 2 ? 0 : 1;
}
