// SPDX-License-Identifier: Apache-2.0
#pragma once

// SystemRandom: bits from the kernel's generator (getrandom), fetched a few hundred bytes at a time.
// Unpredictable, and never the same in two processes, a forked child included. Thread-safe.

#include <array>
#include <mutex>

#include "daybook/core/ports.hpp"

namespace daybook {

class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, 32> words_{};  // at most 256 bytes: then getrandom gives all of them or fails
  std::size_t used_ = 32;
  int process_ = 0;  // whose words they are
};

}  // namespace daybook
