// SPDX-License-Identifier: Apache-2.0
#include "index_disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <map>
#include <mutex>
#include <vector>

// What stands between LMDB, the trust rule, and the system. A call on anything else passes unseen.

extern "C" {
int __real_open(const char* path, int flags, ...);
int __real_openat(int folder, const char* name, int flags, ...);
int __real_close(int descriptor);
ssize_t __real_pwrite(int descriptor, const void* bytes, size_t count, off_t offset);
ssize_t __real_writev(int descriptor, const struct iovec* parts, int count);
int __real_fsync(int descriptor);
int __real_fdatasync(int descriptor);
int __real_ftruncate(int descriptor, off_t size);
int __real_unlinkat(int folder, const char* name, int flags);
int __real_renameat(int folder, const char* from, int other, const char* to);
int __real_mkdir(const char* path, mode_t mode);
int __real_statx(int folder, const char* name, int flags, unsigned mask, struct statx* found);
}

namespace daybook::test {
namespace {

struct Descriptor {
  IndexDisk* disk = nullptr;
  std::string name;
  std::shared_ptr<File> file;  // null: a folder
  bool synchronous = false;    // each write is a sync
};

struct Registry {
  std::mutex mutex;
  std::vector<IndexDisk*> disks;
  std::map<int, Descriptor> descriptors;
};

Registry& registry() {
  static Registry all;
  return all;
}

Descriptor find(int number) {
  const std::lock_guard guard(registry().mutex);
  const auto found = registry().descriptors.find(number);
  return found == registry().descriptors.end() ? Descriptor{} : found->second;
}

IndexDisk* disk_of(const std::string& path) {
  const std::lock_guard guard(registry().mutex);
  for (IndexDisk* disk : registry().disks) {
    if (disk->name_of(path)) return disk;
  }
  return nullptr;
}

int failed(int error) {
  errno = error;
  return -1;
}

// Opens in memory first, which may refuse; then for real.
template <class RealOpen>
int open_on(IndexDisk& disk, const std::string& name, int flags, const RealOpen& open) {
  Descriptor opened{&disk, name, nullptr, (flags & O_DSYNC) != 0};
  MemoryStorage& memory = disk.memory();
  const bool exists = memory.exists(name);
  if (!memory.has_folder(name)) {
    if (exists && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return failed(EEXIST);
    if (!exists && (flags & O_CREAT) == 0) return failed(ENOENT);
    if (!exists) disk.look();
    const OpenMode mode = !exists                              ? OpenMode::create
                          : (flags & (O_RDWR | O_WRONLY)) == 0 ? OpenMode::read
                                                               : OpenMode::read_write;
    Opened in_memory = memory.open(name, mode);
    if (in_memory.error != 0) return failed(in_memory.error);
    opened.file = std::move(in_memory.file);
  }
  const int number = open();
  if (number < 0) return number;
  const std::lock_guard guard(registry().mutex);
  registry().descriptors[number] = std::move(opened);
  return number;
}

ssize_t write_on(const Descriptor& to, int number, const std::byte* bytes, size_t count, off_t offset) {
  to.disk->look();
  const IoCount written = to.file->write_at(static_cast<std::uint64_t>(offset), {bytes, count});
  if (written.error != 0) return failed(written.error);
  if (to.synchronous) {
    if (const int error = to.file->sync_data()) return failed(error);
  }
  return __real_pwrite(number, bytes, written.bytes, offset);
}

int sync_on(const Descriptor& what, bool data_only) {
  what.disk->look();
  const int error = what.file == nullptr ? what.disk->memory().sync_folder(what.name)
                    : data_only          ? what.file->sync_data()
                                         : what.file->sync();
  if (error == 0) return 0;
  if (what.file != nullptr) what.disk->show(what.name);
  return failed(error);
}

}  // namespace

IndexDisk::IndexDisk(std::unique_ptr<MemoryStorage> memory) : memory_(std::move(memory)) {
  if (memory_->has_folder("index")) __real_mkdir(folder().c_str(), 0700);
  for (const std::string& name : memory_->names()) {
    const int number = __real_open((root_.path() / name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    __real_close(number);
    show(name);
  }
  const std::lock_guard guard(registry().mutex);
  registry().disks.push_back(this);
}

IndexDisk::~IndexDisk() {
  const std::lock_guard guard(registry().mutex);
  std::erase(registry().disks, this);
}

std::optional<std::string> IndexDisk::name_of(const std::string& path) const {
  const std::string& root = root_.path().native();
  if (path == root) return "";
  return path.starts_with(root + "/") ? std::optional(path.substr(root.size() + 1)) : std::nullopt;
}

void IndexDisk::show(const std::string& name) const {
  const std::vector<std::byte> content = memory_->content(name);
  const int number = __real_open((root_.path() / name).c_str(), O_WRONLY | O_CLOEXEC);
  const bool shown = __real_ftruncate(number, static_cast<off_t>(content.size())) == 0 &&
                     __real_pwrite(number, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size());
  __real_close(number);
  if (!shown) throw std::runtime_error("test: cannot write " + name);
}

}  // namespace daybook::test

// ---- the calls ----------------------------------------------------------------------------------------------------

using namespace daybook::test;  // NOLINT: extern "C" functions stand outside of any namespace

namespace {

mode_t mode_of(int flags, va_list& arguments) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

extern "C" {

int __wrap_open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  const auto open = [&] { return __real_open(path, flags, mode); };
  IndexDisk* disk = disk_of(path);
  return disk == nullptr ? open() : open_on(*disk, *disk->name_of(path), flags, open);
}

int __wrap_openat(int folder, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  const auto open = [&] { return __real_openat(folder, name, flags, mode); };
  const Descriptor in = find(folder);
  return in.disk == nullptr ? open() : open_on(*in.disk, in.name + "/" + name, flags, open);
}

int __wrap_close(int descriptor) {
  {
    const std::lock_guard guard(registry().mutex);
    registry().descriptors.erase(descriptor);
  }
  return __real_close(descriptor);
}

ssize_t __wrap_pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  const Descriptor to = find(descriptor);
  if (to.disk == nullptr) return __real_pwrite(descriptor, bytes, count, offset);
  return write_on(to, descriptor, static_cast<const std::byte*>(bytes), count, offset);
}

ssize_t __wrap_writev(int descriptor, const struct iovec* parts, int count) {
  const Descriptor to = find(descriptor);
  if (to.disk == nullptr) return __real_writev(descriptor, parts, count);
  std::vector<std::byte> bytes;
  for (int i = 0; i < count; ++i) {
    const auto* part = static_cast<const std::byte*>(parts[i].iov_base);
    bytes.insert(bytes.end(), part, part + parts[i].iov_len);
  }
  const off_t offset = lseek(descriptor, 0, SEEK_CUR);
  const ssize_t written = write_on(to, descriptor, bytes.data(), bytes.size(), offset);
  if (written > 0) lseek(descriptor, offset + written, SEEK_SET);
  return written;
}

int __wrap_fsync(int descriptor) {
  const Descriptor what = find(descriptor);
  return what.disk == nullptr ? __real_fsync(descriptor) : sync_on(what, false);
}

int __wrap_fdatasync(int descriptor) {
  const Descriptor what = find(descriptor);
  return what.disk == nullptr ? __real_fdatasync(descriptor) : sync_on(what, true);
}

int __wrap_ftruncate(int descriptor, off_t size) {
  const Descriptor what = find(descriptor);
  if (what.disk != nullptr) {
    what.disk->look();
    if (const int error = what.file->truncate(static_cast<std::uint64_t>(size))) return failed(error);
  }
  return __real_ftruncate(descriptor, size);
}

int __wrap_unlinkat(int folder, const char* name, int flags) {
  const Descriptor in = find(folder);
  if (in.disk != nullptr) {
    in.disk->look();
    if (const int error = in.disk->memory().remove(in.name + "/" + name)) return failed(error);
  }
  return __real_unlinkat(folder, name, flags);
}

int __wrap_renameat(int folder, const char* from, int other, const char* to) {
  const Descriptor in = find(folder);
  if (in.disk != nullptr) {
    in.disk->look();
    if (const int error = in.disk->memory().rename(in.name + "/" + from, in.name + "/" + to)) return failed(error);
  }
  return __real_renameat(folder, from, other, to);
}

int __wrap_mkdir(const char* path, mode_t mode) {
  if (IndexDisk* disk = disk_of(path)) {
    disk->look();
    if (const int error = disk->memory().make_folder(*disk->name_of(path))) return failed(error);
  }
  return __real_mkdir(path, mode);
}

int __wrap_statx(int folder, const char* name, int flags, unsigned mask, struct statx* found) {
  const int result = __real_statx(folder, name, flags, mask, found);
  const Descriptor in = find(folder);
  if (result == 0 && in.disk != nullptr) {  // the real file is another one after each crash
    found->stx_ino = in.disk->memory().file_number(in.name + "/" + name);
    found->stx_dev_major = 1;
    found->stx_dev_minor = 0;
    found->stx_mnt_id = 1;
  }
  return result;
}
}
