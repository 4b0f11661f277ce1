// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/apply.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "support/memory_book.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

/// Writes events of its own making behind a book's, as damaged or foreign bytes would.
struct ApplyTest : ::testing::Test {
  MemoryBook book;

  [[nodiscard]] RecordedEvent next(Event event) const {
    RecordedEvent recorded;
    recorded.sequence = book.state.book().head.next();
    recorded.epoch = book.state.book().epoch;
    recorded.wall = book.now.wall;
    recorded.boot = book.now.boot;
    recorded.event = std::move(event);
    return recorded;
  }
  void expect_damage(const RecordedEvent& recorded, const std::string& about) {
    SCOPED_TRACE(std::string(type_name(recorded.event)) + ": " + about);
    State copy = testing::replayed(book.events);
    try {
      apply(copy, recorded);
      ADD_FAILURE() << "it was applied";
    } catch (const CorruptionError& error) {
      EXPECT_EQ(error.damage(), Damage::corrupt_middle);
      EXPECT_EQ(error.place().sequence, recorded.sequence);
      EXPECT_NE(std::string(error.what()).find(about), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(type_name(recorded.event)), std::string::npos) << error.what();
    }
  }
  void expect_damage(Event event, const std::string& about) { expect_damage(next(std::move(event)), about); }
};

TEST_F(ApplyTest, MovesTheHeadWithEveryEvent) {
  book.pass(3s);
  book.schedule();
  EXPECT_EQ(book.state.book().head, book.events.back().sequence);
  EXPECT_EQ(book.state.book().head_wall, book.now.wall);
  EXPECT_EQ(book.state.book().head_boot, book.now.boot);
}

TEST_F(ApplyTest, SequencesHaveNoGaps) {
  RecordedEvent gap = next(BookClosed{});
  gap.sequence = gap.sequence.next();
  expect_damage(gap, "expected " + std::to_string(gap.sequence.value() - 1));
  gap.sequence = book.state.book().head;
  expect_damage(gap, "found sequence");
}

TEST_F(ApplyTest, TheLastEventOfAJobIsTheLastThatTouchedIt) {
  Schedule unique{.queue = "mail", .kind = "send"};
  unique.unique_key = "k";
  const JobId id = book.schedule(unique);
  EXPECT_EQ(book.job(id).last_event, id.sequence);
  EXPECT_EQ(book.refusal_of(unique), RefusalCode::duplicate_key);
  EXPECT_EQ(book.job(id).last_event, book.state.book().head);
  book.done(PauseQueue{"bills"});
  EXPECT_NE(book.job(id).last_event, book.state.book().head);
}

TEST_F(ApplyTest, WhatCannotFollowIsDamageAndNeverAnAssertion) {
  const JobId waiting = book.schedule();
  const ClaimedJob claim = book.claim_one();  // `waiting` runs now
  const JobId other = book.schedule();
  const JobId nobody{Sequence(999), testing::first_tag};
  const JobId stranger{other.sequence, GenerationTag(5)};
  const Token bad{Sequence(3), testing::first_tag};
  const Due due{book.now.wall, book.now.book};
  const NameId mail = *book.state.find_name(NameSort::queue, "mail");
  const NameId w1 = *book.state.find_name(NameSort::worker, "w1");
  const NameId undefined(book.state.book().names + 1);

  expect_damage(BookOpened{}, "epoch");
  expect_damage(ClockStepped{1s, 0}, "era");
  expect_damage(NameDefined{Name{NameId(1), NameSort::queue, "new"}}, "found name 1");
  expect_damage(NameDefined{Name{undefined, NameSort::queue, "mail"}}, "defined already");
  expect_damage(GenerationBegun{book.state.book().generation, false, {}, 0}, "generation");
  expect_damage(BookAdopted{}, "not held");
  expect_damage(QueuePaused{undefined}, "not defined");
  expect_damage(QueueResumed{undefined}, "no queue");
  Worker worker;
  worker.id = undefined;
  expect_damage(WorkerJoined{worker}, "not defined");
  worker.id = w1;
  worker.queues = {undefined};
  expect_damage(WorkerJoined{worker}, "not defined");
  expect_damage(WorkerLeft{undefined, {}}, "no worker");
  expect_damage(JobScheduled{nullptr, testing::first_tag, due}, "nothing of what");
  const auto spec = [&](NameId queue, NameId kind) {
    JobSpec made;
    made.queue = queue;
    made.kind = kind;
    return std::make_shared<const JobSpec>(made);
  };
  expect_damage(JobScheduled{spec(mail, undefined), testing::first_tag, due}, "not defined");
  expect_damage(JobScheduled{spec(NameId(), mail), testing::first_tag, due}, "not defined");
  expect_damage(JobScheduled{spec(mail, mail), GenerationTag(5), due}, "generation tag");
  expect_damage(DuplicateSuppressed{nobody, mail, {}}, "no job");
  const auto claimed = [&](JobId job, std::uint32_t attempt) {
    return JobClaimed{.job = job, .attempt = attempt, .worker = w1, .holder = {}, .generation = testing::first_tag};
  };
  expect_damage(claimed(nobody, 1), "no job");
  expect_damage(claimed(stranger, 1), "no job");
  expect_damage(claimed(other, 2), "found attempt 2, expected 1");
  expect_damage(claimed(waiting, 2), "is running, expected waiting");
  const auto renewed = [&](JobId job, Token token) {
    return LeasesRenewed{30s, {}, {Renewal{.job = job, .token = token, .lease_ends_at = {}, .progress = {}}}};
  };
  expect_damage(renewed(nobody, claim.token), "no job");
  expect_damage(renewed(waiting, bad), "found token");
  expect_damage(renewed(other, claim.token), "is waiting, expected running");
  expect_damage(JobCompleted{waiting, bad, 1, {}}, "found token");
  expect_damage(JobCompleted{waiting, claim.token, 2, {}}, "found attempt 2, expected 1");
  expect_damage(JobCompleted{other, claim.token, 1, {}}, "is waiting");
  AttemptFailed failed{waiting, claim.token, 1, {}, undefined, true, Cancelled{}};
  expect_damage(failed, "not defined");
  failed.error_kind = NameId();
  failed.token = bad;
  expect_damage(failed, "found token");
  expect_damage(LeaseExpired{waiting, bad, 1, {}, Cancelled{}}, "found token");
  expect_damage(LeaseExpired{waiting, claim.token, 3, {}, Cancelled{}}, "found attempt");
  expect_damage(JobSnoozed{waiting, claim.token, Dead{}}, "dies");
  expect_damage(JobReleased{waiting, bad, Again{due}}, "found token");
  expect_damage(CancelRequested{other}, "is waiting, expected running");
  expect_damage(JobCancelled{waiting}, "is running, expected waiting");
  expect_damage(JobRescheduled{waiting, due}, "is running, expected waiting");
  expect_damage(JobRetried{other, due, 5}, "is waiting, expected dead");
  expect_damage(OutcomeRefused{nobody, bad, {}, RefusalCode::lease_lost}, "no job");
  book.done(CloseBook{});
  expect_damage(BookClosed{}, "not open");
}

