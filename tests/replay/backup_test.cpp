// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "daybook/core/error.hpp"
#include "daybook/core/execute.hpp"
#include "daybook/log/archive.hpp"
#include "support/interrupted_storage.hpp"
#include "written_log.hpp"

// A backup of a living book is a prefix of it with everything that was acknowledged before, of the same log, and held. Cut
// short, it is no book at all.

namespace daybook::test {
namespace {

using daybook::testing::Driver;
using ::testing::HasSubstr;

constexpr Sequence everything(UINT64_MAX);

LogOptions small_segments() {
  return {.segment_bytes_min = 12 * 1024, .segment_bytes_max = 24 * 1024, .feature_level = archives_feature_level};
}

class BackupOf : public ::testing::Test {
 protected:
  std::vector<RecordedEvent> events_in(Storage& storage) {
    const LogReader reader(storage);
    std::vector<RecordedEvent> events;
    reader.read(reader.first_readable(), [&](const RecordedEvent& recorded) {
      events.push_back(recorded);
      return true;
    });
    return events;
  }

  // It opens, is of the same log, holds this prefix of the original byte for byte, and nothing runs.
  void expect_held_backup_of(WrittenLog& log, Storage& storage, const Backup& backup) {
    const LogReader reader(storage);
    EXPECT_EQ(reader.log_uuid(), log.uuid());
    EXPECT_EQ(reader.head(), backup.head);
    EXPECT_EQ(reader.chain_at(backup.copied.sequence), log.reader().chain_at(backup.copied.sequence));
    std::vector<RecordedEvent> events = events_in(storage);
    ASSERT_GT(events.size(), backup.copied.sequence.value());
    const State state = rebuild(daybook::events_of(reader), reader.head().sequence);
    EXPECT_TRUE(state.book().held);
    events.resize(backup.copied.sequence.value());
    EXPECT_TRUE(std::ranges::equal(events, log.events().first(events.size())));
    const LogVerdict verdict = verify_log(storage);
    EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
  }

