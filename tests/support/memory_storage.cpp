// SPDX-License-Identifier: Apache-2.0
#include "support/memory_storage.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "support/memory_disk.hpp"

// The port and the verbs. What they mean for a file is in memory_disk.cpp and memory_crash.cpp. One mutex guards the disk.

namespace daybook::test {

class MemoryStorage::Handle final : public File {
 public:
  Handle(std::shared_ptr<Disk> disk, std::shared_ptr<Node> node, std::string name, bool writable)
      : disk_(std::move(disk)),
        node_(std::move(node)),
        name_(std::move(name)),
        writable_(writable),
        life_(disk_->life) {}

  IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override {
    const std::lock_guard guard(disk_->mutex);
    if (dead()) return {0, EBADF};
    std::size_t bytes = 0;
    const int error = disk_->read(*node_, name_, offset, into, bytes);
    return {bytes, error};
  }

  IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) override {
    const std::lock_guard guard(disk_->mutex);
    if (dead() || !writable_) return {0, EBADF};
    std::size_t bytes = 0;
    const int error = disk_->write(*node_, name_, offset, from, bytes);
    return {bytes, error};
  }

  int sync_data() override { return sync_as(Operation::sync_data); }
  int sync() override { return sync_as(Operation::sync); }

  int truncate(std::uint64_t size) override {
    const std::lock_guard guard(disk_->mutex);
    if (dead() || !writable_) return EBADF;
    if (const int error = disk_->enter(Operation::truncate, name_)) return error;
    return disk_->truncate(*node_, size);
  }

  int allocate(std::uint64_t size) override {
    const std::lock_guard guard(disk_->mutex);
    if (dead() || !writable_) return EBADF;
    if (const int error = disk_->enter(Operation::allocate, name_)) return error;
    return disk_->allocate(*node_, size);
  }

  int size(std::uint64_t& bytes) override {
    const std::lock_guard guard(disk_->mutex);
    if (dead()) return EBADF;
    if (const int error = disk_->enter(Operation::size, name_)) return error;
    bytes = node_->cached.size();
    return 0;
  }

  int drop_cache() override {
    const std::lock_guard guard(disk_->mutex);
    if (dead()) return EBADF;
    if (const int error = disk_->enter(Operation::drop_cache, name_)) return error;
    for (const Range& range : node_->stale) node_->cached.copy(node_->durable, range);
    node_->stale.clear();
    return 0;
  }

  int make_read_only() override {
    const std::lock_guard guard(disk_->mutex);
    if (dead()) return EBADF;
    if (const int error = disk_->enter(Operation::make_read_only, name_)) return error;
    node_->read_only = true;
    return 0;
  }

 private:
  bool dead() const { return life_ != disk_->life; }

  int sync_as(Operation operation) {
    const std::lock_guard guard(disk_->mutex);
    return dead() ? EBADF : disk_->sync(*node_, name_, operation);
  }

  std::shared_ptr<Disk> disk_;
  std::shared_ptr<Node> node_;
  std::string name_;
  bool writable_;
  std::uint64_t life_;
};

class MemoryStorage::Lock final : public StorageLock {
 public:
  explicit Lock(std::shared_ptr<Disk> disk) : disk_(std::move(disk)), life_(disk_->life) {}
  ~Lock() override {
    const std::lock_guard guard(disk_->mutex);
    if (life_ == disk_->life) disk_->locked = false;
  }

 private:
  std::shared_ptr<Disk> disk_;
  std::uint64_t life_;
};

const char* name_of(Operation operation) {
  static constexpr std::array<const char*, operation_count> names{
      "open",       "create",         "read", "write",       "sync_data", "sync",   "truncate",    "allocate",  "size",
      "drop_cache", "make_read_only", "list", "make_folder", "rename",    "remove", "sync_folder", "free_bytes"};
  return names.at(static_cast<std::size_t>(operation));
}

MemoryStorage::MemoryStorage() : disk_(std::make_shared<Disk>()) {}
MemoryStorage::~MemoryStorage() = default;

std::unique_ptr<MemoryStorage> MemoryStorage::clone() const {
  const std::lock_guard guard(disk_->mutex);
  auto copy = std::make_unique<MemoryStorage>();
  std::map<const Node*, std::shared_ptr<Node>> copies;
  const auto copy_of = [&](const std::shared_ptr<Node>& node) -> std::shared_ptr<Node> {
    if (!node) return nullptr;
    std::shared_ptr<Node>& twin = copies[node.get()];
    if (!twin) twin = std::make_shared<Node>(*node);
    return twin;
  };
  for (const auto& [name, node] : disk_->cached) copy->disk_->cached.emplace(name, copy_of(node));
  for (const auto& [name, node] : disk_->durable) copy->disk_->durable.emplace(name, copy_of(node));
  for (const Disk::FolderChange& change : disk_->pending) {
    copy->disk_->pending.push_back({change.from, change.to, copy_of(change.node)});
  }
  copy->disk_->folders = disk_->folders;
  copy->disk_->new_folders = disk_->new_folders;
  copy->disk_->last_number = disk_->last_number;
  copy->disk_->free = disk_->free;
  copy->disk_->transfer_bound = disk_->transfer_bound;
  copy->disk_->planned_syncs_revert = disk_->planned_syncs_revert;
  return copy;
}

