// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/recurrence.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daybook/core/limits.hpp"
#include "support/hand_made_zones.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::HandMadeZones;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Instant at(std::string_view text) {
  return *parse_instant(text);
}

class Recurring : public testing::Test {
 protected:
  Recurring() {
    zones_.add("Test/Forward", 1h, "2026-03-29T01:00:00Z", 2h);                // 02:00 → 03:00
    zones_.add("Test/Back", 2h, "2026-10-25T01:00:00Z", 1h);                   // 03:00 → 02:00
    zones_.add("Test/HalfForward", 10h + 30min, "2026-10-03T15:30:00Z", 11h);  // 02:00 → 02:30
    zones_.add("Test/HalfBack", 11h, "2026-04-04T15:00:00Z", 10h + 30min);     // 02:00 → 01:30
    zones_.add("Test/Midnight", -4h, "2026-09-06T04:00:00Z", -3h);             // 00:00 → 01:00
    zones_.add("Test/DateLine", -10h, "2011-12-30T10:00:00Z", 14h);            // 2011-12-30 is left out
  }

  static CronRule rule(std::string_view expression, std::string zone, DstGap gap = DstGap::shift,
                       DstRepeat repeat = DstRepeat::first) {
    return {*parse_cron(expression), std::move(zone), gap, repeat};
  }

  /// From `from` on, before `to`: hour and minute in UTC.
  std::vector<std::string> between(const Recurrence& recurrence, std::string_view from, std::string_view to) const {
    std::vector<std::string> found;
    for (auto next = *next_occurrence(recurrence, at(from) - Duration(1), zones_); next && *next < at(to);
         next = *next_occurrence(recurrence, *next, zones_)) {
      found.push_back(to_string(*next).substr(11, 5));
    }
    return found;
  }
  std::vector<std::string> forward(std::string_view expression, DstGap gap = DstGap::shift) const {
    return between({rule(expression, "Test/Forward", gap)}, "2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z");
  }
  std::vector<std::string> back(std::string_view expression, DstRepeat repeat) const {
    return between({rule(expression, "Test/Back", DstGap::shift, repeat)}, "2026-10-24T22:00:00Z",
                   "2026-10-25T03:00:00Z");
  }
  std::string why_not(const Recurrence& recurrence) const {
    const auto checked = check(recurrence, zones_);
    EXPECT_FALSE(checked);
    return checked ? std::string() : checked.error().sentence;
  }

  HandMadeZones zones_;
};

TEST_F(Recurring, ALocalTimeThatIsLeftOutIsLaterByAsMuchOrNotAtAll) {
  EXPECT_THAT(forward("30 2 * * *"), ElementsAre("01:30"));
  EXPECT_THAT(forward("30 2 * * *", DstGap::skip), IsEmpty());
  EXPECT_THAT(forward("0 1-4 * * *", DstGap::skip), ElementsAre("00:00", "01:00", "02:00"));
}

TEST_F(Recurring, WhatFallsTogetherAfterAShiftCountsOnce) {
  // 02:00 becomes 03:00, which is there anyway.
  EXPECT_THAT(forward("0 1-4 * * *"), ElementsAre("00:00", "01:00", "02:00"));
  EXPECT_THAT(forward("0,30 2 * * *"), ElementsAre("01:00", "01:30"));
}

TEST_F(Recurring, ShiftedTimesAndOthersComeInTheOrderOfTime) {
  // 02:10 is left out and becomes 02:40, which is after 02:35.
  const auto found =
      between({rule("10,35 2 * * *", "Test/HalfForward")}, "2026-10-03T15:00:00Z", "2026-10-03T17:00:00Z");
  EXPECT_THAT(found, ElementsAre("15:35", "15:40"));
}

TEST_F(Recurring, ALocalTimeThatComesTwiceCountsAsDeclared) {
  EXPECT_THAT(back("30 2 * * *", DstRepeat::first), ElementsAre("00:30"));
  EXPECT_THAT(back("30 2 * * *", DstRepeat::last), ElementsAre("01:30"));
  EXPECT_THAT(back("30 2 * * *", DstRepeat::both), ElementsAre("00:30", "01:30"));
  EXPECT_THAT(back("0 1-3 * * *", DstRepeat::first), ElementsAre("23:00", "00:00", "02:00"));
  EXPECT_THAT(back("0 1-3 * * *", DstRepeat::last), ElementsAre("23:00", "01:00", "02:00"));
}

