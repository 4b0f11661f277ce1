// SPDX-License-Identifier: Apache-2.0
#include "support/memory_storage.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

// One mutex guards the disk: callers may use it from several threads, one call at a time. Contents are whole
// vectors, twice per file; meant for small files.

namespace daybook::test {
namespace {

constexpr std::uint64_t sector = 512;

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct Node {
  std::vector<std::byte> durable;
  std::vector<std::byte> cached;
  std::vector<Range> dirty;  // written since the last sync
  std::vector<Range> stale;  // a failed sync marked them clean: the cache shows what the device lacks
  bool read_only = false;
};
using NodePtr = std::shared_ptr<Node>;
using Entries = std::map<std::string, NodePtr>;

// A change of a folder that the device does not know yet. from empty: creation; to empty: removal.
struct FolderChange {
  std::string from;
  std::string to;
  NodePtr node;
};

std::string folder_of(const std::string& name) {
  const std::size_t slash = name.find('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

std::uint64_t mix(std::uint64_t& state) {  // splitmix64 (Steele, Lea, Flood 2014)
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void copy_ranges(const std::vector<Range>& ranges, const std::vector<std::byte>& from, std::vector<std::byte>& to) {
  for (const Range& range : ranges) {
    const std::uint64_t end = std::min<std::uint64_t>({range.end, from.size(), to.size()});
    for (std::uint64_t at = range.begin; at < end; ++at) to[at] = from[at];
  }
}

void make_durable(Node& node) {
  node.durable.resize(node.cached.size());
  copy_ranges(node.dirty, node.cached, node.durable);
  node.dirty.clear();
}

void forget_cache(Node& node) {
  node.cached = node.durable;
  node.dirty.clear();
  node.stale.clear();
}

void settle_by_chance(Node& node, const CrashPlan& plan, std::uint64_t& state) {
  enum class Fate { kept, lost, garbage };
  std::map<std::uint64_t, Fate> fates;
  const auto fate_of = [&](std::uint64_t index) {
    const auto found = fates.find(index);
    if (found != fates.end()) return found->second;
    const std::uint64_t draw = mix(state) % 100;
    const Fate fate = draw < plan.kept_percent                          ? Fate::kept
                      : draw < plan.kept_percent + plan.garbage_percent ? Fate::garbage
                                                                        : Fate::lost;
    fates.emplace(index, fate);
    return fate;
  };
  if (node.cached.size() != node.durable.size() && mix(state) % 100 < plan.kept_percent) {
    node.durable.resize(node.cached.size());
  }
  for (const Range& range : node.dirty) {
    const std::uint64_t end = std::min<std::uint64_t>({range.end, node.cached.size(), node.durable.size()});
    for (std::uint64_t at = range.begin; at < end; ++at) {
      const Fate fate = fate_of(at / sector);
      if (fate == Fate::kept) node.durable[at] = node.cached[at];
      if (fate == Fate::garbage) node.durable[at] = static_cast<std::byte>(mix(state));
    }
  }
}

void carry_out(Entries& entries, const FolderChange& change) {
  if (!change.from.empty()) entries.erase(change.from);
  if (!change.to.empty()) entries[change.to] = change.node;
}

}  // namespace

struct MemoryStorage::Disk {
  mutable std::mutex mutex;
  Entries cached;
  Entries durable;
  std::vector<FolderChange> pending;
  std::set<std::string> folders{""};
  std::set<std::string> new_folders;  // not yet synced into the book's directory
  std::uint64_t life = 0;             // raised by every end: handles of an earlier life are dead
  bool off = false;                   // after a power cut
  bool locked = false;

  std::optional<std::uint64_t> free;
  std::size_t transfer_bound = 0;

  std::array<std::uint64_t, operation_count> counts{};
  std::uint64_t count = 0;
  struct Plan {
    std::optional<Operation> operation;  // unset: any
    std::uint64_t nth = 0;               // counts down
    int error_number = 0;                // 0: cut the power
  };
  std::vector<Plan> plans;
  bool fired = false;

  // Counts the call; answers the errno it has to fail with, or 0.
  int enter(Operation operation) {
    if (off) return EIO;
    ++counts[static_cast<std::size_t>(operation)];
    ++count;
    int error_number = 0;
    for (Plan& plan : plans) {
      if (plan.nth == 0 || (plan.operation && *plan.operation != operation)) continue;
      if (--plan.nth != 0) continue;
      fired = true;
      if (plan.error_number == 0) {
        off = true;
        throw PowerCut{};
      }
      error_number = plan.error_number;
    }
    return error_number;
  }

  bool grow(std::uint64_t from, std::uint64_t to) {  // false: no room
    if (!free || to <= from) return true;
    if (*free < to - from) return false;
    *free -= to - from;
    return true;
  }
  void give_back(std::uint64_t bytes) {
    if (free) *free += bytes;
  }

  void end_life() {
    ++life;
    off = false;
    locked = false;
    plans.clear();
  }

  Node& existing(const std::string& name) {
    const auto found = cached.find(name);
    if (found == cached.end()) throw std::logic_error("test: no file " + name);
    return *found->second;
  }
};

class MemoryStorage::Handle final : public File {
 public:
  Handle(std::shared_ptr<Disk> disk, NodePtr node, bool writable)
      : disk_(std::move(disk)), node_(std::move(node)), writable_(writable), life_(disk_->life) {}

  IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(Operation::read)) return {0, error};
    if (offset >= node_->cached.size()) return {0, 0};
    const std::size_t bytes = bounded(std::min<std::uint64_t>(into.size(), node_->cached.size() - offset));
    std::copy_n(node_->cached.begin() + static_cast<std::ptrdiff_t>(offset), bytes, into.begin());
    return {bytes, 0};
  }

  IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) override {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(Operation::write)) return {0, error};
    if (!writable_) return {0, EBADF};
    const std::size_t bytes = bounded(from.size());
    const std::uint64_t end = offset + bytes;
    if (end > node_->cached.size()) {
      if (!disk_->grow(node_->cached.size(), end)) return {0, ENOSPC};
      node_->cached.resize(end);
    }
    std::copy_n(from.begin(), bytes, node_->cached.begin() + static_cast<std::ptrdiff_t>(offset));
    node_->dirty.push_back({offset, end});
    return {bytes, 0};
  }

