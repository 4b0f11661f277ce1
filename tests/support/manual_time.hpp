// SPDX-License-Identifier: Apache-2.0
#pragma once

// ManualTime: clock and waiter in one, for books with threads: time moves when the test says so, and whoever waits for
// it wakes then.

#include <condition_variable>
#include <mutex>
#include <optional>

#include "daybook/core/ports.hpp"

namespace daybook::test {

class ManualTime final : public Clock, public Waiter {
 public:
  [[nodiscard]] Instant wall() override {
    const std::lock_guard lock(mutex_);
    return wall_;
  }
  [[nodiscard]] BootTime boot() override {
    const std::lock_guard lock(mutex_);
    return boot_;
  }
  [[nodiscard]] Uuid boot_id() override { return Uuid{{0xb0, 0x07}}; }

  void advance(Duration by) {
    {
      const std::lock_guard lock(mutex_);
      wall_ += by;
      boot_ += by;
    }
    moved_.notify_all();
  }
  void step_wall(Duration by) {
    {
      const std::lock_guard lock(mutex_);
      wall_ += by;
    }
    moved_.notify_all();
  }

  void wait(std::optional<Instant> wall, std::optional<BootTime> boot) override {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return woken_ || (wall && *wall <= wall_) || (boot && *boot <= boot_); });
    woken_ = false;
  }
  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    moved_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  Instant wall_ = Instant(std::chrono::seconds(1'772'625'600));  // 2026-03-04T12:00:00Z
  BootTime boot_ = BootTime(std::chrono::hours(1));
  bool woken_ = false;
};

}  // namespace daybook::test
