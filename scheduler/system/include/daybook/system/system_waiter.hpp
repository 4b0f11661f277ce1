// SPDX-License-Identifier: Apache-2.0
#pragma once

// SystemWaiter: the Waiter port on Linux timers. A wall deadline follows the wall clock when somebody sets
// it; a boot deadline counts suspend. wake() may be called from any thread, and from a signal handler; wait()
// from one thread at a time.

#include "daybook/core/ports.hpp"

namespace daybook {

class SystemWaiter final : public Waiter {
 public:
  SystemWaiter();  // throws StorageError when the process has no descriptors left
  ~SystemWaiter() override;
  SystemWaiter(const SystemWaiter&) = delete;
  SystemWaiter& operator=(const SystemWaiter&) = delete;

  void wait(std::optional<Instant> wall, std::optional<BootTime> boot) override;
  void wake() override;

 private:
  int wake_ = -1;
  int wall_timer_ = -1;
  int boot_timer_ = -1;
};

}  // namespace daybook
