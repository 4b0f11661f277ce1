// SPDX-License-Identifier: Apache-2.0
// Keeps the orders of jobs right through every put, by comparing the old job with the new one. Whether a job may change
// that way is not judged here: `apply` does what the log says.
#include "job_table.hpp"

#include <algorithm>
#include <limits>

#include "daybook/core/conflict.hpp"

namespace daybook {
namespace {

constexpr Sequence last_id(std::numeric_limits<Sequence::rep>::max());

bool under_lease(const Job& job) {
  return job.state == JobState::running && job.lease;
}

bool same_lane(const Job& a, const Job& b) {
  return a.spec == b.spec || (a.spec->queue == b.spec->queue && a.spec->kind == b.spec->kind &&
                              a.spec->group == b.spec->group && a.spec->priority == b.spec->priority);
}

std::uint64_t both(NameId queue, NameId group) {
  return std::uint64_t{queue.value()} << 32 | group.value();
}

}  // namespace

const Job* JobTable::find(Sequence id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second.job;
}

void JobTable::put(Job job) {
  const Place place = place_of(job);
  auto [found, is_new] = jobs_.try_emplace(job.id.sequence);
  Entry& entry = found->second;
  if (is_new) {
    entry = Entry{std::move(job), place};
    enter(entry.job, place);
    take_key(entry.job);
    count(entry.job, 1);
    shelve(entry.job);
    families_.enter(entry.job);
    note_family(entry.job);
    return;
  }
  const Job& old = entry.job;
  const bool stays = place == entry.place && old.due == job.due && same_lane(old, job) &&
                     under_lease(old) == under_lease(job) && deadlines(old) == deadlines(job) &&
                     (!under_lease(job) || old.lease->ends_at == job.lease->ends_at);
  if (!stays) {
    leave(old, entry.place);
  }
  const bool same_key =
      holds_key(old) == holds_key(job) &&
      (old.spec == job.spec || (old.spec->queue == job.spec->queue && old.spec->unique_key == job.spec->unique_key));
  if (!same_key) {
    give_key(old);
  }
  const bool same_count =
      old.state == job.state &&
      (old.spec == job.spec || (old.spec->queue == job.spec->queue && old.spec->group == job.spec->group));
  if (!same_count) {
    count(old, -1);
  }
  const bool same_family = is_final(old.state) == is_final(job.state) && old.awaits == job.awaits &&
                           (old.spec == job.spec || old.spec->dependencies == job.spec->dependencies);
  if (!same_family) {
    families_.leave(old);
  }
  unshelve(old);
  entry.job = std::move(job);
  entry.place = place;
  shelve(entry.job);
  if (!same_family) {
    families_.enter(entry.job);
    note_family(entry.job);
  }
  if (!stays) {
    enter(entry.job, place);
  }
  if (!same_key) {
    take_key(entry.job);
  }
  if (!same_count) {
    count(entry.job, 1);
  }
}

void JobTable::erase(Sequence id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) {
    return;
  }
  const Entry& entry = found->second;
  leave(entry.job, entry.place);
  give_key(entry.job);
  count(entry.job, -1);
  unshelve(entry.job);
  families_.leave(entry.job);
  families_.forget_parent(id);
  jobs_.erase(found);
}

void JobTable::advance(const Moment& now) {
  const bool may_demote = now.wall < latest_ready_ || now.book < now_.book;
  now_ = now;
  if (may_demote) {
    demote();
  }
  promote(wall_future_, {now.wall, last_id});
  promote(book_future_, {now.book, last_id});
}

