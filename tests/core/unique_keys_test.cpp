// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>

#include "daybook/core/conflict.hpp"
#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::MemoryBook;

constexpr std::array policies = {OnConflict::reject, OnConflict::return_existing, OnConflict::replace,
                                 OnConflict::debounce, OnConflict::throttle};
constexpr std::array states = {JobState::waiting,   JobState::awaiting,  JobState::running, JobState::uncertain,
                               JobState::completed, JobState::cancelled, JobState::dead};

Schedule keyed(OnConflict policy = OnConflict::reject) {
  Schedule command{.queue = "mail", .kind = "send"};
  command.unique_key = "k";
  command.on_conflict = policy;
  command.unique_scope = {.completed = true, .cancelled = true, .dead = true};
  return command;
}

struct UniqueKeys : ::testing::Test {
  UniqueKeys() { book.done(RaiseFeatureLevel{}); }

  Scheduled schedule(const Schedule& command) {
    const auto answer = book.ask(command);
    EXPECT_TRUE(answer.has_value()) << answer.error().sentence;
    return answer ? std::get<Scheduled>(*answer) : Scheduled{};
  }

  /// A job that holds the key in this state.
  JobId holder_in(JobState state) {
    Schedule command = keyed();
    if (state == JobState::awaiting) {
      command.parents = {book.schedule({.queue = "mail", .kind = "send"})};
      command.run_when = RunWhen::always;
    }
    const JobId id = book.schedule(command);
    switch (state) {
      case JobState::waiting:
      case JobState::awaiting:
        break;
      case JobState::running:
        book.claim_one();
        break;
      case JobState::completed:
        book.done(Complete{id, book.claim_one().token});
        break;
      case JobState::cancelled:
        book.done(Cancel{id});
        break;
      case JobState::dead:
        book.done(Fail{.job = id, .token = book.claim_one().token, .retryable = false});
        break;
      case JobState::uncertain:
        book.put_down(GapDeclared{book.state.book().head.next(), "lost"});
        book.put_down(JobMarkedUncertain{id, "lost"});
        break;
    }
    EXPECT_EQ(book.state_of(id), state);
    return id;
  }

  MemoryBook book;
};

