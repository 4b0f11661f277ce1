// SPDX-License-Identifier: Apache-2.0
// Words for events, and which jobs an event touches. How events are stored is the log's concern.
#include "daybook/core/event.hpp"

#include <array>
#include <type_traits>

#include "daybook/core/overload.hpp"

namespace daybook {
namespace {

// One overload per event: a new alternative without a name does not compile.
#define DAYBOOK_NAME_OF(Type)                       \
  constexpr std::string_view name_of(const Type*) { \
    return #Type;                                   \
  }
DAYBOOK_NAME_OF(BookOpened)
DAYBOOK_NAME_OF(BookClosed)
DAYBOOK_NAME_OF(ClockStepped)
DAYBOOK_NAME_OF(ConfigurationChanged)
DAYBOOK_NAME_OF(NameDefined)
DAYBOOK_NAME_OF(GenerationBegun)
DAYBOOK_NAME_OF(BookAdopted)
DAYBOOK_NAME_OF(QueuePaused)
DAYBOOK_NAME_OF(QueueResumed)
DAYBOOK_NAME_OF(WorkerJoined)
DAYBOOK_NAME_OF(WorkerLeft)
DAYBOOK_NAME_OF(JobScheduled)
DAYBOOK_NAME_OF(DuplicateSuppressed)
DAYBOOK_NAME_OF(JobClaimed)
DAYBOOK_NAME_OF(LeasesRenewed)
DAYBOOK_NAME_OF(JobCompleted)
DAYBOOK_NAME_OF(AttemptFailed)
DAYBOOK_NAME_OF(LeaseExpired)
DAYBOOK_NAME_OF(JobSnoozed)
DAYBOOK_NAME_OF(JobReleased)
DAYBOOK_NAME_OF(CancelRequested)
DAYBOOK_NAME_OF(JobCancelled)
DAYBOOK_NAME_OF(JobRescheduled)
DAYBOOK_NAME_OF(JobRetried)
DAYBOOK_NAME_OF(OutcomeRefused)
DAYBOOK_NAME_OF(RequestRefused)
DAYBOOK_NAME_OF(FeatureLevelRaised)
DAYBOOK_NAME_OF(ClockDoubted)
DAYBOOK_NAME_OF(ClockConfirmed)
DAYBOOK_NAME_OF(SnapshotTaken)
DAYBOOK_NAME_OF(StateHashed)
DAYBOOK_NAME_OF(SegmentsDropped)
DAYBOOK_NAME_OF(JobMarkedUncertain)
DAYBOOK_NAME_OF(GapDeclared)
DAYBOOK_NAME_OF(EventLost)
DAYBOOK_NAME_OF(EventSetAside)
DAYBOOK_NAME_OF(JobReplaced)
DAYBOOK_NAME_OF(StepRecorded)
DAYBOOK_NAME_OF(ResultsForgotten)
DAYBOOK_NAME_OF(JobsPruned)
DAYBOOK_NAME_OF(LimitsSet)
DAYBOOK_NAME_OF(WeightSet)
DAYBOOK_NAME_OF(JobMoved)
DAYBOOK_NAME_OF(OperatorCommanded)
DAYBOOK_NAME_OF(HoldPlaced)
DAYBOOK_NAME_OF(HoldLifted)
DAYBOOK_NAME_OF(JobExpired)
DAYBOOK_NAME_OF(JobTimedOut)
DAYBOOK_NAME_OF(ChildFreed)
DAYBOOK_NAME_OF(ChildDropped)
DAYBOOK_NAME_OF(ChildAwaits)
DAYBOOK_NAME_OF(OnDeadSet)
DAYBOOK_NAME_OF(RecurringDeclared)
DAYBOOK_NAME_OF(RecurringFired)
DAYBOOK_NAME_OF(RecurringSkipped)
DAYBOOK_NAME_OF(RecurringBuffered)
DAYBOOK_NAME_OF(RecurringPaused)
DAYBOOK_NAME_OF(RecurringResumed)
DAYBOOK_NAME_OF(RecurringRemoved)
DAYBOOK_NAME_OF(RecurringReplanned)
DAYBOOK_NAME_OF(RecurringBackfilled)
#undef DAYBOOK_NAME_OF

template <class Variant>
struct NamesOf;
template <class... Types>
struct NamesOf<std::variant<Types...>> {
  static constexpr std::array<std::string_view, sizeof...(Types)> all = {
      name_of(static_cast<const Types*>(nullptr))...};
};

struct JobsOf {
  Sequence sequence;

