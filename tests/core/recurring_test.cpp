// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/hand_made_zones.hpp"
#include "support/recurring_book.hpp"

// Declaring schedules, what is asked of them by hand, and what clocks and zones do to them.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::RecurringBook;

struct RecurringTest : ::testing::Test {
  static RecurringSpec hourly() { return RecurringBook::spec(RecurringBook::every(1h), Overlap::allow); }
  static RecurringSpec named(std::string name) {
    RecurringSpec spec = hourly();
    spec.name = std::move(name);
    return spec;
  }
  std::string run_until(std::string_view clock) {
    book.run_until(RecurringBook::day(clock));
    return book.story();
  }
  std::optional<RefusalCode> refusal_of(RecurringSpec spec) {
    return book.refusal_of(DeclareRecurring{"service", std::move(spec)});
  }
  RecurringBook book;
};

// ---- declaring

TEST_F(RecurringTest, ADeclaredScheduleMakesJobsThatKnowItAndTheirOccurrence) {
  EXPECT_EQ(book.declare(hourly()), (Declared{.added = true, .changed = false}));
  EXPECT_EQ(run_until("14:30:00"), "timer 13:00, timer 14:00");
  const auto jobs = book.claim({.queues = {"mail"}, .worker = "w1", .count = 10});
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].recurring, "report");
  EXPECT_EQ(jobs[0].nominal, RecurringBook::day("13:00:00"));
  EXPECT_EQ(jobs[1].nominal, RecurringBook::day("14:00:00"));
  EXPECT_EQ(book.info().last_job, jobs[1].id);
}

TEST_F(RecurringTest, AJobNamesTheEventOfItsOccurrenceAsItsCause) {
  book.declare(hourly());
  run_until("13:00:00");
  Sequence fired;
  for (const RecordedEvent& recorded : book.events) {
    if (std::holds_alternative<RecurringFired>(recorded.event)) fired = recorded.sequence;
    if (!std::holds_alternative<JobScheduled>(recorded.event)) continue;
    EXPECT_EQ(recorded.by.cause, fired);
  }
  EXPECT_NE(fired, Sequence());
}

TEST_F(RecurringTest, DeclaringItAgainAsItIsRecordsNothing) {
  book.declare(hourly());
  const std::size_t before = book.events.size();
  EXPECT_EQ(book.declare(hourly()), Declared());
  EXPECT_EQ(book.events.size(), before);
}

TEST_F(RecurringTest, AnotherJobForTheSameOccurrencesLosesNone) {
  book.declare(hourly());
  book.away_until(RecurringBook::day("13:00:30"));
  RecurringSpec other = hourly();
  other.job.kind = "print";
  EXPECT_EQ(book.declare(other), (Declared{.added = false, .changed = true}));
  EXPECT_EQ(run_until("13:01:00"), "timer 13:00");
  EXPECT_EQ(book.last<JobScheduled>().spec->kind, *book.state.find_name(NameSort::kind, "print"));
}

TEST_F(RecurringTest, AnotherRecurrenceBeginsNowAndSaysWhatItLeavesBehind) {
  book.declare(hourly());
  book.away_until(RecurringBook::day("14:10:00"));
  RecurringSpec other = hourly();
  other.recurrence = RecurringBook::every(15min);
  book.declare(other);
  EXPECT_EQ(book.story(), "replaced 13:00-14:00 (2)");
  EXPECT_EQ(run_until("14:20:00"), "timer 14:15");
}

TEST_F(RecurringTest, WhatHasNoOccurrenceToComeCanBeDeclaredAndStaysSilent) {
  RecurringSpec past = hourly();
  past.recurrence = {.rule = CalendarRule{{RecurringBook::day("10:00:00")}}};
  book.declare(past);
  EXPECT_EQ(book.info().next, std::nullopt);
  EXPECT_EQ(run_until("23:00:00"), "");
}

