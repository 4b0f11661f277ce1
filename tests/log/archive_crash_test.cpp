// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "archive_fixture.hpp"
#include "support/interrupted_storage.hpp"

// The power is cut, a call fails, or another process reads, at every storage call of archiving and dropping: each segment is
// there in one form at least, and nothing is lost but what was dropped.

namespace daybook::test {
namespace {

struct Move {
  const char* name;
  std::optional<SegmentMoved> (*run)(Storage&, Sequence);
  bool archived_before;
};
constexpr Move moves[] = {{"archiving", &archive_next, false},
                          {"dropping a segment", &drop_next, false},
                          {"dropping an archive", &drop_next, true}};

// A stub already at the beginning, then what is to be moved; closed, on a disk that lost what was not synced.
LogBook start_of(const Move& move) {
  LogBook book = book_of(3);
  static_cast<void>(drop_next(*book.disk, everything));
  if (move.archived_before) archive_all(*book.disk);
  book.close();
  book.disk->crash();
  return book;
}

std::uint64_t calls_of(const Move& move, const LogBook& start) {
  LogBook book(start);
  const std::uint64_t before = book.disk->calls();
  static_cast<void>(move.run(*book.disk, everything));
  return book.disk->calls() - before;
}

// Opens what is left, and does the same again to the end.
void revive(LogBook& book, const Move& move) {
  ASSERT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::clean_end) << verify_log(*book.disk).message;
  expect_readable_as_acknowledged(*book.disk, book.acknowledged);
  const LogReader reader(*book.disk);
  const Sequence readable = reader.first_readable();
  book.open();
  expect_nothing_left_over(*book.disk);
  EXPECT_EQ(LogReader(*book.disk).first_readable(), readable) << "opening drops nothing";
  book.append_acknowledged(1, 50);
  while (move.run(*book.disk, everything)) {
  }
  expect_readable_as_acknowledged(*book.disk, book.acknowledged);
  expect_nothing_left_over(*book.disk);
  EXPECT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::unclean_end) << verify_log(*book.disk).message;
}

TEST(ArchiveCrash, AtEveryStorageCallNothingIsLost) {
  for (const Move& move : moves) {
    const LogBook start = start_of(move);
    const std::uint64_t calls = calls_of(move, start);
    ASSERT_GT(calls, 20u);
    for (std::uint64_t nth = 1; nth <= calls; ++nth) {
      LogBook book(start);
      book.disk->cut_power_at(nth);
      EXPECT_THROW(static_cast<void>(move.run(*book.disk, everything)), PowerCut);
      for (const unsigned kept : {0U, 50U, 100U, 101U}) {
        SCOPED_TRACE(std::string(move.name) + ", power cut at call " + std::to_string(nth) + ", kept " +
                     std::to_string(kept));
        LogBook after(book);
        if (kept > 100) {
          after.disk->kill();
        } else {
          after.disk->crash({.seed = nth, .kept_percent = kept, .garbage_percent = kept == 50 ? 25U : 0U});
        }
        ASSERT_NO_FATAL_FAILURE(revive(after, move));
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(ArchiveFailure, OfAnyCallIsReportedAndLosesNothing) {
  for (const Move& move : moves) {
    const LogBook start = start_of(move);
    const std::uint64_t calls = calls_of(move, start);
    for (const int error_number : {EIO, ENOSPC}) {
      for (std::uint64_t nth = 1; nth <= calls; ++nth) {
        SCOPED_TRACE(std::string(move.name) + ", errno " + std::to_string(error_number) + " at call " +
                     std::to_string(nth));
        LogBook book(start);
        book.disk->fail_call(nth, error_number);
        try {
          static_cast<void>(move.run(*book.disk, everything));
        } catch (const StorageError& error) {
          EXPECT_EQ(error.error_number(), error_number);
        }
        ASSERT_TRUE(book.disk->fired());
        book.disk->heal();
        ASSERT_NO_FATAL_FAILURE(revive(book, move));
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(ArchiveFailure, OnAFullDiskTheSegmentStaysAndNothingIsLeftOver) {
  for (const Move& move : moves) {
    LogBook book = start_of(move);
    const auto before = picture(*book.disk);
    book.disk->set_free_bytes(1000);
    try {
      static_cast<void>(move.run(*book.disk, everything));
      ADD_FAILURE() << "it found room";
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), ENOSPC);
    }
    EXPECT_EQ(picture(*book.disk), before) << move.name;
  }
}

TEST(ArchiveFailure, WhatTheDiskReadsBackWrongIsNotBelieved) {
  const LogBook start = start_of(moves[0]);
  const std::string segment = start.segments().front();
  LogBook book(start);
  // The sync fails as Linux does it: the cache shows what the disk has not.
  book.disk->fail_next(Operation::sync, EIO);
  EXPECT_THROW(static_cast<void>(archive_next(*book.disk, everything)), StorageError);
  EXPECT_TRUE(book.disk->exists(segment));
}

// ---- beside readers ----

TEST(ArchiveBeside, AReaderSeesEverythingWhateverIsArchivedMeanwhile) {
  const LogBook start = book_of(4);
  for (std::uint64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 200u);
    LogBook book(start);
    Interrupted disk(*book.disk, nth, [&] { archive_all(*book.disk); });
    const LogReader reader(disk);
    ASSERT_EQ(read_from(reader, Sequence(1)), book.acknowledged) << nth;
    ASSERT_TRUE(reader.chain_at(reader.head().sequence)) << nth;
    const LogVerdict verdict = verify_log(disk);
    ASSERT_EQ(verdict.kind, LogVerdict::Kind::unclean_end) << nth << ": " << verdict.message;
    ASSERT_EQ(list_segments(disk).size(), 5u);
    if (!disk.acted()) break;
  }
}

TEST(ArchiveBeside, AReaderIsToldWhenWhatItReadsIsDropped) {
  LogBook start = book_of(4);
  int told = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 200u);
    LogBook book(start);
    Interrupted disk(*book.disk, nth, [&] { drop_all(*book.disk); });
    std::vector<RecordedEvent> events;
    try {
      LogReader(disk).read(Sequence(1), [&](const RecordedEvent& event) {
        events.push_back(event);
        return true;
      });
      ASSERT_EQ(events, book.acknowledged) << nth;
    } catch (const DroppedError&) {
      ++told;
      ASSERT_TRUE(std::equal(events.begin(), events.end(), book.acknowledged.begin())) << nth;
    }
    ASSERT_EQ(verify_log(disk).kind, LogVerdict::Kind::unclean_end) << nth;
    if (!disk.acted()) break;
  }
  EXPECT_GT(told, 3);
}

}  // namespace
}  // namespace daybook::test
