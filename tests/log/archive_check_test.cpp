// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>

#include "archive_fixture.hpp"
#include "archive_format.hpp"
#include "crc32c.hpp"
#include "forge.hpp"
#include "segment_file.hpp"
#include "support/uncached_storage.hpp"
#include "zstd_stream.hpp"

// Each check of archives and stubs on its own: one thing is wrong, every checksum is right, and the words of that check are
// expected. Then those that stand between a segment and its removal.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What was moved from the place of a segment, in its parts. They are changed, and put together again.
class RetainedCheck : public ::testing::Test {
 protected:
  explicit RetainedCheck(format::ArchiveKind kind) : segment(book.disk->content(first_segment)) {
    const auto moved =
        kind == format::ArchiveKind::archive ? archive_next(*book.disk, everything) : drop_next(*book.disk, everything);
    name = moved->name;
    const auto content = book.disk->content(name);
    header = format::parse_archive_header(content, kind).value();
    body.assign(content.begin() + format::archive_header_bytes, content.end());
  }

  /// The file's own checksums and lengths are right.
  void put_together() {
    header.body_bytes = body.size();
    header.body_crc32c = crc32c(body);
    const auto bytes = to_bytes(header);
    std::vector<std::byte> file(bytes.begin(), bytes.end());
    file.insert(file.end(), body.begin(), body.end());
    book.disk->write_durably(name, file);
  }

  /// Empty when the file is found whole.
  std::string forged_says(Damage expected = Damage::corrupt_sealed_segment) {
    put_together();
    try {
      SegmentFile::open(*book.disk, Sequence(1)).check();
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), expected) << error.what();
      EXPECT_EQ(error.place().path, name);
      return error.what();
    }
    return {};
  }

  void compress(std::span<const std::byte> bytes) {
    body.clear();
    Compressor compressor(bytes.size(),
                          [&](std::span<const std::byte> part) { body.insert(body.end(), part.begin(), part.end()); });
    compressor.add(bytes);
    compressor.finish();
  }

  LogBook book = book_of(2);
  std::vector<std::byte> segment;
  std::string name;
  format::ArchiveHeader header;
  std::vector<std::byte> body;
};

class ArchiveCheck : public RetainedCheck {
 protected:
  ArchiveCheck() : RetainedCheck(format::ArchiveKind::archive) {}
};

class StubCheck : public RetainedCheck {
 protected:
  StubCheck() : RetainedCheck(format::ArchiveKind::stub) {}
};

TEST_F(ArchiveCheck, WhatIsPutTogetherUnchangedIsWhole) {
  const auto before = picture(*book.disk);
  EXPECT_THAT(forged_says(), IsEmpty());
  EXPECT_EQ(picture(*book.disk), before);
}

TEST_F(ArchiveCheck, WhatItsHeaderKeepsOfTheSegmentIsHeldAgainstTheSegmentInIt) {
  const format::ArchiveHeader right = header;
  header.segment_header[100] ^= std::byte{1};
  EXPECT_THAT(forged_says(), HasSubstr("keeps another segment header or seal"));
  header = right;
  header.seal[5] ^= std::byte{1};
  EXPECT_THAT(forged_says(), HasSubstr("keeps another segment header or seal"));
  header = right;
  header.segment_sha256[0] ^= 1;
  EXPECT_THAT(forged_says(), HasSubstr("another SHA-256 than it had"));
}

TEST_F(ArchiveCheck, ItUnpacksToExactlyTheSegment) {
  std::vector<std::byte> longer = segment;
  longer.resize(segment.size() + 8);
  compress(longer);
  EXPECT_THAT(forged_says(), HasSubstr("goes on behind the " + std::to_string(segment.size()) + " bytes"));
  compress(std::span(segment).first(segment.size() - 500));
  EXPECT_THAT(forged_says(), HasSubstr("ends after " + std::to_string(segment.size() - 500) + " bytes of the segment"));
  EXPECT_THAT(reading_says(book, Damage::corrupt_sealed_segment), HasSubstr("ends after "));
  compress(segment);
  const std::vector<std::byte> frame = body;
  body.insert(body.end(), frame.begin(), frame.end());
  EXPECT_THAT(forged_says(), HasSubstr("goes on behind the"));
  body.assign(frame.begin(), frame.end() - 6);
  EXPECT_THAT(forged_says(), HasSubstr("its Zstandard frame is cut short"));
  body = frame;
  body[0] ^= std::byte{1};
  EXPECT_THAT(forged_says(), HasSubstr("its Zstandard frame cannot be read"));
}

TEST_F(ArchiveCheck, OfANewerReleaseItIsNoDamage) {
  header.minimum_reader = format::archive_reader + 1;
  EXPECT_THAT(forged_says(Damage::unknown_format), HasSubstr("which needs reader 2"));
  EXPECT_THAT(verify_says(book, Damage::unknown_format), HasSubstr("newer release"));
}

TEST_F(ArchiveCheck, AStubUnderItsNameIsNone) {
  EXPECT_FALSE(format::parse_archive_header(to_bytes(header), format::ArchiveKind::stub));
  header.kind = format::ArchiveKind::stub;
  EXPECT_THAT(forged_says(), HasSubstr("other bytes where a archive header has \"DAYBKARC\""));
}