TEST_F(Recurring, AnExpressionOfEveryHourFollowsTheFlowOfTime) {
  EXPECT_THAT(forward("0 * * * *"), ElementsAre("23:00", "00:00", "01:00", "02:00", "03:00"));
  EXPECT_THAT(forward("0 0-23 * * *"), ElementsAre("23:00", "00:00", "01:00", "02:00", "03:00"));
  for (const auto repeat : {DstRepeat::first, DstRepeat::last, DstRepeat::both}) {
    EXPECT_THAT(back("0 * * * *", repeat), ElementsAre("22:00", "23:00", "00:00", "01:00", "02:00"));
    EXPECT_EQ(back("*/15 * * * *", repeat).size(), 20U);
    EXPECT_EQ(back("* * * * *", repeat).size(), 300U);
  }
  EXPECT_EQ(forward("* * * * *").size(), 300U);
  EXPECT_EQ(forward("* * * * *", DstGap::skip).size(), 300U);
}

TEST_F(Recurring, AnExpressionThatNamesHoursFollowsThePolicies) {
  EXPECT_THAT(back("*/30 2 * * *", DstRepeat::first), ElementsAre("00:00", "00:30"));
  EXPECT_THAT(forward("*/30 2 * * *"), ElementsAre("01:00", "01:30"));
  EXPECT_THAT(forward("0 */2 * * *"), ElementsAre("23:00", "01:00", "02:00"));
}

TEST_F(Recurring, HalfAnHourIsRepeatedOrLeftOutLikeAnHour) {
  const auto found = [&](DstRepeat repeat) {
    return between({rule("45 1 * * *", "Test/HalfBack", DstGap::shift, repeat)}, "2026-04-04T14:00:00Z",
                   "2026-04-04T16:00:00Z");
  };
  EXPECT_THAT(found(DstRepeat::first), ElementsAre("14:45"));
  EXPECT_THAT(found(DstRepeat::last), ElementsAre("15:15"));
  EXPECT_THAT(found(DstRepeat::both), ElementsAre("14:45", "15:15"));
}

TEST_F(Recurring, AMissingMidnightIsAnHourLater) {
  EXPECT_THAT(between({rule("@daily", "Test/Midnight")}, "2026-09-05T00:00:00Z", "2026-09-08T00:00:00Z"),
              ElementsAre("04:00", "04:00", "03:00"));
}

TEST_F(Recurring, AMissingDayIsADayLater) {
  EXPECT_THAT(between({rule("0 9 30 * *", "Test/DateLine")}, "2011-12-01T00:00:00Z", "2012-01-29T00:00:00Z"),
              ElementsAre("19:00"));
  EXPECT_THAT(
      between({rule("0 9 30 * *", "Test/DateLine", DstGap::skip)}, "2011-12-01T00:00:00Z", "2012-01-29T00:00:00Z"),
      IsEmpty());
  // The 31st is there, at the same instant as the 30th that is shifted.
  EXPECT_THAT(between({rule("0 9 29-31 12 *", "Test/DateLine")}, "2011-12-01T00:00:00Z", "2012-01-29T00:00:00Z"),
              ElementsAre("19:00", "19:00"));
}

TEST_F(Recurring, NotesSayHowAnOccurrenceCameAbout) {
  const auto note = [&](const CronRule& rule, const char* instant) {
    return dst_note(rule, at(instant), *zones_.find(rule.zone));
  };
  EXPECT_EQ(note(rule("30 2 * * *", "Test/Forward"), "2026-03-29T01:30:00Z"), DstNote::shifted);
  EXPECT_EQ(note(rule("30 2 * * *", "Test/Forward"), "2026-03-28T01:30:00Z"), DstNote::none);
  EXPECT_EQ(note(rule("30 2 * * *", "Test/Back"), "2026-10-25T00:30:00Z"), DstNote::first_of_two);
  EXPECT_EQ(note(rule("30 2 * * *", "Test/Back"), "2026-10-25T01:30:00Z"), DstNote::second_of_two);
  EXPECT_EQ(note(rule("30 2 * * *", "Test/Back"), "2026-10-26T01:30:00Z"), DstNote::none);
}

TEST_F(Recurring, AnIntervalCountsFromItsAnchorInBothDirections) {
  const Recurrence every{IntervalRule{90min, at("2026-01-01T00:10:00Z")}};
  EXPECT_THAT(between(every, "2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z"), ElementsAre("00:10", "01:40", "03:10"));
  EXPECT_THAT(between(every, "2025-12-31T22:00:00Z", "2025-12-31T23:59:00Z"), ElementsAre("22:40"));
  EXPECT_EQ(*next_occurrence(every, at("2026-01-01T00:10:00Z"), zones_), at("2026-01-01T01:40:00Z"));
}

