// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/answer.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/overload.hpp"
#include "rules.hpp"

// Reads an answer off the events that a command led to. The view adds what the events only point at; nothing
// is decided again, so that the answer of a repeated request does not depend on what happened since.

namespace daybook {
namespace {

using Events = std::span<const RecordedEvent>;

template <class E>
const E* first(Events events) {
  for (const RecordedEvent& recorded : events) {
    if (const auto* event = std::get_if<E>(&recorded.event)) return event;
  }
  return nullptr;
}

/// Are there, beside definitions of names, only events of these types?
template <class... Allowed>
bool only(Events events) {
  return std::all_of(events.begin(), events.end(), [](const RecordedEvent& recorded) {
    return std::holds_alternative<NameDefined>(recorded.event) ||
           (std::holds_alternative<Allowed>(recorded.event) || ...);
  });
}

tl::unexpected<Refusal> other_request() {
  return refuse(RefusalCode::invalid_argument,
                "that request id was used before, for another command; give a new request a new id");
}

std::string text(const View& view, NameId id) {
  const Name* name = view.name(id);
  return name ? name->text : std::string();
}

ClaimedJob claimed(const RecordedEvent& recorded, const JobClaimed& event, const View& view) {
  ClaimedJob claim;
  claim.id = event.job;
  claim.token = Token{recorded.sequence, event.generation};
  claim.attempt = event.attempt;
  claim.lease = event.lease;
  claim.lease_expires_at = event.lease_ends_at_wall;
  claim.lease_ends_at = event.lease_ends_at;
  const Job* job = view.job(event.job.sequence);
  if (!job) return claim;
  claim.queue = text(view, job->spec->queue);
  claim.kind = text(view, job->spec->kind);
  claim.group = text(view, job->spec->group);
  claim.recurring = text(view, job->spec->recurring);
  claim.nominal = job->spec->nominal;
  claim.payload = job->spec->payload;
  claim.priority = job->spec->priority;
  claim.tags = job->spec->tags;
  claim.progress = job->progress;
  claim.attempts_allowed = job->attempts_allowed;
  claim.due_at = job->due.at;
  claim.trace = job->trace;
  claim.steps = job->steps;
  claim.parents = job->spec->dependencies.parents;
  return claim;
}

/// The refusal of an outcome that is on record, with what can be said of the job today.
Refusal refused_as(const OutcomeRefused& event, const View& view) {
  const Job* job = view.job(event.job.sequence);
  auto refusal = job ? challenge(view.book(), *job, event.token, std::nullopt) : std::nullopt;
  if (!refusal && job) refusal = lease_ended(*job);
  if (refusal && refusal->code == event.reason) return std::move(*refusal);
  return {event.reason, shown(event.job) + ": " + std::string(to_string(event.reason)), event.job.sequence.value()};
}

Refusal renewal_refused(const Renew::One& one, const std::map<Token, const OutcomeRefused*>& on_record,
                        const View& view) {
  const auto found = find_job(view, one.job);
  if (!found) return found.error();
  const Job& job = **found;
  const auto recorded = on_record.find(one.token);
  if (recorded != on_record.end() && recorded->second->job == job.id) return refused_as(*recorded->second, view);
  if (auto refusal = challenge(view.book(), job, one.token, std::nullopt)) return std::move(*refusal);
  const RefusedOutcome lost{one.token, RefusalCode::lease_lost};
  const bool known_lost = std::find(job.refused.begin(), job.refused.end(), lost) != job.refused.end();
  if (known_lost || !one.progress) return lease_ended(job);
  return {RefusalCode::payload_too_large,
          shown(job.id) + ": progress of " + std::to_string(one.progress->bytes().size()) +
              " bytes is over the limit; store it elsewhere and pass a reference",
          job.id.sequence.value()};
}

class Reader {
 public:
  Reader(Events events, const View& view) : events_(events), view_(view) {}

  Result<Answer> operator()(const Schedule& command) const {
    if (!only<JobScheduled, DuplicateSuppressed, JobReplaced, ChildDropped>(events_)) return other_request();
    for (const RecordedEvent& recorded : events_) {
      if (const auto* event = std::get_if<JobScheduled>(&recorded.event)) {
        return Scheduled{JobId{recorded.sequence, event->generation}};
      }
    }
    if (const auto* replaced = first<JobReplaced>(events_)) {
      return Scheduled{.job = replaced->job, .existing = true, .replaced = true};
    }
    const auto* suppressed = first<DuplicateSuppressed>(events_);
    if (!suppressed) return other_request();
    if (suppressed->answer != OnConflict::reject) return Scheduled{.job = suppressed->holder, .existing = true};
    return refuse(RefusalCode::duplicate_key,
                  "unique key " + quoted(command.unique_key, limits::unique_key_bytes_max) + " is held by " +
                      shown(suppressed->holder),
                  suppressed->holder.sequence.value());
  }

