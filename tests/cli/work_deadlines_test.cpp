// SPDX-License-Identifier: Apache-2.0
// Stories of `work` and the timeouts of jobs: whose time is over is ended then, and the line says why.
#include "work_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class WorkAndDeadlines : public WorkOfTool {
 protected:
  /// A worker whose jobs are made while it runs, one a second: however slow the machine is, one is claimed in its time.
  [[nodiscard]] RunningTool working_each_second(const Words& of_job, const Words& options) const {
    Words add = {"recurring", "add", "often", "--every", "1s", "--queue", "mail", "--kind", "k"};
    add.insert(add.end(), of_job.begin(), of_job.end());
    // A verb of two words: the directory stands behind both.
    add.insert(add.end(), {"--dir", directory()});
    add.insert(add.begin(), tool());
    EXPECT_EQ(run_program(add).exit_code, 0);
    Words work = {"work", "--queue", "mail"};
    work.insert(work.end(), options.begin(), options.end());
    work.insert(work.end(), {"--", "sleep", "1000"});
    return RunningTool(words(work));
  }
};

// The lease is a day: whoever waited for a renewal would wait for hours.
TEST_F(WorkAndDeadlines, ARunTimeoutEndsTheCommandAndTheAttempt) {
  const std::string id = schedule({"--run-timeout", "100ms", "--max-attempts", "1"});
  const ToolRun done = work({"--lease", "24h"}, "exec sleep 1000");
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.err, AllOf(HasSubstr("failed, ran longer than its run timeout of 100ms, dead: attempts_exhausted"),
                              HasSubstr("1 attempt: 1 failed"), Not(HasSubstr("lease lost"))));
  EXPECT_EQ(job(id)["state"], "dead");
  EXPECT_EQ(job(id)["error_kind"], "timeout");
  EXPECT_THAT(event_types(id), testing::ElementsAre("JobScheduled", "JobClaimed", "AttemptFailed"));
}

TEST_F(WorkAndDeadlines, ATotalTimeoutEndsTheCommandAndTheJob) {
  RunningTool worker = working_each_second({"--total-timeout", "200ms"}, {"--lease", "24h", "--json"});
  EXPECT_TRUE(worker.says("timed out, ran past its total timeout of 200ms, dead: timed_out"));
  worker.signal(SIGTERM);
  const Json first = json_lines(worker.wait()).at(0);
  EXPECT_EQ(first["outcome"], "timed_out");
  EXPECT_EQ(first["dead_reason"], "timed_out");
  EXPECT_THAT(event_types(first["id"]), testing::ElementsAre("JobScheduled", "JobClaimed", "JobTimedOut"));
}

TEST_F(WorkAndDeadlines, ARunTimeoutIsForEachAttempt) {
  const std::string id = schedule({"--run-timeout", "100ms", "--first", "1ms", "--max-attempts", "2"});
  const ToolRun done = work({"--lease", "24h"}, "exec sleep 1000");
  EXPECT_THAT(done.err, AllOf(HasSubstr("attempt 1"), HasSubstr("run timeout of 100ms, again at "),
                              HasSubstr("attempt 2"), HasSubstr("2 attempts: 2 failed")));
  EXPECT_EQ(job(id)["attempt"], 2);
}

TEST_F(WorkAndDeadlines, WhoIgnoresTheEndOfItsTimeIsKilledWhenTheGraceIsOver) {
  const std::string id = schedule({"--run-timeout", "100ms", "--max-attempts", "1"});
  const ToolRun done = work({"--lease", "24h", "--grace", "100ms"}, stubborn());
  EXPECT_THAT(done.err, HasSubstr("run timeout"));
  expect_nothing_of_it_is_left();
}

TEST_F(WorkAndDeadlines, WhatItSaysAfterItsTimeDoesNotCountAndIsNoLostLease) {
  const std::string id = schedule({"--run-timeout", "200ms", "--max-attempts", "1"});
  // The tool is stopped, as by a machine that sleeps, until the time is over and the command has ended well.
  const ToolRun done = work({"--lease", "24h"}, "(sleep 0.5; kill -CONT $PPID) & kill -STOP $PPID; exit 0");
  EXPECT_THAT(done.err, AllOf(HasSubstr("run timeout of 200ms"), Not(HasSubstr("lease lost"))));
  EXPECT_EQ(job(id)["error_kind"], "timeout");
}

// A lease of a second is renewed at a third of one: the first time to its full length, then up to the timeout.
TEST_F(WorkAndDeadlines, ALeaseThatATimeoutCutIsNotRenewed) {
  const std::string id = schedule({"--run-timeout", "1100ms", "--max-attempts", "1"});
  work({"--lease", "1s"}, "exec sleep 1000");
  EXPECT_EQ(job(id)["error_kind"], "timeout");
  const auto types = event_types(id);
  EXPECT_EQ(std::count(types.begin(), types.end(), "LeasesRenewed"), 1);
}

TEST_F(WorkAndDeadlines, TheOptionEndsAnAttemptThatHasMoreTimeOfItsOwn) {
  const std::string id = schedule({"--run-timeout", "1h", "--max-attempts", "1"});
  work({"--timeout", "100ms"}, "exec sleep 1000");
  EXPECT_EQ(job(id)["error_kind"], "timeout");
  EXPECT_EQ(job(id)["error"], "ran longer than 100ms");
}

// A newcomer has the running one cancelled: its worker must hear of it although nothing is renewed any more.
TEST_F(WorkAndDeadlines, ACancellationIsHeardThoughTheLeaseIsNotRenewed) {
  RunningTool worker = working_each_second({"--overlap", "cancel_other", "--run-timeout", "3500ms"}, {"--lease", "4s"});
  EXPECT_TRUE(worker.says("s  cancelled"));
}

}  // namespace
}  // namespace daybook::test
