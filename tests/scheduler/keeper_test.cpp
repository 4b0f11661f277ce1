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
    log = SegmentLog::create(disk, clock, random,
                             {.segment_bytes_min = segment_bytes,
                              .segment_bytes_max = segment_bytes,
                              .feature_level = limits::feature_level_first},
                             opening);
    engine = std::make_unique<Engine>(
        Engine::Parts{.journal = *log, .store = std::make_unique<State>(), .clock = clock, .random = random});
    BookOpened opened;
    opened.epoch = opening.epoch;
    engine->open(opened, {});
  }

  /// One that also archives, and drops what is older than `drop_after`.
  Keeper tidy_keeper(std::optional<Duration> drop_after) {
    return Keeper({.storage = disk,
                   .options = {},
                   .warn = [this](const std::string& sentence) { warnings.push_back(sentence); },
                   .taken = [this](const TakenSnapshot& taken) { submit(record_of(taken)); },
                   .segments = {.archive = true, .drop_after = drop_after},
                   .clock = &clock,
                   .dropped_through = [this] { return engine->view().book().dropped_through; },
                   .record_drop =
                       [this](const SegmentsDropped& dropped) {
                         for (const SegmentSummary& segment : list_segments(disk)) {
                           EXPECT_FALSE(segment.form == SegmentForm::dropped && segment.last >= dropped.first)
                               << "the record comes before the files go";
                         }
                         submit(RecordDrop{dropped});
                         return true;
                       }},
                  head());
  }
  std::vector<SegmentForm> forms() {
    std::vector<SegmentForm> forms;
    for (const SegmentSummary& segment : list_segments(disk)) forms.push_back(segment.form);
    return forms;
  }
  void fill_segments(std::size_t count) {
    for (const std::size_t goal = forms().size() + count; forms().size() < goal;) schedule(1);
  }
  State folded() {
    const LogReader reader(disk);
    return rebuild(events_of(reader), reader.head().sequence, {}, start_at_snapshot(snapshots_of(disk, reader)));
  }

  static constexpr std::uint64_t segment_bytes = 16 * 1024;

  Keeper keeper(std::uint64_t every_events, std::uint64_t every_log_bytes = 0) {
    return Keeper({.storage = disk,
                   .options = {.every_events = every_events, .every_log_bytes = every_log_bytes},
                   .warn = [this](const std::string& sentence) { warnings.push_back(sentence); },
                   .taken = [this](const TakenSnapshot& taken) { submit(record_of(taken)); }},
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
  EXPECT_EQ(recorded, record_of(*taken).snapshot);
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

TEST_F(KeeperTest, WhatLiesBeforeASnapshotIsArchivedAndStillRead) {
  submit(RaiseFeatureLevel{});
  fill_segments(3);
  Keeper keeper = tidy_keeper(std::nullopt);
  ASSERT_TRUE(keeper.take().has_value());
  const auto forms = this->forms();
  EXPECT_THAT(std::vector(forms.begin(), forms.end() - 1), testing::Each(SegmentForm::archived));
  EXPECT_EQ(forms.back(), SegmentForm::plain);
  std::uint64_t events = 0;
  LogReader(disk).read(Sequence(1), [&](const RecordedEvent&) { return ++events != 0; });
  EXPECT_EQ(Sequence(events), LogReader(disk).head().sequence);
  EXPECT_EQ(verify_log(disk).kind, LogVerdict::Kind::unclean_end);
}

TEST_F(KeeperTest, ABookThatWasNotUpgradedKeepsItsSegments) {
  fill_segments(2);
  Keeper keeper = tidy_keeper(std::chrono::seconds(0));
  ASSERT_TRUE(keeper.take().has_value());
  EXPECT_THAT(forms(), testing::Each(SegmentForm::plain));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(KeeperTest, OldSegmentsAreDroppedBehindTheOlderOfTwoSnapshotsAndPinNoJob) {
  submit(RaiseFeatureLevel{});
  submit(Schedule{.queue = "far", .kind = "send", .due = after(std::chrono::hours(24 * 365))});
  fill_segments(2);
  Keeper keeper = tidy_keeper(std::chrono::hours(24));
  ASSERT_TRUE(keeper.take().has_value());
  const Sequence first = head();
  EXPECT_THAT(forms(), testing::Not(testing::Contains(SegmentForm::dropped))) << "nothing is a day old";
  fill_segments(2);
  clock.advance(std::chrono::hours(48));
  fill_segments(1);
  ASSERT_TRUE(keeper.take().has_value());
  EXPECT_THAT(forms(), testing::Contains(SegmentForm::dropped));
  for (const SegmentSummary& segment : list_segments(disk)) {
    EXPECT_TRUE(segment.form != SegmentForm::dropped || segment.last <= first);
  }
  EXPECT_EQ(engine->view().book().dropped_through.next(), LogReader(disk).first_readable());
  EXPECT_THAT(differences(folded(), engine->view(), 10), IsEmpty()) << "with the job that is due in a year";
  EXPECT_NE(verify_log(disk).kind, LogVerdict::Kind::damaged);
  EXPECT_THAT(verify_snapshots(disk, LogReader(disk)), IsEmpty());
}

TEST_F(KeeperTest, OneSnapshotMayBeLostAndTheBookIsStillThere) {
  submit(RaiseFeatureLevel{});
  fill_segments(2);
  Keeper keeper = tidy_keeper(std::chrono::seconds(0));
  ASSERT_TRUE(keeper.take().has_value());
  fill_segments(2);
  clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(keeper.take().has_value());
  ASSERT_THAT(forms(), testing::Contains(SegmentForm::dropped));
  disk.flip_bit(snapshot_name(kept().back()), 50'000);
  EXPECT_THAT(differences(folded(), engine->view(), 10), IsEmpty());
  disk.flip_bit(snapshot_name(kept().front()), 50'000);
  EXPECT_THROW(static_cast<void>(folded()), DroppedError);
}

TEST_F(KeeperTest, WhatIsDamagedLateInTheOlderSnapshotSpoilsNoJudgementOfTheNewer) {
  submit(RaiseFeatureLevel{});
  fill_segments(2);
  Keeper keeper = tidy_keeper(std::chrono::seconds(0));
  ASSERT_TRUE(keeper.take().has_value());
  fill_segments(2);
  clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(keeper.take().has_value());
  ASSERT_THAT(forms(), testing::Contains(SegmentForm::dropped));
  const std::string older = snapshot_name(kept().front());
  disk.flip_bit(older, disk.content(older).size() * 8 - 1000);
  EXPECT_THAT(verify_snapshots(disk, LogReader(disk)),
              ElementsAre(HasSubstr("the snapshot of sequence " + std::to_string(kept().front().value()) + " ")));
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
