// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daybook/core/retention.hpp"
#include "support/family_book.hpp"

// Jobs that wait for others: what is freed and what is dropped, cell by cell, and what everybody else may do to them meanwhile.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::FamilyBook;

struct DependenciesTest : ::testing::Test {
  void expect_state(const JobId& id, const std::string& state) { EXPECT_EQ(book.shown(id), state); }
  void end(const JobId& id, JobState as) {
    if (as == JobState::completed) book.complete(id);
    if (as == JobState::dead) book.die(id);
    if (as == JobState::cancelled) book.cancel(id);
  }
  FamilyBook book;
};

TEST_F(DependenciesTest, AChildWaitsUntilItsParentIsCompleted) {
  const JobId parent = book.add();
  const JobId child = book.add({parent});
  expect_state(child, "awaiting");
  EXPECT_EQ(book.job(child).awaits, parent.sequence);
  book.complete(parent);
  expect_state(child, "waiting");
  EXPECT_EQ(book.last<ChildFreed>(), (ChildFreed{child, parent}));
  EXPECT_EQ(book.claim_of(child).parents, std::vector<JobId>{parent});
}

TEST_F(DependenciesTest, TheCauseOfAChildsEventIsItsParentsEnd) {
  const JobId parent = book.add();
  book.add({parent});
  book.complete(parent);
  const RecordedEvent& freed = book.events.back();
  ASSERT_TRUE(std::holds_alternative<ChildFreed>(freed.event));
  EXPECT_EQ(freed.by.cause, book.job(parent).final_event);
  EXPECT_TRUE(std::holds_alternative<JobCompleted>(book.events.at(freed.by.cause.value() - 1).event));
}

// The table of docs/dependencies.md: rule × how two parents ended, in both orders of their ends, and for a child that comes too late to wait.
TEST_F(DependenciesTest, WhatBecomesOfAChildFollowsTheTable) {
  constexpr std::array ends = {JobState::completed, JobState::dead, JobState::cancelled};
  for (const RunWhen run_when : {RunWhen::succeeded, RunWhen::failed, RunWhen::always}) {
    for (const Otherwise otherwise : {Otherwise::fail, Otherwise::cancel}) {
      for (const JobState first : ends) {
        for (const JobState second : ends) {
          for (const bool turned : {false, true}) {
            SCOPED_TRACE(std::string(to_string(run_when)) + " else " + std::string(to_string(otherwise)) + ": " +
                         std::string(to_string(first)) + ", " + std::string(to_string(second)));
            const JobId a = book.add();
            const JobId b = book.add();
            const JobId child = book.add({a, b}, run_when, otherwise);
            if (turned) end(b, second);
            end(a, first);
            if (!turned) expect_state(child, "awaiting");
            if (!turned) end(b, second);
            const bool all_completed = first == JobState::completed && second == JobState::completed;
            const bool runs = run_when == RunWhen::always || (run_when == RunWhen::succeeded) == all_completed;
            const std::string dropped = otherwise == Otherwise::cancel ? "cancelled" : "dead";
            expect_state(child, runs ? "waiting" : dropped);
            EXPECT_EQ(book.job(child).dead_reason,
                      !runs && dropped == "dead" ? DeadReason::parent_failed : DeadReason::none);
            const JobId late = book.add({a, b}, run_when, otherwise);
            expect_state(late, runs ? "waiting" : dropped);
            if (runs) book.cancel(child);
            if (runs) book.cancel(late);
          }
        }
      }
    }
  }
}

TEST_F(DependenciesTest, AFanInWaitsForTheLastOfItsParentsInWhateverOrderTheyEnd) {
  const JobId a = book.add();
  const JobId b = book.add();
  const JobId child = book.add({a, b, a});
  EXPECT_EQ(book.job(child).spec->dependencies.parents, (std::vector<JobId>{a, b}));
  book.complete(b);
  expect_state(child, "awaiting");
  EXPECT_EQ(book.last<ChildAwaits>(), (ChildAwaits{child, a}));
  book.complete(a);
  expect_state(child, "waiting");
}

TEST_F(DependenciesTest, ADropGoesOnThroughAChain) {
  const JobId a = book.add();
  const JobId b = book.add({a});
  const JobId c = book.add({b}, RunWhen::succeeded, Otherwise::cancel);
  const JobId d = book.add({c}, RunWhen::failed);
  book.die(a);
  expect_state(b, "dead");
  expect_state(c, "cancelled");
  expect_state(d, "waiting");
}

TEST_F(DependenciesTest, AParentThatFailsAndHasAttemptsLeftHasNotEnded) {
  const JobId parent = book.schedule({.queue = "mail", .kind = "send", .retry = {.max_attempts = 2}});
  const JobId child = book.add({parent});
  book.done(Fail{.job = parent, .token = book.claim_of(parent).token, .retry_in = 0s});
  book.settle();
  expect_state(child, "awaiting");
  book.complete(parent);
  expect_state(child, "waiting");
}

