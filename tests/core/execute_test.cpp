// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/execute.hpp"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;
using testing::replayed;

const Schedule send{.queue = "mail", .kind = "send"};

Context by_request(std::string id) {
  Context context;
  context.request = RequestId{"client", std::move(id)};
  return context;
}

struct ExecuteTest : ::testing::Test {
  MemoryBook book;

  /// Nothing of the submission is left but what its events say.
  void expect_explained_by_events() {
    EXPECT_EQ(differences(replayed(book.events), book.state), std::vector<std::string>());
  }
  /// The first answers again, as the engine makes them from the log.
  Result<std::vector<Answer>> answers_again(const Submission& submission, const RequestRecord& record) {
    const std::span all(book.events);
    const auto first = record.first.value() - 1;
    return answers(submission, all.subspan(first, record.last.value() - first), book.state);
  }
};

// ---- who, why, when

TEST_F(ExecuteTest, EveryEventSaysWhoAndWhyAndWhen) {
  Context context;
  context.actor = "olga";
  context.origin = ActorOrigin::peer_credential;
  context.reason = "the customer called";
  context.trace = "00-trace-01";
  context.cause = Sequence(2);
  const Outcome outcome = book.submit({send}, context);
  const NameId olga = *book.state.find_name(NameSort::actor, "olga");
  ASSERT_FALSE(outcome.events.empty());
  for (const RecordedEvent& recorded : outcome.events) {
    EXPECT_EQ(recorded.by,
              (Provenance{olga, ActorOrigin::peer_credential, Sequence(2), context.reason, context.trace}));
    EXPECT_EQ(recorded.epoch, book.state.book().epoch);
    EXPECT_EQ(recorded.wall, book.now.wall);
    EXPECT_EQ(recorded.boot, book.now.boot);
    EXPECT_FALSE(recorded.request);
  }
  const Job& job = book.job(std::get<Scheduled>(outcome.answers->front()).job);
  EXPECT_EQ(job.trace, "00-trace-01");
}

TEST_F(ExecuteTest, AnEventOfABatchCarriesTheIndexOfItsCommand) {
  const Outcome outcome = book.submit({send, send, PauseQueue{"mail"}}, by_request("r1"));
  std::vector<std::uint16_t> commands;
  for (const RecordedEvent& recorded : outcome.events) {
    if (recorded.request) commands.push_back(recorded.request->command);
  }
  EXPECT_EQ(commands, (std::vector<std::uint16_t>{0, 0, 0, 1, 2}));  // the first defines queue and kind
}

TEST_F(ExecuteTest, AContextOutOfRangeIsRefusedAndRecordsNothing) {
  const std::size_t before = book.events.size();
  const auto refused = [&](Context context) {
    const Outcome outcome = book.submit({send}, std::move(context));
    EXPECT_FALSE(outcome.answers.has_value());
    return !outcome.answers && outcome.answers.error().code == RefusalCode::invalid_argument;
  };
  EXPECT_TRUE(refused({.actor = ""}));
  EXPECT_TRUE(refused({.reason = std::string(1025, 'r')}));
  EXPECT_TRUE(refused({.trace = std::string(257, 't')}));
  EXPECT_TRUE(refused({.request = RequestId{"", "r"}}));
  EXPECT_TRUE(refused({.request = RequestId{"c", ""}}));
  EXPECT_TRUE(refused({.request = RequestId{"c", std::string(129, 'r')}}));
  EXPECT_EQ(book.events.size(), before);
}

TEST_F(ExecuteTest, WhatRecordsNothingDefinesNoNames) {
  Context context = by_request("r1");
  context.actor = "somebody new";
  const std::size_t before = book.events.size();
  EXPECT_TRUE(book.ask(Claim{.queues = {"mail"}, .worker = "w"}, context).has_value());
  EXPECT_FALSE(book.ask(Cancel{JobId{Sequence(999), {}}}, Context{.actor = "somebody new"}).has_value());
  EXPECT_EQ(book.events.size(), before);
  EXPECT_FALSE(book.state.find_name(NameSort::actor, "somebody new"));
  expect_explained_by_events();
}

