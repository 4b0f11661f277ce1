// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

struct BookTest : ::testing::Test {
  MemoryBook book;

  JobId schedule(std::uint32_t attempts = 25) {
    Schedule command{.queue = "mail", .kind = "send"};
    command.retry.max_attempts = attempts;
    return book.schedule(command);
  }
};

// ---- opening and closing

TEST_F(BookTest, OpeningBeginsAnEpochAndItsEventsCarryIt) {
  const Epoch before = book.state.book().epoch;
  schedule();
  book.claim_one(30s, Holder::handler);
  const std::size_t start = book.events.size();
  book.crash_and_open();
  EXPECT_EQ(book.state.book().epoch, before.next());
  ASSERT_GT(book.events.size(), start + 1);
  for (std::size_t i = start; i < book.events.size(); ++i) EXPECT_EQ(book.events[i].epoch, before.next());
}

TEST_F(BookTest, ABookIsOpenUntilItIsClosed) {
  EXPECT_TRUE(book.state.book().open);
  book.done(CloseBook{});
  EXPECT_FALSE(book.state.book().open);
  EXPECT_EQ(book.count<BookClosed>(), 1U);
  EXPECT_EQ(book.refusal_of(CloseBook{}), RefusalCode::closed);
}

TEST_F(BookTest, AnEpochThatWasSeenIsRefused) {
  OpenBook opening = book.opening(false, TailStatus::clean);
  opening.opening.epoch = book.state.book().epoch;
  EXPECT_EQ(book.refusal_of(opening), RefusalCode::invalid_argument);
}

TEST_F(BookTest, HandlersClaimsDieWithTheirProcessAndExternalOnesDoNot) {
  const JobId first = schedule();
  book.claim_one(30s, Holder::handler);
  const JobId second = schedule();
  const ClaimedJob outside = book.claim_one(30s, Holder::external);
  book.crash_and_open();
  EXPECT_EQ(book.state_of(first), JobState::waiting);
  EXPECT_EQ(book.job(first).due, (Due{book.now.wall, book.now.book}));
  EXPECT_EQ(book.job(first).attempt, 1U);
  EXPECT_EQ(book.last<LeaseExpired>().reason, ExpiryReason::process_died);
  EXPECT_EQ(book.state_of(second), JobState::running);
  EXPECT_EQ(book.job(second).lease->ends_at, outside.lease_ends_at);
  book.done(Complete{second, outside.token});
}

TEST_F(BookTest, AfterAnUncleanEndNoWorkerIsLeftOnRecord) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one(30s, Holder::external);
  book.done(JoinWorker{.worker = "w1", .queues = {"mail"}, .holder = Holder::handler});
  book.done(JoinWorker{.worker = "w2", .queues = {"mail"}, .holder = Holder::external});
  book.crash_and_open();
  EXPECT_TRUE(book.state.workers().empty());
  EXPECT_EQ(book.count<WorkerLeft>(), 2U);
  EXPECT_EQ(book.last<WorkerLeft>().reason, LeaveReason::process_died);
  EXPECT_EQ(book.job(id).lease->ends_at, claim.lease_ends_at) << "a worker that lives keeps what it claimed";
  book.done(JoinWorker{.worker = "w2", .queues = {"mail"}, .holder = Holder::external});
  EXPECT_EQ(book.state.workers().size(), 1U);
  book.done(Complete{id, claim.token});
}

TEST_F(BookTest, AHandlersLastAttemptDiesWithItsProcess) {
  const JobId id = schedule(1);
  book.claim_one(30s, Holder::handler);
  book.crash_and_open();
  EXPECT_EQ(book.state_of(id), JobState::dead);
  EXPECT_EQ(book.job(id).dead_reason, DeadReason::lease_lost);
}

