// SPDX-License-Identifier: Apache-2.0
// What the holder of a claim can say: each names the job and shows the token that the claim gave.
#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "job_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

constexpr const char* kTokenHelp = "the right to speak for the job, as claim gave it";

int renew(const Common& common, const Renew::One& claim, Duration lease) {
  Daybook book = open_book(common);
  const auto renewed = std::get<Renewed>(execute(book, common, Renew{.claims = {claim}, .lease = lease}));
  const Renewed::One one = take(renewed.claims.front());
  const JobInfo job = take(book.job(claim.job));
  book.close();
  if (common.json) {
    print_json(job_json(job));
  } else {
    print(to_string(one.job) + "  running  until " + to_string(one.lease_expires_at) +
          (one.cancel_requested ? "  cancel requested: stop, please" : ""));
  }
  return static_cast<int>(Exit::fine);
}

void add_renew(Tool& tool) {
  struct Options {
    Renew::One claim;
    Duration lease = limits::lease_default;
  };
  auto options = std::make_shared<Options>();
  tool.verb("renew", "keeps a claim for another lease", Opens::writing)
      .about("keeps a claim: the lease begins anew. Says so when somebody asked for the job to be cancelled.")
      .argument("ID", options->claim.job, "the job")
      .option("--token", "T", options->claim.token, kTokenHelp)
      .required()
      .option("--lease", "D", options->lease, "from now, 1s to 24h (30s)")
      .option("--progress", "TEXT", options->claim.progress, "a checkpoint; the next attempt gets it")
      .example(
          "  $ daybook renew 17-9f3ac1d2 --token 31-9f3ac1d2 --lease 5m\n"
          "  17-9f3ac1d2  running  until 2026-03-04T12:10:00.113204Z\n")
      .runs([&tool, options] { return renew(tool.common(), options->claim, options->lease); });
}

void add_complete(Tool& tool) {
  auto command = std::make_shared<Complete>();
  tool.verb("complete", "ends a claimed job with success", Opens::writing)
      .about("ends a claimed job with success.")
      .argument("ID", command->job, "the job")
      .option("--token", "T", command->token, kTokenHelp)
      .required()
      .option("--result", "TEXT", command->result, "kept with the job")
      .example(
          "  $ daybook complete 17-9f3ac1d2 --token 31-9f3ac1d2 --result sent\n"
          "  17-9f3ac1d2  completed  attempt 1 of 25\n")
      .runs([&tool, command] { return change_job(tool.common(), command->job, *command); });
}

void add_fail(Tool& tool) {
  struct Options {
    Fail command;
    bool no_retry = false;
  };
  auto options = std::make_shared<Options>();
  Fail& command = options->command;
  tool.verb("fail", "ends an attempt without success", Opens::writing)
      .about(
          "ends an attempt without success. The job waits for its backoff and is tried again, or is dead\n"
          "when no attempt is left.")
      .argument("ID", command.job, "the job")
      .option("--token", "T", command.token, kTokenHelp)
      .required()
      .option("--error", "TEXT", command.error, "what went wrong")
      .required()
      .option("--error-kind", "NAME", command.error_kind, "transient, business, timeout, crash, or your own")
      .flag("--no-retry", options->no_retry, "no attempt would do better: the job is dead")
      .option("--retry-in", "D", command.retry_in, "again after exactly this long")
      .not_with("--no-retry")
      .example(
          "  $ daybook fail 17-9f3ac1d2 --token 31-9f3ac1d2 --error \"smtp 421\" --error-kind transient\n"
          "  17-9f3ac1d2  retryable  attempt 1 of 25  due 2026-03-04T12:05:01.213204Z  smtp 421\n")
      .runs([&tool, options] {
        options->command.retryable = !options->no_retry;
        return change_job(tool.common(), options->command.job, options->command);
      });
}

void add_snooze(Tool& tool) {
  struct Options {
    Snooze command;
    std::optional<Duration> delay;
    std::optional<Instant> until;
  };
  auto options = std::make_shared<Options>();
  tool.verb("snooze", "puts a claimed job off; the attempt does not count", Opens::writing)
      .about("puts a claimed job off to a later time. The attempt does not count.")
      .argument("ID", options->command.job, "the job")
      .option("--token", "T", options->command.token, kTokenHelp)
      .required()
      .option("--for", "D", options->delay, "due again after this long")
      .option("--until", "TIME", options->until, "due again at this instant")
      .not_with("--for")
      .example(
          "  $ daybook snooze 17-9f3ac1d2 --token 31-9f3ac1d2 --for 10m\n"
          "  17-9f3ac1d2  scheduled  attempt 0 of 25  due 2026-03-04T12:15:00.113204Z\n")
      .runs([&tool, options] {
        if (!options->delay && !options->until) throw UsageError("until when? Give --for 10m, or --until TIME");
        options->command.due = when(options->delay, options->until);
        return change_job(tool.common(), options->command.job, options->command);
      });
}

void add_release(Tool& tool) {
  auto command = std::make_shared<Release>();
  tool.verb("release", "hands a claimed job back; the attempt does not count", Opens::writing)
      .about("hands a claimed job back, to be claimed again at once. The attempt does not count.")
      .argument("ID", command->job, "the job")
      .option("--token", "T", command->token, kTokenHelp)
      .required()
      .example(
          "  $ daybook release 17-9f3ac1d2 --token 31-9f3ac1d2\n"
          "  17-9f3ac1d2  available  attempt 0 of 25  due 2026-03-04T12:05:00.113204Z\n")
      .runs([&tool, command] { return change_job(tool.common(), command->job, *command); });
}

}  // namespace

void add_outcomes(Tool& tool) {
  add_renew(tool);
  add_complete(tool);
  add_fail(tool);
  add_snooze(tool);
  add_release(tool);
}

}  // namespace daybook::cli