std::string page() {
  std::ifstream in(std::string(DAYBOOK_ROOT) + "/docs/unique_keys.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string word(Merge merge) {
  switch (merge) {
    case Merge::refuse:
      return "refused";
    case Merge::existing:
      return "existing";
    case Merge::replace:
      return "merged";
    case Merge::follow:
      return "follows";
  }
  return "";
}

// The table of the page, cell by cell, against the function and against what a book does.
TEST_F(UniqueKeys, EveryCellOfThePublishedTableIsWhatTheBookDoes) {
  const std::string text = page();
  for (const JobState state : states) {
    std::string row = "| " + std::string(to_string(state)) + " |";
    for (const OnConflict policy : policies) row += " " + word(merge_of(policy, state)) + " |";
    EXPECT_THAT(text, HasSubstr(row));

    for (const OnConflict policy : policies) {
      book = MemoryBook();
      book.done(RaiseFeatureLevel{});
      const JobId holder = holder_in(state);
      const std::size_t jobs = book.count<JobScheduled>();
      const auto answer = book.ask(keyed(policy));
      const std::string cell = std::string(to_string(policy)) + " x " + std::string(to_string(state));
      const std::size_t added = book.count<JobScheduled>() - jobs;
      switch (merge_of(policy, state)) {
        case Merge::refuse:
          ASSERT_FALSE(answer.has_value()) << cell;
          EXPECT_EQ(answer.error().code, RefusalCode::duplicate_key) << cell;
          EXPECT_EQ(answer.error().job, holder.sequence.value()) << cell;
          EXPECT_EQ(added, 0U) << cell;
          break;
        case Merge::existing:
          ASSERT_TRUE(answer.has_value()) << cell;
          EXPECT_EQ(std::get<Scheduled>(*answer), (Scheduled{holder, true, false})) << cell;
          EXPECT_EQ(added, 0U) << cell;
          break;
        case Merge::replace:
          ASSERT_TRUE(answer.has_value()) << cell;
          EXPECT_EQ(std::get<Scheduled>(*answer), (Scheduled{holder, true, true})) << cell;
          EXPECT_EQ(book.count<JobReplaced>(), 1U) << cell;
          EXPECT_EQ(added, 0U) << cell;
          break;
        case Merge::follow:
          ASSERT_TRUE(answer.has_value()) << cell;
          EXPECT_FALSE(std::get<Scheduled>(*answer).existing) << cell;
          EXPECT_EQ(added, 1U) << cell;
          break;
      }
    }
  }
}

TEST_F(UniqueKeys, ReplacingGivesTheHolderNewContentsUnderItsOldId) {
  const JobId id = book.schedule(keyed());
  Schedule command = keyed(OnConflict::replace);
  command.payload = "new";
  command.kind = "another";
  command.due = after(1h);
  command.retry.max_attempts = 3;
  EXPECT_EQ(schedule(command).job, id);
  const Job& job = book.job(id);
  EXPECT_EQ(job.spec->payload.bytes(), "new");
  EXPECT_EQ(book.state.name(job.spec->kind)->text, "another");
  EXPECT_EQ(job.due.after, book.now.book + 1h);
  EXPECT_EQ(job.attempts_allowed, 3U);
}

TEST_F(UniqueKeys, ThrottlingKeepsTheFirstDueTime) {
  Schedule command = keyed(OnConflict::throttle);
  command.due = after(10s);
  const JobId id = book.schedule(command);
  const Due first = book.job(id).due;
  book.pass(4s);
  command.payload = "latest";
  EXPECT_EQ(schedule(command).job, id);
  EXPECT_EQ(book.job(id).due, first);
  EXPECT_EQ(book.job(id).spec->payload.bytes(), "latest");
}

TEST_F(UniqueKeys, DebouncingPushesTheDueTimeUpToItsMaximum) {
  Schedule command = keyed(OnConflict::debounce);
  command.due = after(10s);
  command.debounce_max = 25s;
  const JobId id = book.schedule(command);
  const BookTime first = book.now.book;
  for (int call = 1; call <= 5; ++call) {
    book.pass(5s);
    EXPECT_EQ(schedule(command).job, id);
    EXPECT_EQ(*book.job(id).due.after, std::min(book.now.book + 10s, first + 25s)) << "call " << call;
  }
  EXPECT_EQ(*book.job(id).due.after, first + 25s);
}

TEST_F(UniqueKeys, AMaximumThatTheHolderLacksCountsFromTheFirstNewcomerThatGivesOne) {
  Schedule command = keyed(OnConflict::debounce);
  command.due = after(10s);
  const JobId id = book.schedule(command);
  book.pass(5s);
  command.debounce_max = 25s;
  schedule(command);
  const BookTime given = book.now.book;
  book.pass(5s);
  command.debounce_max = 1h;
  command.due = after(2h);
  schedule(command);
  EXPECT_EQ(*book.job(id).due.after, given + 25s);
}

TEST_F(UniqueKeys, DebouncingToAnInstantIsBoundedByTheWallClock) {
  Schedule command = keyed(OnConflict::debounce);
  command.debounce_max = 1h;
  command.due = at(book.now.wall + 10min);
  const JobId id = book.schedule(command);
  const Instant latest = book.now.wall + 1h;
  command.due = at(book.now.wall + 30min);
  schedule(command);
  EXPECT_EQ(book.job(id).due, (Due{book.now.wall + 30min, std::nullopt}));
  command.due = at(book.now.wall + 3h);
  schedule(command);
  EXPECT_EQ(book.job(id).due, (Due{latest, std::nullopt}));
}

TEST_F(UniqueKeys, WhileTheHolderRunsOneJobFollowsItAndTheNextMergeWithThatOne) {
  const JobId first = book.schedule(keyed());
  const ClaimedJob running = book.claim_one();
  const Scheduled second = schedule(keyed(OnConflict::debounce));
  EXPECT_NE(second.job, first);
  EXPECT_TRUE(book.job(first).key_handed_over);
  Schedule command = keyed(OnConflict::replace);
  command.payload = "third";
  EXPECT_EQ(schedule(command), (Scheduled{second.job, true, true}));
  book.done(Complete{running.id, running.token});
  EXPECT_EQ(book.state.key_holder(*book.state.find_name(NameSort::queue, "mail"), "k"), second.job.sequence);
}

TEST_F(UniqueKeys, AJobThatHandedItsKeyOverAndFailsWaitsWithoutIt) {
  const JobId first = book.schedule(keyed());
  const ClaimedJob running = book.claim_one();
  const JobId second = schedule(keyed(OnConflict::replace)).job;
  book.done(Fail{.job = first, .token = running.token});
  EXPECT_EQ(book.state_of(first), JobState::waiting);
  EXPECT_EQ(book.refusal_of(keyed()), RefusalCode::duplicate_key);
  book.done(Cancel{second});
  EXPECT_EQ(book.refusal_of(keyed()), RefusalCode::duplicate_key);  // a cancelled job holds it: its scope says so
}

TEST_F(UniqueKeys, APeriodEndsByBookTimeWhateverTheState) {
  Schedule command = keyed();
  command.unique_for = 1h;
  const JobId first = book.schedule(command);
  book.done(Complete{first, book.claim_one().token});
  book.pass(59min);
  book.step_wall(24h);
  EXPECT_EQ(book.refusal_of(command), RefusalCode::duplicate_key);
  book.pass(1min);
  const Scheduled second = schedule(command);
  EXPECT_FALSE(second.existing);
  EXPECT_TRUE(book.job(first).key_handed_over);
  EXPECT_EQ(book.last<JobScheduled>().key_from, first);
}

TEST_F(UniqueKeys, OutsideItsScopeAFinalJobHoldsNothing) {
  Schedule command = keyed();
  command.unique_scope = {.completed = true, .cancelled = false, .dead = false};
  const JobId first = book.schedule(command);
  book.done(Cancel{first});
  const JobId second = book.schedule(command);
  book.done(Complete{second, book.claim_one().token});
  EXPECT_EQ(book.refusal_of(command), RefusalCode::duplicate_key);
}

TEST_F(UniqueKeys, ADeadJobIsRetriedUnderItsOwnKeyAndNotUnderAnothers) {
  Schedule command = keyed();
  command.unique_scope = {};
  const JobId first = book.schedule(command);
  book.done(Fail{.job = first, .token = book.claim_one().token, .retryable = false});
  const JobId second = book.schedule(command);
  EXPECT_EQ(book.refusal_of(Retry{first}), RefusalCode::duplicate_key);
  book.done(Cancel{second});
  EXPECT_EQ(book.refusal_of(Retry{first}), std::nullopt);
  EXPECT_EQ(book.refusal_of(command), RefusalCode::duplicate_key);
}

TEST_F(UniqueKeys, ARepeatedRequestGetsItsFirstAnswer) {
  const JobId id = book.schedule(keyed());
  Context context;
  context.request = RequestId{"shop", "r1"};
  const auto first = book.submit({keyed(OnConflict::replace)}, context);
  ASSERT_TRUE(first.answers.has_value());
  const auto again = book.submit({keyed(OnConflict::replace)}, context);
  ASSERT_TRUE(again.repeated);
  const auto answer = answers({{keyed(OnConflict::replace)}, context}, first.events, book.state);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<Scheduled>(answer->front()), (Scheduled{id, true, true}));
}