  MemoryStorage out;
  ManualClock clock;
  FixedRandom random{99};
};

TEST_F(BackupOf, AClosedOrOpenBookIsTheWholeOfItInANewHeldGeneration) {
  for (const bool closed : {false, true}) {
    WrittenLog log(eventful(5, 200), small_segments());
    if (closed) log.journal().close();
    MemoryStorage into;
    const Backup backup = back_up(log.storage(), into, clock, random);
    EXPECT_EQ(backup.copied.sequence, log.head());
    expect_held_backup_of(log, into, backup);
    const LogReader reader(into);
    const State then = rebuild(daybook::events_of(log.journal()), log.head());
    const State now = rebuild(daybook::events_of(reader), backup.head.sequence);
    EXPECT_EQ(now.book().generation.number, then.book().generation.number + 1);
    EXPECT_NE(now.book().generation.tag, then.book().generation.tag);
    EXPECT_EQ(now.counts(), then.counts());
    EXPECT_GT(backup.segments, 2U);
    EXPECT_GT(backup.bytes, 20'000U);
    for (const std::string& name : into.names()) EXPECT_TRUE(name.starts_with("log/")) << name;
  }
}

TEST_F(BackupOf, KeepsFinishedSegmentsByteForByteInTheirForm) {
  WrittenLog log(eventful(5, 300), small_segments());
  ASSERT_TRUE(archive_next(log.storage(), everything));
  static_cast<void>(back_up(log.storage(), out, clock, random));
  const auto names = list_segments(log.storage());
  ASSERT_GT(names.size(), 3U);
  EXPECT_EQ(names.front().form, SegmentForm::archived);
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    EXPECT_EQ(out.content(names[i].name), log.storage().content(names[i].name)) << names[i].name;
    EXPECT_TRUE(out.read_only(names[i].name));
  }
}

TEST_F(BackupOf, SaysWhereItCameFrom) {
  WrittenLog log(eventful(5, 50));
  const Backup backup = back_up(log.storage(), out, clock, random);
  const RecordedEvent last = events_in(out).back();
  const auto* begun = std::get_if<GenerationBegun>(&last.event);
  ASSERT_NE(begun, nullptr);
  EXPECT_EQ(begun->copied_from, log.uuid());
  EXPECT_TRUE(begun->held);
  EXPECT_THAT(last.by.reason, HasSubstr("backed up up to sequence " + std::to_string(log.head().value())));
  EXPECT_EQ(backup.head.sequence, last.sequence);
}

TEST_F(BackupOf, OpensUnderAHigherEpochAndRunsNothingUntilAdopted) {
  State lived;
  Driver driver(lived);
  driver.submit({{Schedule{.queue = "pay", .kind = "invoice"}, Schedule{.queue = "pay", .kind = "invoice"}}, {}});
  const auto claimed = driver.submit({{Claim{.queues = {"pay"}, .worker = "w"}}, {}});
  const ClaimedJob job = std::get<Claimed>(claimed.outcome.answers->front()).jobs.at(0);
  WrittenLog log({driver.events(), driver.batch_ends()});
  static_cast<void>(back_up(log.storage(), out, clock, random));

  LogOpening opening;
  const auto opened = SegmentLog::open(out, clock, random, {}, opening);
  EXPECT_EQ(opening.tail, TailStatus::clean);
  EXPECT_GT(opening.epoch, log.journal().epoch().next()) << "one is the backup's own";
  EXPECT_EQ(opening.log_uuid, log.uuid());
  State state = rebuild(daybook::events_of(*opened), opening.head.sequence);
  const auto ask = [&](Command command) {
    const Outcome outcome = execute(state, {{std::move(command)}, {}}, driver.now(), driver.bounds());
    return outcome.answers ? RefusalCode{} : outcome.answers.error().code;
  };
  EXPECT_EQ(ask(Claim{.queues = {"pay"}, .worker = "w"}), RefusalCode::book_held);
  EXPECT_EQ(ask(AdoptBook{}), RefusalCode{});
  EXPECT_EQ(ask(Complete{job.id, job.token}), RefusalCode::another_history);
}

TEST_F(BackupOf, ABackupWorks) {
  WrittenLog log(eventful(5, 100), small_segments());
  const Backup once = back_up(log.storage(), out, clock, random);
  MemoryStorage again;
  const Backup twice = back_up(out, again, clock, random);
  EXPECT_EQ(twice.copied, once.head);
  const LogReader reader(again);
  EXPECT_EQ(reader.log_uuid(), log.uuid());
  EXPECT_TRUE(rebuild(daybook::events_of(reader), twice.head.sequence).book().held);
}

TEST_F(BackupOf, ALogWithoutAWholeWitnessHoldsItsWholeBatches) {
  WrittenLog log(eventful(5, 200), small_segments());
  log.storage().remove_durably("log/witness");
  const Backup backup = back_up(log.storage(), out, clock, random);
  EXPECT_EQ(backup.copied.sequence, log.head());
  expect_held_backup_of(log, out, backup);
}

// At every opening and listing of the backup somebody appends, rotates, settles or archives, by chance.
TEST_F(BackupOf, ALivingBookAtAnyMomentIsAPrefixWithAllThatWasAcknowledgedBefore) {
  std::vector<daybook::testing::RecordedHistory> histories;
  for (std::uint64_t seed = 0; seed < 7; ++seed) histories.push_back(eventful(seed, 300));
  std::size_t grown = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    FixedRandom chance(seed);
    WrittenLog log(histories[seed % histories.size()], small_segments(), 1 + chance.next() % 200);
    const Sequence before = log.head();
    std::vector<std::string> moved;
    Interrupted living(log.storage(), [&] {
      switch (chance.next() % 4) {
        case 0:
          log.append(1 + chance.next() % 20);
          break;
        case 1:
          log.append(1);
          log.journal().settle();
          break;
        case 2:
          static_cast<void>(archive_next(log.storage(), everything));
          break;
        default:
          break;
      }
    });
    MemoryStorage into;
    const Backup backup = back_up(living, into, clock, random);
    ASSERT_GE(backup.copied.sequence, before);
    ASSERT_NO_FATAL_FAILURE(expect_held_backup_of(log, into, backup));
    LogOpening opening;
    ASSERT_NE(SegmentLog::open(into, clock, random, {}, opening), nullptr);
    ASSERT_EQ(opening.head, backup.head);
    if (HasFailure()) return;
    grown += log.head() > backup.copied.sequence ? 1 : 0;
  }
  EXPECT_GT(grown, 50U) << "nobody wrote meanwhile";
}

TEST_F(BackupOf, ADamagedBookIsNotMade) {
  WrittenLog start(eventful(5, 200), small_segments());
  for (const SegmentSummary& segment : list_segments(start.storage())) {
    const auto disk = start.storage().clone();
    disk->flip_bit(segment.name, 8 * 4700);
    MemoryStorage into;
    EXPECT_THROW(static_cast<void>(back_up(*disk, into, clock, random)), CorruptionError) << segment.name;
    EXPECT_FALSE(log_exists(into));
  }
}

TEST_F(BackupOf, ABookWithDamagedArchivesOrStubsIsNotMade) {
  WrittenLog start(eventful(5, 300), small_segments());
  ASSERT_TRUE(drop_next(start.storage(), everything));
  ASSERT_TRUE(archive_next(start.storage(), everything));
  const LoadSnapshot snapshot = [&](Storage&) {
    return std::optional<State>(rebuild(test::events_of(start.events()), start.head()));
  };
  for (const std::size_t which : {0U, 1U}) {
    const std::string name = list_segments(start.storage())[which].name;
    const std::uint64_t bytes = start.storage().content(name).size();
    for (const std::uint64_t at : {std::uint64_t{20}, std::uint64_t{4609}, bytes - 1}) {
      const auto disk = start.storage().clone();
      disk->flip_bit(name, at * 8);
      MemoryStorage into;
      EXPECT_THROW(static_cast<void>(back_up(*disk, into, clock, random, snapshot)), CorruptionError) << name << at;
      EXPECT_FALSE(log_exists(into));
    }
  }
}

// ---- books whose beginning was dropped ----

TEST_F(BackupOf, ABookWhoseBeginningWasDroppedTakesItsSnapshotsAlong) {
  WrittenLog log(eventful(5, 300), small_segments());
  const auto dropped = drop_next(log.storage(), everything);
  ASSERT_TRUE(dropped);
  log.storage().write_durably("snapshots/one", std::vector<std::byte>(10, std::byte{7}));
  log.storage().write_durably("snapshots/next.tmp", {});
  bool asked = false;
  const LoadSnapshot snapshot = [&](Storage& storage) -> std::optional<State> {
    EXPECT_TRUE(log_exists(storage)) << "the copied log can be asked too, under whatever name it still has";
    EXPECT_EQ(out.content("snapshots/one").size(), 10U);
    EXPECT_FALSE(out.exists("snapshots/next.tmp"));
    asked = true;
    return rebuild(test::events_of(log.events()), dropped->last);
  };
  const Backup backup = back_up(log.storage(), out, clock, random, snapshot);
  EXPECT_TRUE(asked);
  EXPECT_EQ(LogReader(out).first_readable(), dropped->last.next());
  EXPECT_EQ(verify_log(out).kind, LogVerdict::Kind::clean_end);
  State state = rebuild(test::events_of(log.events()), dropped->last);
  const LogReader reader(out);
  catch_up(state, daybook::events_of(reader), backup.head.sequence);
  EXPECT_TRUE(state.book().held);
  EXPECT_EQ(state.book().head, backup.head.sequence);
}

TEST_F(BackupOf, ABookWhoseBeginningWasDroppedIsRefusedWithoutASnapshot) {
  WrittenLog log(eventful(5, 300), small_segments());
  ASSERT_TRUE(drop_next(log.storage(), everything));
  EXPECT_THROW(static_cast<void>(back_up(log.storage(), out, clock, random)), DroppedError);
  EXPECT_FALSE(log_exists(out));
}

TEST_F(BackupOf, ABookWhoseBeginningWasDroppedIsRefusedWhenItsSnapshotsEndTooEarly) {
  WrittenLog log(eventful(5, 300), small_segments());
  const Sequence dropped = drop_next(log.storage(), everything)->last;
  const auto snapshot_of = [&](std::uint64_t sequence) -> LoadSnapshot {
    return
        [&, sequence](Storage&) { return std::optional(rebuild(test::events_of(log.events()), Sequence(sequence))); };
  };
  EXPECT_THROW(static_cast<void>(back_up(log.storage(), out, clock, random, snapshot_of(dropped.value() - 1))),
               DroppedError);
  EXPECT_FALSE(log_exists(out));
  MemoryStorage into;
  EXPECT_NO_THROW(static_cast<void>(back_up(log.storage(), into, clock, random, snapshot_of(dropped.value()))));
}

TEST_F(BackupOf, WhenSegmentsAreDroppedMeanwhileItSaysSo) {
  int told = 0;
  for (std::uint64_t nth = 1; nth < 12; ++nth) {
    WrittenLog log(eventful(5, 300), small_segments());
    Interrupted living(log.storage(), nth, [&] { static_cast<void>(drop_next(log.storage(), everything)); });
    MemoryStorage into;
    try {
      static_cast<void>(back_up(living, into, clock, random));
      EXPECT_EQ(LogReader(into).first_readable(), Sequence(1));
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), EAGAIN);
      EXPECT_FALSE(log_exists(into));
      ++told;
    } catch (const DroppedError&) {
      EXPECT_FALSE(log_exists(into));
    }
  }
  EXPECT_GT(told, 2);
}

