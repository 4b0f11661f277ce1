// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/retention.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "daybook/core/error.hpp"
#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MemoryBook;

struct RetentionTest : ::testing::Test {
  RetentionTest() { book.done(RaiseFeatureLevel{}); }

  JobId completed(Envelope result = {}) {
    const JobId id = book.schedule();
    book.done(Complete{id, book.claim_one().token, std::move(result)});
    return id;
  }
  JobId cancelled() {
    const JobId id = book.schedule();
    book.done(Cancel{id});
    return id;
  }
  JobId dead() {
    const JobId id = book.schedule();
    book.done(Fail{.job = id, .token = book.claim_one().token, .retryable = false});
    return id;
  }
  [[nodiscard]] PrunePlan plan(std::size_t limit = 100, const PruneProgress& progress = {}) const {
    return plan_prune(book.state, book.now, retention_of(book.state), progress, limit);
  }
  /// A whole pass, as the engine makes it.
  void prune(std::size_t limit = 100) {
    PruneProgress progress;
    while (true) {
      const PrunePlan part = plan(limit, progress);
      book.done(Prune{part.jobs, part.results});
      if (part.done) return;
      progress = part.progress;
    }
  }
  void retain(const Retention& retention) { book.done(Configure{settings_of(retention)}); }
  [[nodiscard]] bool there(const JobId& id) const { return book.state.job(id.sequence) != nullptr; }

  MemoryBook book;
};

TEST_F(RetentionTest, TheDefaultsAreAWeekHalfAYearAndADay) {
  const JobId done = completed("receipt");
  const JobId gone = cancelled();
  const JobId lost = dead();
  book.pass(24h);
  EXPECT_THAT(plan().results, ElementsAre(done.sequence));
  EXPECT_THAT(plan().jobs, IsEmpty());
  book.pass(24h * 6);
  EXPECT_THAT(plan().jobs, ElementsAre(done.sequence, gone.sequence));
  book.pass(24h * 173);
  EXPECT_THAT(plan().jobs, ElementsAre(done.sequence, gone.sequence, lost.sequence));
}

TEST_F(RetentionTest, NothingGoesAMomentTooSoon) {
  const JobId id = completed();
  book.pass(24h * 7 - Duration(1));
  EXPECT_THAT(plan().jobs, IsEmpty());
  EXPECT_EQ(plan().again_at, *book.job(id).finalized_at + 24h * 7);
  book.pass(Duration(1));
  EXPECT_THAT(plan().jobs, ElementsAre(id.sequence));
}

TEST_F(RetentionTest, APrunedJobIsGoneAndTheEventSaysHowItEnded) {
  const JobId id = cancelled();
  const Sequence last = book.job(id).last_event;
  const Instant at = *book.job(id).finalized_at;
  book.pass(24h * 7);
  prune();
  EXPECT_FALSE(there(id));
  EXPECT_THAT(book.last<JobsPruned>().jobs, ElementsAre(PrunedJob{id, JobState::cancelled, at, last}));
  EXPECT_EQ(book.refusal_of(Cancel{id}), RefusalCode::no_such_job);
}

TEST_F(RetentionTest, TheBucketOfAGroupGoesWithItsLastJob) {
  book.done(SetLimits{.queue = "mail", .rate_per_group = Rate{1, 1min, 1}});
  const JobId id = book.schedule({.queue = "mail", .kind = "send", .group = "customer-7"});
  book.done(Complete{id, book.claim_one().token, {}});
  const JobSpec spec = *book.job(id).spec;
  EXPECT_NE(book.state.group(spec.queue, spec.group), nullptr);
  book.pass(24h * 7);
  prune();
  EXPECT_EQ(book.state.group(spec.queue, spec.group), nullptr);
}

TEST_F(RetentionTest, AResultEndsBeforeItsJobDoes) {
  const JobId id = completed("receipt");
  EXPECT_EQ(book.job(id).result_until, book.now.wall + 24h);
  book.pass(24h);
  prune();
  EXPECT_TRUE(there(id));
  EXPECT_TRUE(book.job(id).result.empty());
  EXPECT_EQ(book.job(id).result_until, std::nullopt);
  const std::size_t forgotten = book.count<ResultsForgotten>();
  prune();
  EXPECT_EQ(book.count<ResultsForgotten>(), forgotten);
}

TEST_F(RetentionTest, AJobMayAskForALifetimeOfItsOwnResult) {
  const auto kept_for = [&](std::optional<Duration> lifetime) {
    Schedule command{.queue = "mail", .kind = "send"};
    command.keep_result = lifetime;
    const JobId id = book.schedule(command);
    book.done(Complete{id, book.claim_one().token, "receipt"});
    return *book.job(id).result_until - book.now.wall;
  };
  EXPECT_EQ(kept_for(5s), 5s);
  EXPECT_EQ(kept_for(24h * 30), 24h * 30);
  EXPECT_EQ(kept_for(std::nullopt), 24h);
}

