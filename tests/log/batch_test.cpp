// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include "crc32c.hpp"
#include "daybook/core/error.hpp"
#include "daybook/log/journal.hpp"
#include "event_codec.hpp"
#include "event_samples.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

using ::testing::HasSubstr;

EncodedBatch batch_of(const std::vector<RecordedEvent>& events) {
  BatchEncoder encoder;
  for (const RecordedEvent& event : events) encoder.add(event);
  return encoder.batch();
}

std::vector<RecordedEvent> few() {
  auto events = sample_events();
  return {events[11], events[12], events[13]};
}

/// Nothing: the batch was read.
std::optional<CorruptionError> refusal_of(const EncodedBatch& batch) {
  try {
    (void)decode_batch(batch);
    return std::nullopt;
  } catch (const CorruptionError& error) {
    return error;
  }
}

TEST(Batch, ReadsBackAsItWasWritten) {
  const auto events = sample_events();
  const EncodedBatch batch = batch_of(events);
  EXPECT_EQ(batch.first, Sequence(1));
  EXPECT_EQ(batch.count, events.size());
  EXPECT_EQ(batch.bytes.size() % 8, 0U);
  EXPECT_EQ(decode_batch(batch), events);
}

RC_GTEST_PROP(Batch, DecodingIsTheInverseOfEncoding, (std::vector<RecordedEvent> events)) {
  const auto first = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
  for (std::size_t i = 0; i < events.size(); ++i) events[i].sequence = Sequence(first + i);
  RC_ASSERT(decode_batch(batch_of(events)) == events);
}

TEST(Batch, TellsHowManyBytesEachEventTakes) {
  BatchEncoder encoder;
  std::size_t sum = 0;
  for (const RecordedEvent& event : sample_events()) sum += encoder.add(event);
  EXPECT_EQ(sum, encoder.batch().bytes.size());
}

TEST(Batch, AnEmptyBatchIsEmpty) {
  EXPECT_TRUE(decode_batch({}).empty());
}

TEST(Batch, TheSameEventsGiveTheSameBytesFromAUsedEncoder) {
  BatchEncoder encoder;
  for (const RecordedEvent& event : sample_events()) encoder.add(event);
  encoder.clear();
  EXPECT_EQ(encoder.batch().count, 0U);
  for (const RecordedEvent& event : few()) encoder.add(event);
  EXPECT_EQ(encoder.batch().first, Sequence(12));
  EXPECT_EQ(encoder.batch().bytes, batch_of(few()).bytes);
}

TEST(Batch, MessagesAreTheStoredBytesOfEachEvent) {
  const auto events = few();
  const EncodedBatch batch = batch_of(events);
  std::size_t at = 0;
  each_message(batch.bytes, batch.count, [&](std::span<const std::byte> message) {
    EXPECT_EQ(decode_event(message), events[at++]);
    return true;
  });
  EXPECT_EQ(at, events.size());
}

TEST(Batch, AVisitorThatHasEnoughIsLeftAlone) {
  const EncodedBatch batch = batch_of(few());
  int visits = 0;
  each_event(batch.bytes, batch.first, batch.count, [&](const RecordedEvent&) { return ++visits < 2; });
  EXPECT_EQ(visits, 2);
}

TEST(Batch, IsReadAtAnyAlignment) {
  const EncodedBatch batch = batch_of(few());
  for (std::size_t shift = 1; shift < 8; ++shift) {
    std::vector<std::byte> buffer(shift + batch.bytes.size());
    std::memcpy(buffer.data() + shift, batch.bytes.data(), batch.bytes.size());
    std::vector<RecordedEvent> read;
    each_event(std::span(buffer).subspan(shift), batch.first, batch.count, [&](const RecordedEvent& event) {
      read.push_back(event);
      return true;
    });
    EXPECT_EQ(read, few());
  }
}

TEST(Batch, EveryTruncationIsRefused) {
  const EncodedBatch whole = batch_of(sample_events());
  for (std::size_t length = 0; length < whole.bytes.size(); ++length) {
    EncodedBatch cut = whole;
    cut.bytes.resize(length);
    const auto refusal = refusal_of(cut);
    ASSERT_TRUE(refusal) << length;
    ASSERT_EQ(refusal->damage(), Damage::foreign);
  }
}

