// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/event.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "daybook/core/command.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

template <class Type>
Event of(const JobId& job) {
  Type event;
  event.job = job;
  return event;
}

TEST(Event, EveryTypeHasItsOwnName) {
  const auto names = all_event_type_names();
  EXPECT_EQ(names.size(), std::variant_size_v<Event>);
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  EXPECT_EQ(type_name(Event(JobScheduled())), "JobScheduled");
  EXPECT_EQ(type_name(Event(RequestRefused())), "RequestRefused");
  EXPECT_EQ(type_name(Event(BookOpened())), "BookOpened");
}

TEST(Event, TypeNamesStandInTheOrderOfTheAlternatives) {
  const auto names = all_event_type_names();
  for (std::size_t index = 0; index < names.size(); ++index) {
    EXPECT_TRUE(rc::check([&] {
      const Event event = *generate::event_of(index);
      RC_ASSERT(event.index() == index);
      RC_ASSERT(type_name(event) == names[index]);
    }));
  }
}

TEST(Event, AScheduledJobHasTheSequenceOfItsEvent) {
  EXPECT_EQ(jobs_of(Sequence(7), JobScheduled()), std::vector{Sequence(7)});
}

TEST(Event, ARenewalTouchesAllItsJobsInOrder) {
  const JobId first{Sequence(9), GenerationTag(1)};
  const JobId second{Sequence(3), GenerationTag(1)};
  const LeasesRenewed event{
      std::chrono::seconds(30), RenewReason::heartbeat, {{first, {}, {}, {}, {}}, {second, {}, {}, {}, {}}}};
  EXPECT_EQ(jobs_of(Sequence(20), event), (std::vector{Sequence(9), Sequence(3)}));
}

TEST(Event, WhoTakesAKeyTouchesWhoHandsItOver) {
  JobScheduled event;
  event.key_from = JobId{Sequence(4), GenerationTag(1)};
  EXPECT_EQ(jobs_of(Sequence(7), event), (std::vector{Sequence(7), Sequence(4)}));
}

TEST(Event, LettingGoTouchesAllThatGo) {
  const JobId first{Sequence(9), GenerationTag(1)};
  const JobId second{Sequence(3), GenerationTag(1)};
  EXPECT_EQ(jobs_of(Sequence(20), ResultsForgotten{{first, second}}), (std::vector{Sequence(9), Sequence(3)}));
  EXPECT_EQ(jobs_of(Sequence(20), JobsPruned{{{first, {}, {}, {}}, {second, {}, {}, {}}}}),
            (std::vector{Sequence(9), Sequence(3)}));
}

TEST(Event, ASuppressedDuplicateBelongsToTheHolderOfTheKey) {
  EXPECT_EQ(jobs_of(Sequence(20), DuplicateSuppressed{{Sequence(4), GenerationTag(1)}, NameId(1), {}}),
            std::vector{Sequence(4)});
}

TEST(Event, WhatNamesAJobTouchesItAndNothingElseDoes) {
  const JobId job{Sequence(5), GenerationTag(1)};
  const std::vector<Event> touching = {
      of<JobClaimed>(job),     of<JobCompleted>(job), of<AttemptFailed>(job),   of<LeaseExpired>(job),
      of<JobSnoozed>(job),     of<JobReleased>(job),  of<CancelRequested>(job), of<JobCancelled>(job),
      of<JobRescheduled>(job), of<JobRetried>(job),   of<OutcomeRefused>(job),  of<JobMarkedUncertain>(job),
      of<JobReplaced>(job),    of<StepRecorded>(job), of<JobMoved>(job),        of<JobExpired>(job),
      of<JobTimedOut>(job),    of<ChildFreed>(job),   of<ChildDropped>(job),    of<ChildAwaits>(job)};
  for (const Event& event : touching)
    EXPECT_EQ(jobs_of(Sequence(20), event), std::vector{Sequence(5)}) << type_name(event);
  const std::vector<Event> others = {
      BookOpened(),         BookClosed(),          ClockStepped(),      ConfigurationChanged(),
      NameDefined(),        GenerationBegun(),     BookAdopted(),       QueuePaused(),
      QueueResumed(),       WorkerJoined(),        WorkerLeft(),        RequestRefused(),
      FeatureLevelRaised(), ClockDoubted(),        ClockConfirmed(),    SnapshotTaken(),
      SegmentsDropped(),    GapDeclared(),         EventLost(),         EventSetAside(),
      LimitsSet(),          WeightSet(),           OperatorCommanded(), HoldPlaced(),
      HoldLifted(),         RecurringDeclared(),   RecurringFired(),    RecurringSkipped(),
      RecurringBuffered(),  RecurringPaused(),     RecurringResumed(),  RecurringRemoved(),
      RecurringReplanned(), RecurringBackfilled(), OnDeadSet(),         StateHashed()};
  for (const Event& event : others) EXPECT_TRUE(jobs_of(Sequence(20), event).empty()) << type_name(event);
  EXPECT_EQ(touching.size() + others.size() + 5, std::variant_size_v<Event>) << "an event is missing in this test";
}

TEST(Event, ScheduledEventsAreComparedByTheirSpecsNotTheirPointers) {
  JobSpec spec;
  spec.unique_key = "k";
  const JobScheduled one{std::make_shared<const JobSpec>(spec), GenerationTag(1), {}};
  JobScheduled other{std::make_shared<const JobSpec>(spec), GenerationTag(1), {}};
  EXPECT_EQ(one, other);
  JobSpec changed = spec;
  changed.unique_key = "l";
  other.spec = std::make_shared<const JobSpec>(changed);
  EXPECT_FALSE(one == other);
}

TEST(Event, WordsOfTheFacts) {
  EXPECT_EQ(to_string(TailStatus::torn), "torn");
  EXPECT_EQ(to_string(LeaveReason::process_died), "process_died");
  EXPECT_EQ(to_string(OnConflict::return_existing), "return_existing");
  EXPECT_EQ(to_string(OnConflict::debounce), "debounce");
  EXPECT_EQ(to_string(RenewReason::new_boot), "new_boot");
  EXPECT_EQ(to_string(ExpiryReason::another_history), "another_history");
  EXPECT_EQ(to_string(OutcomeKind::release), "release");
  EXPECT_EQ(to_string(OutcomeKind::step), "step");
  EXPECT_EQ(to_string(OperatorVerb::reschedule), "reschedule");
  EXPECT_EQ(to_string(ActorOrigin::peer_credential), "peer_credential");
  EXPECT_EQ(to_string(static_cast<TailStatus>(99)), "unknown");
}

TEST(Command, TypeNamesAreThoseOfTheTypes) {
  EXPECT_EQ(type_name(Command(Schedule())), "Schedule");
  EXPECT_EQ(type_name(Command(Complete())), "Complete");
  EXPECT_EQ(type_name(Command(ExpireLeases())), "ExpireLeases");
}

RC_GTEST_PROP(Generators, RecordedEventsAreValuesThatEqualTheirCopies, (const RecordedEvent& recorded)) {
  const RecordedEvent copy = recorded;
  RC_TAG(std::string(type_name(recorded.event)));
  RC_ASSERT(copy == recorded);
}

}  // namespace
}  // namespace daybook
