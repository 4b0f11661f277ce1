// SPDX-License-Identifier: Apache-2.0
#pragma once

// VirtualClock: time that moves when a test says so. SeededRandom: chance that repeats.
//
//   daybook::testing::VirtualClock clock;
//   auto book = daybook::Daybook::open(folder, {.clock = &clock, .waiter = &clock});
//   clock.advance(24h);   // a day passes; whatever waits for it, on whatever thread, wakes
//
// With a book that has threads, as here, a test still has to wait for what they do; in a TestBook (test_book.hpp) there is nothing to wait
// for. Thread-safe. A clock must outlive the books that use it.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

#include "daybook/core/ports.hpp"

namespace daybook::testing {

class VirtualClock final : public Clock, public Waiter {
 public:
  /// 2026-01-01T00:00:00Z, one hour after the machine started.
  VirtualClock() = default;
  explicit VirtualClock(Instant wall);
  /// Another clock that shows the same times, of the same boot.
  VirtualClock(const VirtualClock& other);
  VirtualClock& operator=(const VirtualClock&) = delete;

  /// Time passes: on the wall, and since the machine started. One large advance is also what a machine that was suspended looks
  /// like: nobody ran meanwhile. Never backwards: a negative duration counts as 0.
  void advance(Duration by);
  /// Likewise, until the wall clock shows `wall`; not at all when it is past that.
  void advance_to(Instant wall);

  /// Somebody sets the wall clock; no time passes. Delays, backoff and leases are not moved by it, instants are.
  void step_wall(Duration by);  // in either direction
  void set_wall(Instant wall);

  /// The machine was off for as long and started again: for a book that is closed, or was left as by a loss of power.
  void reboot(Duration off_for = std::chrono::minutes(1));

  // ---- Clock ----
  [[nodiscard]] Instant wall() override;
  [[nodiscard]] BootTime boot() override;
  [[nodiscard]] Uuid boot_id() override;

  // ---- Waiter: blocks until the test has moved time far enough ----
  void wait(std::optional<Instant> wall, std::optional<BootTime> boot) override;
  void wake() override;

 private:
  mutable std::mutex mutex_;
  std::condition_variable moved_;
  Instant wall_ = Instant(std::chrono::seconds(1'767'225'600));
  BootTime boot_ = BootTime(std::chrono::hours(1));
  Uuid boot_id_{{0xda, 0x7b, 0x00, 0xc0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};
  bool woken_ = false;
};

/// The same numbers from the same seed. Not thread-safe; a book asks it from one thread at a time.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}
  [[nodiscard]] std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace daybook::testing
