// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

struct OutcomeTest : ::testing::Test {
  MemoryBook book;

  JobId schedule(std::uint32_t attempts = 25) {
    Schedule command{.queue = "mail", .kind = "send"};
    command.retry.max_attempts = attempts;
    command.retry.jitter_permille = 0;
    return book.schedule(command);
  }
};

// ---- complete

TEST_F(OutcomeTest, CompletingKeepsTheResult) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  book.pass(5s);
  book.done(Complete{id, claim.token, "fine"});
  const Job& job = book.job(id);
  EXPECT_EQ(job.state, JobState::completed);
  EXPECT_EQ(job.result.bytes(), "fine");
  EXPECT_EQ(job.completed_by, claim.token);
  EXPECT_EQ(job.finalized_at, book.now.wall);
  EXPECT_FALSE(job.lease);
}

TEST_F(OutcomeTest, CompletingAgainIsToldSoAndRecordsNothing) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(Complete{id, claim.token, "fine"});
  const std::size_t before = book.events.size();
  EXPECT_EQ(book.refusal_of(Complete{id, claim.token, "again"}), RefusalCode::already_completed);
  EXPECT_EQ(book.job(id).result.bytes(), "fine");
  EXPECT_EQ(book.events.size(), before);
}

TEST_F(OutcomeTest, CompletingWithAStaleTokenIsRefusedAndSaysByWhatItWasSuperseded) {
  const JobId id = schedule();
  const ClaimedJob first = book.claim_one();
  book.pass(30s);
  const ClaimedJob second = book.claim_one();
  EXPECT_GT(second.token, first.token);
  EXPECT_EQ(book.refusal_of(Complete{id, first.token, "late"}), RefusalCode::lease_lost);
  EXPECT_EQ(book.sentence, "job " + to_string(id) + ": lease lost, token " + to_string(first.token) +
                               " was superseded by attempt 2, claimed " + to_string(book.now.wall));
  EXPECT_EQ(book.state_of(id), JobState::running);
  EXPECT_EQ(book.job(id).lease->token, second.token);
}

TEST_F(OutcomeTest, AStaleTokenIsRecordedOncePerReason) {
  const JobId id = schedule();
  const ClaimedJob first = book.claim_one();
  book.pass(30s);
  book.claim_one();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(book.refusal_of(Complete{id, first.token}), RefusalCode::lease_lost);
  EXPECT_EQ(book.refusal_of(Fail{.job = id, .token = first.token}), RefusalCode::lease_lost);
  ASSERT_EQ(book.count<OutcomeRefused>(), 1U);
  EXPECT_EQ(book.last<OutcomeRefused>(),
            (OutcomeRefused{id, first.token, OutcomeKind::complete, RefusalCode::lease_lost}));
  EXPECT_EQ(book.job(id).refused, (std::vector<RefusedOutcome>{{first.token, RefusalCode::lease_lost}}));
}

TEST_F(OutcomeTest, NoMoreThan32RefusalsOfAJobAreRecorded) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  for (std::uint32_t i = 0; i < 40; ++i) {
    EXPECT_EQ(book.refusal_of(Complete{id, Token{claim.token.claim, GenerationTag(i + 1)}}),
              RefusalCode::another_history);
  }
  EXPECT_EQ(book.count<OutcomeRefused>(), limits::refusals_recorded_max);
}

TEST_F(OutcomeTest, OneRenewalCannotRecordMoreThan32RefusalsOfAJob) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  Renew renew;
  for (std::uint32_t i = 0; i < 40; ++i) {
    renew.claims.push_back({id, Token{claim.token.claim, GenerationTag(i + 1)}, std::nullopt});
    renew.claims.push_back(renew.claims.back());
  }
  book.done(renew);
  EXPECT_EQ(book.count<OutcomeRefused>(), limits::refusals_recorded_max);
  EXPECT_EQ(book.job(id).refused.size(), limits::refusals_recorded_max);  // each once
}

TEST_F(OutcomeTest, ATokenOfALeaseThatEndedIsRefusedByDecideAlone) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one(30s);
  book.pass(30s - 1us);
  EXPECT_FALSE(book.decide_here(Complete{id, claim.token}).refusal);
  book.pass(1us);
  const Decision decision = book.decide_here(Complete{id, claim.token});
  ASSERT_TRUE(decision.refusal);
  EXPECT_EQ(decision.refusal->code, RefusalCode::lease_lost);
  EXPECT_NE(decision.refusal->sentence.find("ended at " + to_string(claim.lease_expires_at)), std::string::npos)
      << decision.refusal->sentence;
}

