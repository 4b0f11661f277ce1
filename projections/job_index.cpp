// SPDX-License-Identifier: Apache-2.0

// JobIndex from outside: opening under the trust rule, making, closing, and the face of the Store, whose inside is
// impl.hpp. Entities that are few (names, queues, workers, settings) are kept wholly in memory and handled here.

#include "daybook/projections/job_index.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "impl.hpp"
#include "keys.hpp"
#include "record.hpp"

namespace daybook {

// ---- life ---------------------------------------------------------------------------------------------------------

JobIndex::Impl::Impl(trust::Folder folder, const Uuid& boot_id, const IndexTuning& tuning,
                     lmdb::Environment::Tables tables)
    : folder_(std::move(folder)),
      boot_id_(boot_id),
      tuning_(tuning),
      lmdb_(folder_.path(), folder_.shown("data.mdb"), tuning.map_bytes, tables) {}

JobIndex::JobIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JobIndex::~JobIndex() = default;

std::unique_ptr<JobIndex> JobIndex::open(const std::string& path, const Uuid& log_uuid, const Uuid& boot_id,
                                         IndexDistrust& distrust, const IndexTuning& tuning) {
  try {
    std::optional<trust::Folder> folder = trust::Folder::find(path);
    if (!folder) {
      distrust.why = "there is none yet";
      return nullptr;
    }
    const std::optional<trust::StateFile> left = folder->read_state(distrust.why);
    if (!left) return nullptr;
    if (kept("projections.state.log_uuid") && left->log_uuid != log_uuid) {
      distrust.why = "it belongs to the log " + to_string(left->log_uuid) + ", not to " + to_string(log_uuid);
      return nullptr;
    }
    distrust.why = folder->distrust(*left, boot_id);
    if (!distrust.why.empty()) return nullptr;

    auto impl = std::make_unique<Impl>(std::move(*folder), boot_id, tuning, lmdb::Environment::Tables::must_exist);
    impl->load();
    const bool clean = left->status == trust::Status::clean;
    if ((kept("projections.mark.log_uuid") && impl->mark_.log_uuid != log_uuid) ||
        (kept("projections.mark.closed_at") && clean && impl->mark_ != left->mark)) {
      distrust.why = impl->lmdb_.shown() + " does not stand where it was closed";
      return nullptr;
    }
    if (clean && kept("projections.open.mark")) impl->mark_open();
    return std::unique_ptr<JobIndex>(new JobIndex(std::move(impl)));
  } catch (const StorageError& error) {
    distrust.why = error.what();
    return nullptr;
  }
}

std::unique_ptr<JobIndex> JobIndex::create(const std::string& path, const Uuid& boot_id, const State& state,
                                           const IndexMark& mark, const IndexTuning& tuning) {
  trust::Folder folder = trust::Folder::make(path);
  folder.clear();
  folder.make_data();
  auto impl = std::make_unique<Impl>(std::move(folder), boot_id, tuning, lmdb::Environment::Tables::create);
  impl->mark_ = mark;
  impl->mark_open();
  impl->fill(state, mark);
  // Opened anew, what was written is read back, and nothing of the loading stays in memory.
  const std::string where = impl->folder_.path();
  impl.reset();
  std::optional<trust::Folder> made = trust::Folder::find(where);
  if (!made) throw StorageError(Place{where, {}, {}}, 0, "vanished while the index was made");
  impl = std::make_unique<Impl>(std::move(*made), boot_id, tuning, lmdb::Environment::Tables::must_exist);
  impl->load();
  return std::unique_ptr<JobIndex>(new JobIndex(std::move(impl)));
}

void JobIndex::Impl::mark_open() {
  folder_.write_state({trust::Status::open, mark_.log_uuid, boot_id_, folder_.identify_data(), 0, {}});
}

void JobIndex::Impl::close() {
  lmdb_.sync();
  folder_.write_state(
      {trust::Status::clean, mark_.log_uuid, boot_id_, folder_.identify_data(), folder_.data_bytes(), mark_});
}

void JobIndex::Impl::load_meta() {
  std::vector<Setting> settings;
  std::vector<Hold> holds;
  const auto read = [this](const char* key, auto& into) {
    std::optional<std::string_view> bytes = lmdb_.get(Table::meta, key);
    if (!bytes) damaged(Table::meta, std::string(key) + " is missing, as after a load that was cut short");
    if (!record::unseal(Table::meta, key, *bytes) || !record::decode(*bytes, into)) {
      damaged(Table::meta, std::string(key) + " does not read");
    }
  };
  read(meta::mark, mark_);
  read(meta::book, book_);
  read(meta::frontiers, frontiers_);
  read(meta::settings, settings);
  read(meta::holds, holds);
  for (Setting& setting : settings) settings_.emplace(setting.key, setting);
  for (Hold& hold : holds) holds_.emplace(hold.id, hold);
  now_.wall = Instant(Duration(frontiers_.wall.due));
  now_.book = BookTime(Duration(frontiers_.book.due));
}

void JobIndex::Impl::load_entities() {
  const auto each = [this](Table table, auto prototype, const auto& keep) {
    lmdb::Cursor cursor = lmdb_.cursor(table);
    for (bool more = cursor.first(); more; more = cursor.next()) {
      auto entity = prototype;
      keys::KeyReader reader(cursor.key());
      entity.id = NameId(reader.u32());
      std::string_view bytes = cursor.value();
      if (!reader.whole() || !record::unseal(table, cursor.key(), bytes) || !record::decode(bytes, entity)) {
        damaged(table, "an entry does not read");
      }
      keep(std::move(entity));
    }
  };
  each(Table::queues, Queue(), [this](Queue queue) { queues_.emplace(queue.id, queue); });
  each(Table::workers, Worker(), [this](Worker worker) { workers_.emplace(worker.id, std::move(worker)); });
  each(Table::recurring, Recurring(), [this](Recurring recurring) { recurring_.put(std::move(recurring)); });
  each(Table::names, Name(), [this](Name name) {
    names_by_text_.emplace(NumberedText{static_cast<std::uint32_t>(name.sort), name.text}, name.id);
    names_.emplace(name.id, std::move(name));
  });
  lmdb::Cursor groups = lmdb_.cursor(Table::groups);
  for (bool more = groups.first(); more; more = groups.next()) {
    keys::KeyReader reader(groups.key());
    Group group;
    group.queue = NameId(reader.u32());
    group.id = NameId(reader.u32());
    std::string_view bytes = groups.value();
    if (!reader.whole() || !record::unseal(Table::groups, groups.key(), bytes) || !record::decode(bytes, group)) {
      damaged(Table::groups, "an entry does not read");
    }
    groups_.emplace(std::pair(group.queue, group.id), group);
  }
  lmdb::Cursor cursor = lmdb_.cursor(Table::counts);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    keys::KeyReader key(cursor.key());
    keys::KeyReader value(cursor.value());
    for (std::uint64_t& count : counts_[NameId(key.u32())]) count = value.u64();
    if (!key.whole() || !value.whole()) damaged(Table::counts, "an entry does not read");
  }
}

