// SPDX-License-Identifier: Apache-2.0

// The record of a test farm as attempts: which tests failed in which cycle, and were run again until they passed or were given up. In
// virtual time, on a directory, with an opening every few weeks; what the log counts in the end is what the file alone gives.
//
// A job is one test in one cycle, and each of its rows an attempt, up to one that passes; rows behind that are another job, for nothing
// retries what has passed. A job that never passes within its cycle is allowed the attempts that it had, and dead after the last.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "daybook/daybook.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/system/posix_storage.hpp"
#include "daybook/testing/virtual_clock.hpp"
#include "support/temp_folder.hpp"
#include "traces.hpp"

namespace daybook::bench {
namespace {

struct Row {
  std::uint64_t id = 0;
  std::string test;
  std::string cycle;
  Instant at{};
  bool failed = false;
};

/// Id;Name;Duration;CalcPrio;LastRun;LastResults;Verdict;Cycle, with a header.
std::vector<Row> read_rows(std::istream& in) {
  std::vector<Row> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<std::string> fields;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ';');) fields.push_back(cell);
    if (fields.size() != 8) throw std::runtime_error("found " + std::to_string(fields.size()) + " fields: " + line);
    std::string at = fields[4] + "Z";
    at[at.find(' ')] = 'T';
    rows.push_back({std::stoull(fields[0]), fields[1], fields[7], *parse_instant(at), fields[6] == "1"});
  }
  return rows;
}

struct Counts {
  std::uint64_t jobs = 0;
  std::uint64_t attempts = 0;
  std::uint64_t failures = 0;
  std::uint64_t retries = 0;
  std::uint64_t completed = 0;
  std::uint64_t dead = 0;
  std::uint64_t results = 0;  // the ids of the rows that passed, summed
  friend bool operator==(const Counts&, const Counts&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Counts& counts) {
    return out << counts.jobs << " jobs, " << counts.attempts << " attempts, " << counts.failures << " failures, "
               << counts.retries << " retries, " << counts.completed << " completed, " << counts.dead
               << " dead, results " << counts.results;
  }
};

/// From the rows alone: only the row before of the same test in the same cycle is looked at.
Counts counts_of(const std::vector<Row>& rows) {
  Counts counts;
  std::map<std::pair<std::string, std::string>, bool> failing;  // does the last row so far wait for another attempt?
  for (const Row& row : rows) {
    bool& again = failing[{row.test, row.cycle}];
    ++counts.attempts;
    ++(again ? counts.retries : counts.jobs);
    ++(row.failed ? counts.failures : counts.completed);
    if (!row.failed) counts.results += row.id;
    again = row.failed;
  }
  for (const auto& [key, given_up] : failing) counts.dead += given_up ? 1 : 0;
  return counts;
}

class TestFarm {
 public:
  TestFarm(const std::vector<Row>& rows, std::filesystem::path directory) : directory_(std::move(directory)) {
    std::map<std::pair<std::string, std::string>, std::size_t> open;
    for (const Row& row : rows) {
      const auto key = std::make_pair(row.test, row.cycle);
      if (!open.contains(key)) {
        open[key] = jobs_.size();
        begin_[row.at].push_back(jobs_.size());
        jobs_.emplace_back();
      }
      jobs_[open[key]].push_back(row);
      if (!row.failed) open.erase(key);
      instants_.insert(row.at);
    }
  }

  Counts run() {
    if (instants_.empty()) return {};
    clock_.set_wall(*instants_.begin() - std::chrono::hours(1));
    open();
    std::size_t passed = 0;
    for (const Instant at : instants_) {
      clock_.advance_to(at);
      schedule(at);
      run_what_is_due(at);
      if (++passed % 400 == 0) {
        book_->close();
        book_.reset();
        open();
      }
    }
    book_->close();
    book_.reset();
    return read_back();
  }

 private:
  void open() {
    Options options;
    options.clock = &clock_;
    options.waiter = &clock_;
    options.random = &random_;
    options.driven = true;
    book_.emplace(Daybook::open(directory_, options));
  }

  std::vector<Answer> execute(std::vector<Command> commands) {
    auto answers = book_->execute({.commands = std::move(commands)});
    if (!answers) throw std::runtime_error(answers.error().sentence);
    return *std::move(answers);
  }

