// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "daybook/core/undeclared.hpp"
#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

struct LimitsTest : ::testing::Test {
  MemoryBook book;

  LimitsTest() { book.done(RaiseFeatureLevel{}); }

  JobId schedule(const std::string& group, std::int32_t priority = 0, const std::string& kind = "send") {
    return book.schedule({.queue = "mail", .kind = kind, .priority = Priority(priority), .group = group});
  }
  void schedule_many(const std::string& group, int count) {
    for (int i = 0; i < count; ++i) schedule(group);
  }
  std::vector<ClaimedJob> claim(std::uint32_t count = 1) {
    return book.claim({.queues = {"mail"}, .worker = "w1", .lease = 1h, .count = count});
  }
  /// Whose jobs a claim got, in order: "aab".
  std::string groups_of_claim(std::uint32_t count) {
    std::string groups;
    for (const ClaimedJob& job : claim(count)) groups += job.group.empty() ? "-" : job.group;
    return groups;
  }
  HeldBack held_back(Claim command = {.queues = {"mail"}, .worker = "w1"}) {
    return book.submit({std::move(command)}).held_back;
  }
  [[nodiscard]] const Queue& queue() const { return *book.state.queue(*book.state.find_name(NameSort::queue, "mail")); }
  [[nodiscard]] const Group* group(const std::string& name) const {
    return book.state.group(queue().id, *book.state.find_name(NameSort::group, name));
  }
};

// ---- fair share

TEST_F(LimitsTest, GroupsTakeTurns) {
  schedule_many("a", 4);
  schedule_many("b", 2);
  schedule_many("", 1);
  EXPECT_EQ(groups_of_claim(10), "ab-abaa");
}

TEST_F(LimitsTest, TurnsGoOnWhereTheClaimBeforeLeftThem) {
  schedule_many("a", 3);
  schedule_many("b", 3);
  std::string groups;
  for (int i = 0; i < 6; ++i) groups += groups_of_claim(1);
  EXPECT_EQ(groups, "ababab");
}

TEST_F(LimitsTest, AWeightIsHowManyStartInATurn) {
  schedule_many("a", 6);
  schedule_many("b", 6);
  book.done(SetWeight{"mail", "a", 3});
  EXPECT_EQ(groups_of_claim(2), "aa");
  EXPECT_EQ(groups_of_claim(8), "abaaabbb");
}

TEST_F(LimitsTest, AGroupThatRanOutLosesTheRestOfItsTurn) {
  schedule_many("a", 1);
  schedule_many("b", 3);
  book.done(SetWeight{"mail", "a", 3});
  EXPECT_EQ(groups_of_claim(2), "ab");
  schedule_many("a", 4);
  EXPECT_EQ(groups_of_claim(4), "aaab");
}

TEST_F(LimitsTest, WithinAGroupTheOrderIsPriorityThenDueThenId) {
  const JobId late = schedule("a", 1);
  const JobId first = schedule("a", -1);
  schedule("b", 5);
  const auto jobs = claim(3);
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_EQ(jobs[0].id, first);
  EXPECT_EQ(jobs[1].group, "b");
  EXPECT_EQ(jobs[2].id, late);
}

TEST_F(LimitsTest, OnlyGroupsWithJobsOfTheClaimedKindsHaveATurn) {
  schedule("a", 0, "render");
  schedule("b");
  schedule("b");
  const auto jobs = book.claim({.queues = {"mail"}, .kinds = {"send"}, .worker = "w1", .count = 2});
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].group, "b");
}

TEST_F(LimitsTest, AmongQueuesTheFirstByPriorityDueAndIdGoesFirst) {
  schedule_many("a", 2);
  const JobId urgent = book.schedule({.queue = "bills", .kind = "send", .priority = Priority(-1)});
  const auto jobs = book.claim({.queues = {"mail", "bills"}, .worker = "w1", .count = 2});
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[0].id, urgent);
}

TEST_F(LimitsTest, WithoutGroupsAClaimSaysNothingOfTurns) {
  schedule_many("", 3);
  claim(3);
  EXPECT_FALSE(book.last<JobClaimed>().turn_left);
  EXPECT_EQ(queue().turn, Turn());
}

TEST_F(LimitsTest, TurnsAndBucketsSurviveReplay) {
  book.done(SetLimits{.queue = "mail", .rate = Rate{1, 1s, 4}, .rate_per_group = Rate{1, 1min, 2}});
  book.done(SetWeight{"mail", "a", 5});
  schedule_many("a", 3);
  schedule_many("b", 3);
  EXPECT_EQ(groups_of_claim(10), "aabb");
  EXPECT_EQ(differences(book.state, testing::replayed(book.events)), std::vector<std::string>());
  EXPECT_EQ(queue().bucket->level, 0);
}

// ---- how many at once