TEST_F(RetentionTest, TheNewestAreKeptWhereACountIsSet) {
  Retention retention;
  retention.completed = {std::nullopt, 2};
  retain(retention);
  const JobId first = completed();
  book.pass(1s);
  const JobId second = completed();
  book.pass(1s);
  completed();
  completed();
  prune(1);  // in parts, as well
  EXPECT_FALSE(there(first));
  EXPECT_FALSE(there(second));
  EXPECT_EQ(book.count<JobsPruned>(), 2U);
  EXPECT_THAT(plan().jobs, IsEmpty());
}

TEST_F(RetentionTest, WithoutAnAgeNothingGrowsTooOld) {
  Retention retention;
  retention.completed.age = retention.cancelled.age = retention.dead.age = retention.results = std::nullopt;
  retain(retention);
  completed("receipt");
  cancelled();
  dead();
  book.pass(24h * 3000);
  const PrunePlan plan = this->plan();
  EXPECT_THAT(plan.jobs, IsEmpty());
  EXPECT_THAT(plan.results, IsEmpty());
  EXPECT_EQ(plan.again_at, std::nullopt);
}

TEST_F(RetentionTest, APassInPartsIsTheSameAsAWholeOne) {
  for (int i = 0; i < 7; ++i) {
    completed("receipt");
    cancelled();
  }
  book.pass(24h * 8);
  const PrunePlan whole = plan(1000);
  std::vector<Sequence> jobs;
  std::vector<Sequence> results;
  PruneProgress progress;
  for (bool done = false; !done;) {
    PrunePlan part = plan(3, progress);
    EXPECT_LE(part.jobs.size() + part.results.size(), 3U);
    jobs.insert(jobs.end(), part.jobs.begin(), part.jobs.end());
    results.insert(results.end(), part.results.begin(), part.results.end());
    progress = part.progress;
    done = part.done;
  }
  EXPECT_EQ(jobs, whole.jobs);
  EXPECT_EQ(results, whole.results);
}

TEST_F(RetentionTest, WhatIsNotFinalStays) {
  const JobId waits = book.schedule();
  book.done(Prune{{waits.sequence, Sequence(1), Sequence(999)}, {waits.sequence}});
  EXPECT_TRUE(there(waits));
  EXPECT_EQ(book.count<JobsPruned>(), 0U);
}

TEST_F(RetentionTest, ItsSettingsReadBackAsTheyWereSet) {
  Retention retention;
  retention.completed = {24h * 30, 100};
  retention.cancelled = {std::nullopt, std::nullopt};
  retention.dead = {36h, 0};
  retention.results = std::nullopt;
  retain(retention);
  EXPECT_EQ(retention_of(book.state), retention);
}

TEST_F(RetentionTest, ASettingThatMeansNothingIsRefusedAndSaysWhatWould) {
  const auto refused = [&](std::string key, std::string value) {
    EXPECT_EQ(book.refusal_of(Configure{{{std::move(key), std::move(value)}}}), RefusalCode::invalid_argument);
    return book.sentence;
  };
  EXPECT_THAT(refused("retention.completed.age", "a week"), HasSubstr("retention.completed.age"));
  EXPECT_THAT(refused("retention.completed.age", "-1s"), HasSubstr("retention.completed.age"));
  EXPECT_THAT(refused("retention.dead.count", "few"), HasSubstr("any"));
  EXPECT_THAT(refused("retention.complete.age", "7d"), HasSubstr("retention.completed.age"));
  EXPECT_EQ(book.refusal_of(Configure{{{"mine", "anything"}}}), std::nullopt);
}

TEST_F(RetentionTest, WhatAHoldMatchesStaysUntilItIsLifted) {
  const JobId held = completed();
  book.schedule({.queue = "bills", .kind = "send"});
  const JobId other = cancelled();
  const auto placed = book.ask(PlaceHold{*Filter::parse("state = completed")});
  ASSERT_TRUE(placed.has_value());
  book.pass(24h * 8);
  prune();
  EXPECT_TRUE(there(held));
  EXPECT_FALSE(there(other));
  book.done(Prune{{held.sequence}, {}});
  EXPECT_TRUE(there(held));
  book.done(LiftHold{std::get<Recorded>(*placed).event});
  prune();
  EXPECT_FALSE(there(held));
}

TEST_F(RetentionTest, WhatIsHeldIsNotChargedToTheNewestThatACountKeeps) {
  Retention retention;
  retention.completed = {std::nullopt, 2};
  retain(retention);
  std::vector<JobId> held;
  for (int i = 0; i < 3; ++i) held.push_back(completed());
  book.done(Configure{{{"note", "the newest come later"}}});
  ASSERT_TRUE(book.ask(PlaceHold{*Filter::parse("scheduled_at <= " + to_string(book.now.wall))}).has_value());
  book.pass(1s);
  std::vector<JobId> others;
  for (int i = 0; i < 4; ++i) others.push_back(completed());
  prune(1);  // in parts, each of which comes past one
  for (const JobId& id : held) EXPECT_TRUE(there(id));
  EXPECT_FALSE(there(others[0]));
  EXPECT_FALSE(there(others[1]));
  EXPECT_TRUE(there(others[2]));
  EXPECT_TRUE(there(others[3]));
}

