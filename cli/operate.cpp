// SPDX-License-Identifier: Apache-2.0
// What an operator does by hand. All of it is on record with who and, if given, why.
#include <nlohmann/json.hpp>

#include "change_jobs.hpp"
#include "exit.hpp"
#include "output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

void add_cancel(Tool& tool) {
  auto asked = std::make_shared<ChangeJobs>();
  asked->verb = OperatorVerb::cancel;
  Verb& verb =
      tool.verb("cancel", "ends jobs that wait; asks those that run to stop", Opens::writing)
          .about(
              "cancels a job. One that waits will not run. One that runs is asked to stop: its worker learns it with\n"
              "its next renewal, and the job is cancelled when the attempt ends in any way but completion.");
  choose_jobs(verb, *asked)
      .takes_reason()
      .example(
          "  $ daybook cancel 17-9f3ac1d2 --reason \"customer left\"\n"
          "  17-9f3ac1d2  cancelled  attempt 0 of 25\n"
          "  $ daybook cancel --where 'tag.customer = acme and state = scheduled' --dry-run\n")
      .runs([&tool, asked] { return change_jobs(tool.common(), *asked); });
}

void add_retry(Tool& tool) {
  auto asked = std::make_shared<ChangeJobs>();
  asked->verb = OperatorVerb::retry;
  Verb& verb = tool.verb("retry", "gives dead jobs as many attempts as they had at first", Opens::writing)
                   .about("gives a dead job a fresh round of attempts, as many as it had at first.");
  choose_jobs(verb, *asked)
      .option("--in", "D", asked->in, "due after this long; at once unless given")
      .option("--at", "TIME", asked->at, "due at this instant")
      .not_with("--in")
      .takes_reason()
      .example(
          "  $ daybook retry 17-9f3ac1d2 --reason \"mail server is back\"\n"
          "  17-9f3ac1d2  available  attempt 25 of 50  due 2026-03-04T12:05:00.113204Z\n"
          "  $ daybook retry --where 'state = dead and error ~ \"smtp 421\"' --rate 10/s --reason \"mail server is "
          "back\"\n"
          "  1,204 jobs match, 1,204 changed by #88\n")
      .runs([&tool, asked] { return change_jobs(tool.common(), *asked); });
}

void add_reschedule(Tool& tool) {
  auto asked = std::make_shared<ChangeJobs>();
  asked->verb = OperatorVerb::reschedule;
  Verb& verb = tool.verb("reschedule", "gives waiting jobs another due time", Opens::writing)
                   .about("gives a waiting job another due time, sooner or later.");
  choose_jobs(verb, *asked)
      .option("--in", "D", asked->in, "due after this long; 0s is at once")
      .option("--at", "TIME", asked->at, "due at this instant")
      .not_with("--in")
      .takes_reason()
      .example(
          "  $ daybook reschedule 17-9f3ac1d2 --in 2h\n"
          "  17-9f3ac1d2  scheduled  attempt 0 of 25  due 2026-03-04T14:05:00.113204Z\n")
      .runs([&tool, asked] {
        if (!asked->in && !asked->at) throw UsageError("to when? Give --in 10m, or --at TIME");
        return change_jobs(tool.common(), *asked);
      });
}

void add_move(Tool& tool) {
  auto asked = std::make_shared<ChangeJobs>();
  asked->verb = OperatorVerb::move;
  Verb& verb = tool.verb("move", "puts waiting or dead jobs into another queue", Opens::writing)
                   .about(
                       "puts a waiting or a dead job into another queue, which need not exist yet. It keeps its id, "
                       "its due time and its\n"
                       "attempts; its unique key goes with it, unless another job holds it there.");
  choose_jobs(verb, *asked)
      .option("--to", "QUEUE", asked->queue, "where it goes")
      .required()
      .takes_reason()
      .example(
          "  $ daybook move 17-9f3ac1d2 --to bulk --reason \"not urgent\"\n"
          "  17-9f3ac1d2  available  attempt 0 of 25  due 2026-03-04T12:05:00.113204Z\n")
      .runs([&tool, asked] { return change_jobs(tool.common(), *asked); });
}

int pause_or_resume(const Common& common, const std::string& queue, bool pause) {
  Daybook book = open_book(common);
  bool known = false;  // who resumes one that is not is refused
  book.look([&](const View& view, const Moment&) { known = view.find_name(NameSort::queue, queue).has_value(); });
  execute(book, common, pause ? Command(PauseQueue{queue}) : Command(ResumeQueue{queue}));
  book.close();
  if (common.json) {
    print_json({{"queue", queue}, {"paused", pause}});
  } else {
    print(sanitized(queue) + (pause ? " is paused" : " runs"));
  }
  if (!known) tell("no job was ever scheduled in " + sanitized(queue));
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
          "  adopted: jobs run from here on. This is generation 3\n")
      .runs([&tool] { return adopt(tool.common()); });
}

}  // namespace

void add_operate(Tool& tool) {
  add_cancel(tool);
  add_retry(tool);
  add_reschedule(tool);
  add_move(tool);
  add_pause_and_resume(tool);
  add_adopt(tool);
}

}  // namespace daybook::cli
