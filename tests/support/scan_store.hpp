// SPDX-License-Identifier: Apache-2.0
#pragma once

// ScanStore: the dumbest Store there can be. It keeps plain maps, derives nothing, and answers each question by looking
// at everything. What it answers is right by reading; other stores are held against it. Slow on purpose.

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "daybook/core/conflict.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

class ScanStore final : public Store {
 public:
  [[nodiscard]] const Book& book() const override { return book_; }
  [[nodiscard]] const Job* job(Sequence id) const override { return at(jobs_, id); }
  [[nodiscard]] const Queue* queue(NameId id) const override { return at(queues_, id); }
  [[nodiscard]] const Group* group(NameId queue, NameId id) const override { return at(groups_, std::pair(queue, id)); }
  [[nodiscard]] const Worker* worker(NameId id) const override { return at(workers_, id); }
  [[nodiscard]] const Name* name(NameId id) const override { return at(names_, id); }
  [[nodiscard]] std::optional<NameId> find_name(NameSort sort, std::string_view text) const override {
    for (const auto& [id, name] : names_) {
      if (name.sort == sort && name.text == text) return id;
    }
    return std::nullopt;
  }
  [[nodiscard]] const Setting* setting(std::string_view key) const override { return at(settings_, std::string(key)); }
  [[nodiscard]] const Hold* hold(Sequence id) const override { return at(holds_, id); }
  [[nodiscard]] const Recurring* recurring(NameId id) const override { return at(recurring_, id); }
  [[nodiscard]] std::vector<NameId> due_recurring(Instant now, std::size_t limit) const override {
    std::vector<std::pair<Instant, NameId>> found;
    for (const auto& [id, one] : recurring_) {
      const auto when = attention_at(one);
      if (when && *when <= now) found.emplace_back(*when, id);
    }
    std::sort(found.begin(), found.end());
    std::vector<NameId> ids;
    for (std::size_t i = 0; i < found.size() && i < limit; ++i) ids.push_back(found[i].second);
    return ids;
  }
  [[nodiscard]] std::optional<Sequence> key_holder(NameId queue, std::string_view key) const override {
    for (const auto& [id, job] : jobs_) {
      if (holds_key(job) && job.spec->queue == queue && job.spec->unique_key == key) return id;
    }
    return std::nullopt;
  }
  [[nodiscard]] const RequestRecord* request(NameId client, std::string_view id) const override {
    return at(requests_, std::pair(client, std::string(id)));
  }

