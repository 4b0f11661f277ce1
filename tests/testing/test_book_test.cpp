// SPDX-License-Identifier: Apache-2.0

// A book without disk and threads lives as every other: handlers, retries, heartbeats, openings; in jumps of time.
#include "daybook/testing/test_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

namespace daybook {
namespace {

using namespace std::chrono_literals;
using daybook::testing::TestBook;

class TestBookTest : public ::testing::Test {
 protected:
  JobId schedule(std::string kind = "welcome", When due = {}, RetryPolicy retry = {}) {
    return test->schedule({.queue = "mail", .kind = std::move(kind), .due = due, .retry = retry}).value();
  }
  WorkLoop loop(std::uint32_t slots = 1) {
    return test->work({.queues = {"mail"}, .worker = "w", .slots = slots, .lease = 30s});
  }
  std::vector<std::string> history(JobId id) {
    std::vector<std::string> names;
    for (const RecordedEvent& recorded : test->history(id)) names.emplace_back(type_name(recorded.event));
    return names;
  }
  Phase phase(JobId id) { return test->job(id)->phase; }
  Duration since_start() { return test.clock().wall() - start_; }

  TestBook test;
  const Instant start_ = test.clock().wall();
};

TEST_F(TestBookTest, HandlersRunOnTheThreadThatDrives) {
  const JobId id = schedule();
  WorkLoop worker = loop();
  std::thread::id ran_on;
  worker.on("welcome", [&](Attempt&) {
    ran_on = std::this_thread::get_id();
    return done("sent");
  });
  ASSERT_TRUE(worker.start());
  EXPECT_EQ(ran_on, std::thread::id()) << "nothing runs by itself";
  test.run_until_idle();
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_THAT(history(id), ::testing::ElementsAre("JobScheduled", "JobClaimed", "JobCompleted"));
}

TEST_F(TestBookTest, EachJobRunsAtItsTime) {
  std::vector<Duration> ran;
  WorkLoop worker = loop();
  worker.on("welcome", [&](Attempt&) {
    ran.push_back(since_start());
    return done();
  });
  ASSERT_TRUE(worker.start());
  schedule("welcome", after(3h));
  schedule("welcome", after(1h));
  schedule("welcome", at(start_ + 2h));
  test.advance_and_run(150min);
  EXPECT_THAT(ran, ::testing::ElementsAre(1h, 2h));
  EXPECT_EQ(since_start(), 150min);
  test.run_until(start_ + 3h);
  EXPECT_EQ(ran.size(), 3u);
  test.run_until(start_);
  EXPECT_EQ(since_start(), 3h) << "time never goes back";
}

TEST_F(TestBookTest, RetriesComeAfterTheirBackoff) {
  const JobId id = schedule("welcome", {}, {.first = 1min, .cap = 1h, .jitter_permille = 0, .max_attempts = 3});
  std::vector<Duration> ran;
  WorkLoop worker = loop();
  worker.on("welcome", [&](Attempt&) {
    ran.push_back(since_start());
    return retry("no");
  });
  ASSERT_TRUE(worker.start());
  test.advance_and_run(24h);
  EXPECT_THAT(ran, ::testing::ElementsAre(0s, 1min, 3min));
  EXPECT_EQ(phase(id), Phase::dead);
}

TEST_F(TestBookTest, AHandlerThatTakesLongKeepsItsLeaseAndItsSlot) {
  const JobId slow = schedule("slow");
  const JobId quick = schedule("quick", after(10min));
  Duration quick_ran{};
  WorkLoop worker = loop(2);
  worker.on("slow", [&](Attempt&) {
    test.advance_and_run(1h);
    return done();
  });
  worker.on("quick", [&](Attempt&) {
    quick_ran = since_start();
    return done();
  });
  ASSERT_TRUE(worker.start());
  test.run_until_idle();
  EXPECT_EQ(since_start(), 1h);
  EXPECT_EQ(phase(slow), Phase::completed);
  EXPECT_THAT(history(slow), ::testing::Contains("LeasesRenewed"));
  EXPECT_EQ(phase(quick), Phase::completed);
  EXPECT_EQ(quick_ran, 10min) << "the other slot is free";
}

TEST_F(TestBookTest, OneSlotRunsOneHandlerAtATime) {
  schedule("slow");
  schedule("slow");
  int running = 0;
  int most = 0;
  WorkLoop worker = loop(1);
  worker.on("slow", [&](Attempt&) {
    most = std::max(most, ++running);
    test.advance_and_run(1h);
    --running;
    return done();
  });
  ASSERT_TRUE(worker.start());
  test.run_until_idle();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(since_start(), 2h);
}

TEST_F(TestBookTest, AMachineThatSleptLosesItsLeases) {
  const JobId id = schedule();
  WorkLoop worker = loop();
  int runs = 0;
  worker.on("welcome", [&](Attempt&) {
    if (++runs == 1) test.clock().advance(1h);  // nobody renews meanwhile
    return done();
  });
  ASSERT_TRUE(worker.start());
  test.advance_and_run(1h);
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(history(id), ::testing::IsSupersetOf({"LeaseExpired", "OutcomeRefused", "JobCompleted"}));
}

TEST_F(TestBookTest, WhoeverWaitsLetsTimePass) {
  const JobId id = schedule("welcome", after(6h));
  const auto claimed = test->claim({.queues = {"mail"}, .worker = "w"}, 24h);
  ASSERT_EQ(claimed->size(), 1u);
  EXPECT_EQ(claimed->front().id, id);
  EXPECT_EQ(since_start(), 6h);
  ASSERT_TRUE(test->complete(claimed->front()));
  EXPECT_TRUE(test->claim({.queues = {"other"}, .worker = "w"}, 1h)->empty());
  EXPECT_EQ(since_start(), 7h);
  EXPECT_TRUE(test->claim({.queues = {"mail"}, .worker = "w"}, Duration::max())->empty()) << "it would wait for ever";
}

TEST_F(TestBookTest, WaitingForAJobLetsItRunAtItsTime) {
  const JobId id = schedule("welcome", after(6h));
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt&) { return done(); });
  ASSERT_TRUE(worker.start());
  EXPECT_EQ(test->wait(id, 1h)->phase, Phase::scheduled);
  EXPECT_EQ(since_start(), 1h);
  EXPECT_EQ(test->wait(id, Duration::max())->phase, Phase::completed);
  EXPECT_EQ(since_start(), 6h);
}