  Result<Answer> operator()(const Claim&) const {
    if (!only<JobClaimed>(events_)) return other_request();
    Claimed answer;
    for (const RecordedEvent& recorded : events_) {
      if (const auto* event = std::get_if<JobClaimed>(&recorded.event)) {
        answer.jobs.push_back(claimed(recorded, *event, view_));
      }
    }
    return answer;
  }

  Result<Answer> operator()(const Renew& command) const {
    if (!only<LeasesRenewed, OutcomeRefused>(events_)) return other_request();
    std::map<Token, const Renewal*> renewed;
    std::map<Token, const OutcomeRefused*> refused;
    for (const RecordedEvent& recorded : events_) {
      if (const auto* event = std::get_if<OutcomeRefused>(&recorded.event)) refused.emplace(event->token, event);
      if (const auto* event = std::get_if<LeasesRenewed>(&recorded.event)) {
        for (const Renewal& renewal : event->renewals) renewed.emplace(renewal.token, &renewal);
      }
    }
    Renewed answer;
    for (const Renew::One& one : command.claims) {
      const auto found = renewed.find(one.token);
      if (found != renewed.end() && found->second->job.sequence == one.job.sequence) {
        answer.claims.emplace_back(granted(*found->second));
      } else {
        answer.claims.emplace_back(tl::unexpected<Refusal>(renewal_refused(one, refused, view_)));
      }
    }
    return answer;
  }

  Result<Answer> operator()(const Complete&) const { return outcome<JobCompleted>(); }
  Result<Answer> operator()(const Fail&) const { return outcome<AttemptFailed>(); }
  Result<Answer> operator()(const Snooze&) const { return outcome<JobSnoozed>(); }
  Result<Answer> operator()(const Release&) const { return outcome<JobReleased>(); }
  Result<Answer> operator()(const Cancel&) const { return done<JobCancelled, CancelRequested>(); }
  Result<Answer> operator()(const Reschedule&) const { return done<JobRescheduled>(); }
  Result<Answer> operator()(const Retry&) const { return done<JobRetried, ChildAwaits>(); }
  Result<Answer> operator()(const PauseQueue&) const { return done<QueuePaused>(); }
  Result<Answer> operator()(const ResumeQueue&) const { return done<QueueResumed>(); }
  Result<Answer> operator()(const SetLimits&) const { return done<LimitsSet>(); }
  Result<Answer> operator()(const SetOnDead&) const { return done<OnDeadSet>(); }
  Result<Answer> operator()(const SettleChildren&) const { return Done{}; }
  Result<Answer> operator()(const SetWeight&) const { return done<WeightSet>(); }
  Result<Answer> operator()(const JoinWorker&) const { return done<WorkerJoined>(); }
  Result<Answer> operator()(const LeaveWorker&) const { return done<WorkerLeft>(); }
  Result<Answer> operator()(const AdoptBook&) const {
    return done<GenerationBegun, BookAdopted, WorkerLeft, LeaseExpired>();
  }
  Result<Answer> operator()(const Configure&) const { return done<ConfigurationChanged>(); }
  Result<Answer> operator()(const OpenBook&) const { return Done{}; }
  Result<Answer> operator()(const CloseBook&) const { return Done{}; }
  Result<Answer> operator()(const StepClock&) const { return Done{}; }
  Result<Answer> operator()(const BeginGeneration&) const { return Done{}; }
  Result<Answer> operator()(const ExpireLeases&) const { return Done{}; }
  Result<Answer> operator()(const ConfirmClock&) const { return done<ClockConfirmed>(); }
  Result<Answer> operator()(const RaiseFeatureLevel&) const { return done<FeatureLevelRaised>(); }
  Result<Answer> operator()(const DoubtClock&) const { return done<ClockDoubted>(); }
  Result<Answer> operator()(const RecordSnapshot&) const { return done<StateHashed, SnapshotTaken>(); }
  Result<Answer> operator()(const RecordDrop&) const { return done<SegmentsDropped>(); }
  Result<Answer> operator()(const Prune&) const { return done<ResultsForgotten, JobsPruned>(); }

  Result<Answer> operator()(const RecordStep& command) const {
    if (const auto* refused = first<OutcomeRefused>(events_))
      return tl::unexpected<Refusal>(refused_as(*refused, view_));
    if (!only<StepRecorded>(events_)) return other_request();
    if (const auto* recorded = first<StepRecorded>(events_)) return StepDone{recorded->step.result, true};
    const Job* job = view_.job(command.job.sequence);
    if (job) {
      for (const StepResult& step : job->steps) {
        if (step.name == command.name) return StepDone{step.result, false};
      }
    }
    return StepDone{};
  }
  Result<Answer> operator()(const Move&) const { return done<JobMoved>(); }
  Result<Answer> operator()(const Operate&) const { return recorded<OperatorCommanded>(); }
  Result<Answer> operator()(const PlaceHold&) const { return recorded<HoldPlaced>(); }
  Result<Answer> operator()(const LiftHold&) const { return done<HoldLifted>(); }

