// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "daybook/log/log_reader.hpp"
#include "forge.hpp"

// Each check on its own: a log in which one thing is wrong, and nothing else, is refused by the check of that thing, in its
// words. What a single flipped bit does is in damage_test.cpp; there a checksum sees it first.

namespace daybook::test {
namespace {

using testing::HasSubstr;

/// A sealed segment with batches of epochs 1 and 2, and a second one of epoch 3 with two batches.
LogBook two_segments() {
  LogBook book;
  book.create();
  book.append_acknowledged(2, 30);
  book.close();
  book.open();
  book.append_acknowledged(2, 30);
  book.drop();
  book.open();
  book.append_acknowledged(2, 30);
  book.append_acknowledged(2, 30);
  book.drop();
  book.disk->crash_keeping_all();
  return book;
}

// ---- batches ----

TEST(Check, EachFieldOfABatchHeaderIsNamedWhenItIsWrong) {
  const LogBook start = two_segments();
  const struct {
    Damage reading;
    const char* said;
    void (*change)(format::BatchHeader&);
  } forgeries[] = {
      {Damage::foreign, "of another segment", [](format::BatchHeader& header) { header.salt ^= 1; }},
      {Damage::foreign, "of another place", [](format::BatchHeader& header) { header.offset += 8; }},
      {Damage::corrupt_middle, "a batch that begins with sequence 4, expected 3",
       [](format::BatchHeader& header) { header.first = header.first.next(); }},
      {Damage::corrupt_middle, "a batch of epoch 0 behind one of epoch 1",
       [](format::BatchHeader& header) { header.epoch = Epoch(0); }},
      {Damage::corrupt_middle, "a batch that continues chain hash",
       [](format::BatchHeader& header) { header.previous[5] ^= 1; }},
      {Damage::corrupt_sealed_segment, "batch payload checksum",
       [](format::BatchHeader& header) { header.payload_crc32c ^= 1; }},
  };
  for (const auto& forgery : forgeries) {
    LogBook book(start);
    forge_batch(*book.disk, first_segment, batch_ends(*book.disk, first_segment)[0], forgery.change);
    EXPECT_THAT(verify_says(book, Damage::corrupt_sealed_segment), HasSubstr(forgery.said));
    EXPECT_THAT(reading_says(book, forgery.reading), HasSubstr(forgery.said));
  }
}

TEST(Check, TheChainAtABadBatchIsDamageAndNotAbsence) {
  LogBook book = two_segments();
  const auto ends = batch_ends(*book.disk, first_segment);
  book.disk->flip_bit(first_segment, (ends[0] + 200) * 8);
  const LogReader reader(*book.disk);
  EXPECT_NE(reader.chain_at(Sequence(2)), std::nullopt);
  try {
    static_cast<void>(reader.chain_at(Sequence(4)));
    FAIL();
  } catch (const CorruptionError& error) {
    EXPECT_THAT(error.what(), HasSubstr("batch payload checksum"));
    EXPECT_EQ(error.place().sequence, Sequence(3));
  }
}

TEST(Check, NoChainIsToldBehindTheWitness) {
  LogBook book;
  book.create();
  book.append_acknowledged(1, 10);
  book.leave_in_flight(1, 10);
  const LogReader reader(*book.disk);
  EXPECT_NE(reader.chain_at(Sequence(1)), std::nullopt);
  EXPECT_EQ(reader.chain_at(Sequence(2)), std::nullopt);
}

// ---- seals ----

struct SealForgery {
  const char* of;
  void (*payload)(format::SealPayload&);
  void (*header)(format::BatchHeader&);
};

TEST(Check, EachFieldOfASealIsHeldAgainstTheSegment) {
  const LogBook start = two_segments();
  const SealForgery forgeries[] = {
      {"batches", [](format::SealPayload& seal) { ++seal.batches; }, nullptr},
      {"events", [](format::SealPayload& seal) { ++seal.events; }, nullptr},
      {"last", [](format::SealPayload& seal) { seal.last = seal.last.next(); }, nullptr},
      {"chain", [](format::SealPayload& seal) { seal.chain[3] ^= 1; }, nullptr},
      {"used bytes", [](format::SealPayload& seal) { seal.used_bytes += 8; }, nullptr},
  };
  for (const SealForgery& forgery : forgeries) {
    SCOPED_TRACE(forgery.of);
    LogBook book(start);
    forge_seal(*book.disk, first_segment, forgery.payload, forgery.header);
    EXPECT_THAT(verify_says(book, Damage::corrupt_sealed_segment), HasSubstr("a seal over"));
    EXPECT_THAT(reading_says(book, Damage::corrupt_middle), HasSubstr("a seal over"));
  }
}

// Opening reads no batch of a sealed segment, so its seal and its header must agree with each other.
TEST(Check, ASealThatContradictsItsPlaceIsSeenWithoutReadingTheSegment) {
  const LogBook start = two_segments();
  const SealForgery forgeries[] = {
      {"events", [](format::SealPayload& seal) { ++seal.events; }, nullptr},
      {"last",
       [](format::SealPayload& seal) {
         seal.last = seal.last.next();
         ++seal.events;
       },
       nullptr},
      {"chain", [](format::SealPayload& seal) { seal.chain[3] ^= 1; }, nullptr},
      {"used bytes", [](format::SealPayload& seal) { seal.used_bytes += 8; }, nullptr},
      {"epoch", nullptr, [](format::BatchHeader& header) { header.epoch = Epoch(0); }},
  };
  for (const SealForgery& forgery : forgeries) {
    SCOPED_TRACE(forgery.of);
    LogBook book(start);
    forge_seal(*book.disk, first_segment, forgery.payload, forgery.header);
    EXPECT_THAT(open_says(book, Damage::corrupt_sealed_segment), HasSubstr("a seal that contradicts its place"));
  }
  const SealForgery elsewhere[] = {
      {"salt", nullptr, [](format::BatchHeader& header) { header.salt ^= 1; }},
      {"offset", nullptr, [](format::BatchHeader& header) { header.offset -= 8; }},
      {"kind", nullptr,
       [](format::BatchHeader& header) {
         header.seal = false;
         header.count = 1;
       }},
  };
  for (const SealForgery& forgery : elsewhere) {
    SCOPED_TRACE(forgery.of);
    LogBook book(start);
    forge_seal(*book.disk, first_segment, forgery.payload, forgery.header);
    EXPECT_THAT(open_says(book, Damage::corrupt_sealed_segment), HasSubstr("a batch that is not the seal of this"));
  }
}

TEST(Check, ABitOfASealThatContradictsNothingIsSeenByItsChecksum) {
  LogBook book = two_segments();
  const std::uint64_t seal = batch_ends(*book.disk, first_segment).back() + format::batch_header_bytes;
  book.disk->flip_bit(first_segment, seal * 8);  // the count of batches, which opening does not count
  EXPECT_THAT(open_says(book, Damage::corrupt_sealed_segment), HasSubstr("seal payload checksum does not agree"));
}

TEST(Check, ASealedFileTooShortForItsSealIsNamedByItsSize) {
  LogBook book = two_segments();
  book.disk->cut(first_segment, 4200);
  EXPECT_THAT(open_says(book, Damage::corrupt_sealed_segment), HasSubstr("the file has 4200 bytes"));
}

TEST(Check, WhatVerifyFindsWrongAtTheEndOfASealedSegmentIsNamed) {
  const LogBook start = two_segments();
  const auto content = start.disk->content(first_segment);
  const std::uint64_t seal = batch_ends(*start.disk, first_segment).back();
  {
    LogBook book(start);
    auto longer = content;
    longer.resize(longer.size() + 8);
    book.disk->write_durably(first_segment, longer);
    EXPECT_THAT(verify_says(book, Damage::corrupt_sealed_segment), HasSubstr("the file goes on to offset"));
  }
  {
    LogBook book(start);
    book.disk->cut(first_segment, seal);
    EXPECT_THAT(verify_says(book, Damage::corrupt_sealed_segment), HasSubstr("a successor and ends without a seal"));
  }
  {
    LogBook book(start);
    book.disk->flip_bit(first_segment, seal * 8);
    EXPECT_THAT(verify_says(book, Damage::corrupt_sealed_segment), HasSubstr("bytes that begin with"));
  }
}

TEST(Check, BytesBehindTheSealOfALastSegmentAreDamage) {
  LogBook book = two_segments();
  book.disk->remove_durably(last_segment(book));
  book.disk->remove_durably(witness_file);
  EXPECT_EQ(open_says(book, std::nullopt), "");
  auto content = book.disk->content(first_segment);
  content.resize(content.size() + 100);
  content.back() = std::byte{1};
  book.disk->write_durably(first_segment, content);
  EXPECT_THAT(open_says(book, Damage::corrupt_sealed_segment), HasSubstr("not zero behind the seal"));
}

// ---- segments ----

TEST(Check, EachFieldOfASegmentHeaderIsHeldAgainstItsNameAndTheOneBefore) {
  const LogBook start = two_segments();
  const struct {
    Damage opening;
    const char* opening_says;
    Damage reading;
    const char* reading_says;
    void (*change)(format::SegmentHeader&);
  } forgeries[] = {
      {Damage::corrupt_middle, "begins with sequence 6, expected 5 by its name", Damage::foreign, "a segment of log",
       [](format::SegmentHeader& header) { header.first = header.first.next(); }},
      {Damage::foreign, "the segment is of log", Damage::foreign, "a segment of log",
       [](format::SegmentHeader& header) { header.log_uuid.bytes[3] ^= 1; }},
      {Damage::corrupt_middle, "the segment continues chain hash", Damage::corrupt_sealed_segment,
       "does not continue the one before it", [](format::SegmentHeader& header) { header.chain[0] ^= 1; }},
      {Damage::corrupt_middle, "the segment is of epoch 0, behind one of epoch", Damage::corrupt_sealed_segment,
       "does not continue the one before it", [](format::SegmentHeader& header) { header.epoch = Epoch(0); }},
  };
  for (const auto& forgery : forgeries) {
    LogBook book(start);
    forge_segment(*book.disk, last_segment(book), forgery.change);
    EXPECT_THAT(open_says(book, forgery.opening), HasSubstr(forgery.opening_says));
    EXPECT_THAT(reading_says(book, forgery.reading), HasSubstr(forgery.reading_says));
  }
}

TEST(Check, ASegmentUnderALaterNameLeavesAGap) {
  LogBook book = two_segments();
  const auto content = book.disk->content(last_segment(book));
  book.disk->remove_durably(last_segment(book));
  const std::string later = "log/00000000000000000006.seg";
  book.disk->write_durably(later, content);
  forge_segment(*book.disk, later, [](format::SegmentHeader& header) { header.first = Sequence(6); });
  EXPECT_THAT(open_says(book, Damage::corrupt_sealed_segment), HasSubstr("the segment is missing"));
  EXPECT_THAT(reading_says(book, Damage::corrupt_sealed_segment), HasSubstr("does not continue the one before it"));
}

TEST(Check, WithoutItsFirstSegmentALogIsNotRead) {
  LogBook book = two_segments();
  book.disk->remove_durably(first_segment);
  EXPECT_THAT(open_says(book, Damage::corrupt_sealed_segment), HasSubstr("the segment is missing"));
  EXPECT_THAT(reading_says(book, Damage::lost_acknowledged), HasSubstr("no segment holds this sequence"));
}

TEST(Check, WithoutAnySegmentTheWitnessSpeaks) {
  LogBook book = two_segments();
  for (const std::string& name : book.segments()) book.disk->remove_durably(name);
  EXPECT_THAT(open_says(book, Damage::lost_acknowledged), HasSubstr("the witness saw events synced up to sequence 8"));
  EXPECT_THAT(reading_says(book, Damage::lost_acknowledged), HasSubstr("the witness saw events synced up to"));
  try {
    const LogReader reader(*book.disk);
    FAIL() << "a reader of nothing";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), Damage::lost_acknowledged);
  }
}

