// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/recurring_book.hpp"

// Missed × overlap, cell by cell: the table of docs/recurring.md.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::RecurringBook;

struct Cell {
  Missed missed;
  Overlap overlap;
  const char* nothing_ran;  // what becomes of 12:10 to 12:40, found at 12:45, when no job of the schedule is left …
  const char* one_waits;    // … and when that of 12:00 still waits
};

const std::vector<Cell> table = {
    {Missed::skip, Overlap::skip, "missed 12:10-12:40 (4)", "missed 12:10-12:40 (4)"},
    {Missed::skip, Overlap::buffer_one, "missed 12:10-12:40 (4)", "missed 12:10-12:40 (4)"},
    {Missed::skip, Overlap::buffer_all, "missed 12:10-12:40 (4)", "missed 12:10-12:40 (4)"},
    {Missed::skip, Overlap::cancel_other, "missed 12:10-12:40 (4)", "missed 12:10-12:40 (4)"},
    {Missed::skip, Overlap::allow, "missed 12:10-12:40 (4)", "missed 12:10-12:40 (4)"},
    {Missed::once, Overlap::skip, "missed 12:10-12:30 (3), catch_up 12:40", "missed 12:10-12:30 (3), overlap 12:40"},
    {Missed::once, Overlap::buffer_one, "missed 12:10-12:30 (3), catch_up 12:40",
     "missed 12:10-12:30 (3), buffered 12:40"},
    {Missed::once, Overlap::buffer_all, "missed 12:10-12:30 (3), catch_up 12:40",
     "missed 12:10-12:30 (3), buffered 12:40"},
    {Missed::once, Overlap::cancel_other, "missed 12:10-12:30 (3), catch_up 12:40",
     "missed 12:10-12:30 (3), catch_up 12:40, cancelled"},
    {Missed::once, Overlap::allow, "missed 12:10-12:30 (3), catch_up 12:40", "missed 12:10-12:30 (3), catch_up 12:40"},
    {Missed::all, Overlap::skip, "catch_up 12:10, overlap 12:20-12:40 (3)", "overlap 12:10-12:40 (4)"},
    {Missed::all, Overlap::buffer_one, "catch_up 12:10, buffered 12:20, buffer_full 12:30-12:40 (2)",
     "buffered 12:10, buffer_full 12:20-12:40 (3)"},
    {Missed::all, Overlap::buffer_all, "catch_up 12:10, buffered 12:20, buffered 12:30, buffered 12:40",
     "buffered 12:10, buffered 12:20, buffered 12:30, buffered 12:40"},
    {Missed::all, Overlap::cancel_other,
     "catch_up 12:10, catch_up 12:20, cancelled, catch_up 12:30, cancelled, catch_up 12:40, cancelled",
     "catch_up 12:10, cancelled, catch_up 12:20, cancelled, catch_up 12:30, cancelled, catch_up 12:40, cancelled"},
    {Missed::all, Overlap::allow, "catch_up 12:10, catch_up 12:20, catch_up 12:30, catch_up 12:40",
     "catch_up 12:10, catch_up 12:20, catch_up 12:30, catch_up 12:40"},
};

struct Away {
  explicit Away(const Cell& cell) {
    book.now.wall -= 1min;
    book.declare(RecurringBook::spec(RecurringBook::every(10min), cell.overlap, {.runs = cell.missed}));
    book.run_until(RecurringBook::day("12:01:00"));
    EXPECT_EQ(book.story(), "timer 12:00");
  }
  std::string come_back() {
    book.away_until(RecurringBook::day("12:45:00"));
    book.fire();
    return book.story();
  }
  RecurringBook book;
};

TEST(RecurringPolicies, WhatWasMissedFollowsBothPoliciesWhenNoJobIsLeft) {
  for (const Cell& cell : table) {
    Away away(cell);
    away.book.complete_all();
    EXPECT_EQ(away.come_back(), cell.nothing_ran) << to_string(cell.missed) << " x " << to_string(cell.overlap);
  }
}

