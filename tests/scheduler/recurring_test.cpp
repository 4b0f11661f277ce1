// SPDX-License-Identifier: Apache-2.0

// Recurring schedules as the engine lives with them: when it wakes, what it does in a step, and what it leaves for the next.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "daybook/daybook.hpp"
#include "support/engine_book.hpp"
#include "support/manual_time.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::EngineBook;

struct RecurringEngine : ::testing::Test {
  RecurringEngine() { book.open(); }

  RecurringSpec every(Duration period, std::string name = "report", Overlap overlap = Overlap::allow) {
    return {.name = std::move(name),
            .recurrence = {.rule = IntervalRule{period, book.clock.wall()}},
            .job = {.queue = "mail", .kind = "send"},
            .overlap = overlap};
  }
  void declare(RecurringSpec spec) { ASSERT_TRUE(book.ask(DeclareRecurring{"service", std::move(spec)})); }
  std::size_t jobs() {
    std::size_t count = 0;
    book.engine->view().each_job([&](const Job&) { ++count; });
    return count;
  }
  /// Lets go of the steps that only keep house.
  Engine::Step settled() {
    book.step();
    book.clock.advance(2s);
    book.step();
    return book.step();
  }

  EngineBook book;
};

TEST_F(RecurringEngine, WakesAtTheNextOccurrenceAndNotBefore) {
  const Instant declared = book.clock.wall();
  declare(every(1h));
  const Engine::Step asleep = settled();
  EXPECT_EQ(asleep.wake_wall, declared + 1h);
  book.clock.advance(declared + 1h - book.clock.wall());
  book.step();
  EXPECT_EQ(jobs(), 1U);
}

TEST_F(RecurringEngine, AJobThatFallsDueServesAClaimThatWaits) {
  declare(every(1h));
  const auto waits = book.wait_for_claim(24h);
  book.step();
  EXPECT_FALSE(waits->has_value());
  book.clock.advance(1h);
  book.step();
  ASSERT_TRUE(waits->has_value());
  EXPECT_EQ(std::get<Claimed>((*waits)->answers->front()).jobs.front().recurring, "report");
}

TEST_F(RecurringEngine, AHerdIsMadeInPartsBetweenWhichOthersHaveTheirTurn) {
  std::vector<RecurringSpec> specs;
  for (int i = 0; i < 1200; ++i) specs.push_back(every(1h, "s" + std::to_string(i)));
  ASSERT_TRUE(book.ask(SyncRecurring{"service", specs}));
  book.clock.advance(1h);
  const Engine::Step first = book.step();
  EXPECT_EQ(jobs(), limits::recurring_jobs);
  ASSERT_TRUE(first.wake_wall);
  EXPECT_LE(*first.wake_wall, book.clock.wall()) << "the rest is due at once";
  book.schedule(EngineBook::mail());  // does not wait for the herd
  book.step();
  EXPECT_EQ(jobs(), 1201U);
}

TEST_F(RecurringEngine, WhatWaitedForAJobIsMadeInTheNextStep) {
  declare(every(1h, "report", Overlap::buffer_one));
  for (int i = 0; i < 2; ++i) {
    book.clock.advance(1h);
    book.step();
  }
  const ClaimedJob job = book.claim().front();
  ASSERT_TRUE(book.ask(Complete{job.id, job.token, {}}));
  const Engine::Step next = book.step();
  EXPECT_EQ(book.recorded<RecurringFired>().back().by, FiredBy::buffer);
  EXPECT_EQ(jobs(), 2U);
  (void)next;
}

TEST_F(RecurringEngine, AFullDiskMakesItWaitWithoutABusyLoop) {
  declare(every(1h));
  book.close();
  book.storage.set_free_bytes(0);
  book.open();
  ASSERT_EQ(book.refusal_of(EngineBook::mail()), RefusalCode::storage_full);
  const std::size_t before = jobs();
  book.clock.advance(1h);
  const Engine::Step full = settled();
  EXPECT_EQ(jobs(), before);
  EXPECT_TRUE(!full.wake_wall || *full.wake_wall > book.clock.wall());
  EXPECT_TRUE(book.recorded<RecurringSkipped>().empty());
  book.storage.set_free_bytes(std::nullopt);
  for (int i = 0; i < 5 && jobs() == before; ++i) settled();
  EXPECT_EQ(jobs(), before + 1);
}

TEST_F(RecurringEngine, GoesOnAfterAKillWithWhatItHadDeclared) {
  declare(every(1h));
  book.clock.advance(1h);
  book.step();
  EXPECT_EQ(jobs(), 1U);
  book.kill();
  book.clock.advance(30min);
  book.open();
  book.step();
  EXPECT_EQ(jobs(), 1U) << "nothing twice";
  book.clock.advance(30min);
  book.step();
  EXPECT_EQ(jobs(), 2U);
}

TEST_F(RecurringEngine, AClockThatStepsBackFiresNothingTwiceAndSilencesNothing) {
  declare(every(1h));
  book.clock.advance(1h);
  book.step();
  book.clock.step_wall(24h * 100);
  book.step();
  const std::size_t before = jobs();
  book.clock.step_wall(-24h * 100);
  book.step();
  book.step();
  EXPECT_EQ(jobs(), before);
  book.clock.advance(1h);
  book.step();
  EXPECT_EQ(jobs(), before + 1);
}

