// SPDX-License-Identifier: Apache-2.0
#include "holding.hpp"

#include <poll.h>

#include <cerrno>
#include <cstring>

#include "daybook/system/system_clock.hpp"
#include "exit.hpp"
#include "output.hpp"

namespace daybook::cli {

OnNetwork on_network(const Common& common) {
  return common.allow_network ? OnNetwork::allow : OnNetwork::refuse;
}

std::unique_ptr<StorageLock> hold(PosixStorage& storage, const Common& common) {
  constexpr int kPollMilliseconds = 20;
  SystemClock clock;
  const BootTime give_up = clock.boot() + common.wait;
  while (true) {
    Locked locked = storage.lock("daybook " + common.verb);
    if (locked.lock != nullptr) return std::move(locked.lock);
    if (locked.error != 0 && locked.error != EWOULDBLOCK) {
      throw RefusedError(sanitized(storage.path()) + ": cannot be locked: " + std::strerror(locked.error));
    }
    if (clock.boot() >= give_up) {
      throw RefusedError(sanitized(storage.path()) + ": held by another process (" +
                         (locked.owner.empty() ? "unknown" : sanitized(locked.owner)) + "), waited " +
                         to_string(common.wait) + "; stop it, or give a longer --wait");
    }
    ::poll(nullptr, 0, kPollMilliseconds);
  }
}

}  // namespace daybook::cli
