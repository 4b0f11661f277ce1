// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>

#include "daybook/system/system_clock.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, WallIsTheTimeOfDayInMicroseconds) {
  SystemClock clock;
  const auto before = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  const Instant wall = clock.wall();
  EXPECT_GE(wall, before);
  EXPECT_LT(wall - before, 1h);
}

TEST(SystemClock, BootTimeNeverGoesBackAndCountsSinceTheMachineStarted) {
  SystemClock clock;
  BootTime last = clock.boot();
  for (int round = 0; round < 10'000; ++round) {
    const BootTime now = clock.boot();
    ASSERT_GE(now, last);
    last = now;
  }
  double uptime_seconds = 0;
  std::ifstream("/proc/uptime") >> uptime_seconds;
  if (uptime_seconds == 0) GTEST_SKIP() << "SKIPPED: no /proc/uptime to compare with";
  EXPECT_NEAR(std::chrono::duration<double>(last.time_since_epoch()).count(), uptime_seconds, 60);
}

TEST(SystemClock, TheBootIdIsTheKernels) {
  std::string expected;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> expected;
  if (expected.empty()) GTEST_SKIP() << "SKIPPED: this system has no boot id";
  EXPECT_EQ(to_string(SystemClock().boot_id()), expected);
}

TEST(SystemClock, TheBootIdIsTheSameForAllOfOneBoot) {
  SystemClock clock;
  EXPECT_NE(clock.boot_id(), Uuid{});
  EXPECT_EQ(clock.boot_id(), SystemClock().boot_id());
}

}  // namespace
}  // namespace daybook
