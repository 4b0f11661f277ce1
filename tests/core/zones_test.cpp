// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/zones.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/hand_made_zones.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using test::HandMadeZones;
using Kind = LocalLookup::Kind;

sys_seconds at(std::string_view text) {
  return std::chrono::floor<std::chrono::seconds>(*parse_instant(text));
}
LocalTime local(std::string_view text) {
  return LocalTime(at(std::string(text) + "Z").time_since_epoch());
}

/// An hour forward at 01:00 UTC on March 29, an hour back on October 25.
Zone summer_time() {
  return {"Test/Summer", 1h, {{at("2026-03-29T01:00:00Z"), 2h}, {at("2026-10-25T01:00:00Z"), 1h}}};
}

TEST(Zones, ASpanKnowsItsOffsetAndThoseBesideIt) {
  const Zone zone = summer_time();
  const ZoneSpan winter = zone.span(at("2026-03-29T00:59:59Z"));
  EXPECT_EQ(winter.offset, 1h);
  EXPECT_EQ(winter.end, at("2026-03-29T01:00:00Z"));
  const ZoneSpan summer = zone.span(winter.end);
  EXPECT_EQ(summer.begin, winter.end);
  EXPECT_EQ(summer.offset, 2h);
  EXPECT_EQ(summer.gap(), 1h);
  EXPECT_EQ(summer.repeated_at_begin(), 0s);
  EXPECT_EQ(summer.repeated_at_end(), 1h);
  EXPECT_EQ(zone.span(summer.end).repeated_at_begin(), 1h);
  EXPECT_EQ(zone.span(summer.end).gap(), 0s);
}

TEST(Zones, ALocalTimeIsOneInstantOrNoneOrTwo) {
  const Zone zone = summer_time();
  const auto kind = [&](const char* text) { return zone.look_up(local(text)).kind; };
  EXPECT_EQ(kind("2026-03-29T01:59:59"), Kind::unique);
  EXPECT_EQ(kind("2026-03-29T02:00:00"), Kind::gap);
  EXPECT_EQ(kind("2026-03-29T02:59:59"), Kind::gap);
  EXPECT_EQ(kind("2026-03-29T03:00:00"), Kind::unique);
  EXPECT_EQ(kind("2026-10-25T01:59:59"), Kind::unique);
  EXPECT_EQ(kind("2026-10-25T02:00:00"), Kind::repeated);
  EXPECT_EQ(kind("2026-10-25T02:59:59"), Kind::repeated);
  EXPECT_EQ(kind("2026-10-25T03:00:00"), Kind::unique);
  const LocalLookup gap = zone.look_up(local("2026-03-29T02:30:00"));
  EXPECT_EQ(gap.first, at("2026-03-29T01:30:00Z"));
  EXPECT_EQ(gap.before, 1h);
  EXPECT_EQ(gap.after, 2h);
  const LocalLookup twice = zone.look_up(local("2026-10-25T02:30:00"));
  EXPECT_EQ(twice.first, at("2026-10-25T00:30:00Z"));
  EXPECT_EQ(twice.last, at("2026-10-25T01:30:00Z"));
}

TEST(Zones, AWholeDayMayBeMissing) {
  const Zone zone("Test/DateLine", -10h, {{at("2011-12-30T10:00:00Z"), 14h}});
  EXPECT_EQ(zone.look_up(local("2011-12-30T12:00:00")).kind, Kind::gap);
  EXPECT_EQ(zone.look_up(local("2011-12-29T12:00:00")).first, at("2011-12-29T22:00:00Z"));
  EXPECT_EQ(zone.look_up(local("2011-12-31T12:00:00")).first, at("2011-12-30T22:00:00Z"));
}

TEST(Zones, WhatRepeatsGoesOnForEver) {
  std::vector<ZoneChange> changes;
  for (int year = 2000; year < 2402; ++year) {
    changes.push_back({sys_days(std::chrono::year(year) / 3 / std::chrono::Sunday[std::chrono::last]) + 1h, 2h});
    changes.push_back({sys_days(std::chrono::year(year) / 10 / std::chrono::Sunday[std::chrono::last]) + 1h, 1h});
  }
  const Zone zone("Test/Ever", 1h, changes, true);
  for (int year = 2400; year < 9990; year += 7) {
    const sys_seconds change =
        sys_days(std::chrono::year(year) / 3 / std::chrono::Sunday[std::chrono::last]) + std::chrono::hours(1);
    EXPECT_EQ(zone.span(change - 1s).offset, 1h) << year;
    const ZoneSpan summer = zone.span(change);
    EXPECT_EQ(summer.offset, 2h) << year;
    EXPECT_EQ(summer.begin, change);
    EXPECT_EQ(summer.end, sys_days(std::chrono::year(year) / 10 / std::chrono::Sunday[std::chrono::last]) + 1h);
  }
}

TEST(Zones, AnUnknownNameIsRefusedWithOneThatWouldDo) {
  const HandMadeZones zones;
  EXPECT_EQ((*find_zone(zones, "UTC"))->name(), "UTC");
  const auto unknown = find_zone(zones, "Europe/Prag");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().sentence,
            "\"Europe/Prag\" is no time zone of the tz data by hand; write an IANA name as it is spelled there, like "
            "Europe/Prague, America/New_York or UTC");
}

}  // namespace
}  // namespace daybook