std::optional<Sequence> JobTable::key_holder(NameId queue, std::string_view key) const {
  const auto found = keys_.find(ScopedTextView{queue.value(), key});
  return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Sequence> JobTable::ready(const ReadyQuery& query) const {
  struct Cursor {
    ReadySet::const_iterator next;
    ReadySet::const_iterator end;
  };
  std::vector<Cursor> cursors;
  for (const ReadySet* lane : lanes_of(query)) {
    cursors.push_back({lane->begin(), lane->end()});
  }
  const auto later = [](const Cursor& a, const Cursor& b) { return *b.next < *a.next; };
  std::make_heap(cursors.begin(), cursors.end(), later);
  std::vector<Sequence> ids;
  while (!cursors.empty() && ids.size() < query.limit) {
    std::pop_heap(cursors.begin(), cursors.end(), later);
    Cursor& first = cursors.back();
    ids.push_back(first.next->id);
    if (++first.next == first.end) {
      cursors.pop_back();
    } else {
      std::push_heap(cursors.begin(), cursors.end(), later);
    }
  }
  return ids;
}

std::optional<NameId> JobTable::next_group(const GroupQuery& query, NameId from) const {
  std::optional<NameId> first;
  each_kind(query.queue, query.kinds, query.any_kind, [&](const Groups& groups) {
    auto lane = groups.lower_bound(from);
    if (lane != groups.end() && lane->second.empty()) {
      ++lane;
    }
    if (lane != groups.end() && (!first || lane->first < *first)) {
      first = lane->first;
    }
  });
  return first;
}

std::uint64_t JobTable::running_in(NameId queue) const {
  const auto found = counts_.find(queue);
  return found == counts_.end() ? 0 : found->second[static_cast<std::size_t>(JobState::running)];
}

std::uint64_t JobTable::running_in(NameId queue, NameId group) const {
  const auto found = running_.find(both(queue, group));
  return found == running_.end() ? 0 : found->second;
}

std::vector<Sequence> JobTable::expired(BookTime now, std::size_t limit) const {
  std::vector<Sequence> ids;
  for (const auto& [ends_at, id] : lease_ends_) {
    if (ends_at > now || ids.size() == limit) {
      break;
    }
    ids.push_back(id);
  }
  return ids;
}

std::vector<ShelfPosition> JobTable::aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                          std::size_t limit) const {
  const std::set<ShelfPosition>& all = shelves_[static_cast<std::size_t>(shelf)];
  std::vector<ShelfPosition> found;
  for (auto next = all.upper_bound(behind); next != all.end() && next->at <= until && found.size() < limit; ++next) {
    found.push_back(*next);
  }
  return found;
}

std::vector<Sequence> JobTable::overdue(const Moment& now, std::size_t limit) const {
  std::vector<Sequence> ids;
  for (const auto& [ends_at, id] : wall_deadlines_) {
    if (ends_at > now.wall || ids.size() == limit) {
      break;
    }
    ids.push_back(id);
  }
  for (const auto& [ends_at, id] : book_deadlines_) {
    if (ends_at > now.book || ids.size() == limit) {
      break;
    }
    const auto by_wall = deadlines(*find(id)).wall;
    if (!by_wall || *by_wall > now.wall) {
      ids.push_back(id);
    }
  }
  return ids;
}