TEST_F(ApplyTest, ADeadJobIsNotRetriedWithoutAnAttemptLeft) {
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(Fail{.job = id, .token = claim.token, .retryable = false});
  expect_damage(JobRetried{id, {}, 1}, "no attempt left");
}

TEST_F(ApplyTest, AKeyIsNeverHeldTwice) {
  Schedule unique{.queue = "mail", .kind = "send"};
  unique.unique_key = "k";
  const JobId id = book.schedule(unique);
  expect_damage(JobScheduled{book.job(id).spec, testing::first_tag, {}}, "unique key is held");
  book.done(Fail{.job = id, .token = book.claim_one().token, .retryable = false});
  book.schedule(unique);
  expect_damage(JobRetried{id, {}, 9}, "unique key is held");
}

TEST_F(ApplyTest, ARequestIsRememberedFromItsFirstEventToItsLast) {
  Context context;
  context.request = RequestId{"c", "r"};
  book.pass(7s);
  const Outcome outcome =
      book.submit({Schedule{.queue = "a", .kind = "b"}, Schedule{.queue = "c", .kind = "d"}}, context);
  const NameId client = *book.state.find_name(NameSort::client, "c");
  const RequestRecord* record = book.state.request(client, "r");
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->recorded_at, book.now.book);
  EXPECT_EQ(record->last, outcome.events.back().sequence);
  EXPECT_EQ(record->first, outcome.events.at(1).sequence);  // behind the definition of the client itself
  EXPECT_TRUE(outcome.events.at(1).request);
  EXPECT_FALSE(outcome.events.at(0).request);
}

/// A gap of two events behind the book.
struct ApplyBehindAGap : ApplyTest {
  void put(Event event) {
    book.events.push_back(next(std::move(event)));
    apply(book.state, book.events.back());
  }
  void lose_two() {
    put(GapDeclared{next({}).sequence.next(), "lost"});
    put(EventLost{});
  }
};

TEST_F(ApplyBehindAGap, TheBookIsOfTheLevelThatKnowsGaps) {
  ASSERT_EQ(book.state.book().feature_level, 1U);
  lose_two();
  EXPECT_EQ(book.state.book().feature_level, 2U);
}

TEST_F(ApplyBehindAGap, NamesKeepTheIdsThatTheyHadAndLostOnesAreNotDefined) {
  const NameId lost(book.state.book().names + 1);
  const NameId found(book.state.book().names + 3);
  expect_damage(NameDefined{Name{found, NameSort::queue, "bills"}}, "expected " + std::to_string(lost.value()));
  lose_two();
  put(NameDefined{Name{found, NameSort::queue, "bills"}});
  EXPECT_EQ(book.state.book().names, found.value());
  expect_damage(QueuePaused{lost}, "not defined");
  expect_damage(NameDefined{Name{found, NameSort::queue, "photos"}}, "found name");
  put(QueuePaused{found});
  put(NameDefined{Name{lost, NameSort::kind, "lost"}});
  EXPECT_EQ(book.state.book().names, found.value());
}

TEST_F(ApplyBehindAGap, OnlyWhereItsBeginningIsLostDoEventsSayTheGenerationThemselves) {
  const JobId id = book.schedule();
  JobScheduled other{book.job(id).spec, GenerationTag(77), {}};
  lose_two();
  expect_damage(other, "generation tag");
  State beginning;
  RecordedEvent event;
  event.sequence = Sequence(1);
  event.event = GapDeclared{Sequence(1), "lost"};
  apply(beginning, event);
  for (const NameId name : {other.spec->queue, other.spec->kind}) {
    event.sequence = event.sequence.next();
    event.event = NameDefined{*book.state.name(name)};
    apply(beginning, event);
  }
  event.sequence = event.sequence.next();
  event.event = other;
  apply(beginning, event);
  EXPECT_EQ(beginning.job(event.sequence)->id, (JobId{event.sequence, GenerationTag(77)}));
}

}  // namespace
}  // namespace daybook