TEST_F(Recurring, ACalendarIsItsInstants) {
  const Recurrence calendar{CalendarRule{{at("2026-01-01T10:00:00Z"), at("2026-01-01T12:30:00Z")}}};
  EXPECT_THAT(between(calendar, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"), ElementsAre("10:00", "12:30"));
  EXPECT_EQ(*next_occurrence(calendar, at("2026-01-01T12:30:00Z"), zones_), std::nullopt);
}

TEST_F(Recurring, TheStartIsIncludedAndTheEndIsNot) {
  Recurrence hourly{rule("@hourly", "UTC")};
  hourly.start = at("2026-01-01T02:00:00Z");
  hourly.end = at("2026-01-01T05:00:00Z");
  EXPECT_THAT(between(hourly, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), ElementsAre("02:00", "03:00", "04:00"));
}

TEST_F(Recurring, NothingOccursBefore1970OrAfterTheYear9999) {
  for (const Recurrence& one :
       {Recurrence{rule("@yearly", "UTC")}, Recurrence{IntervalRule{24h, at("2026-01-01T00:00:00Z")}}}) {
    EXPECT_EQ(*next_occurrence(one, Instant::min(), zones_), at("1970-01-01T00:00:00Z"));
    EXPECT_EQ(*next_occurrence(one, limits::due_max, zones_), std::nullopt);
    EXPECT_EQ(*next_occurrence(one, Instant::max(), zones_), std::nullopt);
    EXPECT_EQ(*next_occurrence(one, at("9999-12-31T12:00:00Z"), zones_), std::nullopt);
  }
}

TEST_F(Recurring, JitterIsTheSameEachTimeAndKeepsTheOrder) {
  Recurrence minutely{rule("* * * * *", "UTC")};
  minutely.jitter = 1h;
  Instant last = Instant::min();
  Duration most{};
  Instant nominal = at("2026-01-01T00:00:00Z");
  for (int i = 0; i < 1000; ++i, nominal += 1min) {
    const Instant due = *due_of_occurrence(minutely, "report", nominal, zones_);
    EXPECT_EQ(due, *due_of_occurrence(minutely, "report", nominal, zones_));
    EXPECT_GE(due, nominal);
    EXPECT_LT(due, nominal + 1min);
    EXPECT_GT(due, last);
    last = due;
    most = std::max(most, due - nominal);
  }
  EXPECT_GT(most, 50s);
  minutely.jitter = 2s;
  EXPECT_LE(*due_of_occurrence(minutely, "report", nominal, zones_), nominal + 2s);
  EXPECT_NE(*due_of_occurrence(minutely, "report", nominal, zones_),
            *due_of_occurrence(minutely, "bill", nominal, zones_));
  minutely.jitter = 0s;
  EXPECT_EQ(*due_of_occurrence(minutely, "report", nominal, zones_), nominal);
}

TEST_F(Recurring, JitterIsTheSameOnEveryMachineAndInEveryRelease) {
  Recurrence daily{rule("@daily", "UTC")};
  daily.jitter = 1h;
  EXPECT_EQ(to_string(*due_of_occurrence(daily, "report", at("2026-01-01T00:00:00Z"), zones_)),
            "2026-01-01T00:51:05.489888Z");
}

TEST_F(Recurring, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(why_not({rule("@daily", "Mars/Base")}), HasSubstr("\"Mars/Base\" is no time zone"));
  EXPECT_FALSE(next_occurrence({rule("@daily", "Mars/Base")}, at("2026-01-01T00:00:00Z"), zones_));
  EXPECT_THAT(why_not({IntervalRule{10ms, {}}}), HasSubstr("the period is 10ms, expected 1s to 3660d"));
  EXPECT_THAT(why_not({IntervalRule{1h, Instant(Duration(-1))}}), HasSubstr("the anchor is"));
  EXPECT_THAT(why_not({CalendarRule{}}), HasSubstr("has 0 instants, expected 1 to 10000"));
  const Instant one = at("2026-01-01T00:00:00Z");
  EXPECT_THAT(why_not({CalendarRule{{one, one}}}), HasSubstr("expected each instant once, in order"));
  EXPECT_THAT(why_not({CalendarRule{{Instant(Duration(-5))}}}), HasSubstr("not within the years 1970 to 9999"));
  EXPECT_THAT(why_not({rule("@daily", "UTC"), one, one}), HasSubstr("is not after the start"));
  EXPECT_THAT(why_not({rule("@daily", "UTC"), {}, {}, 25h}), HasSubstr("the jitter is 1d1h, expected 0s to 1d"));
  EXPECT_TRUE(check({rule("@daily", "Test/Back"), one, one + 1h, 1h}, zones_));
}

}  // namespace
}  // namespace daybook