std::vector<Sequence> JobTable::running() const {
  std::vector<Sequence> ids;
  ids.reserve(lease_ends_.size());
  for (const auto& [ends_at, id] : lease_ends_) {
    ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

Timers JobTable::timers() const {
  Timers timers;
  if (!wall_future_.empty()) {
    timers.wall_due = wall_future_.begin()->first;
  }
  if (!book_future_.empty()) {
    timers.book_due = book_future_.begin()->first;
  }
  if (!lease_ends_.empty()) {
    timers.lease_end = lease_ends_.begin()->first;
  }
  if (!wall_deadlines_.empty()) {
    timers.wall_deadline = wall_deadlines_.begin()->first;
  }
  if (!book_deadlines_.empty()) {
    timers.book_deadline = book_deadlines_.begin()->first;
  }
  return timers;
}

Counts JobTable::counts() const {
  Counts counts;
  for (const auto& [queue, of_queue] : counts_) {
    for (std::size_t state = 0; state < job_states; ++state) {
      if (of_queue[state] != 0) {
        counts[{queue, static_cast<JobState>(state)}] = of_queue[state];
      }
    }
  }
  return counts;
}

void JobTable::each(const std::function<void(const Job&)>& visit) const {
  std::vector<const Job*> sorted;
  sorted.reserve(jobs_.size());
  for (const auto& [id, entry] : jobs_) {
    sorted.push_back(&entry.job);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Job* a, const Job* b) { return a->id.sequence < b->id.sequence; });
  for (const Job* job : sorted) {
    visit(*job);
  }
}

void JobTable::each_after(Sequence after, const std::function<bool(const Job&)>& visit) const {
  std::vector<const Job*> heap;
  for (const auto& [id, entry] : jobs_) {
    if (id > after) {
      heap.push_back(&entry.job);
    }
  }
  // A few of them are wanted, mostly: sorting all would cost more than it gives.
  const auto later = [](const Job* a, const Job* b) { return a->id.sequence > b->id.sequence; };
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty() && visit(*heap.front())) {
    std::pop_heap(heap.begin(), heap.end(), later);
    heap.pop_back();
  }
}

JobTable::Place JobTable::place_of(const Job& job) const {
  if (job.state != JobState::waiting) {
    return Place::none;
  }
  if (is_due(job.due, now_)) {
    return Place::ready;
  }
  return job.due.after ? Place::book_future : Place::wall_future;
}

void JobTable::enter(const Job& job, Place place) {
  const Sequence id = job.id.sequence;
  switch (place) {
    case Place::none:
      break;
    case Place::ready:
      lanes_[job.spec->queue][job.spec->kind][job.spec->group].insert({job.spec->priority, job.due.at, id});
      if (!job.due.after) {
        latest_ready_ = std::max(latest_ready_, job.due.at);
      }
      break;
    case Place::wall_future:
      wall_future_.emplace(job.due.at, id);
      break;
    case Place::book_future:
      book_future_.emplace(*job.due.after, id);
      break;
  }
  if (under_lease(job)) {
    lease_ends_.emplace(job.lease->ends_at, id);
  }
  const Deadlines ends = deadlines(job);
  if (ends.wall) {
    wall_deadlines_.emplace(*ends.wall, id);
  }
  if (ends.book) {
    book_deadlines_.emplace(*ends.book, id);
  }
}

void JobTable::leave(const Job& job, Place place) {
  const Sequence id = job.id.sequence;
  switch (place) {
    case Place::none:
      break;
    case Place::ready: {
      Groups& groups = lanes_[job.spec->queue][job.spec->kind];
      const auto lane = groups.find(job.spec->group);
      lane->second.erase({job.spec->priority, job.due.at, id});
      if (lane->second.empty() && lane->first != NameId()) {
        groups.erase(lane);
      }
      break;
    }
    case Place::wall_future:
      wall_future_.erase({job.due.at, id});
      break;
    case Place::book_future:
      book_future_.erase({*job.due.after, id});
      break;
  }
  if (under_lease(job)) {
    lease_ends_.erase({job.lease->ends_at, id});
  }
  const Deadlines ends = deadlines(job);
  if (ends.wall) {
    wall_deadlines_.erase({*ends.wall, id});
  }
  if (ends.book) {
    book_deadlines_.erase({*ends.book, id});
  }
}

void JobTable::take_key(const Job& job) {
  if (holds_key(job)) {
    keys_.insert_or_assign(ScopedText(job.spec->queue.value(), job.spec->unique_key), job.id.sequence);
  }
}

void JobTable::give_key(const Job& job) {
  if (!holds_key(job)) {
    return;
  }
  const auto found = keys_.find(ScopedTextView{job.spec->queue.value(), job.spec->unique_key});
  if (found != keys_.end() && found->second == job.id.sequence) {
    keys_.erase(found);
  }
}

