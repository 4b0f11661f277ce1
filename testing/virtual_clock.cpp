// SPDX-License-Identifier: Apache-2.0
#include "daybook/testing/virtual_clock.hpp"

#include <algorithm>

namespace daybook::testing {

VirtualClock::VirtualClock(Instant wall) : wall_(wall) {}

VirtualClock::VirtualClock(const VirtualClock& other) : Clock(), Waiter() {
  const std::lock_guard lock(other.mutex_);
  wall_ = other.wall_;
  boot_ = other.boot_;
  boot_id_ = other.boot_id_;
}

void VirtualClock::advance(Duration by) {
  {
    const std::lock_guard lock(mutex_);
    wall_ += std::max(by, Duration(0));
    boot_ += std::max(by, Duration(0));
  }
  moved_.notify_all();
}

void VirtualClock::advance_to(Instant wall) {
  advance(wall - this->wall());
}

void VirtualClock::step_wall(Duration by) {
  {
    const std::lock_guard lock(mutex_);
    wall_ += by;
  }
  moved_.notify_all();
}

void VirtualClock::set_wall(Instant wall) {
  {
    const std::lock_guard lock(mutex_);
    wall_ = wall;
  }
  moved_.notify_all();
}

void VirtualClock::reboot(Duration off_for) {
  {
    const std::lock_guard lock(mutex_);
    wall_ += off_for;
    boot_ = BootTime(std::chrono::seconds(1));
    ++boot_id_.bytes[15];
  }
  moved_.notify_all();
}

Instant VirtualClock::wall() {
  const std::lock_guard lock(mutex_);
  return wall_;
}

BootTime VirtualClock::boot() {
  const std::lock_guard lock(mutex_);
  return boot_;
}

Uuid VirtualClock::boot_id() {
  const std::lock_guard lock(mutex_);
  return boot_id_;
}

void VirtualClock::wait(std::optional<Instant> wall, std::optional<BootTime> boot) {
  std::unique_lock lock(mutex_);
  moved_.wait(lock, [&] { return woken_ || (wall && *wall <= wall_) || (boot && *boot <= boot_); });
  woken_ = false;
}

void VirtualClock::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  moved_.notify_all();
}

// splitmix64 (Steele, Lea, Flood 2014).
std::uint64_t SeededRandom::next() {
  state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace daybook::testing
