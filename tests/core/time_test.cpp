// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "daybook/core/limits.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Instant instant(int year, unsigned month, unsigned day, Duration clock) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + clock;
}

TEST(Duration, IsWrittenExactlyInTheLargestUnits) {
  EXPECT_EQ(to_string(0us), "0s");
  EXPECT_EQ(to_string(Duration(90min)), "1h30m");
  EXPECT_EQ(to_string(Duration(250ms)), "250ms");
  EXPECT_EQ(to_string(Duration(1'500'001us)), "1s500ms1us");
  EXPECT_EQ(to_string(Duration(24h * 7)), "7d");
  EXPECT_EQ(to_string(Duration(-90s)), "-1m30s");
  EXPECT_EQ(to_string(Duration::max()), "106751991d4h54s775ms807us");
  EXPECT_EQ(to_string(Duration::min()), "-106751991d4h54s775ms808us");
}

TEST(Duration, IsReadInAllItsForms) {
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("7d"), 24h * 7);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("0.000001s"), 1us);
  EXPECT_EQ(parse_duration("0.00000001d"), 864us);
  EXPECT_EQ(parse_duration("1.50000000000000s"), 1500ms);
  EXPECT_EQ(parse_duration("007m"), 7min);
}

TEST(Duration, WhatIsNoneIsRefusedAndTheRefusalShowsWhatWouldParse) {
  for (const char* text :
       {"",    "10",  "m",   "-10m",  "+10m", "10 m",  " 10m",       "10m ",         "1h 30m", "10x",  "10M",  "10min",
        "1.s", ".5s", "1.5", "30m1h", "1h1h", "1.5us", "0.0000001s", "0.123456789d", "1e3s",   "1,5s", "10m\n"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, RefusalCode::invalid_argument) << text;
    EXPECT_THAT(duration.error().sentence, HasSubstr("1h30m")) << text;
  }
}

TEST(Duration, TooLongIsRefusedAndNeverOverflows) {
  EXPECT_EQ(parse_duration("106751991d4h54s775ms807us"), Duration::max());
  for (const char* text : {"106751991d4h54s775ms808us", "106751992d", "9223372036854775808us", "18446744073709551616us",
                           "99999999999999999999999999d", "106751991d99999999h", "213503983d"}) {
    ASSERT_FALSE(parse_duration(text)) << text;
    EXPECT_THAT(parse_duration(text).error().sentence, HasSubstr("too long")) << text;
  }
}

RC_GTEST_PROP(Duration, WhatIsWrittenIsReadBack, (const Duration& duration)) {
  if (duration.count() >= 0) {
    RC_ASSERT(parse_duration(to_string(duration)) == duration);
  } else {
    RC_ASSERT(to_string(duration).front() == '-');
    if (duration != Duration::min()) RC_ASSERT(parse_duration(to_string(duration).substr(1)) == -duration);
  }
}

TEST(Instant, IsWrittenInUtcWithMicroseconds) {
  EXPECT_EQ(to_string(instant(2026, 3, 4, 12h + 5min + 113204us)), "2026-03-04T12:05:00.113204Z");
  EXPECT_EQ(to_string(Instant()), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_string(Instant(-1us)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_string(limits::due_max), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_string(instant(2024, 2, 29, 0s)), "2024-02-29T00:00:00.000000Z");
}

TEST(Instant, OutsideTheCalendarItIsACount) {
  EXPECT_EQ(to_string(limits::due_max + 1us), "@253402300800000000us");
  EXPECT_EQ(to_string(Instant::max()), "@9223372036854775807us");
  EXPECT_EQ(to_string(Instant::min()), "@-9223372036854775808us");
}

TEST(Instant, IsReadAtAnyOffset) {
  const Instant noon = instant(2026, 3, 4, 12h);
  EXPECT_EQ(parse_instant("2026-03-04T12:00:00Z"), noon);
  EXPECT_EQ(parse_instant("2026-03-04t12:00:00z"), noon);
  EXPECT_EQ(parse_instant("2026-03-04 12:00:00Z"), noon);
  EXPECT_EQ(parse_instant("2026-03-04T13:30:00+01:30"), noon);
  EXPECT_EQ(parse_instant("2026-03-03T23:00:00-13:00"), noon);
  EXPECT_EQ(parse_instant("2026-03-04T12:00:00-00:00"), noon);
  EXPECT_EQ(parse_instant("2026-03-04T12:00:00.25Z"), noon + 250ms);
  EXPECT_EQ(parse_instant("2026-03-04T12:00:00.123456999Z"), noon + 123456us);
  EXPECT_EQ(parse_instant("1969-12-31T23:30:00-01:00"), Instant(Duration(30min)));
  EXPECT_EQ(parse_instant("2024-02-29T00:00:00Z"), instant(2024, 2, 29, 0s));
}

TEST(Instant, WhatIsNoneIsRefusedAndTheRefusalShowsWhatWouldParse) {
  for (const char* text : {"",
                           "now",
                           "tomorrow",
                           "2026-03-04",
                           "12:00:00Z",
                           "2026-02-30T12:00:00Z",
                           "2025-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-03-04T24:00:00Z",
                           "2026-03-04T12:60:00Z",
                           "2026-03-04T12:00:60Z",
                           "2026-03-04T12:00:00",
                           "2026-03-04T12:00Z",
                           "2026-03-04T12:00:00.Z",
                           "2026-03-04T12:00:00.1234567890Z",
                           "2026-03-04T12:00:00+1:00",
                           "2026-03-04T12:00:00+0100",
                           "2026-03-04T12:00:00+24:00",
                           "2026-03-04T12:00:00+01:60",
                           "2026-03-04T12:00:00Z ",
                           " 2026-03-04T12:00:00Z",
                           "2026-3-4T12:00:00Z",
                           "26-03-04T12:00:00Z",
                           "2026-03-04T12:00:00ZZ",
                           "+2026-03-04T12:00:00Z",
                           "2026-03-04_12:00:00Z",
                           "2026-03-04T-1:00:00Z",
                           "1772625600"}) {
    const auto read = parse_instant(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, RefusalCode::invalid_argument) << text;
    EXPECT_THAT(read.error().sentence, HasSubstr("2026-03-04T12:05:00Z")) << text;
  }
}

TEST(Instant, TheYearsEndAt1970And9999) {
  EXPECT_EQ(parse_instant("9999-12-31T23:59:59.999999Z"), limits::due_max);
  EXPECT_EQ(parse_instant("1970-01-01T00:00:00Z"), limits::due_min);
  for (const char* text : {"9999-12-31T23:59:59-00:01", "1970-01-01T00:00:00+00:01", "1969-12-31T23:59:59.999999Z",
                           "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"}) {
    ASSERT_FALSE(parse_instant(text)) << text;
    EXPECT_THAT(parse_instant(text).error().sentence, HasSubstr("1970 to 9999")) << text;
  }
}

RC_GTEST_PROP(Instant, WhatIsWrittenIsReadBack, (const Instant& instant)) {
  const std::string text = to_string(instant);
  if (instant >= limits::due_min && instant <= limits::due_max) {
    RC_ASSERT(parse_instant(text) == instant);
  } else {
    RC_ASSERT(!parse_instant(text));
  }
}

RC_GTEST_PROP(Instant, TextsSortAsTheInstantsDo, ()) {
  const Instant one = (*rc::gen::arbitrary<Due>()).at;
  const Instant other = (*rc::gen::arbitrary<Due>()).at;
  RC_ASSERT((to_string(one) < to_string(other)) == (one < other));
}

}  // namespace
}  // namespace daybook
