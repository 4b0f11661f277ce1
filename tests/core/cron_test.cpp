// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/cron.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daybook/core/limits.hpp"
#include "daybook/core/time.hpp"

namespace daybook {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

LocalTime local(std::string_view text) {
  return LocalTime(
      std::chrono::floor<std::chrono::seconds>(*parse_instant(std::string(text) + "Z")).time_since_epoch());
}
std::string written(LocalTime time) {
  return to_string(Instant(time.time_since_epoch())).substr(0, 19);
}

CronExpression cron(std::string_view text) {
  const auto parsed = parse_cron(text);
  EXPECT_TRUE(parsed) << parsed.error().sentence;
  return parsed.value_or(CronExpression());
}

/// The first `count` matches from 2026-01-01 (a Thursday) or `from` on.
std::vector<std::string> matches(std::string_view text, std::size_t count,
                                 std::string_view from = "2026-01-01T00:00:00") {
  const CronExpression expression = cron(text);
  std::vector<std::string> found;
  for (auto at = expression.next(local(from)); at && found.size() < count;
       at = expression.next(*at + std::chrono::seconds(1))) {
    EXPECT_TRUE(expression.matches(*at));
    found.push_back(written(*at));
  }
  return found;
}

std::string why_not(std::string_view text) {
  const auto parsed = parse_cron(text);
  EXPECT_FALSE(parsed) << text;
  if (parsed) return {};
  EXPECT_EQ(parsed.error().code, RefusalCode::invalid_argument);
  return parsed.error().sentence;
}

TEST(Cron, FiveFieldsMatchAtTheBeginningOfMinutes) {
  EXPECT_THAT(matches("30 2 * * *", 2), ElementsAre("2026-01-01T02:30:00", "2026-01-02T02:30:00"));
  EXPECT_THAT(matches("*/20 9 * * *", 4),
              ElementsAre("2026-01-01T09:00:00", "2026-01-01T09:20:00", "2026-01-01T09:40:00", "2026-01-02T09:00:00"));
}

TEST(Cron, ASixthFieldInFrontIsTheSecond) {
  EXPECT_THAT(matches("*/25 59 23 31 12 *", 4),
              ElementsAre("2026-12-31T23:59:00", "2026-12-31T23:59:25", "2026-12-31T23:59:50", "2027-12-31T23:59:00"));
}

TEST(Cron, TheNextMatchMayBeTheTimeItself) {
  const CronExpression expression = cron("15 10 * * *");
  EXPECT_EQ(expression.next(local("2026-01-01T10:15:00")), local("2026-01-01T10:15:00"));
  EXPECT_EQ(expression.next(local("2026-01-01T10:15:01")), local("2026-01-02T10:15:00"));
}

TEST(Cron, RangesMayGoOverTheEndOfAField) {
  EXPECT_EQ(cron("0 22-2 * * *"), cron("0 0,1,2,22,23 * * *"));
  EXPECT_EQ(cron("0 22-4/2 * * *"), cron("0 0,2,4,22 * * *"));
  EXPECT_EQ(cron("0 0 * NOV-FEB *"), cron("0 0 * 1,2,11,12 *"));
  EXPECT_EQ(cron("0 0 30-2 * *"), cron("0 0 1,2,30,31 * *"));
  EXPECT_EQ(cron("0 0 * * SAT-SUN"), cron("0 0 * * 0,6"));
}

TEST(Cron, SundayIsZeroAndSeven) {
  EXPECT_EQ(cron("0 0 * * 7"), cron("0 0 * * SUN"));
  EXPECT_EQ(cron("0 0 * * 5-7"), cron("0 0 * * 0,5,6"));
  EXPECT_EQ(cron("0 0 * * 7-2"), cron("0 0 * * 0-2"));
  EXPECT_EQ(cron("0 0 * * 7-7"), cron("0 0 * * 0"));
  EXPECT_EQ(cron("0 0 1 * 0-7"), cron("0 0 1 * 1-7"));
  EXPECT_EQ(cron("0 0 * * 7L"), cron("0 0 * * SUNL"));
  EXPECT_EQ(cron("0 0 * * 7#2"), cron("0 0 * * 0#2"));
}

TEST(Cron, AStepBehindOneValueGoesToTheEndOfTheField) {
  EXPECT_EQ(cron("5/20 * * * *"), cron("5,25,45 * * * *"));
  EXPECT_EQ(cron("0 0 1 10/1 *"), cron("0 0 1 10-12 *"));
}

TEST(Cron, NamesAreReadWhateverTheirCase) {
  EXPECT_EQ(cron("0 0 * jan-Mar,DEC *"), cron("0 0 * 1-3,12 *"));
  EXPECT_EQ(cron("0 0 * * mon,Wed,fri"), cron("0 0 * * 1,3,5"));
}

TEST(Cron, EitherDayIsEnoughWhenBothAreRestricted) {
  EXPECT_THAT(matches("0 0 13 * FRI", 4),
              ElementsAre("2026-01-02T00:00:00", "2026-01-09T00:00:00", "2026-01-13T00:00:00", "2026-01-16T00:00:00"));
}

TEST(Cron, BothDaysMustMatchWhenOneFieldBeginsWithAStar) {
  // The odd days that are Mondays.
  EXPECT_THAT(matches("0 0 */2 * MON", 3),
              ElementsAre("2026-01-05T00:00:00", "2026-01-19T00:00:00", "2026-02-09T00:00:00"));
  EXPECT_THAT(matches("0 0 13 * */5", 2), ElementsAre("2026-02-13T00:00:00", "2026-03-13T00:00:00"));
  // A star further behind restricts nothing and is none.
  EXPECT_THAT(matches("0 0 13,* * FRI", 2), ElementsAre("2026-01-01T00:00:00", "2026-01-02T00:00:00"));
  EXPECT_THAT(matches("0 0 1-31 * FRI", 2), ElementsAre("2026-01-01T00:00:00", "2026-01-02T00:00:00"));
  EXPECT_THAT(matches("0 0 ? * FRI", 2), ElementsAre("2026-01-02T00:00:00", "2026-01-09T00:00:00"));
}

TEST(Cron, LastDaysAreCountedFromTheEndOfTheMonth) {
  EXPECT_THAT(matches("0 0 L * *", 3),
              ElementsAre("2026-01-31T00:00:00", "2026-02-28T00:00:00", "2026-03-31T00:00:00"));
  EXPECT_THAT(matches("0 0 L-3 * *", 2), ElementsAre("2026-01-28T00:00:00", "2026-02-25T00:00:00"));
  EXPECT_THAT(matches("0 0 L-30 * *", 2), ElementsAre("2026-01-01T00:00:00", "2026-03-01T00:00:00"));
  EXPECT_THAT(matches("0 0 1,L * *", 3),
              ElementsAre("2026-01-01T00:00:00", "2026-01-31T00:00:00", "2026-02-01T00:00:00"));
}

TEST(Cron, WeekdaysNearestToADayStayInItsMonth) {
  // 2026-08-01 and 2026-11-01 are a Saturday and a Sunday; so are 2026-01-31 and 2026-05-31.
  EXPECT_THAT(matches("0 0 1W 8,11 *", 2), ElementsAre("2026-08-03T00:00:00", "2026-11-02T00:00:00"));
  EXPECT_THAT(matches("0 0 31W 1,2,5 *", 2), ElementsAre("2026-01-30T00:00:00", "2026-05-29T00:00:00"));
  EXPECT_THAT(matches("0 0 15W * *", 3),
              ElementsAre("2026-01-15T00:00:00", "2026-02-16T00:00:00", "2026-03-16T00:00:00"));
  EXPECT_THAT(matches("0 0 LW * *", 3),
              ElementsAre("2026-01-30T00:00:00", "2026-02-27T00:00:00", "2026-03-31T00:00:00"));
}

TEST(Cron, WeekdaysAreCountedWithinTheMonth) {
  EXPECT_THAT(matches("0 0 * * MON#2", 2), ElementsAre("2026-01-12T00:00:00", "2026-02-09T00:00:00"));
  EXPECT_THAT(matches("0 0 * * THU#5", 2), ElementsAre("2026-01-29T00:00:00", "2026-04-30T00:00:00"));
  EXPECT_THAT(matches("0 0 * * 5L", 2), ElementsAre("2026-01-30T00:00:00", "2026-02-27T00:00:00"));
  EXPECT_THAT(matches("0 0 * * MON#1,friL", 3),
              ElementsAre("2026-01-05T00:00:00", "2026-01-30T00:00:00", "2026-02-02T00:00:00"));
}

TEST(Cron, NicknamesStandForExpressions) {
  EXPECT_EQ(cron("@hourly"), cron("0 * * * *"));
  EXPECT_EQ(cron("@daily"), cron("0 0 * * *"));
  EXPECT_EQ(cron("@midnight"), cron("@daily"));
  EXPECT_EQ(cron("@weekly"), cron("0 0 * * 0"));
  EXPECT_EQ(cron("@monthly"), cron("0 0 1 * *"));
  EXPECT_EQ(cron(" @Yearly "), cron("0 0 1 1 *"));
  EXPECT_EQ(cron("@annually"), cron("@yearly"));
}

TEST(Cron, LeapDaysAreFoundOverTheCenturyThatHasNone) {
  EXPECT_THAT(matches("0 0 29 2 *", 2, "2096-01-01T00:00:00"),
              ElementsAre("2096-02-29T00:00:00", "2104-02-29T00:00:00"));
  // … that are a Saturday or a Sunday.
  EXPECT_THAT(matches("0 0 29 2 */6", 2, "2089-01-01T00:00:00"),
              ElementsAre("2116-02-29T00:00:00", "2128-02-29T00:00:00"));
}

TEST(Cron, AfterTheLastYearThereIsNothing) {
  EXPECT_EQ(cron("0 0 29 2 *").next(local("9996-03-01T00:00:00")), std::nullopt);
  EXPECT_EQ(cron("* * * * *").next(local("9999-12-31T23:59:01")), std::nullopt);
}

TEST(Cron, WhatMatchesInNoYearIsRefused) {
  for (const auto* text : {"0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30W 2 *", "0 0 L-30 2,4 *", "0 0 L-29 2 ?"}) {
    EXPECT_THAT(why_not(text), HasSubstr("never matches"));
  }
  EXPECT_THAT(matches("0 0 L-28 2 *", 1), ElementsAre("2028-02-01T00:00:00"));
  EXPECT_THAT(matches("0 0 30 2 MON", 1), ElementsAre("2026-02-02T00:00:00"));
}

TEST(Cron, ARefusalNamesTheFieldAndTheColumnAndShowsWhatIsRight) {
  EXPECT_EQ(why_not("0 24 * * *"),
            "\"0 24 * * *\" is not a cron expression: hour, column 3: found \"24\", expected 0 to 23, like 2, */6, "
            "9-17 or 8,20");
  EXPECT_THAT(why_not("60 * * * *"), HasSubstr("minute, column 1: found \"60\", expected 0 to 59"));
  EXPECT_THAT(why_not("0  0   0 * *"), HasSubstr("day of month, column 8: found \"0\", expected 1 to 31"));
  EXPECT_THAT(why_not("0 0 1 13 *"), HasSubstr("month, column 7: found \"13\", expected 1 to 12 or JAN to DEC"));
  EXPECT_THAT(why_not("0 0 * * 8"), HasSubstr("day of week, column 9: found \"8\""));
  EXPECT_THAT(why_not("60 0 0 * * *"), HasSubstr("second, column 1"));
  EXPECT_THAT(why_not("0 0 * * MONDAY"), HasSubstr("found \"MONDAY\", expected a name of three letters, like MON"));
  EXPECT_THAT(why_not("0 0 * FOO *"), HasSubstr("month, column 7: found \"FOO\""));
  EXPECT_THAT(why_not("0 0 ?,1 * *"), HasSubstr("expected ? alone"));
  EXPECT_THAT(why_not("? * * * *"), HasSubstr("minute, column 1"));
  EXPECT_THAT(why_not("0 0 * * L"), AllOf(HasSubstr("day of week, column 9: found \"L\""), HasSubstr("5L")));
  EXPECT_THAT(why_not("0 0 L-31 * *"), HasSubstr("column 7: found \"31\", expected 1 to 30"));
  EXPECT_THAT(why_not("0 0 * * 5#6"), HasSubstr("column 11: found \"6\", expected 1 to 5, like MON#2"));
  EXPECT_THAT(why_not("1-2-3 * * * *"), HasSubstr("column 4: found \"-3\", expected a comma, or the end of the field"));
  EXPECT_THAT(why_not("1, * * * *"), HasSubstr("column 3: found nothing"));
  EXPECT_THAT(why_not("99999999999999999999 * * * *"), HasSubstr("minute, column 1"));
}

TEST(Cron, AStepThatCannotMeanWhatItSaysIsRefused) {
  EXPECT_THAT(why_not("*/90 * * * *"), AllOf(HasSubstr("found \"90\""), HasSubstr("an interval, like 90m")));
  EXPECT_THAT(why_not("*/0 * * * *"), HasSubstr("a step of 1 to 60"));
  EXPECT_EQ(cron("*/60 */24 * * *"), cron("0 0 * * *"));
}

TEST(Cron, WhatIsNoCronIsToldWhatToUseInstead) {
  EXPECT_THAT(why_not("@reboot"), HasSubstr("start of your program"));
  EXPECT_THAT(why_not("@every 5m"), HasSubstr("use an interval"));
  EXPECT_THAT(why_not("@fortnightly"), HasSubstr("expected @hourly"));
  EXPECT_THAT(why_not(""), HasSubstr("found 0 fields, expected 5"));
  EXPECT_THAT(why_not("* * * *"), HasSubstr("found 4 fields, expected 5"));
  EXPECT_THAT(why_not("* * * * * * 2026"), HasSubstr("found 7 fields"));
  EXPECT_THAT(why_not(std::string(limits::cron_bytes_max + 1, ' ')), HasSubstr("1025 bytes, expected at most 1024"));
}

TEST(Cron, TheTextIsOneForEachMeaning) {
  EXPECT_EQ(to_string(cron("  00   07  *  jan-mar mon-fri ")), "0 7 * 1-3 1-5");
  EXPECT_EQ(to_string(cron("0,15,30,45 0-23 ? * ?")), "*/15 * * * *");
  EXPECT_EQ(to_string(cron("0 0 0 * * *")), "0 0 * * *");
  EXPECT_EQ(to_string(cron("*/2 0 0 * * *")), "*/2 0 0 * * *");
  EXPECT_EQ(to_string(cron("0 0 */2,4,L-2,3W,LW * MON#2,7L,TUE")), "0 0 */2,4,L-2,3W,LW * 2,0L,1#2");
  EXPECT_EQ(to_string(cron("0 0 1-31 * FRI")), "0 0 1-31 * 5");
  EXPECT_EQ(to_string(cron("0 22-2 * * *")), "0 0-2,22,23 * * *");
}

}  // namespace
}  // namespace daybook