TEST_F(RecurringTest, SyncAddsChangesAndRemovesWhatThisOwnerNoLongerDeclares) {
  EXPECT_EQ(book.sync({named("a"), named("b")}), (Synced{.added = 2}));
  book.sync({named("theirs")}, "somebody else");
  RecurringSpec changed = named("b");
  changed.overlap = Overlap::skip;
  EXPECT_EQ(book.sync({changed, named("c")}), (Synced{.added = 1, .changed = 1, .removed = 1}));
  const std::size_t before = book.events.size();
  EXPECT_EQ(book.sync({changed, named("c")}), (Synced{.unchanged = 2}));
  EXPECT_EQ(book.events.size(), before);
  EXPECT_EQ(find_recurring(book.state, "a"), nullptr);
  EXPECT_NE(find_recurring(book.state, "theirs"), nullptr);
}

TEST_F(RecurringTest, ASyncWithOneBadScheduleChangesNothing) {
  book.sync({named("a")});
  RecurringSpec bad = named("b");
  bad.job.kind.clear();
  EXPECT_EQ(book.refusal_of(SyncRecurring{"service", {named("c"), bad}}), RefusalCode::invalid_argument);
  EXPECT_NE(find_recurring(book.state, "a"), nullptr);
  EXPECT_EQ(find_recurring(book.state, "c"), nullptr);
  EXPECT_EQ(book.refusal_of(SyncRecurring{"service", {named("c"), named("c")}}), RefusalCode::invalid_argument);
}

TEST_F(RecurringTest, ANameOfAnotherOwnerIsRefused) {
  book.declare(hourly());
  EXPECT_EQ(book.refusal_of(DeclareRecurring{"another", hourly()}), RefusalCode::invalid_argument);
  EXPECT_NE(book.sentence.find("service"), std::string::npos);
}

TEST_F(RecurringTest, ABackfillTakesWhatIsToComeWhenTheClockWasAhead) {
  book.declare(hourly());
  book.step_wall(-2h);
  book.done(ReplanRecurring{});
  book.pass(70min);
  book.done(BackfillRecurring{"report", RecurringBook::day("10:30:00"), RecurringBook::day("11:10:00")});
  book.fire();
  ASSERT_EQ(book.count<RecurringFired>(), 1U) << "11:00 is made once";
  book.run_until(RecurringBook::day("12:30:00"));
  EXPECT_EQ(book.last<RecurringFired>().nominal, RecurringBook::day("12:00:00"));
}

TEST_F(RecurringTest, OneCommandMakesNoMoreContentsThanABatchMayHold) {
  RecurringSpec spec = RecurringBook::spec(RecurringBook::every(1h), Overlap::allow, {.runs = Missed::all});
  spec.job.payload = std::string(200 * 1024, 'x');
  book.declare(spec);
  book.away_until(RecurringBook::day("22:30:00"));
  book.done(FireRecurring{});
  EXPECT_EQ(book.count<RecurringFired>(), 5U) << "of ten, in a mebibyte";
  book.fire();
  EXPECT_EQ(book.count<RecurringFired>(), 10U);
  EXPECT_EQ(
      book.refusal_of(BackfillRecurring{"report", RecurringBook::day("00:00:00"), RecurringBook::day("11:30:00")}),
      RefusalCode::batch_too_large);
}

TEST_F(RecurringTest, WhatFiresNotIsNotCausedByWhatDoes) {
  book.declare(hourly());
  RecurringSpec other = RecurringBook::spec(RecurringBook::every(1h), Overlap::skip);
  other.name = "summary";
  book.declare(other);
  book.run_until(RecurringBook::day("13:30:00"));
  book.run_until(RecurringBook::day("14:30:00"));
  ASSERT_GT(book.count<RecurringSkipped>(), 0U);
  for (const RecordedEvent& recorded : book.events) {
    if (!std::holds_alternative<RecurringSkipped>(recorded.event)) continue;
    EXPECT_EQ(recorded.by.cause, Sequence());
  }
}

