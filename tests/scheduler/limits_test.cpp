// SPDX-License-Identifier: Apache-2.0

// Limits and groups as the engine lives with them: who is woken, when, and what does not wait meanwhile.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/engine_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::EngineBook;

struct EngineLimits : ::testing::Test {
  EngineLimits() { book.open(); }

  void limit(SetLimits limits) { ASSERT_TRUE(book.ask(std::move(limits)).has_value()); }
  static Claim one() { return Claim{.queues = {"mail"}, .worker = "w", .lease = 1h}; }

  EngineBook book;
};

TEST_F(EngineLimits, AClaimThatARateHoldsBackWakesWithTheNextStartAndNotBefore) {
  limit({.queue = "mail", .rate = Rate{1, 10s, 1}});
  book.schedule(EngineBook::mail());
  book.schedule(EngineBook::mail());
  EXPECT_EQ(book.claim(one()).size(), 1U);
  const auto waits = book.wait_for_claim(24h, one());
  // The log's own housekeeping may want to wake earlier, once: it serves nobody.
  book.step();
  book.clock.advance(5s);
  const Engine::Step asleep = book.step();
  ASSERT_TRUE(asleep.wake_boot);
  EXPECT_EQ(*asleep.wake_boot, book.clock.boot() + 5s);
  EXPECT_FALSE(waits->has_value());
  book.clock.advance(5s);
  book.step();
  ASSERT_TRUE(waits->has_value());
  EXPECT_EQ(std::get<Claimed>((*waits)->answers->front()).jobs.size(), 1U);
}

TEST_F(EngineLimits, AClaimThatWaitsForRoomIsServedByTheEndOfAnAttempt) {
  limit({.queue = "mail", .running = 1});
  book.schedule(EngineBook::mail());
  book.schedule(EngineBook::mail());
  const ClaimedJob first = book.claim(one()).front();
  const auto waits = book.wait_for_claim(24h, one());
  book.step();
  EXPECT_FALSE(waits->has_value());
  ASSERT_TRUE(book.ask(Complete{first.id, first.token, {}}).has_value());
  EXPECT_TRUE(waits->has_value());
}

TEST_F(EngineLimits, AClaimThatWaitsForRoomIsServedWhenALeaseEnds) {
  limit({.queue = "mail", .running = 1});
  book.schedule(EngineBook::mail());
  book.schedule(EngineBook::mail());
  ASSERT_EQ(book.claim(Claim{.queues = {"mail"}, .worker = "w", .lease = 30s}).size(), 1U);
  const auto waits = book.wait_for_claim(24h, one());
  book.step();
  book.clock.advance(30s);
  book.step();
  EXPECT_TRUE(waits->has_value());
}

TEST_F(EngineLimits, RaisingALimitServesWhoeverWaits) {
  limit({.queue = "mail", .running = 1, .rate = Rate{1, 24h, 1}});
  book.schedule(EngineBook::mail());
  book.schedule(EngineBook::mail());
  ASSERT_EQ(book.claim(one()).size(), 1U);
  const auto waits = book.wait_for_claim(24h, one());
  book.step();
  EXPECT_FALSE(waits->has_value());
  limit({.queue = "mail", .clear = true});
  EXPECT_TRUE(waits->has_value());
}

TEST_F(EngineLimits, RatesAndTurnsSurviveAnUncleanEnd) {
  limit({.queue = "mail", .rate = Rate{1, 1h, 2}});
  for (const char* group : {"a", "a", "b", "b"}) {
    Schedule job = EngineBook::mail();
    job.group = group;
    book.schedule(job);
  }
  ASSERT_EQ(book.claim(one()).front().group, "a");
  book.kill();
  book.open();
  const auto next = book.claim(Claim{.queues = {"mail"}, .worker = "w", .lease = 1h, .count = 4});
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next.front().group, "b");
}

// ---- a herd

/// Twenty thousand jobs fall due in the same second while a lease ends and a job of another queue falls due.
TEST(Herd, OfJobsThatFallDueAtOnceStarvesNoTimer) {
  constexpr std::size_t herd = 20'000;
  constexpr std::uint32_t claim_count = 100;
  EngineBook book;
  book.open();
  const Instant noon = book.clock.wall() + 1h;
  for (std::size_t made = 0; made < herd;) {
    Submission batch;
    for (int i = 0; i < 1000; ++i, ++made) {
      batch.commands.emplace_back(EngineBook::mail(at(noon + Duration(static_cast<std::int64_t>(made % 1'000'000)))));
    }
    std::optional<Reply> reply;
    book.engine->submit(std::move(batch), [&](Reply answered) { reply = std::move(answered); });
    book.step();
    ASSERT_TRUE(reply && reply->answers);
  }
  const JobId held = book.schedule(Schedule{.queue = "other", .kind = "k"});
  book.clock.advance(1h - 1s);
  ASSERT_EQ(book.claim(Claim{.queues = {"other"}, .worker = "lost", .lease = 1100ms}).size(), 1U);
  const Instant lease_ends = book.clock.wall() + 1100ms;
  const JobId later = book.schedule(Schedule{.queue = "bell", .kind = "k", .due = after(1050ms)});
  const Instant later_due = book.clock.wall() + 1050ms;
  const auto bell = book.wait_for_claim(1h, Claim{.queues = {"bell"}, .worker = "w"});
  book.clock.advance(1s);

  // One claim a millisecond, each ending what the one before started.
  std::size_t started = 0;
  std::vector<ClaimedJob> in_hand;
  std::optional<Instant> lease_ended;
  std::optional<Instant> bell_rang;
  for (int step = 0; started < herd && step < 1000; ++step) {
    Submission work;
    for (const ClaimedJob& job : in_hand) work.commands.emplace_back(Complete{job.id, job.token, {}});
    work.commands.emplace_back(Claim{.queues = {"mail"}, .worker = "w", .lease = 1h, .count = claim_count});
    std::optional<Reply> reply;
    book.engine->submit(std::move(work), [&](Reply answered) { reply = std::move(answered); });
    book.step();
    ASSERT_TRUE(reply && reply->answers) << reply->answers.error().sentence;
    in_hand = std::get<Claimed>(reply->answers->back()).jobs;
    started += in_hand.size();
    if (started < herd && book.clock.wall() >= noon + 20ms) {
      EXPECT_EQ(in_hand.size(), claim_count) << "at " << to_string(book.clock.wall());
    }
    if (!lease_ended && book.job(held).state == JobState::waiting) lease_ended = book.clock.wall();
    if (!bell_rang && bell->has_value()) bell_rang = book.clock.wall();
    book.clock.advance(1ms);
  }
  EXPECT_EQ(started, herd);
  EXPECT_EQ(lease_ended, lease_ends);
  EXPECT_EQ(bell_rang, later_due);
  EXPECT_EQ(book.job(later).state, JobState::running);
}

}  // namespace
}  // namespace daybook