TEST_F(BookTest, AfterACleanCloseNobodyDied) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one(30s, Holder::handler);
  book.done(JoinWorker{.worker = "w1", .queues = {"mail"}, .holder = Holder::handler});
  book.close_and_open();
  EXPECT_EQ(book.state_of(id), JobState::running);
  EXPECT_EQ(book.job(id).lease->token, claim.token);
  EXPECT_EQ(book.state.workers().size(), 1U);
}

TEST_F(BookTest, ANewBootGrantsExternalLeasesAgainInFull) {
  const JobId a = schedule();
  book.claim_one(30s, Holder::external);
  const JobId b = schedule();
  book.claim_one(60s, Holder::external);
  book.pass(45s);  // past the end of the first, which nobody recorded
  const auto era = book.state.book().era;
  book.crash_and_open(true);
  EXPECT_EQ(book.state.book().era, era + 1);
  EXPECT_EQ(book.count<LeaseExpired>(), 0U);
  EXPECT_EQ(book.job(a).lease->ends_at, book.now.book + 30s);
  EXPECT_EQ(book.job(b).lease->ends_at, book.now.book + 60s);
  EXPECT_EQ(book.job(b).lease->ends_at_wall, book.now.wall + 60s);
  EXPECT_EQ(book.count<LeasesRenewed>(), 2U);
  EXPECT_EQ(book.last<LeasesRenewed>().reason, RenewReason::new_boot);
}

TEST_F(BookTest, InTheSameBootALeaseEndsWhenItEnds) {
  const JobId id = schedule();
  book.claim_one(30s, Holder::external);
  book.pass(30s);
  book.crash_and_open();
  EXPECT_EQ(book.count<LeasesRenewed>(), 0U);
  book.done(ExpireLeases{});
  EXPECT_EQ(book.state_of(id), JobState::waiting);
}

// ---- clocks, settings

TEST_F(BookTest, AClockStepBeginsAnEra) {
  const auto era = book.state.book().era;
  book.done(StepClock{-3h});
  EXPECT_EQ(book.state.book().era, era + 1);
  EXPECT_EQ(book.last<ClockStepped>(), (ClockStepped{-3h, era + 1}));
}

TEST_F(BookTest, OnlySettingsThatDifferAreRecorded) {
  book.done(Configure{{{"a", "1"}, {"b", "2"}}});
  EXPECT_EQ(book.count<ConfigurationChanged>(), 2U);
  book.done(Configure{{{"a", "1"}, {"b", "3"}}});
  EXPECT_EQ(book.count<ConfigurationChanged>(), 3U);
  EXPECT_EQ(book.last<ConfigurationChanged>(), (ConfigurationChanged{{"b", "3"}, "2"}));
  EXPECT_EQ(book.state.setting("b")->value, "3");
  book.done(Configure{{{"c", "1"}, {"c", "2"}}});
  EXPECT_EQ(book.last<ConfigurationChanged>(), (ConfigurationChanged{{"c", "2"}, "1"}));
}

