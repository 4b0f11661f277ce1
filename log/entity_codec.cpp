// SPDX-License-Identifier: Apache-2.0
#include "entity_codec.hpp"

#include <capnp/message.h>
#include <entity.capnp.h>

#include <array>
#include <string>
#include <utility>

#include "entity_recurring.hpp"
#include "wire_read.hpp"
#include "wire_write.hpp"

// A message is built, and then made canonical: the order in which fields were set, and fields at the end that nobody set, leave no
// trace in it.

namespace daybook {
namespace {

using namespace codec;

constexpr std::size_t entity_types = std::variant_size_v<Entity>;

/// The highest revision of each entity that this release knows, by the number of the type, from 1. It writes the lowest that
/// can say what the entity is.
constexpr std::array<std::uint16_t, entity_types> revisions = {1, 2, 1, 2, 1, 1, 2, 1, 1, 1};

std::uint16_t revision_of(const Name& name) {
  return name.sort > NameSort::client ? 2 : 1;
}
std::uint16_t revision_of(const Queue& queue) {
  return queue.limits != QueueLimits() || queue.turn != Turn() || queue.bucket || queue.on_dead ? 2 : 1;
}
std::uint16_t revision_of(const Job& job) {
  const JobSpec& spec = *job.spec;
  const bool asked = spec.group != NameId() || spec.start_by || spec.run_timeout || spec.total_timeout ||
                     spec.unique_scope != UniqueScope() || spec.keep_result || spec.dependencies != Dependencies() ||
                     spec.recurring != NameId();
  const bool became = job.key_handed_over || job.unique_until || job.due_latest || job.result_until ||
                      !job.steps.empty() || job.final_event != Sequence();
  return asked || became ? 2 : 1;
}
template <class Other>
std::uint16_t revision_of(const Other&) {
  return 1;
}

static_assert(static_cast<int>(wire::JobState::UNCERTAIN) == static_cast<int>(JobState::uncertain));

// ---- writing ----

void write(wire::Book::Builder to, const Book& book) {
  to.setHead(book.head.value());
  to.setHeadWall(count(book.head_wall));
  to.setHeadBoot(count(book.head_boot));
  to.setEpoch(book.epoch.value());
  to.setBootId(data(book.boot_id));
  to.setBookOffset(count(book.book_offset));
  to.setOpen(book.open);
  to.setEra(book.era);
  to.setNames(book.names);
  to.setGeneration(book.generation.number);
  to.setGenerationTag(book.generation.tag.value());
  to.setHeld(book.held);
  to.setFeatureLevel(book.feature_level);
  to.setClockDoubted(book.clock_doubted);
  to.setDroppedThrough(book.dropped_through.value());
  to.setLostThrough(book.lost_through.value());
}

void write(wire::Name::Builder to, const Name& name) {
  to.setId(name.id.value());
  to.setSort(to_wire<wire::NameSort>(name.sort));
  put_text(name.text, [&](auto text) { to.setText(text); });
}

void write(wire::Setting::Builder to, const Setting& setting) {
  put_text(setting.key, [&](auto text) { to.setKey(text); });
  put_text(setting.value, [&](auto text) { to.setValue(text); });
}

void write(wire::Queue::Builder to, const Queue& queue) {
  to.setId(queue.id.value());
  to.setPaused(queue.paused);
  put_limits(to, queue.limits);
  to.setTurnGroup(queue.turn.group.value());
  to.setTurnLeft(queue.turn.left);
  put_bucket(queue.bucket, [&] { return to.initBucket(); });
  if (queue.on_dead) to.setOnDeadKind(queue.on_dead->kind.value());
  if (queue.on_dead) to.setOnDeadQueue(queue.on_dead->queue.value());
}

void write(wire::Group::Builder to, const Group& group) {
  to.setQueue(group.queue.value());
  to.setId(group.id.value());
  to.setWeight(group.weight);
  put_bucket(group.bucket, [&] { return to.initBucket(); });
}

void write(wire::Worker::Builder to, const Worker& worker) {
  to.setId(worker.id.value());
  to.setHolder(to_wire<wire::Holder>(worker.holder));
  to.setSlots(worker.slots);
  if (!worker.queues.empty()) put_names(to.initQueues(static_cast<capnp::uint>(worker.queues.size())), worker.queues);
  if (!worker.kinds.empty()) put_names(to.initKinds(static_cast<capnp::uint>(worker.kinds.size())), worker.kinds);
  to.setJoinedAt(count(worker.joined_at));
  to.setEpoch(worker.epoch.value());
}

void write(wire::Request::Builder to, const RequestRecord& request) {
  to.setClient(request.client.value());
  put_text(request.id, [&](auto text) { to.setId(text); });
  to.setFirst(request.first.value());
  to.setLast(request.last.value());
  to.setRecordedAt(count(request.recorded_at));
}

void write_spec(wire::Job::Builder to, const JobSpec& spec) {
  to.setQueue(spec.queue.value());
  to.setKind(spec.kind.value());
  to.setPriority(spec.priority.value());
  put(to.initRetry(), spec.retry);
  put_text(spec.unique_key, [&](auto text) { to.setUniqueKey(text); });
  put_tags(spec.tags, [&](capnp::uint size) { return to.initTags(size); });
  put_envelope(spec.payload, [&] { return to.initPayload(); });
  put(to.initUniqueScope(), spec.unique_scope);
  to.setHasKeptResult(spec.keep_result.has_value());
  if (spec.keep_result) to.setKeepResult(count(*spec.keep_result));
  to.setGroup(spec.group.value());
  if (spec.start_by) put(to.initSpecStartBy(), *spec.start_by);
  if (spec.run_timeout) to.setRunTimeout(count(*spec.run_timeout));
  if (spec.total_timeout) to.setTotalTimeout(count(*spec.total_timeout));
  put_dependencies(spec.dependencies, [&] { return to.initDependencies(); });
  to.setRecurring(spec.recurring.value());
  if (spec.recurring != NameId() && spec.nominal) to.setNominal(count(*spec.nominal));
}

void write_lease(wire::Lease::Builder to, const Lease& lease) {
  put(to.initToken(), lease.token);
  to.setWorker(lease.worker.value());
  to.setHolder(to_wire<wire::Holder>(lease.holder));
  to.setLength(count(lease.length));
  to.setEndsAt(count(lease.ends_at));
  to.setEndsAtWall(count(lease.ends_at_wall));
  to.setClaimedAt(count(lease.claimed_at));
  if (lease.run_ends_at) {
    to.setHasRunEndsAt(true);
    to.setRunEndsAt(count(*lease.run_ends_at));
  }
}

void write_kept(wire::Job::Builder to, const Job& job) {
  to.setKeyHandedOver(job.key_handed_over);
  to.setHasUniqueUntil(job.unique_until.has_value());
  if (job.unique_until) to.setUniqueUntil(count(*job.unique_until));
  if (job.due_latest) put(to.initDueLatest(), *job.due_latest);
  to.setHasResultUntil(job.result_until.has_value());
  if (job.result_until) to.setResultUntil(count(*job.result_until));
  to.setStartByCounts(job.start_by.has_value());
  to.setHasEndBy(job.end_by.has_value());
  if (job.end_by) to.setEndBy(count(*job.end_by));
  to.setAwaits(job.awaits.value());
  to.setFinalEvent(job.final_event.value());
  if (job.steps.empty()) return;
  auto steps = to.initSteps(static_cast<capnp::uint>(job.steps.size()));
  for (capnp::uint i = 0; i < job.steps.size(); ++i) {
    auto step = steps[i];
    put_text(job.steps[i].name, [&](auto text) { step.setName(text); });
    put_envelope(job.steps[i].result, [&] { return step.initResult(); });
  }
}

void write(wire::Job::Builder to, const Job& job) {
  put(to, job.id);
  write_spec(to, *job.spec);
  to.setState(to_wire<wire::JobState>(job.state));
  to.setDeadReason(to_wire<wire::DeadReason>(job.dead_reason));
  to.setCancelRequested(job.cancel_requested);
  to.setAttempt(job.attempt);
  to.setAttemptsAllowed(job.attempts_allowed);
  put(to.initDue(), job.due);
  to.setScheduledAt(count(job.scheduled_at));
  if (job.finalized_at) {
    to.setFinalized(true);
    to.setFinalizedAt(count(*job.finalized_at));
  }
  if (job.lease) write_lease(to.initLease(), *job.lease);
  if (job.completed_by) {
    to.setHasCompletedBy(true);
    put(to.initCompletedBy(), *job.completed_by);
  }
  put_envelope(job.progress, [&] { return to.initProgress(); });
  put_envelope(job.result, [&] { return to.initResult(); });
  put_envelope(job.error, [&] { return to.initError(); });
  to.setErrorKind(job.error_kind.value());
  put_text(job.trace, [&](auto text) { to.setTrace(text); });
  to.setLastEvent(job.last_event.value());
  if (!job.refused.empty()) {
    auto refused = to.initRefused(static_cast<capnp::uint>(job.refused.size()));
    for (capnp::uint i = 0; i < job.refused.size(); ++i) {
      put(refused[i].initToken(), job.refused[i].token);
      refused[i].setReason(static_cast<std::uint16_t>(job.refused[i].reason));
    }
  }
  write_kept(to, job);
}

void write(wire::Hold::Builder to, const Hold& hold) {
  to.setId(hold.id.value());
  put_text(hold.filter, [&](auto text) { to.setFilter(text); });
  put_text(hold.reason, [&](auto text) { to.setReason(text); });
  to.setActor(hold.actor.value());
  to.setPlacedAt(count(hold.placed_at));
}

// ---- reading ----

Book read(wire::Book::Reader from) {
  return {.head = Sequence(from.getHead()),
          .head_wall = instant(from.getHeadWall()),
          .head_boot = BootTime(Duration(from.getHeadBoot())),
          .epoch = Epoch(from.getEpoch()),
          .boot_id = uuid(from.getBootId(), "boot id"),
          .book_offset = Duration(from.getBookOffset()),
          .open = from.getOpen(),
          .era = from.getEra(),
          .names = from.getNames(),
          .generation = {.number = from.getGeneration(), .tag = GenerationTag(from.getGenerationTag())},
          .held = from.getHeld(),
          .feature_level = from.getFeatureLevel(),
          .clock_doubted = from.getClockDoubted(),
          .dropped_through = Sequence(from.getDroppedThrough()),
          .lost_through = Sequence(from.getLostThrough())};
}

Name read(wire::Name::Reader from) {
  return {.id = NameId(from.getId()),
          .sort = from_wire(from.getSort(), NameSort::queue, NameSort::recurring, "sort of name"),
          .text = text(from.getText())};
}

Setting read(wire::Setting::Reader from) {
  return {.key = text(from.getKey()), .value = text(from.getValue())};
}

Queue read(wire::Queue::Reader from) {
  Queue queue{.id = NameId(from.getId()),
              .paused = from.getPaused(),
              .limits = queue_limits(from),
              .turn = {.group = NameId(from.getTurnGroup()), .left = from.getTurnLeft()}};
  if (from.hasBucket()) queue.bucket = bucket(from.getBucket());
  if (from.getOnDeadKind() != 0) {
    queue.on_dead = OnDead{NameId(from.getOnDeadKind()), NameId(from.getOnDeadQueue())};
  }
  return queue;
}

Group read(wire::Group::Reader from) {
  Group group{.queue = NameId(from.getQueue()), .id = NameId(from.getId()), .weight = from.getWeight()};
  if (from.hasBucket()) group.bucket = bucket(from.getBucket());
  return group;
}

Worker read(wire::Worker::Reader from) {
  return {.id = NameId(from.getId()),
          .holder = holder(from.getHolder()),
          .slots = from.getSlots(),
          .queues = names(from.getQueues()),
          .kinds = names(from.getKinds()),
          .joined_at = instant(from.getJoinedAt()),
          .epoch = Epoch(from.getEpoch())};
}

RequestRecord read(wire::Request::Reader from) {
  return {.client = NameId(from.getClient()),
          .id = text(from.getId()),
          .first = Sequence(from.getFirst()),
          .last = Sequence(from.getLast()),
          .recorded_at = book_time(from.getRecordedAt())};
}

std::shared_ptr<const JobSpec> read_spec(wire::Job::Reader from) {
  auto spec = std::make_shared<JobSpec>();
  spec->queue = NameId(from.getQueue());
  spec->kind = NameId(from.getKind());
  spec->priority = Priority(from.getPriority());
  spec->retry = retry_policy(from.getRetry());
  spec->unique_key = text(from.getUniqueKey());
  spec->tags = tags(from.getTags());
  if (from.hasPayload()) spec->payload = envelope(from.getPayload());
  spec->unique_scope = unique_scope(from.getUniqueScope());
  if (from.getHasKeptResult()) spec->keep_result = Duration(from.getKeepResult());
  spec->group = NameId(from.getGroup());
  if (from.hasSpecStartBy()) spec->start_by = due(from.getSpecStartBy());
  spec->run_timeout = timeout(from.getRunTimeout());
  spec->total_timeout = timeout(from.getTotalTimeout());
  if (from.hasDependencies()) spec->dependencies = dependencies(from.getDependencies());
  spec->recurring = NameId(from.getRecurring());
  if (from.getRecurring() != 0) spec->nominal = instant(from.getNominal());
  return spec;
}

Lease read(wire::Lease::Reader from) {
  return {.token = token(from.getToken()),
          .worker = NameId(from.getWorker()),
          .holder = holder(from.getHolder()),
          .length = Duration(from.getLength()),
          .ends_at = book_time(from.getEndsAt()),
          .ends_at_wall = instant(from.getEndsAtWall()),
          .claimed_at = instant(from.getClaimedAt()),
          .run_ends_at = from.getHasRunEndsAt() ? std::optional(book_time(from.getRunEndsAt())) : std::nullopt};
}

Job read(wire::Job::Reader from) {
  Job job;
  job.id = job_id(from);
  job.spec = read_spec(from);
  job.state = from_wire(from.getState(), JobState::waiting, JobState::uncertain, "state of a job");
  job.dead_reason = from_wire(from.getDeadReason(), DeadReason::none, DeadReason::timed_out, "reason of death");
  job.cancel_requested = from.getCancelRequested();
  job.attempt = from.getAttempt();
  job.attempts_allowed = from.getAttemptsAllowed();
  job.due = due(from.getDue());
  job.scheduled_at = instant(from.getScheduledAt());
  if (from.getFinalized()) job.finalized_at = instant(from.getFinalizedAt());
  if (from.hasLease()) job.lease = read(from.getLease());
  if (from.getHasCompletedBy()) job.completed_by = token(from.getCompletedBy());
  if (from.hasProgress()) job.progress = envelope(from.getProgress());
  if (from.hasResult()) job.result = envelope(from.getResult());
  if (from.hasError()) job.error = envelope(from.getError());
  job.error_kind = NameId(from.getErrorKind());
  job.trace = text(from.getTrace());
  job.last_event = Sequence(from.getLastEvent());
  for (const auto refused : from.getRefused()) {
    job.refused.push_back({token(refused.getToken()), refusal_code(refused.getReason(), RefusalCode::too_old)});
  }
  job.key_handed_over = from.getKeyHandedOver();
  if (from.getHasUniqueUntil()) job.unique_until = book_time(from.getUniqueUntil());
  if (from.hasDueLatest()) job.due_latest = due(from.getDueLatest());
  if (from.getHasResultUntil()) job.result_until = instant(from.getResultUntil());
  for (const auto step : from.getSteps()) {
    job.steps.push_back({text(step.getName()), step.hasResult() ? envelope(step.getResult()) : Envelope()});
  }
  if (from.getStartByCounts()) job.start_by = job.spec->start_by;
  if (from.getHasEndBy()) job.end_by = book_time(from.getEndBy());
  job.awaits = Sequence(from.getAwaits());
  job.final_event = Sequence(from.getFinalEvent());
  return job;
}

Hold read(wire::Hold::Reader from) {
  return {.id = Sequence(from.getId()),
          .filter = text(from.getFilter()),
          .reason = text(from.getReason()),
          .actor = NameId(from.getActor()),
          .placed_at = instant(from.getPlacedAt())};
}

Entity read(capnp::MessageReader& message, EntityType type) {
  switch (type) {
    case EntityType::book:
      return read(message.getRoot<wire::Book>());
    case EntityType::name:
      return read(message.getRoot<wire::Name>());
    case EntityType::setting:
      return read(message.getRoot<wire::Setting>());
    case EntityType::queue:
      return read(message.getRoot<wire::Queue>());
    case EntityType::worker:
      return read(message.getRoot<wire::Worker>());
    case EntityType::request:
      return read(message.getRoot<wire::Request>());
    case EntityType::job:
      return read(message.getRoot<wire::Job>());
    case EntityType::group:
      return read(message.getRoot<wire::Group>());
    case EntityType::hold:
      return read(message.getRoot<wire::Hold>());
    case EntityType::recurring:
      return read_recurring(message.getRoot<wire::Recurring>());
  }
  throw Undecodable{"record of type " + std::to_string(static_cast<unsigned>(type))};
}

void require_known(std::uint16_t type, std::uint16_t revision, const Place& where) {
  const bool known_type = type >= 1 && type <= entity_types;
  if (known_type && revision >= 1 && revision <= revisions[type - 1U]) return;
  const std::string found = "record of type " + std::to_string(type) + ", revision " + std::to_string(revision);
  if (type == 0 || revision == 0) throw CorruptionError(Damage::foreign, where, found + ", expected both from 1");
  const std::string known = known_type ? "revisions up to " + std::to_string(revisions[type - 1U]) + " of it"
                                       : "types up to " + std::to_string(entity_types);
  throw CorruptionError(Damage::unknown_format, where,
                        found + ", expected " + known + ": written by a newer release of Daybook");
}

}  // namespace

// ---- messages ----

struct EntityEncoder::Memory {
  std::array<capnp::word, 512> scratch{};  // left zeroed by each builder, as Cap'n Proto asks
  kj::Array<capnp::word> canonical;
};

EntityEncoder::EntityEncoder() : memory_(std::make_unique<Memory>()) {}
EntityEncoder::~EntityEncoder() = default;

template <class Wire, class Ours>
StoredEntity EntityEncoder::encode_as(EntityType type, const Ours& entity) {
  capnp::MallocMessageBuilder message(kj::arrayPtr(memory_->scratch.data(), memory_->scratch.size()));
  auto root = message.initRoot<Wire>();
  write(root, entity);
  memory_->canonical = capnp::canonicalize(root.asReader());
  return {type, revision_of(entity), std::as_bytes(std::span(memory_->canonical.begin(), memory_->canonical.size()))};
}

StoredEntity EntityEncoder::encode(const Book& book) {
  return encode_as<wire::Book>(EntityType::book, book);
}
StoredEntity EntityEncoder::encode(const Name& name) {
  return encode_as<wire::Name>(EntityType::name, name);
}
StoredEntity EntityEncoder::encode(const Setting& setting) {
  return encode_as<wire::Setting>(EntityType::setting, setting);
}
StoredEntity EntityEncoder::encode(const Queue& queue) {
  return encode_as<wire::Queue>(EntityType::queue, queue);
}
StoredEntity EntityEncoder::encode(const Worker& worker) {
  return encode_as<wire::Worker>(EntityType::worker, worker);
}
StoredEntity EntityEncoder::encode(const RequestRecord& request) {
  return encode_as<wire::Request>(EntityType::request, request);
}
StoredEntity EntityEncoder::encode(const Job& job) {
  return encode_as<wire::Job>(EntityType::job, job);
}
StoredEntity EntityEncoder::encode(const Group& group) {
  return encode_as<wire::Group>(EntityType::group, group);
}

StoredEntity EntityEncoder::encode(const Hold& hold) {
  return encode_as<wire::Hold>(EntityType::hold, hold);
}
StoredEntity EntityEncoder::encode(const Recurring& recurring) {
  return encode_as<wire::Recurring>(EntityType::recurring, recurring);
}
StoredEntity EntityEncoder::encode(const Entity& entity) {
  return std::visit([this](const auto& one) { return encode(one); }, entity);
}

Entity decode_entity(const StoredEntity& stored, const Place& where) {
  require_known(static_cast<std::uint16_t>(stored.type), stored.revision, where);
  return read_message(stored.message, "record", where, [&](capnp::MessageReader& reader) {
    Entity entity = read(reader, stored.type);
    const std::uint16_t needed = std::visit([](const auto& one) { return revision_of(one); }, entity);
    if (needed <= stored.revision) return entity;
    throw Undecodable{"revision " + std::to_string(stored.revision) + " with a value that only revision " +
                      std::to_string(needed) + " has"};
  });
}

}  // namespace daybook
