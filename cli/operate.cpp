// SPDX-License-Identifier: Apache-2.0
// What an operator does by hand. All of it is on record with who and, if given, why.
#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "job_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

struct Moved {
  JobId job;
  std::optional<Duration> in;
  std::optional<Instant> at;
};

void add_cancel(Tool& tool) {
  auto command = std::make_shared<Cancel>();
  tool.verb("cancel", "ends a job that waits; asks one that runs to stop", Opens::writing)
      .about(
          "cancels a job. One that waits will not run. One that runs is asked to stop: its worker learns it with\n"
          "its next renewal, and the job is cancelled when the attempt ends in any way but completion.")
      .argument("ID", command->job, "the job")
      .takes_reason()
      .example(
          "  $ daybook cancel 17-9f3ac1d2 --reason \"customer left\"\n"
          "  17-9f3ac1d2  cancelled  attempt 0 of 25\n")
      .runs([&tool, command] { return change_job(tool.common(), command->job, *command); });
}

void add_retry(Tool& tool) {
  auto options = std::make_shared<Moved>();
  tool.verb("retry", "gives a dead job as many attempts as it had at first", Opens::writing)
      .about("gives a dead job a fresh round of attempts, as many as it had at first.")
      .argument("ID", options->job, "the job, which must be dead")
      .option("--in", "D", options->in, "due after this long; at once unless given")
      .option("--at", "TIME", options->at, "due at this instant")
      .not_with("--in")
      .takes_reason()
      .example(
          "  $ daybook retry 17-9f3ac1d2 --reason \"mail server is back\"\n"
          "  17-9f3ac1d2  available  attempt 25 of 50  due 2026-03-04T12:05:00.113204Z\n")
      .runs([&tool, options] {
        return change_job(tool.common(), options->job,
                          Retry{.job = options->job, .due = when(options->in, options->at)});
      });
}

void add_reschedule(Tool& tool) {
  auto options = std::make_shared<Moved>();
  tool.verb("reschedule", "gives a waiting job another due time", Opens::writing)
      .about("gives a waiting job another due time, sooner or later.")
      .argument("ID", options->job, "the job, which must be waiting")
      .option("--in", "D", options->in, "due after this long; 0s is at once")
      .option("--at", "TIME", options->at, "due at this instant")
      .not_with("--in")
      .takes_reason()
      .example(
          "  $ daybook reschedule 17-9f3ac1d2 --in 2h\n"
          "  17-9f3ac1d2  scheduled  attempt 0 of 25  due 2026-03-04T14:05:00.113204Z\n")
      .runs([&tool, options] {
        if (!options->in && !options->at) throw UsageError("to when? Give --in 10m, or --at TIME");
        return change_job(tool.common(), options->job,
                          Reschedule{.job = options->job, .due = when(options->in, options->at)});
      });
}

int pause_or_resume(const Common& common, const std::string& queue, bool pause) {
  Daybook book = open_book(common);
  execute(book, common, pause ? Command(PauseQueue{queue}) : Command(ResumeQueue{queue}));
  book.close();
  if (common.json) {
    print_json({{"queue", queue}, {"paused", pause}});
  } else {
    print(sanitized(queue) + (pause ? " is paused" : " runs"));
  }
  return static_cast<int>(Exit::fine);
}

void add_pause_and_resume(Tool& tool) {
  auto queue = std::make_shared<std::string>();
  tool.verb("pause", "nothing more is claimed from a queue", Opens::writing)
      .about("pauses a queue: nothing more is claimed from it, until it is resumed. What runs goes on.")
      .argument("QUEUE", *queue, "its name; it need not have jobs yet")
      .takes_reason()
      .example("  $ daybook pause mail --reason \"smtp is down\"\n  mail is paused\n")
      .runs([&tool, queue] { return pause_or_resume(tool.common(), *queue, true); });
  tool.verb("resume", "a paused queue runs again", Opens::writing)
      .about("resumes a paused queue.")
      .argument("QUEUE", *queue, "its name")
      .takes_reason()
      .example("  $ daybook resume mail\n  mail runs\n")
      .runs([&tool, queue] { return pause_or_resume(tool.common(), *queue, false); });
}

int adopt(const Common& common) {
  Daybook book = open_book(common);
  execute(book, common, AdoptBook{});
  std::uint32_t generation = 0;
  book.look([&](const View& view, const Moment&) { generation = view.book().generation.number; });
  book.close();
  if (common.json) {
    print_json({{"adopted", true}, {"generation", generation}});
  } else {
    print("adopted: jobs run from here on. This is generation " + std::to_string(generation));
  }
  return static_cast<int>(Exit::fine);
}

void add_adopt(Tool& tool) {
  tool.verb("adopt", "lets a copied daybook run its jobs", Opens::writing)
      .about(
          "lets a copy (of replay, backup or salvage) run its jobs. Be sure that the book it was copied from will not "
          "run them\n"
          "as well: nobody but you can know.")
      .takes_reason(true)
      .example(
          "  $ daybook adopt --dir restored --reason \"machine a is gone\"\n"
          "  adopted: jobs run from here on. This is generation 2\n")
      .runs([&tool] { return adopt(tool.common()); });
}

}  // namespace

void add_operate(Tool& tool) {
  add_cancel(tool);
  add_retry(tool);
  add_reschedule(tool);
  add_pause_and_resume(tool);
  add_adopt(tool);
}

}  // namespace daybook::cli
