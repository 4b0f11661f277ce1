// SPDX-License-Identifier: Apache-2.0

// The entities of the index: in memory when they changed or were asked for, otherwise in LMDB. Which orders a waiting
// job stands in is left to windows.cpp, writing to project.cpp.

#include <algorithm>

#include "daybook/core/conflict.hpp"
#include "daybook/core/error.hpp"
#include "impl.hpp"
#include "keys.hpp"
#include "record.hpp"

namespace daybook {
void JobIndex::Impl::damaged(Table table, std::string_view what) const {
  throw StorageError(Place{lmdb_.shown(), {}, {}}, 0,
                     std::string("table ") + table_names[static_cast<std::size_t>(table)] + ": " + std::string(what) +
                         "; the index is damaged: drop it and build it anew from the log");
}

// ---- jobs ---------------------------------------------------------------------------------------------------------

Job JobIndex::Impl::read_job(Sequence id, std::string_view bytes) const {
  const keys::Key key = keys::number(id);
  const auto name = [id] { return "the record of job " + std::to_string(id.value()); };
  Job job;
  if (!record::unseal(Table::jobs, key, bytes) || !record::decode(bytes, job)) {
    damaged(Table::jobs, name() + " does not read");
  }
  job.id.sequence = id;
  std::optional<std::string_view> spec_bytes = lmdb_.get(Table::specs, key);
  if (!spec_bytes) damaged(Table::specs, name() + " is missing");
  auto spec = std::make_shared<JobSpec>();
  if (!record::unseal(Table::specs, key, *spec_bytes) || !record::decode(*spec_bytes, *spec)) {
    damaged(Table::specs, name() + " does not read");
  }
  job.spec = std::move(spec);
  return job;
}

CachedJob* JobIndex::Impl::cached(Sequence id) {
  if (const auto found = jobs_.find(id); found != jobs_.end()) return &found->second;
  if (id > last_listed_) return nullptr;
  const std::optional<std::string_view> bytes = lmdb_.get(Table::jobs, keys::number(id));
  if (!bytes) return nullptr;
  CachedJob entry{read_job(id, *bytes), {}, false, false};
  entry.listed = listing(entry.job);
  return &jobs_.emplace(id, std::move(entry)).first->second;
}

const Job* JobIndex::Impl::find_job(Sequence id) {
  const CachedJob* entry = cached(id);
  return entry != nullptr && !entry->erased ? &entry->job : nullptr;
}

void JobIndex::Impl::put_job(Job job) {
  const Sequence id = job.id.sequence;
  CachedJob* entry = cached(id);
  if (entry == nullptr) entry = &jobs_[id];
  const bool was_there = entry->job.spec != nullptr && !entry->erased;
  const std::shared_ptr<const JobSpec> old_spec = entry->job.spec;
  const bool held_key = was_there && holds_key(entry->job);
  if (was_there) forget_listing(entry->job);
  if (!entry->dirty) dirty_jobs_.push_back(id);
  entry->dirty = true;
  entry->erased = false;
  entry->job = std::move(job);
  enter_listing(entry->job);

  const JobSpec& spec = *entry->job.spec;
  const bool holds = holds_key(entry->job);
  const bool same_key = held_key && (old_spec == entry->job.spec ||
                                     (old_spec->queue == spec.queue && old_spec->unique_key == spec.unique_key));
  if (held_key && !(holds && same_key) && find_key(old_spec->queue, old_spec->unique_key) == id) {
    keys_[{old_spec->queue.value(), old_spec->unique_key}] = std::nullopt;
  }
  if (holds && !same_key) keys_[{spec.queue.value(), spec.unique_key}] = id;
}

// Stays as a tombstone, even when LMDB never had it, so that `dirty_jobs_` names each job once: after an undone batch
// the same id is given out again.
void JobIndex::Impl::erase_job(Sequence id) {
  CachedJob* entry = cached(id);
  if (entry == nullptr || entry->erased) return;
  forget_listing(entry->job);
  const JobSpec& spec = *entry->job.spec;
  if (holds_key(entry->job) && find_key(spec.queue, spec.unique_key) == id) {
    keys_[{spec.queue.value(), spec.unique_key}] = std::nullopt;
  }
  if (!entry->dirty) dirty_jobs_.push_back(id);
  entry->dirty = true;
  entry->erased = true;
}

void JobIndex::Impl::count_running(const Job& job, std::int64_t by) {
  if (job.state != JobState::running || job.spec->group == NameId()) return;
  const auto found = running_.try_emplace(std::pair(job.spec->queue, job.spec->group)).first;
  found->second += static_cast<std::uint64_t>(by);
  if (found->second == 0) running_.erase(found);
}

void JobIndex::Impl::forget_listing(const Job& job) {
  --counts_[job.spec->queue][static_cast<std::size_t>(job.state)];
  counts_dirty_.insert(job.spec->queue);
  count_running(job, -1);
  if (job.state == JobState::waiting) leave_waiting(waiting(job));
  if (const auto end = listing(job).lease_end) leases_.erase({*end, job.id.sequence});
  for (std::size_t i = 0; i < shelves; ++i) {
    if (const auto position = position_on(static_cast<Shelf>(i), job)) shelves_[i].erase(*position);
  }
  leave_deadlines(job);
  leave_family(job);
}

void JobIndex::Impl::enter_listing(const Job& job) {
  ++counts_[job.spec->queue][static_cast<std::size_t>(job.state)];
  counts_dirty_.insert(job.spec->queue);
  count_running(job, 1);
  if (job.state == JobState::waiting) enter_waiting(waiting(job));
  if (const auto end = listing(job).lease_end) leases_.emplace(*end, job.id.sequence);
  for (std::size_t i = 0; i < shelves; ++i) {
    if (const auto position = position_on(static_cast<Shelf>(i), job)) shelves_[i].insert(*position);
  }
  enter_deadlines(job);
  enter_family(job);
}

void JobIndex::Impl::evict() {
  if (requests_.size() > dirty_requests_ + tuning_.cached_jobs) {
    std::erase_if(requests_, [](const auto& entry) { return !entry.second.dirty; });
  }
  if (jobs_.size() <= dirty_jobs_.size() + leases_.size() + tuning_.cached_jobs) return;
  std::erase_if(jobs_,
                [](const auto& entry) { return !entry.second.dirty && entry.second.job.state != JobState::running; });
}

std::optional<Sequence> JobIndex::Impl::find_key(NameId queue, std::string_view key) const {
  if (const auto found = keys_.find(NumberedTextView(queue.value(), key)); found != keys_.end()) return found->second;
  const std::optional<std::string_view> value = lmdb_.get(Table::keys, keys::unique(queue, key));
  if (!value) return std::nullopt;
  const std::optional<Sequence> id = keys::parse_id(*value);
  if (!id) damaged(Table::keys, "a holder does not read");
  return id;
}

// ---- all jobs -----------------------------------------------------------------------------------------------------

std::vector<Sequence> JobIndex::Impl::dirty_in_order() const {
  std::vector<Sequence> ids = dirty_jobs_;
  std::sort(ids.begin(), ids.end());
  return ids;
}

void JobIndex::Impl::each_job(const std::function<void(const Job&)>& visit) {
  each_job_after(Sequence(0), [&](const Job& job) {
    visit(job);
    return true;
  });
}

void JobIndex::Impl::each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) {
  const std::vector<Sequence> dirty = dirty_in_order();
  auto next = std::upper_bound(dirty.begin(), dirty.end(), after);
  const auto visit_dirty_before = [&](Sequence id) {
    for (; next != dirty.end() && *next < id; ++next) {
      const Job* job = find_job(*next);
      if (job != nullptr && !visit(*job)) return false;
    }
    return true;
  };
  lmdb::Cursor cursor = lmdb_.cursor(Table::jobs);
  for (bool more = cursor.seek(keys::number(after.next())); more; more = cursor.next()) {
    const std::optional<Sequence> id = keys::parse_id(cursor.key());
    if (!id) damaged(Table::jobs, "a key does not read");
    if (!visit_dirty_before(*id)) return;
    if ((next == dirty.end() || *next != *id) && !visit(read_job(*id, cursor.value()))) return;
  }
  (void)visit_dirty_before(Sequence(~std::uint64_t{0}));
}

