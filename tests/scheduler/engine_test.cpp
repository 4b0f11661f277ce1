// SPDX-License-Identifier: Apache-2.0

// The engine alone, in one thread, on a disk in memory and with time that the test moves.
#include "daybook/scheduler/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/state.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/replay.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::MemoryStorage;
using test::Operation;

// A book with its engine, and verbs to live with it.
class EngineTest : public testing::Test {
 protected:
  EngineTest() { open(); }

  void open() {
    LogOpening found;
    log_ = log_exists(storage_) ? SegmentLog::open(storage_, clock_, random_, {}, found)
                                : SegmentLog::create(storage_, clock_, random_, {}, found);
    auto state = std::make_unique<State>(rebuild(events_of(*log_), log_->tail().sequence));
    engine_ = std::make_unique<Engine>(Engine::Parts{
        .journal = *log_, .store = std::move(state), .clock = clock_, .random = random_, .bounds = bounds_});
    BookOpened opening;
    opening.epoch = found.epoch;
    opening.tail = found.tail;
    claims_ended_ = engine_->open(opening, {});
  }
  void close() {
    engine_->withdraw_all();
    step();
    engine_->close();
    engine_.reset();
    log_.reset();
  }
  void kill() {  // the process; the page cache stays
    engine_.reset();
    log_.reset();
    storage_.kill();
  }
  void crash() {  // the machine
    engine_.reset();
    log_.reset();
    storage_.crash();
  }

  using Replied = std::shared_ptr<std::optional<Reply>>;
  Replied submit(Submission submission) {
    auto replied = std::make_shared<std::optional<Reply>>();
    engine_->submit(std::move(submission), [replied](Reply reply) { *replied = std::move(reply); });
    return replied;
  }
  Replied submit(Command command) { return submit(Submission{.commands = {std::move(command)}}); }
  Replied wait_for_claim(Duration wait, Engine::Ticket ticket = 1) {
    auto replied = std::make_shared<std::optional<Reply>>();
    engine_->submit_claim(ticket, claim_command(), {}, engine_->now().book + wait,
                          [replied](Reply reply) { *replied = std::move(reply); });
    return replied;
  }
  Engine::Step step() {
    Engine::Step step = engine_->step();
    finish(std::move(step.finished));
    return step;
  }

  static Claim claim_command() { return Claim{.queues = {"mail"}, .worker = "w", .lease = 30s, .count = 10}; }
  static Schedule mail(When due = {}) {
    return Schedule{.queue = "mail", .kind = "welcome", .payload = "hello", .due = due};
  }

  JobId schedule(Schedule command) { return std::get<Scheduled>(now(std::move(command))).job; }
  std::vector<ClaimedJob> claim(Claim command = claim_command()) {
    return std::get<Claimed>(now(std::move(command))).jobs;
  }
  Answer now(Command command) {
    const Replied replied = submit(std::move(command));
    step();
    return (*replied)->answers.value().front();
  }
  RefusalCode refused(Command command) {
    const Replied replied = submit(std::move(command));
    step();
    return (*replied)->answers.error().code;
  }
  static std::vector<ClaimedJob> jobs_of(const Replied& replied) {
    return std::get<Claimed>((*replied)->answers.value().front()).jobs;
  }
  template <class Event>
  std::vector<Event> recorded() {
    std::vector<Event> found;
    log_->read(Sequence(1), [&](const RecordedEvent& event) {
      if (const auto* one = std::get_if<Event>(&event.event)) found.push_back(*one);
      return true;
    });
    return found;
  }
  JobState state_of(JobId id) { return engine_->view().job(id.sequence)->state; }

  MemoryStorage storage_;
  test::ManualClock clock_;
  test::FixedRandom random_;
  Bounds bounds_;
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<Engine> engine_;
  std::uint32_t claims_ended_ = 0;

 private:
  static void finish(std::vector<std::pair<Engine::Completion, Reply>> finished) {
    for (auto& [completion, reply] : finished) completion(std::move(reply));
  }
};

TEST_F(EngineTest, AJobIsScheduledClaimedAndCompleted) {
  const JobId id = schedule(mail());
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].id, id);
  EXPECT_EQ(claimed[0].payload.bytes(), "hello");
  EXPECT_EQ(claimed[0].attempt, 1u);
  now(Complete{id, claimed[0].token, "sent"});
  EXPECT_EQ(state_of(id), JobState::completed);
  EXPECT_EQ(engine_->view().job(id.sequence)->result.bytes(), "sent");
}

TEST_F(EngineTest, NothingIsAnsweredBeforeAStep) {
  const Replied replied = submit(mail());
  EXPECT_FALSE(replied->has_value());
  step();
  EXPECT_TRUE((*replied)->answers.has_value());
}