// ---- leases that ended

TEST_F(ExecuteTest, LeasesThatEndedEndBeforeAnythingIsDecided) {
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  book.pass(30s);
  const Outcome outcome = book.submit({Complete{id, claim.token}});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().code, RefusalCode::lease_lost);
  ASSERT_EQ(outcome.events.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<NameDefined>(outcome.events[0].event));
  EXPECT_TRUE(std::holds_alternative<LeaseExpired>(outcome.events[1].event));
  EXPECT_TRUE(std::holds_alternative<OutcomeRefused>(outcome.events[2].event));
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  expect_explained_by_events();
}

TEST_F(ExecuteTest, TheEndOfALeaseBelongsToNobodyAndIsCausedByTheClaim) {
  book.schedule();
  const ClaimedJob claim = book.claim_one();
  book.pass(30s);
  const Outcome outcome = book.submit({send}, by_request("r1"));
  const RecordedEvent& expired = outcome.events.at(1);
  ASSERT_TRUE(std::holds_alternative<LeaseExpired>(expired.event));
  EXPECT_EQ(book.state.name(expired.by.actor)->text, "daybook");
  EXPECT_EQ(expired.by.cause, claim.token.claim);
  EXPECT_FALSE(expired.request);
}

TEST_F(ExecuteTest, AJobWhoseLeaseEndedCanBeClaimedInTheSameMoment) {
  const JobId id = book.schedule();
  book.claim_one();
  book.pass(30s);
  EXPECT_EQ(book.claim_one().id, id);
}

TEST_F(ExecuteTest, ARefusedSubmissionStillEndsLeases) {
  const JobId id = book.schedule();
  book.claim_one();
  book.pass(30s);
  const Outcome outcome = book.submit({send, Retry{id}});
  EXPECT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(book.state_of(id), JobState::waiting);
  EXPECT_EQ(book.count<JobScheduled>(), 1U);
  expect_explained_by_events();
}

// ---- batches

TEST_F(ExecuteTest, CompletingOneAndSchedulingTwoIsOneBatch) {
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  const Outcome outcome = book.submit({Complete{id, claim.token}, send, send});
  ASSERT_TRUE(outcome.answers.has_value());
  ASSERT_EQ(outcome.answers->size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Done>(outcome.answers->at(0)));
  const JobId b = std::get<Scheduled>(outcome.answers->at(1)).job;
  const JobId c = std::get<Scheduled>(outcome.answers->at(2)).job;
  EXPECT_EQ(c.sequence, b.sequence.next());
  EXPECT_EQ(book.state_of(id), JobState::completed);
}

TEST_F(ExecuteTest, EachCommandSeesTheEffectsOfThoseBefore) {
  Schedule unique = send;
  unique.unique_key = "k";
  const JobId id = book.schedule(unique);
  const ClaimedJob claim = book.claim_one();
  const Outcome outcome = book.submit({Complete{id, claim.token}, unique, Claim{.queues = {"mail"}, .worker = "w"}});
  ASSERT_TRUE(outcome.answers.has_value());
  const JobId next = std::get<Scheduled>(outcome.answers->at(1)).job;
  EXPECT_EQ(std::get<Claimed>(outcome.answers->at(2)).jobs.at(0).id, next);
}

TEST_F(ExecuteTest, ARefusedCommandUndoesTheBatchAndIsNamed) {
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(JoinWorker{.worker = "w1", .queues = {"mail"}});
  const std::size_t before = book.events.size();
  const Outcome outcome = book.submit({Complete{id, claim.token}, PauseQueue{"new queue"}, LeaveWorker{"w1"},
                                       Configure{{{"a", "b"}}}, Schedule{.queue = "", .kind = "send"}},
                                      Context{.actor = "new actor"});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().code, RefusalCode::invalid_argument);
  EXPECT_EQ(outcome.answers.error().sentence.rfind("command 5 of 5: ", 0), 0U) << outcome.answers.error().sentence;
  EXPECT_EQ(book.events.size(), before);
  EXPECT_EQ(book.state_of(id), JobState::running);
  expect_explained_by_events();
  book.done(Complete{id, claim.token});
}

