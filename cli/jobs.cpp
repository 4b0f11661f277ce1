// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <nlohmann/json.hpp>

#include "daybook/core/filter.hpp"
#include "event_output.hpp"
#include "exit.hpp"
#include "job_output.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

struct JobsOptions {
  Filter where;
  std::optional<std::string> queue;
  std::optional<Phase> phase;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
};

/// --queue and --state are short for tests.
Filter asked(const JobsOptions& options) {
  Filter filter = options.where;
  if (options.queue) filter = filter && take(Filter::equals("queue", *options.queue));
  if (options.phase) filter = filter && take(Filter::equals("state", to_string(*options.phase)));
  return filter;
}

int jobs(const Common& common, const JobsOptions& options) {
  if (options.limit == 0) throw UsageError("--limit 0 would show nothing; give 1 or more");
  const Filter filter = asked(options);
  ReadingBook book(common);
  const State state = book.state();
  const Moment now = moment_now(state);
  Table table = job_table();
  std::uint64_t shown = 0;
  std::uint64_t more = 0;
  state.each_job([&](const Job& job) {
    if (!filter.matches(job, state, now)) return;
    if (shown == options.limit) {
      ++more;
      return;
    }
    ++shown;
    const JobInfo info = job_info(job, state, now);
    if (common.json) {
      print_json(job_json(info));
    } else {
      add_job(table, info);
    }
  });
  if (!table.empty()) table.print();
  if (shown == 0 && !common.json) tell("no such jobs");
  if (more > 0) tell(counted(more, "more job") + " not shown: --limit " + std::to_string(options.limit));
  return book.exit_code();
}

/// What is left of the job's history, and that it is not all.
void print_history(const Common& common, const std::vector<RecordedEvent>& events, const State& names, Sequence job,
                   Sequence readable) {
  if (readable > job) {
    tell("what happened to it before #" + std::to_string(readable.value()) + " was dropped from the log");
  }
  for (const RecordedEvent& recorded : events) {
    const RecordedEvent part = part_of(recorded, job);
    if (common.json) {
      print_json(event_json(part, names));
    } else {
      print(event_line(part, names));
    }
  }
}

/// A job that the state does not know any more: the log says how it went, as far as it was not dropped.
int job_let_go(const Common& common, const ReadingBook& book, const State& state, const JobId& id) {
  const Sequence readable = book.log().first_readable();
  const Absence absence = why_absent(book.events(), id, state.book(), readable);
  if (absence.untold) {
    if (common.json) {
      Json object = {{"id", to_string(id)}, {"known", false}};
      if (id.sequence < readable) object["dropped_through"] = readable.value() - 1;
      print_json(object);
    } else {
      print(absence.refusal.sentence);
    }
    return book.exit_code();
  }
  if (!absence.let_go) throw RefusedError(absence.refusal.sentence);
  const PrunedJob& pruned = absence.let_go->job;
  if (common.json) {
    print_json({{"id", to_string(pruned.job)},
                {"state", to_string(pruned.state)},
                {"finalized_at", to_string(pruned.finalized_at)},
                {"pruned", true},
                {"last_seq", pruned.last_event.value()}});
  } else {
    print(to_string(pruned.job) + " was " + std::string(to_string(pruned.state)) + " at " +
          to_string(pruned.finalized_at) + ", and pruned since: what is left of it is its history");
    print("");
  }
  print_history(common, absence.history, state, id.sequence, readable);
  return book.exit_code();
}

int job(const Common& common, const JobId& id) {
  ReadingBook book(common);
  const State state = book.state();
  const Job* found = state.job(id.sequence);
  if (found == nullptr) return job_let_go(common, book, state, id);
  require_same_job(*found, id);
  const JobInfo info = job_info(*found, state, moment_now(state));
  if (common.json) {
    print_json(job_json(info));
  } else {
    print_job(info);
    print("");
  }
  const Sequence readable = book.log().first_readable();
  print_history(common, history(book.events(), id.sequence, readable), state, id.sequence, readable);
  return book.exit_code();
}

}  // namespace

void add_jobs(Tool& tool) {
  auto options = std::make_shared<JobsOptions>();
  tool.verb("jobs", "lists jobs, by queue, state or any filter", Opens::reading)
      .about(
          "lists jobs by id. Works beside a running service.\n"
          "A filter asks for fields of a job: state = dead and error ~ \"smtp 421\" and finalized_at > now-2h")
      .option("--where", "FILTER", options->where, "only those that it matches; docs/filter.md has the fields")
      .option("--queue", "Q", options->queue, "only of this queue")
      .option("--state", "S", options->phase,
              "only in this state: scheduled, available, retryable, awaiting,\nrunning, completed, cancelled, dead, "
              "uncertain")
      .option("--limit", "N", options->limit, "at most so many")
      .example(
          "  $ daybook jobs --queue mail --state retryable\n"
          "  ID           STATE      QUEUE  KIND     ATTEMPT  DUE\n"
          "  17-9f3ac1d2  retryable  mail   welcome  1 of 25  2026-03-04T12:05:01.213204Z  smtp 421\n")
      .runs([&tool, options] { return jobs(tool.common(), *options); });

  auto id = std::make_shared<JobId>();
  tool.verb("job", "one job: its state and its whole history", Opens::reading)
      .about(
          "shows one job as it stands, then every event that touched it, oldest first.\n"
          "With --json: the job's object, then one object per event as log prints them.")
      .argument("ID", *id, "the job")
      .example(
          "  $ daybook job 17-9f3ac1d2\n"
          "  id            17-9f3ac1d2\n"
          "  queue         mail\n"
          "  …\n"
          "  #17  2026-03-04T12:00:00.000000Z  JobScheduled          job=17-9f3ac1d2 queue=mail kind=welcome …\n"
          "  #29  2026-03-04T12:05:00.113204Z  JobClaimed            job=17-9f3ac1d2 attempt=1 worker=mailer-1 "
          "lease=30s "
          "…\n")
      .runs([&tool, id] { return job(tool.common(), *id); });
}

}  // namespace daybook::cli