void JobIndex::Impl::each_job_in(NameId queue, JobState state, const std::function<bool(const Job&)>& visit) {
  std::vector<Sequence> ids = dirty_in_order();
  std::erase_if(ids, [&](Sequence id) {
    const Job* job = find_job(id);
    return job == nullptr || job->spec->queue != queue || job->state != state;
  });
  auto next = ids.begin();
  const auto visit_before = [&](Sequence id) {
    for (; next != ids.end() && *next < id; ++next) {
      if (!visit(*find_job(*next))) return false;
    }
    return true;
  };
  lmdb::Cursor cursor = lmdb_.cursor(Table::states);
  for (bool more = cursor.seek(keys::state(queue, state, Sequence(0))); more; more = cursor.next()) {
    keys::KeyReader reader(cursor.key());
    const NameId in(reader.u32());
    const auto of = static_cast<JobState>(reader.u8());
    const Sequence id(reader.u64());
    if (!reader.whole()) damaged(Table::states, "a key does not read");
    if (in != queue || of != state) break;
    if (stale_on_disk(id)) continue;
    if (!visit_before(id)) return;
    const std::optional<std::string_view> bytes = lmdb_.get(Table::jobs, keys::number(id));
    if (!bytes) damaged(Table::jobs, "job " + std::to_string(id.value()) + " is missing");
    if (!visit(read_job(id, *bytes))) return;
  }
  (void)visit_before(Sequence(~std::uint64_t{0}));
}

