// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "daybook/core/error.hpp"
#include "exit.hpp"
#include "job_output.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

constexpr std::array kPhases = {Phase::scheduled, Phase::available, Phase::retryable, Phase::awaiting, Phase::running,
                                Phase::completed, Phase::cancelled, Phase::dead,      Phase::uncertain};
using PhaseCounts = std::array<std::uint64_t, kPhases.size()>;

/// Of a damaged log, as far as it can be read.
Past past_of(ReadingBook& book, const Point& point) {
  try {
    return take(as_of(book.events(), book.head(), point, book.start()));
  } catch (const CorruptionError&) {
    static_cast<void>(book.state());  // finds the damage, and says so
    return take(as_of(book.events(), book.head(), point, book.start()));
  }
}

int state_at(const Common& common, const Point& point) {
  ReadingBook book(common);
  const Past past = past_of(book, point);
  const State& state = past.state;
  const Moment& then = past.resolved.moment;

  std::map<std::string, std::pair<PhaseCounts, bool>> queues;
  state.each_queue([&](const Queue& queue) {
    if (const Name* name = state.name(queue.id); name != nullptr) queues[name->text].second = queue.paused;
  });
  Table jobs = job_table();
  std::vector<JobInfo> infos;
  state.each_job([&](const Job& job) {
    infos.push_back(job_info(job, state, then));
    queues[infos.back().queue].first[static_cast<std::size_t>(infos.back().phase)]++;
  });

  if (common.json) {
    Json summary = {{"seq", past.resolved.sequence.value()},
                    {"at", to_string(then.wall)},
                    {"ambiguous", past.resolved.ambiguous},
                    {"held", state.book().held},
                    {"queues", Json::array()}};
    for (const auto& [queue, row] : queues) {
      Json one = {{"queue", queue}, {"paused", row.second}};
      for (const Phase phase : kPhases) one[std::string(to_string(phase))] = row.first[static_cast<std::size_t>(phase)];
      summary["queues"].push_back(std::move(one));
    }
    print_json(summary);
    for (const JobInfo& info : infos) print_json(job_json(info));
    return book.exit_code();
  }

  print("as of #" + std::to_string(past.resolved.sequence.value()) + "  " + to_string(then.wall));
  if (!past.resolved.ambiguous.empty()) tell(past.resolved.ambiguous);
  if (queues.empty()) return book.exit_code();
  print("");
  std::vector<Table::Column> columns = {{"QUEUE"}};
  const auto awaiting = static_cast<std::size_t>(Phase::awaiting);
  const bool families =
      std::any_of(queues.begin(), queues.end(), [&](const auto& queue) { return queue.second.first[awaiting] != 0; });
  const auto is_shown = [&](Phase phase) { return phase != Phase::awaiting || families; };
  for (const Phase phase : kPhases) {
    if (is_shown(phase)) columns.push_back({std::string(to_string(phase)), Table::Align::right});
  }
  columns.push_back({""});
  Table counts(std::move(columns));
  for (const auto& [queue, row] : queues) {
    std::vector<std::string> cells = {sanitized(queue)};
    for (const Phase phase : kPhases) {
      if (is_shown(phase)) cells.push_back(grouped(row.first[static_cast<std::size_t>(phase)]));
    }
    cells.push_back(row.second ? "paused" : "");
    counts.row(std::move(cells));
  }
  counts.print();
  if (infos.empty()) return book.exit_code();
  print("");
  for (const JobInfo& info : infos) add_job(jobs, info);
  jobs.print();
  return book.exit_code();
}

}  // namespace

void add_state(Tool& tool) {
  auto point = std::make_shared<Point>();
  tool.verb("state", "the book as it was at a sequence or an instant", Opens::reading)
      .about(
          "shows the book as it was: jobs by queue and state, then each job. Made by folding the log up to there.\n"
          "Where the clock stepped back an instant may mean several points; then the latest is taken, and it says so.")
      .option("--at", "SEQ|TIME", *point, "a sequence, or an instant such as 2026-03-04T12:05:00Z")
      .required()
      .example(
          "  $ daybook state --at 2026-03-04T12:05:00Z\n"
          "  as of #28  2026-03-04T12:05:00.000000Z\n\n"
          "  QUEUE  scheduled  available  retryable  running  completed  cancelled  dead  uncertain\n"
          "  mail           0          1          0        0          0          0     0          0\n"
          "  …\n")
      .runs([&tool, point] { return state_at(tool.common(), *point); });
}

}  // namespace daybook::cli
