// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of files and folders need to know about modes, and to be somebody whom they concern.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace daybook::test {

/// The permission bits of a file or folder, links not followed.
inline unsigned mode_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw std::runtime_error("cannot stat " + path.string());
  return status.st_mode & 07777;
}

class WithUmask {
 public:
  explicit WithUmask(mode_t mask) : before_(::umask(mask)) {}
  WithUmask(const WithUmask&) = delete;
  WithUmask& operator=(const WithUmask&) = delete;
  ~WithUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

/// While it lives, root is somebody whom modes concern, and `folder` is open to all. Others stay who they are.
class AsOrdinaryUser {
 public:
  explicit AsOrdinaryUser(const std::filesystem::path& folder) : was_root_(::geteuid() == 0) {
    if (::chmod(folder.c_str(), 0777) != 0) throw std::runtime_error("chmod failed");
    if (was_root_ && ::seteuid(65534) != 0) throw std::runtime_error("seteuid failed");
  }
  AsOrdinaryUser(const AsOrdinaryUser&) = delete;
  AsOrdinaryUser& operator=(const AsOrdinaryUser&) = delete;
  ~AsOrdinaryUser() {
    if (was_root_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool was_root_;
};

}  // namespace daybook::test
