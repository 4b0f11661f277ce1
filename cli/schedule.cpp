// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "daybook/core/escape.hpp"
#include "daybook/core/execute.hpp"
#include "daybook/core/state.hpp"
#include "daybook/system/system_clock.hpp"
#include "exit.hpp"
#include "job_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

struct ScheduleOptions {
  Schedule command;
  std::optional<std::string> payload_file;
  std::optional<Duration> in;
  std::optional<Instant> at;
  std::optional<std::string> start_deadline;
  std::vector<JobId> parents;
};

/// "10m" or "2027-01-31T09:00:00Z".
Result<When> instant_or_duration(const std::string& text) {
  if (const auto duration = parse_duration(text)) return after(*duration);
  const auto instant = parse_instant(text);
  if (instant) return When{*instant};
  return refuse(
      RefusalCode::invalid_argument,
      daybook::quoted(text) + " is neither a duration like 10m or 1h30m nor an instant like 2027-01-31T09:00:00Z");
}

// What any book would refuse is refused before one is made or opened.
void rehearse(const Common& common, const Schedule& command) {
  SystemClock clock;
  const Moment now{clock.wall(), clock.boot(), BookTime(clock.boot().time_since_epoch()), 0};
  BookOpened opening;
  opening.epoch = Epoch(1);
  GenerationBegun begun;
  begun.generation = {1, GenerationTag(1)};
  State empty;
  static_cast<void>(daybook::execute(
      empty, {.commands = {OpenBook{opening}, BeginGeneration{begun}, RaiseFeatureLevel{}}, .context = context(common)},
      now, {}));
  const auto try_out = [&](const Schedule& asked) {
    return take(daybook::execute(empty, {.commands = {asked}, .context = context(common)}, now, {}).answers);
  };
  Schedule asked = command;
  if (!asked.parents.empty()) {
    // Which there are, only the book knows.
    const auto answers = try_out({.queue = "any", .kind = "any"});
    for (Parent& parent : asked.parents) parent = std::get<Scheduled>(answers.front()).job;
  }
  static_cast<void>(try_out(asked));
}

int schedule(const Common& common, ScheduleOptions& options) {
  Schedule& command = options.command;
  // Before the book is opened, so that a payload nobody could keep costs nothing and makes no book.
  if (options.payload_file) command.payload = take(read_payload(*options.payload_file, limits::payload_bytes_default));
  command.due = when(options.in, options.at);
  if (options.start_deadline) command.start_deadline = take(instant_or_duration(*options.start_deadline));
  if (auto fine = check(command.retry); !fine) take(fine);
  command.parents.assign(options.parents.begin(), options.parents.end());

  rehearse(common, command);
  Daybook book = open_book(common, IfMissing::create);
  const auto answer = std::get<Scheduled>(execute(book, common, command));
  const JobInfo job = take(book.job(answer.job));
  book.close();
  if (common.json) {
    Json object = job_json(job);
    object["existing"] = answer.existing;
    object["replaced"] = answer.replaced;
    print_json(object);
  } else {
    print(to_string(answer.job));
    if (answer.existing) {
      tell(answer.replaced ? "a job with this unique key was there already; it was given this payload"
                           : "a job with this unique key was there already");
    }
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_schedule(Tool& tool) {
  auto options = std::make_shared<ScheduleOptions>();
  Schedule& command = options->command;
  tool.verb("schedule", "adds a job, and makes the daybook when there is none", Opens::writing)
      .about(
          "adds a job and prints its id, once it is safely on the disk.\n"
          "Makes the daybook when the directory is missing or empty.")
      .option("--queue", "Q", command.queue, "the queue it waits in")
      .required()
      .option("--kind", "K", command.kind, "what is to be done; workers choose by it")
      .required()
      .option("--payload", "TEXT", command.payload, "what the worker gets, up to 256 KiB")
      .option("--payload-file", "FILE", options->payload_file, "the same, from a file; \"-\" reads standard input")
      .not_with("--payload")
      .option("--in", "D", options->in, "due after this long: 250ms, 90s, 10m, 1h30m, 7d")
      .option("--at", "TIME", options->at, "due at this instant: 2027-01-31T09:00:00Z")
      .not_with("--in")
      .option("--start-deadline", "WHEN", options->start_deadline,
              "dead when no worker took it by then: an instant, or\na duration from now")
      .option("--run-timeout", "D", command.run_timeout, "an attempt that takes longer has failed")
      .option("--total-timeout", "D", command.total_timeout, "dead when it is not through by then, even while it runs")
      .repeated("--after", "ID", options->parents, "waits until this job is final; may be given again")
      .option(
          "--when", "HOW", command.run_when,
          "with --after: it runs when they succeeded (all completed), failed (one is\ndead or cancelled), or always")
      .option("--else", "WHAT", command.otherwise, "otherwise it is dead (fail) or cancelled (cancel)")
      .option("--priority", "N", command.priority, "lower is sooner; 0 unless given")
      .option("--unique-key", "KEY", command.unique_key, "at most one job of this key waits or runs in the queue")
      .option("--on-conflict", "WHAT", command.on_conflict,
              "when another has the key: reject (exit 1),\nreturn-existing (prints its id), replace (it gets "
              "this payload and due time),\ndebounce (… and is pushed back), throttle (… and keeps its due time)")
      .option("--debounce-max", "D", command.debounce_max, "pushed back no further than this from the first scheduling")
      .option("--unique-for", "D", command.unique_for, "the key is held no longer than this")
      .option("--unique-in", "STATES", command.unique_scope,
              "final states in which it is held as well:\ncompleted,cancelled,dead")
      .option("--keep-result", "D", command.keep_result, "how long its result is kept, instead of the book's retention")
      .option("--max-attempts", "N", command.retry.max_attempts, "dead after so many failures (25)")
      .option("--backoff", "HOW", command.retry.backoff, "between attempts: exponential (as it is), or fixed")
      .option("--first", "D", command.retry.first, "the delay after the first failure (1s)")
      .option("--cap", "D", command.retry.cap, "no delay is longer (1h)")
      .option("--group", "NAME", command.group,
              "whose job it is: groups of a queue take turns, and can\nbe limited each by itself")
      .repeated("--tag", "KEY=VALUE", command.tags, "kept with the job")
      .example(
          "  $ daybook schedule --queue mail --kind welcome --payload ada@example.org --in 10m\n"
          "  17-9f3ac1d2\n")
      .runs([&tool, options] { return schedule(tool.common(), *options); });
}

}  // namespace daybook::cli