TEST_F(RecurringTest, ABackfillIntoTheFutureForgetsNoneOfIt) {
  book.declare(hourly());
  book.step_wall(24h);
  book.fire();
  book.step_wall(-24h);
  book.done(ReplanRecurring{});
  const std::size_t before = book.count<RecurringFired>();
  book.done(BackfillRecurring{"report", RecurringBook::day("10:00:00"), RecurringBook::day("18:30:00")});
  book.run_until(RecurringBook::day("16:30:00"));
  std::set<Instant> made;
  for (const auto& fired : book.all<RecurringFired>()) made.insert(fired.nominal);
  EXPECT_GT(book.count<RecurringFired>(), before);
  for (const char* hour : {"10:00:00", "11:00:00", "13:00:00", "14:00:00", "15:00:00", "16:00:00"}) {
    EXPECT_TRUE(made.contains(RecurringBook::day(hour))) << hour;
  }
}

TEST_F(RecurringTest, WhatFellDueWhileNobodyLookedIsNotPassedOverByANewPlan) {
  book.declare(hourly());
  book.step_wall(24h);
  book.fire();
  book.step_wall(-24h);
  book.done(ReplanRecurring{});
  book.away_until(RecurringBook::day("13:00:30"));
  book.done(ReplanRecurring{});  // as an opening does
  book.fire();
  EXPECT_EQ(book.last<RecurringFired>().nominal, RecurringBook::day("13:00:00"));
}

TEST_F(RecurringTest, JobsThatWaitMakeRoomForOneThatCancelsThem) {
  book.declare(RecurringBook::spec(RecurringBook::every(1min), Overlap::allow));
  book.run_until(RecurringBook::day("12:00:00") + 1min * (limits::recurring_live_max + 1));
  EXPECT_EQ(book.last<RecurringSkipped>().reason, SkipReason::too_many_live);
  book.declare(RecurringBook::spec(RecurringBook::every(1min), Overlap::cancel_other));
  const std::size_t before = book.count<RecurringSkipped>();
  book.run_until(book.now.wall + 1min);
  EXPECT_EQ(book.count<RecurringSkipped>(), before);
  EXPECT_EQ(book.count<JobCancelled>(), limits::recurring_live_max);
}

TEST_F(RecurringTest, ASyncOfTooMuchSaysWhatToDo) {
  std::vector<RecurringSpec> specs;
  for (int i = 0; i < 5; ++i) {
    specs.push_back(hourly());
    specs.back().name = "s" + std::to_string(i);
    specs.back().job.payload = std::string(220 * 1024, 'x');
  }
  EXPECT_EQ(book.refusal_of(SyncRecurring{"service", specs}), RefusalCode::batch_too_large);
  EXPECT_NE(book.sentence.find("another owner"), std::string::npos) << book.sentence;
}

TEST_F(RecurringTest, WhatMakesNoSenseIsRefusedAndNamed) {
  const auto expect_refused = [&](RecurringSpec spec, std::string_view words) {
    EXPECT_NE(refusal_of(std::move(spec)), std::nullopt);
    EXPECT_NE(book.sentence.find(words), std::string::npos) << book.sentence;
  };
  RecurringSpec spec = hourly();
  spec.job.due = at_once();
  spec.job.due = after(1s);
  expect_refused(spec, "due time");
  spec = hourly();
  spec.job.unique_key = "k";
  expect_refused(spec, "unique key");
  spec = hourly();
  spec.job.parents = {JobId{Sequence(1), {}}};
  expect_refused(spec, "parents");
  spec = hourly();
  spec.job.start_deadline = at(RecurringBook::day("13:00:00"));
  expect_refused(spec, "start deadline");
  spec = hourly();
  spec.job.queue.clear();
  expect_refused(spec, "queue");
  spec = hourly();
  spec.name.clear();
  expect_refused(spec, "recurring schedule");
  spec = hourly();
  spec.missed.cap = 0;
  expect_refused(spec, "cap");
  spec = hourly();
  spec.missed.window = -1s;
  expect_refused(spec, "window");
  spec = hourly();
  spec.recurrence = RecurringBook::cron("0 3 * * *", "Nowhere/Land");
  expect_refused(spec, "Nowhere/Land");
  EXPECT_EQ(book.refusal_of(DeclareRecurring{"", hourly()}), RefusalCode::invalid_argument);
}

