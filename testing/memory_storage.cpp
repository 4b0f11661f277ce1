// SPDX-License-Identifier: Apache-2.0
#include "daybook/testing/memory_storage.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <utility>

namespace daybook::testing {

namespace {

constexpr std::uint64_t bytes_of_a_large_disk = 1ULL << 50;

std::string folder_of(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

}  // namespace

struct MemoryStorage::Node {
  std::vector<std::byte> bytes;
  bool read_only = false;
};

struct MemoryStorage::Disk {
  mutable std::mutex mutex;  // of everything here, the nodes included
  std::map<std::string, std::shared_ptr<Node>> files;
  std::set<std::string> folders{""};
  std::optional<std::uint64_t> free;
  int failing = 0;
  std::optional<std::string> owner;  // of the lock: for what

  int resize(Node& node, std::uint64_t size) {
    const std::uint64_t before = node.bytes.size();
    if (free) {
      if (size > before && size - before > *free) return ENOSPC;
      *free = *free + before - size;
    }
    node.bytes.resize(size);
    return 0;
  }
};

class MemoryStorage::Handle final : public File {
 public:
  Handle(std::shared_ptr<Disk> disk, std::shared_ptr<Node> node, bool writable)
      : disk_(std::move(disk)), node_(std::move(node)), writable_(writable) {}

  IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override {
    const std::lock_guard lock(disk_->mutex);
    const std::uint64_t size = node_->bytes.size();
    if (offset >= size) return {};
    const std::size_t count = std::min<std::uint64_t>(into.size(), size - offset);
    std::copy_n(node_->bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return {count, 0};
  }
  IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) override {
    const std::lock_guard lock(disk_->mutex);
    if (const int error = refused()) return {0, error};
    if (offset + from.size() > node_->bytes.size()) {
      if (const int error = disk_->resize(*node_, offset + from.size())) return {0, error};
    }
    std::copy(from.begin(), from.end(), node_->bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    return {from.size(), 0};
  }
  int sync_data() override { return sync(); }
  int sync() override {
    const std::lock_guard lock(disk_->mutex);
    return disk_->failing;
  }
  int truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_->mutex);
    const int error = refused();
    return error != 0 ? error : disk_->resize(*node_, size);
  }
  int allocate(std::uint64_t size) override {
    const std::lock_guard lock(disk_->mutex);
    const int error = refused();
    return error != 0 || size <= node_->bytes.size() ? error : disk_->resize(*node_, size);
  }
  int size(std::uint64_t& bytes) override {
    const std::lock_guard lock(disk_->mutex);
    bytes = node_->bytes.size();
    return 0;
  }
  int drop_cache() override { return 0; }
  int make_read_only() override {
    const std::lock_guard lock(disk_->mutex);
    node_->read_only = true;
    return 0;
  }

 private:
  [[nodiscard]] int refused() const { return writable_ ? disk_->failing : EBADF; }

  std::shared_ptr<Disk> disk_;
  std::shared_ptr<Node> node_;
  bool writable_;
};

class MemoryStorage::Lock final : public StorageLock {
 public:
  explicit Lock(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}
  ~Lock() override {
    const std::lock_guard lock(disk_->mutex);
    disk_->owner.reset();
  }

 private:
  std::shared_ptr<Disk> disk_;
};

MemoryStorage::MemoryStorage() : disk_(std::make_shared<Disk>()) {}
MemoryStorage::~MemoryStorage() = default;

MemoryStorage::MemoryStorage(const MemoryStorage& other) : Storage(), disk_(std::make_shared<Disk>()) {
  const std::lock_guard lock(other.disk_->mutex);
  for (const auto& [name, node] : other.disk_->files) disk_->files.emplace(name, std::make_shared<Node>(*node));
  disk_->folders = other.disk_->folders;
  disk_->free = other.disk_->free;
}

void MemoryStorage::set_free_bytes(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(disk_->mutex);
  disk_->free = bytes;
}

void MemoryStorage::fail_writes(int error) {
  const std::lock_guard lock(disk_->mutex);
  disk_->failing = error;
}

std::uint64_t MemoryStorage::bytes() const {
  const std::lock_guard lock(disk_->mutex);
  std::uint64_t sum = 0;
  for (const auto& [name, node] : disk_->files) sum += node->bytes.size();
  return sum;
}

Opened MemoryStorage::open(const std::string& name, OpenMode mode) {
  const std::lock_guard lock(disk_->mutex);
  auto found = disk_->files.find(name);
  if (mode == OpenMode::create) {
    if (found != disk_->files.end()) return {nullptr, EEXIST};
    if (!disk_->folders.contains(folder_of(name))) return {nullptr, ENOENT};
    if (disk_->failing != 0) return {nullptr, disk_->failing};
    found = disk_->files.emplace(name, std::make_shared<Node>()).first;
  }
  if (found == disk_->files.end()) return {nullptr, ENOENT};
  const bool writable = mode != OpenMode::read;
  if (writable && found->second->read_only) return {nullptr, EACCES};
  return {std::make_unique<Handle>(disk_, found->second, writable), 0};
}

int MemoryStorage::list(const std::string& folder, std::vector<std::string>& names) {
  const std::lock_guard lock(disk_->mutex);
  names.clear();
  if (!disk_->folders.contains(folder)) return ENOENT;
  for (const auto& [name, node] : disk_->files) {
    if (folder_of(name) == folder) names.push_back(folder.empty() ? name : name.substr(folder.size() + 1));
  }
  return 0;
}

int MemoryStorage::make_folder(const std::string& folder) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->failing != 0) return disk_->failing;
  disk_->folders.insert(folder);
  return 0;
}

int MemoryStorage::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->failing != 0) return disk_->failing;
  const auto found = disk_->files.find(from);
  if (found == disk_->files.end() || !disk_->folders.contains(folder_of(to))) return ENOENT;
  if (from == to) return 0;
  std::shared_ptr<Node> node = std::move(found->second);
  disk_->files.erase(found);
  if (const auto replaced = disk_->files.find(to); replaced != disk_->files.end() && disk_->free) {
    *disk_->free += replaced->second->bytes.size();
  }
  disk_->files.insert_or_assign(to, std::move(node));
  return 0;
}

int MemoryStorage::remove(const std::string& name) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->failing != 0) return disk_->failing;
  const auto found = disk_->files.find(name);
  if (found == disk_->files.end()) return ENOENT;
  if (disk_->free) *disk_->free += found->second->bytes.size();
  disk_->files.erase(found);
  return 0;
}

int MemoryStorage::sync_folder(const std::string& folder) {
  const std::lock_guard lock(disk_->mutex);
  return disk_->folders.contains(folder) ? disk_->failing : ENOENT;
}

int MemoryStorage::free_bytes(std::uint64_t& bytes) {
  const std::lock_guard lock(disk_->mutex);
  bytes = disk_->free.value_or(bytes_of_a_large_disk);
  return 0;
}

Locked MemoryStorage::lock(const std::string& purpose) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->owner) return {nullptr, "this process, " + *disk_->owner, 0};
  disk_->owner = purpose;
  return {std::make_unique<Lock>(disk_), {}, 0};
}

std::string MemoryStorage::describe(const std::string& name) const {
  return name.empty() ? "(memory)" : "(memory)/" + name;
}

}  // namespace daybook::testing
