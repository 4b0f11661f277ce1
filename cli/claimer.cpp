// SPDX-License-Identifier: Apache-2.0
#include "claimer.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "exit.hpp"

namespace daybook::cli {

Claimer::Claimer(Daybook& book, Claim claim, std::uint32_t slots, Duration patience)
    : book_(book),
      claim_(std::move(claim)),
      patience_(patience),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      free_(slots) {
  if (!event_.open()) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Claimer::~Claimer() {
  stop();
}

void Claimer::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Claimer::notify() {
  const std::uint64_t one = 1;
  // Only a counter that is about to overflow refuses, and then the reader is awake already.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

std::vector<ClaimedJob> Claimer::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(event_.get(), &count, sizeof count);
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return std::exchange(claimed_, {});
}

void Claimer::free_slot() {
  const std::lock_guard lock(mutex_);
  ++free_;
  freed_.notify_one();
}

void Claimer::run(const std::stop_token& stop) {
  try {
    while (!stop.stop_requested()) {
      Claim claim = claim_;
      {
        std::unique_lock lock(mutex_);
        if (!freed_.wait(lock, stop, [this] { return free_ > 0; })) return;
        claim.count = free_;
      }
      std::vector<ClaimedJob> jobs = cli::take(book_.claim(std::move(claim), patience_, stop));
      {
        const std::lock_guard lock(mutex_);
        free_ -= static_cast<std::uint32_t>(jobs.size());
        for (ClaimedJob& job : jobs) claimed_.push_back(std::move(job));
      }
      notify();
    }
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    notify();
  }
}

}  // namespace daybook::cli
