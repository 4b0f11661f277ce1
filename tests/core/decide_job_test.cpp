// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

/// A job brought into each state that a job can be in, with the last token that was granted for it.
struct Subject {
  JobId job;
  Token token;
};

enum class Stage { waiting, future, running, stopping, retryable, completed, cancelled, dead };
constexpr Stage stages[] = {Stage::waiting,   Stage::future,    Stage::running,   Stage::stopping,
                            Stage::retryable, Stage::completed, Stage::cancelled, Stage::dead};
constexpr std::string_view stage_names[] = {"waiting",   "future",    "running",   "stopping",
                                            "retryable", "completed", "cancelled", "dead"};

Subject bring_to(MemoryBook& book, Stage stage) {
  Schedule command{.queue = "mail", .kind = "send"};
  if (stage == Stage::future) command.due = after(1h);
  const JobId job = book.schedule(command);
  const Token none{Sequence(9999), testing::first_tag};
  if (stage == Stage::waiting || stage == Stage::future) return {job, none};
  if (stage == Stage::cancelled) {
    book.done(Cancel{job});
    return {job, none};
  }
  const Token token = book.claim_one().token;
  switch (stage) {
    case Stage::stopping:
      book.done(Cancel{job});
      break;
    case Stage::retryable:
      book.done(Fail{.job = job, .token = token});
      break;
    case Stage::completed:
      book.done(Complete{job, token});
      break;
    case Stage::dead:
      book.done(Fail{.job = job, .token = token, .retryable = false});
      break;
    default:
      break;
  }
  return {job, token};
}

using Code = RefusalCode;
constexpr std::optional<Code> fine = std::nullopt;

struct Row {
  std::string_view name;
  Command (*command)(const Subject&);
  std::optional<Code> answers[8];  // by stage
};

const Row table[] = {
    // clang-format off
    //                                              waiting            future             running           stopping          retryable          completed                cancelled            dead
    {"complete", [](const Subject& s) -> Command { return Complete{s.job, s.token}; },
                                                   {Code::not_running, Code::not_running, fine,             fine,             Code::lease_lost,  Code::already_completed, Code::not_running,   Code::lease_lost}},
    {"fail", [](const Subject& s) -> Command { return Fail{.job = s.job, .token = s.token}; },
                                                   {Code::not_running, Code::not_running, fine,             fine,             Code::lease_lost,  Code::already_completed, Code::not_running,   Code::lease_lost}},
    {"snooze", [](const Subject& s) -> Command { return Snooze{s.job, s.token, after(1s)}; },
                                                   {Code::not_running, Code::not_running, fine,             fine,             Code::lease_lost,  Code::already_completed, Code::not_running,   Code::lease_lost}},
    {"release", [](const Subject& s) -> Command { return Release{s.job, s.token}; },
                                                   {Code::not_running, Code::not_running, fine,             fine,             Code::lease_lost,  Code::already_completed, Code::not_running,   Code::lease_lost}},
    {"cancel", [](const Subject& s) -> Command { return Cancel{s.job}; },
                                                   {fine,              fine,              fine,             fine,             fine,              Code::already_final,     fine,                Code::already_final}},
    {"reschedule", [](const Subject& s) -> Command { return Reschedule{s.job, after(5s)}; },
                                                   {fine,              fine,              Code::is_running, Code::is_running, fine,              Code::already_final,     Code::already_final, Code::already_final}},
    {"retry", [](const Subject& s) -> Command { return Retry{s.job}; },
                                                   {Code::not_dead,    Code::not_dead,    Code::not_dead,   Code::not_dead,   Code::not_dead,    Code::not_dead,          Code::not_dead,      fine}},
    // clang-format on
};

TEST(JobCommands, EveryStateAnswersEveryCommand) {
  for (const Row& row : table) {
    for (const Stage stage : stages) {
      const auto column = static_cast<std::size_t>(stage);
      SCOPED_TRACE(std::string(row.name) + " a job that is " + std::string(stage_names[column]));
      MemoryBook book;
      const Subject subject = bring_to(book, stage);
      const Job before = book.job(subject.job);
      EXPECT_EQ(book.refusal_of(row.command(subject)), row.answers[column]) << book.sentence;
      if (!row.answers[column]) continue;
      EXPECT_NE(book.sentence.find("job " + to_string(subject.job)), std::string::npos) << book.sentence;
      Job after = book.job(subject.job);
      after.refused = before.refused;  // that it was refused may be on record
      after.last_event = before.last_event;
      EXPECT_EQ(after, before);
    }
  }
}

TEST(JobCommands, RenewingAnswersEveryStateInsideItsAnswer) {
  for (const Stage stage : stages) {
    const auto column = static_cast<std::size_t>(stage);
    SCOPED_TRACE(stage_names[column]);
    MemoryBook book;
    const Subject subject = bring_to(book, stage);
    const auto answer = book.ask(Renew{{{subject.job, subject.token, {}}}, 30s});
    ASSERT_TRUE(answer.has_value());
    const auto& one = std::get<Renewed>(*answer).claims.at(0);
    const std::optional<Code> expected = table[0].answers[column];  // as for complete
    EXPECT_EQ(one ? fine : std::optional(one.error().code), expected);
  }
}

