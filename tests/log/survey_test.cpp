// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/survey.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "archive_fixture.hpp"
#include "archive_format.hpp"
#include "forge.hpp"

// What can still be proved of a log in which one thing is wrong, and nothing else: which events are told as lost, and in whose words.
// What single hits of a disk do is in tests/replay/salvage_test.cpp.

namespace daybook::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Where an event's revision stands in its payload, behind the length of the first message.
constexpr std::uint64_t revision_at = format::batch_header_bytes + 8 + 42;

class Surveyed : public ::testing::Test {
 protected:
  /// Events 1 to 12 in batches of two, two batches a segment; closed.
  Surveyed() {
    book.create();
    fill();
    for (int i = 0; i < 2; ++i) {
      book.drop();
      book.open();
      fill();
    }
    book.close();
    names = book.segments();
    EXPECT_THAT(names, SizeIs(3));
  }
  void fill() {
    for (int i = 0; i < 2; ++i) book.append_acknowledged(2, 30);
  }

  LogSurvey survey() { return LogSurvey(*book.disk); }
  static std::vector<RecordedEvent> events_of(const LogSurvey& survey) {
    std::vector<RecordedEvent> events;
    survey.read([&](const RecordedEvent& event, std::span<const std::byte>) { events.push_back(event); });
    EXPECT_EQ(events.size(), survey.events());
    return events;
  }
  /// One hole, and every other event is there.
  void expect_hole(std::uint64_t first, std::uint64_t last, const std::string& file, const std::string& found) {
    const LogSurvey survey(*book.disk);
    ASSERT_THAT(survey.holes(), SizeIs(1));
    const Hole& hole = survey.holes().front();
    EXPECT_EQ(hole.first, Sequence(first));
    EXPECT_EQ(hole.last, Sequence(last));
    EXPECT_EQ(hole.place.path, file);
    EXPECT_THAT(hole.found, HasSubstr(found));
    std::vector<RecordedEvent> expected = book.acknowledged;
    std::erase_if(expected, [&](const RecordedEvent& event) {
      return event.sequence >= hole.first && event.sequence <= hole.last;
    });
    EXPECT_EQ(events_of(survey), expected);
  }
  /// Nothing is lost, and one thing is said.
  void expect_note(const std::string& note) {
    const LogSurvey survey(*book.disk);
    EXPECT_THAT(survey.holes(), IsEmpty());
    EXPECT_THAT(survey.notes(), Contains(HasSubstr(note)));
    EXPECT_EQ(events_of(survey), book.acknowledged);
  }
  void expect_newer_release() {
    try {
      static_cast<void>(survey());
      FAIL() << "it was taken for damage";
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), Damage::unknown_format);
      EXPECT_THAT(error.what(), HasSubstr("upgrade"));
    }
  }

  /// Of the second batch of a segment; its checksum is made right.
  void change_payload(const std::string& name, const std::function<void(std::span<std::byte> batch)>& change) {
    const auto ends = batch_ends(*book.disk, name);
    auto content = book.disk->content(name);
    change(std::span(content).subspan(ends[0], ends[1] - ends[0]));
    book.disk->write_durably(name, content);
    forge_payload_checksum(*book.disk, name, ends[0]);
  }
  /// To another text, which is as good an event.
  void change_event(const std::string& name) {
    change_payload(name, [](std::span<std::byte> batch) {
      auto text = batch.end();
      for (char letter = 'a'; text == batch.end() && letter <= 'z'; ++letter) {
        text = std::search_n(batch.begin(), batch.end(), 30, static_cast<std::byte>(letter));
      }
      ASSERT_NE(text, batch.end());
      *text = std::byte{'?'};
    });
  }
  void remove_seal(const std::string& name) {
    auto content = book.disk->content(name);
    const auto end = static_cast<std::ptrdiff_t>(batch_ends(*book.disk, name).back());
    std::fill(content.begin() + end, content.end(), std::byte{0});
    book.disk->write_durably(name, content);
  }

  LogBook book{with_archives()};
  std::vector<std::string> names;
};

