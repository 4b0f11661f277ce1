// SPDX-License-Identifier: Apache-2.0
#include "daybook/system/process.hpp"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <new>

namespace daybook {
namespace {

std::atomic<std::uint64_t> forks{0};  // on the way from the first process to this one

void count_forks() {
  static const int failed = ::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  if (failed != 0) throw std::bad_alloc();
}

}  // namespace

ProcessMark::ProcessMark() {
  count_forks();
  forks_ = forks.load(std::memory_order_relaxed);
}

bool ProcessMark::in_forked_child() const {
  return forks.load(std::memory_order_relaxed) != forks_;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::string program_name() {
  return program_invocation_short_name;
}

std::uint32_t process_id() {
  return static_cast<std::uint32_t>(::getpid());
}

}  // namespace daybook
