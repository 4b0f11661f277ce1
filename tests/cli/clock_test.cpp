// SPDX-License-Identifier: Apache-2.0

// A book whose last event lies ten years ahead of the machine's clock, at the shell.
#include "book_of_tool.hpp"
#include "daybook/daybook.hpp"
#include "support/manual_time.hpp"

namespace daybook::test {
namespace {

using testing::HasSubstr;

class ClockVerbs : public BookOfTool {
 protected:
  void make_book(std::uint32_t level) const {
    ManualTime time;
    time.step_wall(std::chrono::hours(24 * 3650));
    Daybook book = Daybook::open(directory(), {.feature_level = level, .clock = &time, .waiter = &time});
    book.schedule({.queue = "mail", .kind = "welcome"}).value();
    book.close();
  }
};

TEST_F(ClockVerbs, ABookInDoubtSaysWhatToDoAndRunsOnceTheClockIsConfirmed) {
  make_book(2);
  EXPECT_EQ(one({"clock"})["next_opening_doubts"], true);
  EXPECT_THAT(run({"clock"}).out, HasSubstr("the next opening will doubt the clock"));

  const ToolRun scheduled = run({"schedule", "--queue", "mail", "--kind", "welcome"});
  EXPECT_EQ(scheduled.exit_code, 0) << scheduled.err;
  EXPECT_THAT(scheduled.err, HasSubstr("the clock is in doubt"));
  EXPECT_EQ(one({"stat"})["clock_doubted"], true);
  EXPECT_THAT(run({"stat"}).out, HasSubstr("daybook confirm-clock"));
  EXPECT_THAT(run({"clock"}).out, HasSubstr("in doubt"));

  EXPECT_THAT(run({"claim", "--queue", "mail", "--worker", "ada"}), Refused("confirm-clock"));
  EXPECT_THAT(run({"claim", "--queue", "mail", "--worker", "ada", "--for", "1h"}), Refused("confirm-clock"));
  EXPECT_THAT(run({"work", "--queue", "mail", "--until-empty", "--", "true"}), Refused("confirm-clock"));

  EXPECT_THAT(run({"confirm-clock"}), WrongUsage("--reason"));
  EXPECT_EQ(one({"confirm-clock", "--reason", "checked with date"})["was_doubted"], true);
  EXPECT_EQ(one({"confirm-clock", "--reason", "once more"})["was_doubted"], false);
  EXPECT_EQ(one({"clock"})["clock_doubted"], false);
  EXPECT_FALSE(claim().is_null());
}

TEST_F(ClockVerbs, WhoeverTrustsTheClockIsNotAsked) {
  make_book(2);
  const ToolRun done = run({"work", "--trust-clock", "--queue", "mail", "--until-empty", "--", "true"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, testing::Not(HasSubstr("doubt")));
}

TEST_F(ClockVerbs, ABookOfFeatureLevel1TrustsAnyClock) {
  make_book(1);
  EXPECT_EQ(one({"clock"})["next_opening_doubts"], false);
  EXPECT_FALSE(claim().is_null());
}

}  // namespace
}  // namespace daybook::test
