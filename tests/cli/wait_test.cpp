// SPDX-License-Identifier: Apache-2.0
// Waiting for the end of a job, beside whoever has the book.
#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class WaitOfTool : public BookOfTool {
 protected:
  [[nodiscard]] RunningTool begin_waiting(const std::string& id) const {
    return RunningTool(words({"wait", "--json", id}));
  }
};

TEST_F(WaitOfTool, AJobThatHasEndedIsPrintedAtOnce) {
  const std::string id = schedule();
  const std::string token = claim()["token"];
  run({"complete", id, "--token", token, "--result", "sent"});
  const ToolRun done = run({"wait", id});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, MatchesRegex("[0-9]+-[0-9a-f]{8}  completed  attempt 1 of 25  sent\n"));
}

TEST_F(WaitOfTool, TheExitCodeSaysHowItEnded) {
  const std::string cancelled = schedule();
  run({"cancel", cancelled});
  EXPECT_EQ(run({"wait", cancelled}).exit_code, 4);
  const std::string dead = schedule({"--max-attempts", "1"});
  run({"fail", dead, "--token", claim()["token"], "--error", "smtp 421"});
  const ToolRun run_of_dead = run({"wait", dead});
  EXPECT_EQ(run_of_dead.exit_code, 4);
  EXPECT_THAT(run_of_dead.out, HasSubstr("attempts_exhausted: smtp 421"));
}

TEST_F(WaitOfTool, WhatHasNotEndedInTimeIsShownAsItStands) {
  const std::string id = schedule({"--in", "1h"});
  const ToolRun looked = run({"wait", id, "--for", "0s"});
  EXPECT_EQ(looked.exit_code, 5);
  EXPECT_THAT(looked.out, HasSubstr("  scheduled  "));
  EXPECT_THAT(looked.err, HasSubstr("it has not ended within 0s"));
  EXPECT_EQ(run({"wait", id, "--for", "30ms"}).exit_code, 5);
}

TEST_F(WaitOfTool, ItSeesWhatAProcessDoesThatHasTheBookOpen) {
  const std::string id = schedule();
  RunningTool waiting = begin_waiting(id);
  const ToolRun work = run({"work", "--queue", "mail", "--until-empty", "--", "/bin/echo", "sent"});
  EXPECT_EQ(work.exit_code, 0) << work.err;
  const ToolRun done = waiting.wait();
  EXPECT_EQ(done.exit_code, 0) << done.err;
  const auto lines = json_lines(done);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0]["state"], "completed");
  EXPECT_EQ(lines[0]["result"], "sent\n");
}

TEST_F(WaitOfTool, WhatWasNeverThereIsRefused) {
  const std::string id = schedule();
  EXPECT_THAT(run({"wait", "9999"}), Refused("is not in this book"));
  EXPECT_THAT(run({"wait", id.substr(0, id.find('-')) + "-00000001"}), Refused("of another copy of the book"));
  EXPECT_THAT(run({"wait", "soon"}), WrongUsage("ID: "));
}

}  // namespace
}  // namespace daybook::test
