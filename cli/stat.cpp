// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "daybook/core/limits.hpp"
#include "daybook/core/undeclared.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/system/system_clock.hpp"
#include "limits_output.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

constexpr std::array<JobState, job_states> states = {JobState::waiting,   JobState::awaiting,  JobState::running,
                                                     JobState::completed, JobState::cancelled, JobState::dead,
                                                     JobState::uncertain};

struct Row {
  bool paused = false;
  std::array<std::uint64_t, job_states> jobs{};
  [[nodiscard]] std::uint64_t count(JobState state) const { return jobs[static_cast<std::size_t>(state)]; }
  QueueLimits limits;
  std::map<std::string, std::uint32_t> weights;  // of groups that have another than 1
  std::string on_dead_kind;                      // empty: a dead job schedules nothing
  std::string on_dead_queue;
};

std::map<std::string, Row> rows_of(const State& state) {
  const auto name = [&](NameId id) {
    const Name* found = state.name(id);
    return found == nullptr ? std::string() : found->text;
  };
  std::map<std::string, Row> rows;
  state.each_queue([&](const Queue& queue) {
    Row& row = rows[name(queue.id)];
    row.paused = queue.paused;
    row.limits = queue.limits;
    if (queue.on_dead) {
      row.on_dead_kind = name(queue.on_dead->kind);
      row.on_dead_queue = name(queue.on_dead->queue);
    }
  });
  state.each_group([&](const Group& group) {
    if (group.weight != 1) rows[name(group.queue)].weights[name(group.id)] = group.weight;
  });
  for (const auto& [key, count] : state.counts()) {
    rows[name(key.first)].jobs[static_cast<std::size_t>(key.second)] += count;
  }
  return rows;
}

/// Now, as far as a reader can tell: book time since the last event by the wall clock.
Moment reading_moment(const Book& book) {
  const Instant wall = SystemClock().wall();
  const Duration passed = std::max(wall - book.head_wall, Duration(0));
  return {wall, book.head_boot + passed, book.book_time(book.head_boot) + passed, 0};
}

void add_limits(std::vector<std::string>& lines, const std::map<std::string, Row>& rows) {
  constexpr std::size_t weights_shown = 10;
  for (const auto& [queue, row] : rows) {
    if (row.limits == QueueLimits() && row.weights.empty()) continue;
    std::string line = sanitized(queue) + ": " + limits_text(row.limits);
    std::size_t shown = 0;
    for (const auto& [group, weight] : row.weights) {
      if (++shown > weights_shown) break;
      line += (shown == 1 ? "; weights: " : ", ") + sanitized(group) + " " + std::to_string(weight);
    }
    if (row.weights.size() > weights_shown) {
      line += " and " + std::to_string(row.weights.size() - weights_shown) + " more";
    }
    lines.push_back(std::move(line));
  }
}

void add_on_dead(std::vector<std::string>& lines, const std::map<std::string, Row>& rows) {
  for (const auto& [queue, row] : rows) {
    if (row.on_dead_kind.empty()) continue;
    lines.push_back(sanitized(queue) + ": a dead job schedules one of kind " + sanitized(row.on_dead_kind) + " in " +
                    sanitized(row.on_dead_queue));
  }
}

void add_undeclared(std::vector<std::string>& lines, const std::vector<Undeclared>& nobodys) {
  for (const Undeclared& one : nobodys) {
    lines.push_back(grouped(one.ready) + " due in " + sanitized(one.queue) + " of kind " + sanitized(one.kind) +
                    ": no worker that joined takes them");
  }
}

