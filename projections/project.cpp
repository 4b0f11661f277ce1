// SPDX-License-Identifier: Apache-2.0

// Projection: what the overlay has that LMDB lacks, planned first, sorted by key, then written in one transaction with
// the mark. Planning reads LMDB and memory and changes neither; memory is settled after the commit.

#include <algorithm>

#include "daybook/core/limits.hpp"
#include "impl.hpp"
#include "keys.hpp"
#include "record.hpp"

namespace daybook {
namespace {

constexpr std::size_t pruned_requests_max = 10'000;  // in one projection

// Where the orders of LMDB list a job, if anywhere.
struct Place {
  std::optional<Table> table;
  keys::Key key;
  keys::Key value;
  friend bool operator==(const Place& a, const Place& b) {
    return a.same_key(b) && std::string_view(a.value) == std::string_view(b.value);
  }
  [[nodiscard]] bool same_key(const Place& other) const {
    return table == other.table && std::string_view(key) == std::string_view(other.key);
  }
};

Place place_of(Sequence id, const Listing& listing, const Frontiers& frontiers) {
  Place place;
  if (listing.lease_end) {
    place.table = Table::leases;
    place.key = keys::lease(*listing.lease_end, id);
  } else if (listing.state == JobState::waiting) {
    const JobSpec& spec = *listing.spec;
    const Waiting entry{{spec.queue, spec.kind, spec.group}, spec.priority, listing.due, id};
    const bool ready = frontiers.passed(entry);
    place.table = ready ? Table::ready : future_table(clock_of(entry.due));
    place.key = ready ? keys::ready(entry.lane, ready_position(entry)) : keys::future(future_position(entry));
    place.value = ready ? keys::ready_value(entry) : keys::future_value(entry);
  }
  return place;
}

keys::Key state_key(Sequence id, const Listing& listing) {
  return keys::state(listing.spec->queue, listing.state, id);
}

/// Where the shelves list a job: when it ended, and until when its result is kept.
std::vector<keys::Key> shelf_keys(Sequence id, const std::optional<Listing>& listing) {
  std::vector<keys::Key> on;
  if (!listing) return on;
  Job job;
  job.id.sequence = id;
  job.state = listing->state;
  job.finalized_at = listing->finalized_at;
  job.result_until = listing->result_until;
  for (std::size_t i = 0; i < shelves; ++i) {
    const auto shelf = static_cast<Shelf>(i);
    if (const auto position = position_on(shelf, job)) on.push_back(keys::shelf(shelf, *position));
  }
  return on;
}

template <class Entity>
void put_record(Writes& writes, Table table, std::string_view key, const Entity& entity) {
  std::string record;
  record::encode(entity, record);
  record::seal(table, key, record);
  writes[table].put(key, record);
}

keys::Key key_of(NameId id) {
  return keys::number(id);
}
keys::Key key_of(const std::pair<NameId, NameId>& group) {
  return keys::group(group.first, group.second);
}

template <class Id, class Entities>
void plan_entities(const std::set<Id>& dirty, const Entities& entities, Table table, Writes& writes) {
  for (const Id& id : dirty) {
    const auto found = entities.find(id);
    if (found == entities.end()) {
      writes[table].erase(key_of(id));
    } else {
      put_record(writes, table, key_of(id), found->second);
    }
  }
}

}  // namespace

// ---- promotion ----------------------------------------------------------------------------------------------------

FuturePosition JobIndex::Impl::plan_promotion(FutureClock clock, FuturePosition limit, bool include_stale,
                                              Writes& writes, std::vector<Waiting>& moved) const {
  const Table table = future_table(clock);
  const std::size_t moved_max = moved.size() + tuning_.promotions;
  FuturePosition reached = limit;
  lmdb::Cursor cursor = lmdb_.cursor(table);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    const std::optional<Waiting> job = keys::parse_future(clock, cursor.key(), cursor.value());
    if (!job) damaged(table, "an entry does not read");
    if (future_position(*job) > limit) break;
    if (!include_stale && stale_on_disk(job->id)) continue;
    if (moved.size() == moved_max) return reached;
    reached = future_position(*job);
    writes[table].erase(cursor.key());
    writes[Table::ready].put(keys::ready(job->lane, ready_position(*job)), keys::ready_value(*job));
    moved.push_back(*job);
  }
  return limit;
}

// What was moved now stands in a lane's table; where the lane claims to know that part, it must know the job.
void JobIndex::Impl::settle_promoted(const std::vector<Waiting>& moved) {
  for (const Waiting& job : moved) {
    Lane& lane = lanes_[job.lane];
    if (stale_on_disk(job.id) || ready_position(job) > lane.known) continue;
    if (lane.jobs.size() < tuning_.window || lane.jobs.contains(job)) {
      enter_lane(job);
    } else {
      const auto behind = lane.jobs.lower_bound(job);
      lane.known = behind == lane.jobs.begin() ? ReadyPosition::before_all() : ready_position(*std::prev(behind));
    }
  }
}