  [[nodiscard]] std::vector<Sequence> ready(const ReadyQuery& query) const override {
    const auto holds = [](const std::vector<NameId>& ids, NameId id) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    std::vector<std::tuple<Priority, Instant, Sequence>> found;
    for (const auto& [id, job] : jobs_) {
      if (job.state == JobState::waiting && is_due(job.due, now_) && holds(query.queues, job.spec->queue) &&
          (query.any_kind || holds(query.kinds, job.spec->kind)) && (!query.group || *query.group == job.spec->group)) {
        found.emplace_back(job.spec->priority, job.due.at, id);
      }
    }
    return first_ids(found, query.limit);
  }
  [[nodiscard]] std::optional<NameId> next_group(const GroupQuery& query, NameId from) const override {
    std::optional<NameId> first;
    for (const auto& [id, job] : jobs_) {
      const bool asked =
          query.any_kind || std::find(query.kinds.begin(), query.kinds.end(), job.spec->kind) != query.kinds.end();
      if (job.state == JobState::waiting && is_due(job.due, now_) && job.spec->queue == query.queue && asked &&
          job.spec->group >= from && (!first || job.spec->group < *first)) {
        first = job.spec->group;
      }
    }
    return first;
  }
  [[nodiscard]] std::uint64_t running_in(NameId queue) const override {
    return static_cast<std::uint64_t>(std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
      return entry.second.state == JobState::running && entry.second.spec->queue == queue;
    }));
  }
  [[nodiscard]] std::uint64_t running_in(NameId queue, NameId group) const override {
    return static_cast<std::uint64_t>(std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
      const Job& job = entry.second;
      return job.state == JobState::running && job.spec->queue == queue && job.spec->group == group;
    }));
  }
  [[nodiscard]] std::vector<Sequence> expired(BookTime now, std::size_t limit) const override {
    std::vector<std::tuple<BookTime, Sequence>> found;
    for (const auto& [id, job] : jobs_) {
      if (job.state == JobState::running && job.lease->ends_at <= now) found.emplace_back(job.lease->ends_at, id);
    }
    return first_ids(found, limit);
  }
  [[nodiscard]] std::vector<ShelfPosition> aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                                std::size_t limit) const override {
    std::vector<ShelfPosition> found;
    for (const auto& [id, job] : jobs_) {
      const bool on = shelf == Shelf::result ? job.result_until.has_value()
                                             : job.state == (shelf == Shelf::completed   ? JobState::completed
                                                             : shelf == Shelf::cancelled ? JobState::cancelled
                                                                                         : JobState::dead);
      if (!on) continue;
      const ShelfPosition position{shelf == Shelf::result ? *job.result_until : *job.finalized_at, id};
      if (position > behind && position.at <= until) found.push_back(position);
    }
    std::sort(found.begin(), found.end());
    if (found.size() > limit) found.resize(limit);
    return found;
  }
  [[nodiscard]] std::vector<Sequence> overdue(const Moment& now, std::size_t limit) const override {
    std::vector<std::tuple<int, std::int64_t, Sequence>> found;
    for (const auto& [id, job] : jobs_) {
      const Deadlines ends = deadlines(job);
      if (ends.wall && *ends.wall <= now.wall) {
        found.emplace_back(0, ends.wall->time_since_epoch().count(), id);
      } else if (ends.book && *ends.book <= now.book) {
        found.emplace_back(1, ends.book->time_since_epoch().count(), id);
      }
    }
    return first_ids(found, limit);
  }
  [[nodiscard]] std::vector<Sequence> unsettled(std::size_t limit) const override {
    std::vector<std::tuple<int, std::uint64_t, Sequence>> found;
    for (const auto& [id, child] : jobs_) {
      const Job* parent = child.state == JobState::awaiting ? job(child.awaits) : nullptr;
      if (parent != nullptr && is_final(parent->state)) found.emplace_back(0, child.awaits.value(), id);
    }
    return first_ids(found, limit);
  }
  [[nodiscard]] bool has_open_children(Sequence parent) const override {
    return std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
      return has_parent(entry.second, parent) && !is_final(entry.second.state);
    });
  }
  [[nodiscard]] std::vector<Sequence> children(Sequence parent, std::size_t limit) const override {
    std::vector<std::tuple<int, Sequence>> found;
    for (const auto& [id, child] : jobs_) {
      if (!has_parent(child, parent)) continue;
      const bool awaits = child.state == JobState::awaiting && child.awaits == parent;
      found.emplace_back(awaits ? 0 : is_final(child.state) ? 2 : 1, id);
    }
    return first_ids(found, limit);
  }
  [[nodiscard]] std::vector<Sequence> running() const override {
    std::vector<Sequence> ids;
    for (const auto& [id, job] : jobs_) {
      if (job.state == JobState::running) ids.push_back(id);
    }
    return ids;
  }
  [[nodiscard]] std::vector<NameId> workers() const override {
    std::vector<NameId> ids;
    for (const auto& [id, worker] : workers_) ids.push_back(id);
    return ids;
  }
  [[nodiscard]] Timers timers() const override {
    Timers timers;
    const auto earlier = [](auto& timer, auto time) { timer = timer ? std::min(*timer, time) : time; };
    for (const auto& [id, job] : jobs_) {
      if (job.state == JobState::running) earlier(timers.lease_end, job.lease->ends_at);
      const Deadlines ends = deadlines(job);
      if (ends.wall) earlier(timers.wall_deadline, *ends.wall);
      if (ends.book) earlier(timers.book_deadline, *ends.book);
      if (job.state != JobState::waiting || is_due(job.due, now_)) continue;
      if (job.due.after) {
        earlier(timers.book_due, *job.due.after);
      } else {
        earlier(timers.wall_due, job.due.at);
      }
    }
    for (const auto& [id, one] : recurring_) {
      if (const auto when = attention_at(one)) earlier(timers.recurring, *when);
    }
    return timers;
  }
  [[nodiscard]] Counts counts() const override {
    Counts counts;
    for (const auto& [id, job] : jobs_) ++counts[{job.spec->queue, job.state}];
    return counts;
  }

  void each_job(const std::function<void(const Job&)>& visit) const override { each(jobs_, visit); }
  void each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) const override {
    for (const auto& [id, job] : jobs_) {
      if (id > after && !visit(job)) return;
    }
  }
  void each_queue(const std::function<void(const Queue&)>& visit) const override { each(queues_, visit); }
  void each_group(const std::function<void(const Group&)>& visit) const override { each(groups_, visit); }
  void each_name(const std::function<void(const Name&)>& visit) const override { each(names_, visit); }
  void each_request(const std::function<void(const RequestRecord&)>& visit) const override { each(requests_, visit); }
  void each_setting(const std::function<void(const Setting&)>& visit) const override { each(settings_, visit); }

  void each_hold(const std::function<void(const Hold&)>& visit) const override { each(holds_, visit); }

  void each_recurring(const std::function<void(const Recurring&)>& visit) const override { each(recurring_, visit); }

  void advance(const Moment& now) override { now_ = now; }
  void put(const Book& book) override { book_ = book; }
  void put(Job job) override { jobs_[job.id.sequence] = job; }
  void put(Queue queue) override { queues_[queue.id] = queue; }
  void put(Group group) override { groups_[{group.queue, group.id}] = group; }
  void put(Worker worker) override { workers_[worker.id] = worker; }
  void put(Name name) override { names_[name.id] = name; }
  void put(RequestRecord request) override { requests_[{request.client, request.id}] = request; }
  void put(Setting setting) override { settings_[setting.key] = setting; }
  void erase_group(NameId queue, NameId id) override { groups_.erase({queue, id}); }
  void put(Hold hold) override { holds_[hold.id] = hold; }
  void put(Recurring recurring) override { recurring_[recurring.id] = recurring; }
  void erase_recurring(NameId id) override { recurring_.erase(id); }
  void erase_worker(NameId id) override { workers_.erase(id); }
  void erase_hold(Sequence id) override { holds_.erase(id); }
  void erase_job(Sequence id) override { jobs_.erase(id); }
  void erase_queue(NameId id) override { queues_.erase(id); }
  void erase_name(NameId id) override { names_.erase(id); }
  void erase_request(NameId client, std::string_view id) override { requests_.erase({client, std::string(id)}); }
  void erase_setting(std::string_view key) override { settings_.erase(std::string(key)); }

 private:
  template <class Table, class Key>
  static const typename Table::mapped_type* at(const Table& table, const Key& key) {
    const auto found = table.find(key);
    return found == table.end() ? nullptr : &found->second;
  }
  static bool has_parent(const Job& child, Sequence parent) {
    const std::vector<JobId>& parents = child.spec->dependencies.parents;
    return std::any_of(parents.begin(), parents.end(), [&](const JobId& id) { return id.sequence == parent; });
  }
  template <class Table, class Visit>
  static void each(const Table& table, const Visit& visit) {
    for (const auto& [key, entity] : table) visit(entity);
  }
  template <class Tuple>
  static std::vector<Sequence> first_ids(std::vector<Tuple>& found, std::size_t limit) {
    std::sort(found.begin(), found.end());
    std::vector<Sequence> ids;
    for (std::size_t i = 0; i < found.size() && i < limit; ++i) ids.push_back(std::get<Sequence>(found[i]));
    return ids;
  }

  Book book_;
  Moment now_;
  std::map<Sequence, Job> jobs_;
  std::map<NameId, Queue> queues_;
  std::map<std::pair<NameId, NameId>, Group> groups_;
  std::map<NameId, Worker> workers_;
  std::map<NameId, Name> names_;
  std::map<std::pair<NameId, std::string>, RequestRecord> requests_;
  std::map<std::string, Setting> settings_;
  std::map<Sequence, Hold> holds_;
  std::map<NameId, Recurring> recurring_;
};

}  // namespace daybook