TEST(Batch, BytesBehindTheLastEventAreRefused) {
  EncodedBatch batch = batch_of(few());
  batch.bytes.resize(batch.bytes.size() + 8);
  ASSERT_TRUE(refusal_of(batch));
  EXPECT_THAT(refusal_of(batch)->what(), HasSubstr("8 bytes are left behind the last of 3 events"));
}

TEST(Batch, ACountThatDiffersIsRefused) {
  EncodedBatch batch = batch_of(few());
  ++batch.count;
  EXPECT_TRUE(refusal_of(batch));
  batch.count -= 2;
  EXPECT_TRUE(refusal_of(batch));
  batch.count = 0xFFFFFFFF;
  EXPECT_TRUE(refusal_of(batch));
}

TEST(Batch, ASequenceOutOfPlaceIsRefused) {
  EncodedBatch moved = batch_of(few());
  moved.first = moved.first.next();
  ASSERT_TRUE(refusal_of(moved));
  EXPECT_THAT(refusal_of(moved)->what(), HasSubstr("event of sequence 12, expected 13"));

  EncodedBatch gap = batch_of({few()[0]});
  const EncodedBatch later = batch_of({few()[2]});
  gap.bytes.insert(gap.bytes.end(), later.bytes.begin(), later.bytes.end());
  gap.count = 2;
  EXPECT_TRUE(refusal_of(gap));
}

TEST(Batch, ALengthThatNoEventHasIsRefusedAsSuch) {
  for (const auto length : {std::byte{0}, std::byte{12}}) {
    EncodedBatch batch;
    batch.count = 1;
    batch.bytes.resize(24);
    batch.bytes[0] = length;
    ASSERT_TRUE(refusal_of(batch));
    EXPECT_THAT(refusal_of(batch)->what(), HasSubstr("expected a multiple of 8 from 8 to 16"));
  }
}

TEST(Batch, AWordBesideTheLengthIsRefused) {
  EncodedBatch batch = batch_of(few());
  batch.bytes[4] = std::byte{1};
  EXPECT_TRUE(refusal_of(batch));
}

TEST(Batch, AnErrorNamesTheFileTheOffsetAndTheSequence) {
  const EncodedBatch batch = batch_of(few());
  try {
    each_event(batch.bytes, Sequence(40), batch.count, [](const RecordedEvent&) { return true; },
               {"log/1.seg", 4224, {}});
    FAIL() << "the sequence is wrong";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.place().path, "log/1.seg");
    EXPECT_EQ(error.place().offset, 4224U);
    EXPECT_EQ(error.place().sequence, Sequence(40));
  }
}

// The codec alone cannot know a changed number from a right one; the checksum in front of it can.
TEST(Batch, EveryFlippedBitChangesTheChecksumAndAtWorstThrows) {
  EncodedBatch batch = batch_of(few());
  const std::uint32_t checksum = crc32c(batch.bytes);
  for (std::size_t bit = 0; bit < batch.bytes.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    batch.bytes[bit / 8] ^= mask;
    ASSERT_NE(crc32c(batch.bytes), checksum);
    ASSERT_NO_FATAL_FAILURE((void)refusal_of(batch));
    batch.bytes[bit / 8] ^= mask;
  }
}

TEST(Batch, ManyChangedBytesAtWorstThrow) {
  const EncodedBatch whole = batch_of(sample_events());
  std::mt19937_64 engine(20261121);
  for (int round = 0; round < 2000; ++round) {
    EncodedBatch batch = whole;
    const auto changes = 1 + engine() % 16;
    for (std::uint64_t i = 0; i < changes; ++i)
      batch.bytes[engine() % batch.bytes.size()] = static_cast<std::byte>(engine());
    (void)refusal_of(batch);
  }
}

RC_GTEST_PROP(Batch, RandomBytesAtWorstThrow, ()) {
  EncodedBatch batch;
  for (const auto byte : *rc::gen::arbitrary<std::vector<std::uint8_t>>()) batch.bytes.push_back(std::byte{byte});
  batch.count = *rc::gen::arbitrary<std::uint32_t>();
  (void)refusal_of(batch);
}

TEST(BatchDeathTest, AGapWhileEncodingIsABug) {
  BatchEncoder encoder;
  encoder.add(few()[0]);
  EXPECT_DEATH(encoder.add(few()[2]), "bug");
}

}  // namespace
}  // namespace daybook