TEST_F(EngineTest, EverybodyInAStepSharesOneSync) {
  std::vector<Replied> replies;
  for (int i = 0; i < 16; ++i) replies.push_back(submit(mail()));
  const auto batches = log_->costs().batches;
  step();
  EXPECT_EQ(log_->costs().batches, batches + 1);
  for (const Replied& replied : replies) EXPECT_TRUE((*replied)->answers.has_value());
}

TEST_F(EngineTest, LaterSubmissionsOfAStepSeeTheEffectsOfEarlierOnes) {
  submit(mail());
  const Replied claimed = submit(claim_command());
  step();
  EXPECT_EQ(jobs_of(claimed).size(), 1u);
}

TEST_F(EngineTest, ABatchIsAllOrNothing) {
  const JobId id = schedule(mail());
  const auto before = engine_->view().counts();
  const Replied replied = submit(Submission{.commands = {mail(), mail(), Retry{id}}});
  step();
  ASSERT_FALSE((*replied)->answers.has_value());
  EXPECT_EQ((*replied)->answers.error().code, RefusalCode::not_dead);
  EXPECT_THAT((*replied)->answers.error().sentence, testing::HasSubstr("command 3 of 3"));
  EXPECT_EQ(engine_->view().counts(), before);
}

// ---- waiting claims ----------------------------------------------------------------------------------------------

TEST_F(EngineTest, AWaitingClaimGetsWhatIsScheduledLater) {
  const Replied claimed = wait_for_claim(1h);
  step();
  EXPECT_FALSE(claimed->has_value());
  schedule(mail());
  EXPECT_EQ(jobs_of(claimed).size(), 1u);
}

TEST_F(EngineTest, AWaitingClaimGetsAJobWhenItFallsDueAndTheStepSaysWhenThatIs) {
  schedule(mail(after(10min)));
  const Replied claimed = wait_for_claim(1h);
  const Engine::Step planned = step();
  ASSERT_FALSE(claimed->has_value());
  // Housekeeping comes first, a second after the last event; then nothing until the job is due.
  EXPECT_LE(planned.wake_boot, clock_.boot() + 10min);
  clock_.advance(10min - 1us);
  EXPECT_EQ(step().wake_boot, clock_.boot() + 1us);
  EXPECT_FALSE(claimed->has_value());
  clock_.advance(1us);
  step();
  EXPECT_EQ(jobs_of(claimed).size(), 1u);
}

TEST_F(EngineTest, AWaitingClaimIsWokenByTheWallClockForAJobDueAtAnInstant) {
  const Instant nine = clock_.wall() + 3h;
  schedule(mail(at(nine)));
  const Replied claimed = wait_for_claim(24h);
  EXPECT_EQ(step().wake_wall, nine);
  clock_.step_wall(3h);
  step();
  EXPECT_EQ(jobs_of(claimed).size(), 1u);
}

TEST_F(EngineTest, AWaitingClaimIsAnsweredWithNothingAtItsDeadline) {
  const Replied claimed = wait_for_claim(5s);
  step();
  clock_.advance(5s);
  step();
  EXPECT_TRUE(jobs_of(claimed).empty());
}

TEST_F(EngineTest, AWithdrawnClaimIsAnsweredWithNothing) {
  const Replied claimed = wait_for_claim(1h, 7);
  step();
  engine_->withdraw(7);
  step();
  EXPECT_TRUE(jobs_of(claimed).empty());
}

TEST_F(EngineTest, OneJobGoesToOneOfTwoWaitingClaimsTheFirst) {
  const Replied first = wait_for_claim(1h, 1);
  const Replied second = wait_for_claim(1h, 2);
  schedule(mail());
  EXPECT_EQ(jobs_of(first).size(), 1u);
  EXPECT_FALSE(second->has_value());
}

TEST_F(EngineTest, ClosingAnswersWhatWaitsWithNothing) {
  const Replied claimed = wait_for_claim(1h);
  step();
  close();
  EXPECT_TRUE(jobs_of(claimed).empty());
}

// ---- time --------------------------------------------------------------------------------------------------------

TEST_F(EngineTest, ALeaseIsEndedByTheTimerAlone) {
  const JobId id = schedule(mail());
  claim();
  const Engine::Step planned = step();
  EXPECT_LE(planned.wake_boot, clock_.boot() + 30s);
  clock_.advance(30s);
  step();
  EXPECT_EQ(state_of(id), JobState::waiting);
  ASSERT_EQ(recorded<LeaseExpired>().size(), 1u);
  EXPECT_EQ(recorded<LeaseExpired>()[0].reason, ExpiryReason::expired);
}