TEST_F(RecurringTest, ABookOfLevel1KeepsNoSchedules) {
  testing::MemoryBook old;
  EXPECT_EQ(old.refusal_of(DeclareRecurring{"service", hourly()}), RefusalCode::needs_upgrade);
}

TEST_F(RecurringTest, ANameThatNobodyDeclaredIsRefusedByEveryCommand) {
  for (const Command& command :
       {Command(PauseRecurring{"x"}), Command(ResumeRecurring{"x"}), Command(RunRecurringNow{"x"}),
        Command(RemoveRecurring{"x"}), Command(BackfillRecurring{"x", Instant(), Instant(1s)})}) {
    EXPECT_EQ(book.refusal_of(command), RefusalCode::no_such_recurring);
  }
}

TEST_F(RecurringTest, AStartDeadlineCountsFromTheMakingOfEachJob) {
  RecurringSpec spec = hourly();
  spec.job.start_deadline = after(10min);
  book.declare(spec);
  run_until("13:00:00");
  EXPECT_EQ(book.last<JobScheduled>().spec->start_by->at, RecurringBook::day("13:10:00"));
}

TEST_F(RecurringTest, JitterDelaysTheJobAndNotItsNominalInstant) {
  RecurringSpec spec = hourly();
  spec.recurrence.jitter = 10min;
  book.declare(spec);
  const Occurrence next = *book.info().next;
  EXPECT_EQ(next.nominal, RecurringBook::day("13:00:00"));
  EXPECT_GT(next.due, next.nominal);
  book.run_until(next.due - 1us);
  EXPECT_EQ(book.story(), "");
  book.run_until(next.due);
  EXPECT_EQ(book.story(), "timer 13:00");
  EXPECT_EQ(book.last<JobScheduled>().due.at, next.due);
}

// ---- pauses, and jobs by hand

TEST_F(RecurringTest, WhatFellDueDuringAPauseIsSkippedWhenItEnds) {
  book.declare(hourly());
  book.done(PauseRecurring{"report"});
  EXPECT_EQ(run_until("15:30:00"), "");
  book.done(ResumeRecurring{"report"});
  EXPECT_EQ(run_until("16:10:00"), "paused 13:00-15:00 (3), timer 16:00");
}

TEST_F(RecurringTest, APauseIsRecordedOnceWithItsReason) {
  book.declare(hourly());
  book.done(PauseRecurring{"report"});
  const std::size_t before = book.events.size();
  book.done(PauseRecurring{"report"});
  EXPECT_EQ(book.events.size(), before);
  EXPECT_TRUE(book.info().paused);
  book.done(ResumeRecurring{"report"});
  (void)book.ask(PauseRecurring{"report"}, {.reason = "month end"});
  EXPECT_EQ(book.info().pause_reason, "month end");
}

TEST_F(RecurringTest, ItStaysPausedWhenItIsDeclaredAnew) {
  book.declare(hourly());
  book.done(PauseRecurring{"report"});
  RecurringSpec other = hourly();
  other.recurrence = RecurringBook::every(15min);
  book.declare(other);
  EXPECT_TRUE(book.info().paused);
  EXPECT_EQ(run_until("13:30:00"), "");
}

TEST_F(RecurringTest, RunNowMakesAJobWhateverThePolicyAndMovesNoOccurrence) {
  book.declare(RecurringBook::spec(RecurringBook::every(1h), Overlap::skip));
  book.done(PauseRecurring{"report"});
  const auto first = book.ask(RunRecurringNow{"report"});
  const auto second = book.ask(RunRecurringNow{"report"});
  ASSERT_TRUE(first && second);
  EXPECT_NE(std::get<Scheduled>(*first).job, std::get<Scheduled>(*second).job);
  EXPECT_EQ(book.story(), "run_now 12:00, run_now 12:00");
  EXPECT_EQ(book.info().next->nominal, RecurringBook::day("13:00:00"));
  EXPECT_EQ(book.info().live.size(), 2U);
}

