// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cerrno>
#include <stop_token>

#include "daybook/core/apply.hpp"
#include "daybook/core/error.hpp"
#include "daybook/log/state_hash.hpp"
#include "daybook/replay/open_store.hpp"
#include "support/interrupted_storage.hpp"
#include "support/temp_folder.hpp"
#include "support/uncached_storage.hpp"
#include "written_log.hpp"

// Snapshots beside a log: made of it, believed only when they are of it, and equal to it in all that follows.

namespace daybook::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<Sequence> kept(Storage& storage) {
  return list_snapshot_files(storage).snapshots;
}

TakenSnapshot take(WrittenLog& log) {
  const LogReader reader = log.reader();
  auto taken = take_snapshot(log.storage(), reader);
  EXPECT_TRUE(taken.has_value());
  return std::move(*taken);
}

SnapshotSearch newest(WrittenLog& log, Sequence until) {
  const LogReader reader = log.reader();
  return newest_snapshot(snapshots_of(log.storage(), reader), until);
}

State from_zero(WrittenLog& log, Sequence until) {
  return rebuild(daybook::events_of(log.journal()), until);
}

// ---- the law ----

RC_GTEST_PROP(SnapshotsOfAnyHistory, EverySnapshotAndWhatFollowedIsTheHistoryFromItsFirstEvent, ()) {
  const testing::RecordedHistory history = testing::record(*testing::histories());
  WrittenLog log(history, 0);
  std::vector<std::pair<Sequence, Hash>> points;
  for (std::size_t batches = 0; batches < history.batch_ends.size();) {
    const auto next = *rc::gen::inRange<std::size_t>(1, history.batch_ends.size() - batches + 1);
    log.append(next);
    batches += next;
    const TakenSnapshot taken = take(log);
    RC_ASSERT(taken.summary.point.sequence == log.head());
    RC_ASSERT(taken.summary.state_hash == state_hash(from_zero(log, log.head())));
    points.emplace_back(log.head(), taken.summary.state_hash);
  }
  RC_ASSERT(kept(log.storage()).size() == std::min<std::size_t>(points.size(), 2));
  const LogReader reader = log.reader();
  const StartAt start = start_at_snapshot(snapshots_of(log.storage(), reader));
  const Sequence until(*rc::gen::inRange<std::uint64_t>(0, log.head().value() + 1));
  const State through = rebuild(daybook::events_of(reader), until, {}, start);
  RC_ASSERT(differences(through, from_zero(log, until)).empty());
  RC_ASSERT(state_hash(through) == state_hash(from_zero(log, until)));
  RC_ASSERT(verify_snapshots(log.storage(), reader).empty());
}

// ---- making and keeping ----

TEST(Snapshots, TheNewestTwoAreKept) {
  WrittenLog log(eventful(3, 120), 10);
  std::vector<Sequence> taken;
  for (int i = 0; i < 4; ++i) {
    log.append(10);
    const TakenSnapshot one = take(log);
    EXPECT_FALSE(one.existed);
    EXPECT_EQ(one.other, taken.empty() ? Sequence() : taken.back());
    EXPECT_EQ(one.events_folded, log.head().value() - one.other.value());
    EXPECT_EQ(one.summary.frontier.leaves(), log.head().value());
    taken.push_back(log.head());
  }
  EXPECT_THAT(kept(log.storage()), ElementsAre(taken[2], taken[3]));
  EXPECT_THAT(list_snapshots(log.storage()), SizeIs(2));
}

TEST(Snapshots, TheOneThatIsThereIsNotMadeAgain) {
  WrittenLog log(eventful(3, 80), 10);
  take(log);
  log.append(10);
  const TakenSnapshot first = take(log);
  const TakenSnapshot again = take(log);
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.summary, first.summary);
  EXPECT_EQ(again.other, first.other);
  EXPECT_EQ(again.events_folded, 0U);
}

TEST(Snapshots, AnEmptyLogHasNone) {
  WrittenLog log(eventful(3, 80), 0);
  const LogReader reader = log.reader();
  EXPECT_FALSE(take_snapshot(log.storage(), reader).has_value());
}

TEST(Snapshots, TheFrontierIsThatOfTheStoredEvents) {
  WrittenLog log(eventful(3, 80), 20);
  take(log);
  log.append();
  const TakenSnapshot taken = take(log);
  MerkleFrontier tree;
  log.reader().read_stored(Sequence(1), [&](const RecordedEvent&, std::span<const std::byte> stored) {
    tree.add(merkle_leaf(stored));
    return true;
  });
  EXPECT_EQ(taken.summary.frontier, tree);
}