// ---- operators and clocks -----------------------------------------------------------------------------------------

TEST_F(DependenciesTest, AnAwaitingJobIsNotClaimedAndCanBeCancelledRescheduledAndMoved) {
  const JobId parent = book.add();
  const JobId child = book.add({parent});
  EXPECT_EQ(book.claim({.queues = {"mail"}, .worker = "w", .count = 10}).size(), 1U);
  book.done(Reschedule{child, after(1h)});
  book.done(Move{child, "letters"});
  expect_state(child, "awaiting");
  book.done(Cancel{child});
  expect_state(child, "cancelled");
  EXPECT_EQ(book.job(child).awaits, Sequence());
  EXPECT_FALSE(book.state.has_open_children(parent.sequence));
}

TEST_F(DependenciesTest, AFreedChildWaitsForItsDueTimeWhichCountsFromItsScheduling) {
  const JobId parent = book.add();
  Schedule command = FamilyBook::child_of({parent});
  command.due = after(10min);
  const JobId child = book.schedule(command);
  book.pass(4min);
  book.complete(parent);
  EXPECT_TRUE(book.claim({.queues = {"mail"}, .worker = "w"}).empty());
  book.pass(6min);
  EXPECT_EQ(book.claim_one().id, child);
}

TEST_F(DependenciesTest, DeadlinesRunWhileAJobAwaitsItsParents) {
  const JobId parent = book.add();
  Schedule command = FamilyBook::child_of({parent});
  command.start_deadline = after(1min);
  const JobId late = book.schedule(command);
  command.start_deadline.reset();
  command.total_timeout = 2min;
  const JobId too_long = book.schedule(command);
  book.pass(2min);
  book.done(ExpireLeases{});
  EXPECT_EQ(book.job(late).dead_reason, DeadReason::expired);
  EXPECT_EQ(book.job(too_long).dead_reason, DeadReason::timed_out);
  book.complete(parent);
  expect_state(late, "dead");
}

TEST_F(DependenciesTest, ADeadParentThatIsRetriedIsAwaitedAgainByThoseWhoStillWait) {
  const JobId a = book.add();
  const JobId b = book.add();
  const JobId only_a = book.add({a});
  const JobId both = book.add({a, b});
  book.die(a);
  expect_state(only_a, "dead");
  book.retry(a);
  expect_state(only_a, "dead");
  book.complete(b);
  expect_state(both, "awaiting");
  book.complete(a);
  expect_state(both, "waiting");
}

TEST_F(DependenciesTest, ADroppedChildThatIsRetriedAwaitsAParentThatWasRetriedBefore) {
  const JobId parent = book.add();
  const JobId child = book.add({parent});
  book.die(parent);
  book.retry(parent);
  book.retry(child);
  expect_state(child, "awaiting");
  book.complete(parent);
  expect_state(child, "waiting");
}

TEST_F(DependenciesTest, ADroppedChildThatIsRetriedByHandRunsWhateverItsParentsEndedAs) {
  const JobId parent = book.add();
  const JobId child = book.add({parent});
  book.die(parent);
  book.retry(child);
  expect_state(child, "waiting");
}

TEST_F(DependenciesTest, AParentThatWasPrunedBeforeItsChildWasRetriedCountsNeitherWay) {
  const JobId a = book.add();
  const JobId b = book.add();
  const JobId child = book.add({a, b});
  book.complete(a);
  book.die(b);
  book.done(Prune{{a.sequence}, {}});
  book.retry(b);
  book.retry(child);
  book.complete(b);
  expect_state(child, "waiting");
}

TEST_F(DependenciesTest, AnUncertainParentIsWaitedForUntilAnOperatorDecides) {
  const JobId parent = book.add();
  const JobId child = book.add({parent}, RunWhen::always);
  book.put_down(GapDeclared{book.state.book().head.next(), "lost"});
  book.put_down(JobMarkedUncertain{parent, "lost"});
  book.settle();
  expect_state(child, "awaiting");
  book.cancel(parent);
  expect_state(child, "waiting");
}

TEST_F(DependenciesTest, AnUncertainChildThatIsRetriedAwaitsItsParentAgain) {
  const JobId parent = book.add();
  const JobId child = book.add({parent});
  book.put_down(GapDeclared{book.state.book().head.next(), "lost"});
  book.put_down(JobMarkedUncertain{child, "lost"});
  EXPECT_EQ(book.job(child).awaits, Sequence());
  book.retry(child);
  expect_state(child, "awaiting");
}

