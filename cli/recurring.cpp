// SPDX-License-Identifier: Apache-2.0
// Recurring schedules: looked at, and changed by operators. How one is declared is in recurring_add.cpp.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "daybook/core/filter.hpp"
#include "daybook/system/system_zones.hpp"
#include "exit.hpp"
#include "instants.hpp"
#include "job_output.hpp"
#include "reading.hpp"
#include "recurring_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

// ---- looking ----

std::vector<RecurringInfo> all_recurring(const State& state, const std::optional<std::string>& owner) {
  std::vector<RecurringInfo> all;
  state.each_recurring([&](const Recurring& recurring) {
    if (recurring.terms != nullptr && (!owner || recurring.owner == *owner)) {
      all.push_back(recurring_info(recurring, state));
    }
  });
  std::sort(all.begin(), all.end(),
            [](const RecurringInfo& a, const RecurringInfo& b) { return a.spec.name < b.spec.name; });
  return all;
}

int list(const Common& common, const std::optional<std::string>& owner) {
  ReadingBook book(common);
  const State state = book.state();
  Table table({{"NAME"}, {"RECURS"}, {"QUEUE"}, {"KIND"}, {"NEXT"}, {"LAST"}, {""}});
  for (const RecurringInfo& info : all_recurring(state, owner)) {
    if (common.json) {
      print_json(recurring_json(info));
    } else {
      table.row({sanitized(info.spec.name), rule_text(info.spec.recurrence), sanitized(info.spec.job.queue),
                 sanitized(info.spec.job.kind), info.next ? utc_text(info.next->nominal) : "-",
                 info.last ? utc_text(*info.last) : "-", standing_text(info)});
    }
  }
  if (common.json) return book.exit_code();
  if (table.empty() && owner && !all_recurring(state, std::nullopt).empty()) {
    tell("no recurring schedules of the owner " + sanitized(*owner) + "; without --owner all are listed");
  } else if (table.empty()) {
    tell("no recurring schedules. To declare one: daybook recurring add NAME --cron '0 3 * * *' --queue Q --kind K");
  } else {
    table.print();
    tell("daybook recurring show NAME tells all of one");
  }
  return book.exit_code();
}

int show(const Common& common, const std::string& name) {
  ReadingBook book(common);
  const State state = book.state();
  const Recurring* recurring = find_recurring(state, name);
  if (recurring == nullptr) throw RefusedError(no_such_recurring(name).sentence);
  const SystemZones zones;
  const RecurringInfo info = recurring_info(*recurring, state);
  if (common.json) {
    Json object = recurring_json(info);
    object["upcoming"] = Json::array();
    for (const Instant instant : upcoming(info, zones, 5)) object["upcoming"].push_back(to_string(instant));
    print_json(object);
  } else {
    print_recurring(info, zones);
    tell("its jobs: daybook jobs --where " + shell_word(take(Filter::equals("recurring", name)).text()));
  }
  return book.exit_code();
}

void add_list_and_show(Tool& tool) {
  auto owner = std::make_shared<std::optional<std::string>>();
  tool.verb("recurring list", "what recurs, and when next", Opens::reading)
      .about("lists recurring schedules by name. Works beside a running service.")
      .option("--owner", "O", *owner, "only those that this owner declared")
      .example(
          "  $ daybook recurring list\n"
          "  NAME     RECURS                   QUEUE    KIND     NEXT                  LAST\n"
          "  nightly  0 3 * * * Europe/Prague  reports  nightly  2026-03-05T02:00:00Z  2026-03-04T02:00:00Z\n")
      .runs([&tool, owner] { return list(tool.common(), *owner); });

  auto name = std::make_shared<std::string>();
  tool.verb("recurring show", "one recurring schedule: its policies, its last job, its next instants", Opens::reading)
      .about("shows one recurring schedule as it stands, and its next instants. Works beside a running service.")
      .argument("NAME", *name, "the schedule")
      .example(
          "  $ daybook recurring show nightly\n"
          "  name          nightly\n"
          "  …\n"
          "  next          2026-03-05T03:00:00+01:00  2026-03-05T02:00:00Z\n")
      .runs([&tool, name] { return show(tool.common(), *name); });
}

// ---- changing ----

int pause_or_resume(const Common& common, const std::string& name, bool pause) {
  Daybook book = open_book(common);
  execute(book, common, pause ? Command(PauseRecurring{name}) : Command(ResumeRecurring{name}));
  const RecurringInfo info = take(book.recurring().find(name));
  book.close();
  if (common.json) {
    print_json(recurring_json(info));
  } else {
    print(sanitized(name) + (pause ? "  paused" : "  recurs  " + next_text(info)));
  }
  return static_cast<int>(Exit::fine);
}

int run_now(const Common& common, const std::string& name) {
  Daybook book = open_book(common);
  const JobId id = std::get<Scheduled>(execute(book, common, RunRecurringNow{name})).job;
  const JobInfo job = take(book.job(id));
  book.close();
  if (common.json) {
    print_json(job_json(job));
  } else {
    print(to_string(id));
  }
  return static_cast<int>(Exit::fine);
}

