// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "daybook/core/error.hpp"
#include "support/memory_book.hpp"

// The record itself: feature levels, a clock that is doubted, snapshots and drops, holes.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::MemoryBook;

struct RecordTest : ::testing::Test {
  MemoryBook book;

  void upgrade() { book.done(RaiseFeatureLevel{}); }

  /// As salvage writes it: no command leads there.
  void record(Event event) {
    const Book& known = book.state.book();
    book.events.push_back({known.head.next(), known.epoch, book.now.wall, book.now.boot, {}, {}, std::move(event)});
    apply(book.state, book.events.back());
  }
  void lose_one_event() { record(GapDeclared{book.state.book().head.next(), "a bad block"}); }
  JobId uncertain_job(const std::string& key = {}) {
    const JobId id = book.schedule({.queue = "mail", .kind = "send", .unique_key = key});
    lose_one_event();
    record(JobMarkedUncertain{id, "lost"});
    return id;
  }
};

// ---- feature levels

TEST_F(RecordTest, ANewBookHasTheFirstLevelUntilItIsRaised) {
  EXPECT_EQ(book.state.book().feature_level, limits::feature_level_first);
  upgrade();
  EXPECT_EQ(book.state.book().feature_level, limits::feature_level_highest);
  EXPECT_EQ(book.last<FeatureLevelRaised>(), (FeatureLevelRaised{1, 2}));
}

TEST_F(RecordTest, RaisingToTheLevelThereIsRecordsNothing) {
  upgrade();
  upgrade();
  EXPECT_EQ(book.count<FeatureLevelRaised>(), 1U);
}