int stat(const Common& common) {
  ReadingBook book(common);
  const State state = book.state();
  const Book& entity = state.book();
  const auto rows = rows_of(state);
  const std::string opened = entity.open ? "open, or left open by a crash" : "closed";

  const std::vector<SnapshotEntry> snapshots = list_snapshots(book.storage());
  const std::vector<Undeclared> nobodys = undeclared(state, reading_moment(entity));

  if (common.json) {
    Json object = {{"log", to_string(book.log().log_uuid())},
                   {"head", entity.head.value()},
                   {"head_at", to_string(entity.head_wall)},
                   {"epoch", entity.epoch.value()},
                   {"generation", entity.generation.number},
                   {"held", entity.held},
                   {"open", entity.open},
                   {"feature_level", entity.feature_level},
                   {"clock_doubted", entity.clock_doubted},
                   {"dropped_through", entity.dropped_through.value()},
                   {"queues", Json::array()},
                   {"workers", Json::array()}};
    for (const auto& [queue, row] : rows) {
      Json& told = object["queues"].emplace_back(Json{{"queue", queue}, {"paused", row.paused}});
      for (const JobState one : states) told[std::string(to_string(one))] = row.count(one);
      told["limits"] = limits_json(row.limits);
      told["weights"] = row.weights;
      told["on_dead"] = nullptr;
      if (!row.on_dead_kind.empty()) {
        told["on_dead"] = {{"kind", row.on_dead_kind}, {"queue", row.on_dead_queue}};
      }
    }
    object["undeclared"] = Json::array();
    for (const Undeclared& one : nobodys) {
      object["undeclared"].push_back({{"queue", one.queue}, {"kind", one.kind}, {"ready", one.ready}});
    }
    for (const NameId id : state.workers()) {
      if (const Name* name = state.name(id); name != nullptr) object["workers"].push_back(name->text);
    }
    object["snapshots"] = Json::array();
    for (const SnapshotEntry& snapshot : snapshots) {
      object["snapshots"].push_back({{"seq", snapshot.sequence.value()}, {"bytes", snapshot.bytes}});
    }
    print_json(object);
    return book.exit_code();
  }

  print("book        " + to_string(book.log().log_uuid()) + ", generation " + std::to_string(entity.generation.number) +
        (entity.held ? ", held: a copy that runs nothing until daybook adopt" : ""));
  print("events      " + grouped(entity.head.value()) + ", the last at " + to_string(entity.head_wall));
  if (entity.feature_level < limits::feature_level_highest) {
    print("level       " + std::to_string(entity.feature_level) + " of " +
          std::to_string(limits::feature_level_highest) + "; older releases open it until daybook upgrade");
  }
  print("openings    " + grouped(entity.epoch.value()) + "; now " + opened);
  if (!snapshots.empty()) {
    const SnapshotEntry& newest = snapshots.back();
    print("snapshot    of #" + std::to_string(newest.sequence.value()) + ", " + size_text(newest.bytes));
  }
  if (entity.clock_doubted) {
    print("clock       in doubt: nothing is claimed until daybook confirm-clock; daybook clock shows why");
  }
  std::string workers;
  for (const NameId id : state.workers()) {
    if (const Name* name = state.name(id); name != nullptr)
      workers += (workers.empty() ? "" : ", ") + sanitized(name->text);
  }
  if (!workers.empty()) print("workers     " + workers);
  if (rows.empty()) return book.exit_code();
  print("");
  const bool families =
      std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.second.count(JobState::awaiting) != 0; });
  const auto is_shown = [&](JobState one) { return one != JobState::awaiting || families; };
  std::vector<Table::Column> columns = {{"QUEUE"}};
  for (const JobState one : states) {
    if (is_shown(one)) columns.push_back({std::string(to_string(one)), Table::Align::right});
  }
  columns.push_back({""});
  Table table(std::move(columns));
  for (const auto& [queue, row] : rows) {
    std::vector<std::string> cells = {sanitized(queue)};
    for (const JobState one : states) {
      if (is_shown(one)) cells.push_back(grouped(row.count(one)));
    }
    cells.push_back(row.paused ? "paused" : "");
    table.row(std::move(cells));
  }
  table.print();
  std::vector<std::string> lines;
  add_limits(lines, rows);
  add_on_dead(lines, rows);
  add_undeclared(lines, nobodys);
  if (!lines.empty()) print("");
  for (const std::string& line : lines) print(line);
  return book.exit_code();
}

}  // namespace

void add_stat(Tool& tool) {
  tool.verb("stat", "the book at a glance: events, queues, workers", Opens::reading)
      .about("shows the book at a glance: how long its log is, what waits, runs and ended in each queue, who works.")
      .example(
          "  $ daybook stat\n"
          "  book        6f1c…, generation 1\n"
          "  events      1,204, the last at 2026-03-04T12:05:00.113204Z\n"
          "  openings    3; now closed\n\n"
          "  QUEUE  waiting  running  completed  cancelled  dead  uncertain\n"
          "  mail        12        2        380          1     0          0\n")
      .runs([&tool] { return stat(tool.common()); });
}

}  // namespace daybook::cli
