// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_waiter.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

class SystemWaiterTest : public ::testing::Test {
 protected:
  SystemClock clock;
  SystemWaiter waiter;

  // A wait that goes wrong hangs, and the test's time limit ends it; no case here measures how quick one is.
};

TEST_F(SystemWaiterTest, AWakeBeforeTheWaitIsNotLost) {
  waiter.wake();
  waiter.wait({}, {});
}

TEST_F(SystemWaiterTest, AWakeFromAnotherThreadEndsTheWait) {
  for (int round = 0; round < 200; ++round) {
    std::jthread other([&] { waiter.wake(); });
    waiter.wait(clock.wall() + 24h, clock.boot() + 24h);
  }
}

TEST_F(SystemWaiterTest, AWakeEndsOneWaitAndTheNextWaitsAgain) {
  waiter.wake();
  waiter.wake();
  waiter.wait({}, {});
  const BootTime deadline = clock.boot() + 2ms;
  waiter.wait({}, deadline);
  EXPECT_GE(clock.boot(), deadline);
}

TEST_F(SystemWaiterTest, DeadlinesThatHavePassedReturnAtOnce) {
  waiter.wait(clock.wall() - 1s, {});
  waiter.wait({}, clock.boot() - 1us);
  waiter.wait(Instant(Duration(0)), {});
  waiter.wait(Instant(-1h), {});
  waiter.wait({}, BootTime(Duration(0)));
}

TEST_F(SystemWaiterTest, ABootDeadlineEndsTheWaitAndNotBefore) {
  const BootTime deadline = clock.boot() + 2ms;
  waiter.wait(clock.wall() + 24h, deadline);
  EXPECT_GE(clock.boot(), deadline);
}

TEST_F(SystemWaiterTest, AWallDeadlineEndsTheWait) {
  const BootTime start = clock.boot();
  waiter.wait(clock.wall() + 2ms, clock.boot() + 24h);
  EXPECT_GE(clock.boot() - start, 1ms);
}

TEST_F(SystemWaiterTest, AnEarlierTimerThatRanOutDoesNotEndALaterWait) {
  waiter.wait(clock.wall() + 1ms, clock.boot() + 1ms);
  const BootTime deadline = clock.boot() + 3ms;
  waiter.wait(clock.wall() + 24h, deadline);
  EXPECT_GE(clock.boot(), deadline);
  waiter.wait({}, clock.boot() + 1ms);
}

TEST_F(SystemWaiterTest, TheYear9999IsNotSoon) {
  const BootTime deadline = clock.boot() + 2ms;
  waiter.wait(Instant(Duration(253'402'300'799'999'999)), deadline);
  EXPECT_GE(clock.boot(), deadline);
}

}  // namespace
}  // namespace daybook
