// SPDX-License-Identifier: Apache-2.0

// Commands by a filter, through the facade.
#include "daybook/operate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daybook/daybook.hpp"
#include "support/manual_time.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

class OperateTest : public testing::Test {
 protected:
  [[nodiscard]] Daybook open(Options options = {}) {
    options.clock = &time_;
    options.waiter = &time_;
    return Daybook::open(folder_.path() / "book", std::move(options));
  }
  static Filter filter(const std::string& text) { return Filter::parse(text).value(); }
  static void schedule(Daybook& book, std::size_t count, const Schedule& command) {
    Submission batch;
    batch.commands.assign(count, Command(command));
    ASSERT_TRUE(book.execute(std::move(batch)));
  }
  static std::size_t matching(const Daybook& book, const std::string& text) {
    return book.jobs({.limit = 100'000, .where = filter(text)}).size();
  }
  static std::vector<RecordedEvent> events_of_job(const Daybook& book, const std::string& text) {
    return book.history(book.jobs({.limit = 1, .where = filter(text)}).at(0).id);
  }

  test::TempFolder folder_;
  test::ManualTime time_;
};

TEST_F(OperateTest, ChangesWhatMatchesAndNothingElse) {
  Daybook book = open();
  schedule(book, 5, {.queue = "mail", .kind = "a"});
  schedule(book, 3, {.queue = "mail", .kind = "b"});
  const auto report = book.operate({.verb = OperatorVerb::cancel, .where = filter("kind = a")});
  ASSERT_TRUE(report) << report.error().sentence;
  EXPECT_EQ(report->matched, 5U);
  EXPECT_EQ(report->changed, 5U);
  EXPECT_EQ(report->refused, 0U);
  EXPECT_EQ(matching(book, "kind = a and state = cancelled"), 5U);
  EXPECT_EQ(matching(book, "kind = b and state = available"), 3U);
}

TEST_F(OperateTest, TheCommandIsOneEventAndTheCauseOfTheChanges) {
  Daybook book = open();
  schedule(book, 2, {.queue = "mail", .kind = "a"});
  const auto report = book.operate({.verb = OperatorVerb::reschedule,
                                    .where = filter("queue = mail"),
                                    .due = after(1h),
                                    .context = {.actor = "ada", .reason = "later"}});
  ASSERT_TRUE(report);
  const RecordedEvent last = events_of_job(book, "queue = mail").back();
  EXPECT_TRUE(std::holds_alternative<JobRescheduled>(last.event));
  EXPECT_EQ(last.by.cause, report->command);
  EXPECT_EQ(last.by.reason, "later");
  EXPECT_EQ(matching(book, "state = scheduled"), 2U);
}

TEST_F(OperateTest, NothingIsRecordedWhenNothingMatches) {
  Daybook book = open();
  schedule(book, 1, {.queue = "mail", .kind = "a"});
  const Sequence head = book.stat().head;
  const auto report = book.operate({.verb = OperatorVerb::cancel, .where = filter("queue = sms")});
  EXPECT_EQ(report->matched, 0U);
  EXPECT_EQ(report->command, Sequence());
  EXPECT_EQ(book.stat().head, head);
}

TEST_F(OperateTest, DoingItAgainChangesWhatStillMatches) {
  Daybook book = open();
  schedule(book, 10, {.queue = "mail", .kind = "a"});
  std::size_t batches = 0;
  Operation operation{.verb = OperatorVerb::move,
                      .where = filter("queue = mail"),
                      .queue = "bulk",
                      .batch = 3,
                      .between = [&](const OperateReport&) { return ++batches < 2; }};
  const auto stopped = book.operate(operation);
  EXPECT_TRUE(stopped->stopped);
  EXPECT_EQ(stopped->changed, 6U);
  EXPECT_EQ(matching(book, "queue = bulk"), 6U);
  operation.between = {};
  const auto rest = book.operate(operation);
  EXPECT_EQ(rest->matched, 4U);
  EXPECT_EQ(rest->changed, 4U);
  EXPECT_EQ(matching(book, "queue = bulk"), 10U);
}

TEST_F(OperateTest, WhatWasSoAlreadyIsCountedByItselfAndLeavesNoEvent) {
  Daybook book = open();
  schedule(book, 3, {.queue = "mail", .kind = "a"});
  ASSERT_EQ(book.claim({.queues = {"mail"}, .worker = "w"})->size(), 1U);
  const Operation cancel{.verb = OperatorVerb::cancel, .where = filter("queue = mail")};
  EXPECT_EQ(book.operate(cancel)->changed, 3U);
  const Sequence head = book.stat().head;
  const auto again = book.operate(cancel);
  EXPECT_EQ(again->changed, 0U);
  EXPECT_EQ(again->unchanged, 3U) << "two are cancelled, and one was asked to stop";
  EXPECT_EQ(again->done(), again->matched);
  EXPECT_EQ(book.stat().head, head.next()) << "the command itself";
}

TEST_F(OperateTest, TakesTheFirstSoManyById) {
  Daybook book = open();
  schedule(book, 10, {.queue = "mail", .kind = "a"});
  const auto report = book.operate({.verb = OperatorVerb::cancel, .where = {}, .limit = 4});
  EXPECT_EQ(report->matched, 4U);
  EXPECT_EQ(matching(book, "state = cancelled"), 4U);
  const auto jobs = book.jobs({.limit = 4});
  for (const JobInfo& job : jobs) EXPECT_EQ(job.phase, Phase::cancelled);
}

TEST_F(OperateTest, WhatIsRefusedIsCountedByItsReasonAndKeepsNoOtherBack) {
  Daybook book = open();
  schedule(book, 3, {.queue = "mail", .kind = "a"});
  ASSERT_EQ(book.claim({.queues = {"mail"}, .worker = "w"})->size(), 1U);
  const auto report =
      book.operate({.verb = OperatorVerb::reschedule, .where = filter("queue = mail"), .due = after(1h)});
  EXPECT_EQ(report->changed, 2U);
  EXPECT_EQ(report->refused, 1U);
  ASSERT_EQ(report->refusals.count(RefusalCode::is_running), 1U);
  EXPECT_EQ(report->refusals.at(RefusalCode::is_running).jobs, 1U);
  EXPECT_THAT(report->refusals.at(RefusalCode::is_running).first, testing::HasSubstr("only a waiting job"));
}

TEST_F(OperateTest, AJobThatChangedMeanwhileIsLeftAsItIs) {
  Daybook book = open();
  schedule(book, 4, {.queue = "mail", .kind = "a"});
  bool first = true;
  const auto report = book.operate({.verb = OperatorVerb::cancel,
                                    .where = filter("state = available"),
                                    .batch = 2,
                                    .between = [&](const OperateReport&) {
                                      if (std::exchange(first, false)) {
                                        EXPECT_EQ(book.claim({.queues = {"mail"}, .worker = "w"})->size(), 1U);
                                      }
                                      return true;
                                    }});
  EXPECT_EQ(report->changed, 3U);
  EXPECT_EQ(report->refusals.at(RefusalCode::not_matching).jobs, 1U);
  EXPECT_EQ(matching(book, "state = running and cancel_requested = no"), 1U);
}

TEST_F(OperateTest, MoreJobsThanASliceAreAllSeen) {
  Daybook book = open();
  for (int batch = 0; batch < 5; ++batch) schedule(book, 1000, {.queue = "mail", .kind = "a", .due = after(1h)});
  const auto report = book.operate({.verb = OperatorVerb::cancel, .where = filter("kind = a")});
  EXPECT_EQ(report->matched, 5000U);
  EXPECT_EQ(report->changed, 5000U);
  EXPECT_EQ(matching(book, "state = cancelled"), 5000U);
}

TEST_F(OperateTest, OthersGoOnBetweenTheBatches) {
  Daybook book = open();
  schedule(book, 6, {.queue = "mail", .kind = "a"});
  const auto report = book.operate({.verb = OperatorVerb::move,
                                    .where = filter("kind = a"),
                                    .queue = "bulk",
                                    .batch = 1,
                                    .between = [&](const OperateReport&) {
                                      EXPECT_TRUE(book.schedule({.queue = "sms", .kind = "b"}));
                                      return true;
                                    }});
  EXPECT_EQ(report->changed, 6U);
  EXPECT_EQ(matching(book, "queue = sms"), 6U);
}

TEST_F(OperateTest, ABookOfLevelOneIsToldToUpgrade) {
  Daybook book = open({.feature_level = 1});
  schedule(book, 1, {.queue = "mail", .kind = "a"});
  const auto report = book.operate({.verb = OperatorVerb::cancel, .where = {}});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, RefusalCode::needs_upgrade);
  EXPECT_EQ(matching(book, "state = available"), 1U);
}

TEST_F(OperateTest, HoldsSurviveReopeningAndASnapshot) {
  Sequence id;
  {
    Daybook book = open();
    schedule(book, 2, {.queue = "mail", .kind = "a"});
    id = book.hold(filter("queue = mail"), "case 8812").value();
    EXPECT_EQ(book.snapshot().jobs, 2U);
  }
  std::filesystem::remove_all(folder_.path() / "book" / "index");
  Daybook book = open();
  EXPECT_TRUE(book.opening().index_rebuilt);
  ASSERT_EQ(book.holds().size(), 1U);
  EXPECT_EQ(book.holds().front().id, id);
  EXPECT_EQ(book.holds().front().filter, "queue = mail");
  EXPECT_EQ(book.holds().front().reason, "case 8812");
  EXPECT_TRUE(book.lift_hold(id, "closed"));
  EXPECT_TRUE(book.holds().empty());
}

}  // namespace
}  // namespace daybook
