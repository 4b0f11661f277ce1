// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <utility>
#include <vector>

#include "support/generator_draws.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

using namespace draw;

// ---- one function per event ---------------------------------------------------------------------------------------

template <class Type>
Type make();

template <>
BookOpened make() {
  BookOpened event;
  event.epoch = any<Epoch>();
  event.boot_id = any<Uuid>();
  event.book_offset = any<Duration>();
  event.new_boot = coin();
  event.tail = one_of_enum<TailStatus>(0, 3);
  if (event.tail == TailStatus::torn) {
    event.bytes_cut = number<std::uint64_t>(1);
    event.cut_sha256 = std::string(32, static_cast<char>(number<std::uint8_t>()));
  }
  event.process = number<std::uint32_t>();
  event.host = some_bytes(64);
  event.release = some_bytes(32);
  return event;
}
template <>
BookClosed make() {
  return {};
}
template <>
ClockStepped make() {
  return {any<Duration>(), number<std::uint32_t>()};
}
template <>
ConfigurationChanged make() {
  return {any<Setting>(), some_bytes(64)};
}
template <>
NameDefined make() {
  return {any<Name>()};
}
template <>
GenerationBegun make() {
  return {any<Generation>(), coin(), coin() ? Uuid() : any<Uuid>(), number<std::uint64_t>()};
}
template <>
BookAdopted make() {
  return {};
}
template <>
QueuePaused make() {
  return {any<NameId>()};
}
template <>
QueueResumed make() {
  return {any<NameId>()};
}
template <>
WorkerJoined make() {
  return {any<Worker>()};
}
template <>
WorkerLeft make() {
  return {any<NameId>(), one_of_enum<LeaveReason>(0, 1)};
}
template <>
JobScheduled make() {
  JobScheduled event{some_spec(), any<GenerationTag>(), any<Due>()};
  if (pick(0, 3) == 0) event.unique_until = any<BookTime>();
  if (pick(0, 3) == 0) event.due_latest = any<Due>();
  if (pick(0, 3) == 0) event.key_from = any<JobId>();
  if (!event.spec->dependencies.parents.empty() && coin())
    event.awaits = event.spec->dependencies.parents.back().sequence;
  return event;
}
template <>
DuplicateSuppressed make() {
  return {any<JobId>(), any<NameId>(), one_of_enum<OnConflict>(0, 4)};
}
template <>
JobClaimed make() {
  JobClaimed event{any<JobId>(),         attempt_number(), any<NameId>(),   some_holder(),
                   any<GenerationTag>(), lease_length(),   any<BookTime>(), any<Instant>()};
  if (coin()) return event;
  if (coin()) event.turn_left = number<std::uint32_t>();
  if (coin()) event.queue_bucket = any<Bucket>();
  if (coin()) event.group_bucket = any<Bucket>();
  return event;
}
template <>
LeasesRenewed make() {
  LeasesRenewed event{lease_length(), one_of_enum<RenewReason>(0, 1), {}};
  const int count = pick(1, 5);
  for (int i = 0; i < count; ++i) event.renewals.push_back(some_renewal());
  return event;
}
template <>
JobCompleted make() {
  return {any<JobId>(), any<Token>(), attempt_number(), any<Envelope>(),
          coin() ? std::optional(any<Instant>()) : std::nullopt};
}
template <>
AttemptFailed make() {
  return {any<JobId>(), any<Token>(), attempt_number(), any<Envelope>(), name_or_none(), coin(), any<Next>()};
}
template <>
LeaseExpired make() {
  return {any<JobId>(), any<Token>(), attempt_number(), one_of_enum<ExpiryReason>(0, 2), any<Next>()};
}
template <>
JobSnoozed make() {
  return {any<JobId>(), any<Token>(), *generate::next_without_death()};
}
template <>
JobReleased make() {
  return {any<JobId>(), any<Token>(), *generate::next_without_death()};
}
template <>
CancelRequested make() {
  return {any<JobId>()};
}
template <>
JobCancelled make() {
  return {any<JobId>()};
}
template <>
JobRescheduled make() {
  return {any<JobId>(), any<Due>()};
}
template <>
JobRetried make() {
  return {any<JobId>(), any<Due>(), number<std::uint32_t>(1)};
}
template <>
OutcomeRefused make() {
  return {any<JobId>(), any<Token>(), one_of_enum<OutcomeKind>(0, 5), one_of_enum<RefusalCode>(1, 24)};
}
template <>
RequestRefused make() {
  return {any<Refusal>()};
}

