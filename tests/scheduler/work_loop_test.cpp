// SPDX-License-Identifier: Apache-2.0

// Handlers on real threads, time moved by the test. Nothing sleeps: tests wait for what happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "daybook/daybook.hpp"
#include "support/manual_time.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

class WorkLoopTest : public testing::Test {
 protected:
  WorkLoopTest() : book_(Daybook::open(folder_.path() / "book", {.clock = &time_, .waiter = &time_})) {}

  JobId schedule(std::string kind = "welcome", RetryPolicy retry = {}) {
    return book_.schedule({.queue = "mail", .kind = std::move(kind), .retry = retry}).value();
  }
  WorkLoop loop(std::uint32_t slots = 1, Duration lease = limits::lease_default) {
    return book_.work({.queues = {"mail"}, .worker = "w", .slots = slots, .lease = lease});
  }

  // Moves time on while the job waits for it, until the job has come to this phase.
  void live_until(JobId id, Phase wanted, Duration step = 1s) {
    while (true) {
      const Phase phase = book_.job(id)->phase;
      if (phase == wanted) return;
      ASSERT_FALSE(phase == Phase::completed || phase == Phase::cancelled || phase == Phase::dead) << to_string(phase);
      if (phase == Phase::scheduled || phase == Phase::retryable) {
        time_.advance(step);
      } else {
        std::this_thread::yield();
      }
    }
  }
  std::vector<std::string> history(JobId id) {
    std::vector<std::string> names;
    for (const RecordedEvent& recorded : book_.history(id)) names.emplace_back(type_name(recorded.event));
    return names;
  }

  test::TempFolder folder_;
  test::ManualTime time_;
  Daybook book_;
};

TEST_F(WorkLoopTest, AHandlersResultCompletesTheJob) {
  const JobId id = schedule();
  WorkLoop worker = loop();
  worker.on("welcome",
            [](Attempt& attempt) { return done("sent at attempt " + std::to_string(attempt.job().attempt)); });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->result.bytes(), "sent at attempt 1");
  EXPECT_THAT(history(id), testing::ElementsAre("JobScheduled", "JobClaimed", "JobCompleted"));
}

TEST_F(WorkLoopTest, OnlyKindsWithAHandlerAreClaimed) {
  const JobId known = schedule("welcome");
  const JobId unknown = schedule("invoice");
  WorkLoop worker = loop();
  std::promise<void> ran;
  worker.on("welcome", [&](Attempt&) {
    ran.set_value();
    return done();
  });
  ASSERT_TRUE(worker.start());
  ran.get_future().get();
  worker.stop();
  EXPECT_EQ(book_.job(known)->phase, Phase::completed);
  EXPECT_EQ(book_.job(unknown)->phase, Phase::available);
}

TEST_F(WorkLoopTest, AHandlerThatThrowsIsRetriedAndItsWordsAreKept) {
  const JobId id = schedule("welcome", {.first = 1s, .cap = 1s, .max_attempts = 3});
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt& attempt) -> Verdict {
    if (attempt.job().attempt < 3) throw std::runtime_error("no route to host");
    return done();
  });
  ASSERT_TRUE(worker.start());
  live_until(id, Phase::completed);
  EXPECT_EQ(book_.job(id)->error.bytes(), "no route to host");
  EXPECT_EQ(book_.job(id)->error_kind, "exception");
  EXPECT_EQ(book_.job(id)->attempt, 3u);
}

TEST_F(WorkLoopTest, ARunTimeoutFiresTheStopTokenAndTheJobIsTriedAgain) {
  const JobId id = book_
                       .schedule({.queue = "mail",
                                  .kind = "welcome",
                                  .retry = {.first = 1s, .cap = 1s, .max_attempts = 2},
                                  .run_timeout = 10s})
                       .value();
  WorkLoop worker = loop();
  std::promise<void> began;
  worker.on("welcome", [&](Attempt& attempt) -> Verdict {
    if (attempt.job().attempt == 2) return done("in time");
    began.set_value();
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, attempt.stop_token(), [] { return false; });
    return done("too late");
  });
  ASSERT_TRUE(worker.start());
  began.get_future().get();
  time_.advance(10s);
  live_until(id, Phase::completed);
  EXPECT_EQ(book_.job(id)->result.bytes(), "in time");
  EXPECT_EQ(book_.job(id)->error_kind, "timeout");
  EXPECT_THAT(history(id), testing::Contains("AttemptFailed"));
}

