// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>

#include "forge.hpp"

// What stands at the end of a log is the trace of a crash, or it is not: each reason not to take it for one, on its own.

namespace daybook::test {
namespace {

using testing::HasSubstr;

/// A last segment with one whole batch and room behind it.
class Tail : public testing::Test {
 protected:
  Tail() {
    book.create();
    book.append_acknowledged(2, 30);
    book.append_acknowledged(2, 30);
    book.drop();
    book.disk->crash_keeping_all();
    ends = batch_ends(*book.disk, first_segment);
  }

  /// Leaves, behind a few bytes of a batch in flight, a whole header; `change` decides of what.
  void leave_behind_a_tear(void (*change)(format::BatchHeader&)) {
    auto content = book.disk->content(first_segment);
    auto header = format::parse_batch_header(std::span<const std::byte>(content).subspan(ends[0])).value();
    const std::uint64_t at = ends[1] + 256;
    header.first = Sequence(5);
    header.offset = at;
    change(header);
    content[ends[1]] = std::byte{'D'};
    const auto bytes = format::to_bytes(header);
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
    book.disk->write_durably(first_segment, content);
  }

  LogBook book;
  std::vector<std::uint64_t> ends;
};

TEST_F(Tail, ALaterBatchOfThisPlaceBehindATearIsNoCrash) {
  leave_behind_a_tear([](format::BatchHeader&) {});
  EXPECT_THAT(open_says(book, Damage::corrupt_middle), HasSubstr("a valid batch (sequence 5) stands behind it"));
}

// The payload of the batch in flight may hold such bytes: anybody can schedule a job with them.
TEST_F(Tail, AHeaderOfAnotherSegmentPlaceOrTimeBehindATearProvesNothing) {
  void (*const changes[])(format::BatchHeader&) = {
      [](format::BatchHeader& header) { header.salt ^= 1; },
      [](format::BatchHeader& header) { header.offset -= 8; },
      [](format::BatchHeader& header) { header.first = Sequence(4); },
  };
  const LogBook start(book);
  for (const auto change : changes) {
    book.disk = start.disk->clone();
    leave_behind_a_tear(change);
    LogBook copy(book);
    ASSERT_NO_THROW(copy.open());
    EXPECT_EQ(copy.opening.tail, TailStatus::torn);
    copy.expect_promises_kept();
  }
}

TEST_F(Tail, AWholeHeaderThatIsNotTheNextIsNoCrashWhateverFollows) {
  auto content = book.disk->content(first_segment);
  auto header = format::parse_batch_header(std::span<const std::byte>(content).subspan(ends[0])).value();
  header.offset = ends[1];
  header.first = Sequence(7);
  const auto bytes = format::to_bytes(header);
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(ends[1]));
  book.disk->write_durably(first_segment, content);
  EXPECT_THAT(open_says(book, Damage::corrupt_middle), HasSubstr("begins with sequence 7, expected 5"));
}

TEST_F(Tail, ASealBehindACleanEndIsAnUncleanEnd) {
  book.open();
  book.close();
  const auto clean = book.disk->content(witness_file);  // copied first, as a backup of a living book may be
  book.open();
  book.append_acknowledged(1, 9000);  // seals this segment and begins another
  book.drop();
  ASSERT_GE(book.segments().size(), 2u);
  while (book.segments().size() > 2) book.disk->remove_durably(last_segment(book));
  book.disk->remove_durably(last_segment(book));
  book.disk->write_durably(witness_file, clean);
  book.acknowledged.resize(4);
  book.open();
  EXPECT_EQ(book.opening.tail, TailStatus::unclean);
  EXPECT_THAT(book.opening.note, HasSubstr("goes on behind its clean end"));
  book.append_acknowledged();
  book.expect_promises_kept();
  book.drop();
  book.open();
  book.expect_promises_kept();
}

// ---- a last segment whose header is damaged ----

class LostHeader : public testing::Test {
 protected:
  LostHeader() {
    book.create();
    book.append_acknowledged(2, 30);
    book.drop();
    book.open();  // begins the second segment
  }
  void end() {
    book.drop();
    book.disk->crash_keeping_all();
  }
  void flip_header_bit() { book.disk->flip_bit(last_segment(book), 50 * 8); }

  LogBook book;
};

TEST_F(LostHeader, OfASegmentWithoutEventsIsBegunAnew) {
  end();
  flip_header_bit();
  EXPECT_EQ(open_says(book, std::nullopt), "");
}

TEST_F(LostHeader, OfACleanlyClosedLogIsRot) {
  book.close();
  book.disk->crash_keeping_all();
  flip_header_bit();
  EXPECT_THAT(open_says(book, Damage::corrupt_middle), HasSubstr("segment header checksum"));
}

TEST_F(LostHeader, OfASegmentThatHoldsAnythingIsRot) {
  book.leave_in_flight(1, 30);
  book.disk->crash_keeping_all();
  flip_header_bit();
  EXPECT_THAT(open_says(book, Damage::corrupt_middle), HasSubstr("segment header checksum"));
}

TEST_F(LostHeader, OfASegmentWithAcknowledgedEventsIsRotThoughAllOfItIsZero) {
  book.append_acknowledged(1, 30);
  end();
  const std::size_t bytes = book.disk->content(last_segment(book)).size();
  book.disk->write_durably(last_segment(book), std::vector<std::byte>(bytes));
  EXPECT_THAT(open_says(book, Damage::corrupt_middle), HasSubstr("zeros, expected a segment header"));
}

TEST_F(LostHeader, OverwrittenBySomethingElseIsForeign) {
  end();
  book.disk->flip_bit(last_segment(book), 0);
  EXPECT_THAT(open_says(book, Damage::foreign), HasSubstr("expected a segment header"));
}

TEST_F(LostHeader, OfAFileTooShortForWhatWasAcknowledgedIsALoss) {
  book.append_acknowledged(1, 30);
  end();
  book.disk->cut(last_segment(book), 100);
  EXPECT_THAT(open_says(book, Damage::lost_acknowledged), HasSubstr("segment header of 100 bytes"));
}

}  // namespace
}  // namespace daybook::test
