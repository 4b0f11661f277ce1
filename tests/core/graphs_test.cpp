// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "support/family_book.hpp"

// Graphs of jobs: scheduled at once, settled some at a time, and as a plain model says.

namespace daybook {
namespace {

using testing::FamilyBook;

constexpr auto child_of = FamilyBook::child_of;

TEST(Graphs, AreScheduledWhollyOrNotAtAll) {
  FamilyBook book;
  const auto outcome = book.submit({child_of({}, {}, {}), child_of({BatchParent{0}}, RunWhen::succeeded, {}),
                                    child_of({BatchParent{0}}, RunWhen::succeeded, {}),
                                    child_of({BatchParent{1}, BatchParent{2}}, RunWhen::succeeded, {})});
  ASSERT_TRUE(outcome.answers);
  const auto id = [&](std::size_t i) { return std::get<Scheduled>(outcome.answers->at(i)).job; };
  EXPECT_EQ(book.shown(id(3)), "awaiting");
  EXPECT_EQ(book.job(id(3)).spec->dependencies.parents, (std::vector<JobId>{id(1), id(2)}));
  const State before = testing::replayed(book.events);
  const auto refused = book.submit({child_of({}, {}, {}), child_of({BatchParent{0}}, RunWhen::succeeded, {}),
                                    child_of({JobId{Sequence(99999), {}}}, RunWhen::succeeded, {})});
  ASSERT_FALSE(refused.answers);
  EXPECT_EQ(refused.answers.error().sentence.substr(0, 42), "command 3 of 3: parent 1 of 1: job 99999: ");
  EXPECT_EQ(differences(before, book.state), std::vector<std::string>());
}

TEST(Graphs, ACommandThatIsNoParentIsRefusedByItsPlace) {
  FamilyBook book;
  const auto refusal = [&](std::vector<Command> commands) {
    const auto outcome = book.submit(std::move(commands));
    return outcome.answers ? "" : outcome.answers.error().sentence;
  };
  const auto of = [](std::size_t index) { return child_of({BatchParent{index}}, RunWhen::succeeded, {}); };
  EXPECT_EQ(refusal({child_of({}, {}, {}), of(2), of(1)}),
            "command 2 of 3: parent 1 of 1: command 3 comes later: parents come first, so that no job waits, by way of "
            "others, for itself");
  EXPECT_EQ(refusal({child_of({}, {}, {}), of(1)}), "command 2 of 2: parent 1 of 1: a job cannot wait for itself");
  EXPECT_EQ(refusal({of(7)}), "parent 1 of 1: there is no command 8 in a batch of 1");
  EXPECT_EQ(refusal({PauseQueue{"mail"}, of(0)}), "command 2 of 2: parent 1 of 1: command 1 schedules no job");
}

TEST(Graphs, AParentOfTheBatchMayBeAJobThatWasThere) {
  FamilyBook book;
  Schedule keyed{.queue = "mail", .kind = "send", .unique_key = "k", .on_conflict = OnConflict::return_existing};
  const JobId there = book.schedule(keyed);
  const auto outcome = book.submit({keyed, child_of({BatchParent{0}}, RunWhen::succeeded, {})});
  ASSERT_TRUE(outcome.answers);
  EXPECT_EQ(book.job(std::get<Scheduled>(outcome.answers->at(1)).job).awaits, there.sequence);
}

TEST(Graphs, ARepeatedRequestGetsItsIdsAgain) {
  FamilyBook book;
  const JobId dead = book.add();
  book.die(dead);
  const Submission graph{.commands = {child_of({}, {}, {}), child_of({BatchParent{0}, dead}, RunWhen::succeeded, {}),
                                      child_of({dead}, RunWhen::succeeded, {})},
                         .context = {.request = RequestId{"c", "r"}}};
  const Outcome first = book.execute_here(graph);
  const Outcome again = book.execute_here(graph);
  ASSERT_TRUE(first.answers);
  ASSERT_TRUE(again.repeated);
  const auto told = answers(
      graph,
      std::span(book.events)
          .subspan(again.repeated->first.value() - 1, again.repeated->last.value() - again.repeated->first.value() + 1),
      book.state);
  ASSERT_TRUE(told);
  EXPECT_EQ(*told, *first.answers);
}

TEST(Graphs, ManyChildrenAreSettledSomeAtATimeAndACrashBetweenThemGoesOn) {
  FamilyBook book;
  const JobId parent = book.add();
  for (int i = 0; i < 250; ++i) book.add({parent});
  book.done(Complete{parent, book.claim_of(parent).token});
  for (const std::size_t freed : {100U, 200U, 250U}) {
    book.crash_and_open();
    book.done(SettleChildren{100});
    EXPECT_EQ(book.count<ChildFreed>(), freed);
  }
  EXPECT_TRUE(book.state.unsettled(1).empty());
  EXPECT_EQ(book.state.children(parent.sequence, 1000).size(), 250U);
}

/// What must become of each job of a graph, from how those that ran ended; looks at everything, again and again.
struct Model {
  std::vector<Dependencies> asked;  // parents by their index
  std::map<std::size_t, JobState> ended;

