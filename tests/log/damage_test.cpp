// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "daybook/log/log_reader.hpp"
#include "log_fixture.hpp"

// One bit of a cleanly closed log is flipped, each in turn: verify reports it with its place, and nobody ever reads other
// events because of it.

namespace daybook::test {
namespace {

// A sealed segment, a second one in use, and the witness.
LogBook small_closed_log(std::uint32_t alignment = 8) {
  LogOptions options = small_segments();
  options.commit_alignment = alignment;
  LogBook book(options);
  book.create();
  book.append_acknowledged(2, 20);
  book.append_acknowledged(1, 0);
  book.drop();
  book.open();
  book.append_acknowledged(2, 20);
  book.append_acknowledged(1, 0);
  book.close();
  book.disk->crash();
  return book;
}

std::vector<std::string> log_files(const LogBook& book) {
  std::vector<std::string> files = book.segments();
  files.push_back(witness_file);
  return files;
}

TEST(Verify, AnUndamagedLogIsClean) {
  LogBook book = small_closed_log();
  const LogVerdict verdict = verify_log(*book.disk);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
  EXPECT_EQ(verdict.events, 6u);
  EXPECT_EQ(verdict.batches, 4u);
  EXPECT_EQ(verdict.head.sequence, Sequence(6));
  ASSERT_EQ(verdict.segments.size(), 2u);
  EXPECT_TRUE(verdict.segments[0].sealed);
  EXPECT_EQ(verdict.segments[0].used_bytes, verdict.segments[0].bytes);
  EXPECT_EQ(verdict.segments[0].last, Sequence(3));
  EXPECT_FALSE(verdict.segments[1].sealed);
  EXPECT_LT(verdict.segments[1].used_bytes, verdict.segments[1].bytes);
}

TEST(Verify, EveryFlippedBitOfAClosedLogIsReportedWithItsPlace) {
  LogBook book = small_closed_log();
  for (const std::string& name : log_files(book)) {
    const std::uint64_t bits = book.disk->content(name).size() * 8;
    const std::uint64_t used = book.used_bytes(name) * 8;
    for (std::uint64_t bit = 0; bit < bits; bit += bit < used ? 1 : 61) {  // of the unused tail, some
      book.disk->flip_bit(name, bit);
      const LogVerdict verdict = verify_log(*book.disk);
      book.disk->flip_bit(name, bit);
      ASSERT_EQ(verdict.kind, LogVerdict::Kind::damaged) << name << " bit " << bit << ": " << verdict.message;
      ASSERT_EQ(verdict.place.path, name) << "bit " << bit << ": " << verdict.message;
      ASSERT_TRUE(verdict.place.offset.has_value()) << verdict.message;
      ASSERT_LE(*verdict.place.offset, bit / 8) << verdict.message;
    }
  }
}

TEST(Verify, EveryFlippedBitIsReportedInPaddedBatchesToo) {
  LogBook book = small_closed_log(512);
  const std::string name = book.segments().back();
  const std::uint64_t end = (book.used_bytes(name) + 511) / 512 * 512;
  for (std::uint64_t bit = std::uint64_t{4096} * 8; bit < end * 8; ++bit) {
    book.disk->flip_bit(name, bit);
    const LogVerdict verdict = verify_log(*book.disk);
    book.disk->flip_bit(name, bit);
    ASSERT_EQ(verdict.kind, LogVerdict::Kind::damaged) << "bit " << bit;
    ASSERT_EQ(verdict.place.path, name);
  }
}

TEST(Damage, NoFlippedBitIsEverReadAsSomethingElse) {
  const LogBook book = small_closed_log();
  int opened = 0;
  int refused = 0;
  for (const std::string& name : log_files(book)) {
    const std::uint64_t bits = (name == witness_file ? 1024 : book.used_bytes(name)) * 8;
    for (std::uint64_t bit = 0; bit < bits; ++bit) {
      const bool reserved = name != witness_file && bit / 8 > 200 && bit / 8 < 4090;
      if (reserved && bit % 7 != 0) continue;
      LogBook copy(book);
      copy.disk->flip_bit(name, bit);
      std::vector<RecordedEvent> events;
      try {
        copy.open();
        copy.log->read(Sequence(1), [&](const RecordedEvent& event) {
          events.push_back(event);
          return true;
        });
        ASSERT_EQ(events, book.acknowledged) << name << " bit " << bit;
        ++opened;
      } catch (const CorruptionError&) {
        ASSERT_TRUE(std::equal(events.begin(), events.end(), book.acknowledged.begin())) << name << " bit " << bit;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 10'000);
  EXPECT_EQ(opened, 2 * 512 * 8) << "only a bad slot of the witness can be lived with: the other says the same";
}

TEST(Verify, ATornTailIsANoteNotDamage) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.leave_in_flight(1, 100);
  book.disk->crash_keeping_all();
  const auto end = book.used_bytes(first_segment);
  book.disk->tear_tail(first_segment, 50);
  const LogVerdict verdict = verify_log(*book.disk);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::torn_tail);
  EXPECT_EQ(verdict.place.path, first_segment);
  EXPECT_EQ(verdict.place.sequence, Sequence(2));
  EXPECT_GT(verdict.torn_bytes, 0u);
  EXPECT_LT(verdict.torn_bytes, end - *verdict.place.offset);
  EXPECT_EQ(verdict.events, 1u);
}

TEST(Verify, ChangesNothing) {
  LogBook book = small_closed_log();
  const auto before = picture(*book.disk);
  const auto writes = book.disk->calls(Operation::write);
  static_cast<void>(verify_log(*book.disk));
  EXPECT_EQ(picture(*book.disk), before);
  EXPECT_EQ(book.disk->calls(Operation::write), writes);
}

TEST(Verify, WhatCannotBeReadIsAStorageError) {
  LogBook book = small_closed_log();
  book.disk->fail_at(Operation::read, 3, EIO);
  EXPECT_THROW(static_cast<void>(verify_log(*book.disk)), StorageError);
}

}  // namespace
}  // namespace daybook::test