void JobIndex::Impl::load() {
  load_meta();
  load_entities();
  find_lanes();
  load_families();
  if (lmdb::Cursor jobs = lmdb_.cursor(Table::jobs); jobs.last()) {
    last_listed_ = keys::parse_id(jobs.key()).value_or(Sequence(0));
  }
  lmdb::Cursor cursor = lmdb_.cursor(Table::leases);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    keys::KeyReader reader(cursor.key());
    const BookTime end(Duration(reader.i64()));
    const Sequence id(reader.u64());
    const Job* job = find_job(id);
    if (kept("projections.leases.job") &&
        (!reader.whole() || job == nullptr || !job->lease || job->lease->ends_at != end)) {
      damaged(Table::leases, "job " + std::to_string(id.value()) + " is not running");
    }
    leases_.emplace(end, id);
    if (job != nullptr) count_running(*job, 1);
  }
}

IndexMark JobIndex::mark() const {
  return impl_->mark_;
}
void JobIndex::project(const IndexMark& durable, const Moment& now) {
  impl_->project(durable, now);
}
std::size_t JobIndex::unprojected() const {
  return impl_->unprojected();
}
void JobIndex::close() {
  impl_->close();
}
void JobIndex::condemn() noexcept {
  impl_->folder_.forget_state();
  impl_.reset();
}

// ---- View ---------------------------------------------------------------------------------------------------------

namespace {
template <class Entities, class Key>
auto find_in(const Entities& entities, const Key& key) -> const typename Entities::mapped_type* {
  const auto found = entities.find(key);
  return found == entities.end() ? nullptr : &found->second;
}
}  // namespace