  [[nodiscard]] bool all_ended(std::size_t job) const {
    for (const JobId& parent : asked[job].parents) {
      if (!ended.contains(parent.sequence.value())) return false;
    }
    return true;
  }
  [[nodiscard]] bool runs(std::size_t job) const {
    bool all_completed = true;
    for (const JobId& parent : asked[job].parents) {
      all_completed = all_completed && ended.at(parent.sequence.value()) == JobState::completed;
    }
    const RunWhen rule = asked[job].run_when;
    return asked[job].parents.empty() || rule == RunWhen::always || (rule == RunWhen::succeeded) == all_completed;
  }
  void drop_what_must() {
    for (std::size_t job = 0; job < asked.size(); ++job) {  // parents stand before their children
      if (ended.contains(job) || !all_ended(job) || runs(job)) continue;
      ended[job] = asked[job].otherwise == Otherwise::cancel ? JobState::cancelled : JobState::dead;
    }
  }
};

/// A random graph, as commands of one batch and as the model has it.
std::vector<Command> draw_graph(Model& model) {
  const auto pick = [](int end) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, end)); };
  std::vector<Command> commands;
  const int count = 2 + pick(30);
  for (int i = 0; i < count; ++i) {
    Dependencies asked;
    std::vector<Parent> parents;
    for (int left = i == 0 ? 0 : pick(4); left > 0; --left) {
      const auto parent = static_cast<std::size_t>(pick(i));
      parents.emplace_back(BatchParent{parent});
      asked.parents.push_back({Sequence(parent), {}});
    }
    asked.run_when = static_cast<RunWhen>(pick(3));
    asked.otherwise = static_cast<Otherwise>(pick(2));
    model.asked.push_back(asked);
    commands.emplace_back(child_of(std::move(parents), asked.run_when, asked.otherwise));
  }
  return commands;
}

// Whatever ends in whatever order, with crashes between: every job is claimed exactly when the model says so, and none is stuck.
RC_GTEST_PROP(Graphs, EveryChildRunsExactlyWhenTheModelSays, ()) {
  const auto pick = [](int end) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, end)); };
  Model model;
  FamilyBook book;
  const auto outcome = book.submit(draw_graph(model));
  RC_ASSERT(outcome.answers.has_value());
  std::vector<JobId> ids;
  for (const Answer& answer : *outcome.answers) ids.push_back(std::get<Scheduled>(answer).job);
  while (true) {
    while (!book.state.unsettled(1).empty()) {
      if (pick(4) == 0) book.crash_and_open();
      book.done(SettleChildren{static_cast<std::uint32_t>(1 + pick(3))});
    }
    model.drop_what_must();
    std::vector<std::size_t> open;
    for (std::size_t job = 0; job < ids.size(); ++job) {
      const bool ended = model.ended.contains(job);
      const JobState expected = ended                  ? model.ended.at(job)
                                : model.all_ended(job) ? JobState::waiting
                                                       : JobState::awaiting;
      RC_ASSERT(book.state_of(ids[job]) == expected);
      if (expected == JobState::waiting) open.push_back(job);
    }
    RC_ASSERT(differences(book.state, testing::replayed(book.events)).empty());
    if (open.empty()) break;
    const std::size_t next = open[static_cast<std::size_t>(pick(static_cast<int>(open.size())))];
    const JobId id = ids[next];
    const int how = pick(4);
    if (how == 0) {
      book.done(Cancel{id});
    } else {
      const ClaimedJob claimed = book.claim_of(id);
      if (how == 1) {
        book.done(Fail{.job = id, .token = claimed.token, .retryable = false});
      } else {
        book.done(Complete{id, claimed.token, {}});
      }
    }
    model.ended[next] = book.state_of(id);
  }
  RC_ASSERT(model.ended.size() == ids.size());
}

}  // namespace
}  // namespace daybook