void JobIndex::Impl::promote(FutureClock clock, FuturePosition limit) {
  while (frontiers_.of(clock) < limit) {
    Writes writes;
    std::vector<Waiting> moved;
    Frontiers next = frontiers_;
    // What the overlay superseded moves along: its place in LMDB is told by the frontier, too.
    next.of(clock) = plan_promotion(clock, limit, true, writes, moved);
    put_record(writes, Table::meta, meta::frontiers, next);
    writes.sort();
    lmdb_.write([&](lmdb::WriteTransaction& transaction) { writes.carry_out(transaction); });
    frontiers_ = next;
    settle_promoted(moved);
  }
  future(clock).known = std::max(future(clock).known, limit);
}

// ---- planning -----------------------------------------------------------------------------------------------------

void JobIndex::Impl::plan_listing(const CachedJob& entry, const Frontiers& next, Writes& writes) const {
  const Sequence id = entry.job.id.sequence;
  const std::optional<Listing> now = entry.erased ? std::nullopt : std::optional(listing(entry.job));
  const Place before = entry.listed ? place_of(id, *entry.listed, frontiers_) : Place();
  const Place after = now ? place_of(id, *now, next) : Place();
  if (before.table && !before.same_key(after)) writes[*before.table].erase(before.key);
  if (after.table && before != after) writes[*after.table].put(after.key, after.value);

  const auto is_in = [](const std::vector<keys::Key>& on, std::string_view key) {
    return std::any_of(on.begin(), on.end(), [&](const keys::Key& other) { return std::string_view(other) == key; });
  };
  const std::vector<keys::Key> was_on = shelf_keys(id, entry.listed);
  const std::vector<keys::Key> is_on = shelf_keys(id, now);
  for (const keys::Key& key : was_on) {
    if (!is_in(is_on, key)) writes[Table::shelves].erase(key);
  }
  for (const keys::Key& key : is_on) {
    if (!is_in(was_on, key)) writes[Table::shelves].put(key, {});
  }
  plan_deadlines(id, entry.listed ? entry.listed->ends : Deadlines(), now ? now->ends : Deadlines(), writes);
  plan_family(id, entry.listed, now, writes);

  const bool same_state =
      entry.listed && now && entry.listed->state == now->state && entry.listed->spec->queue == now->spec->queue;
  if (same_state) return;
  if (entry.listed) writes[Table::states].erase(state_key(id, *entry.listed));
  if (now) writes[Table::states].put(state_key(id, *now), {});
}

void JobIndex::Impl::plan_keys(Writes& writes) const {
  for (const auto& [key, holder] : keys_) {
    const keys::Key unique = keys::unique(NameId(key.number), key.text);
    if (holder) {
      writes[Table::keys].put(unique, keys::number(*holder));
    } else {
      writes[Table::keys].erase(unique);
    }
  }
}

void JobIndex::Impl::plan_requests(Writes& writes) const {
  for (const auto& [text, entry] : requests_) {
    if (!entry.dirty) continue;
    const NameId client(text.number);
    const keys::Key key = keys::request(client, text.text);
    if (std::optional<std::string_view> bytes = lmdb_.get(Table::requests, key)) {
      RequestRecord before;
      if (!record::unseal(Table::requests, key, *bytes) || !record::decode(*bytes, before)) {
        damaged(Table::requests, "a request does not read");
      }
      if (!entry.erased && before.recorded_at == entry.request.recorded_at) {
        put_record(writes, Table::requests, key, entry.request);
        continue;
      }
      writes[Table::requests_by_time].erase(keys::request_by_time(before.recorded_at, client, text.text));
    }
    if (entry.erased) {
      writes[Table::requests].erase(key);
    } else {
      put_record(writes, Table::requests, key, entry.request);
      writes[Table::requests_by_time].put(keys::request_by_time(entry.request.recorded_at, client, text.text), {});
    }
  }
}

void JobIndex::Impl::plan_prune(BookTime before, Writes& writes) const {
  std::size_t pruned = 0;
  lmdb::Cursor cursor = lmdb_.cursor(Table::requests_by_time);
  for (bool more = cursor.first(); more && pruned < pruned_requests_max; more = cursor.next()) {
    keys::KeyReader reader(cursor.key());
    if (BookTime(Duration(reader.i64())) >= before) break;
    const NameId client(reader.u32());
    const auto cached = requests_.find(NumberedTextView(client.value(), reader.rest()));
    if (cached != requests_.end() && cached->second.dirty) continue;  // planned already
    writes[Table::requests_by_time].erase(cursor.key());
    writes[Table::requests].erase(keys::request(client, reader.rest()));
    ++pruned;
  }
}