  std::vector<Sequence> operator()(const JobScheduled& event) const {
    if (event.key_from) return {sequence, event.key_from->sequence};
    return {sequence};
  }
  std::vector<Sequence> operator()(const DuplicateSuppressed& event) const { return {event.holder.sequence}; }
  std::vector<Sequence> operator()(const LeasesRenewed& event) const {
    std::vector<Sequence> jobs;
    jobs.reserve(event.renewals.size());
    for (const Renewal& renewal : event.renewals) {
      jobs.push_back(renewal.job.sequence);
    }
    return jobs;
  }
  std::vector<Sequence> operator()(const ResultsForgotten& event) const {
    std::vector<Sequence> jobs;
    for (const JobId& job : event.jobs) jobs.push_back(job.sequence);
    return jobs;
  }
  std::vector<Sequence> operator()(const JobsPruned& event) const {
    std::vector<Sequence> jobs;
    for (const PrunedJob& pruned : event.jobs) jobs.push_back(pruned.job.sequence);
    return jobs;
  }
  template <class Type>
  std::vector<Sequence> operator()(const Type& event) const {
    if constexpr (requires { event.job.sequence; }) {
      return {event.job.sequence};
    } else {
      return {};
    }
  }
};

}  // namespace

std::string_view type_name(const Event& event) {
  return NamesOf<Event>::all[event.index()];
}

std::vector<std::string_view> all_event_type_names() {
  return {NamesOf<Event>::all.begin(), NamesOf<Event>::all.end()};
}

bool uses_level_2(const Event& event) {
  return std::visit(
      Overload{
          [](const RequestRefused& refused) { return refused.refusal.code > RefusalCode::too_old; },
          [](const OutcomeRefused& refused) { return refused.outcome == OutcomeKind::step; },
          [](const NameDefined& defined) { return defined.name.sort > NameSort::client; },
          [](const JobClaimed& claimed) { return claimed.turn_left || claimed.queue_bucket || claimed.group_bucket; },
          [](const DuplicateSuppressed& suppressed) { return suppressed.answer > OnConflict::return_existing; },
          [](const JobScheduled& scheduled) {
            return scheduled.unique_until || scheduled.due_latest || scheduled.key_from ||
                   (scheduled.spec &&
                    (scheduled.spec->keep_result || scheduled.spec->unique_scope != UniqueScope() ||
                     scheduled.spec->group != NameId() || scheduled.spec->start_by || scheduled.spec->run_timeout ||
                     scheduled.spec->total_timeout || scheduled.spec->dependencies != Dependencies() ||
                     scheduled.spec->recurring != NameId()));
          },
          [](const JobCompleted& completed) { return completed.result_until.has_value(); },
          [](const auto&) { return false; },
      },
      event);
}

std::uint32_t feature_level_of(const Event& event) {
  if (uses_level_2(event)) return 2;
  constexpr std::size_t of_level_1 = 26;  // the alternatives up to RequestRefused
  static_assert(std::is_same_v<std::variant_alternative_t<of_level_1, Event>, FeatureLevelRaised>);
  return event.index() < of_level_1 ? 1 : 2;
}

std::vector<Sequence> jobs_of(Sequence sequence, const Event& event) {
  return std::visit(JobsOf{sequence}, event);
}

bool operator==(const JobScheduled& a, const JobScheduled& b) {
  const bool same_spec = a.spec == b.spec || (a.spec && b.spec && *a.spec == *b.spec);
  return same_spec && a.generation == b.generation && a.due == b.due && a.unique_until == b.unique_until &&
         a.due_latest == b.due_latest && a.key_from == b.key_from && a.awaits == b.awaits;
}

bool operator==(const JobReplaced& a, const JobReplaced& b) {
  const bool same_spec = a.spec == b.spec || (a.spec && b.spec && *a.spec == *b.spec);
  return same_spec && a.job == b.job && a.due == b.due && a.due_latest == b.due_latest &&
         a.attempts_allowed == b.attempts_allowed && a.policy == b.policy;
}

std::string_view to_string(TailStatus status) {
  switch (status) {
    case TailStatus::created:
      return "created";
    case TailStatus::clean:
      return "clean";
    case TailStatus::unclean:
      return "unclean";
    case TailStatus::torn:
      return "torn";
  }
  return "unknown";
}

std::string_view to_string(LeaveReason reason) {
  switch (reason) {
    case LeaveReason::stopped:
      return "stopped";
    case LeaveReason::process_died:
      return "process_died";
  }
  return "unknown";
}

std::string_view to_string(OnConflict on_conflict) {
  switch (on_conflict) {
    case OnConflict::reject:
      return "reject";
    case OnConflict::return_existing:
      return "return_existing";
    case OnConflict::replace:
      return "replace";
    case OnConflict::debounce:
      return "debounce";
    case OnConflict::throttle:
      return "throttle";
  }
  return "unknown";
}

std::string_view to_string(RenewReason reason) {
  switch (reason) {
    case RenewReason::heartbeat:
      return "heartbeat";
    case RenewReason::new_boot:
      return "new_boot";
  }
  return "unknown";
}

std::string_view to_string(ExpiryReason reason) {
  switch (reason) {
    case ExpiryReason::expired:
      return "expired";
    case ExpiryReason::process_died:
      return "process_died";
    case ExpiryReason::another_history:
      return "another_history";
  }
  return "unknown";
}

std::string_view to_string(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::complete:
      return "complete";
    case OutcomeKind::fail:
      return "fail";
    case OutcomeKind::renew:
      return "renew";
    case OutcomeKind::snooze:
      return "snooze";
    case OutcomeKind::release:
      return "release";
    case OutcomeKind::step:
      return "step";
  }
  return "unknown";
}

std::string_view to_string(OperatorVerb verb) {
  switch (verb) {
    case OperatorVerb::retry:
      return "retry";
    case OperatorVerb::cancel:
      return "cancel";
    case OperatorVerb::reschedule:
      return "reschedule";
    case OperatorVerb::move:
      return "move";
  }
  return "unknown";
}

std::string_view to_string(ActorOrigin origin) {
  switch (origin) {
    case ActorOrigin::declared:
      return "declared";
    case ActorOrigin::peer_credential:
      return "peer_credential";
    case ActorOrigin::token:
      return "token";
  }
  return "unknown";
}

}  // namespace daybook
