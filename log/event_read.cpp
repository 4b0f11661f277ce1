// SPDX-License-Identifier: Apache-2.0
#include <kj/exception.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "event_read_level_2.hpp"
#include "event_wire.hpp"
#include "recurring_wire.hpp"
#include "wire_read.hpp"

// From the schema's readers to events: event_write.cpp the other way round. That values are values of our types is
// judged here (an enum's number, the size of a uuid); whether they make sense together is not.

namespace daybook {
namespace {

using namespace codec;

using Which = Body::Which;

template <class Reader>
Next next(Reader from) {
  switch (from.which()) {
    case Reader::Reads::AGAIN:
      return Again{due(from.getAgain())};
    case Reader::Reads::DEAD:
      return Dead{from_wire(from.getDead(), DeadReason::none, DeadReason::parent_failed, "reason of death")};
    case Reader::Reads::CANCELLED:
      return Cancelled{};
  }
  throw Undecodable{"what follows the attempt is " + std::to_string(static_cast<unsigned>(from.which())) +
                    ", expected 0 to 2"};
}

// ---- reading: the events ----

BookOpened read(wire::BookOpened::Reader from) {
  return {.epoch = Epoch(from.getEpoch()),
          .boot_id = uuid(from.getBootId(), "boot id"),
          .book_offset = Duration(from.getBookOffset()),
          .new_boot = from.getNewBoot(),
          .tail = from_wire(from.getTail(), TailStatus::created, TailStatus::torn, "tail status"),
          .bytes_cut = from.getBytesCut(),
          .cut_sha256 = text(from.getCutSha256()),
          .process = from.getProcess(),
          .host = text(from.getHost()),
          .release = text(from.getRelease())};
}

BookClosed read(wire::BookClosed::Reader) {
  return {};
}

ClockStepped read(wire::ClockStepped::Reader from) {
  return {.by = Duration(from.getBy()), .era = from.getEra()};
}

ConfigurationChanged read(wire::ConfigurationChanged::Reader from) {
  return {.setting = {.key = text(from.getKey()), .value = text(from.getValue())}, .before = text(from.getBefore())};
}

NameDefined read(wire::NameDefined::Reader from) {
  return {.name = {.id = NameId(from.getId()),
                   .sort = from_wire(from.getSort(), NameSort::queue, NameSort::recurring, "sort of name"),
                   .text = text(from.getText())}};
}

GenerationBegun read(wire::GenerationBegun::Reader from) {
  return {.generation = {.number = from.getNumber(), .tag = GenerationTag(from.getTag())},
          .held = from.getHeld(),
          .copied_from = uuid(from.getCopiedFrom(), "uuid of the log copied from"),
          .nonce_salt = from.getNonceSalt()};
}

BookAdopted read(wire::BookAdopted::Reader) {
  return {};
}

QueuePaused read(wire::QueuePaused::Reader from) {
  return {.queue = NameId(from.getQueue())};
}

QueueResumed read(wire::QueueResumed::Reader from) {
  return {.queue = NameId(from.getQueue())};
}

WorkerJoined read(wire::WorkerJoined::Reader from) {
  return {.worker = {.id = NameId(from.getId()),
                     .holder = holder(from.getHolder()),
                     .slots = from.getSlots(),
                     .queues = names(from.getQueues()),
                     .kinds = names(from.getKinds()),
                     .joined_at = instant(from.getJoinedAt()),
                     .epoch = Epoch(from.getEpoch())}};
}

WorkerLeft read(wire::WorkerLeft::Reader from) {
  return {.worker = NameId(from.getWorker()),
          .reason = from_wire(from.getReason(), LeaveReason::stopped, LeaveReason::process_died, "reason of leaving")};
}

std::shared_ptr<JobSpec> spec_of(wire::JobScheduled::Reader from) {
  auto spec = std::make_shared<JobSpec>();
  spec->queue = NameId(from.getQueue());
  spec->kind = NameId(from.getKind());
  spec->priority = Priority(from.getPriority());
  spec->retry = retry_policy(from.getRetry());
  spec->unique_key = text(from.getUniqueKey());
  spec->tags = tags(from.getTags());
  if (from.hasPayload()) spec->payload = envelope(from.getPayload());
  return spec;
}

JobScheduled read(wire::JobScheduled::Reader from) {
  return {.spec = spec_of(from), .generation = GenerationTag(from.getGeneration()), .due = due(from.getDue())};
}

JobScheduled read(wire::JobScheduled2::Reader from) {
  const auto first = from.getFirst();
  auto spec = spec_of(first);
  spec->unique_scope = unique_scope(from.getUniqueScope());
  spec->group = NameId(from.getGroup());
  if (from.getHasKeptResult()) spec->keep_result = Duration(from.getKeepResult());
  if (from.hasStartBy()) spec->start_by = due(from.getStartBy());
  spec->run_timeout = timeout(from.getRunTimeout());
  spec->total_timeout = timeout(from.getTotalTimeout());
  if (from.hasDependencies()) spec->dependencies = dependencies(from.getDependencies());
  spec->recurring = NameId(from.getRecurring());
  if (from.getRecurring() != 0) spec->nominal = instant(from.getNominal());
  JobScheduled to{
      .spec = std::move(spec), .generation = GenerationTag(first.getGeneration()), .due = due(first.getDue())};
  if (from.getHasUniqueUntil()) to.unique_until = book_time(from.getUniqueUntil());
  if (from.hasDueLatest()) to.due_latest = due(from.getDueLatest());
  if (from.getKeyFrom().getSequence() != 0) to.key_from = job_id(from.getKeyFrom());
  to.awaits = Sequence(from.getAwaits());
  return to;
}

JobReplaced read(wire::JobReplaced::Reader from) {
  JobScheduled content = read(from.getContent());
  return {.job = job_id(from.getJob()),
          .spec = std::move(content.spec),
          .due = content.due,
          .due_latest = content.due_latest,
          .attempts_allowed = from.getAttemptsAllowed(),
          .policy = from_wire(from.getPolicy(), OnConflict::reject, OnConflict::throttle, "policy")};
}

DuplicateSuppressed read(wire::DuplicateSuppressed::Reader from) {
  return {.holder = job_id(from.getJob()),
          .kind = NameId(from.getKind()),
          .answer = from_wire(from.getAnswer(), OnConflict::reject, OnConflict::throttle, "answer")};
}

JobClaimed read(wire::JobClaimed::Reader from) {
  return {.job = job_id(from.getJob()),
          .attempt = from.getAttempt(),
          .worker = NameId(from.getWorker()),
          .holder = holder(from.getHolder()),
          .generation = GenerationTag(from.getGeneration()),
          .lease = Duration(from.getLease()),
          .lease_ends_at = book_time(from.getLeaseEndsAt()),
          .lease_ends_at_wall = instant(from.getLeaseEndsAtWall())};
}

JobClaimed read(wire::JobClaimed2::Reader from) {
  JobClaimed to = read(from.getFirst());
  if (from.getTurned()) to.turn_left = from.getTurnLeft();
  if (from.hasQueueBucket()) to.queue_bucket = bucket(from.getQueueBucket());
  if (from.hasGroupBucket()) to.group_bucket = bucket(from.getGroupBucket());
  return to;
}

Renewal read(wire::Renewal::Reader from) {
  Renewal to{.job = job_id(from.getJob()),
             .token = token(from.getToken()),
             .lease_ends_at = book_time(from.getLeaseEndsAt()),
             .lease_ends_at_wall = instant(from.getLeaseEndsAtWall()),
             .progress = std::nullopt};
  if (from.getHasProgress()) to.progress = from.hasProgress() ? envelope(from.getProgress()) : Envelope();
  return to;
}

LeasesRenewed read(wire::LeasesRenewed::Reader from) {
  LeasesRenewed to{
      .lease = Duration(from.getLease()),
      .reason = from_wire(from.getReason(), RenewReason::heartbeat, RenewReason::new_boot, "reason of renewal"),
      .renewals = {}};
  const auto renewals = from.getRenewals();
  if (renewals.size() == 0) throw Undecodable{"renewal of no lease, expected at least one"};
  to.renewals.reserve(renewals.size());
  for (const auto renewal : renewals) to.renewals.push_back(read(renewal));
  return to;
}

JobCompleted read(wire::JobCompleted::Reader from) {
  return {.job = job_id(from.getJob()),
          .token = token(from.getToken()),
          .attempt = from.getAttempt(),
          .result = from.hasResult() ? envelope(from.getResult()) : Envelope()};
}

JobCompleted read(wire::JobCompleted2::Reader from) {
  JobCompleted to = read(from.getFirst());
  to.result_until = instant(from.getResultUntil());
  return to;
}

StepRecorded read(wire::StepRecorded::Reader from) {
  return {.job = job_id(from.getJob()),
          .token = token(from.getToken()),
          .step = {.name = text(from.getName()), .result = from.hasResult() ? envelope(from.getResult()) : Envelope()}};
}

ResultsForgotten read(wire::ResultsForgotten::Reader from) {
  ResultsForgotten to;
  for (const auto job : from.getJobs()) to.jobs.push_back(job_id(job));
  if (to.jobs.empty()) throw Undecodable{"results of no job, expected at least one"};
  return to;
}

JobsPruned read(wire::JobsPruned::Reader from) {
  constexpr std::array states = {JobState::completed, JobState::cancelled, JobState::dead};
  JobsPruned to;
  for (const auto job : from.getJobs()) {
    const auto state = static_cast<std::size_t>(job.getState());
    if (state >= states.size()) throw Undecodable{"final state " + std::to_string(state) + ", expected 0 to 2"};
    to.jobs.push_back({job_id(job), states[state], instant(job.getFinalizedAt()), Sequence(job.getLastEvent())});
  }
  if (to.jobs.empty()) throw Undecodable{"pruning of no job, expected at least one"};
  return to;
}

AttemptFailed read(wire::AttemptFailed::Reader from) {
  return {.job = job_id(from.getJob()),
          .token = token(from.getToken()),
          .attempt = from.getAttempt(),
          .error = from.hasError() ? envelope(from.getError()) : Envelope(),
          .error_kind = NameId(from.getErrorKind()),
          .retryable = from.getRetryable(),
          .next = next(from.getNext())};
}

LeaseExpired read(wire::LeaseExpired::Reader from) {
  return {
      .job = job_id(from.getJob()),
      .token = token(from.getToken()),
      .attempt = from.getAttempt(),
      .reason = from_wire(from.getReason(), ExpiryReason::expired, ExpiryReason::another_history, "reason of expiry"),
      .next = next(from.getNext())};
}

JobSnoozed read(wire::JobSnoozed::Reader from) {
  return {.job = job_id(from.getJob()), .token = token(from.getToken()), .next = next(from.getNext())};
}

JobReleased read(wire::JobReleased::Reader from) {
  return {.job = job_id(from.getJob()), .token = token(from.getToken()), .next = next(from.getNext())};
}

CancelRequested read(wire::CancelRequested::Reader from) {
  return {.job = job_id(from.getJob())};
}

JobCancelled read(wire::JobCancelled::Reader from) {
  return {.job = job_id(from.getJob())};
}

JobRescheduled read(wire::JobRescheduled::Reader from) {
  return {.job = job_id(from.getJob()), .due = due(from.getDue())};
}

JobRetried read(wire::JobRetried::Reader from) {
  return {.job = job_id(from.getJob()), .due = due(from.getDue()), .attempts_allowed = from.getAttemptsAllowed()};
}

OutcomeRefused read(wire::OutcomeRefused::Reader from) {
  return {.job = job_id(from.getJob()),
          .token = token(from.getToken()),
          .outcome = from_wire(from.getOutcome(), OutcomeKind::complete, OutcomeKind::step, "outcome"),
          .reason = refusal_code(from.getReason(), RefusalCode::too_old)};
}

RequestRefused read(wire::RequestRefused::Reader from) {
  return {.refusal = {.code = refusal_code(from.getCode(), RefusalCode::no_such_recurring),
                      .sentence = text(from.getSentence()),
                      .job = from.getJob()}};
}

Event read(Body::Reader body) {
  switch (body.which()) {
    case Which::BOOK_OPENED:
      return read(body.getBookOpened());
    case Which::BOOK_CLOSED:
      return read(body.getBookClosed());
    case Which::CLOCK_STEPPED:
      return read(body.getClockStepped());
    case Which::CONFIGURATION_CHANGED:
      return read(body.getConfigurationChanged());
    case Which::NAME_DEFINED:
      return read(body.getNameDefined());
    case Which::GENERATION_BEGUN:
      return read(body.getGenerationBegun());
    case Which::BOOK_ADOPTED:
      return read(body.getBookAdopted());
    case Which::QUEUE_PAUSED:
      return read(body.getQueuePaused());
    case Which::QUEUE_RESUMED:
      return read(body.getQueueResumed());
    case Which::WORKER_JOINED:
      return read(body.getWorkerJoined());
    case Which::WORKER_LEFT:
      return read(body.getWorkerLeft());
    case Which::JOB_SCHEDULED:
      return read(body.getJobScheduled());
    case Which::DUPLICATE_SUPPRESSED:
      return read(body.getDuplicateSuppressed());
    case Which::JOB_CLAIMED:
      return read(body.getJobClaimed());
    case Which::LEASES_RENEWED:
      return read(body.getLeasesRenewed());
    case Which::JOB_COMPLETED:
      return read(body.getJobCompleted());
    case Which::ATTEMPT_FAILED:
      return read(body.getAttemptFailed());
    case Which::LEASE_EXPIRED:
      return read(body.getLeaseExpired());
    case Which::JOB_SNOOZED:
      return read(body.getJobSnoozed());
    case Which::JOB_RELEASED:
      return read(body.getJobReleased());
    case Which::CANCEL_REQUESTED:
      return read(body.getCancelRequested());
    case Which::JOB_CANCELLED:
      return read(body.getJobCancelled());
    case Which::JOB_RESCHEDULED:
      return read(body.getJobRescheduled());
    case Which::JOB_RETRIED:
      return read(body.getJobRetried());
    case Which::OUTCOME_REFUSED:
      return read(body.getOutcomeRefused());
    case Which::REQUEST_REFUSED:
      return read(body.getRequestRefused());
    case Which::FEATURE_LEVEL_RAISED:
      return read_level_2(body.getFeatureLevelRaised());
    case Which::CLOCK_DOUBTED:
      return read_level_2(body.getClockDoubted());
    case Which::CLOCK_CONFIRMED:
      return read_level_2(body.getClockConfirmed());
    case Which::SNAPSHOT_TAKEN:
      return read_level_2(body.getSnapshotTaken());
    case Which::SEGMENTS_DROPPED:
      return read_level_2(body.getSegmentsDropped());
    case Which::JOB_MARKED_UNCERTAIN:
      return read_level_2(body.getJobMarkedUncertain());
    case Which::GAP_DECLARED:
      return read_level_2(body.getGapDeclared());
    case Which::EVENT_LOST:
      return read_level_2(body.getEventLost());
    case Which::EVENT_SET_ASIDE:
      return read_level_2(body.getEventSetAside());
    case Which::JOB_SCHEDULED2:
      return read(body.getJobScheduled2());
    case Which::JOB_COMPLETED2:
      return read(body.getJobCompleted2());
    case Which::JOB_REPLACED:
      return read(body.getJobReplaced());
    case Which::STEP_RECORDED:
      return read(body.getStepRecorded());
    case Which::RESULTS_FORGOTTEN:
      return read(body.getResultsForgotten());
    case Which::JOBS_PRUNED:
      return read(body.getJobsPruned());
    case Which::LIMITS_SET:
      return read_level_2(body.getLimitsSet());
    case Which::WEIGHT_SET:
      return read_level_2(body.getWeightSet());
    case Which::JOB_CLAIMED2:
      return read(body.getJobClaimed2());
    case Which::JOB_MOVED:
      return read_level_2(body.getJobMoved());
    case Which::OPERATOR_COMMANDED:
      return read_level_2(body.getOperatorCommanded());
    case Which::HOLD_PLACED:
      return read_level_2(body.getHoldPlaced());
    case Which::HOLD_LIFTED:
      return read_level_2(body.getHoldLifted());
    case Which::JOB_EXPIRED:
      return read_level_2(body.getJobExpired());
    case Which::JOB_TIMED_OUT:
      return read_level_2(body.getJobTimedOut());
    case Which::CHILD_FREED:
      return read_level_2(body.getChildFreed());
    case Which::CHILD_DROPPED:
      return read_level_2(body.getChildDropped());
    case Which::CHILD_AWAITS:
      return read_level_2(body.getChildAwaits());
    case Which::ON_DEAD_SET:
      return read_level_2(body.getOnDeadSet());
    case Which::STATE_HASHED:
      return read_level_2(body.getStateHashed());
    case Which::RECURRING_BACKFILLED:
      return read_recurring(body.getRecurringBackfilled());
    case Which::RECURRING_REPLANNED:
      return read_recurring(body.getRecurringReplanned());
    case Which::RECURRING_REMOVED:
      return read_recurring(body.getRecurringRemoved());
    case Which::RECURRING_RESUMED:
      return read_recurring(body.getRecurringResumed());
    case Which::RECURRING_PAUSED:
      return read_recurring(body.getRecurringPaused());
    case Which::RECURRING_BUFFERED:
      return read_recurring(body.getRecurringBuffered());
    case Which::RECURRING_SKIPPED:
      return read_recurring(body.getRecurringSkipped());
    case Which::RECURRING_FIRED:
      return read_recurring(body.getRecurringFired());
    case Which::RECURRING_DECLARED:
      return read_recurring(body.getRecurringDeclared());
  }
  throw Undecodable{"body of kind " + std::to_string(static_cast<unsigned>(body.which()))};
}

// Of the feature levels that this release knows; a build at a lower level knows no more than the release of that level.
constexpr std::size_t known_types =
    limits::feature_level_highest == 1 ? static_cast<std::size_t>(Which::REQUEST_REFUSED) + 1 : codec::wire_types;
constexpr std::uint16_t known_revision(std::uint16_t type) {
  return limits::feature_level_highest == 1 ? std::uint16_t{1} : codec::revisions[type];
}

/// A type or a revision from the future. Judged before the body is looked at.
void require_known(std::uint16_t type, std::uint16_t revision, const Place& where) {
  if (type < known_types && revision <= known_revision(type) && revision != 0) return;
  const std::string found = "event of type " + std::to_string(type) + ", revision " + std::to_string(revision);
  if (type < known_types && revision == 0) {
    throw CorruptionError(Damage::foreign, where, found + ", expected at least 1");
  }
  const std::string known = type < known_types ? "revisions up to " + std::to_string(known_revision(type)) + " of it"
                                               : "types up to " + std::to_string(known_types - 1);
  throw CorruptionError(
      Damage::unknown_format, where,
      found + ", expected " + known + ": written by a newer release of Daybook; upgrade to read this book");
}

}  // namespace

JobSpec codec::job_content(wire::JobScheduled2::Reader from) {
  return *daybook::read(from).spec;
}

RecordedEvent codec::read(wire::RecordedEvent::Reader from, const Place& where) {
  RecordedEvent to;
  to.sequence = Sequence(from.getSequence());
  const Place here{where.path, where.offset, to.sequence};
  const std::uint16_t type = from.getType();
  require_known(type, from.getRevision(), here);
  try {
    const auto body = from.getBody();
    if (static_cast<std::uint16_t>(body.which()) != type) {
      throw Undecodable{"event of type " + std::to_string(type) + " with a body of type " +
                        std::to_string(static_cast<unsigned>(body.which()))};
    }
    to.epoch = Epoch(from.getEpoch());
    to.wall = instant(from.getWall());
    to.boot = BootTime(Duration(from.getBoot()));
    const auto by = from.getBy();
    to.by = {.actor = NameId(by.getActor()),
             .origin = from_wire(by.getOrigin(), ActorOrigin::declared, ActorOrigin::token, "origin of the actor"),
             .cause = Sequence(by.getCause()),
             .reason = text(by.getReason()),
             .trace = text(by.getTrace())};
    const auto request = from.getRequest();
    if (request.getPresent()) {
      to.request = RequestRef{NameId(request.getClient()), text(request.getId()), request.getCommand()};
    }
    to.event = daybook::read(body);
    if (codec::revision_of(to.event) > from.getRevision()) {
      throw Undecodable{"revision " + std::to_string(from.getRevision()) + " of type " + std::to_string(type) +
                        " with a value that only revision " + std::to_string(codec::revision_of(to.event)) + " has"};
    }
  } catch (const Undecodable& problem) {
    throw CorruptionError(Damage::foreign, here, problem.what);
  } catch (const kj::Exception& problem) {
    throw CorruptionError(Damage::foreign, here,
                          std::string("event that Cap'n Proto refuses: ") + problem.getDescription().cStr());
  }
  return to;
}

}  // namespace daybook