TEST(Snapshots, AStopLeavesNothingBehind) {
  WrittenLog log(eventful(3, 80));
  const LogReader reader = log.reader();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(take_snapshot(log.storage(), reader, stop.get_token()).has_value());
  EXPECT_THAT(kept(log.storage()), IsEmpty());
  EXPECT_THAT(list_snapshot_files(log.storage()).unfinished, IsEmpty());
}

TEST(Snapshots, WhatAWriterLeftBehindIsRemoved) {
  WrittenLog log(eventful(3, 80));
  log.storage().write_durably(unfinished_snapshot_name(log.head()), std::vector<std::byte>(100));
  remove_unfinished_snapshots(log.storage());
  take(log);
  EXPECT_THAT(kept(log.storage()), ElementsAre(log.head()));
}

// ---- believing ----

class TwoSnapshots : public ::testing::Test {
 protected:
  TwoSnapshots() : log(eventful(3, 120), 20) {
    first = take(log).summary.point.sequence;
    log.append(20);
    second = take(log).summary.point.sequence;
    log.append();
    log.journal().settle();
  }

  /// The newest that is believed, and the note about the other.
  void expect_passed_over(Sequence passed, Sequence believed, const std::string& why) {
    const SnapshotSearch search = newest(log, log.head());
    EXPECT_EQ(search.found ? search.found->summary.point.sequence : Sequence(), believed);
    EXPECT_THAT(search.notes, Contains(AllOf(HasSubstr("sequence " + std::to_string(passed.value()) + " "),
                                             HasSubstr("passed over"), HasSubstr(why))));
    const LogReader reader = log.reader();
    const State state =
        rebuild(daybook::events_of(reader), log.head(), {}, start_at_snapshot(snapshots_of(log.storage(), reader)));
    EXPECT_THAT(differences(state, from_zero(log, log.head())), IsEmpty());
    EXPECT_THAT(verify_snapshots(log.storage(), reader), Contains(HasSubstr(why)));
  }

  WrittenLog log;
  Sequence first;
  Sequence second;
};

TEST_F(TwoSnapshots, TheNearestAtOrBeforeAPointIsTaken) {
  EXPECT_EQ(newest(log, log.head()).found->summary.point.sequence, second);
  EXPECT_EQ(newest(log, second).found->summary.point.sequence, second);
  EXPECT_EQ(newest(log, Sequence(second.value() - 1)).found->summary.point.sequence, first);
  EXPECT_FALSE(newest(log, Sequence(first.value() - 1)).found.has_value());
}

TEST_F(TwoSnapshots, ADamagedOneIsPassedOverForTheOneBefore) {
  log.storage().flip_bit(snapshot_name(second), 8 * 700 + 3);
  expect_passed_over(second, first, "checksum");
}

TEST_F(TwoSnapshots, WithBothDamagedFoldingBeginsWithTheFirstEvent) {
  log.storage().flip_bit(snapshot_name(first), 8 * 700 + 3);
  log.storage().flip_bit(snapshot_name(second), 8 * 100);
  expect_passed_over(first, Sequence(), "checksum");
  expect_passed_over(second, Sequence(), "checksum");
}

TEST_F(TwoSnapshots, WhoBeginsWithOneIsToldOfThoseThatWerePassedOver) {
  log.storage().flip_bit(snapshot_name(second), 8 * 700 + 3);
  const LogReader reader = log.reader();
  std::vector<std::string> told;
  const auto tell = [&](const std::string& note) { told.push_back(note); };
  const State state = start_at_snapshot(snapshots_of(log.storage(), reader), tell)(log.head());
  EXPECT_EQ(state.book().head, first);
  EXPECT_THAT(told, ElementsAre(HasSubstr("passed over")));
}

TEST_F(TwoSnapshots, OneThatIsThereAlreadyStaysBesideAnotherThatCanBeBelieved) {
  const Sequence third = take(log).summary.point.sequence;
  EXPECT_THAT(kept(log.storage()), ElementsAre(second, third));
  EXPECT_EQ(take(log).other, second);
  log.storage().flip_bit(snapshot_name(second), 8 * 700 + 3);
  const TakenSnapshot again = take(log);
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.other, Sequence());
  EXPECT_THAT(again.notes, ElementsAre(HasSubstr("passed over")));
  EXPECT_THAT(kept(log.storage()), ElementsAre(second, third)) << "somebody may want to look into it";
}