// ---- cut short ----

TEST_F(BackupOf, CutShortAtAnyCallIsNeverABookThatRuns) {
  WrittenLog log(eventful(5, 120), small_segments());
  bool finished = false;
  std::size_t whole = 0;
  for (std::uint64_t nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    for (const unsigned kept : {0U, 50U, 100U}) {
      MemoryStorage into;
      into.cut_power_at(nth);
      try {
        static_cast<void>(back_up(log.storage(), into, clock, random));
        finished = true;
      } catch (const PowerCut&) {
      }
      into.crash({.seed = nth, .kept_percent = kept, .garbage_percent = 0});
      if (!log_exists(into)) continue;
      LogOpening opening;
      try {
        const auto opened = SegmentLog::open(into, clock, random, {}, opening);
        const State state = rebuild(daybook::events_of(*opened), opening.head.sequence);
        ASSERT_TRUE(state.book().held) << "cut at call " << nth;
        ASSERT_GT(opening.head.sequence, log.head()) << "cut at call " << nth;
        ++whole;
      } catch (const CorruptionError&) {
      } catch (const StorageError&) {
      }
    }
  }
  EXPECT_GT(whole, 0U);
}

TEST_F(BackupOf, WhatFailsIsToldAndWhereNothingIsToldItIsWhole) {
  WrittenLog log(eventful(5, 120), small_segments());
  bool finished = false;
  std::size_t without_generation = 0;
  for (std::uint64_t nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    MemoryStorage into;
    into.fail_call(nth, EIO);
    try {
      const Backup backup = back_up(log.storage(), into, clock, random);
      finished = !into.fired();
      into.heal();
      ASSERT_NO_FATAL_FAILURE(expect_held_backup_of(log, into, backup)) << "call " << nth;
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), EIO);
      if (std::string(error.what()).find("cannot begin the backup's own generation") != std::string::npos) {
        EXPECT_FALSE(log_exists(into));
        ++without_generation;
      }
    }
  }
  EXPECT_GT(without_generation, 0U);
}

