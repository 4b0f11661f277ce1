// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/log/state_hash.hpp"
#include "daybook/replay/snapshot.hpp"
#include "written_log.hpp"

// The hashes of states on record: an event that means something else than it did when they were recorded shows, and where.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;

/// A book whose states are put on record now and then.
class StatesOnRecord : public ::testing::Test {
 protected:
  StatesOnRecord() { (void)driver.submit({{RaiseFeatureLevel{}}, {}}); }

  /// Jobs, and behind them the hash of the state. Returns the sequence that it is of.
  Sequence jobs(int count) {
    for (; count > 0; --count) {
      (void)driver.submit({{Schedule{.queue = "mail", .kind = "send", .due = after(Duration(1))}}, {}});
    }
    const Sequence at = head();
    put_on_record({at, hash()});
    return at;
  }
  void put_on_record(const StateHashed& hashed) { (void)driver.submit({{RecordSnapshot{snapshot(), {hashed}}}, {}}); }
  [[nodiscard]] SnapshotTaken snapshot() { return {head(), hash(), std::string(32, 'f')}; }
  [[nodiscard]] Sequence head() const { return state.book().head; }
  [[nodiscard]] std::string hash() {
    const Hash hash = state.hash();
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
  }

  /// The events as a release reads them that thinks otherwise of those from `first` to `last`: their jobs are more urgent.
  [[nodiscard]] ReadEvents drifted(Sequence first, Sequence last) {
    return [this, first, last](Sequence from, const std::function<bool(const RecordedEvent&)>& visit) {
      for (RecordedEvent recorded : driver.events()) {
        auto* scheduled = std::get_if<JobScheduled>(&recorded.event);
        if (scheduled && recorded.sequence >= first && recorded.sequence <= last) {
          JobSpec spec = *scheduled->spec;
          spec.priority = Priority(-7);
          scheduled->spec = std::make_shared<const JobSpec>(spec);
        }
        if (recorded.sequence >= from && !visit(recorded)) return;
      }
    };
  }
  [[nodiscard]] ReadEvents events() { return test::events_of(driver.events()); }

  template <class Fold>
  static void expect_drift(Sequence at, const std::string& sentence, const Fold& fold) {
    try {
      fold();
      ADD_FAILURE() << "nothing was noticed";
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), Damage::drifted_state);
      EXPECT_EQ(error.place().sequence, at);
      EXPECT_THAT(error.what(), HasSubstr(sentence));
    }
  }

  HashedState state;
  testing::Driver driver{state};
};

TEST_F(StatesOnRecord, AreThoseOfAFold) {
  jobs(3);
  jobs(4);
  EXPECT_EQ(verify_states(events(), Sequence(1), head()), 4U) << "each is there twice, once with a snapshot";
  EXPECT_EQ(verify_states(events(), Sequence(1), head(), {}, [&](Sequence) { return rebuild(events(), Sequence(9)); }),
            2U)
      << "what the fold did not pass is not compared";
}

TEST_F(StatesOnRecord, TellWhereAnEventBeganToMeanSomethingElse) {
  const Sequence first = jobs(3);
  const Sequence second = jobs(4);
  jobs(5);
  EXPECT_EQ(verify_states(drifted(head(), head()), Sequence(1), head()), 6U);
  const auto verify = [&](Sequence from) {
    return [&, from] { (void)verify_states(drifted(from, second), Sequence(1), head()); };
  };
  expect_drift(first, "the first that was compared", verify(Sequence(1)));
  expect_drift(second, "behind sequence " + std::to_string(first.value()) + " it still was", verify(first.next()));
  expect_drift(second, "event " + std::to_string(second.next().value()) + " recorded", verify(first.next()));
}

TEST_F(StatesOnRecord, AreNotComparedBehindAHole) {
  jobs(3);
  const Sequence gap = head().next();
  std::vector<RecordedEvent> salvaged = driver.events();
  const auto put_down = [&](Event event) {
    RecordedEvent recorded = salvaged.back();
    recorded.sequence = recorded.sequence.next();
    recorded.event = std::move(event);
    salvaged.push_back(std::move(recorded));
  };
  put_down(GapDeclared{gap, "lost"});
  put_down(StateHashed{gap, std::string(32, 'x')});  // of the state before there was a hole
  EXPECT_EQ(verify_states(test::events_of(salvaged), Sequence(1), salvaged.back().sequence), 2U);
}

TEST_F(StatesOnRecord, EveryFoldMeetsThoseOfEachManyEvents) {
  const Sequence at(limits::state_hash_events);
  while (head() < at) {
    (void)driver.submit({{Schedule{.queue = "mail", .kind = "send", .due = after(Duration(1))}}, {}});
  }
  ASSERT_EQ(head(), at);
  const std::string passed = hash();
  (void)driver.submit({{Schedule{.queue = "mail", .kind = "send"}}, {}});
  put_on_record({at, passed});
  EXPECT_EQ(rebuild(events(), head()).book().head, head());
  expect_drift(at, "the first that was compared",
               [&] { (void)rebuild(drifted(Sequence(100), Sequence(100)), head()); });
  EXPECT_EQ(rebuild(drifted(Sequence(100), Sequence(100)), at.next()).book().head, at.next())
      << "nothing on record up to there";
}

TEST_F(StatesOnRecord, ASnapshotTellsThoseThatItPassed) {
  while (head() < Sequence(limits::state_hash_events)) {
    (void)driver.submit({{Schedule{.queue = "mail", .kind = "send", .due = after(Duration(1))}}, {}});
  }
  const std::string passed = hash();
  (void)driver.submit({{Schedule{.queue = "mail", .kind = "send"}}, {}});
  WrittenLog log({driver.events(), driver.batch_ends()});
  const LogReader reader = log.reader();
  const auto taken = take_snapshot(log.storage(), reader);
  ASSERT_TRUE(taken.has_value());
  EXPECT_THAT(taken->hashed, ::testing::ElementsAre(StateHashed{Sequence(limits::state_hash_events), passed}));
}

}  // namespace
}  // namespace daybook::test