TEST_F(EngineTest, ACompletionAtTheVeryEndOfTheLeaseIsTooLate) {
  const JobId id = schedule(mail());
  const Token token = claim()[0].token;
  clock_.advance(30s);
  EXPECT_EQ(refused(Complete{id, token}), RefusalCode::lease_lost);
}

TEST_F(EngineTest, AStepOfTheWallClockIsAnEventAndBeginsAnEra) {
  const auto era = engine_->view().book().era;
  clock_.step_wall(-24h * 365);
  schedule(mail());
  ASSERT_EQ(recorded<ClockStepped>().size(), 1u);
  EXPECT_EQ(recorded<ClockStepped>()[0].by, -24h * 365);
  EXPECT_EQ(engine_->view().book().era, era + 1);
}

TEST_F(EngineTest, DriftUnderASecondIsNoEvent) {
  clock_.step_wall(999ms);
  schedule(mail());
  EXPECT_TRUE(recorded<ClockStepped>().empty());
}

TEST_F(EngineTest, AWallClockThatStepsBackAYearDelaysNoDuration) {
  schedule(mail(after(10s)));
  const auto held = (schedule(mail()), claim());
  clock_.step_wall(-24h * 365);
  clock_.advance(10s);
  EXPECT_EQ(claim().size(), 1u);
  clock_.advance(20s);
  EXPECT_EQ(refused(Complete{held[0].id, held[0].token}), RefusalCode::lease_lost);
}

TEST_F(EngineTest, AJobDueAtAnInstantWaitsWhenTheWallClockStepsBack) {
  schedule(mail(at(clock_.wall() + 10s)));
  clock_.advance(20s);
  clock_.step_wall(-1h);
  EXPECT_TRUE(claim().empty());
  clock_.step_wall(1h);
  EXPECT_EQ(claim().size(), 1u);
}

// ---- opening -----------------------------------------------------------------------------------------------------

TEST_F(EngineTest, AfterAKillTheClaimsOfHandlersEndAtOnceAndThoseOfOthersDoNot) {
  const JobId handled = schedule(mail());
  Claim command = claim_command();
  command.count = 1;
  command.holder = Holder::handler;
  claim(command);
  const JobId outside = schedule(mail());
  const Token token = claim()[0].token;
  kill();
  open();
  EXPECT_EQ(claims_ended_, 1u);
  EXPECT_EQ(state_of(handled), JobState::waiting);
  EXPECT_EQ(recorded<LeaseExpired>().at(0).reason, ExpiryReason::process_died);
  EXPECT_EQ(state_of(outside), JobState::running);
  now(Complete{outside, token});
  EXPECT_EQ(state_of(outside), JobState::completed);
}

TEST_F(EngineTest, AfterANewBootClaimsOfOthersAreGrantedAgainInFull) {
  const JobId id = schedule(mail());
  const Token token = claim()[0].token;
  clock_.advance(29s);
  crash();
  clock_.reboot(1h);
  open();
  clock_.advance(29s);
  now(Complete{id, token});
  EXPECT_EQ(state_of(id), JobState::completed);
}

TEST_F(EngineTest, AWeekendOffPassesAsAWeekend) {
  schedule(mail(after(24h * 3)));
  close();
  clock_.reboot(24h * 3);
  open();
  EXPECT_EQ(claim().size(), 1u);
}

TEST_F(EngineTest, ACrashLosesNothingThatWasAnswered) {
  std::vector<JobId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(schedule(mail()));
  submit(mail());  // nobody was told of this one
  crash();
  open();
  for (const JobId id : ids) EXPECT_EQ(state_of(id), JobState::waiting);
}

TEST_F(EngineTest, OpeningAndClosingAreOnRecord) {
  close();
  open();
  ASSERT_EQ(recorded<BookOpened>().size(), 2u);
  EXPECT_EQ(recorded<BookOpened>()[0].tail, TailStatus::created);
  EXPECT_EQ(recorded<BookOpened>()[1].tail, TailStatus::clean);
  EXPECT_EQ(recorded<BookClosed>().size(), 1u);
  kill();
  open();
  EXPECT_EQ(recorded<BookOpened>()[2].tail, TailStatus::unclean);
}

// ---- requests ----------------------------------------------------------------------------------------------------

TEST_F(EngineTest, ARepeatedRequestGetsItsFirstAnswerAndHasNoSecondEffect) {
  const Submission request{.commands = {mail(), mail()}, .context = {.request = RequestId{"shop", "order 7"}}};
  const Replied first = submit(request);
  const Replied in_the_same_step = submit(request);
  step();
  const auto answers = (*first)->answers.value();
  EXPECT_EQ((*in_the_same_step)->answers.value(), answers);
  kill();
  open();
  clock_.advance(23h);
  const Replied again = submit(request);
  step();
  EXPECT_EQ((*again)->answers.value(), answers);
  EXPECT_EQ(recorded<JobScheduled>().size(), 2u);
}