TEST_F(WorkLoopTest, AHandlerThatIgnoresItsStopTokenKeepsItsSlotAndIsCountedAndNamed) {
  test::ManualTime time;  // wakes one book
  std::mutex mutex;
  std::vector<std::string> told;
  const auto log = [&](LogLevel, const std::string& sentence) {
    const std::lock_guard lock(mutex);
    told.push_back(sentence);
  };
  Daybook book = Daybook::open(folder_.path() / "other", {.log = log, .clock = &time, .waiter = &time});
  const JobId id =
      book.schedule({.queue = "mail", .kind = "welcome", .retry = {.max_attempts = 1}, .run_timeout = 10s}).value();
  WorkLoop worker = book.work({.queues = {"mail"}, .worker = "w", .slots = 2});
  std::promise<void> began;
  std::promise<void> enough;
  worker.on("welcome", [&](Attempt&) -> Verdict {
    began.set_value();
    enough.get_future().wait();
    return done();
  });
  ASSERT_TRUE(worker.start());
  began.get_future().get();
  EXPECT_TRUE(worker.stats().ignoring.empty());
  time.advance(10s);
  while (worker.stats().ignoring.empty()) std::this_thread::yield();
  EXPECT_EQ(book.job(id)->phase, Phase::dead);
  EXPECT_EQ(worker.stats().ignoring.front().job, id);
  EXPECT_EQ(worker.stats().ignoring.front().kind, "welcome");
  EXPECT_EQ(worker.stats().claimed, 1u);
  const auto named = [&] {
    const std::lock_guard lock(mutex);
    return std::count_if(told.begin(), told.end(), [&](const std::string& sentence) {
      return sentence.find("handler of job " + to_string(id)) != std::string::npos;
    });
  };
  while (named() == 0) {
    time.advance(10s);
    std::this_thread::yield();
  }
  time.advance(1min);
  enough.set_value();
  worker.stop();
  EXPECT_EQ(named(), 1);
  EXPECT_TRUE(worker.stats().ignoring.empty());
  book.close();
}

TEST_F(WorkLoopTest, DiscardEndsTheJobDead) {
  const JobId id = schedule();
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt&) { return discard("no such address", "business"); });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->phase, Phase::dead);
  EXPECT_EQ(book_.job(id)->dead_reason, DeadReason::not_retryable);
  EXPECT_EQ(book_.job(id)->error_kind, "business");
}

TEST_F(WorkLoopTest, SnoozeCostsNoAttempt) {
  const JobId id = schedule();
  WorkLoop worker = loop();
  std::atomic<int> runs = 0;
  worker.on("welcome", [&](Attempt&) -> Verdict { return ++runs < 4 ? snooze(after(10min)) : done(); });
  ASSERT_TRUE(worker.start());
  live_until(id, Phase::completed, 1min);
  EXPECT_EQ(runs, 4);
  EXPECT_EQ(book_.job(id)->attempt, 1u);
}

TEST_F(WorkLoopTest, SlotsRunAtTheSameTimeAndNoMore) {
  constexpr int slots = 3;
  for (int i = 0; i < 12; ++i) schedule();
  std::mutex mutex;
  std::condition_variable all_in;
  int inside = 0;
  int most = 0;
  bool met = false;
  WorkLoop worker = loop(slots);
  worker.on("welcome", [&](Attempt&) {
    std::unique_lock lock(mutex);
    most = std::max(most, ++inside);
    if (inside == slots) met = true;
    all_in.notify_all();
    all_in.wait(lock, [&] { return met; });
    --inside;
    return done();
  });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(most, slots);
}

