// SPDX-License-Identifier: Apache-2.0

// What wrong clocks do to a book: nothing fires twice, no duration is delayed, and a clock that cannot be right is doubted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "daybook/daybook.hpp"
#include "support/engine_book.hpp"
#include "support/manual_time.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::EngineBook;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Duration day = 24h;
constexpr Duration year = 365 * day;

class ClockTest : public testing::Test, protected EngineBook {
 protected:
  ClockTest() {
    open();
  }

  // Closed, then opened by a clock that stepped meanwhile.
  void reopen_after(Duration wall_step, ClockPolicy policy = ClockPolicy::ask) {
    close();
    clock.step_wall(wall_step);
    open(policy);
  }
  [[nodiscard]] bool doubted() const { return book().clock_doubted; }
  static Complete done(const ClaimedJob& job) { return Complete{job.id, job.token, {}}; }
};

// ---- steps while the book is open

class ClockStep : public ClockTest, public testing::WithParamInterface<Duration> {};

TEST_P(ClockStep, IsAnEventAndDoesNotMoveDelaysOrLeases) {
  const JobId delayed = schedule(mail(after(10min)));
  const JobId running = schedule(mail());
  const auto claimed = claim(any(5min));
  ASSERT_THAT(claimed, SizeIs(1));
  const std::uint32_t era = book().era;

  clock.step_wall(GetParam());
  step();
  EXPECT_EQ(book().era, era + 1);
  ASSERT_THAT(recorded<ClockStepped>(), SizeIs(1));
  EXPECT_EQ(recorded<ClockStepped>().front().by, GetParam());
  EXPECT_FALSE(doubted()) << "a step that was seen is no riddle";

  EXPECT_EQ(job(running).state, JobState::running) << "the lease runs on book time";
  clock.advance(5min - 1us);
  step();
  EXPECT_EQ(job(running).state, JobState::running);
  clock.advance(1us);
  step();
  EXPECT_EQ(job(running).state, JobState::waiting) << "and ends by it";

  clock.advance(5min - 1us);
  for (const ClaimedJob& one : claim()) EXPECT_NE(one.id, delayed);
  clock.advance(1us);
  EXPECT_EQ(claim().front().id, delayed);
}

TEST_P(ClockStep, FiresNothingTwice) {
  const JobId id = schedule(mail(at(clock.wall() + 1min)));
  clock.advance(1min);
  const auto claimed = claim();
  ASSERT_THAT(claimed, SizeIs(1));
  clock.step_wall(GetParam());
  EXPECT_THAT(claim(), IsEmpty());
  Retention for_ever;
  for_ever.completed.age = std::nullopt;
  ask(Configure{settings_of(for_ever)}).value();
  ask(done(claimed.front())).value();
  clock.advance(2 * year);
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_EQ(job(id).state, JobState::completed);
}

