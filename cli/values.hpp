// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the words of a command line become values. A refusal shows what would parse.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/command.hpp"
#include "daybook/core/filter.hpp"
#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/recurrence.hpp"
#include "daybook/core/time.hpp"
#include "daybook/replay/replay.hpp"

namespace daybook::cli {

/// "10/s", "600/m", "5/h": how many jobs an operator's command changes in how long.
struct ChangeRate {
  std::uint64_t count = 0;
  Duration per{};
};
[[nodiscard]] std::string rate_text(const ChangeRate& rate);

Result<void> read_value(const std::string& text, std::string& into);
Result<void> read_value(const std::string& text, std::uint32_t& into);
Result<void> read_value(const std::string& text, std::uint64_t& into);
Result<void> read_value(const std::string& text, Priority& into);
Result<void> read_value(const std::string& text, Duration& into);
Result<void> read_value(const std::string& text, Instant& into);
Result<void> read_value(const std::string& text, Rate& into);
Result<void> read_value(const std::string& text, JobId& into);
Result<void> read_value(const std::string& text, Token& into);
Result<void> read_value(const std::string& text, Phase& into);
Result<void> read_value(const std::string& text, Filter& into);
Result<void> read_value(const std::string& text, ChangeRate& into);
Result<void> read_value(const std::string& text, Sequence& into);
Result<void> read_value(const std::string& text, Point& into);
Result<void> read_value(const std::string& text, Tag& into);
Result<void> read_value(const std::string& text, Envelope& into);
Result<void> read_value(const std::string& text, OnConflict& into);
Result<void> read_value(const std::string& text, RetryPolicy::Backoff& into);
Result<void> read_value(const std::string& text, UniqueScope& into);
Result<void> read_value(const std::string& text, RunWhen& into);
Result<void> read_value(const std::string& text, Otherwise& into);
Result<void> read_value(const std::string& text, CronExpression& into);
Result<void> read_value(const std::string& text, DstGap& into);
Result<void> read_value(const std::string& text, DstRepeat& into);
Result<void> read_value(const std::string& text, Missed& into);
Result<void> read_value(const std::string& text, Overlap& into);

template <class T>
Result<void> read_value(const std::string& text, std::optional<T>& into) {
  T value{};
  if (auto read = read_value(text, value); !read) return read;
  into = std::move(value);
  return {};
}

/// An option that may be given several times.
template <class T>
Result<void> read_value(const std::string& text, std::vector<T>& into) {
  T value{};
  if (auto read = read_value(text, value); !read) return read;
  into.push_back(std::move(value));
  return {};
}

/// The due time of two options that exclude each other; at once when neither was given.
[[nodiscard]] When when(const std::optional<Duration>& in, const std::optional<Instant>& at);

/// The bytes of a file ("-": standard input), at most one more than `limit`. Throws UsageError in the name of the option.
[[nodiscard]] std::string read_bytes(const std::string& option, const std::string& path, std::size_t limit);

/// What is in a file ("-": standard input), read no further than one byte past `limit`: then a refusal.
[[nodiscard]] Result<std::string> read_payload(const std::string& path, std::size_t limit);

}  // namespace daybook::cli
