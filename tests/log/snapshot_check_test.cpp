// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "crc32c.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/state.hpp"
#include "entity_codec.hpp"
#include "fields.hpp"
#include "sha256.hpp"
#include "snapshot_format.hpp"
#include "support/memory_storage.hpp"

// Each check of a snapshot on its own: the file is forged by somebody who knows the checksums, one thing is wrong, and the words of
// that check are expected.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void store_u32(std::span<std::byte> to, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) to[i] = static_cast<std::byte>(value >> (8 * i));
}

std::uint32_t load_u32(std::span<const std::byte> from) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
  return value;
}

/// A small snapshot in its parts: the header, one frame of records, the trailer. They are changed, and put together again.
class SnapshotCheck : public ::testing::Test {
 protected:
  struct Frame {
    format::FrameHeader header;
    std::vector<std::byte> payload;
    std::function<void(std::span<std::byte>)> change_bytes;  // of the header, before its checksum
  };

  SnapshotCheck() {
    Book book;
    book.head = Sequence(3);
    State state;
    state.put(Name{NameId(1), NameSort::queue, "mail"});
    state.put(Queue{NameId(1), true});
    state.put(book);
    const SnapshotPoint point{.log_uuid = Uuid{{7}}, .sequence = book.head, .generation = {}};
    MerkleFrontier tree;
    for (int i = 0; i < 3; ++i) tree.add({});
    EXPECT_TRUE(write_snapshot_file(storage, state, point, tree).has_value());
    take_apart();
  }

  void take_apart() {
    const std::vector<std::byte> content = storage.content(name);
    const std::span<const std::byte> bytes(content);
    header.assign(bytes.begin(), bytes.begin() + format::snapshot_header_bytes);
    std::size_t at = format::snapshot_header_bytes;
    for (Frame* frame : {&records, &trailer}) {
      frame->header = format::parse_frame_header(bytes.subspan(at)).value();
      const auto payload = bytes.subspan(at + format::frame_header_bytes, frame->header.payload_bytes);
      frame->payload.assign(payload.begin(), payload.end());
      at += format::frame_header_bytes + payload.size();
    }
    ASSERT_EQ(at, bytes.size());
  }

  /// All checksums, lengths and hashes of bytes are right.
  void put_together() {
    std::vector<std::byte> file = header;
    format::write_checksum(file);
    put(file, records);
    if (trailer.payload.size() >= 112) {
      const Hash content = sha256(file);
      std::copy_n(std::as_bytes(std::span(content)).begin(), content.size(), trailer.payload.begin() + 80);
    }
    put(file, trailer);
    storage.write_durably(name, file);
  }

  static void put(std::vector<std::byte>& file, Frame& frame) {
    frame.header.payload_bytes = static_cast<std::uint32_t>(frame.payload.size());
    frame.header.payload_crc32c = crc32c(frame.payload);
    auto bytes = format::to_bytes(frame.header);
    if (frame.change_bytes) frame.change_bytes(bytes);
    format::write_checksum(bytes);
    file.insert(file.end(), bytes.begin(), bytes.end());
    file.insert(file.end(), frame.payload.begin(), frame.payload.end());
  }

  void change_trailer(const std::function<void(format::Trailer&)>& change) {
    format::Trailer parsed = format::parse_trailer(trailer.payload).value();
    change(parsed);
    trailer.payload = format::to_bytes(parsed);
  }

  /// After records were added, removed or changed: everything that is said of them is right again.
  void recount() {
    HashSum sum;
    records.header.records = 0;
    for (auto rest = std::span<const std::byte>(records.payload); !rest.empty(); ++records.header.records) {
      const std::uint32_t kind = load_u32(rest.subspan(4));
      const auto message = rest.subspan(format::record_header_bytes, load_u32(rest));
      sum.add(entity_hash({static_cast<EntityType>(kind & 0xFFFF), static_cast<std::uint16_t>(kind >> 16), message}));
      rest = rest.subspan(format::record_header_bytes + message.size());
    }
    change_trailer([&](format::Trailer& of) { of.state_hash = sum.value(); });
    trailer.header.offset = format::snapshot_header_bytes + format::frame_header_bytes + records.payload.size();
  }

