// SPDX-License-Identifier: Apache-2.0

// Not a byte is free: what the log still does, and for how long.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "daybook/core/error.hpp"
#include "daybook/log/log_reader.hpp"
#include "log_fixture.hpp"

namespace daybook::test {
namespace {

using namespace std::chrono_literals;

const std::string reserve = "log/next.tmp";

TEST(FullDisk, AClosedLogKeepsItsReserve) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.close();
  EXPECT_TRUE(book.disk->exists(reserve));
}

// At every length that a log can have when it is closed, so also with the last segment used up.
TEST(FullDisk, AClosedLogOpensAndGoesOnWithoutAFreeByte) {
  LogBook book;
  book.create();
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE(i);
    book.append_acknowledged(1, 100);
    LogBook other(book);
    other.disk->set_free_bytes(std::nullopt);
    other.open();
    other.close();
    other.disk->set_free_bytes(0);
    other.open();
    EXPECT_FALSE(other.log->has_room());
    for (int more = 0; more < 5; ++more) other.append_acknowledged(1, 100);
    other.close();
    other.open();
    other.append_acknowledged(1, 100);
    other.expect_promises_kept();
  }
}

TEST(FullDisk, ALogThatWasNotClosedRecoversAndGoesOnWithoutAFreeByte) {
  LogBook book;
  book.create();
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE(i);
    book.append_acknowledged(1, 100);
    book.log->settle();
    LogBook other(book);
    other.disk->kill();
    other.disk->set_free_bytes(0);
    for (int crash = 0; crash < 2; ++crash) {  // each takes of the reserve what it began a segment with
      SCOPED_TRACE(crash);
      ASSERT_NO_THROW(other.open());
      EXPECT_FALSE(other.log->has_room());
      for (int more = 0; more < 3; ++more) other.append_acknowledged(1, 100);
      other.expect_promises_kept();
      other.drop();
      other.disk->crash();
    }
  }
}

TEST(FullDisk, AnOpeningThatDiedBeforeItsFirstEventDoesNotKeepTheNextOneOut) {
  LogBook book;
  book.create();
  for (int i = 0; i < 3; ++i) book.append_acknowledged(1, 100);
  book.log->settle();
  book.drop();
  book.disk->crash();
  book.disk->set_free_bytes(0);
  for (int i = 0; i < 6; ++i) {
    book.open();
    book.drop();
    book.disk->crash();
  }
  book.open();
  book.append_acknowledged();
  book.expect_promises_kept();
}

LogBook torn_book() {
  LogBook book;
  book.create();
  for (int i = 0; i < 4; ++i) book.append_acknowledged(1, 100);
  const std::string segment = book.segments().back();
  book.leave_in_flight(1, 2000);
  book.disk->crash_keeping_all();
  book.disk->tear_tail(segment, 100);
  return book;
}

TEST(FullDisk, ATornTailIsCutAndKeptInTheRoomThatSealingGivesBack) {
  LogBook book = torn_book();
  book.disk->set_free_bytes(0);
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::torn);
  EXPECT_GT(book.opening.bytes_cut, 0u);
  EXPECT_EQ(book.opening.cut_sha256.size(), 32u);
  EXPECT_TRUE(book.disk->exists(book.opening.quarantine));
  book.expect_promises_kept();
}

TEST(FullDisk, AFolderThatCannotBeMadeForTheCutBytesIsTriedAgain) {
  LogBook book = torn_book();
  book.disk->fail_next(Operation::make_folder, ENOSPC);
  book.open();
  EXPECT_TRUE(book.disk->fired());
  EXPECT_TRUE(book.disk->exists(book.opening.quarantine));
}

TEST(FullDisk, AReserveThatIsNotBlankIsBlankedBeforeItIsUsed) {
  LogBook book;
  book.create();
  for (int i = 0; i < 4; ++i) book.append_acknowledged(1, 100);
  book.close();
  auto content = book.disk->content(reserve);
  for (std::size_t at = 0; at < content.size(); at += 97) content[at] = std::byte{0xa5};
  book.disk->write_durably(reserve, content);
  book.disk->set_free_bytes(0);
  book.open();
  const std::size_t before = book.segments().size();
  while (book.segments().size() == before) book.append_acknowledged(1, 100);
  book.expect_promises_kept();
  book.drop();
  book.disk->crash();
  book.open();
  book.expect_promises_kept();
}

TEST(FullDisk, WithRoomEnoughAReserveOfOldIsMadeAnew) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.close();
  const auto reads = book.disk->calls(Operation::read);
  book.disk->write_durably(reserve, std::vector<std::byte>(64 * 1024, std::byte{0xa5}));
  book.open();
  EXPECT_LT(book.disk->calls(Operation::read) - reads, 20u);
  while (book.segments().size() == 1) book.append_acknowledged(1, 100);
  book.append_acknowledged(1, 100);
  book.expect_promises_kept();
}

TEST(FullDisk, RoomIsLookedForBySettlingAndNotWithEachAppend) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.close();
  book.disk->set_free_bytes(0);
  book.open();
  ASSERT_FALSE(book.log->has_room());
  const auto asked = book.disk->calls(Operation::free_bytes);
  for (int i = 0; i < 20; ++i) book.append_acknowledged();
  EXPECT_EQ(book.disk->calls(Operation::free_bytes), asked);
  book.disk->set_free_bytes(10'000'000);
  book.log->settle();
  EXPECT_TRUE(book.log->has_room());
}

}  // namespace
}  // namespace daybook::test