TEST(RecurringPolicies, WhatWasMissedFollowsBothPoliciesWhileAJobWaits) {
  for (const Cell& cell : table) {
    Away away(cell);
    EXPECT_EQ(away.come_back(), cell.one_waits) << to_string(cell.missed) << " x " << to_string(cell.overlap);
  }
}

TEST(RecurringPolicies, TheTableNamesEveryPair) {
  EXPECT_EQ(table.size(), 15U);
}

// ---- missed

struct MissedTest : ::testing::Test {
  void declare(MissedPolicy missed, Overlap overlap = Overlap::allow) {
    book.declare(RecurringBook::spec(RecurringBook::every(10min), overlap, missed));
  }
  std::string found_at(std::string_view clock) {
    book.away_until(RecurringBook::day(clock));
    book.fire();
    return book.story();
  }
  RecurringBook book;
};

TEST_F(MissedTest, AMinuteLateIsNotMissed) {
  declare({.runs = Missed::skip});
  EXPECT_EQ(found_at("12:11:00"), "timer 12:10");
  EXPECT_EQ(found_at("12:21:00.000001"), "missed 12:20");
}

TEST_F(MissedTest, WhatWasDueBeforeTheWindowIsSkippedWhateverThePolicy) {
  declare({.runs = Missed::all, .window = 30min});
  EXPECT_EQ(found_at("13:05:00"), "out_of_window 12:10-12:30 (3), catch_up 12:40, catch_up 12:50, catch_up 13:00");
}

TEST_F(MissedTest, NothingRunsWhenEvenTheLastIsOutOfTheWindow) {
  declare({.runs = Missed::once, .window = 2min});
  EXPECT_EQ(found_at("12:35:00"), "out_of_window 12:10-12:30 (3)");
}

TEST_F(MissedTest, OfMoreThanTheCapTheLastRun) {
  declare({.runs = Missed::all, .cap = 2});
  EXPECT_EQ(found_at("13:05:00"), "cap 12:10-12:40 (4), catch_up 12:50, catch_up 13:00");
}

TEST_F(MissedTest, WhatIsDueInTimeRunsBesideWhatWasMissed) {
  declare({.runs = Missed::once});
  EXPECT_EQ(found_at("12:30:30"), "missed 12:10, catch_up 12:20, timer 12:30");
}

TEST_F(MissedTest, AYearOfSecondsIsSkippedInPartsAndTheLastOneRunsOnce) {
  book.declare(RecurringBook::spec(RecurringBook::every(1s), Overlap::skip, {.runs = Missed::once}));
  book.pass(24h);
  book.fire();
  std::uint64_t skipped = 0;
  for (const auto& event : book.all<RecurringSkipped>()) {
    skipped += event.count;
    EXPECT_LE(event.count, limits::recurring_slice);
  }
  EXPECT_EQ(book.count<RecurringFired>(), 1U);
  EXPECT_EQ(skipped + 1, 24U * 3600U);
  EXPECT_EQ(book.all<RecurringFired>().front().by, FiredBy::catch_up);
  // Missed were all but those of the last minute, which came while the caught up one had not ended.
  EXPECT_EQ(book.all<RecurringFired>().front().nominal, book.now.wall - 61s);
}

TEST_F(MissedTest, OneStepMakesABoundedNumberOfJobs) {
  declare({.runs = Missed::all, .cap = 1000});
  book.pass(24h * 6);
  book.done(FireRecurring{.jobs = 100});
  EXPECT_EQ(book.count<RecurringFired>(), 100U);
  book.done(FireRecurring{.jobs = 100});
  EXPECT_EQ(book.count<RecurringFired>(), 200U);
  book.fire();
  EXPECT_EQ(book.count<RecurringFired>(), 864U);
  EXPECT_EQ(book.count<RecurringSkipped>(), 0U);
}

// ---- overlap