TEST_F(TestBookTest, RunUntilEmptyJumpsToTheLastJob) {
  schedule("welcome", after(24h));
  const JobId last = schedule("welcome", after(48h));
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt&) { return done(); });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(phase(last), Phase::completed);
  EXPECT_EQ(since_start(), 48h);
  worker.stop();
  worker.stop();
}

TEST_F(TestBookTest, ReopeningFindsWhatWasLeft) {
  const JobId waiting = schedule("welcome", after(1h));
  test.reopen();
  EXPECT_EQ(test->opening().tail, TailStatus::clean);
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt&) { return done(); });
  ASSERT_TRUE(worker.start());
  test.advance_and_run(1h);
  EXPECT_EQ(phase(waiting), Phase::completed);
}

TEST_F(TestBookTest, AsIfKilledHasEveryAnswerAndEndsTheClaims) {
  const JobId id = schedule();
  WorkLoop worker = loop();
  std::optional<TestBook> after_kill;
  worker.on("welcome", [&](Attempt&) {
    after_kill.emplace(test.as_if_killed());
    return done();
  });
  ASSERT_TRUE(worker.start());
  test.run_until_idle();
  EXPECT_EQ(phase(id), Phase::completed) << "the original goes on";
  TestBook& other = after_kill.value();
  EXPECT_EQ(other->opening().claims_ended, 1u);
  EXPECT_EQ(other->job(id)->phase, Phase::available);
  EXPECT_EQ(other.clock().wall(), test.clock().wall());
  other.advance_and_run(1h);
  EXPECT_NE(other.clock().wall(), test.clock().wall()) << "each has a clock of its own";
}

