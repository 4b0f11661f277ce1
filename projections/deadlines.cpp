// SPDX-License-Identifier: Apache-2.0

// Deadlines: which waiting job a deadline ends next. Most jobs have none, so there is no front in memory as for lanes: what
// changed since the last projection is in memory, the rest is looked up where it stands.

#include "impl.hpp"
#include "keys.hpp"

namespace daybook {
namespace {

Table deadline_table(FutureClock clock) {
  return clock == FutureClock::wall ? Table::deadlines_wall : Table::deadlines_book;
}

template <class Visit>
void each(Sequence id, const Deadlines& ends, const Visit& visit) {
  if (ends.wall) visit(FutureClock::wall, FuturePosition{micros(*ends.wall), id});
  if (ends.book) visit(FutureClock::book, FuturePosition{micros(*ends.book), id});
}

}  // namespace

// A job that is entered is dirty: its entries in LMDB are void.
void JobIndex::Impl::enter_deadlines(const Job& job) {
  each(job.id.sequence, deadlines(job),
       [&](FutureClock clock, FuturePosition position) { deadline_order(clock).dirty.insert(position); });
}

void JobIndex::Impl::leave_deadlines(const Job& job) {
  each(job.id.sequence, deadlines(job),
       [&](FutureClock clock, FuturePosition position) { deadline_order(clock).dirty.erase(position); });
}

std::optional<FuturePosition> JobIndex::Impl::next_deadline(FutureClock clock, FuturePosition after) {
  DeadlineOrder& order = deadline_order(clock);
  std::optional<FuturePosition> next;
  if (const auto found = order.dirty.upper_bound(after); found != order.dirty.end()) next = *found;

  const bool from_the_first = after <= order.passed;
  lmdb::Cursor cursor = lmdb_.cursor(deadline_table(clock));
  for (bool more = cursor.seek(keys::future(std::max(after, order.passed))); more; more = cursor.next()) {
    keys::KeyReader reader(cursor.key());
    FuturePosition position;
    position.due = reader.i64();
    position.id = Sequence(reader.u64());
    if (!reader.whole()) damaged(deadline_table(clock), "a key does not read");
    if (next && *next <= position) break;
    if (position <= std::max(after, order.passed)) continue;
    if (!stale_on_disk(position.id)) return position;
    if (from_the_first) order.passed = position;
  }
  return next;
}

std::vector<Sequence> JobIndex::Impl::overdue(const Moment& now, std::size_t limit) {
  std::vector<Sequence> ids;
  for (const FutureClock clock : {FutureClock::wall, FutureClock::book}) {
    const std::int64_t time = clock == FutureClock::wall ? micros(now.wall) : micros(now.book);
    auto position = next_deadline(clock, FuturePosition::before_all());
    for (; position && position->due <= time && ids.size() < limit; position = next_deadline(clock, *position)) {
      // An entry that rotted must not reach a decision.
      const Job* job = find_job(position->id);
      if (job == nullptr || !is_overdue(*job, now)) {
        damaged(deadline_table(clock), "job " + std::to_string(position->id.value()) + " has no such deadline");
      }
      const auto by_wall = deadlines(*job).wall;
      if (clock == FutureClock::wall || !by_wall || *by_wall > now.wall) ids.push_back(position->id);
    }
  }
  return ids;
}

void JobIndex::Impl::settle_deadlines() {
  deadlines_wall_ = DeadlineOrder();
  deadlines_book_ = DeadlineOrder();
}

void JobIndex::Impl::plan_deadlines(Sequence id, const Deadlines& before, const Deadlines& after, Writes& writes) {
  if (before.wall != after.wall) {
    if (before.wall) writes[Table::deadlines_wall].erase(keys::future({micros(*before.wall), id}));
    if (after.wall) writes[Table::deadlines_wall].put(keys::future({micros(*after.wall), id}), {});
  }
  if (before.book != after.book) {
    if (before.book) writes[Table::deadlines_book].erase(keys::future({micros(*before.book), id}));
    if (after.book) writes[Table::deadlines_book].put(keys::future({micros(*after.book), id}), {});
  }
}

}  // namespace daybook
