// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "archive_fixture.hpp"
#include "archive_format.hpp"
#include "hex.hpp"

// Every bit and every length of an archive and of a stub; and files that were written once, outside of this code.

namespace daybook::test {
namespace {

// Two segments, of which the first was archived, or dropped; closed.
LogBook small_book(bool dropped) {
  LogBook book(with_archives());
  book.create();
  book.append_acknowledged(2, 20);
  book.append_acknowledged(1, 0);
  book.drop();
  book.open();
  book.append_acknowledged(2, 20);
  const auto moved = dropped ? drop_next(*book.disk, everything) : archive_next(*book.disk, everything);
  EXPECT_TRUE(moved);
  book.close();
  return book;
}

std::string first_file(const LogBook& book) {
  return book.disk->names().front();
}

class Retained : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Both, Retained, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "Stub" : "Archive"; });

TEST_P(Retained, EveryFlippedBitIsReportedWithItsPlace) {
  LogBook book = small_book(GetParam());
  const std::string name = first_file(book);
  ASSERT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::clean_end);
  const std::uint64_t bits = book.disk->content(name).size() * 8;
  for (std::uint64_t bit = 0; bit < bits; ++bit) {
    book.disk->flip_bit(name, bit);
    const LogVerdict verdict = verify_log(*book.disk);
    book.disk->flip_bit(name, bit);
    ASSERT_EQ(verdict.kind, LogVerdict::Kind::damaged) << "bit " << bit;
    ASSERT_EQ(verdict.place.path, name) << "bit " << bit << ": " << verdict.message;
    ASSERT_TRUE(verdict.place.offset && *verdict.place.offset <= bit / 8) << verdict.message;
  }
}

TEST_P(Retained, EveryTruncationIsReported) {
  const LogBook start = small_book(GetParam());
  const std::string name = first_file(start);
  const std::uint64_t bytes = start.disk->content(name).size();
  for (std::uint64_t size = 0; size < bytes; ++size) {
    LogBook book(start);
    book.disk->cut(name, size);
    const LogVerdict verdict = verify_log(*book.disk);
    ASSERT_EQ(verdict.kind, LogVerdict::Kind::damaged) << size;
    ASSERT_EQ(verdict.place.path, name) << size;
    EXPECT_THROW(book.open(), CorruptionError) << size;
  }
}

TEST_P(Retained, BytesBehindItsEndAreReported) {
  LogBook book = small_book(GetParam());
  const std::string name = first_file(book);
  auto content = book.disk->content(name);
  content.push_back(std::byte{0});
  book.disk->write_durably(name, content);
  EXPECT_EQ(verify_log(*book.disk).place.path, name);
  EXPECT_THROW(book.open(), CorruptionError);
}

TEST(RetainedArchive, NoFlippedBitIsEverReadAsSomethingElse) {
  const LogBook book = small_book(false);
  const std::string name = first_file(book);
  const std::uint64_t bits = book.disk->content(name).size() * 8;
  std::uint64_t refused = 0;
  for (std::uint64_t bit = 0; bit<bits; bit += bit / 8> 500 && bit / 8 < 4300 ? 7 : 1) {
    LogBook copy(book);
    copy.disk->flip_bit(name, bit);
    std::vector<RecordedEvent> events;
    try {
      LogReader(*copy.disk).read(Sequence(1), [&](const RecordedEvent& event) {
        events.push_back(event);
        return true;
      });
      ASSERT_EQ(events, book.acknowledged) << "bit " << bit;
    } catch (const CorruptionError&) {
      ASSERT_TRUE(std::equal(events.begin(), events.end(), book.acknowledged.begin())) << "bit " << bit;
      ++refused;
    }
  }
  EXPECT_GT(refused, bits / 8);
}

// ---- the fixture ----

class WrittenOnce : public ::testing::Test {
 protected:
  WrittenOnce() {
    for (auto& [name, bytes] : read_fixture("level2/archives.hex")) files[name] = bytes;
    disk.write_durably("log/00000000000000000004.seg", files.at("next_segment"));
    disk.write_durably(witness_file, files.at("witness"));
  }

  std::vector<RecordedEvent> events_of_segment() {
    MemoryStorage plain;
    plain.write_durably(first_segment, files.at("segment"));
    plain.write_durably("log/00000000000000000004.seg", files.at("next_segment"));
    plain.write_durably(witness_file, files.at("witness"));
    return read_from(LogReader(plain), Sequence(1));
  }

  std::map<std::string, std::vector<std::byte>> files;
  MemoryStorage disk;
};

TEST_F(WrittenOnce, AnArchiveIsRead) {
  disk.write_durably("log/00000000000000000001.seg.zst", files.at("archive"));
  const LogVerdict verdict = verify_log(disk);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
  const auto events = read_from(LogReader(disk), Sequence(1));
  EXPECT_EQ(events.size(), 5u);
  EXPECT_EQ(events, events_of_segment());
}

TEST_F(WrittenOnce, AStubIsReadAndStillMadeTheSame) {
  disk.write_durably("log/00000000000000000001.stub", files.at("stub"));
  const LogVerdict verdict = verify_log(disk);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
  EXPECT_EQ(verdict.dropped_through, Sequence(3));
  EXPECT_EQ(read_from(LogReader(disk), Sequence(4)).size(), 2u);

  MemoryStorage plain;
  plain.write_durably(first_segment, files.at("segment"));
  plain.write_durably("log/00000000000000000004.seg", files.at("next_segment"));
  plain.write_durably(witness_file, files.at("witness"));
  const auto moved = drop_next(plain, everything);
  ASSERT_TRUE(moved);
  EXPECT_EQ(to_hex(plain.content(moved->name)), to_hex(files.at("stub")));
}

TEST_F(WrittenOnce, TheHeaderOfAnArchiveIsStillMadeTheSame) {
  const auto header = format::parse_archive_header(files.at("archive"), format::ArchiveKind::archive);
  ASSERT_TRUE(header) << header.error().sentence;
  const auto bytes = to_bytes(*header);
  EXPECT_EQ(to_hex(bytes), to_hex(std::span(files.at("archive")).first(bytes.size())));
  EXPECT_EQ(header->format_version, 1u);
}

}  // namespace
}  // namespace daybook::test
