// SPDX-License-Identifier: Apache-2.0

// Jobs that wait for others, as the engine and the facade live with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "daybook/testing/test_book.hpp"
#include "support/engine_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

Schedule child_of(std::vector<Parent> parents, RunWhen run_when = RunWhen::succeeded,
                  std::optional<Otherwise> otherwise = Otherwise::fail) {
  Schedule command{.queue = "mail", .kind = "welcome"};
  command.parents = std::move(parents);
  command.run_when = run_when;
  if (run_when != RunWhen::always) command.otherwise = otherwise;
  return command;
}

// ---- the engine ---------------------------------------------------------------------------------------------------

struct EngineDependencies : ::testing::Test {
  EngineDependencies() {
    book.open();
    EXPECT_TRUE(book.ask(RaiseFeatureLevel{}).has_value());
  }
  /// A parent with so many children, claimed.
  ClaimedJob parent_of(std::size_t children) {
    const JobId parent = book.schedule(test::EngineBook::mail());
    constexpr std::size_t at_once = 10'000;
    for (std::size_t left = children; left > 0;) {
      Submission batch;
      for (; left > 0 && batch.commands.size() < at_once; --left) batch.commands.emplace_back(child_of({parent}));
      bool scheduled = false;
      book.engine->submit(std::move(batch), [&](const Reply& reply) { scheduled = reply.answers.has_value(); });
      book.step();
      EXPECT_TRUE(scheduled);
    }
    return book.claim().front();
  }
  [[nodiscard]] std::size_t count(JobState state) const {
    std::size_t found = 0;
    for (const auto& [of, jobs] : book.engine->view().counts()) found += of.second == state ? jobs : 0;
    return found;
  }
  test::EngineBook book;
};

TEST_F(EngineDependencies, AChildIsFreedInTheStepThatEndsItsParentAndAWaitingClaimIsServed) {
  const ClaimedJob parent = parent_of(1);
  const auto waits = book.wait_for_claim(24h);
  book.step();
  EXPECT_FALSE(waits->has_value());
  ASSERT_TRUE(book.ask(Complete{parent.id, parent.token, {}}).has_value());
  EXPECT_EQ(book.recorded<ChildFreed>().size(), 1U);
  ASSERT_TRUE(waits->has_value());
  EXPECT_EQ(std::get<Claimed>((*waits)->answers->front()).jobs.size(), 1U);
}

// A million with DAYBOOK_CHILDREN=1000000.
TEST_F(EngineDependencies, ManyChildrenAreFreedInBoundedStepsBetweenWhichOthersWork) {
  const char* asked = std::getenv("DAYBOOK_CHILDREN");
  const std::size_t children = asked != nullptr ? std::stoull(asked) : 20'000;
  const ClaimedJob parent = parent_of(children);
  ASSERT_TRUE(book.ask(Complete{parent.id, parent.token, {}}).has_value());
  std::size_t freed = 0;
  for (int steps = 1; freed < children; ++steps) {
    const std::size_t now = count(JobState::waiting);
    ASSERT_GT(now, freed) << "step " << steps << " freed nobody";
    ASSERT_LE(now - freed, 5000U);
    freed = now;
    const Engine::Step step = book.step();  // what has to be done next is nobody's call
    ASSERT_TRUE(count(JobState::awaiting) == 0 || (step.wake_boot && *step.wake_boot <= book.clock.boot()));
  }
  EXPECT_EQ(count(JobState::awaiting), 0U);
  EXPECT_EQ(book.recorded<ChildFreed>().size(), children);
}

TEST_F(EngineDependencies, ACrashWhileChildrenAreFreedGoesOnWithTheRest) {
  constexpr std::size_t children = 15'000;
  const ClaimedJob parent = parent_of(children);
  ASSERT_TRUE(book.ask(Complete{parent.id, parent.token, {}}).has_value());
  const std::size_t before = count(JobState::waiting);
  EXPECT_LT(before, children);
  book.crash();
  book.open();
  while (count(JobState::awaiting) > 0) {
    const std::size_t left = count(JobState::awaiting);
    book.step();
    ASSERT_LT(count(JobState::awaiting), left);
  }
  EXPECT_EQ(book.recorded<ChildFreed>().size(), children);
}

