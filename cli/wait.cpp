// SPDX-License-Identifier: Apache-2.0
// Waits for the end of a job, from outside: whoever has the book open goes on, and the log tells.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "daybook/replay/replay.hpp"
#include "daybook/system/system_clock.hpp"
#include "exit.hpp"
#include "job_output.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

using namespace std::chrono_literals;

// How long a look at the log may be old: short for what ends soon, and a second for what takes long.
constexpr Duration kFirstPause = 20ms;
constexpr Duration kLongestPause = 1s;

struct WaitOptions {
  JobId job;
  std::optional<Duration> span;
};

const Job& require_job(const State& state, const JobId& id) {
  const Job* job = state.job(id.sequence);
  if (job == nullptr) {
    throw RefusedError("job " + to_string(id) + " is not in this book, or is not kept any more: daybook job " +
                       to_string(id) + " tells what is known of it");
  }
  require_same_job(*job, id);
  return *job;
}

/// Ended, or left to somebody's decision by a salvage: nothing more will happen to it by itself.
bool is_over(const Job& job) {
  return is_final(job.state) || job.state == JobState::uncertain;
}

void show(const Common& common, const JobInfo& job) {
  if (common.json) {
    print_json(job_json(job));
    return;
  }
  const std::string result = excerpt(job.result.bytes(), 100);
  print(job_line(job) + (job.phase == Phase::completed && !result.empty() ? "  " + result : ""));
}

int wait(const Common& common, const WaitOptions& options) {
  SystemClock clock;
  const BootTime begun = clock.boot();
  auto book = std::make_unique<ReadingBook>(common);
  State state = book->state();
  Duration pause = kFirstPause;
  while (!is_over(require_job(state, options.job)) && book->exit_code() == static_cast<int>(Exit::fine)) {
    if (options.span) {
      const Duration left = *options.span - (clock.boot() - begun);
      if (left <= Duration(0)) break;
      pause = std::min(pause, left);
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
    book = std::make_unique<ReadingBook>(common);
    catch_up(state, book->events(), book->head());
  }
  const JobInfo job = job_info(require_job(state, options.job), state, moment_now(state));
  show(common, job);
  if (const int damage = book->exit_code(); damage != static_cast<int>(Exit::fine)) return damage;
  if (job.phase == Phase::completed) return static_cast<int>(Exit::fine);
  const Job& ended = require_job(state, options.job);
  if (!is_over(ended)) tell("it has not ended within " + to_string(*options.span));
  return static_cast<int>(is_over(ended) ? Exit::not_completed : Exit::not_ended);
}

}  // namespace

void add_wait(Tool& tool) {
  auto options = std::make_shared<WaitOptions>();
  tool.verb("wait", "waits until a job has ended, and says how", Opens::reading)
      .about(
          "waits until a job is completed, cancelled or dead, and prints it as it then stands. Works beside a running\n"
          "service. Exit code 0: completed; 4: it ended otherwise, or is uncertain; 5: it has not ended within --for.")
      .argument("ID", options->job, "the job")
      .option("--for", "D", options->span, "no longer than this; 0s only looks")
      .example(
          "  $ daybook wait 17-9f3ac1d2 --for 10m && echo sent\n"
          "  17-9f3ac1d2  completed  attempt 1 of 25\n"
          "  sent\n")
      .exits("4 ended, and not completed · 5 not ended within --for")
      .runs([&tool, options] { return wait(tool.common(), *options); });
}

}  // namespace daybook::cli
