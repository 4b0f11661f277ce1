// SPDX-License-Identifier: Apache-2.0

// The victim of kill_test: schedules and completes as fast as it can, and says on standard output what it was told is
// durable, a line each: "S 17" scheduled, "C 17" completed. Lives until it is killed.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "daybook/daybook.hpp"

namespace {

void say(char what, daybook::JobId id) {
  const std::string line = std::string(1, what) + " " + std::to_string(id.sequence.value()) + "\n";
  // One write a line, so that no line is torn by another thread's.
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

}  // namespace

int main(int, char** argv) {
  auto book = daybook::Daybook::open(argv[1]);
  // Each in turn schedules and completes, so that as much is completed on a busy machine as on any other.
  const auto work = [&book] {
    while (true) {
      say('S', book.schedule({.queue = "q", .kind = "k", .payload = "payload"}).value());
      const auto jobs = book.claim({.queues = {"q"}, .worker = "w", .count = 1, .holder = daybook::Holder::handler},
                                   std::chrono::hours(1));
      for (const auto& job : jobs.value()) {
        if (book.complete(job, "result")) say('C', job.id);
      }
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back(work);
  work();
}