TEST_P(ClockStep, BackoffIsNotDelayedByIt) {
  const JobId id = schedule(mail());
  const auto claimed = claim();
  ask(Fail{.job = id, .token = claimed.front().token, .retry_in = 10min}).value();
  clock.step_wall(GetParam());
  EXPECT_THAT(claim(), IsEmpty());
  clock.advance(10min - 1us);
  EXPECT_THAT(claim(), IsEmpty());
  clock.advance(1us);
  EXPECT_THAT(claim(), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Back, ClockStep, testing::Values(-Duration(1h), -day, -year));
INSTANTIATE_TEST_SUITE_P(Forward, ClockStep, testing::Values(Duration(1h), day, year));

TEST_F(ClockTest, AJobOfAnInstantWaitsForItAgainWhenTheClockStepsBackBeforeItFired) {
  schedule(mail(at(clock.wall() + 1h)));
  clock.step_wall(2h);
  const auto waiting = wait_for_claim(day);
  clock.step_wall(-2h);
  const Engine::Step planned = step();
  EXPECT_FALSE(waiting->has_value());
  EXPECT_EQ(planned.wake_wall, clock.wall() + 1h);
  clock.advance(1h);
  step();
  EXPECT_TRUE(waiting->has_value());
}

TEST_F(ClockTest, AStepForwardMakesWhatIsDueByItAvailableAtOnce) {
  schedule(mail(at(clock.wall() + 1h)));
  const auto waiting = wait_for_claim(day);
  step();
  EXPECT_FALSE(waiting->has_value());
  clock.step_wall(1h);
  step();
  EXPECT_TRUE(waiting->has_value());
}

TEST_F(ClockTest, ASuspendIsNoStepAndCountsForDurations) {
  schedule(mail(after(8h)));
  clock.advance(8h);  // boot time goes on in a suspend, and so does the wall clock
  EXPECT_THAT(claim(), SizeIs(1));
  EXPECT_THAT(recorded<ClockStepped>(), IsEmpty());
}

TEST_F(ClockTest, AFewSlowOrFastMillisecondsAreDriftAndNoEvent) {
  for (int i = 0; i < 100; ++i) {
    clock.advance(1s);
    clock.step_wall(i % 2 == 0 ? 900ms : -900ms);
    step();
  }
  EXPECT_THAT(recorded<ClockStepped>(), IsEmpty());
}

// ---- openings

TEST_F(ClockTest, ClocksThatAreFourMinutesBackAreBelievedAndSixMinutesBackAreNot) {
  reopen_after(-4min);
  EXPECT_FALSE(doubted());
  reopen_after(-6min);
  EXPECT_TRUE(doubted());
  ASSERT_THAT(recorded<ClockDoubted>(), SizeIs(1));
  EXPECT_EQ(recorded<ClockDoubted>().front().by, -Duration(6min));
}

TEST_F(ClockTest, TheBoundsThemselvesAreBelieved) {
  reopen_after(-limits::clock_back_max);
  EXPECT_FALSE(doubted());
  reopen_after(limits::clock_ahead_max);
  EXPECT_FALSE(doubted());
  reopen_after(limits::clock_ahead_max + 1us);
  EXPECT_TRUE(doubted());
}

TEST_F(ClockTest, ClocksThatAreAYearAndADayAheadAreDoubted) {
  const JobId early = schedule(mail(at(clock.wall() + 300 * day)));
  reopen_after(366 * day);
  EXPECT_TRUE(doubted());
  EXPECT_EQ(refusal_of(any()), RefusalCode::clock_doubted);
  EXPECT_EQ(job(early).state, JobState::waiting);
}

TEST_F(ClockTest, AWeekendOfDowntimeOpensByItselfAndItsJobsRunLate) {
  schedule(mail(at(clock.wall() + 30h)));
  schedule(mail(after(40h)));
  close();
  clock.reboot(65h);
  open();
  EXPECT_FALSE(doubted());
  EXPECT_THAT(claim(), SizeIs(2));
}

TEST_F(ClockTest, WhileItIsInDoubtWorkIsTakenInAndFinishedAndLeasesEnd) {
  const JobId first = schedule(mail());
  const JobId second = schedule(mail());
  const auto claimed = claim();
  ASSERT_THAT(claimed, SizeIs(2));
  reopen_after(-1h);
  ASSERT_TRUE(doubted());
  schedule(mail());
  ask(done(claimed[0])).value();
  renew(claimed[1], 30s);
  EXPECT_EQ(job(first).state, JobState::completed);
  clock.advance(30s);
  step();
  EXPECT_EQ(job(second).state, JobState::waiting);
  EXPECT_EQ(refusal_of(any()), RefusalCode::clock_doubted);
  ask(ConfirmClock{}).value();
  EXPECT_THAT(claim(), SizeIs(2)) << "the second's lease ended, and the third was taken in";
}

TEST_F(ClockTest, AWaitingClaimIsServedByTheStepThatConfirms) {
  schedule(mail());
  reopen_after(-1h);
  const auto waiting = wait_for_claim(day);
  const Engine::Step planned = step();
  EXPECT_FALSE(waiting->has_value());
  EXPECT_EQ(planned.wake_wall, std::nullopt);
  ASSERT_TRUE(planned.wake_boot.has_value());
  EXPECT_GT(*planned.wake_boot, clock.boot()) << "it waits, it does not spin";
  ask(ConfirmClock{}).value();
  ASSERT_TRUE(waiting->has_value());
  EXPECT_THAT(std::get<Claimed>((*waiting)->answers->front()).jobs, SizeIs(1));
}

TEST_F(ClockTest, AClaimThatWaitedInVainLearnsWhy) {
  schedule(mail());
  reopen_after(-1h);
  const auto waiting = wait_for_claim(1min);
  const auto withdrawn = wait_for_claim(1min);
  step();
  engine->withdraw(2);
  clock.advance(1min);
  step();
  ASSERT_TRUE(waiting->has_value());
  EXPECT_EQ((*waiting)->answers.error().code, RefusalCode::clock_doubted);
  ASSERT_TRUE(withdrawn->has_value());
  EXPECT_TRUE((*withdrawn)->answers.has_value());
}

TEST_F(ClockTest, ADoubtOutlivesOpeningsUntilSomebodyConfirms) {
  reopen_after(-day);
  reopen_after(1h);
  EXPECT_TRUE(doubted());
  EXPECT_THAT(recorded<ClockDoubted>(), SizeIs(1));
  kill();
  open();
  EXPECT_TRUE(doubted());
  ask(ConfirmClock{}).value();
  reopen_after(0s);
  EXPECT_FALSE(doubted());
}

TEST_F(ClockTest, WhoeverTrustsTheClockDoubtsNothingAndEndsTheDoubt) {
  schedule(mail());
  reopen_after(-year, ClockPolicy::trust);
  EXPECT_FALSE(doubted());
  EXPECT_THAT(recorded<ClockDoubted>(), IsEmpty());
  reopen_after(-year);
  EXPECT_TRUE(doubted());
  reopen_after(-year, ClockPolicy::trust);
  EXPECT_FALSE(doubted());
  EXPECT_THAT(recorded<ClockConfirmed>(), SizeIs(1));
  EXPECT_THAT(claim(), SizeIs(1));
}

TEST_F(ClockTest, AClockInDoubtMovesNoDurationAcrossABoot) {
  schedule(mail(after(2 * day)));
  close();
  clock.reboot(400 * day);
  open();
  ASSERT_TRUE(doubted());
  ask(ConfirmClock{}).value();
  EXPECT_THAT(claim(), IsEmpty()) << "late rather than early";
  clock.advance(2 * day);
  EXPECT_THAT(claim(), SizeIs(1));
}

TEST(ClockOfAnOldBook, IsNotJudgedAtFeatureLevel1) {
  EngineBook book;
  book.log_options.feature_level = 1;
  book.open();
  book.schedule(EngineBook::mail());
  book.close();
  book.clock.step_wall(-day);
  book.open();
  EXPECT_FALSE(book.book().clock_doubted);
  EXPECT_THAT(book.claim(), SizeIs(1));
}

TEST(ClockOfACopy, IsDoubtedBehindThePastThatItShowsAndNotAheadOfIt) {
  Book book;
  book.head = Sequence(9);
  book.head_wall = Instant(year);
  book.held = true;
  book.feature_level = 2;
  EXPECT_EQ(doubtful_gap(book, Instant(9 * year)), std::nullopt);
  EXPECT_EQ(doubtful_gap(book, Instant(day)), day - year);
  book.held = false;
  EXPECT_EQ(doubtful_gap(book, Instant(9 * year)), 8 * year);
}

// ---- trusted all the same

TEST_F(ClockTest, AClockThatComesUpDecadesAheadAndIsTrustedPassesAsAWeek) {
  schedule(mail(after(24h * 7)));
  const JobId later = schedule(mail(after(24h * 8)));
  close();
  clock.reboot(24h * 365 * 70);
  open(ClockPolicy::trust);
  EXPECT_THAT(claim(), SizeIs(1));
  EXPECT_EQ(job(later).state, JobState::waiting);
}

TEST_F(ClockTest, AClockThatComesUpInThePastAndIsTrustedTakesNothingBack) {
  schedule(mail(after(10s)));
  clock.advance(9s);
  schedule(mail(after(24h)));  // the last thing known of the time before
  close();
  clock.reboot(-24h * 365);
  open(ClockPolicy::trust);
  clock.advance(1s);
  EXPECT_THAT(claim(), SizeIs(1));
}

// ---- a boot clock that goes back

TEST_F(ClockTest, ABootClockThatGoesBackWhileOpenEndsTheBookAndTheNextOpeningCountsAnew) {
  const JobId id = schedule(mail(after(1h)));
  clock.advance(30min);
  step();
  clock = test::ManualClock(clock.wall(), clock.boot() - 40min);  // before the last event
  EXPECT_THROW(static_cast<void>(ask(mail())), StorageError);
  EXPECT_TRUE(engine->poisoned());
  kill();
  open();
  EXPECT_EQ(job(id).state, JobState::waiting);
  clock.advance(30min - 1us);
  EXPECT_THAT(claim(), IsEmpty());
  clock.advance(1us);
  EXPECT_THAT(claim(), SizeIs(1)) << "the half hour before counts";
}

TEST_F(ClockTest, ABootTimeBeforeThatOfTheLastEventIsAnotherBootWhateverItsId) {
  schedule(mail());
  ASSERT_THAT(claim(any(Duration(1h))), SizeIs(1));
  close();
  clock = test::ManualClock(clock.wall() + 30min, BootTime(1s));
  open();
  EXPECT_TRUE(recorded<BookOpened>().back().new_boot);
  clock.advance(59min);
  step();
  EXPECT_EQ(book().open, true);
  EXPECT_THAT(claim(), IsEmpty()) << "the lease was granted again in full";
}

// ---- the facade

class DoubtedBook : public testing::Test {
 protected:
  DoubtedBook() {
    Daybook book = open();
    book.schedule({.queue = "mail", .kind = "welcome"}).value();
    book.close();
    time_.step_wall(-1h);
  }
  Daybook open(ClockPolicy policy = ClockPolicy::ask) {
    const auto log = [this](LogLevel level, const std::string& line) {
      if (level == LogLevel::warning) warnings_.push_back(line);
    };
    return Daybook::open(folder_.path() / "book",
                         {.clock_policy = policy, .log = log, .clock = &time_, .waiter = &time_});
  }
  test::TempFolder folder_;
  test::ManualTime time_;
  std::vector<std::string> warnings_;
};

TEST_F(DoubtedBook, SaysSoAtOpeningAndInItsReportAndInStat) {
  const Daybook book = open();
  EXPECT_TRUE(book.opening().clock_doubted);
  EXPECT_TRUE(book.stat().clock_doubted);
  ASSERT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(warnings_.front(), testing::HasSubstr("in doubt"));
  EXPECT_THAT(warnings_.front(), testing::HasSubstr("2026-03-04T11:00:00"));
  EXPECT_THAT(warnings_.front(), testing::HasSubstr("2026-03-04T12:00:00"));
}

TEST_F(DoubtedBook, IsSilentWhenTheClockIsTrusted) {
  const Daybook book = open(ClockPolicy::trust);
  EXPECT_FALSE(book.opening().clock_doubted);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(DoubtedBook, HasWorkLoopsThatBeginWhenTheClockIsConfirmed) {
  Daybook book = open();
  WorkLoop worker = book.work({.queues = {"mail"}, .worker = "w"});
  worker.on("welcome", [](Attempt&) { return daybook::done("sent"); });
  ASSERT_TRUE(worker.start());
  book.schedule({.queue = "mail", .kind = "welcome"}).value();
  EXPECT_EQ(book.stat().queues.front().waiting, 2u);
  ASSERT_TRUE(book.confirm_clock("ntp was wrong"));
  worker.run_until_empty();
  worker.stop();
  EXPECT_EQ(book.stat().queues.front().completed, 2u);
}

TEST_F(DoubtedBook, HasWorkLoopsThatStopWhileTheyWait) {
  Daybook book = open();
  WorkLoop worker = book.work({.queues = {"mail"}, .worker = "w"});
  worker.on("welcome", [](Attempt&) { return daybook::done(); });
  ASSERT_TRUE(worker.start());
  worker.stop();
  EXPECT_EQ(book.stat().queues.front().waiting, 1u);
}

}  // namespace
}  // namespace daybook
