// SPDX-License-Identifier: Apache-2.0
#include <variant>
#include <vector>

#include "daybook/core/assert.hpp"
#include "event_wire.hpp"
#include "event_write_level_2.hpp"
#include "recurring_wire.hpp"
#include "wire_write.hpp"

// From events to the schema's builders, field by field in the order of the schema.

namespace daybook {
namespace {

using namespace codec;

// The enums of the schema have the numbers of ours, so a cast translates. Their last members show that none is missing.
template <class Wire, class Ours>
constexpr bool same(Wire wire, Ours ours) {
  return static_cast<std::uint16_t>(wire) == static_cast<std::uint16_t>(ours);
}
static_assert(same(wire::ActorOrigin::TOKEN, ActorOrigin::token));
static_assert(same(wire::TailStatus::TORN, TailStatus::torn));
static_assert(same(wire::NameSort::QUEUE, NameSort::queue) && same(wire::NameSort::RECURRING, NameSort::recurring));
static_assert(same(wire::Holder::HANDLER, Holder::handler));
static_assert(same(wire::LeaveReason::PROCESS_DIED, LeaveReason::process_died));
static_assert(same(wire::Backoff::EXPONENTIAL, RetryPolicy::Backoff::exponential));
static_assert(same(wire::OnConflict::THROTTLE, OnConflict::throttle));
static_assert(same(wire::RenewReason::NEW_BOOT, RenewReason::new_boot));
static_assert(same(wire::DeadReason::TIMED_OUT, DeadReason::timed_out));
static_assert(same(wire::ExpiryReason::ANOTHER_HISTORY, ExpiryReason::another_history));
static_assert(same(wire::OutcomeKind::STEP, OutcomeKind::step));

template <class Builder>
struct PutNext {
  Builder to;
  void operator()(const Again& again) { put(to.initAgain(), again.due); }
  void operator()(const Dead& dead) { to.setDead(to_wire<wire::DeadReason>(dead.reason)); }
  void operator()(const Cancelled&) { to.setCancelled(); }
};
template <class Builder>
void put_next(Builder to, const Next& next) {
  std::visit(PutNext<Builder>{to}, next);
}

// ---- writing: the events ----

void write(Body::Builder body, const BookOpened& event) {
  auto to = body.initBookOpened();
  to.setEpoch(event.epoch.value());
  to.setBootId(data(event.boot_id));
  to.setBookOffset(count(event.book_offset));
  to.setNewBoot(event.new_boot);
  to.setTail(to_wire<wire::TailStatus>(event.tail));
  to.setBytesCut(event.bytes_cut);
  put_text(event.cut_sha256, [&](auto text) { to.setCutSha256(text); });
  to.setProcess(event.process);
  put_text(event.host, [&](auto text) { to.setHost(text); });
  put_text(event.release, [&](auto text) { to.setRelease(text); });
}

void write(Body::Builder body, const BookClosed&) {
  body.initBookClosed();
}

void write(Body::Builder body, const ClockStepped& event) {
  auto to = body.initClockStepped();
  to.setBy(count(event.by));
  to.setEra(event.era);
}

void write(Body::Builder body, const ConfigurationChanged& event) {
  auto to = body.initConfigurationChanged();
  put_text(event.setting.key, [&](auto text) { to.setKey(text); });
  put_text(event.setting.value, [&](auto text) { to.setValue(text); });
  put_text(event.before, [&](auto text) { to.setBefore(text); });
}

void write(Body::Builder body, const NameDefined& event) {
  auto to = body.initNameDefined();
  to.setId(event.name.id.value());
  to.setSort(to_wire<wire::NameSort>(event.name.sort));
  put_text(event.name.text, [&](auto text) { to.setText(text); });
}

void write(Body::Builder body, const GenerationBegun& event) {
  auto to = body.initGenerationBegun();
  to.setNumber(event.generation.number);
  to.setTag(event.generation.tag.value());
  to.setHeld(event.held);
  to.setCopiedFrom(data(event.copied_from));
  to.setNonceSalt(event.nonce_salt);
}

void write(Body::Builder body, const BookAdopted&) {
  body.initBookAdopted();
}

void write(Body::Builder body, const QueuePaused& event) {
  body.initQueuePaused().setQueue(event.queue.value());
}

void write(Body::Builder body, const QueueResumed& event) {
  body.initQueueResumed().setQueue(event.queue.value());
}

void write(Body::Builder body, const WorkerJoined& event) {
  const Worker& worker = event.worker;
  auto to = body.initWorkerJoined();
  to.setId(worker.id.value());
  to.setHolder(to_wire<wire::Holder>(worker.holder));
  to.setSlots(worker.slots);
  put_names(to.initQueues(static_cast<capnp::uint>(worker.queues.size())), worker.queues);
  put_names(to.initKinds(static_cast<capnp::uint>(worker.kinds.size())), worker.kinds);
  to.setJoinedAt(count(worker.joined_at));
  to.setEpoch(worker.epoch.value());
}

void write(Body::Builder body, const WorkerLeft& event) {
  auto to = body.initWorkerLeft();
  to.setWorker(event.worker.value());
  to.setReason(to_wire<wire::LeaveReason>(event.reason));
}

void put_first(wire::JobScheduled::Builder to, const JobScheduled& event) {
  const JobSpec& spec = *event.spec;
  to.setGeneration(event.generation.value());
  put(to.getDue(), event.due);
  to.setQueue(spec.queue.value());
  to.setKind(spec.kind.value());
  to.setPriority(spec.priority.value());
  put(to.getRetry(), spec.retry);
  put_text(spec.unique_key, [&](auto text) { to.setUniqueKey(text); });
  put_tags(spec.tags, [&](capnp::uint size) { return to.initTags(size); });
  put_envelope(spec.payload, [&] { return to.initPayload(); });
}

void put_second(wire::JobScheduled2::Builder to, const JobScheduled& event) {
  const JobSpec& spec = *event.spec;
  put_first(to.initFirst(), event);
  put(to.getUniqueScope(), spec.unique_scope);
  to.setHasUniqueUntil(event.unique_until.has_value());
  if (event.unique_until) to.setUniqueUntil(count(*event.unique_until));
  to.setGroup(spec.group.value());
  to.setHasKeptResult(spec.keep_result.has_value());
  if (spec.keep_result) to.setKeepResult(count(*spec.keep_result));
  if (event.due_latest) put(to.initDueLatest(), *event.due_latest);
  if (event.key_from) put(to.getKeyFrom(), *event.key_from);
  if (spec.start_by) put(to.initStartBy(), *spec.start_by);
  if (spec.run_timeout) to.setRunTimeout(count(*spec.run_timeout));
  if (spec.total_timeout) to.setTotalTimeout(count(*spec.total_timeout));
  put_dependencies(spec.dependencies, [&] { return to.initDependencies(); });
  to.setAwaits(event.awaits.value());
  to.setRecurring(spec.recurring.value());
  if (spec.recurring != NameId() && spec.nominal) to.setNominal(count(*spec.nominal));
}

void write(Body::Builder body, const JobScheduled& event) {
  DAYBOOK_ASSERT(event.spec != nullptr);
  if (uses_level_2(event)) {
    put_second(body.initJobScheduled2(), event);
  } else {
    put_first(body.initJobScheduled(), event);
  }
}

void write(Body::Builder body, const DuplicateSuppressed& event) {
  auto to = body.initDuplicateSuppressed();
  put(to.getJob(), event.holder);
  to.setKind(event.kind.value());
  to.setAnswer(to_wire<wire::OnConflict>(event.answer));
}

void put_first(wire::JobClaimed::Builder to, const JobClaimed& event) {
  put(to.getJob(), event.job);
  to.setGeneration(event.generation.value());
  to.setAttempt(event.attempt);
  to.setWorker(event.worker.value());
  to.setHolder(to_wire<wire::Holder>(event.holder));
  to.setLease(count(event.lease));
  to.setLeaseEndsAt(count(event.lease_ends_at));
  to.setLeaseEndsAtWall(count(event.lease_ends_at_wall));
}

void write(Body::Builder body, const JobClaimed& event) {
  if (!uses_level_2(event)) return put_first(body.initJobClaimed(), event);
  auto to = body.initJobClaimed2();
  put_first(to.initFirst(), event);
  to.setTurned(event.turn_left.has_value());
  to.setTurnLeft(event.turn_left.value_or(0));
  put_bucket(event.queue_bucket, [&] { return to.initQueueBucket(); });
  put_bucket(event.group_bucket, [&] { return to.initGroupBucket(); });
}

void write(Body::Builder body, const LeasesRenewed& event) {
  auto to = body.initLeasesRenewed();
  to.setLease(count(event.lease));
  to.setReason(to_wire<wire::RenewReason>(event.reason));
  auto renewals = to.initRenewals(static_cast<capnp::uint>(event.renewals.size()));
  for (capnp::uint i = 0; i < event.renewals.size(); ++i) {
    const Renewal& from = event.renewals[i];
    auto renewal = renewals[i];
    put(renewal.getJob(), from.job);
    put(renewal.getToken(), from.token);
    renewal.setLeaseEndsAt(count(from.lease_ends_at));
    renewal.setLeaseEndsAtWall(count(from.lease_ends_at_wall));
    renewal.setHasProgress(from.progress.has_value());
    if (from.progress) put_envelope(*from.progress, [&] { return renewal.initProgress(); });
  }
}

void put_first(wire::JobCompleted::Builder to, const JobCompleted& event) {
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  to.setAttempt(event.attempt);
  put_envelope(event.result, [&] { return to.initResult(); });
}

void write(Body::Builder body, const JobCompleted& event) {
  if (!event.result_until) return put_first(body.initJobCompleted(), event);
  auto to = body.initJobCompleted2();
  put_first(to.initFirst(), event);
  to.setResultUntil(count(*event.result_until));
}

void write(Body::Builder body, const AttemptFailed& event) {
  auto to = body.initAttemptFailed();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  to.setAttempt(event.attempt);
  put_envelope(event.error, [&] { return to.initError(); });
  to.setErrorKind(event.error_kind.value());
  to.setRetryable(event.retryable);
  put_next(to.getNext(), event.next);
}

void write(Body::Builder body, const LeaseExpired& event) {
  auto to = body.initLeaseExpired();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  to.setAttempt(event.attempt);
  to.setReason(to_wire<wire::ExpiryReason>(event.reason));
  put_next(to.getNext(), event.next);
}

void write(Body::Builder body, const JobSnoozed& event) {
  auto to = body.initJobSnoozed();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  put_next(to.getNext(), event.next);
}

void write(Body::Builder body, const JobReleased& event) {
  auto to = body.initJobReleased();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  put_next(to.getNext(), event.next);
}

void write(Body::Builder body, const CancelRequested& event) {
  put(body.initCancelRequested().getJob(), event.job);
}

void write(Body::Builder body, const JobCancelled& event) {
  put(body.initJobCancelled().getJob(), event.job);
}

void write(Body::Builder body, const JobRescheduled& event) {
  auto to = body.initJobRescheduled();
  put(to.getJob(), event.job);
  put(to.getDue(), event.due);
}

void write(Body::Builder body, const JobRetried& event) {
  auto to = body.initJobRetried();
  put(to.getJob(), event.job);
  put(to.getDue(), event.due);
  to.setAttemptsAllowed(event.attempts_allowed);
}

void write(Body::Builder body, const OutcomeRefused& event) {
  auto to = body.initOutcomeRefused();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  to.setOutcome(to_wire<wire::OutcomeKind>(event.outcome));
  to.setReason(static_cast<std::uint16_t>(event.reason));
}

void write(Body::Builder body, const RequestRefused& event) {
  auto to = body.initRequestRefused();
  to.setCode(static_cast<std::uint16_t>(event.refusal.code));
  put_text(event.refusal.sentence, [&](auto text) { to.setSentence(text); });
  to.setJob(event.refusal.job);
}

void write(Body::Builder body, const FeatureLevelRaised& event) {
  auto to = body.initFeatureLevelRaised();
  to.setBefore(event.before);
  to.setAfter(event.after);
}

void write(Body::Builder body, const ClockDoubted& event) {
  auto to = body.initClockDoubted();
  to.setLastWall(count(event.last_wall));
  to.setBy(count(event.by));
}

void write(Body::Builder body, const ClockConfirmed&) {
  body.initClockConfirmed();
}

void write(Body::Builder body, const SnapshotTaken& event) {
  auto to = body.initSnapshotTaken();
  to.setSequence(event.sequence.value());
  put_text(event.state_hash, [&](auto text) { to.setStateHash(text); });
  put_text(event.file_sha256, [&](auto text) { to.setFileSha256(text); });
  to.setJobs(event.jobs);
}

void write(Body::Builder body, const StateHashed& event) {
  auto to = body.initStateHashed();
  to.setSequence(event.sequence.value());
  put_text(event.state_hash, [&](auto text) { to.setStateHash(text); });
}

void write(Body::Builder body, const SegmentsDropped& event) {
  auto to = body.initSegmentsDropped();
  to.setFirst(event.first.value());
  to.setLast(event.last.value());
}

void write(Body::Builder body, const JobMarkedUncertain& event) {
  auto to = body.initJobMarkedUncertain();
  put(to.getJob(), event.job);
  put_text(event.why, [&](auto text) { to.setWhy(text); });
}

void write(Body::Builder body, const JobExpired& event) {
  put(body.initJobExpired().getJob(), event.job);
}

void write(Body::Builder body, const JobTimedOut& event) {
  auto to = body.initJobTimedOut();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  to.setCancelled(event.cancelled);
}

void write(Body::Builder body, const GapDeclared& event) {
  auto to = body.initGapDeclared();
  to.setLast(event.last.value());
  put_text(event.reason, [&](auto text) { to.setReason(text); });
}

void write(Body::Builder body, const EventLost&) {
  body.initEventLost();
}

void write(Body::Builder body, const EventSetAside& event) {
  auto to = body.initEventSetAside();
  put_text(event.why, [&](auto text) { to.setWhy(text); });
  put_text(event.stored, [&](auto text) { to.setStored(text); });
}

void write(Body::Builder body, const JobReplaced& event) {
  DAYBOOK_ASSERT(event.spec != nullptr);
  auto to = body.initJobReplaced();
  put(to.getJob(), event.job);
  put_second(to.initContent(), JobScheduled{event.spec, GenerationTag(), event.due, {}, event.due_latest, {}, {}});
  to.setAttemptsAllowed(event.attempts_allowed);
  to.setPolicy(to_wire<wire::OnConflict>(event.policy));
}

void write(Body::Builder body, const StepRecorded& event) {
  auto to = body.initStepRecorded();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  put_text(event.step.name, [&](auto text) { to.setName(text); });
  put_envelope(event.step.result, [&] { return to.initResult(); });
}

void write(Body::Builder body, const ResultsForgotten& event) {
  auto jobs = body.initResultsForgotten().initJobs(static_cast<capnp::uint>(event.jobs.size()));
  for (capnp::uint i = 0; i < event.jobs.size(); ++i) put(jobs[i], event.jobs[i]);
}

void write(Body::Builder body, const JobsPruned& event) {
  auto jobs = body.initJobsPruned().initJobs(static_cast<capnp::uint>(event.jobs.size()));
  for (capnp::uint i = 0; i < event.jobs.size(); ++i) {
    const PrunedJob& pruned = event.jobs[i];
    put(jobs[i], pruned.job);
    jobs[i].setState(pruned.state == JobState::completed   ? wire::FinalState::COMPLETED
                     : pruned.state == JobState::cancelled ? wire::FinalState::CANCELLED
                                                           : wire::FinalState::DEAD);
    jobs[i].setFinalizedAt(count(pruned.finalized_at));
    jobs[i].setLastEvent(pruned.last_event.value());
  }
}

void write(Body::Builder body, const LimitsSet& event) {
  auto to = body.initLimitsSet();
  to.setQueue(event.queue.value());
  put_limits(to, event.limits);
}

void write(Body::Builder body, const WeightSet& event) {
  auto to = body.initWeightSet();
  to.setQueue(event.queue.value());
  to.setGroup(event.group.value());
  to.setWeight(event.weight);
}

void write(Body::Builder body, const JobMoved& event) {
  auto to = body.initJobMoved();
  put(to.getJob(), event.job);
  to.setQueue(event.queue.value());
}

void write(Body::Builder body, const OperatorCommanded& event) {
  auto to = body.initOperatorCommanded();
  to.setVerb(to_wire<wire::OperatorVerb>(event.verb));
  put_text(event.filter, [&](auto text) { to.setFilter(text); });
  to.setMatched(event.matched);
  if (event.due) {
    to.setHasDue(true);
    put(to.getDue(), *event.due);
  }
  to.setQueue(event.queue.value());
}

void write(Body::Builder body, const HoldPlaced& event) {
  auto to = body.initHoldPlaced();
  put_text(event.filter, [&](auto text) { to.setFilter(text); });
}

void write(Body::Builder body, const HoldLifted& event) {
  body.initHoldLifted().setHold(event.hold.value());
}

template <class OfLevel2>
auto write(Body::Builder body, const OfLevel2& event) -> decltype(write_level_2(body, event)) {
  write_level_2(body, event);
}

template <class Recurs>
requires requires(Body::Builder body, const Recurs& event) {
  write_recurring(body, event);
}
void write(Body::Builder body, const Recurs& event) {
  write_recurring(body, event);
}

}  // namespace

void codec::put_content(wire::JobScheduled2::Builder to, const std::shared_ptr<const JobSpec>& spec) {
  put_second(to, JobScheduled{.spec = spec, .generation = {}, .due = {}});
}

std::uint16_t codec::revision_of(const Event& event) {
  const bool has_second_form = std::holds_alternative<JobScheduled>(event) ||
                               std::holds_alternative<JobCompleted>(event) || std::holds_alternative<JobClaimed>(event);
  return uses_level_2(event) && !has_second_form ? 2 : 1;
}

void codec::write(wire::RecordedEvent::Builder to, const RecordedEvent& event) {
  to.setSequence(event.sequence.value());
  to.setEpoch(event.epoch.value());
  to.setWall(count(event.wall));
  to.setBoot(count(event.boot));
  auto by = to.getBy();
  by.setActor(event.by.actor.value());
  by.setOrigin(to_wire<wire::ActorOrigin>(event.by.origin));
  by.setCause(event.by.cause.value());
  put_text(event.by.reason, [&](auto text) { by.setReason(text); });
  put_text(event.by.trace, [&](auto text) { by.setTrace(text); });
  if (event.request) {
    auto request = to.getRequest();
    request.setPresent(true);
    request.setClient(event.request->client.value());
    put_text(event.request->id, [&](auto text) { request.setId(text); });
    request.setCommand(event.request->command);
  }
  auto body = to.getBody();
  std::visit([&](const auto& alternative) { daybook::write(body, alternative); }, event.event);
  const auto type = static_cast<std::uint16_t>(body.which());
  to.setType(type);
  to.setRevision(codec::revision_of(event.event));
}

}  // namespace daybook
