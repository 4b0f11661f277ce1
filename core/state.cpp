// SPDX-License-Identifier: Apache-2.0
// State puts the tables together: jobs with their orders (job_table), and the few small ones. Requests are kept in the
// order they came, so that those older than the window fall off the front as the book's head moves on.
#include "daybook/core/state.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <string>
#include <unordered_map>

#include "daybook/core/limits.hpp"
#include "daybook/core/recurring_table.hpp"
#include "job_table.hpp"
#include "scoped_text.hpp"

namespace daybook {

struct State::Tables {
  using Requests = std::list<RequestRecord>;

  Book book;
  JobTable jobs;
  std::map<NameId, Queue> queues;
  std::map<std::pair<NameId, NameId>, Group> groups;  // by (queue, id)
  std::map<NameId, Worker> workers;
  std::unordered_map<NameId, Name> names;
  ByScopedText<NameId> names_by_text;
  std::map<std::string, Setting, std::less<>> settings;
  std::map<Sequence, Hold> holds;
  RecurringTable recurring;
  Requests requests;  // oldest first, as far as they came in order
  ByScopedText<Requests::iterator> requests_by_id;
  BookTime newest = BookTime::min();  // that a book or a request carried

  void erase_name(NameId id);
  void prune_requests();
};

namespace {

template <class Table, class Key>
auto* find_in(Table& table, const Key& key) {
  const auto found = table.find(key);
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace

void State::Tables::erase_name(NameId id) {
  const auto found = names.find(id);
  if (found == names.end()) {
    return;
  }
  const Name& name = found->second;
  const auto by_text = names_by_text.find(ScopedTextView{static_cast<std::uint32_t>(name.sort), name.text});
  if (by_text != names_by_text.end() && by_text->second == id) {
    names_by_text.erase(by_text);
  }
  names.erase(found);
}

void State::Tables::prune_requests() {
  // Within the first window since the beginning of book time nothing can be too old, and the difference might overflow.
  while (!requests.empty() && newest.time_since_epoch() > limits::request_window &&
         requests.front().recorded_at < newest - limits::request_window) {
    const RequestRecord& oldest = requests.front();
    requests_by_id.erase(requests_by_id.find(ScopedTextView{oldest.client.value(), oldest.id}));
    requests.pop_front();
  }
}

State::State() : tables_(std::make_unique<Tables>()) {}
State::~State() = default;
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;

const Book& State::book() const {
  return tables_->book;
}

const Job* State::job(Sequence id) const {
  return tables_->jobs.find(id);
}

const Queue* State::queue(NameId id) const {
  return find_in(tables_->queues, id);
}

const Group* State::group(NameId queue, NameId id) const {
  return find_in(tables_->groups, std::pair(queue, id));
}

const Worker* State::worker(NameId id) const {
  return find_in(tables_->workers, id);
}

const Name* State::name(NameId id) const {
  return find_in(tables_->names, id);
}

std::optional<NameId> State::find_name(NameSort sort, std::string_view text) const {
  const NameId* id = find_in(tables_->names_by_text, ScopedTextView{static_cast<std::uint32_t>(sort), text});
  return id == nullptr ? std::nullopt : std::optional(*id);
}

const Setting* State::setting(std::string_view key) const {
  return find_in(tables_->settings, key);
}

const Hold* State::hold(Sequence id) const {
  return find_in(tables_->holds, id);
}

const Recurring* State::recurring(NameId id) const {
  return tables_->recurring.find(id);
}

std::vector<NameId> State::due_recurring(Instant now, std::size_t limit) const {
  return tables_->recurring.due(now, limit);
}

std::optional<Sequence> State::key_holder(NameId queue, std::string_view key) const {
  return tables_->jobs.key_holder(queue, key);
}

const RequestRecord* State::request(NameId client, std::string_view id) const {
  const auto* found = find_in(tables_->requests_by_id, ScopedTextView{client.value(), id});
  return found == nullptr ? nullptr : &**found;
}

std::vector<Sequence> State::ready(const ReadyQuery& query) const {
  return tables_->jobs.ready(query);
}

std::optional<NameId> State::next_group(const GroupQuery& query, NameId from) const {
  return tables_->jobs.next_group(query, from);
}

std::uint64_t State::running_in(NameId queue) const {
  return tables_->jobs.running_in(queue);
}

std::uint64_t State::running_in(NameId queue, NameId group) const {
  return tables_->jobs.running_in(queue, group);
}

std::vector<Sequence> State::expired(BookTime now, std::size_t limit) const {
  return tables_->jobs.expired(now, limit);
}

std::vector<ShelfPosition> State::aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                       std::size_t limit) const {
  return tables_->jobs.aged(shelf, behind, until, limit);
}

std::vector<Sequence> State::overdue(const Moment& now, std::size_t limit) const {
  return tables_->jobs.overdue(now, limit);
}

std::vector<Sequence> State::unsettled(std::size_t limit) const {
  return tables_->jobs.families().unsettled(limit);
}

bool State::has_open_children(Sequence parent) const {
  return tables_->jobs.families().has_open_children(parent);
}

std::vector<Sequence> State::children(Sequence parent, std::size_t limit) const {
  return tables_->jobs.families().children(parent, limit);
}

std::vector<Sequence> State::running() const {
  return tables_->jobs.running();
}

std::vector<NameId> State::workers() const {
  std::vector<NameId> ids;
  for (const auto& [id, worker] : tables_->workers) {
    ids.push_back(id);
  }
  return ids;
}

Timers State::timers() const {
  Timers timers = tables_->jobs.timers();
  timers.recurring = tables_->recurring.next();
  return timers;
}

Counts State::counts() const {
  return tables_->jobs.counts();
}

void State::each_job(const std::function<void(const Job&)>& visit) const {
  tables_->jobs.each(visit);
}

void State::each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) const {
  tables_->jobs.each_after(after, visit);
}

void State::each_queue(const std::function<void(const Queue&)>& visit) const {
  for (const auto& [id, queue] : tables_->queues) {
    visit(queue);
  }
}

void State::each_group(const std::function<void(const Group&)>& visit) const {
  for (const auto& [id, group] : tables_->groups) {
    visit(group);
  }
}

void State::each_name(const std::function<void(const Name&)>& visit) const {
  const std::map<NameId, Name> sorted(tables_->names.begin(), tables_->names.end());
  for (const auto& [id, name] : sorted) {
    visit(name);
  }
}

void State::each_request(const std::function<void(const RequestRecord&)>& visit) const {
  std::vector<const RequestRecord*> sorted;
  for (const RequestRecord& request : tables_->requests) {
    sorted.push_back(&request);
  }
  std::sort(sorted.begin(), sorted.end(), [](const RequestRecord* a, const RequestRecord* b) {
    return std::tie(a->client, a->id) < std::tie(b->client, b->id);
  });
  for (const RequestRecord* request : sorted) {
    visit(*request);
  }
}

void State::each_setting(const std::function<void(const Setting&)>& visit) const {
  for (const auto& [key, setting] : tables_->settings) {
    visit(setting);
  }
}

void State::each_hold(const std::function<void(const Hold&)>& visit) const {
  for (const auto& [id, hold] : tables_->holds) {
    visit(hold);
  }
}

void State::each_recurring(const std::function<void(const Recurring&)>& visit) const {
  tables_->recurring.each(visit);
}

void State::advance(const Moment& now) {
  tables_->jobs.advance(now);
}

void State::put(const Book& book) {
  tables_->book = book;
  tables_->newest = std::max(tables_->newest, book.book_time(book.head_boot));
  tables_->prune_requests();
}

void State::put(Job job) {
  tables_->jobs.put(std::move(job));
}

void State::put(Queue queue) {
  tables_->queues.insert_or_assign(queue.id, queue);
}

void State::put(Group group) {
  tables_->groups.insert_or_assign(std::pair(group.queue, group.id), group);
}

void State::put(Worker worker) {
  const NameId id = worker.id;
  tables_->workers.insert_or_assign(id, std::move(worker));
}

void State::put(Name name) {
  tables_->erase_name(name.id);
  tables_->names_by_text.insert_or_assign(ScopedText(static_cast<std::uint32_t>(name.sort), name.text), name.id);
  const NameId id = name.id;
  tables_->names.emplace(id, std::move(name));
}

void State::put(RequestRecord request) {
  erase_request(request.client, request.id);
  tables_->newest = std::max(tables_->newest, request.recorded_at);
  ScopedText key(request.client.value(), request.id);
  tables_->requests.push_back(std::move(request));
  tables_->requests_by_id.emplace(std::move(key), std::prev(tables_->requests.end()));
}

void State::put(Setting setting) {
  std::string key = setting.key;
  tables_->settings.insert_or_assign(std::move(key), std::move(setting));
}

void State::put(Hold hold) {
  const Sequence id = hold.id;
  tables_->holds.insert_or_assign(id, std::move(hold));
}

void State::put(Recurring recurring) {
  tables_->recurring.put(std::move(recurring));
}

void State::erase_recurring(NameId id) {
  tables_->recurring.erase(id);
}

void State::erase_hold(Sequence id) {
  tables_->holds.erase(id);
}

void State::erase_worker(NameId id) {
  tables_->workers.erase(id);
}

void State::erase_group(NameId queue, NameId id) {
  tables_->groups.erase(std::pair(queue, id));
}

void State::erase_job(Sequence id) {
  tables_->jobs.erase(id);
}

void State::erase_queue(NameId id) {
  tables_->queues.erase(id);
}

void State::erase_name(NameId id) {
  tables_->erase_name(id);
}

void State::erase_request(NameId client, std::string_view id) {
  const auto found = tables_->requests_by_id.find(ScopedTextView{client.value(), id});
  if (found != tables_->requests_by_id.end()) {
    tables_->requests.erase(found->second);
    tables_->requests_by_id.erase(found);
  }
}

void State::erase_setting(std::string_view key) {
  const auto found = tables_->settings.find(key);
  if (found != tables_->settings.end()) {
    tables_->settings.erase(found);
  }
}

}  // namespace daybook
