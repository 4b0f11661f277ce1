// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/rate.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <limits>
#include <optional>

namespace daybook {
namespace {

using namespace std::chrono_literals;

constexpr BookTime start(std::chrono::hours(10));

/// Takes a start when there is one.
bool take(std::optional<Bucket>& bucket, const Rate& rate, BookTime now) {
  bucket = refilled(bucket, rate, now);
  if (bucket->level < bucket_unit) return false;
  bucket->level -= bucket_unit;
  return true;
}

int take_all(std::optional<Bucket>& bucket, const Rate& rate, BookTime now) {
  int taken = 0;
  while (take(bucket, rate, now)) ++taken;
  return taken;
}

TEST(Rate, BeginsWithAFullBurstAndThenBringsItsStarts) {
  const Rate rate{10, 1s, 3};
  std::optional<Bucket> bucket;
  EXPECT_EQ(take_all(bucket, rate, start), 3);
  EXPECT_EQ(take_all(bucket, rate, start + 99ms), 0);
  EXPECT_EQ(take_all(bucket, rate, start + 100ms), 1);
  EXPECT_EQ(take_all(bucket, rate, start + 250ms), 1);
  EXPECT_EQ(take_all(bucket, rate, start + 300ms), 1);
  EXPECT_EQ(take_all(bucket, rate, start + 1h), 3);
}

TEST(Rate, ABookTimeThatGoesBackFillsNothing) {
  const Rate rate{1, 1s, 1};
  std::optional<Bucket> bucket;
  EXPECT_TRUE(take(bucket, rate, start));
  EXPECT_FALSE(take(bucket, rate, start - 1h));
}

TEST(Rate, ALowerBurstSpillsWhatIsOver) {
  const Bucket full = refilled(std::nullopt, Rate{1, 1s, 100}, start);
  EXPECT_EQ(refilled(full, Rate{1, 1s, 2}, start).level, 2 * bucket_unit);
}

TEST(Rate, AnyNumbersThatALogMayHoldAreReckonedWith) {
  const Rate fastest{std::numeric_limits<std::uint32_t>::max(), Duration(0), std::numeric_limits<std::uint32_t>::max()};
  const Bucket lowest{std::numeric_limits<std::int64_t>::min(), BookTime::min()};
  EXPECT_TRUE(is_full(refilled(lowest, fastest, BookTime::max()), fastest));
  const Rate slowest{1, Duration::max(), 1};
  EXPECT_EQ(next_start(refilled(lowest, slowest, BookTime::max()), slowest), BookTime::max());
}

TEST(Rate, SaysItself) {
  EXPECT_EQ(to_string(Rate{}), "none");
  EXPECT_EQ(to_string(Rate{100, 1s, 100}), "100/1s");
  EXPECT_EQ(to_string(Rate{5, 10min, 1}), "5/10m burst 1");
}

Rate some_rate() {
  return {*rc::gen::inRange<std::uint32_t>(1, 1000), std::chrono::milliseconds(*rc::gen::inRange(1, 100'000)),
          *rc::gen::inRange<std::uint32_t>(1, 50)};
}

RC_GTEST_PROP(RateLaw, TheNextStartIsThereThenAndNotBefore, ()) {
  const Rate rate = some_rate();
  std::optional<Bucket> bucket;
  take_all(bucket, rate, start);
  const BookTime looked = start + Duration(*rc::gen::inRange(0, 1'000'000));
  take_all(bucket, rate, looked);
  const BookTime next = next_start(*bucket, rate);
  RC_ASSERT(next > looked);
  RC_ASSERT(refilled(bucket, rate, next).level >= bucket_unit);
  RC_ASSERT(refilled(bucket, rate, next - 1us).level < bucket_unit);
}

RC_GTEST_PROP(RateLaw, NoSpanOfTimeHasMoreStartsThanTheBurstAndWhatItsLengthBrings, ()) {
  const Rate rate = some_rate();
  std::optional<Bucket> bucket;
  std::vector<BookTime> starts;
  BookTime now = start;
  for (int i = 0; i < 200; ++i) {
    now += Duration(*rc::gen::inRange<std::int64_t>(0, 2 * rate.per.count() / rate.starts + 2));
    if (take(bucket, rate, now)) starts.push_back(now);
  }
  for (std::size_t from = 0; from < starts.size(); ++from) {
    for (std::size_t to = from; to < starts.size(); ++to) {
      const std::int64_t length = (starts[to] - starts[from]).count();
      RC_ASSERT(static_cast<std::int64_t>(to - from + 1) <= rate.burst + length * rate.starts / rate.per.count());
    }
  }
}

}  // namespace
}  // namespace daybook
