// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <cerrno>

#include "archive_fixture.hpp"
#include "archive_format.hpp"
#include "event_codec.hpp"
#include "sha256.hpp"

// What was archived reads like what was written; what was dropped is proved and told as dropped.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;

TEST(Archive, ReadsLikeTheSegmentsItWasMadeOf) {
  LogBook book = book_of(4);
  std::vector<std::optional<Hash>> chains;
  for (std::uint64_t at = 0; at <= book.acknowledged.size(); ++at) {
    chains.push_back(LogReader(*book.disk).chain_at(Sequence(at)));
  }
  EXPECT_EQ(archive_all(*book.disk), 4u);
  EXPECT_EQ(book.segments().size(), 1u) << "the last one stays";
  EXPECT_EQ(book.read_all(), book.acknowledged) << "by the writer";
  for (std::uint64_t from = 1; from <= book.acknowledged.size(); ++from) {
    const std::vector<RecordedEvent> expected(book.acknowledged.begin() + static_cast<std::ptrdiff_t>(from - 1),
                                              book.acknowledged.end());
    ASSERT_EQ(read_from(LogReader(*book.disk), Sequence(from)), expected) << from;
  }
  for (std::uint64_t at = 0; at < chains.size(); ++at) {
    EXPECT_EQ(LogReader(*book.disk).chain_at(Sequence(at)), chains[at]) << at;
  }
  const LogVerdict verdict = verify_log(*book.disk);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::unclean_end) << verdict.message;
  EXPECT_EQ(verdict.events, book.acknowledged.size());
  EXPECT_EQ(LogReader(*book.disk).first_readable(), Sequence(1));
}

TEST(Archive, OpensAndGoesOn) {
  for (const bool clean : {true, false}) {
    LogBook book = book_of(3);
    archive_all(*book.disk);
    if (clean) {
      book.close();
    } else {
      book.drop();
    }
    book.open();
    book.expect_promises_kept();
    for (int i = 0; i < 9; ++i) book.append_acknowledged(1, 1700);
    EXPECT_GT(archive_all(*book.disk), 0u);
    book.expect_promises_kept();
    EXPECT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::unclean_end);
  }
}

TEST(Archive, TakesTheOldestFirstAndSaysWhatItDid) {
  LogBook book = book_of(3);
  const std::string first = book.segments().front();
  const std::uint64_t bytes = book.disk->content(first).size();
  const auto moved = archive_next(*book.disk, everything);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->name, first + ".zst");
  EXPECT_EQ(moved->first, Sequence(1));
  EXPECT_EQ(moved->last.next(), *parse_segment_file(book.segments().front().substr(4)));
  EXPECT_EQ(moved->bytes_before, bytes);
  EXPECT_EQ(moved->bytes_after, book.disk->content(moved->name).size());
  EXPECT_LT(moved->bytes_after, bytes);
  EXPECT_TRUE(book.disk->read_only(moved->name));
  EXPECT_FALSE(book.disk->exists(first));
}

TEST(Archive, LeavesWhatEndsBehindUntilAndTheLastSegment) {
  LogBook book = book_of(3);
  const Sequence second = *parse_segment_file(book.segments()[1].substr(4));
  EXPECT_FALSE(archive_next(*book.disk, Sequence(second.value() - 2)));
  EXPECT_TRUE(archive_next(*book.disk, Sequence(second.value() - 1)));
  EXPECT_FALSE(archive_next(*book.disk, Sequence(second.value() - 1)));
  EXPECT_EQ(archive_all(*book.disk), 2u);
  book.close();
  EXPECT_FALSE(archive_next(*book.disk, everything));
  EXPECT_FALSE(drop_next(*book.disk, Sequence(second.value() - 2)));
}

TEST(Archive, IsRefusedInALogThatTheReleaseBeforeMayOpen) {
  LogOptions options = small_segments();
  options.feature_level = limits::feature_level_first;
  LogBook book = book_of(2, options);
  const auto before = picture(*book.disk);
  for (auto* move : {&archive_next, &drop_next}) {
    try {
      static_cast<void>(move(*book.disk, everything));
      ADD_FAILURE() << "not refused";
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), ENOTSUP);
      EXPECT_THAT(error.what(), HasSubstr("daybook upgrade"));
    }
  }
  EXPECT_EQ(picture(*book.disk), before);
}

