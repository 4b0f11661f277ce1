// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cerrno>

#include "format.hpp"
#include "log_fixture.hpp"

namespace daybook::test {
namespace {

using testing::HasSubstr;

TEST(SegmentLog, ANewLogIsEmptyAndBelongsToEpochOne) {
  LogBook book;
  EXPECT_FALSE(log_exists(*book.disk));
  book.create();
  EXPECT_TRUE(log_exists(*book.disk));
  EXPECT_EQ(book.opening.tail, TailStatus::created);
  EXPECT_EQ(book.log->epoch(), Epoch(1));
  EXPECT_EQ(book.log->tail(), Head{});
  EXPECT_EQ(book.opening.log_uuid, book.log->log_uuid());
  EXPECT_TRUE(book.read_all().empty());
}

TEST(SegmentLog, ASecondLogInTheSamePlaceIsRefused) {
  LogBook book;
  book.create();
  book.drop();
  EXPECT_THROW(book.create(), StorageError);
}

TEST(SegmentLog, OpeningWhereNoLogIsSaysSo) {
  LogBook book;
  try {
    book.open();
    FAIL();
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), Damage::foreign);
    EXPECT_THAT(error.what(), HasSubstr("no segment"));
  }
}

TEST(SegmentLog, EventsComeBackInOrderAcrossBatchesAndSegments) {
  LogBook book;
  book.create();
  for (std::uint32_t i = 1; i <= 30; ++i) book.append_acknowledged(1 + i % 3, 20 * i);
  EXPECT_GT(book.segments().size(), 2u);
  book.expect_promises_kept();
  EXPECT_EQ(book.log->costs().batches, 30u);
  EXPECT_EQ(book.log->costs().events, book.acknowledged.size());
}

TEST(SegmentLog, ReadingBeginsWhereAskedAndEndsWhenToldTo) {
  LogBook book;
  book.create();
  for (int i = 0; i < 20; ++i) book.append_acknowledged(3, 200);
  std::vector<std::uint64_t> seen;
  book.log->read(Sequence(17), [&](const RecordedEvent& event) {
    seen.push_back(event.sequence.value());
    return seen.size() < 5;
  });
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{17, 18, 19, 20, 21}));
  book.log->read(Sequence(61), [&](const RecordedEvent&) -> bool { throw std::logic_error("nothing is there"); });
}

TEST(SegmentLog, NothingIsAcknowledgedBeforeItIsSynced) {
  LogBook book;
  book.create();
  for (int i = 0; i < 30; ++i) {
    book.append_acknowledged(1, 300);
    for (const std::string& name : book.segments()) EXPECT_FALSE(book.disk->dirty(name)) << name;
  }
}

TEST(SegmentLog, OneAppendCostsOneSync) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  const auto before = book.disk->calls(Operation::sync_data) + book.disk->calls(Operation::sync);
  for (int i = 0; i < 5; ++i) book.append_acknowledged();
  EXPECT_EQ(book.disk->calls(Operation::sync_data) + book.disk->calls(Operation::sync), before + 5);
}

TEST(SegmentLog, AnotherEpochIsFencedAndAnotherHeadConflicts) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  BatchEncoder encoder;
  encoder.add(some_event(Sequence(2), Epoch(1)));
  const Head head = book.log->tail();
  const auto fenced = book.log->append(Epoch(7), head, encoder.batch(), Room::ordinary);
  ASSERT_TRUE(std::holds_alternative<Fenced>(fenced));
  EXPECT_EQ(std::get<Fenced>(fenced).epoch, Epoch(1));
  const auto conflict = book.log->append(Epoch(1), Head{}, encoder.batch(), Room::ordinary);
  ASSERT_TRUE(std::holds_alternative<Conflict>(conflict));
  EXPECT_EQ(std::get<Conflict>(conflict).head, head);
  EXPECT_EQ(book.log->tail(), head);
  book.append_acknowledged();
}

TEST(SegmentLog, AfterACleanCloseTheNextWriterGoesOnInTheSameSegment) {
  LogBook book;
  book.create();
  book.append_acknowledged(2);
  book.close();
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::clean);
  EXPECT_EQ(book.log->epoch(), Epoch(2));
  book.append_acknowledged(2);
  EXPECT_EQ(book.segments().size(), 1u);
  book.expect_promises_kept();
  book.close();
  book.open();
  EXPECT_EQ(book.log->epoch(), Epoch(3));
  book.expect_promises_kept();
}

TEST(SegmentLog, TheMarkOfACleanCloseIsRevokedDurablyBeforeTheFirstWrite) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.close();
  book.open();
  book.disk->crash();
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::unclean);
}