TEST_F(OutcomeTest, AResultOverTheBoundLeavesTheJobRunning) {
  book.bounds.payload_bytes = 4;
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  EXPECT_EQ(book.refusal_of(Complete{id, claim.token, "12345"}), RefusalCode::payload_too_large);
  EXPECT_EQ(book.refusal_of(Fail{.job = id, .token = claim.token, .error = "12345"}), RefusalCode::payload_too_large);
  EXPECT_EQ(book.state_of(id), JobState::running);
}

TEST_F(OutcomeTest, AnUnknownJobIsRefusedWithoutARecord) {
  const std::size_t before = book.events.size();
  const Token token{Sequence(2), testing::first_tag};
  EXPECT_EQ(book.refusal_of(Complete{JobId{Sequence(77), {}}, token}), RefusalCode::no_such_job);
  EXPECT_EQ(book.refusal_of(Complete{JobId{Sequence(77), testing::first_tag}, token}), RefusalCode::no_such_job);
  EXPECT_EQ(book.refusal_of(Complete{JobId{Sequence(77), GenerationTag(5)}, token}), RefusalCode::another_history);
  EXPECT_EQ(book.events.size(), before);
}

TEST_F(OutcomeTest, AnIdOfAnotherHistoryIsRefusedAndABareNumberIsNot) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  EXPECT_EQ(book.refusal_of(Complete{JobId{id.sequence, GenerationTag(5)}, claim.token}), RefusalCode::another_history);
  EXPECT_EQ(book.refusal_of(Complete{JobId{id.sequence, {}}, claim.token}), std::nullopt);
  EXPECT_EQ(book.last<JobCompleted>().job, id);
}

TEST_F(OutcomeTest, ATokenOfAnotherHistoryIsRefusedAndRecorded) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  EXPECT_EQ(book.refusal_of(Complete{id, Token{claim.token.claim, GenerationTag(5)}}), RefusalCode::another_history);
  EXPECT_EQ(book.last<OutcomeRefused>().reason, RefusalCode::another_history);
}

TEST_F(OutcomeTest, ATokenNobodyGrantedForAJobThatDoesNotRunIsNotRunning) {
  const JobId id = schedule();
  EXPECT_EQ(book.refusal_of(Complete{id, Token{Sequence(999), testing::first_tag}}), RefusalCode::not_running);
  EXPECT_EQ(book.count<OutcomeRefused>(), 0U);
}

// ---- fail

TEST_F(OutcomeTest, AFailureWaitsForItsBackoff) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(Fail{.job = id, .token = claim.token, .error = "no answer", .error_kind = "transient"});
  const Job& job = book.job(id);
  EXPECT_EQ(job.state, JobState::waiting);
  EXPECT_EQ(job.due, (Due{book.now.wall + 1s, book.now.book + 1s}));
  EXPECT_EQ(job.error.bytes(), "no answer");
  EXPECT_EQ(book.state.name(job.error_kind)->text, "transient");
  EXPECT_EQ(job.attempt, 1U);
  EXPECT_FALSE(job.lease);
  EXPECT_EQ(phase(job, book.now), Phase::retryable);
}

TEST_F(OutcomeTest, TheBackoffDoubles) {
  schedule();
  for (const Duration wait : {1s, 2s, 4s, 8s}) {
    const ClaimedJob claim = book.claim_one();
    book.done(Fail{.job = claim.id, .token = claim.token});
    EXPECT_EQ(book.job(claim.id).due.after, book.now.book + wait);
    book.pass(wait);
  }
}

TEST_F(OutcomeTest, TheWorkerMaySayWhenExactly) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  EXPECT_EQ(book.refusal_of(Fail{.job = id, .token = claim.token, .retry_in = -1us}), RefusalCode::due_out_of_range);
  book.done(Fail{.job = id, .token = claim.token, .retry_in = 90s});
  EXPECT_EQ(book.job(id).due.after, book.now.book + 90s);
}