TEST_F(BackupOf, ThatGrewByItselfIsRefused) {
  WrittenLog log(eventful(5, 120), 40);
  const auto before = log.storage().clone();
  log.append();
  const std::string name = "00000000000000000001.seg";
  const auto longer = log.storage().content("log/" + name);
  int told = 0;
  for (std::uint64_t nth = 1; nth < 60; ++nth) {
    MemoryStorage into;
    Interrupted odd(into, nth, [&] {
      if (into.exists("unfinished-copy-" + name)) into.write_durably("unfinished-copy-" + name, longer);
    });
    try {
      static_cast<void>(back_up(*before, odd, clock, random));
    } catch (const StorageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("the copy ends with sequence"));
      EXPECT_FALSE(log_exists(into));
      ++told;
    } catch (const CorruptionError&) {  // it grew while it was written
      EXPECT_FALSE(log_exists(into));
    }
  }
  EXPECT_GT(told, 0);
}

TEST_F(BackupOf, OntoAFullDiskIsRefusedAndLeavesNoLog) {
  WrittenLog log(eventful(5, 200), small_segments());
  for (const std::uint64_t room : {0U, 20'000U, 60'000U}) {
    MemoryStorage into;
    into.set_free_bytes(room);
    EXPECT_THROW(static_cast<void>(back_up(log.storage(), into, clock, random)), StorageError) << room;
    EXPECT_FALSE(log_exists(into)) << room;
  }
}

TEST_F(BackupOf, ALogWithoutAnEventIsRefused) {
  MemoryStorage empty;
  LogOpening opening;
  const auto log = SegmentLog::create(empty, clock, random, {}, opening);
  EXPECT_THROW(static_cast<void>(back_up(empty, out, clock, random)), StorageError);
}

}  // namespace
}  // namespace daybook::test
