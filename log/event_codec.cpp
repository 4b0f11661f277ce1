// SPDX-License-Identifier: Apache-2.0
#include "event_codec.hpp"

#include <capnp/message.h>
#include <event.capnp.h>
#include <kj/exception.h>

#include <array>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "daybook/core/assert.hpp"

// Written twice, once in each direction, field by field in the order of the schema. Groups and structs that
// recur (job, token, due, next, envelope) go through templates, because Cap'n Proto gives each occurrence its
// own type. Whether the values make sense together is not judged here; that they are values of our types is.

namespace daybook {
namespace {

using Body = wire::RecordedEvent::Body;
using Which = Body::Which;

constexpr std::size_t word_bytes = sizeof(capnp::word);
constexpr std::size_t event_types = std::variant_size_v<Event>;

/// The highest revision of each event type that this release knows, and the one it writes; by the number of
/// the type.
constexpr std::array<std::uint16_t, event_types> revisions = {
    1,  // BookOpened
    1,  // BookClosed
    1,  // ClockStepped
    1,  // ConfigurationChanged
    1,  // NameDefined
    1,  // GenerationBegun
    1,  // BookAdopted
    1,  // QueuePaused
    1,  // QueueResumed
    1,  // WorkerJoined
    1,  // WorkerLeft
    1,  // JobScheduled
    1,  // DuplicateSuppressed
    1,  // JobClaimed
    1,  // LeasesRenewed
    1,  // JobCompleted
    1,  // AttemptFailed
    1,  // LeaseExpired
    1,  // JobSnoozed
    1,  // JobReleased
    1,  // CancelRequested
    1,  // JobCancelled
    1,  // JobRescheduled
    1,  // JobRetried
    1,  // OutcomeRefused
    1,  // RequestRefused
};
static_assert(
    static_cast<std::size_t>(Which::REQUEST_REFUSED) + 1 == event_types,
    "every event of the schema has a revision, and every event of the variant a place in the schema");

/// Bytes that Cap'n Proto accepts and that are still no event. Becomes a CorruptionError where the sequence
/// is known.
struct Undecodable {
  std::string what;
};

// ---- enums: the schema's numbers are ours
// ---------------------------------------------------------------------------

template <class Wire, class Ours>
constexpr bool same(Wire wire, Ours ours) {
  return static_cast<std::uint16_t>(wire) == static_cast<std::uint16_t>(ours);
}
static_assert(same(wire::ActorOrigin::TOKEN, ActorOrigin::token));
static_assert(same(wire::TailStatus::TORN, TailStatus::torn));
static_assert(same(wire::NameSort::QUEUE, NameSort::queue) && same(wire::NameSort::CLIENT, NameSort::client));
static_assert(same(wire::Holder::HANDLER, Holder::handler));
static_assert(same(wire::LeaveReason::PROCESS_DIED, LeaveReason::process_died));
static_assert(same(wire::Backoff::EXPONENTIAL, RetryPolicy::Backoff::exponential));
static_assert(same(wire::OnConflict::RETURN_EXISTING, OnConflict::return_existing));
static_assert(same(wire::RenewReason::NEW_BOOT, RenewReason::new_boot));
static_assert(same(wire::DeadReason::PARENT_FAILED, DeadReason::parent_failed));
static_assert(same(wire::ExpiryReason::ANOTHER_HISTORY, ExpiryReason::another_history));
static_assert(same(wire::OutcomeKind::RELEASE, OutcomeKind::release));

template <class Wire, class Ours>
Wire to_wire(Ours value) {
  return static_cast<Wire>(value);
}

/// `lowest` and `highest` bound what this release knows; a revision would have announced more.
template <class Ours, class Wire>
Ours from_wire(Wire value, Ours lowest, Ours highest, const char* what) {
  const auto number = static_cast<std::uint16_t>(value);
  if (number < static_cast<std::uint16_t>(lowest) || number > static_cast<std::uint16_t>(highest)) {
    throw Undecodable{std::string(what) + " " + std::to_string(number) + ", expected " +
                      std::to_string(static_cast<std::uint16_t>(lowest)) + " to " +
                      std::to_string(static_cast<std::uint16_t>(highest))};
  }
  return static_cast<Ours>(number);
}

RefusalCode refusal_code(std::uint16_t number) {
  return from_wire(number, RefusalCode::invalid_argument, RefusalCode::too_old, "refusal code");
}

// ---- writing: the parts
// -----------------------------------------------------------------------------------------------

std::int64_t count(Duration duration) {
  return duration.count();
}
template <class Clock>
std::int64_t count(std::chrono::time_point<Clock, Duration> time) {
  return time.time_since_epoch().count();
}

capnp::Data::Reader data(std::string_view text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}
capnp::Data::Reader data(const Uuid& uuid) {
  return {uuid.bytes.data(), uuid.bytes.size()};
}

// An empty text stays a null pointer. A macro-free way to say so once would cost a member pointer for each
// field.
template <class Set>
void put_text(std::string_view text, Set set) {
  if (!text.empty()) set(data(text));
}

template <class Builder>
void put(Builder to, const JobId& id) {
  to.setSequence(id.sequence.value());
  to.setGeneration(id.generation.value());
}

template <class Builder>
void put(Builder to, const Token& token) {
  to.setClaim(token.claim.value());
  to.setGeneration(token.generation.value());
}

template <class Builder>
void put(Builder to, const Due& due) {
  to.setAt(count(due.at));
  to.setRelative(due.after.has_value());
  to.setAfter(due.after ? count(*due.after) : 0);
}

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

template <class Init>
void put_envelope(const Envelope& envelope, Init init) {
  if (envelope.empty()) return;
  const Envelope::Contents& from = envelope.contents();
  wire::Envelope::Builder to = init();
  to.setCodec(from.codec);
  to.setKeyId(from.key_id);
  put_text(from.subject, [&](auto text) { to.setSubject(text); });
  put_text(from.nonce, [&](auto text) { to.setNonce(text); });
  put_text(from.bytes, [&](auto text) { to.setBytes(text); });
}

void put_names(capnp::List<std::uint32_t>::Builder to, const std::vector<NameId>& names) {
  for (capnp::uint i = 0; i < names.size(); ++i) to.set(i, names[i].value());
}

// ---- writing: the events
// ----------------------------------------------------------------------------------------------

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

void write(Body::Builder body, const JobScheduled& event) {
  DAYBOOK_ASSERT(event.spec != nullptr);
  const JobSpec& spec = *event.spec;
  auto to = body.initJobScheduled();
  to.setGeneration(event.generation.value());
  put(to.getDue(), event.due);
  to.setQueue(spec.queue.value());
  to.setKind(spec.kind.value());
  to.setPriority(spec.priority.value());
  auto retry = to.getRetry();
  retry.setBackoff(to_wire<wire::Backoff>(spec.retry.backoff));
  retry.setFirst(count(spec.retry.first));
  retry.setCap(count(spec.retry.cap));
  retry.setJitterPermille(spec.retry.jitter_permille);
  retry.setMaxAttempts(spec.retry.max_attempts);
  put_text(spec.unique_key, [&](auto text) { to.setUniqueKey(text); });
  if (!spec.tags.empty()) {
    auto tags = to.initTags(static_cast<capnp::uint>(spec.tags.size()));
    for (capnp::uint i = 0; i < spec.tags.size(); ++i) {
      auto tag = tags[i];
      put_text(spec.tags[i].key, [&](auto text) { tag.setKey(text); });
      put_text(spec.tags[i].value, [&](auto text) { tag.setValue(text); });
    }
  }
  put_envelope(spec.payload, [&] { return to.initPayload(); });
}

void write(Body::Builder body, const DuplicateSuppressed& event) {
  auto to = body.initDuplicateSuppressed();
  put(to.getJob(), event.holder);
  to.setKind(event.kind.value());
  to.setAnswer(to_wire<wire::OnConflict>(event.answer));
}

void write(Body::Builder body, const JobClaimed& event) {
  auto to = body.initJobClaimed();
  put(to.getJob(), event.job);
  to.setGeneration(event.generation.value());
  to.setAttempt(event.attempt);
  to.setWorker(event.worker.value());
  to.setHolder(to_wire<wire::Holder>(event.holder));
  to.setLease(count(event.lease));
  to.setLeaseEndsAt(count(event.lease_ends_at));
  to.setLeaseEndsAtWall(count(event.lease_ends_at_wall));
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

void write(Body::Builder body, const JobCompleted& event) {
  auto to = body.initJobCompleted();
  put(to.getJob(), event.job);
  put(to.getToken(), event.token);
  to.setAttempt(event.attempt);
  put_envelope(event.result, [&] { return to.initResult(); });
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

void write(wire::RecordedEvent::Builder to, const RecordedEvent& event) {
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
  std::visit([&](const auto& alternative) { write(body, alternative); }, event.event);
  const auto type = static_cast<std::uint16_t>(body.which());
  to.setType(type);
  to.setRevision(revisions[type]);
}

// ---- reading: the parts
// -----------------------------------------------------------------------------------------------

std::string text(capnp::Data::Reader from) {
  return {reinterpret_cast<const char*>(from.begin()), from.size()};
}

Uuid uuid(capnp::Data::Reader from, const char* what) {
  Uuid to;
  if (from.size() != to.bytes.size()) {
    throw Undecodable{std::string(what) + " of " + std::to_string(from.size()) + " bytes, expected 16"};
  }
  std::memcpy(to.bytes.data(), from.begin(), to.bytes.size());
  return to;
}

Instant instant(std::int64_t from) {
  return Instant(Duration(from));
}
BookTime book_time(std::int64_t from) {
  return BookTime(Duration(from));
}

template <class Reader>
JobId job_id(Reader from) {
  return {Sequence(from.getSequence()), GenerationTag(from.getGeneration())};
}

template <class Reader>
Token token(Reader from) {
  return {Sequence(from.getClaim()), GenerationTag(from.getGeneration())};
}

template <class Reader>
Due due(Reader from) {
  Due to{instant(from.getAt()), std::nullopt};
  if (from.getRelative()) to.after = book_time(from.getAfter());
  return to;
}

Holder holder(wire::Holder from) {
  return from_wire(from, Holder::external, Holder::handler, "holder");
}

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

Envelope envelope(wire::Envelope::Reader from) {
  return Envelope(Envelope::Contents{.codec = from.getCodec(),
                                     .subject = text(from.getSubject()),
                                     .key_id = from.getKeyId(),
                                     .nonce = text(from.getNonce()),
                                     .bytes = text(from.getBytes())});
}

std::vector<NameId> names(capnp::List<std::uint32_t>::Reader from) {
  std::vector<NameId> to;
  to.reserve(from.size());
  for (const std::uint32_t id : from) to.emplace_back(id);
  return to;
}

// ---- reading: the events
// ----------------------------------------------------------------------------------------------

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
  return {.setting = {.key = text(from.getKey()), .value = text(from.getValue())},
          .before = text(from.getBefore())};
}

NameDefined read(wire::NameDefined::Reader from) {
  return {.name = {.id = NameId(from.getId()),
                   .sort = from_wire(from.getSort(), NameSort::queue, NameSort::client, "sort of name"),
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
          .reason = from_wire(from.getReason(), LeaveReason::stopped, LeaveReason::process_died,
                              "reason of leaving")};
}

RetryPolicy retry_policy(wire::JobScheduled::Retry::Reader from) {
  using Backoff = RetryPolicy::Backoff;
  return {.backoff = from_wire(from.getBackoff(), Backoff::fixed, Backoff::exponential, "backoff"),
          .first = Duration(from.getFirst()),
          .cap = Duration(from.getCap()),
          .jitter_permille = from.getJitterPermille(),
          .max_attempts = from.getMaxAttempts()};
}

JobScheduled read(wire::JobScheduled::Reader from) {
  auto spec = std::make_shared<JobSpec>();
  spec->queue = NameId(from.getQueue());
  spec->kind = NameId(from.getKind());
  spec->priority = Priority(from.getPriority());
  spec->retry = retry_policy(from.getRetry());
  spec->unique_key = text(from.getUniqueKey());
  const auto tags = from.getTags();
  spec->tags.reserve(tags.size());
  for (const auto tag : tags) spec->tags.push_back({text(tag.getKey()), text(tag.getValue())});
  if (from.hasPayload()) spec->payload = envelope(from.getPayload());
  return {
      .spec = std::move(spec), .generation = GenerationTag(from.getGeneration()), .due = due(from.getDue())};
}

DuplicateSuppressed read(wire::DuplicateSuppressed::Reader from) {
  return {.holder = job_id(from.getJob()),
          .kind = NameId(from.getKind()),
          .answer = from_wire(from.getAnswer(), OnConflict::reject, OnConflict::return_existing, "answer")};
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
  LeasesRenewed to{.lease = Duration(from.getLease()),
                   .reason = from_wire(from.getReason(), RenewReason::heartbeat, RenewReason::new_boot,
                                       "reason of renewal"),
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
  return {.job = job_id(from.getJob()),
          .token = token(from.getToken()),
          .attempt = from.getAttempt(),
          .reason = from_wire(from.getReason(), ExpiryReason::expired, ExpiryReason::another_history,
                              "reason of expiry"),
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
  return {
      .job = job_id(from.getJob()), .due = due(from.getDue()), .attempts_allowed = from.getAttemptsAllowed()};
}

OutcomeRefused read(wire::OutcomeRefused::Reader from) {
  return {.job = job_id(from.getJob()),
          .token = token(from.getToken()),
          .outcome = from_wire(from.getOutcome(), OutcomeKind::complete, OutcomeKind::release, "outcome"),
          .reason = refusal_code(from.getReason())};
}

RequestRefused read(wire::RequestRefused::Reader from) {
  return {.refusal = {.code = refusal_code(from.getCode()),
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
  }
  throw Undecodable{"body of kind " + std::to_string(static_cast<unsigned>(body.which()))};
}

/// A type or a revision from the future. Judged before the body is looked at.
void require_known(std::uint16_t type, std::uint16_t revision, Sequence sequence) {
  if (type < event_types && revision <= revisions[type] && revision != 0) return;
  const Place place{{}, std::nullopt, sequence};
  const std::string found = "event " + std::to_string(sequence.value()) + " is of type " +
                            std::to_string(type) + ", revision " + std::to_string(revision);
  if (type < event_types && revision == 0) {
    throw CorruptionError(Damage::foreign, place, found + "; revisions count from 1");
  }
  const std::string known = type < event_types ? "revisions up to " + std::to_string(revisions[type])
                                               : "types up to " + std::to_string(event_types - 1);
  throw CorruptionError(Damage::unknown_format, place,
                        found + ", and this release knows " + known +
                            ": written by a newer release of Daybook; upgrade to read this book");
}

RecordedEvent read(wire::RecordedEvent::Reader from) {
  const Sequence sequence(from.getSequence());
  const std::uint16_t type = from.getType();
  require_known(type, from.getRevision(), sequence);
  RecordedEvent to;
  to.sequence = sequence;
  try {
    const auto body = from.getBody();
    if (static_cast<std::uint16_t>(body.which()) != type) {
      throw Undecodable{"type " + std::to_string(type) + " with a body of type " +
                        std::to_string(static_cast<unsigned>(body.which()))};
    }
    to.epoch = Epoch(from.getEpoch());
    to.wall = instant(from.getWall());
    to.boot = BootTime(Duration(from.getBoot()));
    const auto by = from.getBy();
    to.by = {
        .actor = NameId(by.getActor()),
        .origin = from_wire(by.getOrigin(), ActorOrigin::declared, ActorOrigin::token, "origin of the actor"),
        .cause = Sequence(by.getCause()),
        .reason = text(by.getReason()),
        .trace = text(by.getTrace())};
    const auto request = from.getRequest();
    if (request.getPresent()) {
      to.request = RequestRef{NameId(request.getClient()), text(request.getId()), request.getCommand()};
    }
    to.event = read(body);
  } catch (const Undecodable& problem) {
    throw CorruptionError(Damage::foreign, {{}, std::nullopt, sequence},
                          "event " + std::to_string(sequence.value()) + ": " + problem.what);
  } catch (const kj::Exception& problem) {
    throw CorruptionError(Damage::foreign, {{}, std::nullopt, sequence},
                          "event " + std::to_string(sequence.value()) +
                              ": not a message of Cap'n Proto: " + problem.getDescription().cStr());
  }
  return to;
}

// ---- messages
// ---------------------------------------------------------------------------------------------------------

/// Builds in the words it was given. What does not fit goes elsewhere, is counted, and is then built again
/// with more room.
class InPlaceBuilder final : public capnp::MessageBuilder {
 public:
  explicit InPlaceBuilder(kj::ArrayPtr<capnp::word> words) : words_(words) {}

  kj::ArrayPtr<capnp::word> allocateSegment(capnp::uint minimum_words) override {
    if (!given_ && minimum_words <= words_.size()) {
      given_ = true;
      return words_;
    }
    overflow_words_ += minimum_words;
    auto& spill = spills_.emplace_back(minimum_words, 0);
    return {reinterpret_cast<capnp::word*>(spill.data()), spill.size()};
  }

  [[nodiscard]] std::size_t overflow_words() const { return overflow_words_; }

 private:
  kj::ArrayPtr<capnp::word> words_;
  bool given_ = false;
  std::size_t overflow_words_ = 0;
  std::vector<std::vector<std::uint64_t>> spills_;
};

/// Enough for the frame of any event and its fixed fields.
constexpr std::size_t fixed_words = 40;

std::size_t words_of_text(std::string_view text) {
  return (text.size() + word_bytes - 1) / word_bytes;
}
std::size_t words_of(const Envelope& envelope) {
  if (envelope.empty()) return 0;
  const auto& contents = envelope.contents();
  return 4 + words_of_text(contents.subject) + words_of_text(contents.nonce) + words_of_text(contents.bytes);
}
std::size_t words_of(const JobSpec& spec) {
  std::size_t words = words_of_text(spec.unique_key) + words_of(spec.payload) + 1;
  for (const Tag& tag : spec.tags) words += 2 + words_of_text(tag.key) + words_of_text(tag.value);
  return words;
}

/// Room for the parts of an event that can be large. A guess that is too small costs a second go, nothing
/// else.
struct VariableWords {
  std::size_t operator()(const JobScheduled& event) const { return event.spec ? words_of(*event.spec) : 0; }
  std::size_t operator()(const JobCompleted& event) const { return words_of(event.result); }
  std::size_t operator()(const AttemptFailed& event) const { return words_of(event.error); }
  std::size_t operator()(const LeasesRenewed& event) const {
    std::size_t words = 1;
    for (const Renewal& renewal : event.renewals)
      words += 7 + (renewal.progress ? words_of(*renewal.progress) : 0);
    return words;
  }
  std::size_t operator()(const ConfigurationChanged& event) const {
    return words_of_text(event.setting.key) + words_of_text(event.setting.value) + words_of_text(event.before);
  }
  std::size_t operator()(const NameDefined& event) const { return words_of_text(event.name.text); }
  std::size_t operator()(const WorkerJoined& event) const {
    return (event.worker.queues.size() + event.worker.kinds.size()) / 2 + 2;
  }
  std::size_t operator()(const RequestRefused& event) const { return words_of_text(event.refusal.sentence); }
  template <class Other>
  std::size_t operator()(const Other&) const {
    return 0;
  }
};

std::size_t likely_words(const RecordedEvent& event) {
  return fixed_words + words_of_text(event.by.reason) + words_of_text(event.by.trace) +
         (event.request ? words_of_text(event.request->id) : 0) + std::visit(VariableWords{}, event.event);
}

}  // namespace

std::size_t encode_event(const RecordedEvent& event, std::vector<std::byte>& out) {
  DAYBOOK_ASSERT(out.size() % word_bytes == 0);
  const std::size_t start = out.size();
  for (std::size_t room = likely_words(event);;) {
    out.resize(start + room * word_bytes);  // zeroed, as Cap'n Proto asks
    InPlaceBuilder message({reinterpret_cast<capnp::word*>(out.data() + start), room});
    write(message.initRoot<wire::RecordedEvent>(), event);
    if (message.overflow_words() == 0) {
      const std::size_t size = message.getSegmentsForOutput()[0].size() * word_bytes;
      out.resize(start + size);
      return size;
    }
    room += message.overflow_words() + fixed_words;
    out.resize(start);
  }
}

RecordedEvent decode_event(std::span<const std::byte> message) {
  if (message.size() % word_bytes != 0) {
    throw CorruptionError(Damage::foreign, {},
                          "event of " + std::to_string(message.size()) + " bytes, expected a multiple of 8");
  }
  std::vector<std::uint64_t> aligned;
  if (reinterpret_cast<std::uintptr_t>(message.data()) % alignof(capnp::word) != 0) {
    aligned.resize(message.size() / word_bytes);
    std::memcpy(aligned.data(), message.data(), message.size());
    message = std::as_bytes(std::span(aligned));
  }
  const std::size_t words = message.size() / word_bytes;
  const kj::ArrayPtr<const capnp::word> segment(reinterpret_cast<const capnp::word*>(message.data()), words);
  capnp::ReaderOptions options;
  options.traversalLimitInWords =
      2 * words + 64;  // an honest message is walked once; one that points in circles is not
  options.nestingLimit = 8;
  try {
    capnp::SegmentArrayMessageReader reader(kj::arrayPtr(&segment, 1), options);
    return read(reader.getRoot<wire::RecordedEvent>());
  } catch (const kj::Exception& problem) {
    throw CorruptionError(Damage::foreign, {},
                          std::string("not a message of Cap'n Proto: ") + problem.getDescription().cStr());
  }
}

}  // namespace daybook