TEST_F(RetentionTest, AnEventThatNamesOneWrongJobLetsGoOfNone) {
  const JobId gone = cancelled();
  const JobId waits = book.schedule();
  const PrunedJob right{gone, JobState::cancelled, book.now.wall, Sequence(1)};
  for (const PrunedJob& wrong : {PrunedJob{waits, JobState::dead, book.now.wall, Sequence(1)}, right,
                                 PrunedJob{{Sequence(999), gone.generation}, JobState::dead, {}, Sequence(1)}}) {
    EXPECT_THROW(book.put_down(JobsPruned{{right, wrong}}), CorruptionError);
    book.events.pop_back();
    EXPECT_TRUE(there(gone));
  }
  EXPECT_THROW(book.put_down(ResultsForgotten{{gone}}), CorruptionError);
  book.events.pop_back();
}

TEST_F(RetentionTest, AJobThatGoesTakesItsResultAlong) {
  const JobId id = completed("receipt");
  const Sequence last = book.job(id).last_event;
  book.pass(24h * 8);
  prune();
  EXPECT_EQ(book.count<ResultsForgotten>(), 0U);
  EXPECT_EQ(book.last<JobsPruned>().jobs.front().last_event, last);
}

TEST_F(RetentionTest, ACopyCanBePutOnHoldBeforeItIsAdopted) {
  const JobId id = completed();
  book.become_a_copy();
  EXPECT_TRUE(book.ask(PlaceHold{*Filter::parse("all")}).has_value());
  book.pass(24h * 8);
  book.done(AdoptBook{});
  prune();
  EXPECT_TRUE(there(id));
}

struct Steps : RetentionTest {
  ClaimedJob claimed() {
    book.schedule();
    return book.claim_one();
  }
  StepDone record(const ClaimedJob& job, const std::string& name, const std::string& result) {
    const auto answer = book.ask(RecordStep{job.id, job.token, name, result});
    EXPECT_TRUE(answer.has_value()) << answer.error().sentence;
    return answer ? std::get<StepDone>(*answer) : StepDone{};
  }
};

TEST_F(Steps, TheNextAttemptGetsWhatTheFirstOneDid) {
  const ClaimedJob first = claimed();
  EXPECT_EQ(record(first, "charge", "receipt 17"), (StepDone{"receipt 17", true}));
  book.done(Fail{.job = first.id, .token = first.token, .retry_in = Duration(0)});
  const ClaimedJob second = book.claim_one();
  EXPECT_THAT(second.steps, ElementsAre(StepResult{"charge", "receipt 17"}));
}

TEST_F(Steps, TheFirstResultOfANameIsTheOneThatCounts) {
  const ClaimedJob job = claimed();
  record(job, "charge", "one");
  EXPECT_EQ(record(job, "charge", "two"), (StepDone{"one", false}));
  EXPECT_EQ(book.count<StepRecorded>(), 1U);
}

TEST_F(Steps, AStaleTokenRecordsNoneAndIsOnRecord) {
  const ClaimedJob job = claimed();
  book.pass(31s);
  EXPECT_EQ(book.refusal_of(RecordStep{job.id, job.token, "charge", "x"}), RefusalCode::lease_lost);
  EXPECT_EQ(book.last<OutcomeRefused>().outcome, OutcomeKind::step);
  EXPECT_EQ(book.count<StepRecorded>(), 0U);
}

TEST_F(Steps, ThereAreBoundsAndTheRefusalNamesThem) {
  const ClaimedJob job = claimed();
  const std::string big(256 * 1024, 'x');
  for (const char* name : {"a", "b", "c", "d"}) record(job, name, big);
  EXPECT_EQ(book.refusal_of(RecordStep{job.id, job.token, "e", "x"}), RefusalCode::payload_too_large);
  EXPECT_THAT(book.sentence, HasSubstr("step \"e\" would make 5 steps"));
}

TEST_F(Steps, ADeadJobKeepsThemForItsRetryAndAFinishedOneDoesNot) {
  const ClaimedJob job = claimed();
  record(job, "charge", "one");
  book.done(Fail{.job = job.id, .token = job.token, .retryable = false});
  EXPECT_EQ(book.job(job.id).steps.size(), 1U);
  book.done(Retry{job.id});
  const ClaimedJob again = book.claim_one();
  EXPECT_EQ(again.steps.size(), 1U);
  book.done(Complete{again.id, again.token});
  EXPECT_TRUE(book.job(job.id).steps.empty());
}

}  // namespace
}  // namespace daybook