TEST_F(EngineDependencies, AHeldCopySettlesNobodyUntilItIsAdopted) {
  const ClaimedJob parent = parent_of(10'000);
  ASSERT_TRUE(book.ask(Complete{parent.id, parent.token, {}}).has_value());
  ASSERT_TRUE(book.ask(BeginGeneration{{Generation{2, GenerationTag(7)}, true, {}, 0}}).has_value());
  const std::size_t left = count(JobState::awaiting);
  EXPECT_GT(left, 0U);
  book.step();
  EXPECT_EQ(count(JobState::awaiting), left);
  ASSERT_TRUE(book.ask(AdoptBook{}).has_value());
  EXPECT_LT(count(JobState::awaiting), left);
}

// ---- the facade ---------------------------------------------------------------------------------------------------

struct FamiliesTest : ::testing::Test {
  testing::TestBook test;
};

TEST_F(FamiliesTest, AGraphRunsInItsOrderAndChildrenReadTheResultsOfTheirParents) {
  const auto ids = test->schedule_all({{.queue = "mail", .kind = "welcome", .payload = "a"},
                                       child_of({BatchParent{0}}),
                                       child_of({BatchParent{0}, BatchParent{1}})});
  ASSERT_TRUE(ids) << ids.error().sentence;
  auto worker = test->work({.queues = {"mail"}, .worker = "w", .slots = 2});
  worker.on("welcome", [](Attempt& attempt) {
    std::string text = std::string(attempt.job().payload.bytes()) + "(";
    for (const JobId& id : attempt.job().parents) text += attempt.parent(id)->result.bytes();
    return done(text + ")");
  });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(test->job(ids->at(2))->result.bytes(), "(a()(a()))");
  EXPECT_EQ(test->job(ids->at(0))->children, (std::vector<JobId>{ids->at(1), ids->at(2)}));
  EXPECT_EQ(test->job(ids->at(2))->parents, (std::vector<JobId>{ids->at(0), ids->at(1)}));
}

TEST_F(FamiliesTest, NobodyButAParentIsShownToAHandler) {
  const JobId stranger = test->schedule({.queue = "elsewhere", .kind = "welcome"}).value();
  test->schedule({.queue = "mail", .kind = "welcome"}).value();
  auto worker = test->work({.queues = {"mail"}, .worker = "w"});
  std::optional<RefusalCode> refused;
  worker.on("welcome", [&](Attempt& attempt) {
    const auto seen = attempt.parent(stranger);
    if (!seen) refused = seen.error().code;
    return done();
  });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(refused, RefusalCode::invalid_argument);
}

TEST_F(FamiliesTest, AParentThatWasPrunedIsToldApartFromOneThatNeverWas) {
  Retention none;
  none.completed.age = none.cancelled.age = none.dead.age = Duration(0);
  ASSERT_TRUE(test->retain(none));
  const JobId parent = test->schedule({.queue = "mail", .kind = "welcome"}).value();
  ASSERT_TRUE(test->cancel(parent));
  test.run_until(test.clock().wall() + 10min);
  const auto pruned = test->schedule(child_of({parent}));
  ASSERT_FALSE(pruned);
  EXPECT_EQ(pruned.error().code, RefusalCode::pruned);
  EXPECT_THAT(pruned.error().sentence,
              ::testing::StartsWith("parent 1 of 1: job " + to_string(parent) + " was cancelled at "));
  const auto unknown =
      test->schedule_all({{.queue = "mail", .kind = "welcome"}, child_of({BatchParent{0}, JobId{Sequence(9999), {}}})});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, RefusalCode::no_such_job);
  EXPECT_THAT(unknown.error().sentence, ::testing::StartsWith("command 2 of 2: parent 2 of 2: job 9999: never issued"));
}

TEST_F(FamiliesTest, ADeathSchedulesAJobWhoseHandlerSeesTheDeadOne) {
  ASSERT_TRUE(test->set_on_dead({.queue = "mail", .kind = "tell", .into = "support"}));
  const JobId dead = test->schedule({.queue = "mail", .kind = "welcome"}).value();
  auto worker = test->work({.queues = {"mail", "support"}, .worker = "w"});
  worker.on("welcome", [](Attempt&) { return discard("no such address", "business"); });
  std::string told;
  worker.on("tell", [&](Attempt& attempt) {
    told = std::string(attempt.job().payload.bytes()) + " " + std::string(attempt.parent(dead)->error.bytes());
    return done();
  });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(told, "{\"job\":\"" + to_string(dead) + "\",\"dead_reason\":\"not_retryable\"} no such address");
}

}  // namespace
}  // namespace daybook