TEST_F(UniqueKeys, ABookOfLevel1RefusesWhatItCannotHold) {
  book = MemoryBook();
  for (const OnConflict policy : {OnConflict::replace, OnConflict::debounce, OnConflict::throttle}) {
    Schedule command{.queue = "mail", .kind = "send"};
    command.on_conflict = policy;
    EXPECT_EQ(book.refusal_of(command), RefusalCode::needs_upgrade);
  }
  EXPECT_EQ(book.refusal_of(keyed()), RefusalCode::needs_upgrade);
}

TEST_F(UniqueKeys, WhatIsSaidOfAKeyNeedsOne) {
  Schedule command{.queue = "mail", .kind = "send"};
  command.on_conflict = OnConflict::replace;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
  EXPECT_THAT(book.sentence, HasSubstr("on_conflict replace"));
  command.on_conflict = OnConflict::reject;
  command.unique_for = 1h;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
  command.unique_key = "k";
  EXPECT_EQ(book.refusal_of(command), std::nullopt);
  command = keyed(OnConflict::throttle);
  command.debounce_max = 1h;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
}

TEST_F(UniqueKeys, TimesOutOfRangeAreRefused) {
  Schedule command = keyed();
  command.unique_for = Duration(999);
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
  command = keyed(OnConflict::debounce);
  command.debounce_max = -1s;
  EXPECT_EQ(book.refusal_of(command), RefusalCode::invalid_argument);
  EXPECT_THAT(book.sentence, HasSubstr("a debounce of -1s"));
}

}  // namespace
}  // namespace daybook
