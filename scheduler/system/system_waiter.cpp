// SPDX-License-Identifier: Apache-2.0

// One eventfd and two timers under one poll. The wall timer is armed so that setting the clock ends it as
// well (TFD_TIMER_CANCEL_ON_SET): the caller looks at the clock anew, so no deadline is met late because time
// was moved.

#include "daybook/system/system_waiter.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "daybook/core/error.hpp"
#include "descriptor.hpp"

namespace daybook {
namespace {

Descriptor checked(int number) {
  if (number < 0) {
    throw StorageError({}, errno, "cannot make the timers of the book (are there descriptors left, `ulimit -n`?)");
  }
  return Descriptor(number);
}

// False when there is nothing to wait for: the time has come, or the clock was set since the timer was last
// armed.
bool arm(int timer, int flags, Duration deadline) {
  if (deadline <= Duration(0)) return false;  // all zeros would disarm
  const auto seconds = std::chrono::floor<std::chrono::seconds>(deadline);
  itimerspec setting{};
  setting.it_value.tv_sec = static_cast<time_t>(seconds.count());
  setting.it_value.tv_nsec = static_cast<long>(std::chrono::nanoseconds(deadline - seconds).count());
  return ::timerfd_settime(timer, TFD_TIMER_ABSTIME | flags, &setting, nullptr) == 0;
}

}  // namespace

SystemWaiter::SystemWaiter() {
  Descriptor wake = checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  Descriptor wall = checked(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  Descriptor boot = checked(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  wake_ = wake.take();
  wall_timer_ = wall.take();
  boot_timer_ = boot.take();
}

SystemWaiter::~SystemWaiter() {
  ::close(wake_);
  ::close(wall_timer_);
  ::close(boot_timer_);
}

void SystemWaiter::wait(std::optional<Instant> wall, std::optional<BootTime> boot) {
  // poll ignores negative descriptors, so a timer that is not wanted need not be disarmed.
  std::array<pollfd, 3> watched{{{wake_, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}}};
  if (wall) {
    if (!arm(wall_timer_, TFD_TIMER_CANCEL_ON_SET, wall->time_since_epoch())) return;
    watched[1].fd = wall_timer_;
  }
  if (boot) {
    if (!arm(boot_timer_, 0, boot->time_since_epoch())) return;
    watched[2].fd = boot_timer_;
  }
  if (::poll(watched.data(), watched.size(), -1) <= 0) return;  // a signal: returning for no reason is allowed

  std::uint64_t count = 0;
  for (const pollfd& one : watched) {
    // What was read does not matter (for a clock that was set it is ECANCELED): it is that the next wait
    // starts afresh.
    if (one.revents != 0) [[maybe_unused]]
      const ssize_t bytes = ::read(one.fd, &count, sizeof(count));
  }
}

void SystemWaiter::wake() {
  const int kept = errno;  // a signal handler must leave it alone
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t bytes = ::write(wake_, &one, sizeof(one));  // full means woken already
  errno = kept;
}

}  // namespace daybook