TEST_F(BookTest, ABadSettingIsRefused) {
  EXPECT_EQ(book.refusal_of(Configure{{{"", "1"}}}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(Configure{{{"a", std::string(1025, 'v')}}}), RefusalCode::invalid_argument);
}

// ---- copies

TEST_F(BookTest, ACopyIsHeldUntilItIsAdopted) {
  book.become_a_copy();
  EXPECT_TRUE(book.state.book().held);
  EXPECT_EQ(book.refusal_of(PauseQueue{"mail"}), RefusalCode::book_held);
  EXPECT_EQ(book.refusal_of(ExpireLeases{}), RefusalCode::book_held);
  EXPECT_EQ(book.refusal_of(JoinWorker{.worker = "w", .queues = {"mail"}}), RefusalCode::book_held);
  book.done(Configure{{{"a", "1"}}});
  book.done(StepClock{2s});
  book.close_and_open();
  book.done(AdoptBook{});
  EXPECT_FALSE(book.state.book().held);
  EXPECT_EQ(book.refusal_of(PauseQueue{"mail"}), std::nullopt);
}

TEST_F(BookTest, AHeldCopyKeepsItsClaimsAsTheyWereUntilAdoption) {
  const JobId id = schedule();
  book.claim_one(30s, Holder::handler);
  book.become_a_copy();
  book.pass(2h);
  book.crash_and_open(true);
  EXPECT_EQ(book.refusal_of(Cancel{id}), RefusalCode::book_held);
  EXPECT_EQ(book.state_of(id), JobState::running);
  EXPECT_EQ(book.count<LeaseExpired>(), 0U);
}

TEST_F(BookTest, AdoptingEndsTheClaimsOfTheOtherHistoryAndChargesNoAttempt) {
  const JobId id = schedule(1);
  const ClaimedJob before = book.claim_one(30s, Holder::external);
  const JobId stopping = schedule(1);
  book.claim_one(30s, Holder::external);
  book.done(Cancel{stopping});
  book.done(JoinWorker{.worker = "w1", .queues = {"mail"}, .holder = Holder::handler});
  book.done(JoinWorker{.worker = "w2", .queues = {"mail"}, .holder = Holder::external});
  book.become_a_copy();
  book.done(AdoptBook{});
  EXPECT_EQ(book.count<BookAdopted>(), 1U);
  EXPECT_EQ(book.all<LeaseExpired>().front().reason, ExpiryReason::another_history);
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  EXPECT_EQ(book.job(id).attempt, 0U);
  EXPECT_EQ(book.state_of(stopping), JobState::cancelled);
  EXPECT_TRUE(book.state.workers().empty());
  const ClaimedJob here = book.claim_one();
  EXPECT_EQ(here.id, id);
  EXPECT_EQ(here.token.generation, book.state.book().generation.tag);
  EXPECT_EQ(book.refusal_of(Complete{id, before.token}), RefusalCode::another_history);
  book.done(Complete{id, here.token});
}

TEST_F(BookTest, JobsOfACopyCarryItsOwnGeneration) {
  const JobId old = schedule();
  book.become_a_copy();
  book.done(AdoptBook{});
  const JobId fresh = schedule();
  EXPECT_NE(old.generation, fresh.generation);
  EXPECT_EQ(book.refusal_of(Cancel{JobId{fresh.sequence, old.generation}}), RefusalCode::another_history);
  EXPECT_EQ(book.refusal_of(Cancel{JobId{Sequence(999), old.generation}}), RefusalCode::another_history);
  EXPECT_EQ(book.refusal_of(Cancel{old}), std::nullopt);
}

TEST_F(BookTest, TwoAdoptionsOfOneCopyAreTwoHistories) {
  MemoryBook twin;
  std::vector<ClaimedJob> claims;
  for (MemoryBook* one : {&book, &twin}) {
    one->schedule();
    one->become_a_copy();
    one->now.chance = 4711 + claims.size();
    one->done(AdoptBook{});
    claims.push_back(one->claim_one());
  }
  EXPECT_EQ(claims[0].id, claims[1].id);
  EXPECT_EQ(claims[0].token.claim, claims[1].token.claim);
  EXPECT_EQ(twin.refusal_of(Complete{claims[0].id, claims[0].token}), RefusalCode::another_history);
  EXPECT_EQ(book.refusal_of(Complete{claims[0].id, claims[0].token}), std::nullopt);
}

TEST_F(BookTest, AdoptingWhatIsNotHeldIsRefused) {
  EXPECT_EQ(book.refusal_of(AdoptBook{}), RefusalCode::not_held);
}

TEST_F(BookTest, AGenerationThatIsNotNewIsRefused) {
  const Generation last = book.state.book().generation;
  EXPECT_EQ(book.refusal_of(BeginGeneration{{last, true, {}, 0}}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(BeginGeneration{{Generation{2, {}}, true, {}, 0}}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(BeginGeneration{{Generation{2, last.tag}, true, {}, 0}}), RefusalCode::invalid_argument);
}

// ---- leases

TEST_F(BookTest, ALeaseThatEndedCostsTheAttempt) {
  const JobId id = schedule(2);
  book.claim_one(30s);
  book.pass(30s);
  book.done(ExpireLeases{});
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  EXPECT_EQ(book.job(id).attempt, 1U);
  EXPECT_EQ(book.job(id).due, (Due{book.now.wall, book.now.book}));
  book.claim_one(30s);
  book.pass(30s);
  book.done(ExpireLeases{});
  EXPECT_EQ(book.state_of(id), JobState::dead);
  EXPECT_EQ(book.job(id).dead_reason, DeadReason::lease_lost);
}

TEST_F(BookTest, ExpiringEndsNoMoreThanAsked) {
  for (int i = 0; i < 3; ++i) {
    schedule();
    book.claim_one(30s);
  }
  book.pass(30s);
  book.done(ExpireLeases{2});
  EXPECT_EQ(book.count<LeaseExpired>(), 2U);
}

// ---- queues

TEST_F(BookTest, PausingIsIdempotentAndDefinesTheQueue) {
  book.done(PauseQueue{"new"});
  book.done(PauseQueue{"new"});
  EXPECT_EQ(book.count<QueuePaused>(), 1U);
  EXPECT_TRUE(book.state.queue(*book.state.find_name(NameSort::queue, "new"))->paused);
  book.done(ResumeQueue{"new"});
  book.done(ResumeQueue{"new"});
  EXPECT_EQ(book.count<QueueResumed>(), 1U);
}

TEST_F(BookTest, ResumingAnUnknownQueueIsRefused) {
  EXPECT_EQ(book.refusal_of(ResumeQueue{"never\x1b named"}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(ResumeQueue{"never named"}), RefusalCode::queue_unknown);
  EXPECT_NE(book.sentence.find("\"never named\""), std::string::npos) << book.sentence;
}

TEST_F(BookTest, SchedulingIntoAPausedQueueLeavesItPaused) {
  book.done(PauseQueue{"mail"});
  schedule();
  EXPECT_TRUE(book.state.queue(*book.state.find_name(NameSort::queue, "mail"))->paused);
}

// ---- workers

TEST_F(BookTest, JoiningAgainReplaces) {
  book.done(JoinWorker{.worker = "w", .slots = 2, .queues = {"mail", "bills"}, .kinds = {"send"}});
  book.pass(5s);
  book.done(JoinWorker{.worker = "w", .slots = 4, .queues = {"mail"}, .holder = Holder::handler});
  ASSERT_EQ(book.state.workers().size(), 1U);
  const Worker& worker = *book.state.worker(book.state.workers().front());
  EXPECT_EQ(worker.slots, 4U);
  EXPECT_EQ(worker.queues.size(), 1U);
  EXPECT_TRUE(worker.kinds.empty());
  EXPECT_EQ(worker.holder, Holder::handler);
  EXPECT_EQ(worker.joined_at, book.now.wall);
  EXPECT_EQ(worker.epoch, book.state.book().epoch);
  EXPECT_EQ(book.count<WorkerJoined>(), 2U);
}

TEST_F(BookTest, LeavingWithoutHavingJoinedIsRefused) {
  EXPECT_EQ(book.refusal_of(LeaveWorker{"w"}), RefusalCode::worker_unknown);
  book.done(JoinWorker{.worker = "w", .queues = {"mail"}});
  book.done(LeaveWorker{"w"});
  EXPECT_EQ(book.last<WorkerLeft>().reason, LeaveReason::stopped);
  EXPECT_EQ(book.refusal_of(LeaveWorker{"w"}), RefusalCode::worker_unknown);
}

TEST_F(BookTest, AWorkerHasSlotsAndQueues) {
  EXPECT_EQ(book.refusal_of(JoinWorker{.worker = "w", .slots = 0, .queues = {"mail"}}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(JoinWorker{.worker = "w", .queues = {}}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(JoinWorker{.worker = "", .queues = {"mail"}}), RefusalCode::invalid_argument);
}

}  // namespace
}  // namespace daybook
