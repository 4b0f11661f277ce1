// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "daybook/core/apply.hpp"
#include "daybook/core/error.hpp"
#include "written_log.hpp"

// From events to state and history: any way through the log leads to the same place.

namespace daybook::test {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RC_GTEST_PROP(Fold, ReplayingAPrefixThenTheRestEqualsReplayingAll, (const daybook::testing::Steps& steps)) {
  State lived;
  daybook::testing::Driver driver(lived);
  for (const auto& step : steps) (void)driver.step(step);
  WrittenLog log({driver.events(), driver.batch_ends()});
  const LogReader reader = log.reader();
  const ReadEvents read = events_of(reader);
  const Sequence head = reader.head().sequence;
  RC_ASSERT(head == log.head());

  const Sequence cut(*rc::gen::inRange<std::uint64_t>(0, head.value() + 1));
  State replayed = rebuild(read, cut);
  RC_ASSERT(replayed.book().head == cut);
  RC_ASSERT(catch_up(replayed, read, head) == head);
  RC_ASSERT(differences(replayed, rebuild(read, head)) == std::vector<std::string>{});
  RC_ASSERT(differences(replayed, lived) == std::vector<std::string>{});
}

TEST(Fold, AsOfEverySequenceIsTheFoldUpToIt) {
  WrittenLog log(eventful(7, 120));
  const LogReader reader = log.reader();
  const ReadEvents read = events_of(reader);
  State fold;
  for (const RecordedEvent& recorded : log.events()) {
    apply(fold, recorded);
    const Result<Past> past = as_of(read, log.head(), recorded.sequence);
    ASSERT_TRUE(past);
    ASSERT_THAT(differences(past->state, fold), IsEmpty()) << "at sequence " << recorded.sequence.value();
    const Moment& moment = past->resolved.moment;
    EXPECT_EQ(moment.wall, recorded.wall);
    EXPECT_EQ(moment.boot, recorded.boot);
    EXPECT_EQ(moment.book, fold.book().book_time(recorded.boot));
    EXPECT_EQ(resolve(read, log.head(), recorded.sequence).moment, moment);
  }
}

TEST(Fold, BeforeTheFirstEventTheBookIsEmpty) {
  WrittenLog log(eventful(7, 5));
  const Result<Past> past = as_of(events_of(log.events()), log.head(), Sequence());
  ASSERT_TRUE(past);
  EXPECT_THAT(differences(past->state, State()), IsEmpty());
  EXPECT_EQ(past->resolved.sequence, Sequence());
}

TEST(Fold, ASequencePastTheHeadIsRefusedAndTheHeadNamed) {
  WrittenLog log(eventful(7, 5));
  const Result<Past> past = as_of(events_of(log.events()), log.head(), log.head().next());
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code, RefusalCode::invalid_argument);
  EXPECT_THAT(past.error().sentence, HasSubstr("sequence " + std::to_string(log.head().value() + 1)));
  EXPECT_THAT(past.error().sentence, HasSubstr("ends at sequence " + std::to_string(log.head().value())));
}

TEST(Fold, WhatAPersonSeesIsDerivedForTheInstantAsked) {
  State lived;
  daybook::testing::Driver driver(lived);
  const Instant begin = driver.now().wall;
  const auto exchange =
      driver.submit({{Schedule{.queue = "mail", .kind = "welcome", .due = after(limits::lease_max)}}, {}});
  const Sequence job = exchange.outcome.events.back().sequence;
  const ReadEvents read = events_of(std::span(driver.events()));
  const Sequence head = lived.book().head;

  const auto seen = [&](Duration later) {
    const Result<Past> past = as_of(read, head, begin + later);
    return phase(*past->state.job(job), past->resolved.moment);
  };
  EXPECT_EQ(seen(limits::lease_max - Duration(1)), Phase::scheduled);
  EXPECT_EQ(seen(limits::lease_max), Phase::available);
  const Result<Past> due = as_of(read, head, begin + limits::lease_max);
  EXPECT_THAT(due->state.ready({.queues = {lived.job(job)->spec->queue}, .kinds = {}, .any_kind = true}),
              ::testing::ElementsAre(job));
}

TEST(Fold, EventsThatEndTooSoonAreDamage) {
  WrittenLog log(eventful(7, 20));
  const auto shorter = log.events().first(log.events().size() - 1);
  State state;
  EXPECT_EQ(catch_up(state, events_of(shorter), log.head()), shorter.back().sequence);
  try {
    (void)rebuild(events_of(shorter), log.head());
    FAIL() << "rebuilt from too few events";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.place().sequence, shorter.back().sequence);
    EXPECT_THAT(error.what(), HasSubstr("expected " + std::to_string(log.head().value())));
  }
}

TEST(Fold, AMissingEventIsDamage) {
  WrittenLog log(eventful(7, 20));
  std::vector<RecordedEvent> holed(log.events().begin(), log.events().end());
  holed.erase(holed.begin() + 5);
  EXPECT_THROW((void)rebuild(events_of(std::span<const RecordedEvent>(holed)), log.head()), CorruptionError);
}

TEST(Fold, ProgressIsToldUpToTheEnd) {
  WrittenLog log(eventful(7, 20));
  std::vector<Sequence> told;
  (void)rebuild(events_of(log.journal()), log.head(), [&](Sequence done) { told.push_back(done); });
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), log.head());
}

TEST(History, OfEachJobIsEveryEventThatTouchesIt) {
  WrittenLog log(eventful(11, 300));
  const LogReader reader = log.reader();
  std::size_t jobs = 0;
  for (const RecordedEvent& begun : log.events()) {
    std::vector<RecordedEvent> expected;
    if (std::holds_alternative<JobScheduled>(begun.event)) {
      ++jobs;
      for (const RecordedEvent& recorded : log.events()) {
        const auto touched = jobs_of(recorded.sequence, recorded.event);
        if (std::count(touched.begin(), touched.end(), begun.sequence) != 0) expected.push_back(recorded);
      }
    }
    ASSERT_THAT(history(events_of(reader), begun.sequence), ElementsAreArray(expected));
  }
  EXPECT_GT(jobs, 10U);
  EXPECT_THAT(history(events_of(reader), Sequence()), IsEmpty());
  EXPECT_THAT(history(events_of(reader), log.head().next()), IsEmpty());
}

TEST(History, EndsWithTheJobsLastEvent) {
  WrittenLog log(eventful(11, 300));
  const ReadEvents read = events_of(log.events());
  rebuild(read, log.head()).each_job([&](const Job& job) {
    const auto events = history(read, job.id.sequence);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().sequence, job.last_event);
  });
}

}  // namespace
}  // namespace daybook::test
