// SPDX-License-Identifier: Apache-2.0

// Which parts each record has, in which order.

#include "record.hpp"

#include "daybook/core/mutant.hpp"
#include "record_bytes.hpp"

namespace daybook::record {
namespace {

void write(Writer& writer, const Lease& lease) {
  writer.token(lease.token);
  writer.strong(lease.worker);
  writer.choice(lease.holder);
  writer.duration(lease.length);
  writer.time(lease.ends_at);
  writer.time(lease.ends_at_wall);
  writer.time(lease.claimed_at);
  writer.u8(lease.run_ends_at ? 1 : 0);
  if (lease.run_ends_at) writer.time(*lease.run_ends_at);
}

void read(Reader& reader, Lease& lease) {
  reader.token(lease.token);
  reader.strong(lease.worker);
  reader.choice(lease.holder, Holder::handler);
  reader.duration(lease.length);
  reader.time(lease.ends_at);
  reader.time(lease.ends_at_wall);
  reader.time(lease.claimed_at);
  if (reader.flag()) reader.time(lease.run_ends_at.emplace());
}

// What most jobs lack costs them one bit.
enum Has : std::uint8_t {
  cancel_requested = 1,
  finalized_at = 2,
  lease = 4,
  completed_by = 8,
  progress = 16,
  result = 32,
  error = 64,
  refused = 128,
};
enum HasToo : std::uint8_t {
  key_handed_over = 1,
  unique_until = 2,
  due_latest = 4,
  steps = 8,
  result_until = 16,
  start_by = 32,
  end_by = 64,
};

std::uint8_t contents_of(const Job& job) {
  return static_cast<std::uint8_t>(
      (job.cancel_requested ? cancel_requested : 0) | (job.finalized_at ? finalized_at : 0) | (job.lease ? lease : 0) |
      (job.completed_by ? completed_by : 0) | (job.progress.empty() ? 0 : progress) |
      (job.result.empty() ? 0 : result) | (job.error.empty() ? 0 : error) | (job.refused.empty() ? 0 : refused));
}

std::uint8_t kept_of(const Job& job) {
  return static_cast<std::uint8_t>((job.key_handed_over ? key_handed_over : 0) | (job.unique_until ? unique_until : 0) |
                                   (job.due_latest ? due_latest : 0) | (job.steps.empty() ? 0 : steps) |
                                   (job.result_until ? result_until : 0) | (job.start_by ? start_by : 0) |
                                   (job.end_by ? end_by : 0));
}

std::uint32_t check_at(Table table, std::string_view key, std::string_view record) {
  return check(check(static_cast<std::uint64_t>(table), key), record);
}

}  // namespace

// ---- jobs ---------------------------------------------------------------------------------------------------------

void encode(const Job& job, std::string& out) {
  Writer writer(out);
  const std::uint8_t has = contents_of(job);
  const std::uint8_t has_too = kept_of(job);
  writer.u8(has);
  writer.u8(has_too);
  writer.strong(job.id.generation);
  writer.choice(job.state);
  writer.choice(job.dead_reason);
  writer.small(job.attempt);
  writer.small(job.attempts_allowed);
  writer.due(job.due);
  writer.time(job.scheduled_at);
  writer.strong(job.error_kind);
  writer.text(job.trace);
  writer.strong(job.last_event);
  if (has & finalized_at) writer.time(*job.finalized_at);
  if (has & lease) write(writer, *job.lease);
  if (has & completed_by) writer.token(*job.completed_by);
  if (has & progress) writer.envelope(job.progress);
  if (has & result) writer.envelope(job.result);
  if (has & error) writer.envelope(job.error);
  if (has & refused) {
    writer.small(job.refused.size());
    for (const RefusedOutcome& outcome : job.refused) {
      writer.token(outcome.token);
      writer.choice(outcome.reason);
    }
  }
  if (has_too & unique_until) writer.time(*job.unique_until);
  if (has_too & due_latest) writer.due(*job.due_latest);
  if (has_too & result_until) writer.time(*job.result_until);
  if (has_too & start_by) writer.due(*job.start_by);
  if (has_too & end_by) writer.time(*job.end_by);
  if (job.state == JobState::awaiting) writer.strong(job.awaits);
  if (is_final(job.state)) writer.strong(job.final_event);
  if (has_too & steps) {
    writer.small(job.steps.size());
    for (const StepResult& step : job.steps) {
      writer.text(step.name);
      writer.envelope(step.result);
    }
  }
}

bool decode(std::string_view bytes, Job& job) {
  Reader reader(bytes);
  const std::uint8_t has = reader.u8();
  const std::uint8_t has_too = reader.u8();
  reader.strong(job.id.generation);
  reader.choice(job.state, JobState::uncertain);
  reader.choice(job.dead_reason, DeadReason::timed_out);
  reader.small(job.attempt);
  reader.small(job.attempts_allowed);
  reader.due(job.due);
  reader.time(job.scheduled_at);
  reader.strong(job.error_kind);
  reader.text(job.trace);
  reader.strong(job.last_event);
  job.cancel_requested = (has & cancel_requested) != 0;
  if (has & finalized_at) reader.time(job.finalized_at.emplace());
  if (has & lease) read(reader, job.lease.emplace());
  if (has & completed_by) reader.token(job.completed_by.emplace());
  if (has & progress) reader.envelope(job.progress);
  if (has & result) reader.envelope(job.result);
  if (has & error) reader.envelope(job.error);
  if (has & refused) {
    job.refused.resize(reader.count());
    for (RefusedOutcome& outcome : job.refused) {
      reader.token(outcome.token);
      std::uint16_t reason = 0;  // codes are added, never taken away: any number is fine
      reader.small(reason);
      outcome.reason = static_cast<RefusalCode>(reason);
    }
  }
  job.key_handed_over = (has_too & key_handed_over) != 0;
  if (has_too & unique_until) reader.time(job.unique_until.emplace());
  if (has_too & due_latest) reader.due(job.due_latest.emplace());
  if (has_too & result_until) reader.time(job.result_until.emplace());
  if (has_too & start_by) reader.due(job.start_by.emplace());
  if (has_too & end_by) reader.time(job.end_by.emplace());
  if (job.state == JobState::awaiting) reader.strong(job.awaits);
  if (is_final(job.state)) reader.strong(job.final_event);
  if (has_too & steps) {
    job.steps.resize(reader.count());
    for (StepResult& step : job.steps) {
      reader.text(step.name);
      reader.envelope(step.result);
    }
  }
  return reader.whole();
}

void encode(const JobSpec& spec, std::string& out) {
  Writer writer(out);
  writer.strong(spec.queue);
  writer.strong(spec.kind);
  writer.strong(spec.priority);
  writer.choice(spec.retry.backoff);
  writer.duration(spec.retry.first);
  writer.duration(spec.retry.cap);
  writer.small(spec.retry.jitter_permille);
  writer.small(spec.retry.max_attempts);
  writer.text(spec.unique_key);
  writer.small(spec.tags.size());
  for (const Tag& tag : spec.tags) {
    writer.text(tag.key);
    writer.text(tag.value);
  }
  writer.envelope(spec.payload);
  writer.u8(static_cast<std::uint8_t>((spec.unique_scope.completed ? 1 : 0) | (spec.unique_scope.cancelled ? 2 : 0) |
                                      (spec.unique_scope.dead ? 4 : 0) | (spec.keep_result ? 8 : 0)));
  if (spec.keep_result) writer.duration(*spec.keep_result);
  writer.strong(spec.group);
  writer.u8(spec.start_by ? 1 : 0);
  if (spec.start_by) writer.due(*spec.start_by);
  for (const std::optional<Duration>& timeout : {spec.run_timeout, spec.total_timeout}) {
    writer.duration(timeout.value_or(Duration(0)));
  }
  writer.dependencies(spec.dependencies);
  writer.strong(spec.recurring);
  if (spec.recurring != NameId()) writer.time(spec.nominal.value_or(Instant()));
}

bool decode(std::string_view bytes, JobSpec& spec) {
  Reader reader(bytes);
  reader.strong(spec.queue);
  reader.strong(spec.kind);
  reader.strong(spec.priority);
  reader.choice(spec.retry.backoff, RetryPolicy::Backoff::exponential);
  reader.duration(spec.retry.first);
  reader.duration(spec.retry.cap);
  reader.small(spec.retry.jitter_permille);
  reader.small(spec.retry.max_attempts);
  reader.text(spec.unique_key);
  spec.tags.resize(reader.count());
  for (Tag& tag : spec.tags) {
    reader.text(tag.key);
    reader.text(tag.value);
  }
  reader.envelope(spec.payload);
  const std::uint8_t kept = reader.u8();
  spec.unique_scope = {(kept & 1) != 0, (kept & 2) != 0, (kept & 4) != 0};
  if (kept & 8) reader.duration(spec.keep_result.emplace());
  reader.strong(spec.group);
  if (reader.flag()) reader.due(spec.start_by.emplace());
  for (std::optional<Duration>* timeout : {&spec.run_timeout, &spec.total_timeout}) {
    Duration read{};
    reader.duration(read);
    if (read != Duration(0)) *timeout = read;
  }
  reader.dependencies(spec.dependencies);
  reader.strong(spec.recurring);
  if (spec.recurring != NameId()) reader.time(spec.nominal.emplace());
  return reader.whole();
}

// ---- the others ---------------------------------------------------------------------------------------------------

void encode(const Queue& queue, std::string& out) {
  Writer writer(out);
  writer.u8(queue.paused ? 1 : 0);
  writer.small(queue.limits.running);
  writer.small(queue.limits.running_per_group);
  for (const Rate* rate : {&queue.limits.rate, &queue.limits.rate_per_group}) {
    writer.small(rate->starts);
    writer.duration(rate->per);
    writer.small(rate->burst);
  }
  writer.strong(queue.turn.group);
  writer.small(queue.turn.left);
  writer.bucket(queue.bucket);
  writer.on_dead(queue.on_dead);
}

bool decode(std::string_view bytes, Queue& queue) {
  Reader reader(bytes);
  queue.paused = reader.flag();
  reader.small(queue.limits.running);
  reader.small(queue.limits.running_per_group);
  for (Rate* rate : {&queue.limits.rate, &queue.limits.rate_per_group}) {
    reader.small(rate->starts);
    reader.duration(rate->per);
    reader.small(rate->burst);
  }
  reader.strong(queue.turn.group);
  reader.small(queue.turn.left);
  reader.bucket(queue.bucket);
  reader.on_dead(queue.on_dead);
  return reader.whole();
}

void encode(const Group& group, std::string& out) {
  Writer writer(out);
  writer.small(group.weight);
  writer.bucket(group.bucket);
}

bool decode(std::string_view bytes, Group& group) {
  Reader reader(bytes);
  reader.small(group.weight);
  reader.bucket(group.bucket);
  return reader.whole();
}

void encode(const Worker& worker, std::string& out) {
  Writer writer(out);
  writer.choice(worker.holder);
  writer.small(worker.slots);
  for (const std::vector<NameId>* names : {&worker.queues, &worker.kinds}) {
    writer.small(names->size());
    for (const NameId name : *names) writer.strong(name);
  }
  writer.time(worker.joined_at);
  writer.strong(worker.epoch);
}

bool decode(std::string_view bytes, Worker& worker) {
  Reader reader(bytes);
  reader.choice(worker.holder, Holder::handler);
  reader.small(worker.slots);
  for (std::vector<NameId>* names : {&worker.queues, &worker.kinds}) {
    names->resize(reader.count());
    for (NameId& name : *names) reader.strong(name);
  }
  reader.time(worker.joined_at);
  reader.strong(worker.epoch);
  return reader.whole();
}

void encode(const Name& name, std::string& out) {
  Writer writer(out);
  writer.choice(name.sort);
  writer.text(name.text);
}

bool decode(std::string_view bytes, Name& name) {
  Reader reader(bytes);
  reader.choice(name.sort, NameSort::recurring);
  reader.text(name.text);
  return reader.whole();
}

void encode(const RequestRecord& request, std::string& out) {
  Writer writer(out);
  writer.strong(request.client);
  writer.text(request.id);
  writer.strong(request.first);
  writer.strong(request.last);
  writer.time(request.recorded_at);
}

bool decode(std::string_view bytes, RequestRecord& request) {
  Reader reader(bytes);
  reader.strong(request.client);
  reader.text(request.id);
  reader.strong(request.first);
  reader.strong(request.last);
  reader.time(request.recorded_at);
  return reader.whole();
}

void encode(const Book& book, std::string& out) {
  Writer writer(out);
  writer.strong(book.head);
  writer.time(book.head_wall);
  writer.time(book.head_boot);
  writer.strong(book.epoch);
  writer.raw(book.boot_id.bytes);
  writer.duration(book.book_offset);
  writer.u8(book.open ? 1 : 0);
  writer.small(book.era);
  writer.small(book.names);
  writer.small(book.generation.number);
  writer.strong(book.generation.tag);
  writer.u8(book.held ? 1 : 0);
  writer.small(book.feature_level);
  writer.u8(book.clock_doubted ? 1 : 0);
  writer.strong(book.dropped_through);
  writer.strong(book.lost_through);
}

bool decode(std::string_view bytes, Book& book) {
  Reader reader(bytes);
  reader.strong(book.head);
  reader.time(book.head_wall);
  reader.time(book.head_boot);
  reader.strong(book.epoch);
  reader.raw(book.boot_id.bytes);
  reader.duration(book.book_offset);
  book.open = reader.flag();
  reader.small(book.era);
  reader.small(book.names);
  reader.small(book.generation.number);
  reader.strong(book.generation.tag);
  book.held = reader.flag();
  reader.small(book.feature_level);
  book.clock_doubted = reader.flag();
  reader.strong(book.dropped_through);
  reader.strong(book.lost_through);
  return reader.whole();
}

void encode(const IndexMark& mark, std::string& out) {
  Writer writer(out);
  writer.raw(mark.log_uuid.bytes);
  writer.strong(mark.applied);
  writer.raw(mark.chain);
}

bool decode(std::string_view bytes, IndexMark& mark) {
  Reader reader(bytes);
  reader.raw(mark.log_uuid.bytes);
  reader.strong(mark.applied);
  reader.raw(mark.chain);
  return reader.whole();
}

void encode(const Frontiers& frontiers, std::string& out) {
  Writer writer(out);
  for (const FuturePosition& position : {frontiers.wall, frontiers.book}) {
    writer.fixed(static_cast<std::uint64_t>(position.due));
    writer.fixed(position.id.value());
  }
}

bool decode(std::string_view bytes, Frontiers& frontiers) {
  Reader reader(bytes);
  for (FuturePosition* position : {&frontiers.wall, &frontiers.book}) {
    position->due = static_cast<std::int64_t>(reader.fixed());
    position->id = Sequence(reader.fixed());
  }
  return reader.whole();
}

void encode(const std::vector<Setting>& settings, std::string& out) {
  Writer writer(out);
  writer.small(settings.size());
  for (const Setting& setting : settings) {
    writer.text(setting.key);
    writer.text(setting.value);
  }
}

bool decode(std::string_view bytes, std::vector<Setting>& settings) {
  Reader reader(bytes);
  settings.resize(reader.count());
  for (Setting& setting : settings) {
    reader.text(setting.key);
    reader.text(setting.value);
  }
  return reader.whole();
}

void encode(const std::vector<Hold>& holds, std::string& out) {
  Writer writer(out);
  writer.small(holds.size());
  for (const Hold& hold : holds) {
    writer.strong(hold.id);
    writer.text(hold.filter);
    writer.text(hold.reason);
    writer.strong(hold.actor);
    writer.time(hold.placed_at);
  }
}

bool decode(std::string_view bytes, std::vector<Hold>& holds) {
  Reader reader(bytes);
  holds.resize(reader.count());
  for (Hold& hold : holds) {
    reader.strong(hold.id);
    reader.text(hold.filter);
    reader.text(hold.reason);
    reader.strong(hold.actor);
    reader.time(hold.placed_at);
  }
  return reader.whole();
}

// ---- the check ----------------------------------------------------------------------------------------------------

std::uint32_t check(std::uint64_t seed, std::string_view bytes) {
  // Each step is a bijection of the 64 bits for a given word, so a change within one word is never lost.
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;  // 2⁶⁴ divided by the golden ratio
  std::uint64_t hash = (seed ^ bytes.size()) * odd;
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * odd;
    hash ^= hash >> 29;
  };
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    mix(word);
    bytes.remove_prefix(sizeof word);
  }
  std::uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  mix(rest);
  return static_cast<std::uint32_t>((hash * odd) >> 32);
}

void seal(Table table, std::string_view key, std::string& record) {
  const std::uint32_t sum = check_at(table, key, record);
  record.append(reinterpret_cast<const char*>(&sum), sizeof sum);
}

bool unseal(Table table, std::string_view key, std::string_view& record) {
  std::uint32_t sum = 0;
  if (record.size() < sizeof sum) return false;
  std::memcpy(&sum, record.data() + record.size() - sizeof sum, sizeof sum);
  record.remove_suffix(sizeof sum);
  return sum == check_at(table, key, record) || !kept("projections.record.check");
}

}  // namespace daybook::record
