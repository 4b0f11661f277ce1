// SPDX-License-Identifier: Apache-2.0
#include "support/sync_spy.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <optional>
#include <stdexcept>

namespace daybook::test {
namespace {

struct Record {
  std::vector<std::string> calls;
  std::string failing;
  int error_number = 0;
};

std::mutex mutex;
std::optional<Record>& record() {
  static std::optional<Record> only;
  return only;
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string name_of(int descriptor) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t bytes = ::readlink(link.c_str(), path.data(), path.size());
  return bytes < 0 ? "?" : last_part({path.data(), static_cast<std::size_t>(bytes)});
}

template <class Call>
int pass_on(const std::string& said, const Call& call) {
  {
    const std::lock_guard guard(mutex);
    if (record() && record()->failing == said) {
      record()->failing.clear();
      errno = record()->error_number;
      return -1;
    }
  }
  const auto result = static_cast<int>(call());
  const std::lock_guard guard(mutex);
  if (record() && result == 0) record()->calls.push_back(said);
  return result;
}

}  // namespace

SyncSpy::SyncSpy() {
  const std::lock_guard guard(mutex);
  if (record()) throw std::logic_error("test: two spies");
  record().emplace();
}

SyncSpy::~SyncSpy() {
  const std::lock_guard guard(mutex);
  record().reset();
}

std::vector<std::string> SyncSpy::calls() const {
  const std::lock_guard guard(mutex);
  return record()->calls;
}

void SyncSpy::fail_next(const std::string& call, int error_number) {
  const std::lock_guard guard(mutex);
  record()->failing = call;
  record()->error_number = error_number;
}

}  // namespace daybook::test

using daybook::test::last_part;
using daybook::test::name_of;
using daybook::test::pass_on;

extern "C" {

int fsync(int descriptor) {
  return pass_on("fsync " + name_of(descriptor), [&] { return ::syscall(SYS_fsync, descriptor); });
}

int fdatasync(int descriptor) {
  return pass_on("fdatasync " + name_of(descriptor), [&] { return ::syscall(SYS_fdatasync, descriptor); });
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return pass_on("rename " + last_part(to),
                 [&] { return ::syscall(SYS_renameat2, from_folder, from, to_folder, to, 0); });
}

int unlinkat(int folder, const char* name, int flags) noexcept {
  return pass_on("remove " + last_part(name), [&] { return ::syscall(SYS_unlinkat, folder, name, flags); });
}

}  // extern "C"