  std::string reading_says(Damage expected = Damage::foreign, SnapshotProof proof = SnapshotProof::bytes) {
    try {
      EXPECT_TRUE(read_snapshot_file(storage, name, nullptr, proof).has_value());
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), expected) << error.what();
      EXPECT_EQ(error.place().path, name);
      return error.what();
    }
    return {};
  }
  std::string forged_says(Damage expected = Damage::foreign) {
    put_together();
    return reading_says(expected);
  }

  MemoryStorage storage;
  std::string name = unfinished_snapshot_name(Sequence(3));
  std::vector<std::byte> header;
  Frame records;
  Frame trailer;
};

TEST_F(SnapshotCheck, WhatIsPutTogetherUnchangedIsWhole) {
  const std::vector<std::byte> before = storage.content(name);
  EXPECT_THAT(forged_says(), IsEmpty());
  EXPECT_EQ(storage.content(name), before);
}

// ---- the header ----

TEST_F(SnapshotCheck, ANewerReleaseIsNamedAsSuch) {
  const std::vector<std::byte> right = header;
  store_u32(std::span(header).subspan(12), format::snapshot_reader + 1);
  EXPECT_THAT(forged_says(Damage::unknown_format), HasSubstr("which needs reader 2"));
  EXPECT_THROW((void)read_snapshot_point(storage, name), CorruptionError);
  header = right;
  store_u32(std::span(header).subspan(16), 1000);
  EXPECT_THAT(forged_says(Damage::unknown_format), HasSubstr("feature level 1000"));
}

TEST_F(SnapshotCheck, APointBeforeTheFirstEventIsNone) {
  store_u32(std::span(header).subspan(48), 0);
  EXPECT_THAT(forged_says(), HasSubstr("snapshot of sequence 0"));
  try {
    (void)read_snapshot_point(storage, name);
    ADD_FAILURE() << "a point at sequence 0";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), Damage::foreign);
  }
}

// ---- frames ----

TEST_F(SnapshotCheck, EachFieldOfAFrameHeaderIsHeldAgainstItsPlace) {
  const Frame right = records;
  const struct {
    const char* said;
    void (*change)(format::FrameHeader&);
  } forgeries[] = {
      {"expected frame 0 of sequence 3", [](format::FrameHeader& frame) { ++frame.number; }},
      {"for offset 520, expected", [](format::FrameHeader& frame) { frame.offset += 8; }},
      {"of the snapshot of sequence 4", [](format::FrameHeader& frame) { frame.snapshot = Sequence(4); }},
      {"frame without records", [](format::FrameHeader& frame) { frame.records = 0; }},
      {"trailer with records", [](format::FrameHeader& frame) { frame.trailer = true; }},
  };
  for (const auto& forgery : forgeries) {
    records = right;
    forgery.change(records.header);
    EXPECT_THAT(forged_says(), HasSubstr(forgery.said));
  }
}

TEST_F(SnapshotCheck, AFramesLengthIsAMultipleOfEightThatTheFileHolds) {
  const struct {
    std::uint32_t bytes;
    const char* said;
  } lengths[] = {{0, "frame of 0 bytes"}, {12, "frame of 12 bytes"}, {1 << 20, "it was cut"}};
  for (const auto& length : lengths) {
    records.change_bytes = [&](std::span<std::byte> bytes) { store_u32(bytes.subspan(4), length.bytes); };
    EXPECT_THAT(forged_says(), HasSubstr(length.said));
  }
}

TEST_F(SnapshotCheck, WhatAFrameHeaderHoldsBesideItsFieldsIsOfANewerRelease) {
  records.change_bytes = [](std::span<std::byte> bytes) { bytes[36] |= std::byte{2}; };
  EXPECT_THAT(forged_says(Damage::unknown_format), HasSubstr("frame header with flags"));
  records.change_bytes = [](std::span<std::byte> bytes) { bytes[50] = std::byte{1}; };
  EXPECT_THAT(forged_says(Damage::unknown_format), HasSubstr("fields behind byte 44"));
}

