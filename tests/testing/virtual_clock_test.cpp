// SPDX-License-Identifier: Apache-2.0
#include "daybook/testing/virtual_clock.hpp"

#include <gtest/gtest.h>

#include <future>

#include "daybook/daybook.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using daybook::testing::SeededRandom;
using daybook::testing::VirtualClock;

TEST(VirtualClockTest, TimeStandsStillUntilItIsMoved) {
  VirtualClock clock;
  EXPECT_EQ(to_string(clock.wall()), "2026-01-01T00:00:00.000000Z");
  const BootTime boot = clock.boot();
  clock.advance(90min);
  EXPECT_EQ(to_string(clock.wall()), "2026-01-01T01:30:00.000000Z");
  EXPECT_EQ(clock.boot() - boot, 90min);
}

TEST(VirtualClockTest, ItNeverAdvancesBackwards) {
  VirtualClock clock;
  const Instant before = clock.wall();
  clock.advance(-1h);
  clock.advance_to(before - 1h);
  EXPECT_EQ(clock.wall(), before);
  clock.advance_to(before + 1h);
  EXPECT_EQ(clock.wall(), before + 1h);
}

TEST(VirtualClockTest, SettingTheWallClockLetsNoTimePass) {
  VirtualClock clock;
  const BootTime boot = clock.boot();
  clock.step_wall(-24h);
  EXPECT_EQ(to_string(clock.wall()), "2025-12-31T00:00:00.000000Z");
  clock.set_wall(Instant(0us));
  EXPECT_EQ(clock.wall(), Instant(0us));
  EXPECT_EQ(clock.boot(), boot);
}

TEST(VirtualClockTest, AfterARebootBootTimeBeginsAnewUnderAnotherId) {
  VirtualClock clock;
  const Uuid id = clock.boot_id();
  const Instant wall = clock.wall();
  clock.reboot(5min);
  EXPECT_NE(clock.boot_id(), id);
  EXPECT_LT(clock.boot(), BootTime(1min));
  EXPECT_EQ(clock.wall(), wall + 5min);
}

TEST(VirtualClockTest, ABookWithThreadsWakesWhenTimeIsMoved) {
  const test::TempFolder folder;
  VirtualClock clock;
  Daybook book = Daybook::open(folder.path() / "book", {.clock = &clock, .waiter = &clock});
  ASSERT_TRUE(book.schedule({.queue = "mail", .kind = "welcome", .due = after(24h)}));
  auto claimed =
      std::async(std::launch::async, [&] { return book.claim({.queues = {"mail"}, .worker = "w"}, 48h).value(); });
  clock.advance(24h);
  EXPECT_EQ(claimed.get().size(), 1u);
}

TEST(SeededRandomTest, TheSameSeedRepeats) {
  SeededRandom one(7);
  SeededRandom same(7);
  SeededRandom other(8);
  EXPECT_EQ(one.next(), same.next());
  EXPECT_NE(one.next(), other.next());
}

}  // namespace
}  // namespace daybook
