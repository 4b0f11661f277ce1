// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>

#include "forge.hpp"
#include "support/passing_storage.hpp"

// After an unclean end recovery believes the disk and not the page cache: it writes what survived anew, or, where there is
// no room for a copy, syncs it, drops the cache and reads it back. What recovery has shown is there after the next crash.

namespace daybook::test {
namespace {

using testing::HasSubstr;

void no_room_for_a_copy(LogBook& book) {
  book.disk->fail_next(Operation::allocate, ENOSPC);
}

/// Opening says that the disk shows something else than the cache did.
void expect_difference(LogBook& book) {
  try {
    book.open();
    FAIL() << "opened";
  } catch (const StorageError& error) {
    EXPECT_EQ(error.error_number(), EIO);
    EXPECT_THAT(error.what(), HasSubstr("reads differently from the disk"));
    EXPECT_EQ(error.place().path, first_segment);
  }
}

// Appends, and rotates on the way.
void rotate_once(LogBook& book) {
  book.create();
  for (int i = 0; i < 4; ++i) static_cast<void>(book.append(1, 1500));
  for (int i = 0; i < 2; ++i) static_cast<void>(book.append(1, 2500));
  book.drop();
}

// Cut at every call; what is left is recovered in place; then all that is not synced is lost.
TEST(SealInPlace, WhatItHasShownSurvivesTheNextCrash) {
  LogBook whole;
  rotate_once(whole);
  const std::uint64_t calls = whole.disk->calls();
  ASSERT_EQ(whole.segments().size(), 2u);
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    for (const unsigned kept : {0u, 50u, 100u}) {
      SCOPED_TRACE("cut at call " + std::to_string(nth) + ", " + std::to_string(kept) + " % kept");
      LogBook book;
      book.disk->cut_power_at(nth);
      EXPECT_THROW(rotate_once(book), PowerCut);
      book.drop();
      if (kept == 100) {
        book.disk->kill();
      } else {
        book.disk->crash({nth, kept, 0});
      }
      if (!log_exists(*book.disk)) continue;
      no_room_for_a_copy(book);
      try {
        book.open();
      } catch (const StorageError& error) {  // nothing to copy: there was no room for the next segment
        ASSERT_EQ(error.error_number(), ENOSPC);
        book.open();
      }
      book.expect_promises_kept();
      book.drop();
      book.disk->crash();
      book.open();
      book.expect_promises_kept();
      const LogVerdict verdict = verify_log(*book.disk);
      ASSERT_EQ(verdict.kind, LogVerdict::Kind::unclean_end) << verdict.message;
      if (HasFailure()) return;
    }
  }
}

TEST(SealInPlace, ABatchThatOnlyTheCacheHasIsNotTakenForDurable) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.disk->fail_next(Operation::sync_data, EIO);
  static_cast<void>(book.append());
  book.drop();
  book.disk->kill();  // the cache goes on showing the batch
  no_room_for_a_copy(book);
  const auto cuts = book.disk->calls(Operation::truncate);
  expect_difference(book);
  EXPECT_EQ(book.disk->calls(Operation::truncate), cuts) << "nothing is cut before the disk was asked";
  book.disk->heal();
  book.open();
  book.expect_promises_kept();
  EXPECT_EQ(book.acknowledged.size(), 1u);
}

TEST(SealInPlace, AFailedSyncEndsItBeforeAnythingIsCut) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.drop();
  book.disk->kill();
  no_room_for_a_copy(book);
  book.disk->fail_next(Operation::sync_data, EIO);
  const auto cuts = book.disk->calls(Operation::truncate);
  EXPECT_THROW(book.open(), StorageError);
  EXPECT_EQ(book.disk->calls(Operation::truncate), cuts);
}

