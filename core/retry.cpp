// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/retry.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace daybook {
namespace {

tl::unexpected<Refusal> out_of_range(std::string sentence) {
  return refuse(RefusalCode::attempts_out_of_range, std::move(sentence));
}

/// Doubles until the cap: at most 63 steps, since a positive number doubled as often overflows.
Duration without_jitter(const RetryPolicy& policy, std::uint32_t attempt) {
  const Duration cap = std::max(policy.cap, Duration(0));
  Duration delay = std::clamp(policy.first, Duration(0), cap);
  if (policy.backoff == RetryPolicy::Backoff::fixed || delay == Duration(0)) {
    return delay;
  }
  for (std::uint32_t i = 1; i < attempt && delay < cap; ++i) {
    delay = delay > cap / 2 ? cap : delay * 2;
  }
  return delay;
}

}  // namespace

Duration retry_delay(const RetryPolicy& policy, std::uint32_t attempt, std::uint64_t chance) {
  const std::int64_t delay = without_jitter(policy, attempt).count();
  const std::int64_t permille = std::min(policy.jitter_permille, limits::jitter_permille_max);
  const std::int64_t jitter_most = delay / 1000 * permille + delay % 1000 * permille / 1000;
  const auto jitter = static_cast<std::int64_t>(chance % (static_cast<std::uint64_t>(jitter_most) + 1));
  if (jitter > std::numeric_limits<std::int64_t>::max() - delay) {
    return Duration::max();
  }
  return Duration(delay + jitter);
}

Result<void> check(const RetryPolicy& policy) {
  if (policy.backoff != RetryPolicy::Backoff::fixed && policy.backoff != RetryPolicy::Backoff::exponential) {
    return out_of_range("the backoff is neither fixed nor exponential");
  }
  if (policy.max_attempts < 1 || policy.max_attempts > limits::attempts_max) {
    return out_of_range("max attempts is " + std::to_string(policy.max_attempts) + ", expected 1 to " +
                        std::to_string(limits::attempts_max));
  }
  if (policy.first < Duration(0) || policy.first > limits::backoff_max) {
    return out_of_range("the first backoff is " + to_string(policy.first) + ", expected 0s to " +
                        to_string(limits::backoff_max));
  }
  if (policy.cap < policy.first || policy.cap > limits::backoff_max) {
    return out_of_range("the cap of the backoff is " + to_string(policy.cap) + ", expected from the first backoff, " +
                        to_string(policy.first) + ", to " + to_string(limits::backoff_max));
  }
  if (policy.jitter_permille > limits::jitter_permille_max) {
    return out_of_range("the jitter is " + std::to_string(policy.jitter_permille) + " permille, expected 0 to " +
                        std::to_string(limits::jitter_permille_max));
  }
  return {};
}

}  // namespace daybook