  int sync_data() override { return sync_as(Operation::sync_data); }
  int sync() override { return sync_as(Operation::sync); }

  int truncate(std::uint64_t size) override {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(Operation::truncate)) return error;
    if (!writable_) return EBADF;
    const std::uint64_t before = node_->cached.size();
    if (!disk_->grow(before, size)) return ENOSPC;
    if (size < before) disk_->give_back(before - size);
    node_->cached.resize(size);
    if (size < before) node_->dirty.push_back({size, before});
    return 0;
  }

  int allocate(std::uint64_t size) override {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(Operation::allocate)) return error;
    if (!writable_) return EBADF;
    if (size <= node_->cached.size()) return 0;
    if (!disk_->grow(node_->cached.size(), size)) return ENOSPC;
    node_->cached.resize(size);
    return 0;
  }

  int size(std::uint64_t& bytes) override {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(Operation::size)) return error;
    bytes = node_->cached.size();
    return 0;
  }

  int drop_cache() override {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(Operation::drop_cache)) return error;
    copy_ranges(node_->stale, node_->durable, node_->cached);
    node_->stale.clear();
    return 0;
  }

  int make_read_only() override {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(Operation::make_read_only)) return error;
    node_->read_only = true;
    return 0;
  }

 private:
  int enter(Operation operation) { return life_ == disk_->life ? disk_->enter(operation) : EBADF; }

  std::size_t bounded(std::uint64_t bytes) const {
    const std::size_t bound = disk_->transfer_bound;
    return bound == 0 ? bytes : std::min<std::size_t>(bytes, bound);
  }

  int sync_as(Operation operation) {
    const std::lock_guard guard(disk_->mutex);
    if (const int error = enter(operation)) {
      // As Linux does: the pages count as clean now, and the next sync succeeds without them.
      if (error != EINTR) {
        node_->stale.insert(node_->stale.end(), node_->dirty.begin(), node_->dirty.end());
        node_->dirty.clear();
      }
      return error;
    }
    make_durable(*node_);
    return 0;
  }

  std::shared_ptr<Disk> disk_;
  NodePtr node_;
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

MemoryStorage::MemoryStorage() : disk_(std::make_shared<Disk>()) {}
MemoryStorage::~MemoryStorage() = default;

