// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "daybook/core/escape.hpp"
#include "daybook/trace.hpp"
#include "exit.hpp"
#include "job_options.hpp"
#include "job_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

struct ScheduleOptions {
  JobOptions job;
  std::optional<Duration> in;
  std::optional<Instant> at;
  std::optional<std::string> start_deadline;
  std::vector<JobId> parents;
  std::string trace;
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

int schedule(const Common& common, ScheduleOptions& options) {
  Schedule& command = options.job.command;
  // Before the book is opened, so that a payload nobody could keep costs nothing and makes no book.
  complete(options.job);
  command.due = when(options.in, options.at);
  if (options.start_deadline) command.start_deadline = take(instant_or_duration(*options.start_deadline));
  command.parents.assign(options.parents.begin(), options.parents.end());
  if (!options.trace.empty()) {
    if (const auto known = parse_traceparent(options.trace); !known) {
      throw UsageError("--trace: " + known.error().sentence);
    }
  }
  rehearse(common, command);
  Daybook book = open_book(common, IfMissing::create);
  Submission submission{.commands = {command}, .context = context(common)};
  submission.context.trace = options.trace;
  const auto answer = std::get<Scheduled>(take(book.execute(std::move(submission))).front());
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
  Schedule& command = options->job.command;
  Verb& verb = tool.verb("schedule", "adds a job, and makes the daybook when there is none", Opens::writing)
                   .about(
                       "adds a job and prints its id, once it is safely on the disk.\n"
                       "Makes the daybook when the directory is missing or empty.");
  add_job_contents(verb, options->job)
      .option("--in", "D", options->in, "due after this long: 250ms, 90s, 10m, 1h30m, 7d")
      .option("--at", "TIME", options->at, "due at this instant: 2027-01-31T09:00:00Z")
      .not_with("--in")
      .option("--start-deadline", "WHEN", options->start_deadline,
              "dead when no worker took it by then: an instant, or\na duration from now")
      .option("--trace", "CONTEXT", options->trace, "W3C trace context (a traceparent), for whoever runs the job")
      .repeated("--after", "ID", options->parents, "waits until this job is final")
      .option(
          "--when", "HOW", command.run_when,
          "with --after: it runs when they succeeded (all completed), failed (one is\ndead or cancelled), or always")
      .option("--else", "WHAT", command.otherwise, "otherwise it is dead (fail) or cancelled (cancel)");
  add_job_policies(verb, options->job)
      .option("--unique-key", "KEY", command.unique_key, "at most one job of this key waits or runs in the queue")
      .option("--on-conflict", "WHAT", command.on_conflict,
              "when another has the key: reject (exit 1),\nreturn-existing (prints its id), replace (it gets "
              "this payload and due time),\ndebounce (… and is pushed back), throttle (… and keeps its due time)")
      .option("--debounce-max", "D", command.debounce_max,
              "pushed back no further than this from the scheduling, or the\nfirst newcomer, that first said so")
      .option("--unique-for", "D", command.unique_for, "the key is held no longer than this")
      .option("--unique-in", "STATES", command.unique_scope,
              "final states in which it is held as well:\ncompleted,cancelled,dead")
      .example(
          "  $ daybook schedule --queue mail --kind welcome --payload ada@example.org --in 10m\n"
          "  17-9f3ac1d2\n")
      .runs([&tool, options] { return schedule(tool.common(), *options); });
}

}  // namespace daybook::cli
