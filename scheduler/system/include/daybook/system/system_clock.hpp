// SPDX-License-Identifier: Apache-2.0
#pragma once

// SystemClock: CLOCK_REALTIME, CLOCK_BOOTTIME and the boot id of this machine, cut to microseconds.
// Thread-safe.

#include "daybook/core/ports.hpp"

namespace daybook {

class SystemClock final : public Clock {
 public:
  /// Reads the boot id, once. Where the system has none (no /proc), a random one stands for it: every process
  /// then looks like a new boot, which makes leases end later, never earlier.
  SystemClock();

  [[nodiscard]] Instant wall() override;
  [[nodiscard]] BootTime boot() override;
  [[nodiscard]] Uuid boot_id() override { return boot_id_; }

 private:
  Uuid boot_id_;
};

}  // namespace daybook
