// SPDX-License-Identifier: Apache-2.0

// A driver without threads: the caller's does what the timer's and the callbacks' would, and time passes only in the waiter.
#include <algorithm>
#include <utility>

#include "driver.hpp"

namespace daybook {

bool Driver::drive() {
  if (!driven_) return false;
  require_own_process();
  bool worked = false;
  while (true) {
    bool stepped = false;
    {
      std::unique_lock lock(mutex_);
      stepped = do_what_is_due(lock);
    }
    // One at a time, with what it posted done before the next, as threads that are fast enough would.
    if (!run_callback() && !stepped) return worked;
    worked = true;
  }
}

bool Driver::run_callback() {
  std::function<void()> task;
  {
    const std::lock_guard lock(callbacks_mutex_);
    if (callbacks_.empty()) return false;
    task = std::move(callbacks_.front());
    callbacks_.pop_front();
  }
  task();
  return true;
}

std::optional<Duration> Driver::until_next() {
  const std::lock_guard lock(mutex_);
  {
    const std::lock_guard callbacks(callbacks_mutex_);
    if (!arrivals_.empty() || !callbacks_.empty()) return Duration(0);
  }
  const Times next = next_times();
  const Moment now = this->now();
  std::optional<Duration> until;
  if (next.wall) until = *next.wall - now.wall;
  if (next.boot) until = std::min(until.value_or(Duration::max()), Duration(*next.boot - now.boot));
  return until ? std::optional(std::max(*until, Duration(0))) : std::nullopt;
}

bool Driver::drive_until(const std::function<bool()>& done) {
  while (true) {
    static_cast<void>(drive());
    if (done()) return true;
    Times next;
    {
      const std::lock_guard lock(mutex_);
      next = next_times();
    }
    if (!next.wall && !next.boot) return false;
    waiter_.wait(next.wall, next.boot);
  }
}

void Driver::drive_for(Ticket ticket, const bool& answered) {
  if (!driven_ || drive_until([&answered] { return answered; })) return;
  withdraw(ticket);
  static_cast<void>(drive());
}

}  // namespace daybook