TEST_F(RecurringEngine, ByAClockInDoubtNothingIsPlanned) {
  declare(every(1h));
  book.clock.advance(1h);
  book.step();
  book.close();
  book.clock.step_wall(-24h * 2000);
  book.open();
  book.step();
  EXPECT_TRUE(book.recorded<RecurringReplanned>().empty());
  book.clock.step_wall(24h * 2000);
  book.step();
  ASSERT_TRUE(book.ask(ConfirmClock{}));
  for (int i = 0; i < 3; ++i) book.step();
  EXPECT_EQ(jobs(), 1U) << "nothing of the years in which there was no schedule";
  book.clock.advance(1h);
  book.step();
  EXPECT_EQ(jobs(), 2U);
}

TEST_F(RecurringEngine, AClockThatStepsBackAndForthMakesNothingOfWhatWasBefore) {
  declare(every(1h));
  book.clock.step_wall(-24h);
  book.step();
  book.clock.step_wall(24h);
  book.step();
  book.step();
  EXPECT_EQ(jobs(), 0U);
}

TEST_F(RecurringEngine, AHeldCopySleepsWhateverIsLate) {
  declare(every(1h));
  book.schedule(EngineBook::mail());
  ASSERT_EQ(book.claim().size(), 1U);
  ASSERT_TRUE(book.ask(BeginGeneration{{Generation{2, GenerationTag(99)}, true, {}, 0}}));
  book.clock.step_wall(-1min);
  book.clock.advance(24h);
  const Engine::Step asleep = settled();
  EXPECT_TRUE(!asleep.wake_boot || *asleep.wake_boot > book.clock.boot());
  EXPECT_TRUE(!asleep.wake_wall || *asleep.wake_wall > book.clock.wall());
}

// ---- through the facade

struct RecurringFacade : ::testing::Test {
  [[nodiscard]] Daybook open() {
    Options options;
    options.clock = &time;
    options.waiter = &time;
    return Daybook::open(folder.path() / "book", options);
  }
  static RecurringSpec spec(std::string name) {
    return {.name = std::move(name),
            .recurrence = {.rule = CronRule{.expression = *parse_cron("0 3 * * *"), .zone = "Europe/Prague"}},
            .job = {.queue = "reports", .kind = "nightly", .payload = "p", .tags = {{"team", "a"}}, .group = "g"},
            .missed = {.runs = Missed::all, .window = 24h, .cap = 5},
            .overlap = Overlap::buffer_one};
  }
  test::TempFolder folder;
  test::ManualTime time;
};

TEST_F(RecurringFacade, TellsWhatWasDeclared) {
  Daybook book = open();
  EXPECT_EQ(book.recurring().sync("reports", {spec("b"), spec("a")}), (Synced{.added = 2}));
  const auto all = book.recurring().list();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].spec.name, "a");
  EXPECT_EQ(all[0].owner, "reports");
  const RecurringSpec declared = spec("a");
  EXPECT_EQ(all[0].spec.recurrence, declared.recurrence);
  EXPECT_EQ(all[0].spec.job.queue, "reports");
  EXPECT_EQ(all[0].spec.job.payload, declared.job.payload);
  EXPECT_EQ(all[0].spec.job.tags, declared.job.tags);
  EXPECT_EQ(all[0].spec.job.group, "g");
  EXPECT_EQ(all[0].spec.missed, declared.missed);
  EXPECT_EQ(all[0].spec.overlap, declared.overlap);
  EXPECT_EQ(book.recurring().declare("reports", all[0].spec), Declared()) << "what is told can be declared";
  EXPECT_EQ(book.recurring().find("c").error().code, RefusalCode::no_such_recurring);
}

TEST_F(RecurringFacade, SurvivesReopeningASnapshotAndTheLossOfTheIndex) {
  std::optional<Instant> next;
  {
    Daybook book = open();
    ASSERT_TRUE(book.recurring().declare("reports", spec("a")));
    ASSERT_TRUE(book.recurring().pause("a", "month end"));
    ASSERT_TRUE(book.recurring().run_now("a"));
    next = book.recurring().find("a")->next->nominal;
    static_cast<void>(book.snapshot());
  }
  {
    Daybook book = open();
    EXPECT_FALSE(book.opening().index_rebuilt);
    EXPECT_EQ(book.recurring().find("a")->pause_reason, "month end");
  }
  std::filesystem::remove_all(folder.path() / "book" / "index");
  Daybook book = open();
  EXPECT_TRUE(book.opening().index_rebuilt);
  const auto found = book.recurring().find("a");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->paused);
  EXPECT_EQ(found->next->nominal, *next);
  EXPECT_EQ(found->live.size(), 1U);
  EXPECT_EQ(book.jobs({.where = *Filter::parse("recurring = a")}).size(), 1U);
  EXPECT_EQ(book.job(found->live.front())->recurring, "a");
  ASSERT_TRUE(book.recurring().resume("a"));
  ASSERT_TRUE(book.recurring().remove("a"));
  EXPECT_TRUE(book.recurring().list().empty());
}

}  // namespace
}  // namespace daybook