TEST_F(DependenciesTest, AFilterFindsWhoAwaitsAJob) {
  const JobId parent = book.add();
  const JobId child = book.add({parent});
  const auto matches = [&](const JobId& id, const std::string& filter) {
    return Filter::parse(filter)->matches(book.job(id), book.state, book.now);
  };
  const std::string awaits = "awaits = " + std::to_string(parent.sequence.value());
  EXPECT_TRUE(matches(child, awaits + " and state = awaiting and parents = 1"));
  EXPECT_FALSE(matches(parent, awaits));
}

// ---- unique keys ---------------------------------------------------------------------------------------------------

TEST_F(DependenciesTest, AnAwaitingJobHoldsItsKeyAndGetsNewContentsButKeepsItsParents) {
  const JobId parent = book.add();
  Schedule command = FamilyBook::child_of({parent});
  command.unique_key = "k";
  const JobId child = book.schedule(command);
  EXPECT_EQ(book.refusal_of(command), RefusalCode::duplicate_key);
  const JobId same = book.schedule(
      {.queue = "mail", .kind = "send", .payload = "new", .unique_key = "k", .on_conflict = OnConflict::replace});
  EXPECT_EQ(same, child);
  expect_state(child, "awaiting");
  EXPECT_EQ(book.job(child).spec->payload, Envelope("new"));
  EXPECT_EQ(book.job(child).spec->dependencies.parents, std::vector<JobId>{parent});
  book.complete(parent);
  expect_state(child, "waiting");
}

TEST_F(DependenciesTest, AScheduleThatWouldChangeForWhomAnotherJobWaitsIsRefused) {
  const JobId parent = book.add();
  Schedule command = FamilyBook::child_of({parent});
  command.unique_key = "k";
  command.on_conflict = OnConflict::replace;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
}

// ---- retention -----------------------------------------------------------------------------------------------------

TEST_F(DependenciesTest, AParentAndItsResultStayAsLongAsAChildMayReadThem) {
  const JobId parent = book.add();
  const JobId child = book.add({parent});
  book.complete(parent, "what it found");
  const auto pruned_now = [&] {
    Retention none;
    none.completed.age = none.cancelled.age = none.dead.age = Duration(0);
    return plan_prune(book.state, book.now, none, {}, 100);
  };
  book.pass(48h);
  EXPECT_TRUE(pruned_now().jobs.empty());
  EXPECT_TRUE(pruned_now().results.empty());
  book.done(Prune{{parent.sequence}, {parent.sequence}});
  EXPECT_EQ(book.job(parent).result, Envelope("what it found"));
  book.complete(child);
  EXPECT_EQ(pruned_now().jobs.size(), 2U);
  book.done(Prune{{parent.sequence}, {}});
  EXPECT_EQ(book.state.job(parent.sequence), nullptr);
  EXPECT_EQ(book.refusal_of(FamilyBook::child_of({parent})), RefusalCode::no_such_job);
}

// ---- refusals ------------------------------------------------------------------------------------------------------

TEST_F(DependenciesTest, ParentsThatAreNotInTheBookAreRefusedByTheirPlace) {
  const JobId parent = book.add();
  EXPECT_EQ(book.refusal_of(FamilyBook::child_of({parent, JobId{Sequence(99999), {}}})), RefusalCode::no_such_job);
  EXPECT_EQ(book.sentence.substr(0, 27), "parent 2 of 2: job 99999: n");
  EXPECT_EQ(book.refusal_of(FamilyBook::child_of({JobId{parent.sequence, GenerationTag(5)}})),
            RefusalCode::another_history);
}

TEST_F(DependenciesTest, TheRuleIsSaidWhereThereAreParentsAndOnlyThere) {
  const JobId parent = book.add();
  const auto refused = [&](const Schedule& command) {
    return book.refusal_of(command) == RefusalCode::invalid_argument;
  };
  Schedule command{.queue = "mail", .kind = "send"};
  command.parents = {parent};
  EXPECT_TRUE(refused(command));
  command.run_when = RunWhen::failed;
  EXPECT_TRUE(refused(command));
  command.otherwise = Otherwise::cancel;
  EXPECT_FALSE(refused(command));
  command.run_when = RunWhen::always;
  EXPECT_TRUE(refused(command));
  command.otherwise.reset();
  EXPECT_FALSE(refused(command));
  command.parents.clear();
  EXPECT_TRUE(refused(command));
  EXPECT_TRUE(refused(FamilyBook::child_of(std::vector<Parent>(limits::parents_max + 1, parent))));
  EXPECT_TRUE(refused(FamilyBook::child_of({BatchParent{0}})));
}

TEST(Dependencies, ABookOfLevel1RefusesThem) {
  testing::MemoryBook book;
  const JobId parent = book.schedule();
  EXPECT_EQ(book.refusal_of(FamilyBook::child_of({parent})), RefusalCode::needs_upgrade);
  EXPECT_EQ(book.refusal_of(SetOnDead{"mail", "mourn", "mail"}), RefusalCode::needs_upgrade);
}

}  // namespace
}  // namespace daybook