TEST_F(OutcomeTest, TheLastAllowedFailureIsDeath) {
  const JobId id = schedule(2);
  for (int i = 0; i < 2; ++i) {
    const ClaimedJob claim = book.claim_one();
    book.done(Fail{.job = id, .token = claim.token});
    book.pass(1min);
  }
  EXPECT_EQ(book.state_of(id), JobState::dead);
  EXPECT_EQ(book.job(id).dead_reason, DeadReason::attempts_exhausted);
}

TEST_F(OutcomeTest, AFailureThatIsNotRetryableIsDeath) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(Fail{.job = id, .token = claim.token, .retryable = false});
  EXPECT_EQ(book.state_of(id), JobState::dead);
  EXPECT_EQ(book.job(id).dead_reason, DeadReason::not_retryable);
}

TEST_F(OutcomeTest, ABadErrorKindIsRefused) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  EXPECT_EQ(book.refusal_of(Fail{.job = id, .token = claim.token, .error_kind = "a\tb"}),
            RefusalCode::invalid_argument);
}

// ---- snooze and release

TEST_F(OutcomeTest, SnoozingCostsNoAttempt) {
  const JobId id = schedule(1);
  for (int i = 0; i < 3; ++i) {
    const ClaimedJob claim = book.claim_one();
    EXPECT_EQ(claim.attempt, 1U);
    book.done(Snooze{id, claim.token, after(10min)});
    EXPECT_EQ(book.state_of(id), JobState::waiting);
    EXPECT_EQ(book.job(id).attempt, 0U);
    EXPECT_EQ(book.job(id).due.after, book.now.book + 10min);
    book.pass(10min);
  }
}

TEST_F(OutcomeTest, SnoozingOutOfRangeIsRefused) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  EXPECT_EQ(book.refusal_of(Snooze{id, claim.token, after(-1s)}), RefusalCode::due_out_of_range);
}

TEST_F(OutcomeTest, AReleasedJobKeepsItsPlaceAndItsAttempt) {
  const JobId id = schedule(1);
  const Due due = book.job(id).due;
  book.pass(5s);
  const ClaimedJob claim = book.claim_one();
  book.done(Release{id, claim.token});
  EXPECT_EQ(book.job(id).due, due);
  EXPECT_EQ(book.job(id).attempt, 0U);
  EXPECT_EQ(book.claim_one().id, id);
}

// ---- cancellation of what runs

TEST_F(OutcomeTest, ARunningJobThatWasCancelledEndsCancelledHoweverItsAttemptEnds) {
  const auto end = [&](auto command_of) {
    const JobId id = schedule();
    const ClaimedJob claim = book.claim_one();
    book.done(Cancel{id});
    book.done(command_of(claim));
    EXPECT_EQ(book.state_of(id), JobState::cancelled);
    EXPECT_FALSE(book.job(id).cancel_requested);
    EXPECT_TRUE(book.job(id).finalized_at);
  };
  end([](const ClaimedJob& c) { return Fail{.job = c.id, .token = c.token}; });
  end([](const ClaimedJob& c) { return Fail{.job = c.id, .token = c.token, .retryable = false}; });
  end([](const ClaimedJob& c) { return Snooze{c.id, c.token, after(1s)}; });
  end([](const ClaimedJob& c) { return Release{c.id, c.token}; });
  end([&](const ClaimedJob&) {
    book.pass(30s);
    return ExpireLeases{};
  });
}

TEST_F(OutcomeTest, ACompletionBeatsACancellation) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(Cancel{id});
  book.done(Complete{id, claim.token});
  EXPECT_EQ(book.state_of(id), JobState::completed);
}

// ---- renew

TEST_F(OutcomeTest, RenewingMovesTheEndAndKeepsTheCheckpoint) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one(30s);
  book.pass(20s);
  const auto answer = book.ask(Renew{{{id, claim.token, Envelope("half")}}, 60s});
  const auto& one = std::get<Renewed>(*answer).claims.at(0);
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->lease_ends_at, book.now.book + 60s);
  EXPECT_EQ(one->lease_expires_at, book.now.wall + 60s);
  EXPECT_FALSE(one->cancel_requested);
  EXPECT_EQ(book.job(id).lease->ends_at, book.now.book + 60s);
  EXPECT_EQ(book.job(id).lease->length, 60s);
  EXPECT_EQ(book.job(id).lease->claimed_at, claim.lease_expires_at - 30s);
  EXPECT_EQ(book.job(id).progress.bytes(), "half");
  book.done(Renew{{{id, claim.token, std::nullopt}}});
  EXPECT_EQ(book.job(id).progress.bytes(), "half");
}