TEST_F(SnapshotCheck, APayloadUnderAnotherChecksumIsNotRead) {
  records.change_bytes = [](std::span<std::byte> bytes) { bytes[40] ^= std::byte{1}; };
  EXPECT_THAT(forged_says(), HasSubstr("checksum of the frame's payload"));
}

// ---- records ----

TEST_F(SnapshotCheck, ARecordsLengthIsAMultipleOfEightThatTheFrameHolds) {
  for (const std::uint32_t bytes : {0U, 12U, 4096U}) {
    store_u32(records.payload, bytes);
    EXPECT_THAT(forged_says(), HasSubstr("record of " + std::to_string(bytes) + " bytes"));
  }
}

TEST_F(SnapshotCheck, AFrameHoldsAsManyRecordsAsItSays) {
  const std::uint32_t right = records.header.records;
  records.header.records = right + 1;
  EXPECT_THAT(forged_says(), HasSubstr("record of 0 bytes"));
  records.header.records = right - 1;
  EXPECT_THAT(forged_says(), HasSubstr("bytes behind the frame's last record"));
}

TEST_F(SnapshotCheck, RecordsStandInTheOrderOfTheirTypes) {
  const std::size_t first = format::record_header_bytes + std::to_integer<std::size_t>(records.payload[0]);
  std::rotate(records.payload.begin(), records.payload.begin() + static_cast<std::ptrdiff_t>(first),
              records.payload.end());
  EXPECT_THAT(forged_says(), HasSubstr("not in the order of their types"));
}

TEST_F(SnapshotCheck, ARecordThatThisReleaseWouldWriteInAnotherWayIsSeenByWhoAsksForItsMeaning) {
  const std::uint32_t bytes = load_u32(records.payload);
  records.payload.insert(records.payload.begin() + format::record_header_bytes + bytes, 8, std::byte{0});
  store_u32(records.payload, bytes + 8);  // a word behind the message that nothing points to
  recount();
  EXPECT_THAT(forged_says(), IsEmpty());
  EXPECT_THAT(reading_says(Damage::foreign, SnapshotProof::meaning), HasSubstr("would write in another way"));
}

TEST_F(SnapshotCheck, ThereIsExactlyOneBook) {
  const std::vector<std::byte> right = records.payload;
  const auto end = right.begin() + format::record_header_bytes + load_u32(right);
  records.payload.insert(records.payload.begin(), right.begin(), end);
  recount();
  EXPECT_THAT(forged_says(), HasSubstr("another number of records"));
  records.payload.assign(end, right.end());
  recount();
  EXPECT_THAT(forged_says(), HasSubstr("another number of records"));
  records.payload = right;
  recount();
  EXPECT_THAT(forged_says(), IsEmpty());
}

// ---- the trailer ----

TEST_F(SnapshotCheck, EachFieldOfTheTrailerIsHeldAgainstTheRecords) {
  const std::vector<std::byte> right = trailer.payload;
  const struct {
    const char* said;
    void (*change)(format::Trailer&);
  } forgeries[] = {
      {"another number of records", [](format::Trailer& of) { ++of.counts.names; }},
      {"another number of records", [](format::Trailer& of) { ++of.counts.jobs; }},
      {"the state hash of its records", [](format::Trailer& of) { of.state_hash[7] ^= 1; }},
      {"a tree of 4 events, expected 3", [](format::Trailer& of) { of.frontier.add({}); }},
  };
  for (const auto& forgery : forgeries) {
    trailer.payload = right;
    change_trailer(forgery.change);
    EXPECT_THAT(forged_says(), HasSubstr(forgery.said));
  }
}

TEST_F(SnapshotCheck, TheTrailerProvesWhatStandsBeforeIt) {
  store_u32(std::span(header).subspan(20), 77);  // the generation, which nothing else tells
  const Frame old = trailer;
  put_together();
  EXPECT_THAT(reading_says(), IsEmpty());
  std::vector<std::byte> file = storage.content(name);
  std::copy(old.payload.begin() + 80, old.payload.begin() + 112, trailer.payload.begin() + 80);
  file.resize(file.size() - trailer.payload.size() - format::frame_header_bytes);
  put(file, trailer);
  storage.write_durably(name, file);
  EXPECT_THAT(reading_says(), HasSubstr("the SHA-256 of what stands before the trailer"));
}

