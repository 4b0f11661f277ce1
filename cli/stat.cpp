// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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

struct Row {
  bool paused = false;
  std::uint64_t waiting = 0, running = 0, completed = 0, cancelled = 0, dead = 0, uncertain = 0;
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
    Row& row = rows[name(key.first)];
    switch (key.second) {
      case JobState::waiting:
      case JobState::awaiting:
        row.waiting += count;
        break;
      case JobState::running:
        row.running += count;
        break;
      case JobState::completed:
        row.completed += count;
        break;
      case JobState::cancelled:
        row.cancelled += count;
        break;
      case JobState::dead:
        row.dead += count;
        break;
      case JobState::uncertain:
        row.uncertain += count;
        break;
    }
  }
  return rows;
}

/// Now, as far as a reader can tell: book time since the last event by the wall clock.
Moment reading_moment(const Book& book) {
  const Instant wall = SystemClock().wall();
  const Duration passed = std::max(wall - book.head_wall, Duration(0));
  return {wall, book.head_boot + passed, book.book_time(book.head_boot) + passed, 0};
}

void print_limits(const std::map<std::string, Row>& rows) {
  constexpr std::size_t weights_shown = 10;
  bool first = true;
  for (const auto& [queue, row] : rows) {
    if (row.limits == QueueLimits() && row.weights.empty()) continue;
    if (std::exchange(first, false)) print("");
    std::string line = sanitized(queue) + ": " + limits_text(row.limits);
    std::size_t shown = 0;
    for (const auto& [group, weight] : row.weights) {
      if (++shown > weights_shown) break;
      line += (shown == 1 ? "; weights: " : ", ") + sanitized(group) + " " + std::to_string(weight);
    }
    if (row.weights.size() > weights_shown) {
      line += " and " + std::to_string(row.weights.size() - weights_shown) + " more";
    }
    print(line);
  }
}

void print_on_dead(const std::map<std::string, Row>& rows) {
  for (const auto& [queue, row] : rows) {
    if (row.on_dead_kind.empty()) continue;
    print(sanitized(queue) + ": a dead job schedules one of kind " + sanitized(row.on_dead_kind) + " in " +
          sanitized(row.on_dead_queue));
  }
}

void print_undeclared(const std::vector<Undeclared>& nobodys) {
  for (const Undeclared& one : nobodys) {
    print(grouped(one.ready) + " due in " + sanitized(one.queue) + " of kind " + sanitized(one.kind) +
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
      object["queues"].push_back({{"queue", queue},
                                  {"paused", row.paused},
                                  {"waiting", row.waiting},
                                  {"running", row.running},
                                  {"completed", row.completed},
                                  {"cancelled", row.cancelled},
                                  {"dead", row.dead},
                                  {"uncertain", row.uncertain},
                                  {"limits", limits_json(row.limits)},
                                  {"weights", row.weights},
                                  {"on_dead", nullptr}});
      if (!row.on_dead_kind.empty()) {
        object["queues"].back()["on_dead"] = {{"kind", row.on_dead_kind}, {"queue", row.on_dead_queue}};
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
  using Align = Table::Align;
  Table table({{"QUEUE"},
               {"waiting", Align::right},
               {"running", Align::right},
               {"completed", Align::right},
               {"cancelled", Align::right},
               {"dead", Align::right},
               {"uncertain", Align::right},
               {""}});
  for (const auto& [queue, row] : rows) {
    table.row({sanitized(queue), grouped(row.waiting), grouped(row.running), grouped(row.completed),
               grouped(row.cancelled), grouped(row.dead), grouped(row.uncertain), row.paused ? "paused" : ""});
  }
  table.print();
  print_limits(rows);
  print_on_dead(rows);
  print_undeclared(nobodys);
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
