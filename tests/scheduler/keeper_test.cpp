// SPDX-License-Identifier: Apache-2.0
#include "daybook/scheduler/keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "daybook/core/error.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/scheduler/engine.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"

// When a snapshot is due, and what a failed one does to the book: nothing. One thread, on a disk in memory.

namespace daybook {
namespace {

using test::ManualClock;
using test::MemoryStorage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    log = SegmentLog::create(disk, clock, random, {.feature_level = limits::feature_level_first}, opening);
    engine = std::make_unique<Engine>(
        Engine::Parts{.journal = *log, .store = std::make_unique<State>(), .clock = clock, .random = random});
    BookOpened opened;
    opened.epoch = opening.epoch;
    engine->open(opened, {});
  }

  Keeper keeper(std::uint64_t every_events, std::uint64_t every_log_bytes = 0) {
    return Keeper({.storage = disk,
                   .options = {.every_events = every_events, .every_log_bytes = every_log_bytes},
                   .warn = [this](const std::string& sentence) { warnings.push_back(sentence); },
                   .taken = [this](const TakenSnapshot& taken) { submit(record_of(taken.summary)); }},
                  head());
  }
  void submit(Command command) {
    engine->submit({.commands = {std::move(command)}, .context = {}}, [](Reply) {});
    for (auto& [completion, reply] : engine->step().finished) completion(std::move(reply));
  }
  void schedule(int jobs) {
    for (; jobs > 0; --jobs) submit(Schedule{.queue = "mail", .kind = "send", .payload = "hello"});
  }
  bool due(Keeper& keeper) { return keeper.note(head(), log->costs().bytes); }
  [[nodiscard]] Sequence head() const { return log->tail().sequence; }
  std::vector<Sequence> kept() { return list_snapshot_files(disk).snapshots; }

  MemoryStorage disk;
  ManualClock clock;
  test::FixedRandom random{1};
  LogOpening opening;
  std::unique_ptr<SegmentLog> log;
  std::unique_ptr<Engine> engine;
  std::vector<std::string> warnings;
};

TEST_F(KeeperTest, OneIsDueWhenEnoughEventsFollowedTheLast) {
  schedule(3);
  Keeper keeper = this->keeper(20);
  schedule(1);
  EXPECT_FALSE(due(keeper));
  schedule(20);
  EXPECT_TRUE(due(keeper));
  const Sequence at = head();
  ASSERT_TRUE(keeper.keep().has_value());
  EXPECT_THAT(kept(), ElementsAre(at));
  EXPECT_FALSE(due(keeper));
  schedule(20);
  EXPECT_TRUE(due(keeper));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(KeeperTest, OneIsDueWhenEnoughOfTheLogFollowedTheLast) {
  Keeper keeper = this->keeper(0, 40'000);
  schedule(10);
  EXPECT_FALSE(due(keeper));
  while (log->costs().bytes < 40'000) schedule(1);
  EXPECT_TRUE(due(keeper));
  ASSERT_TRUE(keeper.keep().has_value());
  EXPECT_FALSE(due(keeper));
}

TEST_F(KeeperTest, NoneIsDueForZero) {
  Keeper keeper = this->keeper(0, 0);
  schedule(100);
  EXPECT_FALSE(due(keeper));
  EXPECT_TRUE(keeper.take().has_value()) << "asked for, it is taken all the same";
}

TEST_F(KeeperTest, WhatAnEarlierKeeperTookCounts) {
  schedule(30);
  ASSERT_TRUE(keeper(20).take().has_value());
  Keeper next = this->keeper(20);
  EXPECT_FALSE(due(next));
  schedule(20);
  EXPECT_TRUE(due(next));
}

TEST_F(KeeperTest, ANoteFromBeforeTheLastOneMakesNothingDue) {
  Keeper keeper = this->keeper(20);
  schedule(30);
  ASSERT_TRUE(keeper.take().has_value());
  EXPECT_FALSE(keeper.note(Sequence(2), 0));
}

TEST_F(KeeperTest, ABookThatWasUpgradedPutsItOnRecord) {
  submit(RaiseFeatureLevel{});
  schedule(5);
  Keeper keeper = this->keeper(1);
  const Sequence at = head();
  const auto taken = keeper.take();
  EXPECT_EQ(head(), at.next());
  std::optional<SnapshotTaken> recorded;
  log->read(at.next(), [&](const RecordedEvent& event) {
    recorded = std::get<SnapshotTaken>(event.event);
    return false;
  });
  EXPECT_EQ(recorded, record_of(taken->summary).snapshot);
  EXPECT_EQ(recorded->sequence, at);
  EXPECT_EQ(recorded->jobs, 5U);
}

TEST_F(KeeperTest, ABookThatWasNotUpgradedIsKeptWithoutARecord) {
  schedule(5);
  Keeper keeper = this->keeper(1);
  const Sequence at = head();
  EXPECT_TRUE(keeper.take().has_value());
  EXPECT_EQ(head(), at);
}

TEST_F(KeeperTest, AFailureIsAWarningAndTheNextTryComesLater) {
  Keeper keeper = this->keeper(20);
  schedule(25);
  ASSERT_TRUE(due(keeper));
  disk.fail_next(test::Operation::make_folder, EACCES);
  EXPECT_FALSE(keeper.keep().has_value());
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("no snapshot was taken")));
  EXPECT_THAT(kept(), IsEmpty());
  EXPECT_FALSE(due(keeper));
  schedule(20);
  EXPECT_TRUE(due(keeper));
  EXPECT_TRUE(keeper.keep().has_value());
}

TEST_F(KeeperTest, TheLastOfTheDiskIsLeftToTheLog) {
  Keeper keeper = this->keeper(20);
  schedule(25);
  disk.set_free_bytes(limits::segment_bytes_max - 1);
  EXPECT_FALSE(keeper.keep().has_value());
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("make room")));
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(KeeperTest, WhatADeadKeeperLeftIsRemoved) {
  disk.write_durably(unfinished_snapshot_name(head()), std::vector<std::byte>(10));
  Keeper keeper = this->keeper(20);
  EXPECT_THAT(list_snapshot_files(disk).unfinished, IsEmpty());
  EXPECT_TRUE(keeper.take().has_value());
}

}  // namespace
}  // namespace daybook