TEST(SegmentLog, AfterAnUncleanEndTheNextWriterBeginsANewSegment) {
  LogBook book;
  book.create();
  book.append_acknowledged(2);
  book.drop();
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::unclean);
  ASSERT_EQ(book.segments().size(), 2u);
  EXPECT_TRUE(book.disk->read_only(first_segment));
  EXPECT_EQ(book.disk->content(first_segment).size(), book.used_bytes(first_segment));
  book.append_acknowledged();
  book.expect_promises_kept();
}

TEST(SegmentLog, UncleanEndsWithoutEventsDoNotPileUpSegments) {
  LogBook book;
  book.create();
  for (int i = 0; i < 5; ++i) {
    book.drop();
    book.open();
  }
  EXPECT_EQ(book.segments().size(), 1u);
  book.append_acknowledged();
  for (int i = 0; i < 5; ++i) {
    book.drop();
    book.open();
  }
  EXPECT_EQ(book.segments().size(), 2u);
  book.expect_promises_kept();
}

TEST(SegmentLog, AnEpochIsNeverUsedTwice) {
  LogBook book;
  book.create();
  std::uint64_t last = 1;
  for (int i = 0; i < 6; ++i) {
    if (i % 2 == 0) book.append_acknowledged();
    if (i % 3 == 0) {
      book.close();
    } else {
      book.drop();
      book.disk->crash();
    }
    book.open();
    EXPECT_GT(book.log->epoch().value(), last);
    last = book.log->epoch().value();
  }
}

TEST(SegmentLog, SegmentsGrowFromTheSmallestToTheLargestSize) {
  LogBook book;
  book.create();
  EXPECT_EQ(book.disk->content(first_segment).size(), 10u * 1024);
  while (book.segments().size() < 3) book.append_acknowledged(1, 2000);
  EXPECT_EQ(book.disk->content(book.segments()[2]).size(), 20u * 1024);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(book.disk->read_only(book.segments()[i]));
    EXPECT_EQ(book.disk->content(book.segments()[i]).size(), book.used_bytes(book.segments()[i]));
  }
}

TEST(SegmentLog, ABatchLargerThanASegmentGetsOneOfItsOwnSize) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.append_acknowledged(4, 20'000);
  book.append_acknowledged();
  book.drop();
  book.open();
  book.expect_promises_kept();
}

TEST(SegmentLog, ABatchOverTheLimitIsRefusedAndNothingChanges) {
  LogOptions options = small_segments();
  options.batch_bytes_max = 1000;
  LogBook book(options);
  book.create();
  EXPECT_EQ(book.log->largest_batch_bytes(), 1000u);
  EXPECT_TRUE(std::holds_alternative<Full>(book.append(1, 2000)));
  EXPECT_TRUE(book.log->writable());
  book.append_acknowledged();
}

TEST(SegmentLog, BatchesBeginAtTheCommitAlignment) {
  for (const std::uint32_t alignment : {512u, 4096u}) {
    LogOptions options = small_segments();
    options.commit_alignment = alignment;
    options.segment_bytes_min = options.segment_bytes_max = 64 * 1024;
    LogBook book(options);
    book.create();
    for (int i = 0; i < 3; ++i) book.append_acknowledged(1, 100);
    const auto content = book.disk->content(first_segment);
    for (std::uint64_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(format::parse_batch_header(std::span(content).subspan(4096 + i * alignment)));
    }
    book.drop();
    book.open();
    book.append_acknowledged(1, 100);
    book.close();
    book.open();
    book.expect_promises_kept();
    EXPECT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::unclean_end);
  }
}

TEST(SegmentLog, ShortTransfersAreCarriedOn) {
  LogBook book;
  book.disk->transfer_at_most(100);
  book.create();
  for (int i = 0; i < 20; ++i) book.append_acknowledged(2, 300);
  book.drop();
  book.open();
  book.expect_promises_kept();
}

TEST(SegmentLog, WhereNothingCanBeReservedZerosAreWritten) {
  LogBook book;
  book.disk->fail_next(Operation::allocate, EOPNOTSUPP);
  book.create();
  EXPECT_EQ(book.disk->content(first_segment).size(), 10u * 1024);
  book.append_acknowledged();
  book.disk->crash();
  book.open();
  book.expect_promises_kept();
}

// ---- failures ----

