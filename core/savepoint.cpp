// SPDX-License-Identifier: Apache-2.0
#include "savepoint.hpp"

#include <string>
#include <utility>

namespace daybook {

void Savepoint::roll_back(std::size_t mark) {
  while (undo_.size() > mark) {
    undo_.back()(below_);
    undo_.pop_back();
  }
}

void Savepoint::commit() {
  for (RequestRecord& request : requests_) below_.put(std::move(request));
  if (book_) below_.put(*book_);
  requests_.clear();
  book_.reset();
  undo_.clear();
}

const RequestRecord* Savepoint::request(NameId client, std::string_view id) const {
  for (const RequestRecord& request : requests_) {
    if (request.client == client && request.id == id) return &request;
  }
  return below_.request(client, id);
}

template <class Entity, class Erase>
void Savepoint::keep(const Entity* before, Erase erase) {
  if (before) {
    undo_.emplace_back([was = *before](Store& store) { store.put(was); });
  } else {
    undo_.emplace_back(std::move(erase));
  }
}

void Savepoint::put(const Book& book) {
  undo_.emplace_back([this, was = book_](Store&) { book_ = was; });
  book_ = book;
}

void Savepoint::put(Job job) {
  keep(below_.job(job.id.sequence), [id = job.id.sequence](Store& store) { store.erase_job(id); });
  below_.put(std::move(job));
}

void Savepoint::put(Queue queue) {
  keep(below_.queue(queue.id), [id = queue.id](Store& store) { store.erase_queue(id); });
  below_.put(queue);
}

void Savepoint::put(Group group) {
  keep(below_.group(group.queue, group.id),
       [queue = group.queue, id = group.id](Store& store) { store.erase_group(queue, id); });
  below_.put(group);
}

void Savepoint::put(Worker worker) {
  keep(below_.worker(worker.id), [id = worker.id](Store& store) { store.erase_worker(id); });
  below_.put(std::move(worker));
}

void Savepoint::put(Name name) {
  keep(below_.name(name.id), [id = name.id](Store& store) { store.erase_name(id); });
  below_.put(std::move(name));
}

void Savepoint::put(RequestRecord request) {
  undo_.emplace_back([this, was = requests_](Store&) { requests_ = was; });
  std::erase_if(requests_, [&](const RequestRecord& r) { return r.client == request.client && r.id == request.id; });
  requests_.push_back(std::move(request));
}

void Savepoint::put(Setting setting) {
  keep(below_.setting(setting.key), [key = setting.key](Store& store) { store.erase_setting(key); });
  below_.put(std::move(setting));
}

void Savepoint::put(Hold hold) {
  keep(below_.hold(hold.id), [id = hold.id](Store& store) { store.erase_hold(id); });
  below_.put(std::move(hold));
}

void Savepoint::put(Recurring recurring) {
  keep(below_.recurring(recurring.id), [id = recurring.id](Store& store) { store.erase_recurring(id); });
  below_.put(std::move(recurring));
}

void Savepoint::erase_recurring(NameId id) {
  keep(below_.recurring(id), [](Store&) {});
  below_.erase_recurring(id);
}

void Savepoint::erase_hold(Sequence id) {
  keep(below_.hold(id), [](Store&) {});
  below_.erase_hold(id);
}

void Savepoint::erase_worker(NameId id) {
  keep(below_.worker(id), [](Store&) {});
  below_.erase_worker(id);
}

void Savepoint::erase_group(NameId queue, NameId id) {
  keep(below_.group(queue, id), [](Store&) {});
  below_.erase_group(queue, id);
}

void Savepoint::erase_job(Sequence id) {
  keep(below_.job(id), [](Store&) {});
  below_.erase_job(id);
}

void Savepoint::erase_queue(NameId id) {
  keep(below_.queue(id), [](Store&) {});
  below_.erase_queue(id);
}

void Savepoint::erase_name(NameId id) {
  keep(below_.name(id), [](Store&) {});
  below_.erase_name(id);
}

void Savepoint::erase_request(NameId client, std::string_view id) {
  keep(below_.request(client, id), [](Store&) {});
  below_.erase_request(client, id);
}

void Savepoint::erase_setting(std::string_view key) {
  keep(below_.setting(key), [](Store&) {});
  below_.erase_setting(key);
}

}  // namespace daybook