void JobIndex::Impl::plan_others(Writes& writes) const {
  plan_ended(writes);
  plan_entities(queues_dirty_, queues_, Table::queues, writes);
  plan_entities(groups_dirty_, groups_, Table::groups, writes);
  plan_entities(workers_dirty_, workers_, Table::workers, writes);
  plan_entities(names_dirty_, names_, Table::names, writes);
  for (const NameId id : recurring_dirty_) {
    if (const Recurring* recurring = recurring_.find(id)) {
      put_record(writes, Table::recurring, key_of(id), *recurring);
    } else {
      writes[Table::recurring].erase(key_of(id));
    }
  }
  for (const NameId queue : counts_dirty_) {
    keys::Key value;
    for (const std::uint64_t count : counts_.at(queue)) value.add(count);
    writes[Table::counts].put(keys::number(queue), value);
  }
  if (holds_dirty_) {
    std::vector<Hold> holds;
    for (const auto& [id, hold] : holds_) holds.push_back(hold);
    put_record(writes, Table::meta, meta::holds, holds);
  }
  if (settings_dirty_) {
    std::vector<Setting> settings;
    for (const auto& [key, setting] : settings_) settings.push_back(setting);
    put_record(writes, Table::meta, meta::settings, settings);
  }
}

void JobIndex::Impl::plan_meta(const IndexMark& mark, const Frontiers& frontiers, Writes& writes) const {
  put_record(writes, Table::meta, meta::mark, mark);
  put_record(writes, Table::meta, meta::frontiers, frontiers);
  put_record(writes, Table::meta, meta::book, book_);
}

// ---- writing ------------------------------------------------------------------------------------------------------

std::size_t JobIndex::Impl::unprojected() const {
  return dirty_jobs_.size() + dirty_requests_ + queues_dirty_.size() + groups_dirty_.size() + workers_dirty_.size() +
         names_dirty_.size() + recurring_dirty_.size() + (settings_dirty_ ? 1 : 0) + (holds_dirty_ ? 1 : 0) +
         (book_dirty_ ? 1 : 0);
}

void JobIndex::Impl::project(const IndexMark& durable, const Moment& now) {
  Writes writes;
  Frontiers next = frontiers_;
  std::vector<Waiting> moved;
  for (const FutureClock clock : {FutureClock::wall, FutureClock::book}) {
    // Not past the moment of the last `advance`: the lanes of memory are as of then.
    const std::int64_t time = clock == FutureClock::wall ? micros(now_.wall) : micros(now_.book);
    if (const auto limit = FuturePosition::end_of(time); frontiers_.of(clock) < limit) {
      next.of(clock) = plan_promotion(clock, limit, false, writes, moved);
    }
  }
  const std::vector<Sequence> ids = dirty_in_order();
  for (const Sequence id : ids) plan_listing(jobs_.at(id), next, writes);
  plan_keys(writes);
  plan_requests(writes);
  // As the other stores forget: by the book's own time. Never ahead of the caller's.
  plan_prune(std::min(now.book, book_.book_time(book_.head_boot)) - limits::request_window, writes);
  plan_others(writes);
  plan_meta(durable, next, writes);
  writes.sort();

  lmdb_.write([&](lmdb::WriteTransaction& transaction) {
    writes.carry_out(transaction);
    write_jobs(transaction, ids);
  });

  frontiers_ = next;
  mark_ = durable;
  settle_projected(ids);
  settle_promoted(moved);
  cut_windows();
  evict();
}

void JobIndex::Impl::write_jobs(lmdb::WriteTransaction& transaction, const std::vector<Sequence>& ids) const {
  std::string record;
  const auto put = [&](Table table, Sequence id, const auto& entity) {
    const keys::Key key = keys::number(id);
    record::encode(entity, record);
    record::seal(table, key, record);
    if (id > last_listed_) {
      transaction.append(table, key, record);
    } else {
      transaction.put(table, key, record);
    }
  };
  for (const Sequence id : ids) {
    const CachedJob& entry = jobs_.at(id);
    if (!entry.erased) {
      put(Table::jobs, id, entry.job);
      if (!entry.listed || entry.listed->spec != entry.job.spec) put(Table::specs, id, *entry.job.spec);
    } else if (entry.listed) {
      transaction.erase(Table::jobs, keys::number(id));
      transaction.erase(Table::specs, keys::number(id));
    }
  }
}

void JobIndex::Impl::settle_projected(const std::vector<Sequence>& ids) {
  for (const Sequence id : ids) {
    const auto entry = jobs_.find(id);
    if (entry->second.erased || is_final(entry->second.job.state)) {
      jobs_.erase(entry);  // seldom asked for again
    } else {
      entry->second.listed = listing(entry->second.job);
      entry->second.dirty = false;
    }
  }
  if (!ids.empty()) last_listed_ = std::max(last_listed_, ids.back());
  dirty_jobs_.clear();
  for (auto& shelf : shelves_) shelf.clear();
  settle_deadlines();
  families_.dirty.clear();
  families_.ended_dirty.clear();
  keys_.clear();
  requests_.clear();
  dirty_requests_ = 0;
  queues_dirty_.clear();
  groups_dirty_.clear();
  workers_dirty_.clear();
  names_dirty_.clear();
  recurring_dirty_.clear();
  counts_dirty_.clear();
  settings_dirty_ = holds_dirty_ = book_dirty_ = false;
}

}  // namespace daybook