TEST_F(LimitsTest, AQueueRunsNoMoreThanItsLimit) {
  book.done(SetLimits{.queue = "mail", .running = 2});
  schedule_many("", 5);
  const auto jobs = claim(10);
  EXPECT_EQ(jobs.size(), 2U);
  EXPECT_EQ(held_back(), (HeldBack{true, {}}));
  book.done(Complete{jobs[0].id, jobs[0].token, {}});
  EXPECT_EQ(claim(10).size(), 1U);
}

TEST_F(LimitsTest, AGroupRunsNoMoreThanItsLimitAndKeepsNobodyElseBack) {
  book.done(SetLimits{.queue = "mail", .running_per_group = 1});
  schedule_many("a", 3);
  schedule_many("b", 1);
  schedule_many("", 2);
  EXPECT_EQ(groups_of_claim(10), "ab--");
  EXPECT_EQ(held_back(), (HeldBack{true, {}}));
}

TEST_F(LimitsTest, NothingToClaimIsNotHeldBack) {
  book.done(SetLimits{.queue = "mail", .running = 1, .rate = Rate{1, 1h, 1}});
  schedule("a");
  EXPECT_EQ(claim().size(), 1U);
  EXPECT_EQ(held_back(), HeldBack());
}

TEST_F(LimitsTest, LoweringALimitEndsNothing) {
  schedule_many("", 4);
  EXPECT_EQ(claim(3).size(), 3U);
  book.done(SetLimits{.queue = "mail", .running = 1});
  EXPECT_EQ(claim(3).size(), 0U);
  EXPECT_EQ(book.state.running().size(), 3U);
}

TEST_F(LimitsTest, EveryEndOfAnAttemptMakesRoom) {
  book.done(SetLimits{.queue = "mail", .running_per_group = 1});
  schedule("a");
  const auto claim_again = [&] {
    const auto jobs = claim(2);
    EXPECT_EQ(jobs.size(), 1U);
    return jobs.empty() ? ClaimedJob() : jobs.front();
  };
  ClaimedJob job = claim_again();
  book.done(Release{job.id, job.token});
  job = claim_again();
  book.done(Snooze{job.id, job.token, at_once()});
  job = claim_again();
  book.done(Fail{.job = job.id, .token = job.token, .retry_in = Duration(0)});
  claim_again();
  book.pass(2h);  // the lease
  claim_again();
}

// ---- how many in a time

TEST_F(LimitsTest, ARateHoldsJobsBackUntilItsNextStart) {
  book.done(SetLimits{.queue = "mail", .rate = Rate{10, 1s, 2}});
  schedule_many("", 5);
  EXPECT_EQ(claim(5).size(), 2U);
  const HeldBack held = held_back();
  ASSERT_TRUE(held.until);
  EXPECT_EQ(*held.until, book.now.book + 100ms);
  EXPECT_FALSE(held.by_running);
  book.pass(100ms - 1us);
  EXPECT_EQ(claim(5).size(), 0U);
  book.pass(1us);
  EXPECT_EQ(claim(5).size(), 1U);
}

TEST_F(LimitsTest, AWallClockThatStepsBringsNoStarts) {
  book.done(SetLimits{.queue = "mail", .rate = Rate{1, 1h, 1}});
  schedule_many("", 2);
  EXPECT_EQ(claim().size(), 1U);
  book.step_wall(24h);
  book.done(StepClock{24h});
  EXPECT_EQ(claim().size(), 0U);
}

TEST_F(LimitsTest, ARatePerGroupIsEachGroupsOwn) {
  book.done(SetLimits{.queue = "mail", .rate_per_group = Rate{1, 1min, 1}});
  schedule_many("a", 3);
  schedule_many("b", 3);
  schedule_many("", 3);
  EXPECT_EQ(groups_of_claim(20), "ab---");
  EXPECT_EQ(held_back().until, book.now.book + 1min);
  book.pass(1min);
  EXPECT_EQ(groups_of_claim(20), "ab");
}

TEST_F(LimitsTest, ARateWithoutABurstHasOneOfItsStarts) {
  book.done(SetLimits{.queue = "mail", .rate = Rate{7, 1s, 0}});
  EXPECT_EQ(queue().limits.rate.burst, 7U);
}

TEST_F(LimitsTest, AGroupIsForgottenOnceItHasNothingToSay) {
  book.done(SetLimits{.queue = "mail", .rate_per_group = Rate{1, 1s, 1}});
  schedule("a");
  const auto jobs = claim();
  EXPECT_TRUE(group("a")->bucket);
  book.pass(2s);
  book.done(Complete{jobs.front().id, jobs.front().token, {}});
  EXPECT_EQ(group("a"), nullptr);
}