void MemoryStorage::kill() {
  const std::lock_guard guard(disk_->mutex);
  disk_->end_life();
}

void MemoryStorage::crash() {
  crash(CrashPlan{.kept_percent = 0});
}

void MemoryStorage::crash(const CrashPlan& plan) {
  const std::lock_guard guard(disk_->mutex);
  disk_->crash(plan);
}

std::size_t MemoryStorage::crash_with(const std::function<bool(std::size_t)>& keep) {
  const std::lock_guard guard(disk_->mutex);
  return disk_->crash_with(keep);
}

void MemoryStorage::crash_keeping_all() {
  crash(CrashPlan{.kept_percent = 100});
}

void MemoryStorage::write_back(const std::string& name) {
  const std::lock_guard guard(disk_->mutex);
  disk_->write_back(disk_->existing(name), name);
}

void MemoryStorage::flip_bit(const std::string& name, std::uint64_t bit) {
  const std::lock_guard guard(disk_->mutex);
  Node& node = disk_->existing(name);
  if (bit / 8 >= node.cached.size()) throw std::logic_error("test: no such bit in " + name);
  node.cached.flip(bit);
  if (bit / 8 < node.durable.size()) node.durable.flip(bit);
}

void MemoryStorage::cut(const std::string& name, std::uint64_t size) {
  const std::lock_guard guard(disk_->mutex);
  Node& node = disk_->existing(name);
  if (size < node.cached.size()) node.cached.resize(size);
  if (size < node.durable.size()) node.durable.resize(size);
}

void MemoryStorage::tear_tail(const std::string& name, std::uint64_t bytes) {
  const std::lock_guard guard(disk_->mutex);
  Node& node = disk_->existing(name);
  const std::vector<std::byte> content = node.cached.bytes();
  std::uint64_t end = content.size();
  while (end > 0 && content[end - 1] == std::byte{0}) --end;
  const std::uint64_t begin = end - std::min(end, bytes);
  const std::vector<std::byte> zeros(end - begin);
  node.cached.write(begin, zeros);
  const Range on_device = common({begin, end}, {0, node.durable.size()});
  if (!on_device.empty()) node.durable.write(begin, std::span(zeros).first(on_device.end - begin));
}

void MemoryStorage::spoil_sector(const std::string& name, std::uint64_t sector) {
  const std::lock_guard guard(disk_->mutex);
  disk_->existing(name).bad.insert(sector);
}

void MemoryStorage::remove_durably(const std::string& name) {
  const std::lock_guard guard(disk_->mutex);
  disk_->cached.erase(name);
  disk_->durable.erase(name);
}

void MemoryStorage::write_durably(const std::string& name, std::vector<std::byte> content) {
  const std::lock_guard guard(disk_->mutex);
  const auto node = disk_->make_node();
  node->durable = Content(content);
  node->cached = node->durable;
  disk_->folders.insert(folder_of(name));
  disk_->cached[name] = node;
  disk_->durable[name] = node;
}

std::vector<std::byte> MemoryStorage::content(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->existing(name).cached.bytes();
}

std::optional<std::vector<std::byte>> MemoryStorage::durable_content(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  const auto found = disk_->durable.find(name);
  if (found == disk_->durable.end()) return std::nullopt;
  return found->second->durable.bytes();
}

std::uint64_t MemoryStorage::file_number(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->existing(name).number;
}

bool MemoryStorage::has_folder(const std::string& folder) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->folders.count(folder) != 0;
}

std::vector<std::string> MemoryStorage::names() const {
  const std::lock_guard guard(disk_->mutex);
  std::vector<std::string> all;
  for (const auto& [name, node] : disk_->cached) all.push_back(name);
  return all;
}

bool MemoryStorage::exists(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->cached.count(name) != 0;
}

bool MemoryStorage::read_only(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->existing(name).read_only;
}

void MemoryStorage::plan(std::optional<Operation> operation, std::uint64_t nth, int error_number, bool for_good) {
  const std::lock_guard guard(disk_->mutex);
  disk_->planned.push_back({operation, nth, error_number, for_good});
  disk_->fired = false;
}

void MemoryStorage::fail_at(Operation operation, std::uint64_t nth, int error_number) {
  plan(operation, nth, error_number, false);
}

void MemoryStorage::fail_call(std::uint64_t nth, int error_number) {
  plan(std::nullopt, nth, error_number, false);
}

void MemoryStorage::fail_for_good(std::uint64_t nth, int error_number) {
  plan(std::nullopt, nth, error_number, true);
}

void MemoryStorage::cut_power_at(std::uint64_t nth) {
  plan(std::nullopt, nth, 0, false);
}

std::optional<MemoryStorage::Cut> MemoryStorage::cut_at() const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->cut;
}

bool MemoryStorage::fired() const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->fired;
}

void MemoryStorage::let_failed_syncs_revert(bool revert) {
  const std::lock_guard guard(disk_->mutex);
  disk_->planned_syncs_revert = revert;
}