std::unique_ptr<MemoryStorage> MemoryStorage::clone() const {
  const std::lock_guard guard(disk_->mutex);
  auto copy = std::make_unique<MemoryStorage>();
  std::map<const Node*, NodePtr> copies;
  const auto copy_of = [&](const NodePtr& node) -> NodePtr {
    if (!node) return nullptr;
    NodePtr& twin = copies[node.get()];
    if (!twin) twin = std::make_shared<Node>(*node);
    return twin;
  };
  for (const auto& [name, node] : disk_->cached) copy->disk_->cached.emplace(name, copy_of(node));
  for (const auto& [name, node] : disk_->durable) copy->disk_->durable.emplace(name, copy_of(node));
  for (const FolderChange& change : disk_->pending) {
    copy->disk_->pending.push_back({change.from, change.to, copy_of(change.node)});
  }
  copy->disk_->folders = disk_->folders;
  copy->disk_->new_folders = disk_->new_folders;
  copy->disk_->free = disk_->free;
  copy->disk_->transfer_bound = disk_->transfer_bound;
  return copy;
}

void MemoryStorage::kill() {
  const std::lock_guard guard(disk_->mutex);
  disk_->end_life();
}

void MemoryStorage::crash() {
  crash(CrashPlan{0, 0, 0});
}

void MemoryStorage::crash(const CrashPlan& plan) {
  const std::lock_guard guard(disk_->mutex);
  std::uint64_t state = plan.seed;
  std::set<Node*> nodes;
  for (const auto& [name, node] : disk_->cached) nodes.insert(node.get());
  for (const auto& [name, node] : disk_->durable) nodes.insert(node.get());
  // In the order of the names, so that a seed means the same on every run.
  std::set<Node*> done;
  const auto settle = [&](const NodePtr& node) {
    if (node && done.insert(node.get()).second) settle_by_chance(*node, plan, state);
  };
  for (const auto& [name, node] : disk_->cached) settle(node);
  for (const auto& [name, node] : disk_->durable) settle(node);
  for (const FolderChange& change : disk_->pending) {
    settle(change.node);
    if (mix(state) % 100 < plan.kept_percent) carry_out(disk_->durable, change);
  }
  disk_->pending.clear();
  for (const std::string& folder : disk_->new_folders) {
    if (mix(state) % 100 < plan.kept_percent) continue;
    disk_->folders.erase(folder);
    std::erase_if(disk_->durable, [&](const auto& entry) { return folder_of(entry.first) == folder; });
  }
  disk_->new_folders.clear();
  disk_->cached = disk_->durable;
  for (const auto& [name, node] : disk_->cached) forget_cache(*node);
  disk_->end_life();
}

void MemoryStorage::crash_keeping_all() {
  crash(CrashPlan{0, 100, 0});
}

