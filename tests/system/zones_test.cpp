// SPDX-License-Identifier: Apache-2.0
// Laws about every zone that the machine knows, over the years 2020 to 2040.
#include <gtest/gtest.h>

#include <thread>

#include "daybook/core/recurrence.hpp"
#include "daybook/system/system_zones.hpp"
#include "zone_names.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

const sys_seconds begin = sys_days(std::chrono::year(2020) / 1 / 1);
const sys_seconds end = sys_days(std::chrono::year(2041) / 1 / 1);

class EveryZone : public testing::Test {
 protected:
  void SetUp() override {
    if (names_.empty()) GTEST_SKIP() << "skipped: no tzdata is installed";
  }
  SystemZones zones_;
  std::vector<std::string> names_ = test::zone_names();
};

TEST_F(EveryZone, IsKnownAndTheDataSayTheirRelease) {
  EXPECT_GT(names_.size(), 500U);
  EXPECT_EQ(zones_.version().size(), 5U) << zones_.version();
  for (const std::string& name : names_) EXPECT_NE(zones_.find(name), nullptr) << name;
  for (const auto* name : {"", "Europe", "Europe/Prag", "europe/prague", "/etc/passwd", "../zoneinfo/UTC", "posixrules",
                           "localtime", "posix/UTC", "right/UTC"}) {
    EXPECT_EQ(zones_.find(name), nullptr) << name;
  }
}

TEST_F(EveryZone, HasSpansThatMeetAndLocalTimesThatAreFoundAgain) {
  for (const std::string& name : names_) {
    const Zone& zone = *zones_.find(name);
    for (ZoneSpan span = zone.span(begin); span.end < end; span = zone.span(span.end)) {
      const ZoneSpan next = zone.span(span.end);
      ASSERT_EQ(next.begin, span.end) << name;
      ASSERT_EQ(next.before, span.offset) << name;
      ASSERT_EQ(span.after, next.offset) << name;
      ASSERT_GT(span.end - span.begin, 24h * 3) << name << ": two changes within days of each other";
      for (const sys_seconds at : {std::max(span.begin, begin), std::min(span.end, end) - 1s}) {
        const LocalLookup found = zone.look_up(zone.local(at));
        ASSERT_NE(found.kind, LocalLookup::Kind::gap) << name;
        ASSERT_TRUE(found.first == at || found.last == at) << name;
      }
    }
  }
}

TEST_F(EveryZone, HasADailyOccurrenceOncePerLocalDayThatExists) {
  const CronExpression nightly = *parse_cron("30 2 * * *");
  for (const std::string& name : names_) {
    const Zone& zone = *zones_.find(name);
    for (const auto& [gap, repeat] :
         {std::pair(DstGap::shift, DstRepeat::first), std::pair(DstGap::skip, DstRepeat::last),
          std::pair(DstGap::shift, DstRepeat::both)}) {
      const CronRule rule{nightly, name, gap, repeat};
      Instant last = begin - 1s;
      for (auto day = std::chrono::local_days(std::chrono::year(2020) / 1 / 2);
           day < std::chrono::local_days(std::chrono::year(2040) / 12 / 31); day += std::chrono::days(1)) {
        const LocalLookup found = zone.look_up(day + 2h + 30min);
        const bool lost = found.kind == LocalLookup::Kind::gap;
        if (lost && gap == DstGap::skip) continue;
        Instant expected = repeat == DstRepeat::last ? found.last : found.first;
        if (day == std::chrono::local_days(std::chrono::year(2020) / 1 / 2)) last = expected - 1s;
        const auto next = next_occurrence(rule, last, zone);
        ASSERT_EQ(next, std::optional(expected)) << name << " " << to_string(*next);
        if (lost) {
          ASSERT_EQ(dst_note(rule, *next, zone), DstNote::shifted) << name;
        }
        if (repeat == DstRepeat::both && found.first != found.last) {
          ASSERT_EQ(dst_note(rule, *next, zone), DstNote::first_of_two) << name;
          expected = found.last;
          ASSERT_EQ(next_occurrence(rule, *next, zone), std::optional(expected)) << name;
          ASSERT_EQ(dst_note(rule, expected, zone), DstNote::second_of_two) << name;
        }
        last = expected;
      }
    }
  }
}

TEST_F(EveryZone, HasEveryQuarterOfAnHourOfRealTime) {
  const CronExpression quarterly = *parse_cron("*/15 * * * *");
  for (const std::string& name : names_) {
    const Zone& zone = *zones_.find(name);
    const CronRule rule{quarterly, name};
    for (ZoneSpan span = zone.span(begin); span.end < end; span = zone.span(span.end)) {
      if (span.offset % 900s != 0s || span.after % 900s != 0s) continue;
      Instant at = std::chrono::floor<std::chrono::hours>(span.end) - 3h;
      for (int i = 0; i < 24; ++i) {
        const auto next = next_occurrence(rule, at, zone);
        ASSERT_EQ(next, std::optional(at + 15min)) << name;
        at = *next;
      }
    }
  }
}

TEST_F(EveryZone, GoesOnAfterTheYear2037ByItsRule) {
  const Zone& prague = *zones_.find("Europe/Prague");
  for (const int year : {2037, 2038, 2040, 2100, 2439, 2440, 5000, 9990}) {
    EXPECT_EQ(prague.span(sys_days(std::chrono::year(year) / 7 / 1)).offset, 2h) << year;
    EXPECT_EQ(prague.span(sys_days(std::chrono::year(year) / 1 / 1)).offset, 1h) << year;
  }
}

TEST_F(EveryZone, IsTheSameForThreadsThatAskAtOnce) {
  std::vector<std::thread> threads;
  std::vector<std::vector<const Zone*>> found(4);
  for (auto& mine : found) {
    threads.emplace_back([&] {
      for (const std::string& name : names_) mine.push_back(zones_.find(name));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : found) EXPECT_EQ(mine, found.front());
}

}  // namespace
}  // namespace daybook
