// SPDX-License-Identifier: Apache-2.0
#pragma once

// ManualClock: time moves when a test says so. FixedRandom: chance that repeats from a seed.

#include <cstdint>

#include "daybook/core/ports.hpp"

namespace daybook::test {

class ManualClock final : public Clock {
 public:
  /// 2026-03-04T12:00:00Z, one hour after the boot.
  ManualClock() = default;
  explicit ManualClock(Instant wall, BootTime boot = BootTime(std::chrono::hours(1))) : wall_(wall), boot_(boot) {}

  [[nodiscard]] Instant wall() override { return wall_; }
  [[nodiscard]] BootTime boot() override { return boot_; }
  [[nodiscard]] Uuid boot_id() override { return boot_id_; }

  void advance(Duration by) {  // both clocks
    wall_ += by;
    boot_ += by;
  }
  void step_wall(Duration by) { wall_ += by; }
  void reboot(Duration off_for = std::chrono::minutes(1)) {  // another boot id, boot time from 1 s
    wall_ += off_for;
    boot_ = BootTime(std::chrono::seconds(1));
    ++boot_id_.bytes[15];
  }

 private:
  Instant wall_ = Instant(std::chrono::seconds(1'772'625'600));
  BootTime boot_ = BootTime(std::chrono::hours(1));
  Uuid boot_id_{{0xb0, 0x07, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};
};

/// splitmix64 (Steele, Lea, Flood 2014).
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(std::uint64_t seed = 1) : state_(seed) {}
  [[nodiscard]] std::uint64_t next() override {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace daybook::test