TEST_F(WorkLoopTest, TheLeaseIsRenewedWhileTheHandlerRuns) {
  const JobId id = schedule();
  std::promise<void> inside;
  std::promise<void> leave;
  WorkLoop worker = loop();
  worker.on("welcome", [&](Attempt&) {
    inside.set_value();
    leave.get_future().get();
    return done();
  });
  ASSERT_TRUE(worker.start());
  inside.get_future().get();
  // Ten leases long, in steps that leave the renewal its turn.
  for (int i = 0; i < 30; ++i) {
    const BookTime before = book_.job(id)->lease->ends_at;
    time_.advance(10s);
    while (book_.job(id)->lease->ends_at == before) std::this_thread::yield();
  }
  leave.set_value();
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->phase, Phase::completed);
  EXPECT_EQ(book_.job(id)->attempt, 1u);
}

TEST_F(WorkLoopTest, ALostLeaseFiresTheStopTokenAndTheOutcomeIsRefused) {
  const JobId id = schedule();
  std::promise<void> inside;
  std::promise<void> ended;
  std::atomic<int> runs = 0;
  WorkLoop worker = loop();
  worker.on("welcome", [&](Attempt& attempt) {
    if (++runs > 1) return done("second");
    inside.set_value();
    std::promise<void> stopped;
    const std::stop_callback on_stop(attempt.stop_token(), [&] { stopped.set_value(); });
    stopped.get_future().get();
    ended.set_value();
    return done("first, too late");
  });
  ASSERT_TRUE(worker.start());
  inside.get_future().get();
  time_.advance(1h);  // as if the machine had slept
  ended.get_future().get();
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->result.bytes(), "second");
  EXPECT_THAT(history(id), testing::Contains("OutcomeRefused"));
}

TEST_F(WorkLoopTest, CancellingFiresTheStopTokenAtOnceAndTheJobEndsCancelled) {
  const JobId id = schedule();
  std::promise<void> inside;
  WorkLoop worker = loop();
  worker.on("welcome", [&](Attempt& attempt) {
    inside.set_value();
    std::promise<void> stopped;
    const std::stop_callback on_stop(attempt.stop_token(), [&] { stopped.set_value(); });
    stopped.get_future().get();
    return retry("was asked to stop");
  });
  ASSERT_TRUE(worker.start());
  inside.get_future().get();
  ASSERT_TRUE(book_.cancel(id));
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->phase, Phase::cancelled);
}

TEST_F(WorkLoopTest, ProgressReachesTheNextAttempt) {
  const JobId id = schedule("welcome", {.first = 1s, .cap = 1s});
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt& attempt) -> Verdict {
    if (attempt.job().attempt == 1) {
      attempt.progress("page 7");
      return retry("again");
    }
    return done("began at " + std::string(attempt.job().progress.bytes()));
  });
  ASSERT_TRUE(worker.start());
  live_until(id, Phase::completed);
  EXPECT_EQ(book_.job(id)->result.bytes(), "began at page 7");
}

TEST_F(WorkLoopTest, StoppingWaitsForTheRunningAndAfterItsPatienceAsksThemToStop) {
  const JobId id = schedule();
  std::promise<void> inside;
  std::atomic<bool> asked = false;
  WorkLoop worker = loop(1, 24h);
  worker.on("welcome", [&](Attempt& attempt) {
    inside.set_value();
    std::promise<void> stopped;
    const std::stop_callback on_stop(attempt.stop_token(), [&] {
      asked = true;
      stopped.set_value();
    });
    stopped.get_future().get();
    return hand_back();
  });
  ASSERT_TRUE(worker.start());
  inside.get_future().get();
  auto stopping = std::async(std::launch::async, [&] { worker.stop(); });
  while (!asked) {
    time_.advance(1s);
    static_cast<void>(book_.stat());  // a turn for the others, long before the lease ends
  }
  stopping.get();
  EXPECT_EQ(book_.job(id)->phase, Phase::available);
  EXPECT_EQ(book_.job(id)->attempt, 0u) << "handing back costs no attempt";
}

