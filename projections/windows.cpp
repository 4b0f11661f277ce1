// SPDX-License-Identifier: Apache-2.0

// The orders: which waiting job is claimed next, which falls due next. Memory holds the front of each, LMDB the rest;
// what the front lacks is read in chunks when it is reached. impl.hpp says what holds between calls.

#include <algorithm>

#include "impl.hpp"
#include "keys.hpp"
#include "record.hpp"

namespace daybook {
namespace {

bool is_due_at(const Waiting& job, const Moment& now) {
  return job.due.after ? *job.due.after <= now.book : job.due.at <= now.wall;
}

std::int64_t time_of(FutureClock clock, const Moment& now) {
  return clock == FutureClock::wall ? micros(now.wall) : micros(now.book);
}

}  // namespace

bool JobIndex::Impl::due_now(const Waiting& job) const {
  return is_due_at(job, now_);
}

bool JobIndex::Impl::stale_on_disk(Sequence id) const {
  const auto found = jobs_.find(id);
  return found != jobs_.end() && found->second.dirty;
}

void JobIndex::Impl::enter_waiting(const Waiting& job) {
  if (due_now(job)) {
    enter_lane(job);
  } else {
    future(clock_of(job.due)).jobs.insert(job);
  }
}

void JobIndex::Impl::enter_lane(const Waiting& job) {
  Lane& lane = lanes_[job.lane];
  lane.jobs.insert(job);
  if (lane.jobs.size() > tuning_.window) long_lanes_.insert(job.lane);
  if (job.lane.group != NameId()) ++entered_;
}

void JobIndex::Impl::leave_waiting(const Waiting& job) {
  if (due_now(job)) {
    lanes_[job.lane].jobs.erase(job);
  } else {
    future(clock_of(job.due)).jobs.erase(job);
  }
}

// ---- reading on ---------------------------------------------------------------------------------------------------

void JobIndex::Impl::read_lane(LaneId id, Lane& lane) {
  lmdb::Cursor cursor = lmdb_.cursor(Table::ready);
  std::size_t read = 0;
  bool more = cursor.seek(keys::ready(id, lane.known));
  for (; more && read < tuning_.chunk; more = cursor.next()) {
    const std::optional<Waiting> job = keys::parse_ready(cursor.key(), cursor.value());
    if (!job) damaged(Table::ready, "an entry does not read");
    if (job->lane != id) {
      more = false;
      break;
    }
    if (ready_position(*job) == lane.known) continue;
    lane.known = ready_position(*job);
    ++read;
    if (!stale_on_disk(job->id)) enter_waiting(*job);
  }
  if (!more) lane.known = ReadyPosition::after_all();
}

std::size_t JobIndex::Impl::read_future(FutureClock clock) {
  Future& order = future(clock);
  lmdb::Cursor cursor = lmdb_.cursor(future_table(clock));
  std::size_t read = 0;
  bool more = cursor.seek(keys::future(order.known));
  for (; more && read < tuning_.chunk; more = cursor.next()) {
    const std::optional<Waiting> job = keys::parse_future(clock, cursor.key(), cursor.value());
    if (!job) damaged(future_table(clock), "an entry does not read");
    if (future_position(*job) == order.known) continue;
    order.known = future_position(*job);
    ++read;
    if (!stale_on_disk(job->id)) enter_waiting(*job);
  }
  if (!more) order.known = FuturePosition::after_all();
  return read;
}

const Waiting* JobIndex::Impl::next_ready(LaneId id, Lane& lane, ReadyPosition after) {
  while (true) {
    const auto found = lane.jobs.upper_bound(after);
    if (found != lane.jobs.end() && ready_position(*found) <= lane.known) return &*found;
    if (lane.known == ReadyPosition::after_all()) return nullptr;
    read_lane(id, lane);
  }
}

const Waiting* JobIndex::Impl::first_future(FutureClock clock) {
  Future& order = future(clock);
  while (true) {
    const auto found = order.jobs.begin();
    if (found != order.jobs.end() && future_position(*found) <= order.known) return &*found;
    if (order.known == FuturePosition::after_all()) return nullptr;
    read_future(clock);
  }
}

// Every lane that LMDB has, by leaping from one to the next.
void JobIndex::Impl::find_lanes() {
  lmdb::Cursor cursor = lmdb_.cursor(Table::ready);
  for (bool more = cursor.first(); more;) {
    const std::optional<Waiting> job = keys::parse_ready(cursor.key(), cursor.value());
    if (!job) damaged(Table::ready, "an entry does not read");
    lanes_.try_emplace(job->lane);
    more = cursor.seek(keys::ready(job->lane, ReadyPosition::after_all()));
  }
}

// After a projection, when nothing is dirty: what memory lets go of is in LMDB, in the table of its order. Not so while
// jobs that are due wait in a future table for their promotion.
void JobIndex::Impl::cut_windows() {
  const bool promoted = frontiers_.wall >= FuturePosition::end_of(micros(now_.wall)) &&
                        frontiers_.book >= FuturePosition::end_of(micros(now_.book));
  if (promoted) cut_lanes();
  for (Future* order : {&future_wall_, &future_book_}) {
    if (order->jobs.size() <= tuning_.window) continue;
    while (order->jobs.size() > tuning_.window) order->jobs.erase(std::prev(order->jobs.end()));
    order->known = std::min(
        order->known, order->jobs.empty() ? FuturePosition::before_all() : future_position(*order->jobs.rbegin()));
  }
}

// A lane is cut to its window. There is no end to the number of groups, so that many short lanes are let go of, too, once
// they may hold more than windows_of_groups windows together: seldom, for it looks at every lane.
void JobIndex::Impl::cut_lanes() {
  constexpr std::size_t windows_of_groups = 32;
  const auto cut = [](Lane& lane, std::size_t to) {
    if (lane.jobs.size() <= to) return;
    while (lane.jobs.size() > to) lane.jobs.erase(std::prev(lane.jobs.end()));
    lane.known =
        std::min(lane.known, lane.jobs.empty() ? ReadyPosition::before_all() : ready_position(*lane.jobs.rbegin()));
  };
  for (const LaneId& id : long_lanes_) {
    if (const auto lane = lanes_.find(id); lane != lanes_.end()) cut(lane->second, tuning_.window);
  }
  long_lanes_.clear();
  if (entered_ <= windows_of_groups * tuning_.window) return;
  for (auto& [id, lane] : lanes_) {
    if (id.group != NameId()) cut(lane, 0);
  }
  entered_ = 0;
}

// ---- time passes --------------------------------------------------------------------------------------------------

void JobIndex::Impl::advance(const Moment& now) {
  evict();
  if (now.wall < now_.wall || now.book < now_.book) retreat(now);
  now_ = now;
  for (const FutureClock clock : {FutureClock::wall, FutureClock::book}) {
    Future& order = future(clock);
    const FuturePosition limit = FuturePosition::end_of(time_of(clock, now));
    for (std::size_t read = 0; order.known < limit;) {
      // A backlog that would fill memory is moved within LMDB instead.
      if (read >= tuning_.window) {
        promote(clock, limit);
        break;
      }
      read += read_future(clock);
    }
    while (!order.jobs.empty() && future_position(*order.jobs.begin()) <= limit) {
      const auto first = order.jobs.extract(order.jobs.begin());
      enter_lane(first.value());
    }
  }
}

// A clock stepped back: what is due no longer leaves the lanes again. Rare, so it may read much.
void JobIndex::Impl::retreat(const Moment& now) {
  std::vector<Waiting> undue;
  for (auto& [id, lane] : lanes_) {
    std::erase_if(lane.jobs, [&](const Waiting& job) {
      if (is_due_at(job, now)) return false;
      undue.push_back(job);
      return true;
    });
  }
  for (const Waiting& job : undue) future(clock_of(job.due)).jobs.insert(job);

  Frontiers next = frontiers_;
  next.wall = std::min(next.wall, FuturePosition::end_of(micros(now.wall)));
  next.book = std::min(next.book, FuturePosition::end_of(micros(now.book)));
  if (next == frontiers_) return;

  Writes writes;
  plan_retreat(next, writes);
  std::string record;
  record::encode(next, record);
  record::seal(Table::meta, meta::frontiers, record);
  writes[Table::meta].put(meta::frontiers, record);
  writes.sort();
  lmdb_.write([&](lmdb::WriteTransaction& transaction) { writes.carry_out(transaction); });
  frontiers_ = next;
  future_wall_.known = std::min(future_wall_.known, next.wall);
  future_book_.known = std::min(future_book_.known, next.book);
}

void JobIndex::Impl::plan_retreat(const Frontiers& next, Writes& writes) const {
  const bool book_stepped = next.book != frontiers_.book;
  const std::int64_t wall = next.wall.due;
  lmdb::Cursor cursor = lmdb_.cursor(Table::ready);
  for (bool more = cursor.first(); more;) {
    const std::optional<Waiting> job = keys::parse_ready(cursor.key(), cursor.value());
    if (!job) damaged(Table::ready, "an entry does not read");
    if (!next.passed(*job)) {
      writes[Table::ready].erase(cursor.key());
      writes[future_table(clock_of(job->due))].put(keys::future(future_position(*job)), keys::future_value(*job));
    } else if (!book_stepped && micros(job->due.at) < wall) {
      // Within a priority, those that the wall clock may have left behind stand at the end.
      more = cursor.seek(keys::ready(job->lane, {job->priority, wall, Sequence(0)}));
      continue;
    }
    more = cursor.next();
  }
}

// ---- asking -------------------------------------------------------------------------------------------------------

std::set<LaneId> JobIndex::Impl::lanes_of(const ReadyQuery& query) const {
  std::set<LaneId> asked;
  const auto add_from = [&](NameId queue, NameId kind) {  // of any group
    for (auto lane = lanes_.lower_bound({queue, kind, NameId()});
         lane != lanes_.end() && lane->first.queue == queue && lane->first.kind == kind; ++lane) {
      asked.insert(lane->first);
    }
  };
  const auto add = [&](NameId queue, NameId kind) {
    if (query.group) {
      asked.insert({queue, kind, *query.group});
    } else {
      add_from(queue, kind);
    }
  };
  for (const NameId queue : query.queues) {
    for (const NameId kind : query.kinds) add(queue, kind);
    if (!query.any_kind) continue;
    for (auto lane = lanes_.lower_bound({queue, NameId(), NameId()});
         lane != lanes_.end() && lane->first.queue == queue;) {
      const NameId kind = lane->first.kind;
      add(queue, kind);
      lane = lanes_.upper_bound({queue, kind, NameId(~NameId::rep{})});
    }
  }
  return asked;
}

std::vector<Sequence> JobIndex::Impl::ready(const ReadyQuery& query) {
  struct Front {
    ReadyPosition position;
    LaneId id;
    Lane* lane = nullptr;
  };
  const auto later = [](const Front& a, const Front& b) { return a.position > b.position; };
  std::vector<Front> fronts;  // a heap, the next job on top
  for (const LaneId& id : lanes_of(query)) {
    const auto lane = lanes_.find(id);
    if (lane == lanes_.end()) continue;
    if (const Waiting* job = next_ready(id, lane->second, ReadyPosition::before_all())) {
      fronts.push_back({ready_position(*job), id, &lane->second});
    }
  }
  std::make_heap(fronts.begin(), fronts.end(), later);

  std::vector<Sequence> jobs;
  while (!fronts.empty() && jobs.size() < query.limit) {
    std::pop_heap(fronts.begin(), fronts.end(), later);
    Front& front = fronts.back();
    // An entry that rotted must not reach a decision: it would claim what cannot be claimed.
    const Job* named = find_job(front.position.id);
    if (named == nullptr || named->state != JobState::waiting) {
      damaged(Table::ready, "job " + std::to_string(front.position.id.value()) + " does not wait");
    }
    jobs.push_back(front.position.id);
    if (const Waiting* job = next_ready(front.id, *front.lane, front.position)) {
      front.position = ready_position(*job);
      std::push_heap(fronts.begin(), fronts.end(), later);
    } else {
      fronts.pop_back();
    }
  }
  return jobs;
}

// Of one queue and kind. A lane that is found empty on the way is let go of, but for that of no group: there is one of them,
// and no end to groups.
std::optional<NameId> JobIndex::Impl::next_group(LaneId from) {
  for (auto lane = lanes_.lower_bound(from);
       lane != lanes_.end() && lane->first.queue == from.queue && lane->first.kind == from.kind;) {
    if (next_ready(lane->first, lane->second, ReadyPosition::before_all()) != nullptr) return lane->first.group;
    if (lane->first.group == NameId()) {
      ++lane;
    } else {
      lane = lanes_.erase(lane);
    }
  }
  return std::nullopt;
}

std::optional<NameId> JobIndex::Impl::next_group(const GroupQuery& query, NameId from) {
  std::optional<NameId> first;
  const auto look = [&](NameId kind) {
    const std::optional<NameId> group = next_group(LaneId{query.queue, kind, from});
    if (group && (!first || *group < *first)) first = group;
  };
  for (const NameId kind : query.kinds) look(kind);
  if (!query.any_kind) return first;
  constexpr NameId last(~NameId::rep{});
  for (auto lane = lanes_.lower_bound({query.queue, NameId(), NameId()});
       lane != lanes_.end() && lane->first.queue == query.queue;) {
    const NameId kind = lane->first.kind;
    look(kind);  // may erase lanes
    lane = lanes_.upper_bound({query.queue, kind, last});
  }
  return first;
}

std::uint64_t JobIndex::Impl::running_in(NameId queue) const {
  const auto found = counts_.find(queue);
  return found == counts_.end() ? 0 : found->second[static_cast<std::size_t>(JobState::running)];
}

std::uint64_t JobIndex::Impl::running_in(NameId queue, NameId group) const {
  const auto found = running_.find(std::pair(queue, group));
  return found == running_.end() ? 0 : found->second;
}

Timers JobIndex::Impl::timers() {
  Timers timers;
  if (const Waiting* job = first_future(FutureClock::wall)) timers.wall_due = job->due.at;
  if (const Waiting* job = first_future(FutureClock::book)) timers.book_due = job->due.after;
  if (!leases_.empty()) timers.lease_end = leases_.begin()->first;
  if (const auto next = next_deadline(FutureClock::wall, FuturePosition::before_all())) {
    timers.wall_deadline = Instant(Duration(next->due));
  }
  if (const auto next = next_deadline(FutureClock::book, FuturePosition::before_all())) {
    timers.book_deadline = BookTime(Duration(next->due));
  }
  return timers;
}

}  // namespace daybook
