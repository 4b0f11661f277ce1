// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

struct ClaimTest : ::testing::Test {
  MemoryBook book;

  JobId schedule(std::string queue, std::string kind, std::int32_t priority, Duration delay = 0s) {
    Schedule command{.queue = std::move(queue), .kind = std::move(kind)};
    command.priority = Priority(priority);
    command.due = after(delay);
    return book.schedule(command);
  }
  std::vector<JobId> claimed(Claim command) {
    std::vector<JobId> ids;
    for (const ClaimedJob& job : book.claim(std::move(command))) ids.push_back(job.id);
    return ids;
  }
};

TEST_F(ClaimTest, TakesByPriorityThenDueThenId) {
  const JobId late = schedule("mail", "send", 0, 2s);
  const JobId early = schedule("mail", "send", 0, 1s);
  const JobId twin = schedule("mail", "send", 0, 1s);
  const JobId urgent = schedule("mail", "send", -1, 3s);
  book.pass(5s);
  EXPECT_EQ(claimed({.queues = {"mail"}, .worker = "w1", .count = 10}),
            (std::vector<JobId>{urgent, early, twin, late}));
}

TEST_F(ClaimTest, TakesNoMoreThanAsked) {
  for (int i = 0; i < 5; ++i) schedule("mail", "send", 0);
  EXPECT_EQ(claimed({.queues = {"mail"}, .worker = "w1", .count = 3}).size(), 3U);
  EXPECT_EQ(claimed({.queues = {"mail"}, .worker = "w1", .count = 3}).size(), 2U);
}

TEST_F(ClaimTest, TakesFromSeveralQueuesAndOfTheKindsItNames) {
  const JobId mail = schedule("mail", "send", 0);
  const JobId bill = schedule("bills", "send", 0);
  const JobId render = schedule("bills", "render", 0);
  schedule("elsewhere", "send", 0);
  EXPECT_EQ(claimed({.queues = {"bills", "mail", "mail", "never heard of"},
                     .kinds = {"send", "unknown"},
                     .worker = "w1",
                     .count = 10}),
            (std::vector<JobId>{mail, bill}));
  EXPECT_EQ(claimed({.queues = {"bills"}, .worker = "w1", .count = 10}), (std::vector<JobId>{render}));
}

TEST_F(ClaimTest, OfUnknownKindsTakesNothing) {
  schedule("mail", "send", 0);
  EXPECT_TRUE(claimed({.queues = {"mail"}, .kinds = {"unknown"}, .worker = "w1"}).empty());
}

TEST_F(ClaimTest, LeavesOutPausedQueues) {
  schedule("mail", "send", 0);
  const JobId bill = schedule("bills", "send", 0);
  book.done(PauseQueue{"mail"});
  EXPECT_EQ(claimed({.queues = {"mail", "bills"}, .worker = "w1", .count = 10}), (std::vector<JobId>{bill}));
  book.done(ResumeQueue{"mail"});
  EXPECT_EQ(claimed({.queues = {"mail"}, .worker = "w1"}).size(), 1U);
}

TEST_F(ClaimTest, NeverTakesAJobThatIsNotDue) {
  const JobId id = schedule("mail", "send", 0, 1s);
  book.pass(1s - 1us);
  EXPECT_TRUE(claimed({.queues = {"mail"}, .worker = "w1"}).empty());
  book.pass(1us);
  EXPECT_EQ(claimed({.queues = {"mail"}, .worker = "w1"}), (std::vector<JobId>{id}));
}

TEST_F(ClaimTest, DoesNotTrustAStoreThatWasAdvancedTooFar) {
  schedule("mail", "send", 0, 1s);
  Moment later = book.now;
  later.book += 10s;
  later.wall += 10s;
  book.state.advance(later);
  EXPECT_TRUE(book.decide_here(Claim{.queues = {"mail"}, .worker = "w1"}).events.empty());
}

