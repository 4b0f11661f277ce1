// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/synced_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "archive_fixture.hpp"
#include "forge.hpp"
#include "support/interrupted_storage.hpp"

// Copies of a log's files: on the disk when they are told to be, and as long as the witness says.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;

/// Of each form one, and two plain ones.
LogBook book_of_every_form() {
  LogBook book = book_of(4);
  static_cast<void>(drop_next(*book.disk, everything));
  static_cast<void>(archive_next(*book.disk, everything));
  book.close();
  return book;
}

TEST(SyncedCopies, AreThereAfterALossOfPower) {
  LogBook book = book_of_every_form();
  MemoryStorage into;
  std::vector<Sequence> told;
  const SyncedCopy copied = copy_synced(*book.disk, into, [&](Sequence last) { told.push_back(last); });
  into.crash();
  EXPECT_EQ(copied.segments, told.size());
  EXPECT_EQ(told.back(), copied.head.sequence);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  expect_readable_as_acknowledged(into, book.acknowledged);
  const LogVerdict verdict = verify_log(into);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::unclean_end) << verdict.message;
  EXPECT_EQ(verdict.head, copied.head);
  EXPECT_EQ(verdict.segments.front().form, SegmentForm::dropped);
}

TEST(SyncedCopies, AreSyncedSegmentBySegmentBeforeAnybodyIsTold) {
  LogBook book = book_of_every_form();
  MemoryStorage into;
  static_cast<void>(copy_synced(*book.disk, into, [&](Sequence) {
    for (const std::string& name : into.names()) EXPECT_FALSE(into.dirty(name)) << name;
  }));
}

TEST(SyncedCopies, OfAFolderAreThereAfterALossOfPower) {
  MemoryStorage from;
  from.write_durably("snapshots/one", std::vector<std::byte>(10, std::byte{7}));
  from.write_durably("snapshots/two.tmp", std::vector<std::byte>(5));
  MemoryStorage into;
  EXPECT_EQ(copy_folder(from, into, "snapshots"), 10U);
  into.crash();
  EXPECT_TRUE(into.has_folder("snapshots"));
  EXPECT_EQ(into.names(), std::vector<std::string>{"snapshots/one"});
  EXPECT_EQ(into.content("snapshots/one"), from.content("snapshots/one"));
}

TEST(SyncedCopies, OfAFolderThatIsNotThereAreNone) {
  MemoryStorage from;
  MemoryStorage into;
  EXPECT_EQ(copy_folder(from, into, "snapshots"), 0U);
  from.fail_next(Operation::list, EIO);
  EXPECT_THROW(static_cast<void>(copy_folder(from, into, "snapshots")), StorageError);
}

TEST(SyncedCopies, AFileOfAFolderThatGoesMeanwhileIsLeftOut) {
  MemoryStorage from;
  from.write_durably("snapshots/one", std::vector<std::byte>(10));
  from.write_durably("snapshots/two", std::vector<std::byte>(10));
  MemoryStorage into;
  Interrupted living(from, 2, [&] { from.remove_durably("snapshots/one"); });  // behind the listing
  EXPECT_EQ(copy_folder(living, into, "snapshots"), 10U);
  EXPECT_EQ(into.names(), std::vector<std::string>{"snapshots/two"});
}

TEST(SyncedCopies, ASegmentThatEndsBeforeTheWitnessDoesIsDamage) {
  LogBook book;
  book.create();
  book.append_acknowledged(2, 30);
  book.append_acknowledged(2, 30);
  const auto ends = batch_ends(*book.disk, first_segment);
  book.drop();
  book.disk->crash_keeping_all();
  book.disk->cut(first_segment, ends[0]);
  MemoryStorage into;
  try {
    static_cast<void>(copy_synced(*book.disk, into));
    FAIL() << "copied";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), Damage::lost_acknowledged);
    EXPECT_EQ(error.place().path, first_segment);
    EXPECT_EQ(error.place().offset, ends[0]);
    EXPECT_THAT(error.what(), HasSubstr("the witness saw events synced up to sequence 4"));
  }
}

TEST(SyncedCopies, WithoutAWitnessTheLastProvedBatchIsTheEnd) {
  for (const bool archived : {false, true}) {
    LogBook book = book_of(2);
    book.drop();
    book.open();  // an empty segment behind the last event
    if (archived) archive_all(*book.disk);
    book.drop();
    book.disk->crash();
    book.disk->remove_durably(witness_file);
    MemoryStorage into;
    const SyncedCopy copied = copy_synced(*book.disk, into);
    EXPECT_EQ(copied.head.sequence.value(), book.acknowledged.size());
    EXPECT_EQ(copied.segments, 3U);
    expect_readable_as_acknowledged(into, book.acknowledged);
    EXPECT_EQ(verify_log(into).kind, LogVerdict::Kind::unclean_end) << verify_log(into).message;
  }
}

TEST(SyncedCopies, OfALogWithoutAnEventAreRefusedWithAndWithoutAWitness) {
  LogBook book;
  book.create();
  book.drop();
  MemoryStorage into;
  for (const bool witness : {true, false}) {
    if (!witness) book.disk->remove_durably(witness_file);
    try {
      static_cast<void>(copy_synced(*book.disk, into));
      ADD_FAILURE() << "copied";
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), ENODATA);
      EXPECT_THAT(error.what(), HasSubstr("holds no event yet"));
    }
  }
}

}  // namespace
}  // namespace daybook::test