TEST(Archive, OfADamagedSegmentIsNotMade) {
  const LogBook start = book_of(2);
  const std::string name = start.segments().front();
  const std::uint64_t bytes = start.disk->content(name).size();
  for (std::uint64_t at = 0; at < bytes; at += at < 140 || at > 4090 ? 37 : 1000) {
    LogBook book(start);
    book.disk->flip_bit(name, at * 8);
    const auto before = picture(*book.disk);
    for (auto* move : {&archive_next, &drop_next}) {
      try {
        static_cast<void>(move(*book.disk, everything));
        ADD_FAILURE() << "byte " << at;
      } catch (const CorruptionError& error) {
        EXPECT_EQ(error.place().path, name);
      }
      ASSERT_EQ(picture(*book.disk), before) << "byte " << at;
    }
  }
}

TEST(Archive, IsAFileThatZstandardItselfUnpacks) {
  LogBook book = book_of(1);
  const auto segment = book.disk->content(first_segment);
  const auto archive = book.disk->content(archive_next(*book.disk, everything)->name);
  std::vector<std::byte> unpacked(segment.size() + 1);
  const std::size_t bytes = ZSTD_decompress(unpacked.data(), unpacked.size(), archive.data(), archive.size());
  ASSERT_EQ(ZSTD_isError(bytes), 0u) << ZSTD_getErrorName(bytes);
  unpacked.resize(bytes);
  EXPECT_EQ(unpacked, segment);
}

TEST(Archive, WhoseClaimsOfItsSizeAreFalseIsRefusedWithoutUnpackingMore) {
  LogBook book = book_of(1);
  const std::string name = archive_next(*book.disk, everything)->name;
  const auto content = book.disk->content(name);
  const auto parsed = format::parse_archive_header(content, format::ArchiveKind::archive);
  ASSERT_TRUE(parsed);
  for (const std::int64_t by : {-8, 8, 1 << 30}) {
    format::ArchiveHeader header = *parsed;
    header.segment_bytes += static_cast<std::uint64_t>(by);
    const auto bytes = to_bytes(header);
    auto forged = content;
    std::copy(bytes.begin(), bytes.end(), forged.begin());
    book.disk->write_durably(name, forged);
    const LogVerdict verdict = verify_log(*book.disk);
    EXPECT_EQ(verdict.kind, LogVerdict::Kind::damaged);
    EXPECT_EQ(verdict.place.path, name);
  }
}

// ---- dropping ----

TEST(Drop, LeavesTheRestReadableAndTheChainProved) {
  LogBook book = book_of(4);
  const LogReader before(*book.disk);
  const auto chain = before.chain_at(before.head().sequence);
  ASSERT_TRUE(archive_next(*book.disk, everything));
  EXPECT_EQ(drop_next(*book.disk, everything)->first, Sequence(1));
  const auto second = drop_next(*book.disk, everything);
  ASSERT_TRUE(second);

  const LogReader reader(*book.disk);
  EXPECT_EQ(reader.first_readable(), second->last.next());
  expect_readable_as_acknowledged(*book.disk, book.acknowledged);
  EXPECT_EQ(reader.chain_at(reader.head().sequence), chain);
  const LogVerdict verdict = verify_log(*book.disk);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::unclean_end) << verdict.message;
  EXPECT_EQ(verdict.dropped_through, second->last);
  EXPECT_EQ(verdict.events, book.acknowledged.size() - second->last.value());
  EXPECT_THAT(verdict.message, HasSubstr("proved only by their leaf hashes"));
  EXPECT_EQ(verdict.segments[0].form, SegmentForm::dropped);
  EXPECT_EQ(verdict.segments[0].first, Sequence(1));
  EXPECT_EQ(verdict.segments[1].last, second->last);
  EXPECT_EQ(verdict.segments[2].form, SegmentForm::plain);
}

TEST(Drop, ReadingBelowSaysUpToWhereAndWhatIsKnown) {
  LogBook book = book_of(3);
  const auto moved = drop_next(*book.disk, everything);
  const LogReader reader(*book.disk);
  for (const Sequence from : {Sequence(1), moved->last}) {
    try {
      static_cast<void>(read_from(reader, from));
      ADD_FAILURE() << "read";
    } catch (const DroppedError& error) {
      EXPECT_EQ(error.through(), moved->last);
      EXPECT_THAT(error.what(), HasSubstr("event " + std::to_string(from.value()) + " was dropped"));
      EXPECT_THAT(error.what(), HasSubstr("begins with sequence " + std::to_string(moved->last.value() + 1)));
      EXPECT_THAT(error.what(), HasSubstr("leaf hashes"));
    }
  }
  EXPECT_EQ(reader.chain_at(Sequence(1)), std::nullopt);
}

