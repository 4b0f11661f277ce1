// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "support/memory_book.hpp"

// What time ends: a job that nobody starts, an attempt that takes too long, a job that is not through in time.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

struct DeadlinesTest : ::testing::Test {
  DeadlinesTest() { book.done(RaiseFeatureLevel{}); }

  static Schedule send() { return {.queue = "mail", .kind = "send"}; }
  JobId with_start_deadline(When deadline) {
    Schedule command = send();
    command.start_deadline = deadline;
    return book.schedule(command);
  }
  JobId with_run_timeout(Duration timeout, std::uint32_t attempts = 3) {
    Schedule command = send();
    command.run_timeout = timeout;
    command.retry = {.first = 1s, .jitter_permille = 0, .max_attempts = attempts};
    return book.schedule(command);
  }
  JobId with_total_timeout(Duration timeout) {
    Schedule command = send();
    command.total_timeout = timeout;
    return book.schedule(command);
  }
  void let_pass(Duration by) {
    book.pass(by);
    book.done(ExpireLeases{});
  }
  void expect_dead(const JobId& id, DeadReason reason) {
    EXPECT_EQ(book.state_of(id), JobState::dead);
    EXPECT_EQ(book.job(id).dead_reason, reason);
  }

  MemoryBook book;
};

// ---- start deadline

TEST_F(DeadlinesTest, AJobThatNobodyClaimedByItsStartDeadlineExpires) {
  const JobId id = with_start_deadline(after(10min));
  let_pass(10min - 1us);
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  let_pass(1us);
  expect_dead(id, DeadReason::expired);
  EXPECT_EQ(book.last<JobExpired>().job, id);
}

TEST_F(DeadlinesTest, ADurationIsBookTimeAndAnInstantTheWallClock) {
  const JobId by_book = with_start_deadline(after(1h));
  const JobId by_wall = with_start_deadline(at(book.now.wall + 1h));
  book.step_wall(1h);
  let_pass(0s);
  EXPECT_EQ(book.state_of(by_book), JobState::waiting);
  expect_dead(by_wall, DeadReason::expired);
}

TEST_F(DeadlinesTest, TheFirstClaimEndsTheStartDeadlineForGood) {
  const JobId id = with_start_deadline(after(10min));
  const ClaimedJob claimed = book.claim_one();
  book.done(Release{claimed.id, claimed.token});
  let_pass(1h);
  EXPECT_EQ(book.state_of(id), JobState::waiting);
}

TEST_F(DeadlinesTest, NothingIsClaimedAfterItsStartDeadlineEvenBehindABacklogOfExpiredJobs) {
  for (int i = 0; i < 1500; ++i) with_start_deadline(after(1min));
  const JobId fresh = book.schedule();
  book.pass(1h);
  EXPECT_EQ(book.claim_one().id, fresh);
  EXPECT_EQ(book.count<JobExpired>(), 1000U);
}

TEST_F(DeadlinesTest, TimeEndsAtMostAsMuchAtOnceAsItWasTold) {
  for (int i = 0; i < 5; ++i) with_start_deadline(after(1min));
  book.pass(1h);
  book.done(ExpireLeases{2});
  EXPECT_EQ(book.count<JobExpired>(), 2U);
  book.done(ExpireLeases{2});
  EXPECT_EQ(book.count<JobExpired>(), 4U);
}

TEST_F(DeadlinesTest, ARetryByHandGivesAnExpiredJobTimeWithoutEnd) {
  const JobId id = with_start_deadline(after(1min));
  let_pass(1min);
  book.done(Retry{id});
  let_pass(24h);
  EXPECT_EQ(book.state_of(id), JobState::waiting);
}

TEST_F(DeadlinesTest, AnExpiredJobGivesItsUniqueKeyBack) {
  Schedule command = send();
  command.unique_key = "k";
  command.start_deadline = after(1min);
  book.schedule(command);
  let_pass(1min);
  EXPECT_EQ(book.refusal_of(command), std::nullopt);
}

// ---- run timeout

TEST_F(DeadlinesTest, AnAttemptOverItsRunTimeoutHasFailedAndIsRetried) {
  const JobId id = with_run_timeout(10s);
  const ClaimedJob claimed = book.claim_one();
  let_pass(10s);
  const auto& failed = book.last<AttemptFailed>();
  EXPECT_EQ(failed.token, claimed.token);
  EXPECT_EQ(book.state.name(failed.error_kind)->text, "timeout");
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  EXPECT_EQ(book.job(id).due.after, book.now.book + 1s);
  EXPECT_EQ(book.refusal_of(Complete{id, claimed.token, {}}), RefusalCode::lease_lost);
}