  Result<Answer> operator()(const DeclareRecurring&) const {
    if (!only<RecurringDeclared, RecurringSkipped, ConfigurationChanged>(events_)) return other_request();
    const Synced made = counted(0);
    return Declared{.added = made.added > 0, .changed = made.changed > 0};
  }
  Result<Answer> operator()(const SyncRecurring& command) const {
    if (!only<RecurringDeclared, RecurringSkipped, RecurringRemoved, ConfigurationChanged>(events_)) {
      return other_request();
    }
    return counted(command.specs.size());
  }
  Result<Answer> operator()(const PauseRecurring&) const { return done<RecurringPaused>(); }
  Result<Answer> operator()(const ResumeRecurring&) const { return done<RecurringResumed>(); }
  Result<Answer> operator()(const RunRecurringNow&) const {
    if (!only<RecurringFired, JobScheduled>(events_)) return other_request();
    const std::vector<JobId> jobs = scheduled_jobs();
    if (jobs.size() != 1) return other_request();
    return Scheduled{jobs.front()};
  }
  Result<Answer> operator()(const BackfillRecurring&) const {
    if (!only<RecurringBackfilled, RecurringFired, JobScheduled>(events_)) return other_request();
    return Backfilled{scheduled_jobs()};
  }
  Result<Answer> operator()(const RemoveRecurring&) const { return done<RecurringSkipped, RecurringRemoved>(); }
  Result<Answer> operator()(const FireRecurring&) const { return Done{}; }
  Result<Answer> operator()(const ReplanRecurring&) const { return Done{}; }

 private:
  [[nodiscard]] Synced counted(std::size_t declared) const {
    Synced made;
    for (const RecordedEvent& recorded : events_) {
      const auto* event = std::get_if<RecurringDeclared>(&recorded.event);
      if (event) ++(event->changed ? made.changed : made.added);
      if (std::holds_alternative<RecurringRemoved>(recorded.event)) ++made.removed;
    }
    made.unchanged = declared - std::min(declared, made.added + made.changed);
    return made;
  }

  [[nodiscard]] std::vector<JobId> scheduled_jobs() const {
    std::vector<JobId> jobs;
    for (const RecordedEvent& recorded : events_) {
      const auto* event = std::get_if<JobScheduled>(&recorded.event);
      if (event) jobs.push_back(JobId{recorded.sequence, event->generation});
    }
    return jobs;
  }

  template <class Happened>
  [[nodiscard]] Result<Answer> outcome() const {
    if (const auto* refused = first<OutcomeRefused>(events_))
      return tl::unexpected<Refusal>(refused_as(*refused, view_));
    if (!first<Happened>(events_)) return other_request();
    return done<Happened>();
  }

  template <class... Allowed>
  [[nodiscard]] Result<Answer> done() const {
    if (!only<Allowed...>(events_)) return other_request();
    return Done{.changed = ((first<Allowed>(events_) != nullptr) || ...)};
  }

  template <class Happened>
  [[nodiscard]] Result<Answer> recorded() const {
    if (!only<Happened>(events_)) return other_request();
    for (const RecordedEvent& recorded : events_) {
      if (std::holds_alternative<Happened>(recorded.event)) return Recorded{recorded.sequence};
    }
    return other_request();
  }

  [[nodiscard]] Renewed::One granted(const Renewal& renewal) const {
    const Job* job = view_.job(renewal.job.sequence);
    return {.job = renewal.job,
            .cancel_requested = job && job->cancel_requested && job->lease && job->lease->token == renewal.token,
            .lease_ends_at = renewal.lease_ends_at,
            .lease_expires_at = renewal.lease_ends_at_wall};
  }

  Events events_;
  const View& view_;
};

}  // namespace

Result<Answer> answer(const Command& command, std::span<const RecordedEvent> events, const View& view) {
  if (const auto* refused = first<RequestRefused>(events)) return tl::unexpected<Refusal>(refused->refusal);
  return std::visit(Reader(events, view), command);
}

Result<std::vector<Answer>> answers(const Submission& submission, std::span<const RecordedEvent> events,
                                    const View& view) {
  if (const auto* refused = first<RequestRefused>(events)) return tl::unexpected<Refusal>(refused->refusal);
  std::vector<Answer> all;
  std::size_t from = 0;
  for (std::size_t i = 0; i < submission.commands.size(); ++i) {
    while (from < events.size() && (!events[from].request || events[from].request->command < i)) ++from;
    std::size_t to = from;
    while (to < events.size() && events[to].request && events[to].request->command == i) ++to;
    auto one = answer(submission.commands[i], events.subspan(from, to - from), view);
    if (!one) return tl::unexpected<Refusal>(std::move(one.error()));
    all.push_back(std::move(*one));
    from = to;
  }
  if (from < events.size()) return other_request();
  return all;
}

}  // namespace daybook