TEST(Drop, OpensAndGoesOnAlsoWithNothingLeftButTheLastSegment) {
  for (const bool clean : {true, false}) {
    for (const bool witness : {true, false}) {
      LogBook book = book_of(3);
      book.drop();
      book.open();  // an empty segment behind the last event
      EXPECT_EQ(drop_all(*book.disk), 4u);
      if (clean) {
        book.close();
      } else {
        book.drop();
      }
      if (!witness) book.disk->remove_durably(witness_file);
      book.open();
      EXPECT_EQ(book.log->tail().sequence.value(), book.acknowledged.size());
      book.append_acknowledged(1, 50);
      expect_readable_as_acknowledged(*book.disk, book.acknowledged);
      book.drop();
      book.open();
      EXPECT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::unclean_end) << verify_log(*book.disk).message;
    }
  }
}

TEST(Drop, KeepsTheSameOfAnArchiveAsOfTheSegment) {
  const LogBook start = book_of(2);
  LogBook archived(start);
  archive_all(*archived.disk);
  LogBook plain(start);
  EXPECT_EQ(drop_all(*archived.disk), 2u);
  EXPECT_EQ(drop_all(*plain.disk), 2u);
  EXPECT_EQ(picture(*archived.disk), picture(*plain.disk));
}

TEST(Drop, KeepsTheLeafHashOfEachStoredEvent) {
  LogBook book = book_of(1);
  const auto moved = drop_next(*book.disk, everything);
  const auto stub = book.disk->content(moved->name);
  for (std::uint64_t i = 0; i < moved->last.value(); ++i) {
    std::vector<std::byte> leaf(8, std::byte{0});
    encode_event(book.acknowledged[i], leaf);
    const Hash hash = sha256(std::span(leaf).subspan(7));
    const auto kept = std::span(stub).subspan(format::archive_header_bytes + i * 32, 32);
    EXPECT_TRUE(std::ranges::equal(kept, std::as_bytes(std::span(hash)))) << i;
  }
}

TEST(Drop, OfASegmentInTheMiddleIsRefused) {
  LogBook book = book_of(3);
  const auto first = book.disk->content(first_segment);
  const auto moved = drop_next(*book.disk, everything);
  const auto second = drop_next(*book.disk, everything);
  book.disk->remove_durably(moved->name);
  book.disk->write_durably(first_segment, first);
  const LogVerdict verdict = verify_log(*book.disk);
  EXPECT_EQ(verdict.damage, Damage::corrupt_sealed_segment);
  EXPECT_EQ(verdict.place.path, second->name);
}

TEST(Drop, AStubOfAnotherHistoryIsRefused) {
  LogBook book = book_of(2);
  LogBook other(with_archives());
  other.random = FixedRandom(77);
  other.create();
  while (other.segments().size() < 2) other.append_acknowledged(1 + other.acknowledged.size() % 3, 1700);
  const auto moved = drop_next(*book.disk, everything);
  const auto strange = drop_next(*other.disk, everything);
  ASSERT_EQ(moved->name, strange->name);
  book.disk->write_durably(moved->name, other.disk->content(strange->name));
  EXPECT_EQ(verify_log(*book.disk).place.path, moved->name);
  EXPECT_EQ(verify_log(*book.disk).damage, Damage::foreign);
}

TEST(Drop, ALogThatEndsWithAnArchiveOrAStubHasLostItsLastSegment) {
  for (auto* move : {&archive_all, &drop_all}) {
    LogBook book = book_of(2);
    move(*book.disk, everything);
    const std::string last = book.segments().back();
    book.drop();
    book.disk->remove_durably(last);
    const LogVerdict verdict = verify_log(*book.disk);
    EXPECT_EQ(verdict.damage, Damage::lost_acknowledged);
    EXPECT_EQ(verdict.place.path, last);
    EXPECT_THROW(book.open(), CorruptionError);
  }
}

}  // namespace
}  // namespace daybook::test