TEST_F(TwoSnapshots, StoppedAtAnyMomentThereIsANewOneOrThereAreTheOldOnes) {
  std::size_t stopped = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    const auto disk = log.storage().clone();
    std::stop_source stop;
    bool asked = false;
    Interrupted living(*disk, nth, [&] { asked = stop.request_stop(); });
    const LogReader reader(living);
    const auto taken = take_snapshot(living, reader, stop.get_token());
    const SnapshotFiles files = list_snapshot_files(*disk);
    if (taken) {
      EXPECT_EQ(files.snapshots.back(), log.head());
    } else {
      ++stopped;
      EXPECT_THAT(files.snapshots, ElementsAre(first, second)) << nth;
      EXPECT_THAT(files.unfinished, IsEmpty()) << nth;
    }
    if (!asked) break;
  }
  EXPECT_GT(stopped, 3U);
}

TEST_F(TwoSnapshots, AnUnreadableOneIsPassedOver) {
  const LogReader reader = log.reader();
  const SnapshotSource source = snapshots_of(log.storage(), reader);
  log.storage().fail_at(Operation::open, 1, EIO);
  const SnapshotSearch search = newest_snapshot(source, log.head());
  EXPECT_EQ(search.found->summary.point.sequence, first);
  EXPECT_THAT(search.notes, SizeIs(1));
}

TEST_F(TwoSnapshots, OneUnderAWrongNameIsPassedOver) {
  log.storage().write_durably(snapshot_name(log.head()), log.storage().content(snapshot_name(first)));
  expect_passed_over(log.head(), second, "it says that it is of sequence " + std::to_string(first.value()));
}

TEST_F(TwoSnapshots, OneOfAnotherLogIsPassedOver) {
  WrittenLog other(eventful(3, 120), 40, 2);
  take(other);
  ASSERT_EQ(other.head(), second);
  log.storage().write_durably(snapshot_name(second), other.storage().content(snapshot_name(second)));
  expect_passed_over(second, first, "it belongs to log " + to_string(other.uuid()));
}

TEST_F(TwoSnapshots, OneOfAnotherHistoryOfTheSameLogIsPassedOver) {
  const State state = from_zero(log, second);
  log.storage().remove_durably(snapshot_name(second));
  const SnapshotSummary summary = newest(log, second).found->summary;
  MerkleFrontier frontier = summary.frontier;
  while (frontier.leaves() < second.value()) frontier.add({});
  Hash chain{};
  chain.fill(1);
  ASSERT_TRUE(write_snapshot(log.storage(), state, log.uuid(), {second, chain}, frontier).has_value());
  expect_passed_over(second, first, "its chain hash is not that of the log");
}

TEST_F(TwoSnapshots, OneThatStandsWithinABatchIsPassedOver) {
  const LogReader reader = log.reader();
  Sequence within(1);
  while (reader.chain_at(within)) within = within.next();
  ASSERT_LT(within, log.head());
  MerkleFrontier frontier;
  while (frontier.leaves() < within.value()) frontier.add({});
  ASSERT_TRUE(write_snapshot(log.storage(), from_zero(log, within), log.uuid(), {within, {}}, frontier));
  const SnapshotSearch search = newest(log, within);
  EXPECT_THAT(search.notes, ElementsAre(HasSubstr("no batch of the log ends with its sequence")));
  EXPECT_NE(search.found ? search.found->summary.point.sequence : Sequence(), within);
}

TEST_F(TwoSnapshots, OneWhoseBookStandsElsewhereIsPassedOver) {
  const SnapshotSummary right = newest(log, second).found->summary;
  log.storage().remove_durably(snapshot_name(second));
  ASSERT_TRUE(write_snapshot(log.storage(), from_zero(log, first), log.uuid(), {second, right.point.chain},
                             right.frontier, first));
  const SnapshotSearch search = newest(log, log.head());
  EXPECT_THAT(search.notes, ElementsAre(HasSubstr("its book stands at sequence " + std::to_string(first.value()))));
  EXPECT_EQ(search.found->summary.point.sequence, first);
}

TEST_F(TwoSnapshots, AnApplyThatDriftedShowsInTheStateHash) {
  State state = from_zero(log, second);
  Job wrong;
  state.each_job([&](const Job& job) { wrong = job; });
  wrong.attempt += 1;
  state.put(wrong);
  const LogReader reader = log.reader();
  const SnapshotSummary right = newest(log, second).found->summary;
  log.storage().remove_durably(snapshot_name(second));
  ASSERT_TRUE(write_snapshot(log.storage(), state, log.uuid(), {second, right.point.chain}, right.frontier));
  EXPECT_THAT(verify_snapshots(log.storage(), reader),
              ElementsAre(AllOf(HasSubstr(std::to_string(second.value())), HasSubstr("state hash"))));
}

