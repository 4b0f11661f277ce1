// SPDX-License-Identifier: Apache-2.0

// A month of what recurs, in virtual time, over a night in which clocks are set, with closings of an hour and a half: each schedule's
// jobs are made at exactly the instants that the expectation has, each once.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "recurring_run.hpp"
#include "support/temp_folder.hpp"
#include "traces.hpp"

namespace daybook::bench {
namespace {

using namespace std::chrono_literals;

struct Month {
  std::string zone;
  Instant from{};
};
const Month spring{"Europe/Prague", *parse_instant("2026-03-15T10:07:00Z")};
const Month autumn{"America/New_York", *parse_instant("2026-10-18T10:07:00Z")};

/// Empty when both are the same.
std::string difference(const std::vector<Instant>& found, const std::vector<Instant>& expected) {
  const auto [here, there] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
  const auto text = [](const auto& at, const auto& all) {
    return at == all.end() ? std::string("nothing") : to_string(*at);
  };
  if (here == found.end() && there == expected.end()) return {};
  return "ran " + std::to_string(found.size()) + " times, expected " + std::to_string(expected.size()) +
         "; first different at " + text(here, found) + ", expected " + text(there, expected);
}

void expect_each_once(const std::vector<Periodic>& periodics, const Month& month, std::size_t refused,
                      std::optional<std::filesystem::path> directory = {}) {
  const RecurringRun run{.from = month.from,
                         .until = month.from + 24h * 30,
                         .zone = month.zone,
                         .closings = 4,
                         .closed_for = 90min,
                         .directory = std::move(directory)};
  const RecurringResult result = run_recurring(periodics, run);
  EXPECT_EQ(result.refused.size(), refused) << testing::PrintToString(result.refused);
  Instants fired = result.fired;
  std::uint64_t expected_firings = 0;
  for (auto& [name, expected] : expected_instants(periodics, month.zone, run.from, run.until)) {
    expected_firings += expected.size();
    EXPECT_EQ(difference(fired[name], expected), "") << name;
    fired.erase(name);
  }
  EXPECT_TRUE(fired.empty()) << fired.begin()->first << " was never declared";
  EXPECT_EQ(result.firings, expected_firings);
  EXPECT_EQ(result.jobs, expected_firings);
  EXPECT_EQ(result.completed, expected_firings);
  EXPECT_EQ(result.skipped, 0U);
  EXPECT_EQ(result.early, 0U);
  EXPECT_GT(result.late, 0U);
  EXPECT_TRUE(result.log_verifies) << result.log_message;
  std::cout << expected_firings << " firings, " << result.late << " of them caught up, " << result.events
            << " events\n";
}

std::vector<Periodic> generated() {
  std::mt19937 random(2026);
  const auto below = [&](unsigned limit) { return static_cast<int>(random() % limit); };
  std::ostringstream text;
  text << "name\tkind\tschedule\tmax_concurrency\n";
  for (int i = 0; i < 60; ++i) {
    text << "i" << i << (i % 5 == 0 ? "\tminimum_interval\t" : "\tinterval\t") << 1 + below(48) << "h" << below(60)
         << "m\t1\n";
    text << "c" << i << "\tcron\t" << below(60) << " "
         << (i % 3 == 0 ? std::to_string(below(4)) : "1-23/" + std::to_string(1 + below(23)))
         << (i % 4 == 0   ? " 1-31/2 * *"
             : i % 4 == 1 ? " * * MON,3"
                          : " * * *")
         << "\t\n";
  }
  text << "gap\tcron\t*/20 2 * * *\t\ntwice\tcron\t*/20 1 * * *\t\nflow\tcron\t15 * * * *\t\nboth\tcron\t0 2,3 * * "
          "*\t\n";
  std::istringstream in(text.str());
  return read_periodics(in);
}

TEST(Recurring, AGeneratedMonthInWhichClocksGoForwardRunsEachOnce) {
  expect_each_once(generated(), spring, 0);
}

TEST(Recurring, AGeneratedMonthInWhichClocksGoBackRunsEachOnceOnADirectory) {
  const test::TempFolder folder(test::memory_folder());
  expect_each_once(generated(), autumn, 0, folder.path() / "book");
}

/// Two of the trace's expressions name days that no month has; they are refused, and expected never.
TEST(Recurring, AMonthOfProwsPeriodicJobsRunsEachOnce) {
  const std::string path = trace_path("prow_periodics.tsv");
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "no trace at " << path << ": it is made from kubernetes/test-infra";
  std::ifstream in(path);
  const auto periodics = read_periodics(in);
  EXPECT_EQ(periodics.size(), 1335U);
  expect_each_once(periodics, spring, 2);
}

}  // namespace
}  // namespace daybook::bench
