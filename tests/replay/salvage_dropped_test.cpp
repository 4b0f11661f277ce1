// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daybook/core/execute.hpp"
#include "daybook/log/archive.hpp"
#include "daybook/replay/snapshot.hpp"
#include "salvaged_log.hpp"

// Salvage of a book whose beginning was dropped: the new one is of that kind again, and its state begins with a snapshot.

namespace daybook::test {
namespace {

using daybook::testing::Driver;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SalvageOfTheRest : public ::testing::Test {
 protected:
  void schedule(int jobs) {
    for (; jobs > 0; --jobs) {
      driver.submit(
          {{Schedule{.queue = "pay", .kind = "invoice", .payload = "some payload of an ordinary length"}}, {}});
    }
  }
  /// A history in several segments with a snapshot at a third and at two thirds; the segments before the first one are dropped.
  void live() {
    schedule(90);
    log = std::make_unique<WrittenLog>(testing::RecordedHistory{driver.events(), driver.batch_ends()},
                                       LogOptions{.segment_bytes_min = 8192, .segment_bytes_max = 8192}, 30);
    older = snapshot();
    log->append(30);
    newer = snapshot();
    log->append();
    while (drop_next(disk(), older)) {
    }
    log->journal().close();
    dropped = Sequence(LogReader(disk()).first_readable().value() - 1);
  }
  Sequence snapshot() {
    const LogReader reader(disk());
    return take_snapshot(disk(), reader)->summary.point.sequence;
  }
  MemoryStorage& disk() { return log->storage(); }
  /// The batch that holds the event is damaged.
  void hit(Sequence sequence) {
    for (const WrittenBatch& batch : batches_of(disk())) {
      if (batch.first > sequence || sequence > batch.last) continue;
      return disk().flip_bit(batch.file, (batch.offset + 130) * 8);
    }
    FAIL() << "no such batch";
  }
  void salvage() {
    FixedRandom random{99};
    report = salvage_log(disk(), out, clock, random);
  }
  State state() {
    const LogReader reader(out);
    return rebuild(daybook::events_of(reader), reader.head().sequence, {},
                   start_at_snapshot(snapshots_of(out, reader)));
  }
  void expect_sound() {
    const LogVerdict verdict = verify_log(out);
    EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
    EXPECT_EQ(verdict.dropped_through, dropped);
    EXPECT_THAT(verify_snapshots(out, LogReader(out)), IsEmpty());
    EXPECT_TRUE(state().book().held);
    LogOpening opening;
    FixedRandom random{7};
    const auto copy = out.clone();
    EXPECT_EQ(SegmentLog::open(*copy, clock, random, {}, opening)->tail().sequence, report.head.sequence);
  }
  static std::size_t uncertain(const State& state) {
    std::size_t count = 0;
    state.each_job([&](const Job& job) { count += job.state == JobState::uncertain ? 1 : 0; });
    return count;
  }

  State lived;
  Driver driver{lived};
  std::unique_ptr<WrittenLog> log;
  Sequence older;
  Sequence newer;
  Sequence dropped;
  MemoryStorage out;
  ManualClock clock;
  SalvageReport report;
};

TEST_F(SalvageOfTheRest, OfAnUndamagedBookLosesNothing) {
  live();
  ASSERT_GT(dropped, Sequence(0));
  salvage();
  EXPECT_TRUE(report.whole());
  EXPECT_EQ(report.dropped_through, dropped);
  EXPECT_EQ(report.snapshot, newer);
  EXPECT_EQ(report.from, log->uuid());
  EXPECT_EQ(report.copied, log->head().value() - dropped.value());
  EXPECT_THAT(report.uncertain, IsEmpty());
  expect_sound();
  EXPECT_EQ(state().counts(), lived.counts());
  for (const std::string& name : out.names()) {
    if (name.ends_with(".stub")) {
      EXPECT_EQ(out.content(name), disk().content(name)) << name;
    }
  }
}

TEST_F(SalvageOfTheRest, WhatIsLostBeforeTheSnapshotCostsNoJobAnything) {
  live();
  hit(older.next());
  salvage();
  EXPECT_THAT(report.holes, SizeIs(1));
  EXPECT_THAT(report.uncertain, IsEmpty());
  expect_sound();
  EXPECT_EQ(state().counts(), lived.counts());
}

TEST_F(SalvageOfTheRest, BehindTheSnapshotJobsMayBeUncertain) {
  live();
  const Sequence lost(newer.value() + 5);
  hit(lost);
  salvage();
  EXPECT_THAT(report.holes, SizeIs(1));
  EXPECT_EQ(report.snapshot, newer);
  EXPECT_FALSE(report.uncertain.empty());
  expect_sound();
  EXPECT_EQ(uncertain(state()), report.uncertain.size());
}

TEST_F(SalvageOfTheRest, TheOlderSnapshotIsTakenWhereTheNewerCannotBeBelieved) {
  live();
  disk().flip_bit(snapshot_name(newer), 20'000);
  salvage();
  EXPECT_EQ(report.snapshot, older);
  EXPECT_THAT(report.notes, Contains(HasSubstr("passed over")));
  EXPECT_TRUE(report.whole());
  expect_sound();
  EXPECT_EQ(state().counts(), lived.counts());
}

TEST_F(SalvageOfTheRest, WithoutASnapshotNothingIsMade) {
  live();
  disk().flip_bit(snapshot_name(newer), 20'000);
  disk().flip_bit(snapshot_name(older), 20'000);
  EXPECT_THROW(salvage(), DroppedError);
  EXPECT_THAT(out.names(), IsEmpty());
}

TEST_F(SalvageOfTheRest, WhatWasSalvagedCanBeSalvagedAgain) {
  live();
  hit(Sequence(newer.value() + 5));
  salvage();
  MemoryStorage again;
  FixedRandom random{100};
  const SalvageReport second = salvage_log(out, again, clock, random);
  EXPECT_TRUE(second.whole());
  EXPECT_EQ(second.snapshot, newer);
  EXPECT_NE(verify_log(again).kind, LogVerdict::Kind::damaged);
}

TEST_F(SalvageOfTheRest, CutShortAnywhereItLeavesNoLog) {
  live();
  for (std::uint64_t call = 1;; ++call) {
    MemoryStorage half;
    half.cut_power_at(call);
    FixedRandom random{99};
    try {
      static_cast<void>(salvage_log(disk(), half, clock, random));
      ASSERT_GT(call, 50U);
      break;
    } catch (const PowerCut&) {
    } catch (const StorageError&) {
    }
    half.crash_keeping_all();
    if (!log_exists(half)) continue;
    try {
      FixedRandom other{3};
      LogOpening opening;
      const auto opened = SegmentLog::open(half, clock, other, {}, opening);
      const LogReader reader(half);
      EXPECT_TRUE(
          rebuild(daybook::events_of(reader), reader.head().sequence, {}, start_at_snapshot(snapshots_of(half, reader)))
              .book()
              .held);
    } catch (const CorruptionError&) {
    }
  }
}

}  // namespace
}  // namespace daybook::test