TEST_F(TwoSnapshots, AnotherTreeThanThatOfTheEventsShows) {
  const State state = from_zero(log, second);
  const LogReader reader = log.reader();
  const SnapshotSummary right = newest(log, second).found->summary;
  std::vector<Hash> hashes = right.frontier.hashes();
  hashes.back()[0] ^= 1;
  log.storage().remove_durably(snapshot_name(second));
  ASSERT_TRUE(write_snapshot(log.storage(), state, log.uuid(), {second, right.point.chain},
                             MerkleFrontier(second.value(), hashes)));
  EXPECT_THAT(verify_snapshots(log.storage(), reader), ElementsAre(HasSubstr("Merkle tree")));
}

TEST_F(TwoSnapshots, NothingGoesBeforeTwoCanBeBelieved) {
  log.storage().flip_bit(snapshot_name(first), 8 * 700);
  log.storage().flip_bit(snapshot_name(second), 8 * 700);
  const TakenSnapshot taken = take(log);
  EXPECT_EQ(taken.other, Sequence());
  EXPECT_THAT(taken.notes, SizeIs(2));
  EXPECT_THAT(kept(log.storage()), ElementsAre(first, second, log.head()));
}

TEST_F(TwoSnapshots, ADamagedOneGoesWhenTwoCanBeBelieved) {
  log.storage().flip_bit(snapshot_name(second), 8 * 700);
  const TakenSnapshot taken = take(log);
  EXPECT_EQ(taken.other, first);
  EXPECT_THAT(kept(log.storage()), ElementsAre(first, log.head()));
}

TEST_F(TwoSnapshots, AsOfAnyPointIsTheSameWithThem) {
  const LogReader reader = log.reader();
  const ReadEvents read = daybook::events_of(reader);
  const StartAt start = start_at_snapshot(snapshots_of(log.storage(), reader));
  for (const RecordedEvent& recorded : log.events()) {
    const auto through = as_of(read, log.head(), recorded.wall, start);
    const auto whole = as_of(read, log.head(), recorded.wall);
    ASSERT_TRUE(through && whole);
    ASSERT_EQ(through->resolved.sequence, whole->resolved.sequence);
    ASSERT_EQ(through->resolved.ambiguous, whole->resolved.ambiguous);
    ASSERT_EQ(state_hash(through->state), state_hash(whole->state));
  }
}

TEST_F(TwoSnapshots, OneAheadOfWhatTheWitnessSawIsNotTakenAndNotWrong) {
  log.storage().write_durably(snapshot_name(Sequence(log.head().value() + 1)), {});
  EXPECT_EQ(newest(log, log.head()).found->summary.point.sequence, second);
  EXPECT_THAT(newest(log, log.head()).notes, IsEmpty());
  const LogReader reader = log.reader();
  EXPECT_THAT(verify_snapshots(log.storage(), reader), IsEmpty());
}

// ---- reading back ----

TEST_F(TwoSnapshots, ANewOneThatTheDiskShowsDamagedIsGivenUp) {
  UncachedStorage disk(log.storage(), [&](const std::string& name) { log.storage().flip_bit(name, 8 * 700); });
  const LogReader reader = log.reader();
  EXPECT_THROW((void)take_snapshot(disk, reader), CorruptionError);
  EXPECT_THAT(kept(log.storage()), ElementsAre(first, second));
  EXPECT_THAT(list_snapshot_files(log.storage()).unfinished, IsEmpty());
}

TEST_F(TwoSnapshots, ANewOneInWhosePlaceTheDiskShowsAnotherIsGivenUp) {
  State state = from_zero(log, log.head());
  MerkleFrontier frontier;
  while (frontier.leaves() < log.head().value()) frontier.add({});
  MemoryStorage other;
  ASSERT_TRUE(write_snapshot(other, state, log.uuid(), log.reader().head(), frontier));
  UncachedStorage disk(log.storage(), [&](const std::string& name) {
    log.storage().write_durably(name, other.content(snapshot_name(log.head())));
  });
  const LogReader reader = log.reader();
  try {
    (void)take_snapshot(disk, reader);
    FAIL() << "taken";
  } catch (const CorruptionError& error) {
    EXPECT_THAT(error.what(), HasSubstr("what was read back is not what was written"));
  }
  EXPECT_THAT(kept(log.storage()), ElementsAre(first, second));
  EXPECT_THAT(list_snapshot_files(log.storage()).unfinished, IsEmpty());
}