TEST_F(SnapshotCheck, ATrailerIsAsLongAsItsTreeNeeds) {
  trailer.payload.resize(trailer.payload.size() + 8);
  EXPECT_THAT(forged_says(), HasSubstr("expected one for each bit set"));
  store_u32(std::span(trailer.payload).subspan(120), 1);
  EXPECT_THAT(forged_says(), HasSubstr("with 1 hashes of a tree of 3 leaves"));
  trailer.payload.resize(format::trailer_fixed_bytes + sizeof(Hash));
  EXPECT_THAT(forged_says(), HasSubstr("with 1 hashes of a tree of 3 leaves"));
  trailer.payload.resize(format::trailer_fixed_bytes - 8);
  EXPECT_THAT(forged_says(), HasSubstr("trailer of 120 bytes, expected at least 128"));
}

// ---- records that no store holds ----

TEST(EntityCheck, AMessageWithoutItsPointersTargetIsRefused) {
  std::vector<std::byte> message(16, std::byte{0xFF});
  try {
    (void)decode_entity({EntityType::job, 1, message}, {});
    ADD_FAILURE() << "it was decoded";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), Damage::foreign);
    EXPECT_THAT(error.what(), HasSubstr("Cap'n Proto refuses"));
  }
}

TEST(EntityCheck, ABootIdOfAnotherLengthIsRefused) {
  // A struct without data and pointers: every field has its default, so the boot id has no bytes.
  const std::vector<std::byte> message(8);
  try {
    (void)decode_entity({EntityType::book, 1, message}, {});
    ADD_FAILURE() << "it was decoded";
  } catch (const CorruptionError& error) {
    EXPECT_THAT(error.what(), HasSubstr("boot id of 0 bytes, expected 16"));
  }
}

TEST(EntityCheck, ValuesOutsideTheirTypeAreRefused) {
  EntityEncoder encoder;
  const auto refused = [&](const Entity& entity) -> std::string {
    try {
      (void)decode_entity(encoder.encode(entity), {});
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), Damage::foreign);
      return error.what();
    }
    return {};
  };
  Job job;
  job.spec = std::make_shared<JobSpec>();
  EXPECT_THAT(refused(job), IsEmpty());
  EXPECT_THAT(refused(Name{NameId(1), static_cast<NameSort>(99), "a"}), HasSubstr("sort of name 99"));
  Worker worker;
  worker.holder = static_cast<Holder>(99);
  EXPECT_THAT(refused(worker), HasSubstr("holder 99"));
  Job wrong = job;
  wrong.state = static_cast<JobState>(99);
  EXPECT_THAT(refused(wrong), HasSubstr("state of a job 99"));
  wrong = job;
  wrong.dead_reason = static_cast<DeadReason>(99);
  EXPECT_THAT(refused(wrong), HasSubstr("reason of death 99"));
  wrong = job;
  wrong.refused = {{{}, static_cast<RefusalCode>(0xFE)}};
  EXPECT_THAT(refused(wrong), HasSubstr("refusal code 254"));
  JobSpec spec;
  spec.retry.backoff = static_cast<RetryPolicy::Backoff>(99);
  wrong = job;
  wrong.spec = std::make_shared<JobSpec>(spec);
  EXPECT_THAT(refused(wrong), HasSubstr("backoff 99"));
}

// ---- names ----

TEST(SnapshotNames, OnlyTwentyDigitsOfANumberNameASnapshot) {
  MemoryStorage storage;
  for (const char* name : {"snapshots/0000000000000000000x.snap", "snapshots/99999999999999999999.snap",
                           "snapshots/00000000000000000012.snapx", "snapshots/00000000000000000012.tmpx",
                           "snapshots/00000000000000000012.xnap"}) {
    storage.write_durably(name, {});
  }
  EXPECT_THAT(list_snapshot_files(storage).snapshots, IsEmpty());
  EXPECT_THAT(list_snapshot_files(storage).unfinished, IsEmpty());
  storage.fail_next(Operation::list, EIO);
  EXPECT_THROW((void)list_snapshot_files(storage), StorageError);
}

}  // namespace
}  // namespace daybook::test
