// SPDX-License-Identifier: Apache-2.0
#pragma once

// When a failed attempt may be tried again.

#include <cstdint>

#include "daybook/core/limits.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

struct RetryPolicy {
  enum class Backoff : std::uint8_t { fixed = 0, exponential = 1 };

  Backoff backoff = Backoff::exponential;
  Duration first = limits::backoff_first_default;  // delay after the first failure; fixed: after every failure
  Duration cap = limits::backoff_cap_default;      // no delay is longer, jitter aside; at least `first`
  std::uint16_t jitter_permille = limits::jitter_permille_default;  // added on top, 0 to this share of the delay
  std::uint32_t max_attempts = limits::attempts_default;            // 1: never retried

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// Delay after the `attempt`-th attempt failed (from 1): first · 2^(attempt-1), at most cap, plus jitter drawn from
/// `chance`. Never less than the policy's delay without jitter. Saturates, never overflows.
[[nodiscard]] Duration retry_delay(const RetryPolicy& policy, std::uint32_t attempt, std::uint64_t chance);

/// Refusal `attempts_out_of_range` when the numbers are out of their ranges.
[[nodiscard]] Result<void> check(const RetryPolicy& policy);

}  // namespace daybook