TEST(SegmentLog, AFailedWriteOrSyncPoisonsTheWriterAndReadingGoesOn) {
  for (const Operation operation : {Operation::write, Operation::sync_data}) {
    LogBook book;
    book.create();
    book.append_acknowledged();
    book.disk->fail_next(operation, EIO);
    const auto failed = book.append();
    ASSERT_TRUE(std::holds_alternative<Unknown>(failed));
    EXPECT_EQ(std::get<Unknown>(failed).error_number, EIO);
    EXPECT_THAT(std::get<Unknown>(failed).what, HasSubstr(first_segment));
    EXPECT_FALSE(book.log->writable());
    const auto writes = book.disk->calls(Operation::write);
    EXPECT_TRUE(std::holds_alternative<Unknown>(book.append()));
    book.log->settle();
    book.log->close();
    EXPECT_EQ(book.disk->calls(Operation::write), writes) << "a poisoned log writes nothing";
    EXPECT_EQ(book.read_all(), book.acknowledged);
    book.in_flight = {some_event(Sequence(2), Epoch(1))};
    book.drop();
    book.open();
    EXPECT_NE(book.opening.tail, TailStatus::clean);
    book.expect_promises_kept();
  }
}

TEST(SegmentLog, WhatOnlyThePageCacheHasAfterAFailedSyncIsDurableOnceItIsShown) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.disk->fail_next(Operation::sync_data, EIO);
  static_cast<void>(book.append());
  book.drop();
  book.disk->kill();  // the cache goes on showing the batch; another sync would succeed without it
  book.open();
  book.expect_promises_kept();
  EXPECT_EQ(book.acknowledged.size(), 2u);
  book.drop();
  book.disk->crash();
  book.open();
  book.expect_promises_kept();
}

TEST(SegmentLog, ABatchThatWasSyncedIsAcknowledgedEvenWhenTheWitnessFails) {
  LogBook book;
  book.create();
  book.disk->fail_at(Operation::write, 2, EIO);  // the batch, then the witness
  EXPECT_TRUE(std::holds_alternative<Committed>(book.append()));
  EXPECT_FALSE(book.log->writable());
  EXPECT_TRUE(std::holds_alternative<Unknown>(book.append()));
  book.in_flight.clear();
  book.disk->crash();
  book.open();
  book.expect_promises_kept();
}

TEST(SegmentLog, AppendsSyncTheWitnessAtMostOnceASecondAndSettlingAlways) {
  LogBook book;
  book.create();
  const auto syncs = [&] { return book.disk->calls(Operation::sync_data); };
  const auto before = syncs();
  book.append_acknowledged();
  EXPECT_EQ(syncs(), before + 1);
  EXPECT_TRUE(book.disk->dirty(witness_file));
  book.log->settle();
  EXPECT_EQ(syncs(), before + 2) << "behind, however short the time since the last sync";
  EXPECT_FALSE(book.disk->dirty(witness_file));
  book.append_acknowledged();
  EXPECT_EQ(syncs(), before + 3) << "settling counts: for an append it is not due again";
  EXPECT_TRUE(book.disk->dirty(witness_file));
  book.log->settle();
  book.clock.advance(std::chrono::seconds(5));
  book.log->settle();
  EXPECT_EQ(syncs(), before + 4) << "nothing was behind";
  book.append_acknowledged();
  EXPECT_EQ(syncs(), before + 6) << "an append syncs it as well, when it is due";
}

// ---- a full disk ----

