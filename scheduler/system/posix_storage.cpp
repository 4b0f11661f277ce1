// SPDX-License-Identifier: Apache-2.0

// Names and folders of one directory, all looked up from a descriptor that is held open, none through a
// symbolic link. What files contain, and in which order things are made durable, is left to the log.

#include "daybook/system/posix_storage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/system/file_system.hpp"
#include "descriptor.hpp"
#include "directory_lock.hpp"
#include "posix_file.hpp"

namespace daybook {
namespace {

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_component(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && text.find('/') == std::string_view::npos &&
         text.find('\0') == std::string_view::npos;
}

bool is_symbolic_link(int directory, const char* name) {
  struct stat status {};
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

// "" is the directory itself. With O_DIRECTORY the kernel calls a symbolic link "not a directory"; ours is
// ELOOP.
int open_folder(int directory, const std::string& folder, Descriptor& opened) {
  if (!folder.empty() && !is_component(folder)) return EINVAL;
  const char* name = folder.empty() ? "." : folder.c_str();
  opened = Descriptor(uninterrupted([&] { return ::openat(directory, name, folder_flags); }));
  if (opened.valid()) return 0;
  const int error = errno;
  return error == ENOTDIR && is_symbolic_link(directory, name) ? ELOOP : error;
}

/// A name that was looked up as far as its folder: `in` is the folder's descriptor.
struct Spot {
  Descriptor own;  // of the folder; none for a name in the directory itself
  int in = -1;
  std::string name;
};

int find_spot(int directory, const std::string& name, Spot& spot) {
  const auto slash = name.find('/');
  spot.in = directory;
  spot.name = slash == std::string::npos ? name : name.substr(slash + 1);
  if (!is_component(spot.name)) return EINVAL;
  if (slash == std::string::npos) return 0;
  const std::string folder = name.substr(0, slash);
  if (!is_component(folder)) return EINVAL;
  const int error = open_folder(directory, folder, spot.own);
  spot.in = spot.own.get();
  return error;
}

// mkdir applies the umask, so the mode is set again. A umask that takes the owner's own rights keeps us from
// opening what we just made; then its name has to do.
int make_private_folder(int parent, const char* name) {
  if (::mkdirat(parent, name, 0700) != 0) return errno;
  const Descriptor made(uninterrupted([&] { return ::openat(parent, name, folder_flags); }));
  const int changed = made.valid() ? ::fchmod(made.get(), 0700) : ::fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW);
  return changed == 0 ? 0 : errno;
}

// StorageError adds the path in front and the errno's text behind.
[[noreturn]] void refuse_directory(const std::string& path, int error, const std::string& why) {
  throw StorageError({.path = path, .offset = {}, .sequence = {}}, error, "cannot open the book's directory" + why);
}

[[noreturn]] void refuse_directory(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      refuse_directory(path, error, ", no such directory (check the path, or make the directory above it)");
    case ENOTDIR:
      refuse_directory(path, error, ", not a directory (a book is a directory of its own)");
    case ELOOP:
      refuse_directory(path, error, ", a symbolic link (pass the directory that it leads to)");
    case EROFS:
      refuse_directory(path, error, ", the file system is read-only (it can be opened for reading only)");
    default:
      refuse_directory(path, error, "");
  }
}

std::string absolute_path(const std::filesystem::path& directory) {
  std::string text = std::filesystem::absolute(directory).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();  // "link/" would be followed
  return text;
}

// 0 when the system does not say. Types are 32 bits wide, in a field whose width and sign depend on the machine.
std::uint32_t file_system_type(int directory) {
  struct statfs status {};
  if (uninterrupted([&] { return ::fstatfs(directory, &status); }) != 0) return 0;
  return static_cast<std::uint32_t>(status.f_type);
}

// Durable like all that follows: the entry in the parent is synced before anything is written inside.
void make_book_directory(const std::string& path, OnNetwork on_network) {
  const std::filesystem::path whole(path);
  const Descriptor parent(
      uninterrupted([&] { return ::open(whole.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!parent.valid()) refuse_directory(path, errno);
  if (on_network == OnNetwork::refuse) require_local_file_system(path, file_system_type(parent.get()));
  const int error = make_private_folder(parent.get(), whole.filename().c_str());
  if (error == EEXIST) return;
  if (error != 0) refuse_directory(path, error);
  if (kept("system.book.sync_parent") && ::fsync(parent.get()) != 0) refuse_directory(path, errno);
}

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::read_write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

int check_regular(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return S_ISREG(status.st_mode) ? 0 : EINVAL;
}

bool is_regular(int folder, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_REG;
  struct stat status {};
  return ::fstatat(folder, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

std::unique_ptr<PosixStorage> PosixStorage::open(const std::filesystem::path& directory, Access access,
                                                 OnNetwork on_network) {
  if (directory.empty()) refuse_directory("", ENOENT, ", the path is empty (name a directory)");
  const std::string path = absolute_path(directory);
  const auto open_it = [&] { return uninterrupted([&] { return ::open(path.c_str(), folder_flags); }); };

  Descriptor opened(open_it());
  if (!opened.valid() && errno == ENOENT && access == Access::create) {
    make_book_directory(path, on_network);
    opened = Descriptor(open_it());
  }
  if (!opened.valid()) {
    const int error = errno;
    refuse_directory(path, error == ENOTDIR && is_symbolic_link(AT_FDCWD, path.c_str()) ? ELOOP : error);
  }
  const bool writable = access != Access::read_only;
  if (writable && on_network == OnNetwork::refuse) require_local_file_system(path, file_system_type(opened.get()));
  if (writable && ::faccessat(opened.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    if (errno != EACCES) refuse_directory(path, errno);
    refuse_directory(path, EACCES, ", read-only for this user (change its owner or mode, or open it for reading only)");
  }
  return std::unique_ptr<PosixStorage>(new PosixStorage(path, opened.take(), writable));
}

PosixStorage::PosixStorage(std::string path, int directory, bool writable)
    : path_(std::move(path)), directory_(directory), writable_(writable) {}

PosixStorage::~PosixStorage() {
  ::close(directory_);
}

Opened PosixStorage::open(const std::string& name, OpenMode mode) {
  if (!writable_ && mode != OpenMode::read) return {.file = nullptr, .error = EROFS};
  Spot spot;
  if (const int error = find_spot(directory_, name, spot)) return {.file = nullptr, .error = error};
  // O_NONBLOCK: a pipe in the place of a file must not hang us before it is refused. Files do not care.
  const int flags = flags_of(mode) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  Descriptor file(uninterrupted([&] { return ::openat(spot.in, spot.name.c_str(), flags, 0600); }));
  if (!file.valid()) return {.file = nullptr, .error = errno};
  if (const int error = check_regular(file.get())) return {.file = nullptr, .error = error};
  if (mode == OpenMode::create && ::fchmod(file.get(), 0600) != 0) return {.file = nullptr, .error = errno};
  return {.file = std::make_unique<PosixFile>(std::move(file)), .error = 0};
}

int PosixStorage::list(const std::string& folder, std::vector<std::string>& names) {
  names.clear();
  Descriptor opened;
  if (const int error = open_folder(directory_, folder, opened)) return error;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(opened.get()), ::closedir);
  if (!entries) return errno;
  const int number = opened.take();  // closedir closes it

  errno = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    if (is_regular(number, *entry)) names.emplace_back(entry->d_name);
    errno = 0;
  }
  if (errno != 0) return errno;
  std::sort(names.begin(), names.end());
  return 0;
}

int PosixStorage::make_folder(const std::string& folder) {
  if (!writable_) return EROFS;
  if (!is_component(folder)) return EINVAL;
  const int error = make_private_folder(directory_, folder.c_str());
  if (error != EEXIST) return error;
  Descriptor existing;
  return open_folder(directory_, folder, existing);
}

int PosixStorage::rename(const std::string& from, const std::string& to) {
  if (!writable_) return EROFS;
  Spot source;
  Spot target;
  if (const int error = find_spot(directory_, from, source)) return error;
  if (const int error = find_spot(directory_, to, target)) return error;
  return ::renameat(source.in, source.name.c_str(), target.in, target.name.c_str()) == 0 ? 0 : errno;
}

int PosixStorage::remove(const std::string& name) {
  if (!writable_) return EROFS;
  Spot spot;
  if (const int error = find_spot(directory_, name, spot)) return error;
  return ::unlinkat(spot.in, spot.name.c_str(), 0) == 0 ? 0 : errno;
}

int PosixStorage::sync_folder(const std::string& folder) {
  if (!writable_) return EROFS;
  if (folder.empty()) return !kept("system.book.sync") || ::fsync(directory_) == 0 ? 0 : errno;
  Descriptor opened;
  if (const int error = open_folder(directory_, folder, opened)) return error;
  return !kept("system.folder.sync") || ::fsync(opened.get()) == 0 ? 0 : errno;
}

int PosixStorage::free_bytes(std::uint64_t& bytes) {
  struct statvfs status {};
  if (uninterrupted([&] { return ::fstatvfs(directory_, &status); }) != 0) return errno;
  bytes = static_cast<std::uint64_t>(status.f_bavail) * static_cast<std::uint64_t>(status.f_frsize);
  return 0;
}

Locked PosixStorage::lock(const std::string& purpose) {
  if (!writable_) return {.lock = nullptr, .owner = {}, .error = EROFS};
  return lock_directory(directory_, purpose);
}

std::string PosixStorage::network() const {
  return std::string(network_file_system_name(file_system_type(directory_)));
}

std::string PosixStorage::describe(const std::string& name) const {
  if (name.empty()) return path_;
  return path_ + "/" + name;
}

}  // namespace daybook