// ---- restarts ----

TEST_F(TwoSnapshots, ARestartWithoutAnIndexFoldsOnlyWhatFollowedTheNewest) {
  const TempFolder temp;
  const LogReader reader = log.reader();
  const auto chain_at = [&](Sequence sequence) { return reader.chain_at(sequence); };
  const StartAt start = start_at_snapshot({log.storage(), log.uuid(), chain_at});
  const std::string folder = (temp.path() / "index").string();
  StoreOpening opening = open_store(folder, log.journal(), log.uuid(), Uuid{{1}}, {}, chain_at, start);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_EQ(opening.began_at, second);
  EXPECT_EQ(opening.events_replayed, log.head().value() - second.value());
  EXPECT_THAT(differences(*opening.index, from_zero(log, log.head())), IsEmpty());
  EXPECT_EQ(state_hash(*opening.index), state_hash(from_zero(log, log.head())));
  opening.index->close();
  opening = rebuild_store(folder, log.journal(), log.uuid(), Uuid{{1}}, {});
  EXPECT_EQ(opening.began_at, Sequence());
  EXPECT_EQ(opening.events_replayed, log.head().value());
}

// ---- the power is cut, or a call fails ----

// A snapshot more, on a disk that has some already.
void take_another(MemoryStorage& disk) {
  remove_unfinished_snapshots(disk);
  const LogReader reader(disk);
  (void)take_snapshot(disk, reader);
}

void expect_a_believable_newest(MemoryStorage& disk, Sequence old, Sequence latest, const std::string& when) {
  const LogReader reader(disk);
  const SnapshotSearch search = newest_snapshot(snapshots_of(disk, reader), reader.head().sequence);
  ASSERT_TRUE(search.found.has_value()) << when;
  const Sequence sequence = search.found->summary.point.sequence;
  EXPECT_TRUE(sequence == old || sequence == latest) << when << ": it is " << sequence.value();
  EXPECT_THAT(search.notes, IsEmpty()) << when;
  EXPECT_THAT(verify_snapshots(disk, reader), IsEmpty()) << when;
}

TEST_F(TwoSnapshots, APowerCutAtAnyCallLeavesTheOldOrTheNew) {
  const std::uint64_t before = log.storage().calls();
  const auto whole = log.storage().clone();
  const std::uint64_t base = whole->calls();
  take_another(*whole);
  const std::uint64_t calls = whole->calls() - base;
  ASSERT_GT(calls, 20U);
  std::uint64_t cuts = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    for (const unsigned ending : {0U, 1U, 2U, 3U}) {
      const auto disk = log.storage().clone();
      disk->cut_power_at(nth);
      try {
        take_another(*disk);
      } catch (const PowerCut&) {
        ++cuts;
      }
      if (ending == 0) disk->crash();
      if (ending == 1) disk->crash_keeping_all();
      if (ending == 2) disk->kill();
      if (ending == 3) disk->crash({.seed = nth, .kept_percent = 40, .garbage_percent = 30});
      const std::string when = "call " + std::to_string(nth) + ", ending " + std::to_string(ending);
      ASSERT_NO_FATAL_FAILURE(expect_a_believable_newest(*disk, second, log.head(), when));
      take_another(*disk);
      EXPECT_EQ(kept(*disk).back(), log.head()) << when;
      EXPECT_THAT(kept(*disk), SizeIs(2)) << when;
      EXPECT_THAT(list_snapshot_files(*disk).unfinished, IsEmpty()) << when;
    }
  }
  EXPECT_EQ(cuts, 4 * calls);
  EXPECT_EQ(log.storage().calls(), before);
}

TEST_F(TwoSnapshots, AFailureOfAnyCallLeavesTheOldOrTheNew) {
  const auto whole = log.storage().clone();
  const std::uint64_t base = whole->calls();
  take_another(*whole);
  const std::uint64_t calls = whole->calls() - base;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    const auto disk = log.storage().clone();
    disk->fail_call(nth, nth % 2 == 0 ? EIO : ENOSPC);
    try {
      take_another(*disk);
    } catch (const StorageError&) {
    } catch (const CorruptionError&) {  // reading back what did not arrive
    }
    disk->heal();
    const std::string when = "call " + std::to_string(nth);
    ASSERT_NO_FATAL_FAILURE(expect_a_believable_newest(*disk, second, log.head(), when));
    take_another(*disk);
    EXPECT_EQ(kept(*disk).back(), log.head()) << when;
  }
}

}  // namespace
}  // namespace daybook::test