TEST_F(RecurringTest, ABackfillMakesWhatWasSkippedAndWhatLiesBeforeTheDeclarationOnce) {
  book.declare(hourly());
  EXPECT_EQ(run_until("13:30:00"), "timer 13:00");
  book.done(PauseRecurring{"report"});
  book.away_until(RecurringBook::day("15:30:00"));
  book.done(ResumeRecurring{"report"});
  run_until("16:30:00");
  const BackfillRecurring fill{"report", RecurringBook::day("11:00:00"), RecurringBook::day("17:00:00")};
  const auto made = book.ask(fill);
  ASSERT_TRUE(made);
  EXPECT_EQ(std::get<Backfilled>(*made).jobs.size(), 4U);
  EXPECT_EQ(book.story(), "backfill 11:00, backfill 12:00, backfill 14:00, backfill 15:00");
  EXPECT_TRUE(std::get<Backfilled>(*book.ask(fill)).jobs.empty());
}

TEST_F(RecurringTest, TheEndOfABackfillIsNotPartOfIt) {
  book.declare(hourly());
  book.done(BackfillRecurring{"report", RecurringBook::day("10:00:00"), RecurringBook::day("12:00:00")});
  EXPECT_EQ(book.story(), "backfill 10:00, backfill 11:00");
  EXPECT_EQ(
      book.refusal_of(BackfillRecurring{"report", RecurringBook::day("10:00:00"), RecurringBook::day("10:00:00")}),
      RefusalCode::invalid_argument);
}

TEST_F(RecurringTest, ABackfillOfTooManyIsRefusedAndMakesNone) {
  book.declare(hourly());
  EXPECT_EQ(book.refusal_of(BackfillRecurring{"report", book.now.wall - 24h * 60, book.now.wall}),
            RefusalCode::invalid_argument);
  EXPECT_EQ(book.count<RecurringFired>(), 0U);
}

TEST_F(RecurringTest, RemovedItMakesNoMoreJobsAndKeepsThoseThereAre) {
  book.declare(RecurringBook::spec(RecurringBook::every(10min), Overlap::buffer_one));
  book.run_until(RecurringBook::day("12:21:00"));
  book.away_until(RecurringBook::day("12:35:00"));
  book.story();
  book.done(RemoveRecurring{"report"});
  EXPECT_EQ(book.story(), "removed 12:20, removed 12:30");
  EXPECT_EQ(book.state.counts().begin()->second, 1U);
  book.complete_all();
  EXPECT_EQ(run_until("13:30:00"), "");
  EXPECT_EQ(book.refusal_of(RemoveRecurring{"report"}), RefusalCode::no_such_recurring);
}

TEST_F(RecurringTest, DeclaredAgainUnderItsNameItFiresNothingTwice) {
  book.declare(hourly());
  EXPECT_EQ(run_until("13:30:00"), "timer 13:00");
  book.done(RemoveRecurring{"report"});
  book.step_wall(-1h);  // 12:30 again
  book.declare(hourly());
  EXPECT_EQ(run_until("14:30:00"), "timer 14:00");
}

// ---- what keeps a schedule from firing

TEST_F(RecurringTest, WithoutRoomItWaitsAndSkipsNothing) {
  book.declare(hourly());
  book.bounds.room = false;
  book.away_until(RecurringBook::day("13:00:10"));
  book.done(FireRecurring{});
  EXPECT_EQ(book.story(), "");
  EXPECT_EQ(book.refusal_of(RunRecurringNow{"report"}), RefusalCode::storage_full);
  book.bounds.room = true;
  EXPECT_EQ(run_until("13:00:20"), "timer 13:00");
}

TEST_F(RecurringTest, WhileTheClockIsInDoubtNothingIsMade) {
  book.declare(hourly());
  book.put_down(ClockDoubted{book.now.wall, 24h});
  book.away_until(RecurringBook::day("13:00:10"));
  book.done(FireRecurring{});
  EXPECT_EQ(book.refusal_of(RunRecurringNow{"report"}), RefusalCode::clock_doubted);
  EXPECT_EQ(book.story(), "");
  book.done(ConfirmClock{});
  EXPECT_EQ(run_until("13:00:20"), "timer 13:00");
}

