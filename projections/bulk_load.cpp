// SPDX-License-Identifier: Apache-2.0

// Bulk load: a whole state into empty tables. Everything is appended in key order, in transactions of bounded size; the
// mark comes in the last one, so that what was cut short is not taken for an index.

#include <array>
#include <string>

#include "daybook/core/conflict.hpp"
#include "daybook/core/state.hpp"
#include "impl.hpp"
#include "keys.hpp"
#include "record.hpp"

namespace daybook {
namespace {

constexpr std::size_t entries_per_transaction = 100'000;

template <class Entity>
void append_record(lmdb::WriteTransaction& transaction, Table table, std::string_view key, const Entity& entity,
                   std::string& record) {
  record::encode(entity, record);
  record::seal(table, key, record);
  transaction.append(table, key, record);
}

// Jobs are written from where they stand; only their listings are collected and sorted.
void list(const Job& job, const Frontiers& frontiers, Writes& writes) {
  const Sequence id = job.id.sequence;
  const JobSpec& spec = *job.spec;
  if (job.state == JobState::waiting) {
    const Waiting entry = waiting(job);
    if (frontiers.passed(entry)) {
      writes[Table::ready].put(keys::ready(entry.lane, ready_position(entry)), keys::ready_value(entry));
    } else {
      writes[future_table(clock_of(entry.due))].put(keys::future(future_position(entry)), keys::future_value(entry));
    }
  }
  if (const auto end = listing(job).lease_end) writes[Table::leases].put(keys::lease(*end, id), {});
  for (std::size_t i = 0; i < shelves; ++i) {
    const auto shelf = static_cast<Shelf>(i);
    if (const auto position = position_on(shelf, job)) writes[Table::shelves].put(keys::shelf(shelf, *position), {});
  }
  if (holds_key(job)) {
    writes[Table::keys].put(keys::unique(spec.queue, spec.unique_key), keys::number(id));
  }
  writes[Table::states].put(keys::state(spec.queue, job.state, id), {});
}

}  // namespace

void JobIndex::Impl::fill(const State& state, const IndexMark& mark) {
  book_ = state.book();
  // What is due by the head's own times goes to the lanes at once; the rest follows with the first `advance`.
  frontiers_.wall = FuturePosition::end_of(micros(book_.head_wall));
  frontiers_.book = FuturePosition::end_of(micros(book_.book_time(book_.head_boot)));

  Writes writes;
  std::vector<const Job*> jobs;
  state.each_job([&](const Job& job) {
    jobs.push_back(&job);
    list(job, frontiers_, writes);
    plan_deadlines(job.id.sequence, {}, deadlines(job), writes);
    plan_family(job.id.sequence, std::nullopt, listing(job), writes);
    ++counts_[job.spec->queue][static_cast<std::size_t>(job.state)];
    counts_dirty_.insert(job.spec->queue);
  });
  for (const Sequence id : state.unsettled(SIZE_MAX)) mark_ended(state.job(id)->awaits, true);
  state.each_queue([&](const Queue& queue) {
    queues_.emplace(queue.id, queue);
    queues_dirty_.insert(queue.id);
  });
  state.each_group([&](const Group& group) {
    groups_.emplace(std::pair(group.queue, group.id), group);
    groups_dirty_.emplace(group.queue, group.id);
  });
  for (const NameId id : state.workers()) {
    workers_.emplace(id, *state.worker(id));
    workers_dirty_.insert(id);
  }
  state.each_name([&](const Name& name) {
    names_.emplace(name.id, name);
    names_dirty_.insert(name.id);
  });
  state.each_request([&](const RequestRecord& request) { put_request(request); });
  state.each_setting([&](const Setting& setting) { settings_.emplace(setting.key, setting); });
  settings_dirty_ = true;
  state.each_hold([&](const Hold& hold) { holds_.emplace(hold.id, hold); });
  holds_dirty_ = true;
  state.each_recurring([&](const Recurring& recurring) {
    recurring_dirty_.insert(recurring.id);
    recurring_.put(recurring);
  });

  for (std::size_t from = 0; from < jobs.size(); from += entries_per_transaction) {
    lmdb_.write([&](lmdb::WriteTransaction& transaction) {
      std::string record;
      for (std::size_t i = from; i < std::min(from + entries_per_transaction, jobs.size()); ++i) {
        const keys::Key key = keys::number(jobs[i]->id.sequence);
        append_record(transaction, Table::jobs, key, *jobs[i], record);
        append_record(transaction, Table::specs, key, *jobs[i]->spec, record);
      }
    });
  }
  for (const Table table :
       {Table::future_wall, Table::future_book, Table::ready, Table::leases, Table::keys, Table::states, Table::shelves,
        Table::deadlines_wall, Table::deadlines_book, Table::families}) {
    SortedWrites& entries = writes[table];
    entries.sort();
    for (std::size_t from = 0; from < entries.size(); from += entries_per_transaction) {
      lmdb_.write([&](lmdb::WriteTransaction& transaction) {
        entries.append(transaction, table, from, entries_per_transaction);
      });
    }
  }
  Writes rest;
  plan_requests(rest);
  plan_others(rest);
  plan_meta(mark, frontiers_, rest);
  rest.sort();
  lmdb_.write([&](lmdb::WriteTransaction& transaction) { rest.carry_out(transaction); });
}

}  // namespace daybook