TEST_F(ExecuteTest, ABatchThatMeetsAStaleTokenLeavesTheRefusalAlone) {
  const JobId id = book.schedule();
  const ClaimedJob first = book.claim_one();
  book.pass(30s);
  book.claim_one();
  const std::size_t before = book.events.size();
  const Outcome outcome = book.submit({send, send, Complete{id, first.token}});
  EXPECT_FALSE(outcome.answers.has_value());
  ASSERT_EQ(book.events.size(), before + 1);
  EXPECT_TRUE(std::holds_alternative<OutcomeRefused>(book.events.back().event));
  EXPECT_EQ(book.job(id).refused.size(), 1U);
  expect_explained_by_events();
}

TEST_F(ExecuteTest, ADuplicateInABatchLeavesItsRecordWithTheRightNames) {
  Schedule unique = send;
  unique.unique_key = "k";
  const JobId holder = book.schedule(unique);
  unique.kind = "a new kind";
  const Outcome outcome = book.submit({PauseQueue{"a new queue"}, unique});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().job, holder.sequence.value());
  EXPECT_EQ(book.state.name(book.last<DuplicateSuppressed>().kind)->text, "a new kind");
  EXPECT_FALSE(book.state.find_name(NameSort::queue, "a new queue"));
  expect_explained_by_events();
}

TEST_F(ExecuteTest, TwoJobsOfOneBatchCannotShareAKey) {
  Schedule unique = send;
  unique.unique_key = "k";
  const std::size_t before = book.events.size();
  const Outcome outcome = book.submit({unique, unique});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().code, RefusalCode::duplicate_key);
  EXPECT_EQ(outcome.answers.error().job, 0U);
  EXPECT_EQ(outcome.answers.error().sentence,
            "command 2 of 2: its unique key is given to an earlier job of the same batch");
  EXPECT_EQ(book.events.size(), before);
  expect_explained_by_events();
}

TEST_F(ExecuteTest, AnEmptySubmissionIsRefused) {
  const Outcome outcome = book.submit({});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().code, RefusalCode::invalid_argument);
}

TEST_F(ExecuteTest, TooManyCommandsAreRefused) {
  book.bounds.batch_commands = 2;
  EXPECT_TRUE(book.submit({send, send}).answers.has_value());
  const Outcome outcome = book.submit({send, send, send});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().code, RefusalCode::batch_too_large);
  EXPECT_EQ(outcome.answers.error().sentence, "a batch of 3 commands: at most 2");
}

TEST_F(ExecuteTest, TooManyBytesAreRefused) {
  book.bounds.batch_bytes = 100;
  book.bounds.payload_bytes = 60;
  Schedule big = send;
  big.payload = std::string(50, 'x');
  EXPECT_TRUE(book.submit({big, big}).answers.has_value());
  big.payload = std::string(51, 'x');
  const Outcome outcome = book.submit({big, big});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().code, RefusalCode::batch_too_large);
  EXPECT_NE(outcome.answers.error().sentence.find("102 bytes"), std::string::npos) << outcome.answers.error().sentence;
}

TEST_F(ExecuteTest, ASingleLargePayloadIsJudgedAsAPayload) {
  book.bounds.batch_bytes = 10;
  book.bounds.payload_bytes = 60;
  Schedule big = send;
  big.payload = std::string(60, 'x');
  EXPECT_EQ(book.refusal_of(big), std::nullopt);
  big.payload = std::string(61, 'x');
  EXPECT_EQ(book.refusal_of(big), RefusalCode::payload_too_large);
}

// ---- requests

