// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/retry.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "support/generators.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

RetryPolicy without_jitter(RetryPolicy policy) {
  policy.jitter_permille = 0;
  return policy;
}

TEST(Retry, ExponentialDoublesUpToTheCap) {
  const RetryPolicy policy = without_jitter({});
  EXPECT_EQ(retry_delay(policy, 1, 99), 1s);
  EXPECT_EQ(retry_delay(policy, 2, 99), 2s);
  EXPECT_EQ(retry_delay(policy, 12, 99), 2048s);
  EXPECT_EQ(retry_delay(policy, 13, 99), 1h);
  EXPECT_EQ(retry_delay(policy, std::numeric_limits<std::uint32_t>::max(), 99), 1h);
}

TEST(Retry, FixedIsTheSameEachTime) {
  RetryPolicy policy = without_jitter({});
  policy.backoff = RetryPolicy::Backoff::fixed;
  policy.first = 7s;
  EXPECT_EQ(retry_delay(policy, 1, 99), 7s);
  EXPECT_EQ(retry_delay(policy, 1000, 99), 7s);
}

TEST(Retry, NoDelayStaysNoDelay) {
  RetryPolicy policy;
  policy.first = 0s;
  EXPECT_EQ(retry_delay(policy, 40, 12345), 0s);
}

TEST(Retry, JitterIsAddedAfterTheCapAndReachesItsShare) {
  RetryPolicy policy;
  policy.first = 1000us;
  policy.cap = 1000us;
  policy.jitter_permille = 100;
  Duration least = Duration::max();
  Duration most{};
  for (std::uint64_t chance = 0; chance < 1000; ++chance) {
    const Duration delay = retry_delay(policy, 5, chance);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_EQ(least, 1000us);
  EXPECT_EQ(most, 1100us);
}

TEST(Retry, SaturatesInsteadOfOverflowing) {
  RetryPolicy policy;
  policy.first = Duration::max();
  policy.cap = Duration::max();
  policy.jitter_permille = 1000;
  EXPECT_EQ(retry_delay(policy, 64, std::numeric_limits<std::uint64_t>::max()), Duration::max());
  policy.first = Duration::max() / 2;
  policy.jitter_permille = 0;
  EXPECT_EQ(retry_delay(policy, 3, 0), Duration::max());
}

RC_GTEST_PROP(Retry, IsNeverLessThanAskedNorMoreThanCapAndJitter,
              (const RetryPolicy& policy, std::uint16_t attempt, std::uint64_t chance)) {
  RC_ASSERT(check(policy).has_value());
  const Duration plain = retry_delay(without_jitter(policy), attempt, chance);
  const Duration delay = retry_delay(policy, attempt, chance);
  RC_ASSERT(plain >= policy.first);
  RC_ASSERT(plain <= policy.cap);
  RC_ASSERT(delay >= plain);
  RC_ASSERT(delay - plain <= plain / 1000 * policy.jitter_permille + Duration(policy.jitter_permille));
}

RC_GTEST_PROP(Retry, LaterAttemptsNeverWaitLess, (const RetryPolicy& policy)) {
  const RetryPolicy plain = without_jitter(policy);
  for (std::uint32_t attempt = 1; attempt < 70; ++attempt) {
    RC_ASSERT(retry_delay(plain, attempt, 0) <= retry_delay(plain, attempt + 1, 0));
  }
}

TEST(Retry, PoliciesOutOfRangeAreRefused) {
  EXPECT_TRUE(check(RetryPolicy()));
  const auto refused = [](auto change) {
    RetryPolicy policy;
    change(policy);
    const auto result = check(policy);
    return !result && result.error().code == RefusalCode::attempts_out_of_range && !result.error().sentence.empty();
  };
  EXPECT_TRUE(refused([](RetryPolicy& policy) { policy.max_attempts = 0; }));
  EXPECT_TRUE(refused([](RetryPolicy& policy) { policy.max_attempts = limits::attempts_max + 1; }));
  EXPECT_TRUE(refused([](RetryPolicy& policy) { policy.first = -1us; }));
  EXPECT_TRUE(refused([](RetryPolicy& policy) { policy.first = policy.cap + 1us; }));
  EXPECT_TRUE(refused([](RetryPolicy& policy) { policy.cap = limits::backoff_max + 1us; }));
  EXPECT_TRUE(refused([](RetryPolicy& policy) { policy.jitter_permille = 1001; }));
  EXPECT_TRUE(refused([](RetryPolicy& policy) { policy.backoff = static_cast<RetryPolicy::Backoff>(2); }));
}

}  // namespace
}  // namespace daybook