// ---- clocks and zones

TEST_F(RecurringTest, AClockThatIsSetBackFiresNothingTwice) {
  book.declare(hourly());
  EXPECT_EQ(run_until("14:10:00"), "timer 13:00, timer 14:00");
  book.step_wall(-2h);
  book.done(ReplanRecurring{});
  EXPECT_EQ(run_until("15:30:00"), "timer 15:00");
}

TEST_F(RecurringTest, AClockThatWasAheadForAWhileSilencesNoSchedule) {
  book.declare(hourly());
  EXPECT_EQ(run_until("13:10:00"), "timer 13:00");
  book.step_wall(24h * 300);
  book.fire();
  book.story();
  book.step_wall(-24h * 300);
  book.done(ReplanRecurring{});
  EXPECT_EQ(book.info().next->nominal, RecurringBook::day("14:00:00"));
  EXPECT_EQ(run_until("15:10:00"), "timer 14:00, timer 15:00");
}

TEST_F(RecurringTest, APauseThatAClockAheadEndedIsOverWhenItIsSetBack) {
  book.declare(hourly());
  book.done(PauseRecurring{"report"});
  book.step_wall(24h);
  book.done(ResumeRecurring{"report"});
  book.step_wall(-24h);
  book.done(ReplanRecurring{});
  EXPECT_EQ(run_until("13:30:00"), "timer 13:00");
}

TEST_F(RecurringTest, NewTimeZoneDataChangesWhatComesNext) {
  test::HandMadeZones before;
  before.add("Here/There", 1h, {});
  book.zones = &before;
  RecurringSpec spec = hourly();
  spec.recurrence = RecurringBook::cron("0 18 * * *", "Here/There");
  book.declare(spec);
  EXPECT_EQ(book.info().next->nominal, RecurringBook::day("17:00:00"));
  EXPECT_EQ(book.state.setting(zone_data_setting)->value, "by hand");

  struct Newer final : public Zones {
    test::HandMadeZones zones;
    [[nodiscard]] const Zone* find(std::string_view name) const override { return zones.find(name); }
    [[nodiscard]] std::string version() const override { return "newer"; }
  } after;
  after.zones.add("Here/There", 2h, {});
  book.zones = &after;
  book.close_and_open();
  book.done(ReplanRecurring{});
  EXPECT_EQ(book.info().next->nominal, RecurringBook::day("16:00:00"));
  EXPECT_EQ(book.count<RecurringReplanned>(), 1U);
  EXPECT_EQ(book.state.setting(zone_data_setting)->value, "newer");
  book.done(ReplanRecurring{});
  EXPECT_EQ(book.count<RecurringReplanned>(), 1U);
}

TEST_F(RecurringTest, AZoneThatIsGonePausesTheScheduleAndSaysSo) {
  test::HandMadeZones before;
  before.add("Here/There", 1h, {});
  book.zones = &before;
  RecurringSpec spec = hourly();
  spec.recurrence = RecurringBook::cron("0 * * * *", "Here/There");
  book.declare(spec);
  book.zones = &utc_alone();
  EXPECT_EQ(run_until("14:30:00"), "timer 13:00");
  EXPECT_TRUE(book.info().paused);
  EXPECT_NE(book.info().pause_reason.find("Here/There"), std::string::npos);
  EXPECT_EQ(book.refusal_of(ResumeRecurring{"report"}), RefusalCode::invalid_argument);
  book.zones = &before;
  book.done(ResumeRecurring{"report"});
  EXPECT_EQ(run_until("15:30:00"), "paused 14:00, timer 15:00");
}

// ---- restarts

TEST_F(RecurringTest, ItGoesOnAfterARestartAndTheRecordAloneTellsTheSame) {
  book.declare(hourly());
  run_until("13:10:00");
  book.crash_and_open(true);
  EXPECT_EQ(run_until("14:10:00"), "timer 14:00");
  EXPECT_TRUE(differences(book.state, testing::replayed(book.events)).empty());
}

}  // namespace
}  // namespace daybook