TEST_F(ClaimTest, GrantsALeaseAndTellsEverythingAWorkerNeeds) {
  Schedule command{.queue = "mail", .kind = "send"};
  command.payload = "hello";
  command.tags = {{"team", "red"}};
  command.priority = Priority(4);
  command.retry.max_attempts = 3;
  const auto scheduled = book.ask(command, Context{.trace = "00-trace-01"});
  const JobId id = std::get<Scheduled>(*scheduled).job;
  const ClaimedJob claim = book.claim_one(40s);
  EXPECT_EQ(claim.id, id);
  EXPECT_EQ(claim.token, (Token{book.state.book().head, testing::first_tag}));
  EXPECT_EQ(claim.queue, "mail");
  EXPECT_EQ(claim.kind, "send");
  EXPECT_EQ(claim.payload.bytes(), "hello");
  EXPECT_EQ(claim.tags, command.tags);
  EXPECT_EQ(claim.priority, Priority(4));
  EXPECT_EQ(claim.attempt, 1U);
  EXPECT_EQ(claim.attempts_allowed, 3U);
  EXPECT_EQ(claim.due_at, book.now.wall);
  EXPECT_EQ(claim.lease, 40s);
  EXPECT_EQ(claim.lease_expires_at, book.now.wall + 40s);
  EXPECT_EQ(claim.lease_ends_at, book.now.book + 40s);
  EXPECT_EQ(claim.trace, "00-trace-01");
  const Job& job = book.job(id);
  EXPECT_EQ(job.state, JobState::running);
  ASSERT_TRUE(job.lease);
  EXPECT_EQ(job.lease->token, claim.token);
  EXPECT_EQ(job.lease->claimed_at, book.now.wall);
  EXPECT_EQ(job.lease->holder, Holder::external);
  EXPECT_EQ(book.state.name(job.lease->worker)->text, "w1");
}

TEST_F(ClaimTest, FindingNothingRecordsNothing) {
  schedule("mail", "send", 0, 1h);
  const std::size_t before = book.events.size();
  EXPECT_TRUE(claimed({.queues = {"mail"}, .worker = "new here"}).empty());
  EXPECT_EQ(book.events.size(), before);
}

TEST_F(ClaimTest, HandsOnTheCheckpointOfTheAttemptBefore) {
  schedule("mail", "send", 0);
  const ClaimedJob first = book.claim_one();
  book.done(Renew{{{first.id, first.token, Envelope("half way")}}});
  book.pass(31s);
  EXPECT_EQ(book.claim_one().progress.bytes(), "half way");
}

TEST_F(ClaimTest, OutOfRangeIsRefused) {
  const Claim fine{.queues = {"mail"}, .worker = "w1"};
  const auto with = [&](auto change) {
    Claim claim = fine;
    change(claim);
    return book.refusal_of(claim);
  };
  EXPECT_EQ(book.refusal_of(fine), std::nullopt);
  EXPECT_EQ(with([](Claim& c) { c.queues.clear(); }), RefusalCode::invalid_argument);
  EXPECT_EQ(with([](Claim& c) { c.queues = {""}; }), RefusalCode::invalid_argument);
  EXPECT_EQ(with([](Claim& c) { c.queues.assign(257, "mail"); }), RefusalCode::invalid_argument);
  EXPECT_EQ(with([](Claim& c) { c.kinds = {"\x01"}; }), RefusalCode::invalid_argument);
  EXPECT_EQ(with([](Claim& c) { c.worker.clear(); }), RefusalCode::invalid_argument);
  EXPECT_EQ(with([](Claim& c) { c.count = 0; }), RefusalCode::invalid_argument);
  EXPECT_EQ(with([](Claim& c) { c.count = limits::claim_count_max + 1; }), RefusalCode::invalid_argument);
  for (const Duration lease : {Duration(0), Duration(-1s), Duration(1s - 1us), Duration(24h + 1us)}) {
    EXPECT_EQ(with([&](Claim& c) { c.lease = lease; }), RefusalCode::lease_out_of_range);
  }
  EXPECT_NE(book.sentence.find("1s to 1d"), std::string::npos) << book.sentence;
}

TEST_F(ClaimTest, AHeldBookRefuses) {
  schedule("mail", "send", 0);
  book.become_a_copy();
  EXPECT_EQ(book.refusal_of(Claim{.queues = {"mail"}, .worker = "w1"}), RefusalCode::book_held);
}

}  // namespace
}  // namespace daybook