TEST_F(Surveyed, AWholeLogHasNoHoleAndNothingOddInIt) {
  const LogSurvey survey(*book.disk);
  EXPECT_THAT(survey.holes(), IsEmpty());
  EXPECT_THAT(survey.notes(), IsEmpty());
  EXPECT_EQ(survey.last(), Sequence(12));
  EXPECT_EQ(survey.highest_epoch(), Epoch(3));
  EXPECT_EQ(events_of(survey), book.acknowledged);
}

// ---- batches ----

TEST_F(Surveyed, ABatchThatHoldsNoEventsIsAHoleThoughItsChecksumIsRight) {
  change_payload(names[0], [](std::span<std::byte> batch) { batch[revision_at] = std::byte{0}; });
  expect_hole(3, 4, names[0], "revision 0");
}

TEST_F(Surveyed, AnEventOfANewerReleaseIsNoDamage) {
  change_payload(names[0], [](std::span<std::byte> batch) { batch[revision_at] = std::byte{99}; });
  expect_newer_release();
}

TEST_F(Surveyed, ABatchOfANewerReleaseIsNoDamage) {
  auto content = book.disk->content(names[0]);
  content[format::segment_header_bytes + 20] |= std::byte{4};  // a flag that this release does not know
  rechecksum(std::span(content).subspan(format::segment_header_bytes, format::batch_header_bytes));
  book.disk->write_durably(names[0], content);
  expect_newer_release();
}

TEST_F(Surveyed, ASegmentOfANewerReleaseIsNoDamage) {
  forge_segment(*book.disk, names[1], [](format::SegmentHeader& header) { header.minimum_reader = 99; });
  expect_newer_release();
}

TEST_F(Surveyed, AnArchiveOfANewerReleaseIsNoDamage) {
  const std::string name = archive_next(*book.disk, everything)->name;
  auto content = book.disk->content(name);
  auto header = format::parse_archive_header(content, format::ArchiveKind::archive).value();
  header.minimum_reader = format::archive_reader + 1;
  const auto bytes = to_bytes(header);
  std::copy(bytes.begin(), bytes.end(), content.begin());
  book.disk->write_durably(name, content);
  expect_newer_release();
}

// ---- archives ----

TEST_F(Surveyed, ADamagedArchiveIsAHoleWhateverOfItIsDamaged) {
  const std::string name = archive_next(*book.disk, everything)->name;
  for (const std::uint64_t at : {std::uint64_t{10}, std::uint64_t{4700}}) {
    book.disk->flip_bit(name, at * 8);
    expect_hole(1, 4, name, at == 10 ? "other bytes where a archive header" : "Zstandard");
    book.disk->flip_bit(name, at * 8);
  }
}

// ---- between segments ----

TEST_F(Surveyed, WhereTheChainBreaksBetweenSegmentsTheLaterOneLosesItsFirstBatch) {
  change_event(names[0]);
  remove_seal(names[0]);
  const LogSurvey survey(*book.disk);
  ASSERT_THAT(survey.holes(), SizeIs(1));
  const Hole& hole = survey.holes().front();
  EXPECT_EQ(hole.first, Sequence(5));
  EXPECT_EQ(hole.last, Sequence(6));
  EXPECT_EQ(hole.place.path, names[1]);
  EXPECT_THAT(hole.found, HasSubstr("a batch that continues chain hash"));
  EXPECT_EQ(survey.events(), 10U);
}

TEST_F(Surveyed, ASegmentOfASingleBatchIsLostWhereTheChainBreaksBeforeIt) {
  change_event(names[0]);
  remove_seal(names[0]);
  book.disk->cut(names[1], batch_ends(*book.disk, names[1])[0]);
  const LogSurvey survey(*book.disk);
  ASSERT_THAT(survey.holes(), SizeIs(1));
  EXPECT_EQ(survey.holes().front().first, Sequence(5));
  EXPECT_EQ(survey.holes().front().last, Sequence(8));
}