void MemoryStorage::set_faults(const FaultPlan& plan) {
  const std::lock_guard guard(disk_->mutex);
  disk_->faults = plan;
  disk_->faulty =
      std::any_of(plan.per_million.begin(), plan.per_million.end(), [](auto chance) { return chance != 0; });
  disk_->chance = Chance(plan.seed);
}

void MemoryStorage::heal() {
  set_faults({});
  const std::lock_guard guard(disk_->mutex);
  disk_->planned.clear();
}

void MemoryStorage::transfer_at_most(std::size_t bytes) {
  const std::lock_guard guard(disk_->mutex);
  disk_->transfer_bound = bytes;
}

void MemoryStorage::set_free_bytes(std::optional<std::uint64_t> bytes) {
  const std::lock_guard guard(disk_->mutex);
  disk_->free = bytes;
}

std::uint64_t MemoryStorage::calls() const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->call_count;
}

std::uint64_t MemoryStorage::calls(Operation operation) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->call_counts[static_cast<std::size_t>(operation)];
}

FaultCounts MemoryStorage::fault_counts() const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->counts;
}

std::vector<SilentDamage> MemoryStorage::silent_damage() const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->silent;
}

bool MemoryStorage::dirty(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  const Node& node = disk_->existing(name);
  return !node.dirty.empty() || !node.sizes.empty();
}

Opened MemoryStorage::open(const std::string& name, OpenMode mode) {
  const std::lock_guard guard(disk_->mutex);
  const Operation operation = mode == OpenMode::create ? Operation::create : Operation::open;
  if (const int error = disk_->enter(operation, name)) return {nullptr, error};
  const auto found = disk_->cached.find(name);
  if (mode == OpenMode::create) {
    if (disk_->folders.count(folder_of(name)) == 0) return {nullptr, ENOENT};
    if (found != disk_->cached.end()) return {nullptr, EEXIST};
    const auto node = disk_->make_node();
    disk_->change_folder({"", name, node});
    return {std::make_unique<Handle>(disk_, node, name, true), 0};
  }
  if (found == disk_->cached.end()) return {nullptr, ENOENT};
  if (mode == OpenMode::read_write && found->second->read_only) return {nullptr, EACCES};
  return {std::make_unique<Handle>(disk_, found->second, name, mode == OpenMode::read_write), 0};
}

int MemoryStorage::list(const std::string& folder, std::vector<std::string>& names) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::list, folder + "/")) return error;
  if (disk_->folders.count(folder) == 0) return ENOENT;
  names.clear();
  for (const auto& [name, node] : disk_->cached) {
    if (folder_of(name) == folder) names.push_back(folder.empty() ? name : name.substr(folder.size() + 1));
  }
  return 0;
}

int MemoryStorage::make_folder(const std::string& folder) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::make_folder, folder)) return error;
  if (disk_->folders.insert(folder).second) disk_->new_folders.insert(folder);
  return 0;
}

int MemoryStorage::rename(const std::string& from, const std::string& to) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::rename, from)) return error;
  const auto found = disk_->cached.find(from);
  if (found == disk_->cached.end()) return ENOENT;
  const auto replaced = disk_->cached.find(to);
  if (replaced != disk_->cached.end()) disk_->give_back(replaced->second->cached.size());
  disk_->change_folder({from, to, found->second});
  return 0;
}

int MemoryStorage::remove(const std::string& name) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::remove, name)) return error;
  const auto found = disk_->cached.find(name);
  if (found == disk_->cached.end()) return ENOENT;
  disk_->give_back(found->second->cached.size());
  disk_->change_folder({name, "", nullptr});
  return 0;
}

int MemoryStorage::sync_folder(const std::string& folder) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::sync_folder, folder + "/")) return error;
  if (disk_->folders.count(folder) == 0) return ENOENT;
  if (folder.empty()) disk_->new_folders.clear();
  std::vector<Disk::FolderChange> left;
  for (Disk::FolderChange& change : disk_->pending) {
    Disk::FolderChange here;
    const auto belongs = [&](const std::string& name) { return !name.empty() && folder_of(name) == folder; };
    if (belongs(change.from)) here.from.swap(change.from);
    if (belongs(change.to)) here.to.swap(change.to);
    here.node = change.node;
    Disk::carry_out(disk_->durable, here);
    if (!change.from.empty() || !change.to.empty()) left.push_back(std::move(change));
  }
  disk_->pending = std::move(left);
  return 0;
}

int MemoryStorage::free_bytes(std::uint64_t& bytes) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::free_bytes, "")) return error;
  bytes = disk_->free.value_or(std::uint64_t{1} << 40);
  return 0;
}

Locked MemoryStorage::lock(const std::string&) {
  const std::lock_guard guard(disk_->mutex);
  if (disk_->locked) return {nullptr, "another handle of this test", 0};
  disk_->locked = true;
  return {std::make_unique<Lock>(disk_), "", 0};
}

std::string MemoryStorage::describe(const std::string& name) const {
  return "/memory/" + name;
}

}  // namespace daybook::test