TEST_F(EngineTest, ARepeatedRequestThatWasRefusedIsRefusedAgainWhateverHappenedSince) {
  const JobId id = schedule(mail());
  const Submission request{.commands = {Retry{id}}, .context = {.request = RequestId{"shop", "r"}}};
  const Replied first = submit(request);
  step();
  ASSERT_EQ((*first)->answers.error().code, RefusalCode::not_dead);
  const auto claimed = claim();
  now(Fail{.job = id, .token = claimed[0].token, .retryable = false});
  const Replied again = submit(request);
  step();
  ASSERT_FALSE((*again)->answers.has_value());
  EXPECT_EQ((*again)->answers.error().code, RefusalCode::not_dead);
}

// ---- trouble -----------------------------------------------------------------------------------------------------

TEST_F(EngineTest, AFailedSyncPoisonsTheEngineAndNothingIsAcknowledged) {
  schedule(mail());
  storage_.fail_next(Operation::sync_data, EIO);
  const Replied first = submit(mail());
  const Replied refusal = submit(Retry{JobId{Sequence(999), GenerationTag(0)}});
  step();
  ASSERT_NE((*first)->error, nullptr);
  EXPECT_THROW(std::rethrow_exception((*first)->error), StorageError);
  EXPECT_NE((*refusal)->error, nullptr) << "a refusal waits for the sync of what it was decided on";
  const Replied later = submit(mail());
  step();
  EXPECT_NE((*later)->error, nullptr);
  EXPECT_TRUE(engine_->poisoned());
}

TEST_F(EngineTest, AfterAFailedSyncEverybodyIsToldAndNobodySeesWhatMayBeLost) {
  const Replied waiting = wait_for_claim(1h);
  step();
  storage_.fail_next(Operation::sync_data, EIO);
  submit(Schedule{.queue = "other", .kind = "k"});
  bool looked = false;
  std::optional<Reply> look;
  engine_->look([&](const View&, const Moment&) { looked = true; }, [&](Reply reply) { look = std::move(reply); });
  step();
  EXPECT_FALSE(looked);
  ASSERT_TRUE(look.has_value());
  EXPECT_NE(look->error, nullptr);
  ASSERT_TRUE(waiting->has_value());
  EXPECT_NE((*waiting)->error, nullptr);
}

TEST_F(EngineTest, AfterAFailedSyncReopeningGoesOn) {
  const JobId id = schedule(mail());
  storage_.fail_next(Operation::sync_data, EIO);
  submit(mail());
  step();
  crash();
  open();
  EXPECT_EQ(state_of(id), JobState::waiting);
  schedule(mail());
}

TEST_F(EngineTest, CancellingARunningJobIsReportedToWhoeverDrivesTheEngine) {
  const JobId id = schedule(mail());
  claim();
  submit(Cancel{id});
  EXPECT_THAT(step().cancelled, testing::ElementsAre(id.sequence));
}

TEST_F(EngineTest, RefusedOutcomesAreRecordedOnceAndThenCounted) {
  const JobId id = schedule(mail());
  const Token token = claim()[0].token;
  clock_.advance(31s);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(refused(Complete{id, token}), RefusalCode::lease_lost);
  EXPECT_EQ(recorded<OutcomeRefused>().size(), 1u);
  EXPECT_EQ(engine_->refusals_counted(), 4u);
}

TEST_F(EngineTest, WithoutRoomOnlySchedulingIsRefused) {
  const JobId id = schedule(mail());
  const auto claimed = claim();
  storage_.set_free_bytes(0);
  // Fill what is allocated, until only the reserve is left.
  RefusalCode code{};
  for (int i = 0; i < 10'000 && code != RefusalCode::storage_full; ++i) {
    Schedule big = mail();
    big.payload = std::string(200'000, 'x');
    const Replied replied = submit(std::move(big));
    step();
    if (!(*replied)->answers) code = (*replied)->answers.error().code;
  }
  EXPECT_EQ(code, RefusalCode::storage_full);
  now(Complete{id, claimed[0].token});
  EXPECT_EQ(state_of(id), JobState::completed);
}

TEST_F(EngineTest, WhenRoomReturnsToABookWithNothingElseToDoSchedulingGoesOn) {
  storage_.fail_next(Operation::create, EIO);  // of the next segment, ahead of need
  while (log_->has_room()) schedule(mail());
  storage_.set_free_bytes(0);
  clock_.advance(1h);
  clock_.advance(step().wake_boot.value() - clock_.boot());  // set: somebody looks for room again
  storage_.set_free_bytes(std::nullopt);
  step();
  schedule(mail());
}

}  // namespace
}  // namespace daybook