TEST(SegmentLog, OnAFullDiskNewWorkIsRefusedAndTheReserveGoesOn) {
  LogBook book;
  book.create();
  book.disk->set_free_bytes(5'000);  // the next segment is allocated already
  int ordinary = 0;
  while (std::holds_alternative<Committed>(book.append(1, 400, Room::ordinary))) ++ordinary;
  EXPECT_GT(ordinary, 3);
  EXPECT_FALSE(book.log->has_room());
  EXPECT_TRUE(book.log->writable());
  int reserve = 0;
  while (std::holds_alternative<Committed>(book.append(1, 400, Room::reserve))) ++reserve;
  EXPECT_GT(reserve, 3) << "the reserve is worth a good part of a segment";
  EXPECT_TRUE(std::holds_alternative<Full>(book.append(1, 400, Room::reserve)));
  EXPECT_TRUE(book.log->writable());
  book.expect_promises_kept();

  book.disk->set_free_bytes(1'000'000);
  book.log->settle();
  EXPECT_TRUE(book.log->has_room());
  EXPECT_TRUE(std::holds_alternative<Committed>(book.append(1, 400, Room::ordinary)));
}

TEST(SegmentLog, RecoveryManagesOnAFullDisk) {
  LogBook book;
  book.create();
  book.disk->set_free_bytes(5'000);
  while (std::holds_alternative<Committed>(book.append(1, 400, Room::reserve))) {
  }
  book.drop();
  book.disk->crash();
  book.disk->set_free_bytes(0);
  const auto full = book.disk->clone();
  try {
    book.open();
    book.expect_promises_kept();
  } catch (const StorageError& error) {
    EXPECT_EQ(error.error_number(), ENOSPC);
    book.disk->set_free_bytes(100'000);
    book.open();
    book.expect_promises_kept();
  }
}

TEST(SegmentLog, WhereThereIsNoRoomForACopyTheLastSegmentIsSealedInPlace) {
  LogBook book;
  book.create();
  for (int i = 0; i < 4; ++i) book.append_acknowledged(1, 200);
  book.drop();
  book.disk->crash();
  book.disk->remove_durably("log/next.tmp");
  book.disk->fail_next(Operation::allocate, ENOSPC);
  book.open();
  EXPECT_EQ(book.segments().size(), 2u);
  EXPECT_TRUE(book.disk->read_only(first_segment));
  book.expect_promises_kept();
  EXPECT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::unclean_end);
}

// ---- reading beside ----

std::vector<RecordedEvent> read_all(const LogReader& reader, Sequence from = Sequence(1)) {
  std::vector<RecordedEvent> events;
  reader.read(from, [&](const RecordedEvent& event) {
    events.push_back(event);
    return true;
  });
  return events;
}

TEST(LogReader, ReadsBesideAWriterUpToTheWitness) {
  LogBook book;
  book.create();
  for (int i = 0; i < 30; ++i) {
    book.append_acknowledged(2, 300);
    const LogReader reader(*book.disk);
    EXPECT_EQ(reader.head(), book.log->tail());
    EXPECT_EQ(reader.log_uuid(), book.log->log_uuid());
    ASSERT_EQ(read_all(reader), book.acknowledged);
  }
  const auto writes = book.disk->calls(Operation::write);
  const LogReader reader(*book.disk);
  static_cast<void>(read_all(reader, Sequence(31)));
  EXPECT_EQ(book.disk->calls(Operation::write), writes);
}

TEST(LogReader, GoesOnReadingWhileTheWriterRotatesAndRecovers) {
  LogBook book;
  book.create();
  for (int i = 0; i < 5; ++i) book.append_acknowledged(2, 300);
  const LogReader reader(*book.disk);
  const auto then = book.acknowledged;
  for (int i = 0; i < 20; ++i) book.append_acknowledged(2, 300);
  EXPECT_EQ(read_all(reader), then);
  book.drop();
  book.open();
  EXPECT_EQ(read_all(reader), then);
}

TEST(LogReader, DoesNotShowTheBatchInFlight) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.leave_in_flight();
  const LogReader reader(*book.disk);
  EXPECT_EQ(read_all(reader), book.acknowledged);
}

TEST(LogReader, WithoutAWitnessReadsToTheLastWholeBatch) {
  LogBook book;
  book.create();
  for (int i = 0; i < 5; ++i) book.append_acknowledged(1, 100);
  book.drop();
  book.disk->remove_durably(witness_file);
  book.disk->tear_tail(first_segment, 20);
  const LogReader reader(*book.disk);
  book.acknowledged.pop_back();
  EXPECT_EQ(read_all(reader), book.acknowledged);
}

TEST(LogReader, KnowsTheChainAtTheEndOfEachBatchAndNowhereElse) {
  LogBook book;
  book.create();
  std::vector<Head> heads;
  for (int i = 0; i < 20; ++i) {
    book.append_acknowledged(2, 300);
    heads.push_back(book.log->tail());
  }
  const LogReader reader(*book.disk);
  EXPECT_EQ(reader.chain_at(Sequence(0)), Hash{});
  for (const Head& head : heads) {
    EXPECT_EQ(reader.chain_at(head.sequence), head.chain);
    EXPECT_EQ(reader.chain_at(Sequence(head.sequence.value() - 1)), std::nullopt);
  }
  EXPECT_EQ(reader.chain_at(Sequence(41)), std::nullopt);
}

TEST(LogReader, StopsAtDamageAndNamesThePlace) {
  LogBook book;
  book.create();
  for (int i = 0; i < 4; ++i) book.append_acknowledged(1, 100);
  book.disk->flip_bit(first_segment, (batch_ends(*book.disk, first_segment)[0] + 200) * 8);
  const LogReader reader(*book.disk);
  try {
    static_cast<void>(read_all(reader));
    FAIL();
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.place().path, first_segment);
    EXPECT_TRUE(error.place().offset.has_value());
    EXPECT_EQ(error.place().sequence, Sequence(2));
  }
}

}  // namespace
}  // namespace daybook::test
