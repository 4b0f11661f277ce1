// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <daybook/daybook.hpp>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>

using namespace std::chrono_literals;

// Two customers share a queue. One schedules two hundred jobs, the other three, and has a weight of 2. No more than two jobs of a
// customer run at once, and the queue starts no more than 200 a second.
int main(int argc, char** argv) {
  auto book = daybook::Daybook::open(argc > 1 ? argv[1] : "fairness.daybook");
  if (!book.set_limits({.queue = "render", .running_per_group = 2, .rate = daybook::Rate{200, 1s, 1}},
                       "what the GPU can do") ||
      !book.set_weight({.queue = "render", .group = "small", .weight = 2}, "pays for it")) {
    return 1;
  }
  const auto schedule = [&](const std::string& customer, int count) {
    daybook::Submission jobs;
    for (int i = 0; i < count; ++i) {
      jobs.commands.emplace_back(daybook::Schedule{.queue = "render", .kind = "frame", .group = customer});
    }
    return book.execute(jobs).has_value();
  };
  if (!schedule("big", 200) || !schedule("small", 3)) return 1;

  std::mutex mutex;
  int started = 0;
  std::map<std::string, int> last;     // start of each customer
  std::map<std::string, int> at_once;  // how many of it run
  int most = 0;
  auto worker = book.work({.queues = {"render"}, .slots = 8});
  worker.on("frame", [&](daybook::Attempt& attempt) {
    {
      const std::lock_guard lock(mutex);
      last[attempt.job().group] = ++started;
      most = std::max(most, ++at_once[attempt.job().group]);
    }
    std::this_thread::sleep_for(1ms);
    const std::lock_guard lock(mutex);
    --at_once[attempt.job().group];
    return daybook::done();
  });
  if (!worker.start()) return 1;
  worker.run_until_empty();
  worker.stop();

  std::cout << "the last of big's 200 jobs was start " << last["big"] << ", the last of small's 3 was start "
            << last["small"] << "\nat most " << most << " of a customer ran at once\n";
}
