// SPDX-License-Identifier: Apache-2.0
#include "format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "crc32c.hpp"
#include "hex.hpp"
#include "sha256.hpp"

namespace daybook::format {
namespace {

using Kind = Problem::Kind;
using ::testing::HasSubstr;

constexpr Uuid uuid(std::uint8_t from) {
  Uuid made;
  for (auto& byte : made.bytes) byte = from++;
  return made;
}

constexpr Hash hash(std::uint8_t from) {
  Hash made{};
  for (auto& byte : made) byte = from++;
  return made;
}

// Fields differ from each other, so that two that are swapped show.
SegmentHeader a_segment_header() {
  return {.format_version = 1,
          .minimum_reader = 1,
          .feature_level = 1,
          .generation = 2,
          .generation_tag = GenerationTag(0x9f3ac1d2),
          .commit_alignment = 4096,
          .log_uuid = uuid(0x10),
          .boot_id = uuid(0x30),
          .first = Sequence(811'204),
          .epoch = Epoch(17),
          .salt = 0x0123456789abcdef,
          .segment_bytes = 1 << 20,
          .created = Instant(Duration(1'772'625'900'113'204)),
          .chain = hash(0x50)};
}

BatchHeader a_batch_header() {
  return {.payload_bytes = 424,
          .first = Sequence(811'204),
          .count = 3,
          .seal = false,
          .salt = 0x0123456789abcdef,
          .offset = 0x3A10,
          .epoch = Epoch(17),
          .batch_id = 0xfedcba9876543210,
          .previous = hash(0x50),
          .payload_crc32c = 0x1c2d3e4f};
}

SealPayload a_seal() {
  return {.batches = 37, .events = 58, .last = Sequence(811'262), .chain = hash(0x70), .used_bytes = 0x5000};
}

WitnessSlot a_slot() {
  return {.log_uuid = uuid(0x10),
          .clean = true,
          .acknowledged = Sequence(811'262),
          .end_offset = 0x4F40,
          .segment = Sequence(811'204),
          .epoch = Epoch(17),
          .counter = 99,
          .chain = hash(0x70)};
}

template <std::size_t size>
void put_u32(std::array<std::byte, size>& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

/// Changes a field of an intact structure the way a program that knows the checksum would.
template <std::size_t size>
std::array<std::byte, size> with_field(std::array<std::byte, size> bytes, std::size_t at, std::uint32_t value) {
  put_u32(bytes, at, value);
  put_u32(bytes, size - 4, crc32c(std::span(bytes).first(size - 4)));
  return bytes;
}

template <std::size_t size, class Parse>
void expect_every_flip_is_noticed(std::array<std::byte, size> bytes, Parse parse) {
  for (std::size_t bit = 0; bit < size * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    bytes[bit / 8] ^= mask;
    const auto parsed = parse(bytes);
    ASSERT_FALSE(parsed) << "bit " << bit;
    const bool in_magic = parsed.error().kind == Kind::foreign;
    ASSERT_TRUE(in_magic || parsed.error().kind == Kind::checksum) << parsed.error().sentence;
    bytes[bit / 8] ^= mask;
  }
}

template <std::size_t size, class Parse>
void expect_every_truncation_is_noticed(const std::array<std::byte, size>& bytes, Parse parse) {
  for (std::size_t length = 0; length < size; ++length) {
    const auto parsed = parse(std::span(bytes).first(length));
    ASSERT_FALSE(parsed);
    ASSERT_EQ(parsed.error().kind, Kind::too_short);
  }
}

TEST(Format, EachStructureReadsBackAsItWasWritten) {
  EXPECT_EQ(parse_segment_header(to_bytes(a_segment_header())).value(), a_segment_header());
  EXPECT_EQ(parse_batch_header(to_bytes(a_batch_header())).value(), a_batch_header());
  EXPECT_EQ(parse_seal_payload(to_bytes(a_seal())).value(), a_seal());
  EXPECT_EQ(parse_witness_slot(to_bytes(a_slot())).value(), a_slot());

  BatchHeader seal = a_batch_header();
  seal.seal = true;
  seal.count = 0;
  seal.payload_bytes = seal_payload_bytes;
  EXPECT_EQ(parse_batch_header(to_bytes(seal)).value(), seal);
  WitnessSlot dirty = a_slot();
  dirty.clean = false;
  EXPECT_EQ(parse_witness_slot(to_bytes(dirty)).value(), dirty);
}

TEST(Format, EachStructureStillHasTheBytesOfVersion1) {
  SegmentHeader marked = a_segment_header();
  marked.feature_level = 5;  // refused when read; here it tells the field from its neighbours
  const auto segment = to_bytes(marked);
  const auto batch = to_bytes(a_batch_header());
  const auto seal = to_bytes(a_seal());
  const auto slot = to_bytes(a_slot());
  const std::vector<std::pair<std::string, std::span<const std::byte>>> now = {
      {"segment_header_front", std::span(segment).first(144)},
      {"segment_header_checksum", std::span(segment).last(4)},
      {"batch_header", batch},
      {"seal_payload", seal},
      {"witness_slot", slot},
  };
  const auto fixture = read_fixture("v1/structures.hex");
  ASSERT_EQ(fixture.size(), now.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    EXPECT_EQ(fixture[i].first, now[i].first);
    EXPECT_EQ(to_hex(fixture[i].second), to_hex(now[i].second)) << now[i].first;
  }
}

TEST(Format, EveryFlippedBitOfACheckedStructureIsNoticed) {
  expect_every_flip_is_noticed(to_bytes(a_segment_header()), parse_segment_header);
  expect_every_flip_is_noticed(to_bytes(a_batch_header()), parse_batch_header);
  expect_every_flip_is_noticed(to_bytes(a_slot()), parse_witness_slot);
}

TEST(Format, EveryTruncationOfAStructureIsNoticed) {
  expect_every_truncation_is_noticed(to_bytes(a_segment_header()), parse_segment_header);
  expect_every_truncation_is_noticed(to_bytes(a_batch_header()), parse_batch_header);
  expect_every_truncation_is_noticed(to_bytes(a_slot()), parse_witness_slot);
}

TEST(Format, AStructureMayBeFollowedByOtherBytes) {
  const auto header = to_bytes(a_batch_header());
  std::vector<std::byte> bytes(header.begin(), header.end());
  bytes.resize(bytes.size() + 100, std::byte{0xEE});
  EXPECT_EQ(parse_batch_header(bytes).value(), a_batch_header());
}

TEST(Format, ZerosAreBlankAndNotDamage) {
  const std::vector<std::byte> zeros(segment_header_bytes);
  EXPECT_EQ(parse_segment_header(zeros).error().kind, Kind::blank);
  EXPECT_EQ(parse_batch_header(zeros).error().kind, Kind::blank);
  EXPECT_EQ(parse_witness_slot(zeros).error().kind, Kind::blank);
}

TEST(Format, AZeroMagicBeforeOtherBytesIsForeignAndNotBlank) {
  std::vector<std::byte> bytes(batch_header_bytes);
  bytes.back() = std::byte{1};
  EXPECT_EQ(parse_batch_header(bytes).error().kind, Kind::foreign);
}

TEST(Format, AChecksumProblemSaysFoundAgainstExpected) {
  auto bytes = to_bytes(a_batch_header());
  put_u32(bytes, 124, 0xCAFEF00D);
  EXPECT_THAT(parse_batch_header(bytes).error().sentence, HasSubstr("found cafef00d, expected "));
}

TEST(Format, ASegmentThatAsksForALaterReaderIsRefusedAsNewer) {
  const auto later = parse_segment_header(with_field(to_bytes(a_segment_header()), 12, 2));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().kind, Kind::newer);
  EXPECT_THAT(later.error().sentence, HasSubstr("newer release of Daybook; upgrade"));
}

TEST(Format, ASegmentOfALaterVersionThatAsksForNoLaterReaderIsRead) {
  const auto later = parse_segment_header(with_field(to_bytes(a_segment_header()), 8, 2));
  ASSERT_TRUE(later);
  EXPECT_EQ(later->format_version, 2U);
}

TEST(Format, ASegmentOfAHigherFeatureLevelIsRefusedAsNewer) {
  const auto later = parse_segment_header(with_field(to_bytes(a_segment_header()), 16, 3));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().kind, Kind::newer);
  EXPECT_THAT(later.error().sentence, HasSubstr("feature level 3 (this release knows up to 2): written by a newer"));
}

TEST(Format, FlagsAndFieldsThatAreNotKnownAreRefusedAsNewer) {
  EXPECT_EQ(parse_batch_header(with_field(to_bytes(a_batch_header()), 20, 2)).error().kind, Kind::newer);
  EXPECT_EQ(parse_batch_header(with_field(to_bytes(a_batch_header()), 92, 1)).error().kind, Kind::newer);
  EXPECT_EQ(parse_batch_header(with_field(to_bytes(a_batch_header()), 120, 1)).error().kind, Kind::newer);
  EXPECT_EQ(parse_witness_slot(with_field(to_bytes(a_slot()), 8, 2)).error().kind, Kind::newer);
  EXPECT_EQ(parse_witness_slot(with_field(to_bytes(a_slot()), 12, 3)).error().kind, Kind::newer);
}

TEST(Format, ContradictionsAreImplausibleEvenWithARightChecksum) {
  const auto segment = to_bytes(a_segment_header());
  EXPECT_EQ(parse_segment_header(with_field(segment, 28, 16)).error().kind, Kind::implausible) << "alignment";
  SegmentHeader from_nothing = a_segment_header();
  from_nothing.first = Sequence(0);
  EXPECT_EQ(parse_segment_header(to_bytes(from_nothing)).error().kind, Kind::implausible);
  SegmentHeader tiny = a_segment_header();
  tiny.segment_bytes = 100;
  EXPECT_EQ(parse_segment_header(to_bytes(tiny)).error().kind, Kind::implausible);

  const auto batch = to_bytes(a_batch_header());
  EXPECT_EQ(parse_batch_header(with_field(batch, 4, 423)).error().kind, Kind::implausible) << "odd length";
  EXPECT_EQ(parse_batch_header(with_field(batch, 16, 0)).error().kind, Kind::implausible) << "no events";
  EXPECT_EQ(parse_batch_header(with_field(batch, 20, 1)).error().kind, Kind::implausible) << "a seal with events";
  BatchHeader seal_with_events = a_batch_header();
  seal_with_events.seal = true;
  seal_with_events.payload_bytes = seal_payload_bytes;
  EXPECT_THAT(parse_batch_header(to_bytes(seal_with_events)).error().sentence, HasSubstr("seal with"));
  BatchHeader long_seal = seal_with_events;
  long_seal.count = 0;
  long_seal.payload_bytes = seal_payload_bytes + 8;
  EXPECT_THAT(parse_batch_header(to_bytes(long_seal)).error().sentence, HasSubstr("seal with 0 events and 72 bytes"));
  BatchHeader from_zero = a_batch_header();
  from_zero.first = Sequence(0);
  EXPECT_EQ(parse_batch_header(to_bytes(from_zero)).error().kind, Kind::implausible);

  const auto seal = to_bytes(a_seal());
  EXPECT_EQ(parse_seal_payload(std::span(seal).first(56)).error().kind, Kind::implausible);
}

TEST(Format, TheChainCoversTheHeaderWithoutItsChecksumAndThePayload) {
  const auto header = to_bytes(a_batch_header());
  const std::vector<std::byte> payload(424, std::byte{0x42});
  std::vector<std::byte> whole(header.begin(), header.end() - 4);
  whole.insert(whole.end(), payload.begin(), payload.end());
  EXPECT_EQ(chain_hash(header, payload), sha256(whole));

  BatchHeader spliced = a_batch_header();
  spliced.previous[31] ^= 1;
  EXPECT_NE(chain_hash(to_bytes(spliced), payload), chain_hash(header, payload));
}

TEST(Format, AlignsUpwardsOnly) {
  EXPECT_EQ(align_up(0, 8), 0U);
  EXPECT_EQ(align_up(1, 8), 8U);
  EXPECT_EQ(align_up(4096, 4096), 4096U);
  EXPECT_EQ(align_up(4097, 512), 4608U);
}

TEST(Format, BlankMeansZerosOnly) {
  std::vector<std::byte> bytes(33);
  EXPECT_TRUE(is_blank(bytes));
  EXPECT_TRUE(is_blank({}));
  for (auto& byte : bytes) {
    byte = std::byte{1};
    EXPECT_FALSE(is_blank(bytes));
    byte = std::byte{0};
  }
}

}  // namespace
}  // namespace daybook::format