TEST(Check, ReadingSaysWhereTheLogEndsTooEarly) {
  LogBook book = two_segments();
  const auto ends = batch_ends(*book.disk, last_segment(book));
  auto content = book.disk->content(last_segment(book));
  std::fill(content.begin() + static_cast<std::ptrdiff_t>(ends[0]), content.end(), std::byte{0});
  book.disk->write_durably(last_segment(book), content);
  EXPECT_THAT(reading_says(book, Damage::lost_acknowledged), HasSubstr("the log ends here, expected events up to"));
}

// ---- the witness ----

TEST(Check, EachFieldOfTheWitnessIsHeldAgainstTheLog) {
  const LogBook start = two_segments();
  void (*const changes[])(format::WitnessSlot&) = {
      [](format::WitnessSlot& slot) { slot.acknowledged = Sequence(7); },  // inside the last batch
      [](format::WitnessSlot& slot) { slot.chain[0] ^= 1; },
      [](format::WitnessSlot& slot) { slot.segment = Sequence(1); },
      [](format::WitnessSlot& slot) { slot.end_offset += 8; },
  };
  for (const auto change : changes) {
    LogBook book(start);
    forge_witness(*book.disk, change);
    EXPECT_THAT(open_says(book, Damage::foreign), HasSubstr("here is another history of it"));
  }
}