TEST(JobCommands, AnUnknownJobIsRefusedByAllOfThem) {
  for (const Row& row : table) {
    SCOPED_TRACE(row.name);
    MemoryBook book;
    const Subject nobody{JobId{Sequence(1234), {}}, Token{Sequence(5), testing::first_tag}};
    EXPECT_EQ(book.refusal_of(row.command(nobody)), Code::no_such_job);
    EXPECT_NE(book.sentence.find("job 1234"), std::string::npos) << book.sentence;
  }
}

TEST(JobCommands, AHeldBookRefusesAllOfThem) {
  for (const Row& row : table) {
    SCOPED_TRACE(row.name);
    MemoryBook book;
    const Subject subject = bring_to(book, Stage::running);
    book.become_a_copy();
    const std::size_t before = book.events.size();
    EXPECT_EQ(book.refusal_of(row.command(subject)), Code::book_held);
    EXPECT_EQ(book.events.size(), before);
  }
}

TEST(Cancelling, EndsAWaitingJobAtOnce) {
  MemoryBook book;
  const JobId id = book.schedule();
  book.done(Cancel{id});
  EXPECT_EQ(book.state_of(id), JobState::cancelled);
  EXPECT_EQ(book.job(id).finalized_at, book.now.wall);
  EXPECT_EQ(book.count<JobCancelled>(), 1U);
}

TEST(Cancelling, ASecondTimeRecordsNothing) {
  for (const Stage stage : {Stage::stopping, Stage::cancelled}) {
    MemoryBook book;
    const Subject subject = bring_to(book, stage);
    const std::size_t before = book.events.size();
    book.done(Cancel{subject.job});
    EXPECT_EQ(book.events.size(), before);
  }
}

TEST(Cancelling, ARunningJobIsAskedToStop) {
  MemoryBook book;
  const Subject subject = bring_to(book, Stage::stopping);
  EXPECT_EQ(book.state_of(subject.job), JobState::running);
  EXPECT_TRUE(book.job(subject.job).cancel_requested);
  EXPECT_EQ(book.count<CancelRequested>(), 1U);
}

TEST(Rescheduling, MovesTheDue) {
  MemoryBook book;
  const JobId id = book.schedule();
  book.done(Reschedule{id, at(book.now.wall + 1h)});
  EXPECT_EQ(book.job(id).due, (Due{book.now.wall + 1h, std::nullopt}));
  EXPECT_EQ(book.count<JobRescheduled>(), 1U);
  EXPECT_EQ(book.refusal_of(Reschedule{id, at(limits::due_max + 1us)}), Code::due_out_of_range);
}

TEST(Retrying, GivesAsManyMoreAttemptsAsThePolicy) {
  MemoryBook book;
  Schedule command{.queue = "mail", .kind = "send"};
  command.retry.max_attempts = 2;
  const JobId id = book.schedule(command);
  const auto use_up = [&] {
    while (book.state_of(id) != JobState::dead) {
      const ClaimedJob claim = book.claim_one();
      book.done(Fail{.job = id, .token = claim.token, .error = "why", .retry_in = 0s});
    }
  };
  use_up();
  EXPECT_EQ(book.job(id).attempt, 2U);
  book.done(Retry{id, after(5s)});
  const Job& job = book.job(id);
  EXPECT_EQ(job.state, JobState::waiting);
  EXPECT_EQ(job.dead_reason, DeadReason::none);
  EXPECT_FALSE(job.finalized_at);
  EXPECT_EQ(job.attempts_allowed, 4U);
  EXPECT_EQ(job.due.after, book.now.book + 5s);
  EXPECT_EQ(job.error.bytes(), "why");
  book.pass(5s);
  use_up();
  EXPECT_EQ(book.job(id).attempt, 4U);
}

TEST(Retrying, IsRefusedWhileAnotherJobHoldsTheKey) {
  MemoryBook book;
  Schedule command{.queue = "mail", .kind = "send"};
  command.unique_key = "k";
  const JobId dead = book.schedule(command);
  const ClaimedJob claim = book.claim_one();
  book.done(Fail{.job = dead, .token = claim.token, .retryable = false});
  const JobId holder = book.schedule(command);
  const auto answer = book.ask(Retry{dead});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::duplicate_key);
  EXPECT_EQ(answer.error().job, holder.sequence.value());
  book.done(Cancel{holder});
  book.done(Retry{dead});
  EXPECT_EQ(book.refusal_of(command), Code::duplicate_key);
}

TEST(Retrying, OutOfRangeIsRefused) {
  MemoryBook book;
  const Subject subject = bring_to(book, Stage::dead);
  EXPECT_EQ(book.refusal_of(Retry{subject.job, after(-1s)}), Code::due_out_of_range);
}

}  // namespace
}  // namespace daybook
