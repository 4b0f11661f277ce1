// SPDX-License-Identifier: Apache-2.0

// Who may write: flock on the directory and on its file "LOCK", and a list of what this process holds itself.
// The kernel ends a flock with the last copy of its descriptor, so a crash leaves nothing to clean up, and a child made by fork()
// closes its copies at once. The text in the file is for people and decides nothing. Waiting for the owner is left to the caller.

#include "directory_lock.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

#include "daybook/core/mutant.hpp"
#include "daybook/core/time.hpp"
#include "daybook/system/process.hpp"
#include "descriptor.hpp"

namespace daybook {
namespace {

constexpr const char* lock_name = "LOCK";
constexpr std::size_t owner_bytes_max = 512;

using DirectoryKey = std::pair<dev_t, ino_t>;

// What this process holds. flock alone would do on a local disk; over NFS it becomes a record lock, which a process never
// refuses to itself. The mutex is held while descriptors are opened, locked and closed, and across a fork, so that a child finds each
// copy it got, and closes it: else a child that lives on would hold the book of a parent that died.
class HeldDirectories {
 public:
  std::mutex mutex;
  std::map<DirectoryKey, std::pair<int, int>> descriptors;  // of the directory and of its file

  void forget_all() {
    for (const auto& [key, pair] : descriptors) {
      ::close(pair.first);
      ::close(pair.second);
    }
    descriptors.clear();
  }
};

HeldDirectories& held_directories() {
  static HeldDirectories held;
  static const int failed = ::pthread_atfork([] { held.mutex.lock(); }, [] { held.mutex.unlock(); },
                                             [] {
                                               held.forget_all();
                                               held.mutex.unlock();
                                             });
  if (failed != 0) throw std::bad_alloc();
  return held;
}

class DirectoryLock final : public StorageLock {
 public:
  DirectoryLock(DirectoryKey key, Descriptor directory, Descriptor file)
      : key_(key), directory_(std::move(directory)), file_(std::move(file)) {}

  ~DirectoryLock() override {
    if (mark_.in_forked_child()) {  // closed already, and the numbers may be somebody else's by now
      static_cast<void>(directory_.take());
      static_cast<void>(file_.take());
      return;
    }
    HeldDirectories& held = held_directories();
    const std::lock_guard guard(held.mutex);
    [[maybe_unused]] const int truncated = ::ftruncate(file_.get(), 0);
    // Unlocked in so many words: a copy in a child made by a bare clone() would keep it.
    ::flock(file_.get(), LOCK_UN);
    ::flock(directory_.get(), LOCK_UN);
    held.descriptors.erase(key_);
    directory_ = Descriptor();
    file_ = Descriptor();
  }

 private:
  ProcessMark mark_;
  DirectoryKey key_;
  Descriptor directory_;
  Descriptor file_;
};

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "an unknown host";
  return name.data();
}

std::string describe_owner(const std::string& purpose) {
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  std::string text = "pid " + std::to_string(::getpid()) + " on host " + host_name();
  if (!purpose.empty()) text += ", " + purpose;
  text = text.substr(0, owner_bytes_max - 64);
  return text + ", since " + to_string(Instant(now)) + "\n";
}

void write_owner(int file, const std::string& purpose) {
  const std::string text = describe_owner(purpose);
  const ssize_t written = ::pwrite(file, text.data(), text.size(), 0);
  if (written > 0 && ::ftruncate(file, written) == 0) return;
  [[maybe_unused]] const int emptied = ::ftruncate(file, 0);  // a full disk: held all the same, by somebody unnamed
}

// The first line of the file, as another process left it: shortened, and without what a terminal would obey.
std::string read_owner(int directory) {
  const Descriptor file(
      uninterrupted([&] { return ::openat(directory, lock_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK); }));
  if (!file.valid()) return {};
  std::array<char, owner_bytes_max> text{};
  const ssize_t bytes = uninterrupted([&] { return ::pread(file.get(), text.data(), text.size(), 0); });
  if (bytes <= 0) return {};
  std::string owner;
  for (const char letter : std::string_view(text.data(), static_cast<std::size_t>(bytes))) {
    if (letter == '\n') break;
    const auto code = static_cast<unsigned char>(letter);
    owner += code < 0x20 || code >= 0x7f ? '?' : letter;
  }
  return owner;
}

Locked held_by_other(int directory) {
  return {.lock = nullptr, .owner = read_owner(directory), .error = 0};
}
Locked failed(int error) {
  return {.lock = nullptr, .owner = {}, .error = error};
}

// Makes the file when it is missing, with mode 0600 whatever the umask.
int open_lock_file(int directory, Descriptor& file) {
  constexpr int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  file = Descriptor(uninterrupted([&] { return ::openat(directory, lock_name, flags | O_CREAT | O_EXCL, 0600); }));
  if (file.valid()) return ::fchmod(file.get(), 0600) == 0 ? 0 : errno;
  if (errno != EEXIST) return errno;
  file = Descriptor(uninterrupted([&] { return ::openat(directory, lock_name, flags); }));
  if (!file.valid()) return errno;
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno;
  return S_ISREG(status.st_mode) ? 0 : EINVAL;
}

}  // namespace

Locked lock_directory(int directory, const std::string& purpose) {
  struct stat status {};
  if (::fstat(directory, &status) != 0) return failed(errno);
  const DirectoryKey key{status.st_dev, status.st_ino};
  HeldDirectories& held = held_directories();
  const std::lock_guard guard(held.mutex);
  if (kept("system.lock.process") && held.descriptors.contains(key)) return held_by_other(directory);

  // A descriptor of its own: flock belongs to the opening, and this one ends with the lock.
  Descriptor own(
      uninterrupted([&] { return ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
  if (!own.valid()) return failed(errno);
  // Where directories cannot be locked (NFS), the file alone decides.
  if (kept("system.lock.directory") && ::flock(own.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return held_by_other(directory);

  Descriptor file;
  if (const int error = open_lock_file(directory, file)) return failed(error);
  if (kept("system.lock.file") && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? held_by_other(directory) : failed(errno);
  }
  write_owner(file.get(), purpose);
  held.descriptors.emplace(key, std::pair(own.get(), file.get()));
  return {.lock = std::make_unique<DirectoryLock>(key, std::move(own), std::move(file)), .owner = {}, .error = 0};
}

}  // namespace daybook