TEST(SealInPlace, AnotherBatchInThePlaceOfTheCachedOneIsSeen) {
  LogBook book;
  book.create();
  book.append_acknowledged(1, 30);
  book.append_acknowledged(1, 30);
  book.drop();
  book.disk->crash_keeping_all();
  // The cache shows another event than the disk, under checksums that fit; nobody synced it.
  const std::uint64_t offset = batch_ends(*book.disk, first_segment)[0];
  LogBook other(book);
  auto payload = other.disk->content(first_segment);
  const std::uint64_t end = batch_ends(*book.disk, first_segment)[1];
  const auto letter = std::find(payload.begin() + static_cast<std::ptrdiff_t>(offset + format::batch_header_bytes),
                                payload.begin() + static_cast<std::ptrdiff_t>(end), std::byte{'c'});
  ASSERT_NE(letter, payload.begin() + static_cast<std::ptrdiff_t>(end));
  *letter = std::byte{'z'};
  other.disk->write_durably(first_segment, payload);
  forge_payload_checksum(*other.disk, first_segment, offset);
  const auto forged = other.disk->content(first_segment);
  book.disk->remove_durably(witness_file);  // it would know the right chain
  {
    const auto file = book.disk->open(first_segment, OpenMode::read_write).file;
    const auto batch = std::span<const std::byte>(forged).subspan(offset, end - offset);
    ASSERT_EQ(file->write_at(offset, batch).bytes, batch.size());
    book.disk->fail_next(Operation::sync_data, EIO);
    ASSERT_EQ(file->sync_data(), EIO);
  }
  no_room_for_a_copy(book);
  expect_difference(book);
}

TEST(SealInPlace, ASealThatOnlyTheCacheHasIsNotTakenForDurable) {
  LogBook book;
  book.create();
  for (int i = 0; i < 3; ++i) book.append_acknowledged(1, 1500);
  book.disk->fail_next(Operation::sync, EIO);  // of the seal
  EXPECT_TRUE(std::holds_alternative<Unknown>(book.append(1, 5000)));
  ASSERT_TRUE(book.disk->fired());
  book.in_flight.clear();
  book.drop();
  book.disk->kill();
  no_room_for_a_copy(book);
  expect_difference(book);
  book.disk->heal();
  book.open();
  book.expect_promises_kept();
}

// ---- the copy ----

/// Something happens just before a file is created.
class Interrupted final : public PassingStorage {
 public:
  Interrupted(Storage& storage, std::string name, std::function<void()> happen)
      : PassingStorage(storage), name_(std::move(name)), happen_(std::move(happen)) {}

  Opened open(const std::string& name, OpenMode mode) override {
    if (mode == OpenMode::create && name == name_) happen_();
    return PassingStorage::open(name, mode);
  }

 private:
  std::string name_;
  std::function<void()> happen_;
};

TEST(RecoveredCopy, IsReadBackBeforeItTakesTheName) {
  LogBook book;
  book.create();
  book.append_acknowledged(1, 30);
  book.append_acknowledged(1, 30);
  book.drop();
  book.disk->crash_keeping_all();
  const std::uint64_t end = batch_ends(*book.disk, first_segment)[1];
  // What the inspection saw was the cache's; by the time of the copy the disk shows itself.
  Interrupted storage(*book.disk, "log/recovered.tmp", [&] { book.disk->flip_bit(first_segment, (end - 60) * 8); });
  try {
    const auto log = SegmentLog::open(storage, book.clock, book.random, small_segments(), book.opening);
    FAIL() << "opened";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("reads differently from the disk"));
  }
  EXPECT_FALSE(book.disk->read_only(first_segment)) << "the copy did not take its name";
}

TEST(RecoveredCopy, OfASealedSegmentHasItsSeal) {
  LogBook book;
  book.create();
  book.append_acknowledged(1, 30);
  book.drop();
  book.open();
  book.drop();
  book.disk->crash_keeping_all();
  book.disk->remove_durably(book.segments()[1]);  // as a crash behind the seal leaves it
  const std::uint64_t bits = book.disk->content(first_segment).size() * 8;
  Interrupted storage(*book.disk, "log/recovered.tmp", [&] { book.disk->flip_bit(first_segment, bits - 1); });
  EXPECT_THROW(static_cast<void>(SegmentLog::open(storage, book.clock, book.random, small_segments(), book.opening)),
               StorageError);
}

// ---- the witness ----

TEST(RecoveredWitness, SaysWhatRecoveryFoundBeforeAnythingIsAppended) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.leave_in_flight();
  book.disk->crash_keeping_all();
  EXPECT_EQ(LogReader(*book.disk).head().sequence, Sequence(1));
  book.open();
  EXPECT_EQ(LogReader(*book.disk).head(), book.log->tail()) << "whoever reads beside sees the event that survived";
  EXPECT_EQ(book.log->tail().sequence, Sequence(2));
  book.drop();
  book.disk->crash();
  book.disk->cut(first_segment, batch_ends(*book.disk, first_segment)[0]);
  EXPECT_THROW(book.open(), CorruptionError) << "and it may not be lost any more";
}

}  // namespace
}  // namespace daybook::test