TEST_F(LimitsTest, AWeightOfOneIsForgotten) {
  book.done(SetWeight{"mail", "a", 4});
  book.done(PauseQueue{"mail"});
  EXPECT_EQ(group("a")->weight, 4U);
  book.done(SetWeight{"mail", "a", 1});
  EXPECT_EQ(group("a"), nullptr);
}

// ---- setting them

TEST_F(LimitsTest, WhatIsNotNamedStays) {
  book.done(SetLimits{.queue = "mail", .running = 4, .rate = Rate{1, 1s, 1}});
  book.done(SetLimits{.queue = "mail", .running_per_group = 2});
  EXPECT_EQ(queue().limits, (QueueLimits{4, 2, {1, 1s, 1}, {}}));
  book.done(SetLimits{.queue = "mail", .running = 0, .rate = Rate{}});
  EXPECT_EQ(queue().limits, (QueueLimits{0, 2, {}, {}}));
  book.done(SetLimits{.queue = "mail", .clear = true, .running = 9});
  EXPECT_EQ(queue().limits, (QueueLimits{9, 0, {}, {}}));
}

TEST_F(LimitsTest, ChangingNothingRecordsNothing) {
  book.done(SetLimits{.queue = "mail", .running = 4});
  book.done(SetWeight{"mail", "a", 2});
  const std::size_t before = book.events.size();
  book.done(SetLimits{.queue = "mail", .running = 4});
  book.done(SetWeight{"mail", "a", 2});
  book.done(SetWeight{"mail", "a", 2});
  EXPECT_EQ(book.events.size(), before);
}

TEST_F(LimitsTest, PausingAndResumingKeepsThem) {
  book.done(SetLimits{.queue = "mail", .running = 4});
  book.done(PauseQueue{"mail"});
  book.done(ResumeQueue{"mail"});
  EXPECT_EQ(queue().limits.running, 4U);
}

TEST_F(LimitsTest, WhatMakesNoSenseIsRefused) {
  const auto refused = [&](Command command) {
    EXPECT_EQ(book.refusal_of(std::move(command)), RefusalCode::invalid_argument);
    return book.sentence;
  };
  EXPECT_EQ(refused(SetLimits{.queue = "mail", .running = 1'000'001}),
            "running 1000001: at most 1000000; 0 lifts the limit");
  EXPECT_EQ(refused(SetLimits{.queue = "mail", .rate = Rate{1, 1us, 1}}), "a rate in every 1us: expected 1ms to 366d");
  refused(SetLimits{.queue = "mail", .rate_per_group = Rate{1, Duration(-1), 1}});
  refused(SetLimits{.queue = "mail", .rate = Rate{1'000'001, 1s, 1}});
  refused(SetLimits{.queue = "mail", .rate = Rate{1, 1s, 1'000'001}});
  refused(SetLimits{.queue = ""});
  EXPECT_EQ(refused(SetWeight{"mail", "a", 0}), "a weight of 0: 1 to 1000");
  refused(SetWeight{"mail", "a", 1001});
  refused(SetWeight{"mail", "", 2});
  refused(Schedule{.queue = "mail", .kind = "send", .group = std::string(129, 'g')});
}

TEST(LimitsOfLevelOne, AreRefusedUntilTheBookIsUpgraded) {
  MemoryBook book;
  EXPECT_EQ(book.refusal_of(SetLimits{.queue = "mail", .running = 1}), RefusalCode::needs_upgrade);
  EXPECT_EQ(book.refusal_of(SetWeight{"mail", "a", 2}), RefusalCode::needs_upgrade);
  EXPECT_EQ(book.refusal_of(Schedule{.queue = "mail", .kind = "send", .group = "a"}), RefusalCode::needs_upgrade);
  EXPECT_EQ(book.sentence, "a group: the book has feature level 1 and this needs 2; raise it with: daybook upgrade");
}

// ---- kinds that nobody declares

TEST_F(LimitsTest, ReadyJobsOfKindsThatNoWorkerDeclaresAreCounted) {
  schedule("", 0, "send");
  schedule("", 0, "render");
  schedule("", 0, "render");
  book.schedule({.queue = "mail", .kind = "render", .due = after(1h)});
  EXPECT_EQ(undeclared(book.state, book.now), (std::vector<Undeclared>{{"mail", "render", 2}, {"mail", "send", 1}}));
  book.done(JoinWorker{.worker = "w1", .queues = {"mail"}, .kinds = {"send"}});
  book.done(JoinWorker{.worker = "w2", .queues = {"bills"}});
  EXPECT_EQ(undeclared(book.state, book.now), (std::vector<Undeclared>{{"mail", "render", 2}}));
  book.done(JoinWorker{.worker = "w3", .queues = {"mail"}});
  EXPECT_EQ(undeclared(book.state, book.now), std::vector<Undeclared>());
}

}  // namespace
}  // namespace daybook