TEST_F(ExecuteTest, ARepeatedRequestGetsItsFirstAnswerAndNoSecondEffect) {
  const Submission submission{{send, PauseQueue{"bills"}, send}, by_request("r1")};
  const Outcome first = book.execute_here(submission);
  ASSERT_TRUE(first.answers.has_value());
  book.pass(1h);
  const std::size_t before = book.events.size();
  const Outcome second = book.execute_here(submission);
  ASSERT_TRUE(second.repeated);
  EXPECT_TRUE(second.events.empty());
  EXPECT_EQ(book.events.size(), before);
  const auto again = answers_again(submission, *second.repeated);
  ASSERT_TRUE(again.has_value());
  ASSERT_EQ(again->size(), 3U);
  EXPECT_EQ(std::get<Scheduled>(again->at(0)), std::get<Scheduled>(first.answers->at(0)));
  EXPECT_TRUE(std::holds_alternative<Done>(again->at(1)));
  EXPECT_EQ(std::get<Scheduled>(again->at(2)), std::get<Scheduled>(first.answers->at(2)));
}

TEST_F(ExecuteTest, ARepeatedClaimReturnsTheSameClaims) {
  book.schedule();
  const Submission submission{{Claim{.queues = {"mail"}, .worker = "w"}}, by_request("r1")};
  const Outcome first = book.execute_here(submission);
  const Outcome second = book.execute_here(submission);
  ASSERT_TRUE(second.repeated);
  const auto again = answers_again(submission, *second.repeated);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(std::get<Claimed>(again->at(0)), std::get<Claimed>(first.answers->at(0)));
  EXPECT_EQ(book.count<JobClaimed>(), 1U);
}

TEST_F(ExecuteTest, ARepeatedCompletionIsDoneWhateverHappenedInBetween) {
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  const Submission submission{{Complete{id, claim.token}}, by_request("r1")};
  EXPECT_TRUE(book.execute_here(submission).answers.has_value());
  const Outcome second = book.execute_here(submission);
  ASSERT_TRUE(second.repeated);
  const auto again = answers_again(submission, *second.repeated);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(std::holds_alternative<Done>(again->at(0)));
}

TEST_F(ExecuteTest, ARefusedRequestIsRefusedAgainInTheSameWords) {
  const JobId id = book.schedule();
  const Submission submission{{send, Retry{id}}, by_request("r1")};
  const Outcome first = book.execute_here(submission);
  ASSERT_FALSE(first.answers.has_value());
  EXPECT_EQ(book.last<RequestRefused>().refusal, first.answers.error());
  expect_explained_by_events();
  const ClaimedJob claim = book.claim_one();
  book.done(Fail{.job = id, .token = claim.token, .retryable = false});  // now it could be retried
  const Outcome second = book.execute_here(submission);
  ASSERT_TRUE(second.repeated);
  const auto again = answers_again(submission, *second.repeated);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error(), first.answers.error());
  EXPECT_EQ(book.state_of(id), JobState::dead);
}

TEST_F(ExecuteTest, ARefusedOutcomeUnderARequestIsRefusedAgainInTheSameWords) {
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  book.pass(30s);
  const Submission submission{{Complete{id, claim.token}}, by_request("r1")};
  const Outcome first = book.execute_here(submission);
  ASSERT_FALSE(first.answers.has_value());
  book.claim_one();
  const Outcome second = book.execute_here(submission);
  ASSERT_TRUE(second.repeated);
  EXPECT_EQ(answers_again(submission, *second.repeated).error(), first.answers.error());
  EXPECT_EQ(book.count<OutcomeRefused>(), 1U);
}

TEST_F(ExecuteTest, ARepeatedRenewalTellsWhichClaimsItRenewed) {
  const JobId a = book.schedule();
  const ClaimedJob lost = book.claim_one();
  book.pass(30s);
  const ClaimedJob held = book.claim_one();
  const Submission submission{{Renew{{{a, held.token, {}}, {a, lost.token, {}}}, 60s}}, by_request("r1")};
  const Outcome first = book.execute_here(submission);
  book.done(Complete{a, held.token});
  const Outcome second = book.execute_here(submission);
  ASSERT_TRUE(second.repeated);
  const auto again = answers_again(submission, *second.repeated);
  ASSERT_TRUE(again.has_value());
  const auto& before = std::get<Renewed>(first.answers->at(0)).claims;
  const auto& after = std::get<Renewed>(again->at(0)).claims;
  EXPECT_EQ(after.at(0), before.at(0));
  EXPECT_EQ(after.at(1).error().code, before.at(1).error().code);
}

