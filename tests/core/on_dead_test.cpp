// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "support/family_book.hpp"

// What a queue schedules when a job of it dies.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::FamilyBook;

struct OnDeadTest : ::testing::Test {
  OnDeadTest() { book.done(SetOnDead{"mail", "mourn", "mail"}); }

  [[nodiscard]] std::size_t jobs() const { return book.count<JobScheduled>(); }
  /// The last job that was scheduled.
  [[nodiscard]] JobId newest() const {
    for (auto at = book.events.rbegin(); at != book.events.rend(); ++at) {
      if (const auto* event = std::get_if<JobScheduled>(&at->event)) return {at->sequence, event->generation};
    }
    return {};
  }
  FamilyBook book;
};

TEST_F(OnDeadTest, ADeathSchedulesAJobThatNamesTheDeadOne) {
  const JobId dead = book.add();
  book.die(dead);
  const Job& mourner = book.job(newest());
  EXPECT_EQ(book.state.name(mourner.spec->kind)->text, "mourn");
  EXPECT_EQ(mourner.spec->payload, Envelope("{\"job\":\"" + to_string(dead) + "\",\"dead_reason\":\"not_retryable\"}"));
  EXPECT_EQ(mourner.spec->dependencies.parents, std::vector<JobId>{dead});
  EXPECT_EQ(mourner.state, JobState::waiting);
  const RecordedEvent& scheduled = book.events.at(mourner.id.sequence.value() - 1);
  EXPECT_TRUE(std::holds_alternative<AttemptFailed>(book.events.at(scheduled.by.cause.value() - 1).event));
}

TEST_F(OnDeadTest, OneForEachDeathByWhateverReason) {
  const JobId expired = book.schedule({.queue = "mail", .kind = "send", .start_deadline = after(1s)});
  const JobId timed_out = book.schedule({.queue = "mail", .kind = "send", .total_timeout = 2s});
  const std::size_t before = jobs();
  book.pass(3s);
  book.done(ExpireLeases{});
  EXPECT_EQ(book.shown(expired), "dead");
  EXPECT_EQ(book.shown(timed_out), "dead");
  EXPECT_EQ(jobs(), before + 2);

  const JobId lost = book.add();
  book.claim_of(lost);
  book.pass(1h);
  book.done(ExpireLeases{});
  EXPECT_EQ(book.job(lost).dead_reason, DeadReason::lease_lost);
  EXPECT_EQ(jobs(), before + 4);

  const JobId parent = book.schedule({.queue = "elsewhere", .kind = "send"});
  const JobId dropped = book.add({parent});
  book.cancel(parent);
  EXPECT_EQ(book.job(dropped).dead_reason, DeadReason::parent_failed);
  EXPECT_EQ(jobs(), before + 7);
}

TEST_F(OnDeadTest, ALeaseThatEndsBeforeACommandBringsItAbout) {
  const JobId lost = book.add();
  book.claim_of(lost);
  book.pass(1h);
  const std::size_t before = jobs();
  book.done(PauseQueue{"elsewhere"});
  EXPECT_EQ(book.shown(lost), "dead");
  EXPECT_EQ(jobs(), before + 1);
}

TEST_F(OnDeadTest, TheDeathOfWhatCameAboutThatWayBringsAboutNoOther) {
  book.die(book.add());
  const JobId mourner = newest();
  const std::size_t before = jobs();
  for (int round = 0; round < 2; ++round) {
    book.done(Fail{.job = mourner, .token = book.claim_of(mourner).token, .retryable = false});
    EXPECT_EQ(book.shown(mourner), "dead");
    book.done(Retry{mourner});
  }
  EXPECT_EQ(jobs(), before);
}

TEST_F(OnDeadTest, ARetriedJobThatDiesAgainIsAnotherDeath) {
  const JobId dead = book.add();
  book.die(dead);
  book.retry(dead);
  const std::size_t before = jobs();
  book.die(dead);
  EXPECT_EQ(jobs(), before + 1);
}

TEST_F(OnDeadTest, ABatchThatIsRefusedLeavesNeitherADeathNorWhatFollows) {
  const JobId job = book.add();
  const ClaimedJob claimed = book.claim_of(job);
  const std::size_t before = jobs();
  const auto outcome = book.submit(
      {Fail{.job = job, .token = claimed.token, .retryable = false}, Cancel{JobId{Sequence(99999), GenerationTag()}}});
  EXPECT_FALSE(outcome.answers);
  EXPECT_EQ(book.shown(job), "running");
  book.done(PauseQueue{"elsewhere"});
  EXPECT_EQ(jobs(), before);
}

TEST_F(OnDeadTest, ItIsOnRecordAndLiftedByHand) {
  EXPECT_EQ(book.count<OnDeadSet>(), 1U);
  book.done(SetOnDead{"mail", "mourn", "mail"});
  EXPECT_EQ(book.count<OnDeadSet>(), 1U) << "nothing changed";
  book.done(PauseQueue{"mail"});
  book.done(ResumeQueue{"mail"});
  book.done(SetLimits{.queue = "mail", .running = 5});
  EXPECT_TRUE(book.state.queue(*book.state.find_name(NameSort::queue, "mail"))->on_dead.has_value());
  book.done(SetOnDead{"mail"});
  const JobId dead = book.add();
  const std::size_t before = jobs();
  book.die(dead);
  EXPECT_EQ(jobs(), before);
}

TEST_F(OnDeadTest, HalfOfItIsRefused) {
  EXPECT_EQ(book.refusal_of(SetOnDead{"mail", "mourn", ""}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(SetOnDead{"mail", "", "mail"}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(SetOnDead{"", "mourn", "mail"}), RefusalCode::invalid_argument);
}

}  // namespace
}  // namespace daybook