TEST_F(TestBookTest, AnAsynchronousAnswerComesWhenTheBookIsDriven) {
  bool answered = false;
  test->submit({.commands = {Schedule{.queue = "mail", .kind = "k"}}},
               [&](const Result<std::vector<Answer>>& answers, const std::exception_ptr& error) {
                 answered = answers.has_value() && !error;
               });
  EXPECT_FALSE(answered);
  EXPECT_EQ(test->until_next(), Duration(0));
  EXPECT_TRUE(test->drive());
  EXPECT_TRUE(answered);
  EXPECT_FALSE(test->drive()) << "nothing is left to do";
}

TEST_F(TestBookTest, WhatWasPostedIsDoneBeforeTheEnd) {
  JobId id;
  test->submit({.commands = {Schedule{.queue = "mail", .kind = "k"}}},
               [&](Result<std::vector<Answer>> answers, const std::exception_ptr&) {
                 id = std::get<Scheduled>(answers.value().front()).job;
               });
  test.reopen();
  EXPECT_EQ(phase(id), Phase::available);
}

TEST_F(TestBookTest, AClosedBookWaitsForNothing) {
  schedule("welcome", after(1h));
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt&) { return done(); });
  ASSERT_TRUE(worker.start());
  test.run_until_idle();
  test.clock().advance(2h);
  EXPECT_EQ(test->until_next(), Duration(0));
  test->close();
  EXPECT_EQ(test->until_next(), std::nullopt);
}

TEST_F(TestBookTest, AFullDiskRefusesNewJobsAndAFailingOneThrows) {
  test.storage().set_free_bytes(0);
  RefusalCode code{};
  for (int i = 0; i < 10'000 && code == RefusalCode{}; ++i) {
    const auto scheduled =
        test->schedule({.queue = "mail", .kind = "k", .payload = Envelope(std::string(64 * 1024, 'x'))});
    if (!scheduled) code = scheduled.error().code;
  }
  EXPECT_EQ(code, RefusalCode::storage_full);
  test.storage().set_free_bytes({});
  test.advance_and_run(2s);  // room that was made is noticed
  ASSERT_TRUE(test->schedule({.queue = "mail", .kind = "k"}));
  test.storage().fail_writes(EIO);
  EXPECT_THROW(static_cast<void>(test->schedule({.queue = "mail", .kind = "k"})), StorageError);
}

TEST_F(TestBookTest, SnapshotsAreTakenWhereNoThreadIs) {
  TestBook often({.snapshots = {.every_events = 10}});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(often->schedule({.queue = "mail", .kind = "k"}));
  often.run_until_idle();
  std::vector<std::string> names;
  ASSERT_EQ(often.storage().list("snapshots", names), 0);
  EXPECT_FALSE(names.empty());
  EXPECT_FALSE(often->snapshot().existed && names.empty());
}

TEST_F(TestBookTest, AMonthOfHourlyJobsRepeatsExactly) {
  const auto month = [] {
    TestBook book({}, 42);
    WorkLoop worker = book->work({.queues = {"mail"}});
    int runs = 0;
    worker.on("hourly", [&](Attempt& attempt) -> Verdict {
      if (++runs % 7 == 0) return retry("no", "transient");
      static_cast<void>(book->schedule({.queue = "mail", .kind = "hourly", .due = at(attempt.job().due_at + 1h)}));
      return done();
    });
    EXPECT_TRUE(worker.start());
    static_cast<void>(book->schedule({.queue = "mail", .kind = "hourly", .due = at(book.clock().wall() + 1h)}));
    book.advance_and_run(24h * 30);
    worker.stop();
    return std::pair(runs, book->stat().head);
  };
  const auto first = month();
  EXPECT_GT(first.first, 24 * 29);
  EXPECT_EQ(month(), first);
}

}  // namespace
}  // namespace daybook