std::vector<ShelfPosition> JobIndex::Impl::aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                std::size_t limit) const {
  const std::set<ShelfPosition>& changed = shelves_[static_cast<std::size_t>(shelf)];
  auto next = changed.upper_bound(behind);
  std::vector<ShelfPosition> found;
  const auto take_changed_before = [&](const ShelfPosition& position) {
    for (; next != changed.end() && *next < position && next->at <= until && found.size() < limit; ++next) {
      found.push_back(*next);
    }
  };
  lmdb::Cursor cursor = lmdb_.cursor(Table::shelves);
  for (bool more = cursor.seek(keys::shelf(shelf, behind)); more && found.size() < limit; more = cursor.next()) {
    keys::KeyReader reader(cursor.key());
    const auto of = static_cast<Shelf>(reader.u8());
    const Instant at(Duration(reader.i64()));
    const ShelfPosition position{at, Sequence(reader.u64())};
    if (!reader.whole()) damaged(Table::shelves, "a key does not read");
    if (of != shelf || position.at > until) break;
    if (position <= behind || stale_on_disk(position.id)) continue;
    take_changed_before(position);
    if (found.size() < limit) found.push_back(position);
  }
  take_changed_before({Instant::max(), Sequence(~std::uint64_t{0})});
  return found;
}

// ---- requests -----------------------------------------------------------------------------------------------------

const RequestRecord* JobIndex::Impl::find_request(NameId client, std::string_view id) {
  if (const auto found = requests_.find(NumberedTextView(client.value(), id)); found != requests_.end()) {
    return found->second.erased ? nullptr : &found->second.request;
  }
  const keys::Key key = keys::request(client, id);
  std::optional<std::string_view> bytes = lmdb_.get(Table::requests, key);
  if (!bytes) return nullptr;
  CachedRequest entry;
  if (!record::unseal(Table::requests, key, *bytes) || !record::decode(*bytes, entry.request)) {
    damaged(Table::requests, "a request does not read");
  }
  return &requests_.emplace(NumberedText{client.value(), std::string(id)}, std::move(entry)).first->second.request;
}

void JobIndex::Impl::put_request(RequestRecord request) {
  CachedRequest& entry = requests_[{request.client.value(), request.id}];
  if (!entry.dirty) ++dirty_requests_;
  entry = {std::move(request), true, false};
}

void JobIndex::Impl::erase_request(NameId client, std::string_view id) {
  CachedRequest& entry = requests_[{client.value(), std::string(id)}];
  if (!entry.dirty) ++dirty_requests_;
  entry.dirty = entry.erased = true;
}

void JobIndex::Impl::each_request(const std::function<void(const RequestRecord&)>& visit) const {
  std::map<std::pair<NameId, std::string>, const CachedRequest*> dirty;
  for (const auto& [key, entry] : requests_) {
    if (entry.dirty) dirty.emplace(std::pair(NameId(key.number), key.text), &entry);
  }
  auto next = dirty.begin();
  const auto visit_next = [&] {
    if (!next->second->erased) visit(next->second->request);
    ++next;
  };
  lmdb::Cursor cursor = lmdb_.cursor(Table::requests);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    RequestRecord request;
    std::string_view bytes = cursor.value();
    if (!record::unseal(Table::requests, cursor.key(), bytes) || !record::decode(bytes, request)) {
      damaged(Table::requests, "a request does not read");
    }
    const std::pair<NameId, std::string> key(request.client, request.id);
    while (next != dirty.end() && next->first < key) visit_next();
    if (next == dirty.end() || next->first != key) visit(request);
  }
  while (next != dirty.end()) visit_next();
}

}  // namespace daybook