  void schedule(Instant at) {
    const auto found = begin_.find(at);
    if (found == begin_.end()) return;
    std::vector<Command> commands;
    for (const std::size_t job : found->second) {
      Schedule command{.queue = "ci", .kind = "test", .payload = std::to_string(job)};
      command.retry.max_attempts = static_cast<std::uint32_t>(jobs_[job].size());
      command.tags = {{"test", jobs_[job].front().test}, {"cycle", jobs_[job].front().cycle}};
      commands.emplace_back(std::move(command));
    }
    execute(std::move(commands));
  }

  void run_what_is_due(Instant at) {
    const auto claimed = book_->claim({.queues = {"ci"}, .kinds = {}, .worker = "farm", .count = 10'000});
    if (!claimed) throw std::runtime_error(claimed.error().sentence);
    std::vector<Command> commands;
    for (const ClaimedJob& job : *claimed) {
      const std::vector<Row>& rows = jobs_.at(std::stoull(std::string(job.payload.bytes())));
      const Row& row = rows.at(job.attempt - 1);
      EXPECT_EQ(row.at, at) << row.id << " ran at another time than in the file";
      if (!row.failed) {
        commands.emplace_back(Complete{.job = job.id, .token = job.token, .result = std::to_string(row.id)});
      } else {
        Fail fail{.job = job.id, .token = job.token, .error = "verdict 1", .error_kind = "verdict"};
        if (job.attempt < rows.size()) fail.retry_in = rows[job.attempt].at - at;
        commands.emplace_back(std::move(fail));
      }
    }
    if (!commands.empty()) execute(std::move(commands));
  }

  /// What is on record, whatever the state has kept of it.
  [[nodiscard]] Counts read_back() const {
    const auto storage = PosixStorage::open(directory_, Access::read_only);
    Counts counts;
    LogReader(*storage).read(Sequence(1), [&](const RecordedEvent& recorded) {
      if (std::holds_alternative<JobScheduled>(recorded.event)) ++counts.jobs;
      if (std::holds_alternative<JobClaimed>(recorded.event)) ++counts.attempts;
      if (const auto* completed = std::get_if<JobCompleted>(&recorded.event)) {
        ++counts.completed;
        counts.results += std::stoull(std::string(completed->result.bytes()));
      }
      if (const auto* failed = std::get_if<AttemptFailed>(&recorded.event)) {
        ++counts.failures;
        ++(std::holds_alternative<Again>(failed->next) ? counts.retries : counts.dead);
      }
      return true;
    });
    const LogVerdict verdict = verify_log(*storage);
    EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
    return counts;
  }

  std::filesystem::path directory_;
  std::vector<std::vector<Row>> jobs_;  // each its attempts
  std::map<Instant, std::vector<std::size_t>> begin_;
  std::set<Instant> instants_;
  testing::VirtualClock clock_;
  testing::SeededRandom random_;
  std::optional<Daybook> book_;
};

void expect_to_add_up(const std::vector<Row>& rows) {
  const test::TempFolder folder(test::memory_folder());
  EXPECT_EQ(TestFarm(rows, folder.path() / "book").run(), counts_of(rows));
}

TEST(Attempts, AGeneratedTestFarmAddsUp) {
  std::mt19937_64 random(2015);
  std::ostringstream text;
  text << "Id;Name;Duration;CalcPrio;LastRun;LastResults;Verdict;Cycle\n";
  int id = 0;
  for (int cycle = 1; cycle <= 8; ++cycle) {
    for (int round = 0; round < 6; ++round) {
      for (int test = 0; test < 40; ++test) {
        if (random() % 3 == 0) continue;
        text << ++id << ";t" << test << ";1000;0;2015-02-" << 10 + cycle << " 16:" << 10 + round << ":00;[];"
             << (random() % 3 == 0 ? 1 : 0) << ";" << cycle << "\n";
      }
    }
  }
  std::istringstream in(text.str());
  const auto rows = read_rows(in);
  EXPECT_GT(counts_of(rows).retries, 100U);
  EXPECT_GT(counts_of(rows).dead, 10U);
  expect_to_add_up(rows);
}

TEST(Attempts, TheTestFarmOf2015AddsUp) {
  const std::string path = trace_path("iofrol.csv");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no trace at " << path << ": get it from the RETECS data sets";
  std::ifstream in(path);
  const auto rows = read_rows(in);
  const Counts expected = counts_of(rows);
  EXPECT_EQ(expected.attempts, 32'260U);
  EXPECT_EQ(expected.failures, 9'289U);
  std::cout << expected << "\n";
  expect_to_add_up(rows);
}

}  // namespace
}  // namespace daybook::bench
