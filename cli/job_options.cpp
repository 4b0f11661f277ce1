// SPDX-License-Identifier: Apache-2.0
#include "job_options.hpp"

#include "daybook/core/execute.hpp"
#include "daybook/core/state.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_zones.hpp"
#include "exit.hpp"
#include "writing.hpp"

namespace daybook::cli {

Verb& add_job_contents(Verb& verb, JobOptions& options) {
  Schedule& command = options.command;
  return verb.option("--queue", "Q", command.queue, "the queue it waits in")
      .required()
      .option("--kind", "K", command.kind, "what is to be done; workers choose by it")
      .required()
      .option("--payload", "TEXT", command.payload, "what the worker gets, up to 256 KiB")
      .option("--payload-file", "FILE", options.payload_file, "the same, from a file; \"-\" reads standard input")
      .not_with("--payload");
}

Verb& add_job_policies(Verb& verb, JobOptions& options) {
  Schedule& command = options.command;
  return verb.option("--run-timeout", "D", command.run_timeout, "an attempt that takes longer has failed")
      .option("--total-timeout", "D", command.total_timeout, "dead when it is not through by then, even while it runs")
      .option("--priority", "N", command.priority, "lower is sooner; 0 unless given")
      .option("--keep-result", "D", command.keep_result, "how long its result is kept, instead of the book's retention")
      .option("--max-attempts", "N", command.retry.max_attempts, "dead after so many failures (25)")
      .option("--backoff", "HOW", command.retry.backoff, "between attempts: exponential (as it is), or fixed")
      .option("--first", "D", command.retry.first, "the delay after the first failure (1s)")
      .option("--cap", "D", command.retry.cap, "no delay is longer (1h)")
      .option("--group", "NAME", command.group,
              "whose job it is: groups of a queue take turns, and can\nbe limited each by itself")
      .repeated("--tag", "KEY=VALUE", command.tags, "kept with the job");
}

void complete(JobOptions& options) {
  Schedule& command = options.command;
  if (options.payload_file) command.payload = take(read_payload(*options.payload_file, limits::payload_bytes_default));
  take(check(command.retry));
}

void rehearse(const Common& common, Command command) {
  SystemClock clock;
  const SystemZones zones;
  const Moment now{clock.wall(), clock.boot(), BookTime(clock.boot().time_since_epoch()), 0};
  BookOpened opening;
  opening.epoch = Epoch(1);
  GenerationBegun begun;
  begun.generation = {1, GenerationTag(1)};
  State empty;
  static_cast<void>(daybook::execute(
      empty, {.commands = {OpenBook{opening}, BeginGeneration{begun}, RaiseFeatureLevel{}}, .context = context(common)},
      now, {}));
  const auto try_out = [&](const Command& asked) {
    return take(daybook::execute(empty, {.commands = {asked}, .context = context(common)}, now, {}, zones).answers);
  };
  if (auto* schedule = std::get_if<Schedule>(&command); schedule != nullptr && !schedule->parents.empty()) {
    // Which there are, only the book knows.
    const auto answers = try_out(Schedule{.queue = "any", .kind = "any"});
    for (Parent& parent : schedule->parents) parent = std::get<Scheduled>(answers.front()).job;
  }
  static_cast<void>(try_out(command));
}

}  // namespace daybook::cli
