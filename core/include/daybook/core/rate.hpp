// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rates of starts, as token buckets on book time: a clock that steps fills none of them. Integers throughout, and what is
// rounded is rounded down, so that a rate is never exceeded.

#include <cstdint>
#include <optional>
#include <string>

#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// `starts` in every `per`, and up to `burst` of them at once after a pause. In any span of time there are at most `burst`
/// starts, and those that the span's length brings.
struct Rate {
  std::uint32_t starts = 0;  // 0: no limit
  Duration per{};
  std::uint32_t burst = 0;

  [[nodiscard]] bool limited() const { return starts != 0; }
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// "100/1s", "5/1m burst 10", "none".
[[nodiscard]] std::string to_string(const Rate& rate);

/// How full a bucket was, in millionths of a start.
struct Bucket {
  std::int64_t level = 0;
  BookTime at{};
  friend bool operator==(const Bucket&, const Bucket&) = default;
};

inline constexpr std::int64_t bucket_unit = 1'000'000;  // a start

/// The bucket as it is at `now`. No bucket: a full one. The rate must be limited.
[[nodiscard]] Bucket refilled(const std::optional<Bucket>& bucket, const Rate& rate, BookTime now);

[[nodiscard]] bool is_full(const Bucket& bucket, const Rate& rate);

/// The first instant from `bucket.at` on at which there is a start in the bucket.
[[nodiscard]] BookTime next_start(const Bucket& bucket, const Rate& rate);

}  // namespace daybook
