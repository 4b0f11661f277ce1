// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

Schedule send() {
  return {.queue = "mail", .kind = "send"};
}

struct ScheduleTest : ::testing::Test {
  MemoryBook book;
};

TEST_F(ScheduleTest, TheIdIsTheSequenceOfTheEventAfterTheNamesItDefines) {
  const JobId id = book.schedule();
  const std::size_t n = book.events.size();
  ASSERT_TRUE(std::holds_alternative<JobScheduled>(book.events[n - 1].event));
  EXPECT_EQ(book.events[n - 1].sequence, id.sequence);
  EXPECT_EQ(id.generation, testing::first_tag);
  EXPECT_EQ(std::get<NameDefined>(book.events[n - 2].event).name.text, "send");
  EXPECT_EQ(std::get<NameDefined>(book.events[n - 3].event).name.text, "mail");
}

TEST_F(ScheduleTest, TheSameTextInTwoSortsIsTwoNames) {
  book.schedule({.queue = "mail", .kind = "mail"});
  const auto queue = book.state.find_name(NameSort::queue, "mail");
  const auto kind = book.state.find_name(NameSort::kind, "mail");
  ASSERT_TRUE(queue && kind);
  EXPECT_NE(*queue, *kind);
}

TEST_F(ScheduleTest, AKnownNameIsNotDefinedAgain) {
  book.schedule();
  const std::size_t names = book.count<NameDefined>();
  book.schedule();
  EXPECT_EQ(book.count<NameDefined>(), names);
}

TEST_F(ScheduleTest, TheJobIsWhatWasAsked) {
  Schedule command = send();
  command.payload = "hello";
  command.priority = Priority(-3);
  command.unique_key = "welcome/42";
  command.tags = {{"team", "red"}};
  command.retry.max_attempts = 7;
  const Job& job = book.job(book.schedule(command));
  EXPECT_EQ(job.state, JobState::waiting);
  EXPECT_EQ(job.spec->payload.bytes(), "hello");
  EXPECT_EQ(job.spec->priority, Priority(-3));
  EXPECT_EQ(job.spec->unique_key, "welcome/42");
  EXPECT_EQ(job.spec->tags, command.tags);
  EXPECT_EQ(job.attempts_allowed, 7U);
  EXPECT_EQ(job.scheduled_at, book.now.wall);
}

TEST_F(ScheduleTest, AtOnceIsDueNowEvenWhenTheWallClockStepsBack) {
  const JobId id = book.schedule();
  EXPECT_EQ(book.job(id).due, (Due{book.now.wall, book.now.book}));
  book.step_wall(-24h * 366);
  EXPECT_EQ(book.claim_one().id, id);
}

TEST_F(ScheduleTest, AnInstantIsComparedWithTheWallClockAlone) {
  Schedule command = send();
  command.due = at(book.now.wall + 1h);
  const JobId id = book.schedule(command);
  EXPECT_EQ(book.job(id).due, (Due{book.now.wall + 1h, std::nullopt}));
  book.step_wall(1h);
  EXPECT_EQ(book.claim_one().id, id);
}

TEST_F(ScheduleTest, AnInstantInThePastIsDueAtOnce) {
  Schedule command = send();
  command.due = at(limits::due_min);
  const JobId id = book.schedule(command);
  EXPECT_EQ(book.claim_one().id, id);
}

TEST_F(ScheduleTest, ADurationIsBookTimeAndShowsTheInstant) {
  Schedule command = send();
  command.due = after(10min);
  const JobId id = book.schedule(command);
  EXPECT_EQ(book.job(id).due, (Due{book.now.wall + 10min, book.now.book + 10min}));
  book.step_wall(24h);
  EXPECT_TRUE(book.claim({.queues = {"mail"}, .worker = "w1"}).empty());
}

TEST_F(ScheduleTest, ADelayBeyondTheLastYearIsShownAsTheLastInstant) {
  Schedule command = send();
  command.due = after(limits::after_max);
  EXPECT_EQ(book.job(book.schedule(command)).due.at, limits::due_max);
}

TEST_F(ScheduleTest, DueOutOfRangeIsRefusedWithTheRange) {
  Schedule command = send();
  for (const When when : {at(limits::due_min - 1us), at(limits::due_max + 1us)}) {
    command.due = when;
    EXPECT_EQ(book.refusal_of(command), RefusalCode::due_out_of_range);
    EXPECT_NE(book.sentence.find("1970-01-01T00:00:00"), std::string::npos) << book.sentence;
    EXPECT_NE(book.sentence.find("9999-12-31T23:59:59"), std::string::npos) << book.sentence;
  }
  for (const When when : {after(-1us), after(limits::after_max + 1us)}) {
    command.due = when;
    EXPECT_EQ(book.refusal_of(command), RefusalCode::due_out_of_range);
    EXPECT_NE(book.sentence.find("0s to"), std::string::npos) << book.sentence;
  }
  command.due = at(limits::due_max);
  EXPECT_EQ(book.refusal_of(command), std::nullopt);
}