TEST_F(RecordTest, ALevelIsNeverLoweredNorUnknown) {
  upgrade();
  EXPECT_EQ(book.refusal_of(RaiseFeatureLevel{1}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(RaiseFeatureLevel{limits::feature_level_highest + 1}), RefusalCode::invalid_argument);
}

TEST_F(RecordTest, WhatNeedsAHigherLevelIsRefusedBeforeTheUpgrade) {
  EXPECT_EQ(book.refusal_of(DoubtClock{}), RefusalCode::needs_upgrade);
  EXPECT_EQ(book.refusal_of(RecordSnapshot{}), RefusalCode::needs_upgrade);
  EXPECT_EQ(book.refusal_of(RecordDrop{}), RefusalCode::needs_upgrade);
  EXPECT_NE(book.sentence.find("daybook upgrade"), std::string::npos);
}

TEST_F(RecordTest, ABookThatWasNotUpgradedHoldsNoEventOfALaterLevel) {
  const Context asked{.request = RequestId{"c", "r"}};
  (void)book.ask(RecordSnapshot{}, asked);
  book.done(ConfirmClock{});
  for (const RecordedEvent& recorded : book.events) EXPECT_EQ(feature_level_of(recorded.event), 1U);
}

// ---- the clock

TEST_F(RecordTest, ADoubtedClockKeepsJobsFromBeingClaimedAndAcceptsThem) {
  upgrade();
  book.done(DoubtClock{{book.now.wall, -10min}});
  const JobId id = book.schedule();
  EXPECT_EQ(book.refusal_of(Claim{.queues = {"mail"}, .worker = "w1"}), RefusalCode::clock_doubted);
  book.done(ConfirmClock{});
  EXPECT_EQ(book.claim_one().id, id);
}

TEST_F(RecordTest, ADoubtedClockDoesNotStopWhatRuns) {
  upgrade();
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  book.done(DoubtClock{});
  book.done(Complete{id, claim.token});
}

TEST_F(RecordTest, AClaimRefusedForTheClockIsNotHeldAgainstItsRequest) {
  upgrade();
  const JobId id = book.schedule();
  book.done(DoubtClock{});
  const Context asked{.request = RequestId{"c", "r"}};
  const Claim claim{.queues = {"mail"}, .worker = "w1"};
  EXPECT_FALSE(book.ask(claim, asked));
  book.done(ConfirmClock{});
  const auto again = book.ask(claim, asked);
  ASSERT_TRUE(again);
  EXPECT_EQ(std::get<Claimed>(*again).jobs.at(0).id, id);
}

TEST_F(RecordTest, DoubtAndConfirmationAreRecordedOnce) {
  upgrade();
  book.done(ConfirmClock{});
  book.done(DoubtClock{});
  book.done(DoubtClock{});
  book.done(ConfirmClock{});
  book.done(ConfirmClock{});
  EXPECT_EQ(book.count<ClockDoubted>(), 1U);
  EXPECT_EQ(book.count<ClockConfirmed>(), 1U);
}

// ---- snapshots and drops

TEST_F(RecordTest, ASnapshotOfWhatIsNotThereIsRefused) {
  upgrade();
  const Sequence head = book.state.book().head;
  EXPECT_EQ(
      book.refusal_of(RecordSnapshot{{.sequence = Sequence(head.value() + 100), .state_hash = {}, .file_sha256 = {}}}),
      RefusalCode::invalid_argument);
  book.done(
      RecordSnapshot{{.sequence = head, .state_hash = std::string(32, 's'), .file_sha256 = std::string(32, 'f')}});
  EXPECT_EQ(book.last<SnapshotTaken>().sequence, head);
}

TEST_F(RecordTest, TheHashesOfStatesComeBeforeTheirSnapshotAndTellOfWhatWas) {
  upgrade();
  const Sequence head = book.state.book().head;
  const SnapshotTaken snapshot{.sequence = head, .state_hash = std::string(32, 's'), .file_sha256 = {}};
  const StateHashed hashed{head, std::string(32, 'h')};
  EXPECT_EQ(book.refusal_of(RecordSnapshot{snapshot, {hashed, {Sequence(head.value() + 100), std::string(32, 'h')}}}),
            RefusalCode::invalid_argument);
  EXPECT_EQ(book.count<StateHashed>(), 0U);
  book.done(RecordSnapshot{snapshot, {hashed}});
  EXPECT_EQ(book.last<StateHashed>(), hashed);
  EXPECT_EQ(book.last<SnapshotTaken>(), snapshot);
}

TEST_F(RecordTest, EventsAreDroppedFromTheBeginningAndWithoutHoles) {
  upgrade();
  book.schedule();
  EXPECT_EQ(book.refusal_of(RecordDrop{{Sequence(2), Sequence(3)}}), RefusalCode::invalid_argument);
  book.done(RecordDrop{{Sequence(1), Sequence(2)}});
  EXPECT_EQ(book.state.book().dropped_through, Sequence(2));
  EXPECT_EQ(book.refusal_of(RecordDrop{{Sequence(1), Sequence(3)}}), RefusalCode::invalid_argument);
  EXPECT_EQ(book.refusal_of(RecordDrop{{Sequence(3), Sequence(1000)}}), RefusalCode::invalid_argument);
  book.done(RecordDrop{{Sequence(3), Sequence(3)}});
  EXPECT_EQ(book.state.book().dropped_through, Sequence(3));
}

// ---- holes

TEST_F(RecordTest, AnUncertainJobIsNotClaimedAndKeepsItsKey) {
  upgrade();
  const JobId id = uncertain_job("k");
  EXPECT_EQ(book.state_of(id), JobState::uncertain);
  EXPECT_TRUE(book.claim({.queues = {"mail"}, .worker = "w1"}).empty());
  EXPECT_EQ(book.refusal_of(Schedule{.queue = "mail", .kind = "send", .unique_key = "k"}), RefusalCode::duplicate_key);
  EXPECT_EQ(book.refusal_of(Reschedule{id, at_once()}), RefusalCode::is_uncertain);
}

TEST_F(RecordTest, AnUncertainJobIsRetriedOrCancelledByHand) {
  upgrade();
  const JobId first = uncertain_job("k");
  book.done(Retry{first});
  EXPECT_EQ(book.claim_one().id, first);
  const JobId second = uncertain_job("l");
  book.done(Cancel{second});
  EXPECT_EQ(book.state_of(second), JobState::cancelled);
  book.schedule({.queue = "mail", .kind = "send", .unique_key = "l"});
}

TEST_F(RecordTest, AMarkEndsTheClaimAndItsTokenIsRefused) {
  upgrade();
  const JobId id = book.schedule();
  const ClaimedJob claim = book.claim_one();
  lose_one_event();
  record(JobMarkedUncertain{id, "lost"});
  EXPECT_EQ(book.refusal_of(Complete{id, claim.token}), RefusalCode::lease_lost);
}

TEST_F(RecordTest, WhatIsCompletedOrCancelledIsNeverMarked) {
  upgrade();
  const JobId completed = book.schedule();
  book.done(Complete{completed, book.claim_one().token});
  const JobId cancelled = book.schedule();
  book.done(Cancel{cancelled});
  lose_one_event();
  EXPECT_THROW(record(JobMarkedUncertain{completed, "lost"}), CorruptionError);
  book.events.pop_back();
  EXPECT_THROW(record(JobMarkedUncertain{cancelled, "lost"}), CorruptionError);
}

TEST_F(RecordTest, ALostEventOutsideOfAGapIsDamage) {
  upgrade();
  EXPECT_THROW(record(EventLost{}), CorruptionError);
  book.events.pop_back();
  EXPECT_THROW(record(EventSetAside{"why", "bytes"}), CorruptionError);
  book.events.pop_back();
  record(GapDeclared{book.state.book().head.next().next(), "a bad block"});
  record(EventLost{});
  EXPECT_THROW(record(EventLost{}), CorruptionError) << "the gap ends before it";
  book.events.pop_back();
  record(EventSetAside{"why", "bytes"});
}

}  // namespace
}  // namespace daybook