TEST_F(DeadlinesTest, TheFirstThingABookEverEndsByItselfMayBeAnAttempt) {
  const JobId id = with_run_timeout(10s);
  const ClaimedJob claimed = book.claim_one();
  book.pass(10s);
  EXPECT_EQ(book.refusal_of(Complete{id, claimed.token, {}}), RefusalCode::lease_lost);
  const auto& failed = book.last<AttemptFailed>();
  EXPECT_EQ(book.state.name(failed.error_kind)->text, "timeout");
  EXPECT_EQ(differences(book.state, testing::replayed(book.events)), std::vector<std::string>());
}

TEST_F(DeadlinesTest, TheLastAttemptOverItsRunTimeoutIsTheJobsDeath) {
  const JobId id = with_run_timeout(10s, 1);
  book.claim_one();
  let_pass(10s);
  expect_dead(id, DeadReason::attempts_exhausted);
}

TEST_F(DeadlinesTest, ALeaseIsNeitherGrantedNorRenewedPastTheRunTimeout) {
  with_run_timeout(50s);
  const ClaimedJob claimed = book.claim_one(30s);
  const BookTime end = book.now.book + 50s;
  EXPECT_EQ(claimed.lease_ends_at, book.now.book + 30s);
  book.pass(25s);
  Renew renew{.claims = {}, .lease = 30s};
  renew.claims.push_back({claimed.id, claimed.token, std::nullopt});
  book.done(renew);
  EXPECT_EQ(book.job(claimed.id).lease->ends_at, end);
  EXPECT_EQ(book.job(claimed.id).lease->ends_at_wall, book.now.wall + 25s);
}

TEST_F(DeadlinesTest, ALeaseThatEndsBeforeTheRunTimeoutIsALostLease) {
  const JobId id = with_run_timeout(10min);
  book.claim_one(30s);
  let_pass(30s);
  EXPECT_EQ(book.last<LeaseExpired>().job, id);
  EXPECT_EQ(book.count<AttemptFailed>(), 0U);
}

TEST_F(DeadlinesTest, ANewAttemptHasTheWholeRunTimeoutAgain) {
  const JobId id = with_run_timeout(10s);
  book.claim_one();
  let_pass(10s);
  book.pass(1s);
  EXPECT_EQ(book.claim_one().lease_ends_at, book.now.book + 10s);
  EXPECT_EQ(book.job(id).lease->run_ends_at, book.now.book + 10s);
}

TEST_F(DeadlinesTest, ACancelledJobOverItsRunTimeoutIsCancelled) {
  const JobId id = with_run_timeout(10s);
  book.claim_one();
  book.done(Cancel{id});
  let_pass(10s);
  EXPECT_EQ(book.state_of(id), JobState::cancelled);
}

// ---- total timeout

TEST_F(DeadlinesTest, AJobThatIsNotThroughInTimeIsDeadWhileItWaits) {
  const JobId id = with_total_timeout(1h);
  let_pass(1h);
  expect_dead(id, DeadReason::timed_out);
  EXPECT_EQ(book.last<JobTimedOut>().token, Token{});
}

TEST_F(DeadlinesTest, AJobThatIsNotThroughInTimeIsDeadWhileItRuns) {
  const JobId id = with_total_timeout(1h);
  book.pass(59min);
  const ClaimedJob claimed = book.claim_one(10min);
  EXPECT_EQ(claimed.lease_ends_at, book.now.book + 1min);
  let_pass(1min);
  expect_dead(id, DeadReason::timed_out);
  EXPECT_EQ(book.last<JobTimedOut>().token, claimed.token);
  EXPECT_FALSE(book.job(id).lease.has_value());
  EXPECT_EQ(book.refusal_of(Complete{id, claimed.token, {}}), RefusalCode::lease_lost);
}

TEST_F(DeadlinesTest, ACancelledJobOverItsTotalTimeoutIsCancelled) {
  const JobId id = with_total_timeout(10s);
  book.claim_one();
  book.done(Cancel{id});
  let_pass(10s);
  EXPECT_EQ(book.state_of(id), JobState::cancelled);
}

TEST_F(DeadlinesTest, ARetryByHandHasNoTotalTimeout) {
  const JobId id = with_total_timeout(1h);
  let_pass(1h);
  book.done(Retry{id});
  let_pass(24h);
  EXPECT_EQ(book.state_of(id), JobState::waiting);
}

TEST_F(DeadlinesTest, ANewBootGrantsNoLeasePastATimeout) {
  with_run_timeout(50s);
  book.claim_one(30s);
  book.pass(20s);
  book.crash_and_open(true);
  EXPECT_EQ(book.job(book.last<JobClaimed>().job).lease->ends_at, book.now.book + 30s);
  book.pass(25s);
  book.crash_and_open(true);
  EXPECT_EQ(book.job(book.last<JobClaimed>().job).lease->ends_at, book.now.book + 5s);
}