void JobTable::count(const Job& job, std::int64_t by) {
  counts_[job.spec->queue][static_cast<std::size_t>(job.state)] += static_cast<std::uint64_t>(by);
  if (job.state == JobState::running && job.spec->group != NameId()) {
    const auto found = running_.try_emplace(both(job.spec->queue, job.spec->group)).first;
    found->second += static_cast<std::uint64_t>(by);
    if (found->second == 0) {
      running_.erase(found);
    }
  }
}

void JobTable::shelve(const Job& job) {
  for (std::size_t i = 0; i < shelves; ++i) {
    if (const auto position = position_on(static_cast<Shelf>(i), job)) shelves_[i].insert(*position);
  }
}

void JobTable::unshelve(const Job& job) {
  for (std::size_t i = 0; i < shelves; ++i) {
    if (const auto position = position_on(static_cast<Shelf>(i), job)) shelves_[i].erase(*position);
  }
}

/// Its own end and that of the parent that it awaits may be to be looked at.
void JobTable::note_family(const Job& job) {
  families_.note_parent(job);
  if (job.awaits == Sequence()) return;
  if (const Job* parent = find(job.awaits)) families_.note_parent(*parent);
}

template <class Key>
void JobTable::promote(std::set<Key>& future, Key last) {
  auto next = future.begin();
  for (; next != future.end() && *next <= last; ++next) {
    Entry& entry = jobs_.find(next->second)->second;
    entry.place = Place::ready;
    enter(entry.job, Place::ready);
  }
  future.erase(future.begin(), next);
}

void JobTable::demote() {
  latest_ready_ = Instant::min();
  for (auto& [queue, lanes] : lanes_) {
    for (auto& [kind, groups] : lanes) {
      for (auto& [group, lane] : groups) {
        demote(lane);
      }
      std::erase_if(groups, [](const auto& lane) { return lane.second.empty() && lane.first != NameId(); });
    }
  }
}

void JobTable::demote(ReadySet& lane) {
  for (auto next = lane.begin(); next != lane.end();) {
    Entry& entry = jobs_.find(next->id)->second;
    const Place place = place_of(entry.job);
    if (place == Place::ready) {
      if (!entry.job.due.after) {
        latest_ready_ = std::max(latest_ready_, next->at);
      }
      ++next;
      continue;
    }
    entry.place = place;
    enter(entry.job, place);
    next = lane.erase(next);
  }
}

/// Shows the groups of each of the kinds, of one that is named twice as often.
template <class Visit>
void JobTable::each_kind(NameId queue, const std::vector<NameId>& kinds, bool any_kind, Visit visit) const {
  const auto of_queue = lanes_.find(queue);
  if (of_queue == lanes_.end()) {
    return;
  }
  if (any_kind) {
    for (const auto& [kind, groups] : of_queue->second) {
      visit(groups);
    }
    return;
  }
  for (const NameId kind : kinds) {
    const auto groups = of_queue->second.find(kind);
    if (groups != of_queue->second.end()) {
      visit(groups->second);
    }
  }
}

/// Each lane once, though the query may name its queue or kind twice; empty ones are left out.
std::vector<const JobTable::ReadySet*> JobTable::lanes_of(const ReadyQuery& query) const {
  std::vector<const ReadySet*> lanes;
  const auto add = [&](const ReadySet& lane) {
    if (!lane.empty()) {
      lanes.push_back(&lane);
    }
  };
  for (const NameId queue : query.queues) {
    each_kind(queue, query.kinds, query.any_kind, [&](const Groups& groups) {
      if (!query.group) {
        for (const auto& [group, lane] : groups) {
          add(lane);
        }
      } else if (const auto lane = groups.find(*query.group); lane != groups.end()) {
        add(lane->second);
      }
    });
  }
  std::sort(lanes.begin(), lanes.end(), std::less<>());
  lanes.erase(std::unique(lanes.begin(), lanes.end()), lanes.end());
  return lanes;
}

}  // namespace daybook
