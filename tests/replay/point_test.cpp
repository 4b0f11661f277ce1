// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>

#include "written_log.hpp"

// Points in the past: what a person writes, and which event an instant means when clocks stepped.

namespace daybook::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Instant noon = Instant(std::chrono::seconds(1'772'625'600));  // 2026-03-04T12:00:00Z

/// Events of which only the times matter: an opening at noon (sequence 1), one hour after the boot, and what follows.
class Record {
 public:
  Record() { open(false); }

  Sequence tick(Duration passed) {  // an ordinary event, after so much time
    pass(passed);
    return add(ConfigurationChanged{});
  }
  void silence(Duration passed) { pass(passed); }
  Sequence step(Duration by) {
    wall_ += by;
    return add(ClockStepped{by, ++era_});
  }
  /// As an engine may write it that finds the step when it opens.
  Sequence open_after_step(Duration by) {
    wall_ += by;
    open(false);
    add(NameDefined{});
    return add(ClockStepped{by, ++era_});
  }
  Sequence boot(Duration off_for, Duration wall_error = 0s) {
    wall_ += off_for + wall_error;
    offset_ = (boot_ + offset_ + off_for) - BootTime(5s);
    boot_ = BootTime(5s);
    return open(true);
  }

  [[nodiscard]] Resolved at(Instant instant) const { return resolve(read(), Sequence(events_.size()), instant); }
  [[nodiscard]] Resolved at(Sequence sequence) const { return resolve(read(), Sequence(events_.size()), sequence); }
  [[nodiscard]] Sequence last() const { return events_.back().sequence; }

 private:
  [[nodiscard]] ReadEvents read() const { return events_of(std::span(events_)); }
  void pass(Duration by) {
    wall_ += by;
    boot_ += by;
  }
  Sequence open(bool new_boot) {
    BookOpened opened;
    opened.book_offset = offset_;
    opened.new_boot = new_boot;
    return add(opened);
  }
  Sequence add(Event event) {
    RecordedEvent recorded;
    recorded.sequence = Sequence(events_.size() + 1);
    recorded.wall = wall_;
    recorded.boot = boot_;
    recorded.event = std::move(event);
    events_.push_back(std::move(recorded));
    return events_.back().sequence;
  }

  Instant wall_ = noon;
  BootTime boot_ = BootTime(1h);
  Duration offset_ = 10h;
  std::uint32_t era_ = 0;
  std::vector<RecordedEvent> events_;
};

TEST(Point, ANumberIsASequence) {
  EXPECT_EQ(parse_point("4711"), Point(Sequence(4711)));
  EXPECT_EQ(parse_point("0"), Point(Sequence()));
  EXPECT_EQ(parse_point("18446744073709551615"), Point(Sequence(UINT64_MAX)));
}

TEST(Point, AnythingElseIsAnInstant) {
  EXPECT_EQ(parse_point("2026-03-04T12:00:00Z"), Point(noon));
  EXPECT_EQ(parse_point("2026-03-04 13:00:00+01:00"), Point(noon));
}

TEST(Point, WhatIsNeitherIsRefusedWithBothFormsShown) {
  for (const char* text :
       {"", "yesterday", "-1", "+1", " 1", "1 ", "0x10", "18446744073709551616", "2026-03-04", "12:00"}) {
    const Result<Point> point = parse_point(text);
    ASSERT_FALSE(point) << text;
    EXPECT_EQ(point.error().code, RefusalCode::invalid_argument);
    EXPECT_THAT(point.error().sentence, AllOf(HasSubstr("\"" + std::string(text) + "\""), HasSubstr("4711"),
                                              HasSubstr("2026-03-04T12:05:00Z")));
  }
}

TEST(Point, AnInstantMeansTheLastEventAtOrBeforeIt) {
  Record record;
  const Sequence second = record.tick(1min);
  const Sequence third = record.tick(0s);
  const Sequence fourth = record.tick(1min);
  EXPECT_EQ(record.at(noon - 1us).sequence, Sequence());
  EXPECT_EQ(record.at(noon).sequence, Sequence(1));
  EXPECT_EQ(record.at(noon + 1min - 1us).sequence, Sequence(1));
  EXPECT_EQ(record.at(noon + 1min).sequence, third);
  EXPECT_EQ(record.at(noon + 90s).sequence, third);
  EXPECT_EQ(record.at(noon + 2min).sequence, fourth);
  EXPECT_EQ(record.at(noon + 24h).sequence, fourth);
  EXPECT_NE(second, third);
  EXPECT_THAT(record.at(noon + 90s).ambiguous, IsEmpty());
}

TEST(Point, ThePointBeforeEverythingHasNoTimesButItsOwn) {
  const Record record;
  const Resolved before = record.at(noon - 1h);
  EXPECT_EQ(before.moment, (Moment{.wall = noon - 1h, .boot = {}, .book = {}}));
  EXPECT_THAT(before.ambiguous, IsEmpty());
}

TEST(Point, TheOtherClocksGoWithTheInstant) {
  Record record;
  record.tick(1min);
  const Resolved between = record.at(noon + 20s);
  EXPECT_EQ(between.moment.wall, noon + 20s);
  EXPECT_EQ(between.moment.boot, BootTime(1h + 20s));
  EXPECT_EQ(between.moment.book, BookTime(11h + 20s));
  const Resolved after = record.at(noon + 24h);
  EXPECT_EQ(after.moment.boot, BootTime(25h));
  EXPECT_EQ(after.moment.book, BookTime(35h));
}

TEST(Point, InATimeThatAStepLeftOutTheOtherClocksStandAtTheStep) {
  Record record;
  const Sequence before = record.tick(1min);
  record.step(3h);
  const Resolved skipped = record.at(noon + 1h);
  EXPECT_EQ(skipped.sequence, before);
  EXPECT_THAT(skipped.ambiguous, IsEmpty());
  EXPECT_EQ(skipped.moment.wall, noon + 1h);
  EXPECT_EQ(skipped.moment.book, BookTime(11h + 1min));
  EXPECT_EQ(skipped.moment.boot, BootTime(1h + 1min));
}

TEST(Point, BookTimeGoesOnAcrossABoot) {
  Record record;
  record.tick(1min);
  const Sequence booted = record.boot(10min);
  const Resolved off = record.at(noon + 6min);
  EXPECT_EQ(off.moment.book, BookTime(11h + 6min));
  EXPECT_EQ(record.at(booted).moment.book, BookTime(11h + 11min));
  EXPECT_EQ(record.at(booted).moment.boot, BootTime(5s));
  EXPECT_EQ(record.at(noon + 12min).moment.boot, BootTime(65s));
  EXPECT_THAT(record.at(noon + 6min).ambiguous, IsEmpty());
}

TEST(Point, AnInstantThatCameTwiceMeansTheLastTimeAndTheOtherIsNamed) {
  Record record;
  const Sequence first = record.tick(30min);  // 12:30
  record.tick(30min);                         // 13:00
  record.step(-1h);                           // 12:00 again
  const Sequence again = record.tick(20min);  // 12:20
  record.tick(20min);                         // 12:40
  const Resolved twice = record.at(noon + 35min);
  EXPECT_EQ(twice.sequence, again);
  EXPECT_THAT(twice.ambiguous, HasSubstr("sequence " + std::to_string(first.value())));
  EXPECT_THAT(twice.ambiguous, HasSubstr(to_string(noon + 35min)));
  EXPECT_EQ(twice.moment.book, BookTime(12h + 35min));  // an hour had passed before the step
  EXPECT_THAT(record.at(noon + 61min).ambiguous, IsEmpty());
  EXPECT_EQ(record.at(noon + 61min).sequence, record.last());
  EXPECT_THAT(record.at(noon - 1us).ambiguous, IsEmpty());
}

TEST(Point, EveryOtherTimeIsNamed) {
  Record record;
  const Sequence first = record.tick(30min);
  record.step(-30min);
  const Sequence second = record.tick(29min);
  record.step(-29min);
  const Sequence third = record.tick(30min);
  const Resolved thrice = record.at(noon + 30min);
  EXPECT_EQ(thrice.sequence, third);
  EXPECT_THAT(thrice.ambiguous, HasSubstr("sequence " + std::to_string(first.value())));
  EXPECT_THAT(thrice.ambiguous, Not(HasSubstr(", " + std::to_string(second.value()))));
  const Resolved earlier = record.at(noon + 29min);
  EXPECT_THAT(earlier.ambiguous, HasSubstr(", " + std::to_string(second.value())));
}

TEST(Point, TheSilenceBeforeAStepBelongsToTheEraThatTheStepEnded) {
  Record record;
  const Sequence quiet = record.tick(10min);   // 12:10
  record.silence(20min);                       // 12:30
  const Sequence again = record.step(-20min);  // 12:10
  const Resolved silent = record.at(noon + 20min);
  EXPECT_EQ(silent.sequence, again);
  EXPECT_THAT(silent.ambiguous, HasSubstr("are sequence " + std::to_string(quiet.value())));
  EXPECT_THAT(record.at(noon + 31min).ambiguous, IsEmpty());
}

TEST(Point, ABootIntoAnEarlierTimeBeginsAnEra) {
  Record record;
  const Sequence first = record.tick(30min);
  const Sequence booted = record.boot(1min, -20min);  // 12:11 by a clock that lost its battery
  EXPECT_EQ(record.at(noon + 20min).sequence, booted);
  EXPECT_THAT(record.at(noon + 20min).ambiguous, HasSubstr("sequence 1"));
  EXPECT_THAT(record.at(noon + 30min).ambiguous, HasSubstr("sequence " + std::to_string(first.value())));
}

TEST(Point, AnOpeningThatStandsBeforeItsStepIsNotTakenForAnotherTime) {
  Record record;
  const Sequence first = record.tick(30min);
  const Sequence stepped = record.open_after_step(-20min);  // 12:10
  const Resolved twice = record.at(noon + 30min);
  EXPECT_EQ(twice.sequence, stepped);
  EXPECT_THAT(twice.ambiguous, HasSubstr("are sequence " + std::to_string(first.value())));
  EXPECT_THAT(twice.ambiguous, EndsWith("sequence " + std::to_string(first.value())));
}

TEST(Point, ASequencePastTheHeadMeansTheHead) {
  Record record;
  EXPECT_EQ(record.at(Sequence(99)).sequence, Sequence(1));
  EXPECT_EQ(record.at(Sequence()).sequence, Sequence());
}

TEST(Point, TimesFromTheEndsOfTheNumbersDoNotOverflow) {
  std::vector<RecordedEvent> events(2);
  events[0].sequence = Sequence(1);
  events[0].wall = Instant::min();
  events[0].boot = BootTime::max();
  BookOpened opened;
  opened.book_offset = Duration::max();
  events[0].event = opened;
  events[1].sequence = Sequence(2);
  events[1].wall = Instant::max();
  events[1].boot = BootTime::min();
  events[1].event = ClockStepped{Duration::min(), 1};
  const ReadEvents read = events_of(std::span<const RecordedEvent>(events));
  EXPECT_EQ(resolve(read, Sequence(2), Instant::max()).sequence, Sequence(2));
  EXPECT_EQ(resolve(read, Sequence(2), noon).sequence, Sequence(1));
}

RC_GTEST_PROP(Point, TheInstantOfAnEventNeverMeansAnEarlierOne, (const daybook::testing::Steps& steps)) {
  const auto recorded = daybook::testing::record(steps).events;
  const ReadEvents read = events_of(std::span(recorded));
  const RecordedEvent& event = recorded[*rc::gen::inRange<std::size_t>(0, recorded.size())];
  const Resolved resolved = resolve(read, recorded.back().sequence, event.wall);
  RC_ASSERT(resolved.sequence >= event.sequence);
  RC_ASSERT(recorded[resolved.sequence.value() - 1].wall <= event.wall);
  RC_ASSERT(resolved.moment.wall == event.wall);
  if (resolved.sequence != recorded.back().sequence) {
    const Moment next = resolve(read, recorded.back().sequence, resolved.sequence.next()).moment;
    RC_ASSERT(resolved.moment.book <= next.book);
  }
}

}  // namespace
}  // namespace daybook::test