TEST(Check, TheWitnessOfTheEndOfASealedSegmentIsHeldAgainstItsSeal) {
  LogBook book;
  book.create();
  book.append_acknowledged(2, 30);
  book.drop();
  book.open();  // the second segment holds nothing, so the witness still speaks of the first
  book.drop();
  book.disk->crash_keeping_all();
  ASSERT_EQ(open_says(book, std::nullopt), "");
  forge_witness(*book.disk, [](format::WitnessSlot& slot) { slot.chain[0] ^= 1; });
  EXPECT_THAT(open_says(book, Damage::foreign), HasSubstr("the witness saw another history of this sequence"));
}

TEST(Check, ASlotThatStandsInTheOtherPlaceDoesNotCount) {
  LogBook book = two_segments();
  auto content = book.disk->content(witness_file);
  std::rotate(content.begin(), content.begin() + format::witness_slot_bytes, content.end());
  book.disk->write_durably(witness_file, content);
  LogBook copy(book);
  copy.open();
  EXPECT_THAT(copy.opening.note, HasSubstr("no slot of the witness"));
}

TEST(Check, AWitnessOfAnotherLengthUnderACleanMarkIsDamage) {
  LogBook book;
  book.create();
  book.append_acknowledged();
  book.close();
  auto content = book.disk->content(witness_file);
  content.resize(content.size() + 8);
  book.disk->write_durably(witness_file, content);
  EXPECT_THAT(verify_says(book, Damage::corrupt_middle), HasSubstr("the witness has 1032 bytes, expected 1024"));
}

TEST(Check, AWitnessOfANewerReleaseIsRefusedAsSuch) {
  LogBook book = two_segments();
  auto content = book.disk->content(witness_file);
  for (const std::uint64_t slot : {std::uint64_t{0}, std::uint64_t{format::witness_slot_bytes}}) {
    content[slot + 12] |= std::byte{2};  // a flag that this release does not know
    rechecksum(std::span(content).subspan(slot, format::witness_slot_bytes));
  }
  book.disk->write_durably(witness_file, content);
  EXPECT_THAT(open_says(book, Damage::unknown_format), HasSubstr("upgrade"));
}

}  // namespace
}  // namespace daybook::test