const Book& JobIndex::book() const {
  return impl_->book_;
}
const Job* JobIndex::job(Sequence id) const {
  return impl_->find_job(id);
}
const Queue* JobIndex::queue(NameId id) const {
  return find_in(impl_->queues_, id);
}
const Group* JobIndex::group(NameId queue, NameId id) const {
  return find_in(impl_->groups_, std::pair(queue, id));
}
const Worker* JobIndex::worker(NameId id) const {
  return find_in(impl_->workers_, id);
}
const Name* JobIndex::name(NameId id) const {
  return find_in(impl_->names_, id);
}

std::optional<NameId> JobIndex::find_name(NameSort sort, std::string_view text) const {
  const NameId* id = find_in(impl_->names_by_text_, NumberedTextView(static_cast<std::uint32_t>(sort), text));
  return id != nullptr ? std::optional(*id) : std::nullopt;
}

const Setting* JobIndex::setting(std::string_view key) const {
  return find_in(impl_->settings_, key);
}

const Hold* JobIndex::hold(Sequence id) const {
  return find_in(impl_->holds_, id);
}

const Recurring* JobIndex::recurring(NameId id) const {
  return impl_->recurring_.find(id);
}

std::optional<Sequence> JobIndex::key_holder(NameId queue, std::string_view key) const {
  return impl_->find_key(queue, key);
}
const RequestRecord* JobIndex::request(NameId client, std::string_view id) const {
  return impl_->find_request(client, id);
}

std::vector<Sequence> JobIndex::ready(const ReadyQuery& query) const {
  return impl_->ready(query);
}

std::optional<NameId> JobIndex::next_group(const GroupQuery& query, NameId from) const {
  return impl_->next_group(query, from);
}
std::uint64_t JobIndex::running_in(NameId queue) const {
  return impl_->running_in(queue);
}
std::uint64_t JobIndex::running_in(NameId queue, NameId group) const {
  return impl_->running_in(queue, group);
}

std::vector<Sequence> JobIndex::expired(BookTime now, std::size_t limit) const {
  std::vector<Sequence> ids;
  for (const auto& [end, id] : impl_->leases_) {
    if (end > now || ids.size() >= limit) break;
    ids.push_back(id);
  }
  return ids;
}

std::vector<ShelfPosition> JobIndex::aged(Shelf shelf, const ShelfPosition& behind, Instant until,
                                          std::size_t limit) const {
  return impl_->aged(shelf, behind, until, limit);
}

std::vector<Sequence> JobIndex::overdue(const Moment& now, std::size_t limit) const {
  return impl_->overdue(now, limit);
}

std::vector<Sequence> JobIndex::unsettled(std::size_t limit) const {
  return impl_->unsettled(limit);
}
bool JobIndex::has_open_children(Sequence parent) const {
  return !impl_->family(parent, Kinship::open, 1).empty();
}
std::vector<Sequence> JobIndex::children(Sequence parent, std::size_t limit) const {
  return impl_->children(parent, limit);
}

std::vector<NameId> JobIndex::due_recurring(Instant now, std::size_t limit) const {
  return impl_->recurring_.due(now, limit);
}

