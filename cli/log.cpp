// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <nlohmann/json.hpp>

#include "event_output.hpp"
#include "exit.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

struct LogQuery {
  std::optional<Sequence> from;
  std::optional<Sequence> until;
  std::optional<JobId> job;
};

int log(const Common& common, const LogQuery& query) {
  const ReadingBook book(common);
  State names;
  // From the first event on, whatever was asked for: a name is spelled once, where it was first used.
  const Sequence readable = book.log().first_readable();
  if (readable > Sequence(1)) {
    tell("events before #" + std::to_string(readable.value()) +
         " were dropped; names that were first used there are told by number");
  }
  // What was dropped may have been the job's.
  bool known = !query.job || (query.job->sequence < readable && query.job->sequence != Sequence());
  book.log().read(readable, [&](const RecordedEvent& recorded) {
    const bool behind = query.until && recorded.sequence > *query.until;
    if (behind && known) return false;
    if (const auto* defined = std::get_if<NameDefined>(&recorded.event)) names.put(defined->name);
    if (query.job) {
      const std::vector<Sequence> touched = jobs_of(recorded.sequence, recorded.event);
      if (std::find(touched.begin(), touched.end(), query.job->sequence) == touched.end()) return true;
      known = true;
    }
    if (behind || (query.from && recorded.sequence < *query.from)) return true;
    const RecordedEvent shown = query.job ? part_of(recorded, query.job->sequence) : recorded;
    if (common.json) {
      print_json(event_json(shown, names));
    } else {
      print(event_line(shown, names));
    }
    return true;
  });
  if (!known) {
    throw RefusedError("job " + to_string(*query.job) + ": there is no such job in this book, and never was");
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_log(Tool& tool) {
  auto query = std::make_shared<LogQuery>();
  tool.verb("log", "every event, in order", Opens::reading)
      .about(
          "prints events in the order in which they happened: sequence, time, type, facts, by whom.\n"
          "Works beside a running service; shows what is safely on the disk.")
      .option("--from", "SEQ", query->from, "the first event")
      .option("--until", "SEQ", query->until, "the last one")
      .option("--job", "ID", query->job, "only what touched this job")
      .example(
          "  $ daybook log --from 29 --until 29\n"
          "  #29  2026-03-04T12:05:00.113204Z  JobClaimed            job=17-9f3ac1d2 attempt=1 worker=mailer-1 "
          "lease=30s "
          "…\n")
      .runs([&tool, query] { return log(tool.common(), *query); });
}

}  // namespace daybook::cli