int backfill(const Common& common, const BackfillRecurring& command) {
  Daybook book = open_book(common);
  const auto made = std::get<Backfilled>(execute(book, common, command)).jobs;
  for (const JobId& id : made) {
    const JobInfo job = take(book.job(id));
    if (common.json) {
      print_json(job_json(job));
    } else {
      print(to_string(id) + (job.nominal ? "  " + utc_text(*job.nominal) : ""));
    }
  }
  book.close();
  tell(made.empty() ? "nothing was made: each occurrence in between has its job, is yet to come, or lies in the time "
                      "of an earlier rule "
                      "of the schedule, which did not skip it"
                    : counted(made.size(), "job") + " made, due at once");
  return static_cast<int>(Exit::fine);
}

int remove(const Common& common, const std::string& name) {
  Daybook book = open_book(common);
  const RecurringInfo info = take(book.recurring().find(name));
  execute(book, common, RemoveRecurring{name});
  book.close();
  if (common.json) {
    print_json({{"name", name}, {"removed", true}});
  } else {
    print(sanitized(name) + "  removed");
    if (!info.live.empty()) {
      tell(counted(info.live.size(), "job") + " of it not ended: daybook cancel --where " +
           shell_word(take(Filter::equals("recurring", name)).text()) + " ends what waits");
    }
  }
  return static_cast<int>(Exit::fine);
}

void add_pause_and_resume(Tool& tool) {
  auto name = std::make_shared<std::string>();
  tool.verb("recurring pause", "nothing more comes of a schedule", Opens::writing)
      .about(
          "pauses a recurring schedule: until it is resumed no jobs are made of it. What falls due meanwhile is "
          "skipped.\n"
          "Jobs that were made go on; to stop those, cancel them, or pause their queue.")
      .argument("NAME", *name, "the schedule")
      .takes_reason()
      .example("  $ daybook recurring pause nightly --reason \"quarter's end\"\n  nightly  paused\n")
      .runs([&tool, name] { return pause_or_resume(tool.common(), *name, true); });
  tool.verb("recurring resume", "a paused schedule recurs again", Opens::writing)
      .about("resumes a recurring schedule, from now on; recurring backfill makes what was skipped.")
      .argument("NAME", *name, "the schedule")
      .takes_reason()
      .example("  $ daybook recurring resume nightly\n  nightly  recurs  next 2026-03-05T02:00:00Z\n")
      .runs([&tool, name] { return pause_or_resume(tool.common(), *name, false); });
}

void add_runs(Tool& tool) {
  auto name = std::make_shared<std::string>();
  tool.verb("recurring run-now", "one job of a schedule at once", Opens::writing)
      .about(
          "makes one job of a recurring schedule at once, and prints its id: also while it is paused, and beside jobs\n"
          "that have not ended. Its occurrences stay as they are.")
      .argument("NAME", *name, "the schedule")
      .takes_reason()
      .example("  $ daybook recurring run-now nightly --reason \"numbers were wrong\"\n  17-9f3ac1d2\n")
      .runs([&tool, name] { return run_now(tool.common(), *name); });

  auto past = std::make_shared<BackfillRecurring>();
  tool.verb("recurring backfill", "makes the jobs of the past that were not made", Opens::writing)
      .about(
          "makes a job for each occurrence from --from on and before --until of which none was made, and prints ids "
          "and\n"
          "instants. All are due at once; at most 1,000 in one go. In the time of an earlier rule of the schedule only "
          "what\n"
          "that one skipped is filled.")
      .argument("NAME", past->name, "the schedule")
      .option("--from", "TIME", past->from, "the first instant that may be one")
      .required()
      .option("--until", "TIME", past->until, "the first that may no longer be")
      .required()
      .takes_reason()
      .example(
          "  $ daybook recurring backfill nightly --from 2026-03-01T00:00:00Z --until 2026-03-03T00:00:00Z\n"
          "  17-9f3ac1d2  2026-03-01T02:00:00Z\n"
          "  19-9f3ac1d2  2026-03-02T02:00:00Z\n"
          "  2 jobs made, due at once\n")
      .runs([&tool, past] { return backfill(tool.common(), *past); });
}

void add_remove(Tool& tool) {
  auto name = std::make_shared<std::string>();
  tool.verb("recurring remove", "a schedule is no more; its jobs stay", Opens::writing)
      .about("removes a recurring schedule. Jobs that were made of it stay.")
      .argument("NAME", *name, "the schedule")
      .takes_reason()
      .example("  $ daybook recurring remove nightly --reason \"nobody reads it\"\n  nightly  removed\n")
      .runs([&tool, name] { return remove(tool.common(), *name); });
}

}  // namespace

void add_recurring(Tool& tool) {
  add_recurring_add(tool);
  add_list_and_show(tool);
  add_pause_and_resume(tool);
  add_runs(tool);
  add_remove(tool);
}

}  // namespace daybook::cli