std::vector<Sequence> JobIndex::running() const {
  std::vector<Sequence> ids;
  for (const auto& [end, id] : impl_->leases_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<NameId> JobIndex::workers() const {
  std::vector<NameId> ids;
  for (const auto& [id, worker] : impl_->workers_) ids.push_back(id);
  return ids;
}

Timers JobIndex::timers() const {
  Timers timers = impl_->timers();
  timers.recurring = impl_->recurring_.next();
  return timers;
}

Counts JobIndex::counts() const {
  Counts counts;
  for (const auto& [queue, by_state] : impl_->counts_) {
    for (std::size_t state = 0; state < by_state.size(); ++state) {
      if (by_state[state] != 0) counts[{queue, static_cast<JobState>(state)}] = by_state[state];
    }
  }
  return counts;
}

void JobIndex::each_job(const std::function<void(const Job&)>& visit) const {
  impl_->each_job(visit);
}
void JobIndex::each_job_after(Sequence after, const std::function<bool(const Job&)>& visit) const {
  impl_->each_job_after(after, visit);
}
void JobIndex::each_job_in(NameId queue, JobState state, const std::function<bool(const Job&)>& visit) const {
  impl_->each_job_in(queue, state, visit);
}
void JobIndex::each_queue(const std::function<void(const Queue&)>& visit) const {
  for (const auto& [id, queue] : impl_->queues_) visit(queue);
}
void JobIndex::each_group(const std::function<void(const Group&)>& visit) const {
  for (const auto& [id, group] : impl_->groups_) visit(group);
}
void JobIndex::each_name(const std::function<void(const Name&)>& visit) const {
  std::map<NameId, const Name*> in_order;
  for (const auto& [id, name] : impl_->names_) in_order.emplace(id, &name);
  for (const auto& [id, name] : in_order) visit(*name);
}
void JobIndex::each_request(const std::function<void(const RequestRecord&)>& visit) const {
  impl_->each_request(visit);
}
void JobIndex::each_setting(const std::function<void(const Setting&)>& visit) const {
  for (const auto& [key, setting] : impl_->settings_) visit(setting);
}
void JobIndex::each_hold(const std::function<void(const Hold&)>& visit) const {
  for (const auto& [id, hold] : impl_->holds_) visit(hold);
}

void JobIndex::each_recurring(const std::function<void(const Recurring&)>& visit) const {
  impl_->recurring_.each(visit);
}

// ---- Store --------------------------------------------------------------------------------------------------------

void JobIndex::advance(const Moment& now) {
  impl_->advance(now);
}

void JobIndex::put(const Book& book) {
  impl_->book_ = book;
  impl_->book_dirty_ = true;
}
void JobIndex::put(Job job) {
  impl_->put_job(std::move(job));
}
void JobIndex::put(Queue queue) {
  impl_->queues_dirty_.insert(queue.id);
  impl_->queues_[queue.id] = queue;
}
void JobIndex::put(Group group) {
  impl_->groups_dirty_.emplace(group.queue, group.id);
  impl_->groups_[{group.queue, group.id}] = group;
}
void JobIndex::put(Worker worker) {
  impl_->workers_dirty_.insert(worker.id);
  impl_->workers_[worker.id] = std::move(worker);
}
void JobIndex::put(Name name) {
  erase_name(name.id);
  impl_->names_by_text_[{static_cast<std::uint32_t>(name.sort), name.text}] = name.id;
  impl_->names_.emplace(name.id, std::move(name));
}
void JobIndex::put(RequestRecord request) {
  impl_->put_request(std::move(request));
}
void JobIndex::put(Setting setting) {
  impl_->settings_dirty_ = true;
  impl_->settings_.insert_or_assign(setting.key, setting);
}

void JobIndex::put(Hold hold) {
  impl_->holds_dirty_ = true;
  impl_->holds_.insert_or_assign(hold.id, hold);
}

void JobIndex::put(Recurring recurring) {
  impl_->recurring_dirty_.insert(recurring.id);
  impl_->recurring_.put(std::move(recurring));
}

void JobIndex::erase_recurring(NameId id) {
  impl_->recurring_dirty_.insert(id);
  impl_->recurring_.erase(id);
}

void JobIndex::erase_hold(Sequence id) {
  impl_->holds_dirty_ = true;
  impl_->holds_.erase(id);
}
void JobIndex::erase_worker(NameId id) {
  impl_->workers_dirty_.insert(id);
  impl_->workers_.erase(id);
}
void JobIndex::erase_group(NameId queue, NameId id) {
  impl_->groups_dirty_.emplace(queue, id);
  impl_->groups_.erase({queue, id});
}
void JobIndex::erase_job(Sequence id) {
  impl_->erase_job(id);
}
void JobIndex::erase_queue(NameId id) {
  impl_->queues_dirty_.insert(id);
  impl_->queues_.erase(id);
}
void JobIndex::erase_name(NameId id) {
  impl_->names_dirty_.insert(id);
  const auto name = impl_->names_.find(id);
  if (name == impl_->names_.end()) return;
  const auto text =
      impl_->names_by_text_.find(NumberedTextView(static_cast<std::uint32_t>(name->second.sort), name->second.text));
  if (text != impl_->names_by_text_.end() && text->second == id) impl_->names_by_text_.erase(text);
  impl_->names_.erase(name);
}
void JobIndex::erase_request(NameId client, std::string_view id) {
  impl_->erase_request(client, id);
}
void JobIndex::erase_setting(std::string_view key) {
  impl_->settings_dirty_ = true;
  if (const auto found = impl_->settings_.find(key); found != impl_->settings_.end()) impl_->settings_.erase(found);
}

}  // namespace daybook