TEST_F(OutcomeTest, OneEventRenewsAllGoodClaimsAndTheOthersAreRefusedOneByOne) {
  const JobId a = schedule();
  const ClaimedJob first = book.claim_one();
  book.pass(30s);
  const ClaimedJob second = book.claim_one();
  const JobId b = schedule();
  const ClaimedJob other = book.claim_one();
  const JobId nobody{Sequence(999), {}};
  const auto answer = book.ask(
      Renew{{{a, second.token, {}}, {a, first.token, {}}, {nobody, first.token, {}}, {b, other.token, {}}}, 30s});
  const auto& claims = std::get<Renewed>(*answer).claims;
  ASSERT_EQ(claims.size(), 4U);
  EXPECT_TRUE(claims[0].has_value());
  EXPECT_EQ(claims[1].error().code, RefusalCode::lease_lost);
  EXPECT_EQ(claims[2].error().code, RefusalCode::no_such_job);
  EXPECT_TRUE(claims[3].has_value());
  EXPECT_EQ(book.count<LeasesRenewed>(), 1U);
  EXPECT_EQ(book.last<LeasesRenewed>().renewals.size(), 2U);
  EXPECT_EQ(book.last<LeasesRenewed>().reason, RenewReason::heartbeat);
  EXPECT_EQ(book.count<OutcomeRefused>(), 1U);
}

TEST_F(OutcomeTest, AllStaleIsStillAnAnswer) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  book.pass(30s);
  for (int i = 0; i < 2; ++i) {
    const auto answer = book.ask(Renew{{{id, claim.token, {}}}, 30s});
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(std::get<Renewed>(*answer).claims.at(0).error().code, RefusalCode::lease_lost);
  }
  EXPECT_EQ(book.count<LeasesRenewed>(), 0U);
  EXPECT_EQ(book.count<OutcomeRefused>(), 1U);
  EXPECT_EQ(book.last<OutcomeRefused>().outcome, OutcomeKind::renew);
}

TEST_F(OutcomeTest, ARenewalTellsOfTheCancellation) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(Cancel{id});
  const auto answer = book.ask(Renew{{{id, claim.token, {}}}, 30s});
  EXPECT_TRUE(std::get<Renewed>(*answer).claims.at(0)->cancel_requested);
}

TEST_F(OutcomeTest, ACheckpointOverTheBoundIsRefusedAloneAndDoesNotRenew) {
  book.bounds.payload_bytes = 4;
  const JobId a = schedule();
  const ClaimedJob first = book.claim_one();
  const JobId b = schedule();
  const ClaimedJob second = book.claim_one();
  const auto answer = book.ask(Renew{{{a, first.token, Envelope("12345")}, {b, second.token, {}}}, 60s});
  const auto& claims = std::get<Renewed>(*answer).claims;
  EXPECT_EQ(claims.at(0).error().code, RefusalCode::payload_too_large);
  EXPECT_TRUE(claims.at(1).has_value());
  EXPECT_EQ(book.job(a).lease->ends_at, first.lease_ends_at);
}

TEST_F(OutcomeTest, AClaimNamedTwiceIsRenewedOnce) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  const auto answer = book.ask(Renew{{{id, claim.token, {}}, {id, claim.token, {}}}, 60s});
  EXPECT_TRUE(std::get<Renewed>(*answer).claims.at(1).has_value());
  EXPECT_EQ(book.last<LeasesRenewed>().renewals.size(), 1U);
}

TEST_F(OutcomeTest, ARenewalOutOfRangeIsRefusedWhole) {
  const JobId id = schedule();
  const ClaimedJob claim = book.claim_one();
  EXPECT_EQ(book.refusal_of(Renew{{{id, claim.token, {}}}, 0s}), RefusalCode::lease_out_of_range);
  EXPECT_EQ(book.refusal_of(Renew{{}, 30s}), RefusalCode::invalid_argument);
}

}  // namespace
}  // namespace daybook
