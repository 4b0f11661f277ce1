// SPDX-License-Identifier: Apache-2.0
// What a queue schedules when a job of it dies.
#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "reading.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

struct OnDeadOptions {
  SetOnDead command;
  bool clear = false;
};

int set_on_dead(const Common& common, const OnDeadOptions& options) {
  const SetOnDead& command = options.command;
  if (options.clear != command.kind.empty() || options.clear != command.into.empty()) {
    throw UsageError("give --kind and --into, what to schedule and where, or --clear alone");
  }
  Daybook book = open_book(common);
  execute(book, common, command);
  book.close();
  if (common.json) {
    Json object = {{"queue", command.queue}, {"on_dead", nullptr}};
    if (!options.clear) object["on_dead"] = {{"kind", command.kind}, {"queue", command.into}};
    print_json(object);
  } else if (options.clear) {
    print(sanitized(command.queue) + ": nothing is scheduled when a job dies");
  } else {
    print(sanitized(command.queue) + ": a dead job schedules one of kind " + sanitized(command.kind) + " in " +
          sanitized(command.into));
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_on_dead(Tool& tool) {
  auto options = std::make_shared<OnDeadOptions>();
  SetOnDead& command = options->command;
  tool.verb("on-dead", "what a queue schedules when a job of it dies", Opens::writing)
      .about(
          "from here on, each job of the queue that dies schedules another job, whose payload names it.\n"
          "That one brings about no other when it dies itself. daybook stat shows what is set.")
      .argument("QUEUE", command.queue, "whose dead jobs; it need not have jobs yet")
      .option("--kind", "K", command.kind, "what is to be done then")
      .option("--into", "Q", command.into, "the queue it waits in")
      .flag("--clear", options->clear, "nothing, from here on")
      .takes_reason()
      .example(
          "  $ daybook on-dead mail --kind tell-support --into support\n"
          "  mail: a dead job schedules one of kind tell-support in support\n")
      .runs([&tool, options] { return set_on_dead(tool.common(), *options); });
}

}  // namespace daybook::cli