TEST_F(WorkLoopTest, JoiningAndLeavingAreOnRecord) {
  {
    WorkLoop worker = loop(4);
    worker.on("welcome", [](Attempt&) { return done(); });
    ASSERT_TRUE(worker.start());
    book_.look([](const View& view, const Moment&) {
      ASSERT_EQ(view.workers().size(), 1u);
      EXPECT_EQ(view.worker(view.workers()[0])->slots, 4u);
    });
  }
  book_.look([](const View& view, const Moment&) { EXPECT_TRUE(view.workers().empty()); });
}

TEST_F(WorkLoopTest, AnOutcomeTooLargeToRecordFailsTheAttemptAndSaysSo) {
  const JobId id = schedule("welcome", {.max_attempts = 1});
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt&) { return done(std::string(2 * 1024 * 1024, 'x')); });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->phase, Phase::dead);
  EXPECT_EQ(book_.job(id)->error_kind, "outcome_refused");
}

TEST_F(WorkLoopTest, AnOutcomeThatMeansNothingFailsTheAttemptAndSaysSo) {
  const JobId id = schedule("welcome", {.max_attempts = 1});
  WorkLoop worker = loop();
  worker.on("welcome", [](Attempt&) { return snooze(after(-1s)); });
  ASSERT_TRUE(worker.start());
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->phase, Phase::dead);
  EXPECT_THAT(std::string(book_.job(id)->error.bytes()), testing::HasSubstr("refused"));
}

TEST_F(WorkLoopTest, ACheckpointTooLargeCostsTheCheckpointAndNotTheLease) {
  const JobId id = schedule();
  std::promise<void> inside;
  std::promise<void> leave;
  WorkLoop worker = loop();
  worker.on("welcome", [&](Attempt& attempt) {
    attempt.progress(std::string(2 * 1024 * 1024, 'x'));
    inside.set_value();
    leave.get_future().get();
    return attempt.stop_token().stop_requested() ? discard("lost") : done();
  });
  ASSERT_TRUE(worker.start());
  inside.get_future().get();
  for (int i = 0; i < 6; ++i) {
    const BookTime before = book_.job(id)->lease->ends_at;
    time_.advance(10s);
    while (book_.job(id)->lease->ends_at == before) std::this_thread::yield();
  }
  leave.set_value();
  worker.run_until_empty();
  EXPECT_EQ(book_.job(id)->phase, Phase::completed);
  EXPECT_EQ(book_.job(id)->attempt, 1u);
}

TEST_F(WorkLoopTest, ALoopWhoseBookIsClosedUnderItStops) {
  const JobId id = schedule();
  std::promise<void> inside;
  std::promise<void> leave;
  WorkLoop worker = loop(2);  // one slot runs, the other's claim waits
  worker.on("welcome", [&](Attempt&) {
    inside.set_value();
    leave.get_future().get();
    return done();
  });
  ASSERT_TRUE(worker.start());
  inside.get_future().get();
  book_.close();
  leave.set_value();  // its outcome and its next claim meet a closed book
  worker.stop();
  const Daybook again = Daybook::open(folder_.path() / "book", {.clock = &time_, .waiter = &time_});
  EXPECT_EQ(again.job(id)->phase, Phase::running) << "what it did was refused, and its lease runs out";
}

TEST_F(WorkLoopTest, ALeaseOutOfRangeDoesNotStart) {
  WorkLoop worker = loop(1, 0s);
  worker.on("welcome", [](Attempt&) { return done(); });
  EXPECT_EQ(worker.start().error().code, RefusalCode::lease_out_of_range);
}

TEST_F(WorkLoopTest, WithoutAHandlerItDoesNotStart) {
  WorkLoop worker = loop();
  EXPECT_EQ(worker.start().error().code, RefusalCode::invalid_argument);
}

}  // namespace
}  // namespace daybook