TEST_F(Surveyed, BatchesThatReachIntoTheNextSegmentAreNotTaken) {
  forge_segment(*book.disk, names[1], [](format::SegmentHeader& header) { header.first = Sequence(4); });
  expect_hole(1, 4, names[0], "batches up to sequence 4, where " + names[1] + " begins with sequence 4");
}

TEST_F(Surveyed, ASegmentThatIsThereTwiceIsTakenOnce) {
  book.disk->write_durably("log/00000000000000000002.seg", book.disk->content(names[0]));
  expect_note("log/00000000000000000002.seg: it repeats events from sequence 1 on");
}

TEST_F(Surveyed, WhatOnlyASealTellsOfIsLostToo) {
  LogBook closed{with_archives()};
  closed.create();
  closed.append_acknowledged(2, 30);
  closed.close();
  LogBook going_on(closed);
  going_on.open();  // in the same segment
  going_on.append_acknowledged(2, 30);
  going_on.drop();
  going_on.open();  // seals it
  closed.disk->write_durably("log/00000000000000000002.seg", going_on.disk->content(first_segment));
  const LogSurvey survey(*closed.disk);
  ASSERT_THAT(survey.holes(), SizeIs(1));
  EXPECT_EQ(survey.holes().front().first, Sequence(3));
  EXPECT_EQ(survey.holes().front().last, Sequence(4));
  EXPECT_THAT(survey.holes().front().found, HasSubstr("the seal of the segment says that it went on up to 4"));
}

// ---- the end ----

TEST_F(Surveyed, WithoutAWitnessTheSealSaysHowManyEventsAreLost) {
  book.disk->remove_durably(witness_file);
  book.disk->remove_durably(names[2]);
  book.disk->flip_bit(names[1], (batch_ends(*book.disk, names[1])[0] + revision_at) * 8);
  book.acknowledged.resize(8);
  expect_hole(7, 8, names[1], "payload checksum");
}

TEST_F(Surveyed, AWitnessOfAnotherLogIsLeftOut) {
  const Uuid right = survey().log_uuid();
  forge_witness(*book.disk, [](format::WitnessSlot& slot) { slot.log_uuid.bytes[0] ^= 1; });
  EXPECT_EQ(survey().log_uuid(), right);
  expect_note("which no segment is of: it is left out");
}

TEST_F(Surveyed, AWitnessOfAnotherHistoryIsSaid) {
  forge_witness(*book.disk, [](format::WitnessSlot& slot) { slot.chain[0] ^= 1; });
  expect_note("the witness saw another history of sequence 12");
}

// ---- reading what was proved ----

TEST_F(Surveyed, WhatReadsDifferentlyThanItWasProvedIsNotHandedOn) {
  const auto expect_difference = [&](const std::string& how) {
    const LogSurvey survey(*book.disk);
    if (how == "another event") {
      change_event(names[2]);
    } else if (how == "a flipped bit") {
      book.disk->flip_bit(names[2], (batch_ends(*book.disk, names[2])[0] + revision_at) * 8);
    } else {
      book.disk->cut(names[2], batch_ends(*book.disk, names[2])[0]);
    }
    try {
      survey.read([](const RecordedEvent&, std::span<const std::byte>) {});
      ADD_FAILURE() << how;
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), EIO);
      EXPECT_EQ(error.place().path, names[2]);
      EXPECT_THAT(error.what(), HasSubstr("reads differently than it did a moment ago")) << how;
    }
  };
  const auto content = book.disk->content(names[2]);
  for (const char* how : {"another event", "a flipped bit", "a cut"}) {
    expect_difference(how);
    book.disk->write_durably(names[2], content);
  }
}

}  // namespace
}  // namespace daybook::test
