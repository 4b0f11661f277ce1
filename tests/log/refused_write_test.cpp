// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cerrno>
#include <new>

#include "daybook/core/limits.hpp"
#include "forge.hpp"

// A writer that can or may not write: what it answers, and that what was acknowledged stays. And what is said of bytes of a newer
// release, which are no damage.

namespace daybook::test {
namespace {

using testing::HasSubstr;

class Writer : public testing::Test {
 protected:
  Writer() {
    book.create();
    book.append_acknowledged(2, 30);
  }

  std::string unknown(const AppendResult& result) {
    const Unknown* said = std::get_if<Unknown>(&result);
    return said == nullptr ? "" : said->what;
  }

  LogBook book;
};

TEST_F(Writer, OnceClosedWritesNothing) {
  book.log->close();
  const auto before = picture(*book.disk);
  EXPECT_THAT(unknown(book.append()), HasSubstr("the log was closed"));
  EXPECT_THAT(unknown(book.log->raise_feature_level(limits::feature_level_highest)), HasSubstr("the log was closed"));
  book.log->settle();
  book.log->close();
  EXPECT_EQ(picture(*book.disk), before);
}

TEST_F(Writer, WhoseWitnessCannotBeSyncedWhileSettlingIsPoisoned) {
  book.append_acknowledged();
  book.disk->fail_next(Operation::sync_data, EIO);
  book.log->settle();
  EXPECT_FALSE(book.log->writable());
  const std::string why = unknown(book.append());
  EXPECT_NE(why, "");
  EXPECT_EQ(unknown(book.log->raise_feature_level(limits::feature_level_first)), why) << "even where nothing is to do";
  book.drop();
  book.open();
  book.expect_promises_kept();
}

/// Memory that runs out where the log asks for chance: in the middle of an append.
class OutOfMemory final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override {
    if (now) throw std::bad_alloc();
    return random_.next();
  }
  bool now = false;

 private:
  FixedRandom random_;
};

TEST_F(Writer, WhoseAppendWasCutShortWritesNothingMore) {
  book.drop();
  OutOfMemory chance;
  book.log = SegmentLog::open(*book.disk, book.clock, chance, small_segments(), book.opening);
  chance.now = true;
  EXPECT_THROW(book.append(), std::bad_alloc);
  chance.now = false;
  EXPECT_FALSE(book.log->writable());
  const auto before = picture(*book.disk);
  EXPECT_THAT(unknown(book.append()), HasSubstr("an append before was cut short"));
  EXPECT_EQ(picture(*book.disk), before);
  book.drop();
  book.open();
  book.expect_promises_kept();
}

// ---- newer releases ----

void of_a_newer_release(MemoryStorage& disk, const std::string& segment, std::uint64_t batch) {
  auto content = disk.content(segment);
  content[batch + 20] |= std::byte{4};  // a flag that this release does not know
  rechecksum(std::span(content).subspan(batch, format::batch_header_bytes));
  disk.write_durably(segment, content);
}

TEST_F(Writer, ABatchOfANewerReleaseIsNoDamage) {
  book.append_acknowledged(2, 30);
  book.drop();
  book.disk->crash_keeping_all();
  of_a_newer_release(*book.disk, first_segment, batch_ends(*book.disk, first_segment)[0]);
  EXPECT_THAT(open_says(book, Damage::unknown_format), HasSubstr("upgrade"));
  EXPECT_THAT(verify_says(book, Damage::unknown_format), HasSubstr("upgrade"));
}

TEST_F(Writer, ABatchOrASealOfANewerReleaseInASealedSegmentIsNoDamage) {
  book.drop();
  book.open();
  book.append_acknowledged(2, 30);
  book.drop();
  book.disk->crash_keeping_all();
  const std::uint64_t seal = batch_ends(*book.disk, first_segment).back();
  {
    LogBook copy(book);
    of_a_newer_release(*copy.disk, first_segment, format::segment_header_bytes);
    EXPECT_THAT(verify_says(copy, Damage::unknown_format), HasSubstr("upgrade"));
  }
  of_a_newer_release(*book.disk, first_segment, seal);
  EXPECT_THAT(open_says(book, Damage::unknown_format), HasSubstr("upgrade"));
}

TEST_F(Writer, ASegmentOfANewerReleaseIsNotRead) {
  book.drop();
  book.disk->crash_keeping_all();
  forge_segment(*book.disk, first_segment, [](format::SegmentHeader& header) { ++header.minimum_reader; });
  EXPECT_THAT(open_says(book, Damage::unknown_format), HasSubstr("which needs reader"));
  EXPECT_THAT(reading_says(book, Damage::unknown_format), HasSubstr("which needs reader"));
}

TEST_F(Writer, ASegmentWithoutItsHeaderIsNotRead) {
  book.drop();
  book.disk->crash_keeping_all();
  book.disk->flip_bit(first_segment, 8 * 40);
  EXPECT_THAT(reading_says(book, Damage::corrupt_sealed_segment), HasSubstr("segment header"));
}

// ---- room ----

TEST_F(Writer, WhereNothingCanBeReservedAFullDiskIsFullAllTheSame) {
  LogBook full;
  full.disk->set_free_bytes(3000);
  full.disk->fail_next(Operation::allocate, EOPNOTSUPP);
  EXPECT_THROW(full.create(), StorageError);
}

}  // namespace
}  // namespace daybook::test