TEST_F(ArchiveCheck, OfASegmentTooShortForHeaderAndSealItIsNone) {
  header.segment_bytes = format::segment_header_bytes;
  EXPECT_THAT(forged_says(), HasSubstr("of a segment of 4096 bytes, expected at least"));
}

TEST_F(ArchiveCheck, ItsBodyIsUnderItsChecksum) {
  put_together();
  book.disk->flip_bit(name, (format::archive_header_bytes + 20) * 8);
  EXPECT_THAT(verify_says(book, Damage::corrupt_sealed_segment), HasSubstr("checksum behind the header"));
  EXPECT_THROW(static_cast<void>(drop_next(*book.disk, everything)), CorruptionError);
}

TEST_F(StubCheck, ItHasALeafHashForEachEventThatTheSealCounts) {
  EXPECT_THAT(forged_says(), IsEmpty());
  const std::string expected = "expected 32 for each of " + std::to_string(body.size() / 32) + " events";
  body.resize(body.size() + 8);
  EXPECT_THAT(forged_says(), HasSubstr(expected));
  body.resize(body.size() - 8 - format::leaf_bytes);
  EXPECT_THAT(forged_says(), HasSubstr(expected));
  header.seal[format::batch_header_bytes + 1] ^= std::byte{1};
  EXPECT_THAT(forged_says(), HasSubstr("for each of"));
}

// ---- what is archived or dropped ----

class Moving : public ::testing::TestWithParam<decltype(&archive_next)> {
 protected:
  /// Why it was not moved. Nothing on the disk was changed then.
  std::string refusal(Storage& storage) {
    const auto before = picture(*book.disk);
    try {
      EXPECT_EQ(GetParam()(storage, everything), std::nullopt);
      ADD_FAILURE() << "it was moved";
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), Damage::corrupt_sealed_segment);
      EXPECT_EQ(picture(*book.disk), before);
      return error.what();
    }
    return {};
  }
  std::string refusal() { return refusal(*book.disk); }

  LogBook book = book_of(2);
};
INSTANTIATE_TEST_SUITE_P(Both, Moving, ::testing::Values(&archive_next, &drop_next),
                         [](const auto& which) { return which.param == &archive_next ? "Archiving" : "Dropping"; });

TEST_P(Moving, ASegmentWithABadBatchIsRefusedWithWhatIsWrongOfTheBatch) {
  book.disk->flip_bit(first_segment, (batch_ends(*book.disk, first_segment)[0] + 200) * 8);
  EXPECT_THAT(refusal(), HasSubstr("batch payload checksum"));
}

TEST_P(Moving, ASegmentWithoutItsSealIsRefused) {
  book.disk->cut(first_segment, batch_ends(*book.disk, first_segment).back());
  EXPECT_THAT(refusal(), HasSubstr("does not end with a seal"));
}

TEST_P(Moving, ASegmentThatGoesOnBehindItsSealIsRefused) {
  auto content = book.disk->content(first_segment);
  content.resize(content.size() + 8);
  book.disk->write_durably(first_segment, content);
  EXPECT_THAT(refusal(), HasSubstr("does not end with a seal"));
}

TEST_P(Moving, ASegmentWhoseSuccessorIsMissingIsRefused) {
  const Sequence third = *parse_segment_file(book.segments()[2].substr(4));
  book.disk->remove_durably(book.segments()[1]);
  EXPECT_THAT(refusal(), HasSubstr("a seal behind sequence " + std::to_string(third.value() - 1)));
}

TEST_P(Moving, WhatTheDiskShowsOnceTheCacheIsDroppedIsJudged) {
  UncachedStorage disk(
      *book.disk, [&](const std::string& name) { book.disk->flip_bit(name, (format::archive_header_bytes + 30) * 8); });
  EXPECT_THAT(refusal(disk), HasSubstr("checksum behind the header"));
}

TEST_P(Moving, WhatWasMovedStaysSoAfterALossOfPower) {
  const auto moved = GetParam()(*book.disk, everything);
  ASSERT_TRUE(moved);
  book.drop();
  book.disk->crash();
  EXPECT_TRUE(book.disk->exists(moved->name));
  EXPECT_FALSE(book.disk->exists(first_segment)) << "or the next to go would leave a gap before it";
  EXPECT_EQ(verify_log(*book.disk).kind, LogVerdict::Kind::unclean_end) << verify_log(*book.disk).message;
}

TEST(Dropping, ADamagedArchiveIsRefusedByItsChecksum) {
  LogBook book = book_of(2);
  const std::string name = archive_next(*book.disk, everything)->name;
  const std::uint64_t bytes = book.disk->content(name).size();
  for (std::uint64_t at = format::archive_header_bytes; at < bytes; at += 11) {
    LogBook copy(book);
    copy.disk->flip_bit(name, at * 8 + 3);
    const auto before = picture(*copy.disk);
    try {
      static_cast<void>(drop_next(*copy.disk, everything));
      FAIL() << "byte " << at;
    } catch (const CorruptionError& error) {
      ASSERT_THAT(error.what(), HasSubstr("checksum behind the header"));
    }
    ASSERT_EQ(picture(*copy.disk), before) << "byte " << at;
  }
}

}  // namespace
}  // namespace daybook::test