struct OverlapTest : ::testing::Test {
  void declare(Overlap overlap) { book.declare(RecurringBook::spec(RecurringBook::every(10min), overlap)); }
  std::string run_until(std::string_view clock) {
    book.run_until(RecurringBook::day(clock));
    return book.story();
  }
  RecurringBook book;
};

TEST_F(OverlapTest, SkipGoesOnWhenTheJobHasEnded) {
  declare(Overlap::skip);
  EXPECT_EQ(run_until("12:25:00"), "timer 12:10, overlap 12:20");
  book.complete_all();
  EXPECT_EQ(run_until("12:35:00"), "timer 12:30");
}

TEST_F(OverlapTest, OneOccurrenceWaitsAndRunsWhenTheJobHasEnded) {
  declare(Overlap::buffer_one);
  EXPECT_EQ(run_until("12:35:00"), "timer 12:10, buffered 12:20, buffer_full 12:30");
  EXPECT_EQ(book.info().buffered, std::vector{RecurringBook::day("12:20:00")});
  book.complete_all();
  EXPECT_EQ(run_until("12:36:00"), "buffer 12:20");
  EXPECT_EQ(run_until("12:45:00"), "buffered 12:40");
}

TEST_F(OverlapTest, AllOccurrencesWaitTheirTurn) {
  declare(Overlap::buffer_all);
  EXPECT_EQ(run_until("12:35:00"), "timer 12:10, buffered 12:20, buffered 12:30");
  book.complete_all();
  EXPECT_EQ(run_until("12:36:00"), "buffer 12:20");
  book.complete_all();
  EXPECT_EQ(run_until("12:37:00"), "buffer 12:30");
}

TEST_F(OverlapTest, NoMoreOccurrencesWaitThanMay) {
  book.declare(RecurringBook::spec(RecurringBook::every(1s), Overlap::buffer_all));
  book.run_until(book.now.wall + 1002s);
  EXPECT_EQ(book.count<RecurringBuffered>(), limits::buffered_max);
  EXPECT_EQ(book.last<RecurringSkipped>().reason, SkipReason::buffer_full);
}

TEST_F(OverlapTest, CancelOtherAsksARunningJobToStopAndRunsBesideIt) {
  declare(Overlap::cancel_other);
  EXPECT_EQ(run_until("12:15:00"), "timer 12:10");
  const ClaimedJob running = book.claim_one(1h);
  EXPECT_EQ(run_until("12:25:00"), "timer 12:20, asked to stop");
  EXPECT_TRUE(book.job(running.id).cancel_requested);
  EXPECT_EQ(book.info().live.size(), 2U);
  EXPECT_EQ(run_until("12:35:00"), "timer 12:30, cancelled") << "asked once, and the one of 12:20 waited";
}

TEST_F(OverlapTest, AllowRunsThemBesideEachOtherUpToABound) {
  book.declare(RecurringBook::spec(RecurringBook::every(1s), Overlap::allow));
  book.run_until(book.now.wall + 1002s);
  EXPECT_EQ(book.count<RecurringFired>(), limits::recurring_live_max);
  EXPECT_EQ(book.last<RecurringSkipped>().reason, SkipReason::too_many_live);
}

TEST_F(OverlapTest, AJobThatIsDeadIsNotInTheWayAndOneRetriedByHandIs) {
  declare(Overlap::skip);
  run_until("12:11:00");
  const ClaimedJob job = book.claim_one();
  book.done(Fail{.job = job.id, .token = job.token, .retryable = false});
  EXPECT_EQ(run_until("12:21:00"), "timer 12:20");
  book.complete_all();
  book.done(Retry{job.id});
  EXPECT_EQ(run_until("12:31:00"), "overlap 12:30");
}

TEST_F(OverlapTest, WhatWaitedRunsAlsoUnderAnotherPolicyLater) {
  declare(Overlap::buffer_one);
  run_until("12:21:00");
  declare(Overlap::skip);
  book.complete_all();
  EXPECT_EQ(run_until("12:22:00"), "buffer 12:20");
}

}  // namespace
}  // namespace daybook
