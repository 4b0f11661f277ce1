// SPDX-License-Identifier: Apache-2.0
#include "daybook/system/system_random.hpp"

#include <sys/random.h>
#include <unistd.h>

#include "daybook/core/error.hpp"
#include "descriptor.hpp"

namespace daybook {

std::uint64_t SystemRandom::next() {
  const std::lock_guard guard(mutex_);
  const int process = ::getpid();
  if (used_ == words_.size() || process_ != process) {
    const ssize_t bytes = uninterrupted([&] { return ::getrandom(words_.data(), sizeof(words_), 0); });
    if (bytes != static_cast<ssize_t>(sizeof(words_))) {
      throw StorageError({}, bytes < 0 ? errno : EIO,
                         "cannot get random bytes from the kernel (getrandom, Linux 3.17 or later)");
    }
    used_ = 0;
    process_ = process;
  }
  return words_[used_++];
}

}  // namespace daybook