TEST_F(ScheduleTest, APayloadOverTheBoundIsRefusedWithBothNumbers) {
  book.bounds.payload_bytes = 10;
  Schedule command = send();
  command.payload = std::string(10, 'x');
  EXPECT_EQ(book.refusal_of(command), std::nullopt);
  command.payload = std::string(11, 'x');
  EXPECT_EQ(book.refusal_of(command), RefusalCode::payload_too_large);
  EXPECT_EQ(book.sentence, "payload of 11 bytes: at most 10 are kept; store it elsewhere and pass a reference");
}

TEST_F(ScheduleTest, BadNamesAreRefused) {
  EXPECT_EQ(book.refusal_of(Schedule{.queue = "", .kind = "send"}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(Schedule{.queue = "mail", .kind = std::string(129, 'k')}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(Schedule{.queue = "mail\n", .kind = "send"}), RefusalCode::invalid_argument);
}

TEST_F(ScheduleTest, AUniqueKeyHasAtMost255Bytes) {
  Schedule command = send();
  command.unique_key = std::string(255, 'k');
  EXPECT_EQ(book.refusal_of(command), std::nullopt);
  command.unique_key += 'k';
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
}

TEST_F(ScheduleTest, SixteenTagsAreEnough) {
  Schedule command = send();
  for (int i = 0; i < 16; ++i) command.tags.push_back({"key" + std::to_string(i), "value"});
  EXPECT_EQ(book.refusal_of(command), std::nullopt);
  command.tags.push_back({"one more", ""});
  EXPECT_EQ(book.refusal_of(command), RefusalCode::too_many_tags);
}

TEST_F(ScheduleTest, BadTagsAreRefused) {
  Schedule command = send();
  for (const Tag& tag : {Tag{"", "v"}, Tag{std::string(129, 'k'), "v"}, Tag{"k", std::string(129, 'v')}}) {
    command.tags = {tag};
    EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
  }
  command.tags = {{"k", "1"}, {"k", "2"}};
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
}

TEST_F(ScheduleTest, NoAttemptsIsRefused) {
  Schedule command = send();
  command.retry.max_attempts = 0;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::attempts_out_of_range);
}

TEST_F(ScheduleTest, ASecondJobWithTheKeyIsRefusedAndNamesTheHolder) {
  Schedule command = send();
  command.unique_key = "k";
  const JobId holder = book.schedule(command);
  const auto answer = book.ask(command);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, RefusalCode::duplicate_key);
  EXPECT_EQ(answer.error().job, holder.sequence.value());
  EXPECT_EQ(answer.error().sentence, "unique key \"k\" is held by job " + to_string(holder));
  EXPECT_EQ(book.last<DuplicateSuppressed>().holder, holder);
  EXPECT_EQ(book.last<DuplicateSuppressed>().answer, OnConflict::reject);
  EXPECT_EQ(book.count<JobScheduled>(), 1U);
}

TEST_F(ScheduleTest, TheExistingJobIsReturnedWhenAskedFor) {
  Schedule command = send();
  command.unique_key = "k";
  const JobId holder = book.schedule(command);
  command.on_conflict = OnConflict::return_existing;
  command.kind = "another kind";
  const auto answer = book.ask(command);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<Scheduled>(*answer), (Scheduled{holder, true}));
  EXPECT_EQ(book.last<DuplicateSuppressed>().answer, OnConflict::return_existing);
  EXPECT_EQ(book.state.name(book.last<DuplicateSuppressed>().kind)->text, "another kind");
}

TEST_F(ScheduleTest, WithoutRoomNewJobsAreRefusedAndExistingOnesAreFound) {
  Schedule unique = send();
  unique.unique_key = "k";
  unique.on_conflict = OnConflict::return_existing;
  const JobId id = book.schedule(unique);
  book.bounds.room = false;
  EXPECT_EQ(book.refusal_of(send()), RefusalCode::storage_full);
  EXPECT_EQ(book.refusal_of(unique), std::nullopt);
  book.done(Complete{id, book.claim_one().token});
  EXPECT_EQ(book.refusal_of(unique), RefusalCode::storage_full);
}

TEST_F(ScheduleTest, AKeyIsFreeInAnotherQueueAndOnceItsJobIsFinal) {
  Schedule command = send();
  command.unique_key = "k";
  book.schedule(command);
  command.queue = "bills";
  const JobId other = book.schedule(command);
  book.done(Cancel{other});
  EXPECT_EQ(book.refusal_of(command), std::nullopt);
}

}  // namespace
}  // namespace daybook