// ---- a job with new contents

struct ReplacedJobTest : DeadlinesTest {
  Schedule under_key() {
    Schedule command = send();
    command.unique_key = "k";
    command.on_conflict = OnConflict::replace;
    return command;
  }
};

TEST_F(ReplacedJobTest, HasTheDeadlinesOfTheNewContentsFromTheReplacementOn) {
  Schedule command = under_key();
  command.start_deadline = after(1h);
  command.total_timeout = 2h;
  const JobId id = book.schedule(command);
  book.pass(50min);
  command.run_timeout = 10s;
  book.schedule(command);
  ASSERT_EQ(book.count<JobReplaced>(), 1U);
  let_pass(50min);
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  EXPECT_EQ(book.job(id).end_by, book.now.book + 70min);
  EXPECT_EQ(book.claim_one().lease_ends_at, book.now.book + 10s);
}

TEST_F(ReplacedJobTest, HasNoDeadlineThatTheNewContentsDoNotHave) {
  Schedule command = under_key();
  command.start_deadline = after(1h);
  command.run_timeout = 10s;
  command.total_timeout = 1h;
  const JobId id = book.schedule(command);
  book.schedule(under_key());
  let_pass(24h);
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  EXPECT_EQ(book.claim_one(30s).lease_ends_at, book.now.book + 30s);
}

TEST_F(ReplacedJobTest, ThatWasStartedBeforeHasToBeStartedInTimeOnceMore) {
  const JobId id = book.schedule(under_key());
  const ClaimedJob claimed = book.claim_one();
  book.done(Fail{.job = id, .token = claimed.token, .error = {}, .retry_in = 1h});
  Schedule command = under_key();
  command.due = after(1h);
  command.start_deadline = after(1min);
  book.schedule(command);
  ASSERT_EQ(book.count<JobReplaced>(), 1U);
  let_pass(1min);
  expect_dead(id, DeadReason::expired);
}

TEST_F(DeadlinesTest, AJobThatWasMovedKeepsItsDeadlines) {
  const JobId id = with_total_timeout(1h);
  book.done(Move{id, "other"});
  let_pass(1h);
  expect_dead(id, DeadReason::timed_out);
}

TEST_F(DeadlinesTest, AGroupWhoseJobsAreOverPassesItsTurnOn) {
  Schedule late = send();
  late.group = "a";
  late.start_deadline = after(1min);
  for (int i = 0; i < 1500; ++i) book.schedule(late);
  Schedule fresh = send();
  fresh.group = "b";
  const JobId id = book.schedule(fresh);
  book.pass(1h);
  EXPECT_EQ(book.claim_one().id, id);
}

// ---- what is asked

TEST_F(DeadlinesTest, TimeoutsOutOfRangeAreRefusedWithTheRange) {
  Schedule command = send();
  command.run_timeout = 0s;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::due_out_of_range);
  EXPECT_NE(book.sentence.find("run timeout 0s"), std::string::npos) << book.sentence;
  command.run_timeout.reset();
  command.total_timeout = limits::after_max + 1us;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::due_out_of_range);
  EXPECT_NE(book.sentence.find("total timeout"), std::string::npos) << book.sentence;
  command.total_timeout.reset();
  command.start_deadline = after(0s);
  EXPECT_EQ(book.refusal_of(command), RefusalCode::due_out_of_range);
  EXPECT_NE(book.sentence.find("start deadline 0s"), std::string::npos) << book.sentence;
  command.start_deadline = at(limits::due_max + 1us);
  EXPECT_EQ(book.refusal_of(command), RefusalCode::due_out_of_range);
  EXPECT_NE(book.sentence.find("start deadline"), std::string::npos) << book.sentence;
}

TEST_F(DeadlinesTest, ReplayKeepsEveryDeadline) {
  with_start_deadline(after(10min));
  with_run_timeout(50s);
  book.claim_one();
  with_total_timeout(1h);
  const State again = testing::replayed(book.events);
  EXPECT_EQ(differences(book.state, again), std::vector<std::string>());
  EXPECT_EQ(again.timers().book_deadline, book.state.timers().book_deadline);
}

TEST(Deadlines, ABookOfLevel1RefusesThem) {
  MemoryBook book;
  Schedule command{.queue = "mail", .kind = "send"};
  command.run_timeout = 1s;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::needs_upgrade);
  EXPECT_EQ(book.count<JobScheduled>(), 0U);
}

}  // namespace
}  // namespace daybook