TEST_F(ExecuteTest, AnExistingJobIsReturnedAgain) {
  Schedule unique = send;
  unique.unique_key = "k";
  unique.on_conflict = OnConflict::return_existing;
  const JobId holder = book.schedule(unique);
  const Submission submission{{unique}, by_request("r1")};
  (void)book.execute_here(submission);
  book.done(Cancel{holder});
  const Outcome second = book.execute_here(submission);
  ASSERT_TRUE(second.repeated);
  EXPECT_EQ(std::get<Scheduled>(answers_again(submission, *second.repeated)->at(0)), (Scheduled{holder, true}));
}

TEST_F(ExecuteTest, ARequestIdUsedForAnotherCommandIsRefused) {
  const JobId id = book.schedule();
  (void)book.execute_here({{send}, by_request("r1")});
  for (const Command& other :
       std::vector<Command>{Cancel{id}, PauseQueue{"mail"}, Claim{.queues = {"mail"}, .worker = "w"}, Complete{id, {}},
                            Renew{{{id, {}, {}}}, 30s}, AdoptBook{}}) {
    const Submission submission{{other}, by_request("r1")};
    const Outcome second = book.execute_here(submission);
    ASSERT_TRUE(second.repeated);
    const auto again = answers_again(submission, *second.repeated);
    ASSERT_FALSE(again.has_value()) << type_name(other);
    EXPECT_EQ(again.error().code, RefusalCode::invalid_argument);
  }
  const Submission fewer{{PauseQueue{"x"}, send}, by_request("r1")};
  EXPECT_FALSE(answers_again(fewer, *book.execute_here(fewer).repeated).has_value());
}

TEST_F(ExecuteTest, ARequestIsForgottenAfterItsWindowOfBookTime) {
  const Submission submission{{send}, by_request("r1")};
  (void)book.execute_here(submission);
  book.step_wall(24h * 366);
  book.pass(limits::request_window);
  EXPECT_TRUE(book.execute_here(submission).repeated);
  book.pass(1us);
  const Outcome later = book.execute_here(submission);
  EXPECT_FALSE(later.repeated);
  EXPECT_TRUE(later.answers.has_value());
  EXPECT_TRUE(book.execute_here(submission).repeated);
  EXPECT_EQ(book.count<JobScheduled>(), 2U);
  expect_explained_by_events();
}

TEST_F(ExecuteTest, TheSameIdOfAnotherClientIsAnotherRequest) {
  (void)book.execute_here({{send}, by_request("r1")});
  Context other;
  other.request = RequestId{"another client", "r1"};
  EXPECT_FALSE(book.execute_here({{send}, other}).repeated);
}

TEST_F(ExecuteTest, AHeldBookRecordsNothingOfWhatItRefuses) {
  book.become_a_copy();
  const std::size_t before = book.events.size();
  const Outcome outcome = book.execute_here({{Configure{{{"a", "b"}}}, send}, by_request("r1")});
  ASSERT_FALSE(outcome.answers.has_value());
  EXPECT_EQ(outcome.answers.error().code, RefusalCode::book_held);
  EXPECT_EQ(book.events.size(), before);
  book.done(AdoptBook{});
  EXPECT_FALSE(book.execute_here({{send}, by_request("r1")}).repeated);
}

TEST_F(ExecuteTest, ARequestThatFoundNoRoomMayBeMadeAgain) {
  book.bounds.room = false;
  const std::size_t before = book.events.size();
  EXPECT_EQ(book.execute_here({{send}, by_request("r1")}).answers.error().code, RefusalCode::storage_full);
  EXPECT_EQ(book.events.size(), before);
  book.bounds.room = true;
  EXPECT_TRUE(book.execute_here({{send}, by_request("r1")}).answers.has_value());
  EXPECT_EQ(book.count<JobScheduled>(), 1U);
}

TEST_F(ExecuteTest, AdoptingAndWorkingIsOneBatch) {
  book.become_a_copy();
  EXPECT_TRUE(book.submit({AdoptBook{}, send}).answers.has_value());
  expect_explained_by_events();
}

}  // namespace
}  // namespace daybook