template <>
FeatureLevelRaised make() {
  return {number<std::uint32_t>(), number<std::uint32_t>()};
}
template <>
ClockDoubted make() {
  return {any<Instant>(), any<Duration>()};
}
template <>
ClockConfirmed make() {
  return {};
}
template <>
SnapshotTaken make() {
  const auto hash = [] { return std::string(32, static_cast<char>(number<std::uint8_t>())); };
  return {any<Sequence>(), hash(), hash(), number<std::uint64_t>()};
}
template <>
StateHashed make() {
  return {any<Sequence>(), std::string(32, static_cast<char>(number<std::uint8_t>()))};
}
template <>
SegmentsDropped make() {
  return {any<Sequence>(), any<Sequence>()};
}
template <>
JobMarkedUncertain make() {
  return {any<JobId>(), some_bytes(200)};
}
template <>
JobExpired make() {
  return {any<JobId>()};
}
template <>
JobTimedOut make() {
  return {any<JobId>(), coin() ? Token() : any<Token>(), coin()};
}
template <>
GapDeclared make() {
  return {any<Sequence>(), some_bytes(200)};
}
template <>
EventLost make() {
  return {};
}
template <>
EventSetAside make() {
  return {some_bytes(200), some_bytes(400)};
}
template <>
JobMoved make() {
  return {any<JobId>(), any<NameId>()};
}
template <>
OperatorCommanded make() {
  return {one_of_enum<OperatorVerb>(0, 3), some_bytes(200), number<std::uint64_t>(), maybe<Due>(), name_or_none()};
}
template <>
HoldPlaced make() {
  return {some_bytes(200)};
}
template <>
HoldLifted make() {
  return {any<Sequence>()};
}

template <>
JobReplaced make() {
  return {any<JobId>(),
          some_spec(),
          any<Due>(),
          coin() ? std::optional(any<Due>()) : std::nullopt,
          number<std::uint32_t>(1),
          one_of_enum<OnConflict>(2, 4)};
}
template <>
StepRecorded make() {
  return {any<JobId>(), any<Token>(), {*generate::name(), any<Envelope>()}};
}
template <>
ResultsForgotten make() {
  return {a_few<JobId>(1, 4)};
}
template <>
JobsPruned make() {
  JobsPruned event;
  const int count = pick(1, 4);
  for (int i = 0; i < count; ++i) {
    event.jobs.push_back({any<JobId>(), one_of_enum<JobState>(3, 5), any<Instant>(), any<Sequence>()});
  }
  return event;
}
template <>
LimitsSet make() {
  return {any<NameId>(), any<QueueLimits>()};
}
template <>
ChildFreed make() {
  return {any<JobId>(), any<JobId>()};
}
template <>
ChildDropped make() {
  return {any<JobId>(), any<JobId>(), coin()};
}
template <>
ChildAwaits make() {
  return {any<JobId>(), any<JobId>()};
}
template <>
OnDeadSet make() {
  return {any<NameId>(), coin() ? std::nullopt : std::optional(OnDead{any<NameId>(), any<NameId>()})};
}
template <>
WeightSet make() {
  return {any<NameId>(), any<NameId>(), number<std::uint32_t>(1)};
}

template <>
RecurringDeclared make() {
  return {any<NameId>(),  *generate::name(),   std::make_shared<const RecurringTerms>(any<RecurringTerms>()),
          any<Instant>(), maybe<Occurrence>(), coin()};
}
template <>
RecurringFired make() {
  return {any<NameId>(), due_instant(), one_of_enum<FiredBy>(0, 4), maybe<Occurrence>()};
}
template <>
RecurringSkipped make() {
  return {any<NameId>(), due_instant(),      due_instant(), number<std::uint64_t>(1), one_of_enum<SkipReason>(0, 8),
          coin(),        maybe<Occurrence>()};
}
template <>
RecurringBuffered make() {
  return {any<NameId>(), due_instant(), maybe<Occurrence>()};
}
template <>
RecurringPaused make() {
  return {any<NameId>(), some_bytes(200)};
}
template <>
RecurringResumed make() {
  return {any<NameId>(), any<Instant>(), maybe<Occurrence>()};
}
template <>
RecurringRemoved make() {
  return {any<NameId>()};
}
template <>
RecurringReplanned make() {
  return {any<NameId>(), maybe<Occurrence>()};
}
template <>
RecurringBackfilled make() {
  return {any<NameId>(), any<Instant>(), any<Instant>(), number<std::uint64_t>()};
}

template <std::size_t... Indexes>
Event make_event(std::size_t index, std::index_sequence<Indexes...> /*all*/) {
  Event event;
  static_cast<void>(((index == Indexes && (event = make<std::variant_alternative_t<Indexes, Event>>(), true)) || ...));
  return event;
}

}  // namespace

rc::Gen<Event> generate::event_of(std::size_t index) {
  return rc::gen::exec([index] { return make_event(index, std::make_index_sequence<std::variant_size_v<Event>>()); });
}

}  // namespace daybook
