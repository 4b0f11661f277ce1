// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/state_hash.hpp"

#include <map>
#include <set>
#include <utility>

#include "each_entity.hpp"
#include "entity_codec.hpp"

// What is touched for the first time since the hash was asked leaves the sum as it was before, and comes back as it is when
// the hash is asked again: a job of many events is hashed once. Requests also leave it as they grow old.

namespace daybook {

Hash state_hash(const View& view) {
  EntityEncoder encoder;
  HashSum sum;
  each_entity(view, [&](const auto& entity) { sum.add(entity_hash(encoder.encode(entity))); });
  return sum.value();
}

struct HashedState::Sum {
  EntityEncoder encoder;
  HashSum sum;  // of what is not touched, without the book
  std::set<Sequence> jobs;
  std::set<NameId> queues;
  std::set<std::pair<NameId, NameId>> groups;  // by (queue, id)
  std::set<NameId> workers;
  std::set<NameId> names;
  std::set<std::string, std::less<>> settings;
  std::set<Sequence> holds;
  std::set<NameId> schedules;
  std::multimap<BookTime, Hash> requests;  // those in the sum, by when they were recorded

  template <class Entity>
  Hash hash_of(const Entity& entity) {
    return entity_hash(encoder.encode(entity));
  }

  template <class Keys, class Key, class Entity>
  void touch(Keys& touched, const Key& key, const Entity* before) {
    if (!touched.insert(key).second) return;
    if (before != nullptr) sum.subtract(hash_of(*before));
  }

  template <class Keys, class Find>
  void settle(Keys& touched, Find find) {
    for (const auto& key : touched) {
      if (const auto* now = find(key)) sum.add(hash_of(*now));
    }
    touched.clear();
  }

  void add(const RequestRecord& request) {
    const Hash hash = hash_of(request);
    sum.add(hash);
    requests.emplace(request.recorded_at, hash);
  }

  void remove(const RequestRecord& request) {
    const Hash hash = hash_of(request);
    const auto [begin, end] = requests.equal_range(request.recorded_at);
    const auto found = std::find_if(begin, end, [&](const auto& one) { return one.second == hash; });
    if (found == end) return;
    sum.subtract(hash);
    requests.erase(found);
  }

  void forget_old_requests(BookTime now) {
    while (!requests.empty() && !is_living(requests.begin()->first, now)) {
      sum.subtract(requests.begin()->second);
      requests.erase(requests.begin());
    }
  }
};

HashedState::HashedState(State state) : State(std::move(state)), sum_(std::make_unique<Sum>()) {
  each_entity(*this, [&](const auto& entity) {
    using Entity = std::decay_t<decltype(entity)>;
    if constexpr (std::is_same_v<Entity, RequestRecord>) {
      sum_->add(entity);
    } else if constexpr (!std::is_same_v<Entity, Book>) {
      sum_->sum.add(sum_->hash_of(entity));
    }
  });
}

HashedState::~HashedState() = default;
HashedState::HashedState(HashedState&&) noexcept = default;
HashedState& HashedState::operator=(HashedState&&) noexcept = default;

Hash HashedState::hash() {
  sum_->settle(sum_->jobs, [&](Sequence id) { return job(id); });
  sum_->settle(sum_->queues, [&](NameId id) { return queue(id); });
  sum_->settle(sum_->groups, [&](const auto& id) { return group(id.first, id.second); });
  sum_->settle(sum_->workers, [&](NameId id) { return worker(id); });
  sum_->settle(sum_->names, [&](NameId id) { return name(id); });
  sum_->settle(sum_->settings, [&](const std::string& key) { return setting(key); });
  sum_->settle(sum_->holds, [&](Sequence id) { return hold(id); });
  sum_->settle(sum_->schedules, [&](NameId id) { return recurring(id); });
  sum_->forget_old_requests(book().book_time(book().head_boot));
  HashSum whole = sum_->sum;
  whole.add(sum_->hash_of(book()));
  return whole.value();
}

void HashedState::put(Job job) {
  const Sequence id = job.id.sequence;
  sum_->touch(sum_->jobs, id, State::job(id));
  State::put(std::move(job));
}

void HashedState::put(Queue queue) {
  sum_->touch(sum_->queues, queue.id, State::queue(queue.id));
  State::put(std::move(queue));
}

void HashedState::put(Group group) {
  sum_->touch(sum_->groups, std::pair(group.queue, group.id), State::group(group.queue, group.id));
  State::put(std::move(group));
}

void HashedState::put(Worker worker) {
  sum_->touch(sum_->workers, worker.id, State::worker(worker.id));
  State::put(std::move(worker));
}

void HashedState::put(Name name) {
  sum_->touch(sum_->names, name.id, State::name(name.id));
  State::put(std::move(name));
}

void HashedState::put(RequestRecord request) {
  if (const RequestRecord* known = State::request(request.client, request.id)) sum_->remove(*known);
  sum_->add(request);
  State::put(std::move(request));
}

void HashedState::put(Setting setting) {
  sum_->touch(sum_->settings, setting.key, State::setting(setting.key));
  State::put(std::move(setting));
}

void HashedState::put(Hold hold) {
  sum_->touch(sum_->holds, hold.id, State::hold(hold.id));
  State::put(std::move(hold));
}

void HashedState::put(Recurring recurring) {
  sum_->touch(sum_->schedules, recurring.id, State::recurring(recurring.id));
  State::put(std::move(recurring));
}

void HashedState::erase_worker(NameId id) {
  sum_->touch(sum_->workers, id, worker(id));
  State::erase_worker(id);
}

void HashedState::erase_group(NameId queue, NameId id) {
  sum_->touch(sum_->groups, std::pair(queue, id), group(queue, id));
  State::erase_group(queue, id);
}

void HashedState::erase_hold(Sequence id) {
  sum_->touch(sum_->holds, id, hold(id));
  State::erase_hold(id);
}

void HashedState::erase_recurring(NameId id) {
  sum_->touch(sum_->schedules, id, recurring(id));
  State::erase_recurring(id);
}

void HashedState::erase_job(Sequence id) {
  sum_->touch(sum_->jobs, id, job(id));
  State::erase_job(id);
}

void HashedState::erase_queue(NameId id) {
  sum_->touch(sum_->queues, id, queue(id));
  State::erase_queue(id);
}

void HashedState::erase_name(NameId id) {
  sum_->touch(sum_->names, id, name(id));
  State::erase_name(id);
}

void HashedState::erase_request(NameId client, std::string_view id) {
  if (const RequestRecord* known = request(client, id)) sum_->remove(*known);
  State::erase_request(client, id);
}

void HashedState::erase_setting(std::string_view key) {
  sum_->touch(sum_->settings, std::string(key), setting(key));
  State::erase_setting(key);
}

}  // namespace daybook
