// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <tuple>

namespace daybook {
namespace {

Waiting any_waiting() {
  Waiting job;
  job.lane = {NameId(*rc::gen::arbitrary<std::uint32_t>()), NameId(*rc::gen::arbitrary<std::uint32_t>()),
              NameId(*rc::gen::arbitrary<std::uint32_t>())};
  job.priority = Priority(*rc::gen::arbitrary<std::int32_t>());
  job.due.at = Instant(Duration(*rc::gen::arbitrary<std::int64_t>()));
  if (*rc::gen::arbitrary<bool>()) job.due.after = BookTime(Duration(*rc::gen::arbitrary<std::int64_t>()));
  job.id = Sequence(*rc::gen::arbitrary<std::uint64_t>());
  return job;
}

bool same(const Waiting& a, const Waiting& b) {
  return a.lane == b.lane && a.priority == b.priority && a.due == b.due && a.id == b.id;
}

RC_GTEST_PROP(Keys, ReadyKeysStandInClaimOrderWithinTheirLane, ()) {
  const Waiting a = any_waiting();
  Waiting b = any_waiting();
  if (*rc::gen::arbitrary<bool>()) b.lane = a.lane;
  if (*rc::gen::arbitrary<bool>()) b.priority = a.priority;
  if (*rc::gen::arbitrary<bool>()) b.due = a.due;
  const std::string left(keys::ready(a.lane, ready_position(a)));
  const std::string right(keys::ready(b.lane, ready_position(b)));
  RC_ASSERT((left < right) == (std::tuple(a.lane, ready_position(a)) < std::tuple(b.lane, ready_position(b))));
}

RC_GTEST_PROP(Keys, FutureKeysStandInTheOrderOfFallingDue, ()) {
  const Waiting a = any_waiting();
  Waiting b = any_waiting();
  if (*rc::gen::arbitrary<bool>()) b.due = a.due;
  const std::string left(keys::future(future_position(a)));
  const std::string right(keys::future(future_position(b)));
  RC_ASSERT((left < right) == (future_position(a) < future_position(b)));
}

RC_GTEST_PROP(Keys, EntriesOfWaitingJobsReadAsTheyWereWritten, ()) {
  const Waiting job = any_waiting();
  const auto ready = keys::parse_ready(keys::ready(job.lane, ready_position(job)), keys::ready_value(job));
  RC_ASSERT(ready.has_value());
  RC_ASSERT(same(*ready, job));
  const FutureClock clock = clock_of(job.due);
  const auto future = keys::parse_future(clock, keys::future(future_position(job)), keys::future_value(job));
  RC_ASSERT(future.has_value());
  RC_ASSERT(same(*future, job));
}

TEST(Keys, EntriesOfAnotherLengthDoNotRead) {
  Waiting job;
  job.id = Sequence(1);
  const std::string key(keys::ready(job.lane, ready_position(job)));
  EXPECT_TRUE(keys::parse_ready(key, ""));
  EXPECT_FALSE(keys::parse_ready(key.substr(1), ""));
  EXPECT_FALSE(keys::parse_ready(key + "x", ""));
  EXPECT_FALSE(keys::parse_ready(key, "x"));
  const std::string future(keys::future(future_position(job)));
  const std::string value(keys::future_value(job));
  EXPECT_TRUE(keys::parse_future(FutureClock::wall, future, value));
  EXPECT_FALSE(keys::parse_future(FutureClock::book, future, value));
  EXPECT_FALSE(keys::parse_future(FutureClock::wall, future.substr(1), value));
}

TEST(Keys, TheLongestUniqueKeyFits) {
  EXPECT_EQ(std::string_view(keys::unique(NameId(1), std::string(limits::unique_key_bytes_max, 'k'))).size(),
            4 + limits::unique_key_bytes_max);
}

}  // namespace
}  // namespace daybook
