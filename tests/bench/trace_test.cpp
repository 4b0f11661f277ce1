// SPDX-License-Identifier: Apache-2.0

// A workload from the first submission to the last completion, in virtual time, in real files. In memory where there is a folder for it:
// else the syncs of a disk would be all that it waits for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <sstream>
#include <string>

#include "support/temp_folder.hpp"
#include "trace_run.hpp"
#include "traces.hpp"

namespace daybook::bench {
namespace {

std::string row(int number, long submit, long run) {
  return std::to_string(number) + " " + std::to_string(submit) + " -1 " + std::to_string(run) +
         " 16 -1 -1 -1 -1 -1 -1 3 1 -1 -1 -1 -1 -1\n";
}

void expect_complete(const Trace& trace, std::uint32_t workers) {
  const test::TempFolder folder(test::memory_folder());
  const TraceResult result = run_trace(trace, folder.path() / "book", workers);
  EXPECT_EQ(result.scheduled, trace.jobs.size());
  EXPECT_EQ(result.claimed, trace.jobs.size());
  EXPECT_EQ(result.completed, trace.jobs.size());
  EXPECT_EQ(result.claims_early, 0u);
  EXPECT_TRUE(result.log_verifies) << result.log_message;
  EXPECT_EQ(result.index_difference, "");
}

TEST(Swf, DirtyRowsAreToldByLineAndSkipped) {
  std::istringstream in("; a header\n" + row(1, 0, 10) + "\n" + row(2, 5, -1359980917) + "3 6 -1 7\n" + row(4, -2, 1) +
                        "5 x -1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n" + row(6, 3, 1));
  const Trace trace = read_swf(in);
  ASSERT_EQ(trace.jobs.size(), 2u);
  EXPECT_EQ(trace.jobs[1].number, 6);
  EXPECT_THAT(trace.rejected,
              testing::ElementsAre("line 4: run time -1359980917 is negative", "line 5: found 4 fields, expected 18",
                                   "line 6: submit time -2 is negative", "line 7: submit time \"x\" is no number"));
}

TEST(Trace, AGeneratedWorkloadWithDirtyRowsRunsToItsEnd) {
  std::mt19937_64 random(1993);
  std::string text;
  long submit = 0;
  for (int number = 1; number <= 1500; ++number) {
    submit += static_cast<long>(random() % 400);
    text += number % 100 == 0   ? row(number, submit, -1)
            : number % 150 == 1 ? "7 7 7\n"
                                : row(number, submit, static_cast<long>(random() % 9000));
  }
  std::istringstream in(text);
  const Trace trace = read_swf(in);
  EXPECT_EQ(trace.rejected.size(), 25u);
  EXPECT_EQ(trace.jobs.size() + trace.rejected.size(), 1500u);
  expect_complete(trace, 8);
}

TEST(Trace, TheNasaIpscLogOf1993RunsToItsEnd) {
  const std::string path = trace_path("NASA-iPSC-1993-3.1-cln.swf.gz");
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "no trace at " << path << ": get it from the Parallel Workloads Archive";
  const Trace trace = read_swf_file(path);
  EXPECT_EQ(trace.jobs.size(), 18'239u);
  EXPECT_TRUE(trace.rejected.empty());
  expect_complete(trace, 32);
}

}  // namespace
}  // namespace daybook::bench