void MemoryStorage::flip_bit(const std::string& name, std::uint64_t bit) {
  const std::lock_guard guard(disk_->mutex);
  Node& node = disk_->existing(name);
  if (bit / 8 >= node.cached.size()) throw std::logic_error("test: no such bit in " + name);
  node.cached[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  if (bit / 8 < node.durable.size()) node.durable[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
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
  std::uint64_t end = node.cached.size();
  while (end > 0 && node.cached[end - 1] == std::byte{0}) --end;
  for (std::uint64_t at = end - std::min(end, bytes); at < end; ++at) {
    node.cached[at] = std::byte{0};
    if (at < node.durable.size()) node.durable[at] = std::byte{0};
  }
}

void MemoryStorage::remove_durably(const std::string& name) {
  const std::lock_guard guard(disk_->mutex);
  disk_->cached.erase(name);
  disk_->durable.erase(name);
}

void MemoryStorage::write_durably(const std::string& name, std::vector<std::byte> content) {
  const std::lock_guard guard(disk_->mutex);
  auto node = std::make_shared<Node>();
  node->durable = content;
  node->cached = std::move(content);
  disk_->folders.insert(folder_of(name));
  disk_->cached[name] = node;
  disk_->durable[name] = node;
}

std::vector<std::byte> MemoryStorage::content(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->existing(name).cached;
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

void MemoryStorage::fail_at(Operation operation, std::uint64_t nth, int error_number) {
  const std::lock_guard guard(disk_->mutex);
  disk_->plans.push_back({operation, nth, error_number});
  disk_->fired = false;
}

void MemoryStorage::fail_call(std::uint64_t nth, int error_number) {
  const std::lock_guard guard(disk_->mutex);
  disk_->plans.push_back({std::nullopt, nth, error_number});
  disk_->fired = false;
}

void MemoryStorage::cut_power_at(std::uint64_t nth) {
  const std::lock_guard guard(disk_->mutex);
  disk_->plans.push_back({std::nullopt, nth, 0});
  disk_->fired = false;
}

bool MemoryStorage::fired() const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->fired;
}

void MemoryStorage::heal() {
  const std::lock_guard guard(disk_->mutex);
  disk_->plans.clear();
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
  return disk_->count;
}

std::uint64_t MemoryStorage::calls(Operation operation) const {
  const std::lock_guard guard(disk_->mutex);
  return disk_->counts[static_cast<std::size_t>(operation)];
}

bool MemoryStorage::dirty(const std::string& name) const {
  const std::lock_guard guard(disk_->mutex);
  const Node& node = disk_->existing(name);
  return !node.dirty.empty() || node.durable.size() != node.cached.size();
}

Opened MemoryStorage::open(const std::string& name, OpenMode mode) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(mode == OpenMode::create ? Operation::create : Operation::open)) {
    return {nullptr, error};
  }
  const auto found = disk_->cached.find(name);
  if (mode == OpenMode::create) {
    if (disk_->folders.count(folder_of(name)) == 0) return {nullptr, ENOENT};
    if (found != disk_->cached.end()) return {nullptr, EEXIST};
    const auto node = std::make_shared<Node>();
    disk_->cached.emplace(name, node);
    disk_->pending.push_back({"", name, node});
    return {std::make_unique<Handle>(disk_, node, true), 0};
  }
  if (found == disk_->cached.end()) return {nullptr, ENOENT};
  if (mode == OpenMode::read_write && found->second->read_only) return {nullptr, EACCES};
  return {std::make_unique<Handle>(disk_, found->second, mode == OpenMode::read_write), 0};
}

int MemoryStorage::list(const std::string& folder, std::vector<std::string>& names) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::list)) return error;
  if (disk_->folders.count(folder) == 0) return ENOENT;
  names.clear();
  for (const auto& [name, node] : disk_->cached) {
    if (folder_of(name) == folder) names.push_back(folder.empty() ? name : name.substr(folder.size() + 1));
  }
  return 0;
}

int MemoryStorage::make_folder(const std::string& folder) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::make_folder)) return error;
  if (disk_->folders.insert(folder).second) disk_->new_folders.insert(folder);
  return 0;
}

int MemoryStorage::rename(const std::string& from, const std::string& to) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::rename)) return error;
  const auto found = disk_->cached.find(from);
  if (found == disk_->cached.end()) return ENOENT;
  const FolderChange change{from, to, found->second};
  const auto replaced = disk_->cached.find(to);
  if (replaced != disk_->cached.end()) disk_->give_back(replaced->second->cached.size());
  carry_out(disk_->cached, change);
  disk_->pending.push_back(change);
  return 0;
}

int MemoryStorage::remove(const std::string& name) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::remove)) return error;
  const auto found = disk_->cached.find(name);
  if (found == disk_->cached.end()) return ENOENT;
  disk_->give_back(found->second->cached.size());
  const FolderChange change{name, "", nullptr};
  carry_out(disk_->cached, change);
  disk_->pending.push_back(change);
  return 0;
}

int MemoryStorage::sync_folder(const std::string& folder) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::sync_folder)) return error;
  if (disk_->folders.count(folder) == 0) return ENOENT;
  if (folder.empty()) disk_->new_folders.clear();
  std::vector<FolderChange> left;
  for (FolderChange& change : disk_->pending) {
    FolderChange here;
    const auto belongs = [&](const std::string& name) { return !name.empty() && folder_of(name) == folder; };
    if (belongs(change.from)) here.from.swap(change.from);
    if (belongs(change.to)) here.to.swap(change.to);
    here.node = change.node;
    carry_out(disk_->durable, here);
    if (!change.from.empty() || !change.to.empty()) left.push_back(std::move(change));
  }
  disk_->pending = std::move(left);
  return 0;
}

int MemoryStorage::free_bytes(std::uint64_t& bytes) {
  const std::lock_guard guard(disk_->mutex);
  if (const int error = disk_->enter(Operation::free_bytes)) return error;
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
