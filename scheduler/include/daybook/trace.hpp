// SPDX-License-Identifier: Apache-2.0
#pragma once

// W3C trace context, level 1: the header "traceparent", which Context::trace carries from the request that schedules a job to the handler
// that runs it (ClaimedJob::trace). A book keeps and hands on any text of up to 256 bytes as it came; whoever wants to know whether it means
// something asks here.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/refusal.hpp"

namespace daybook {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};  // never all zero
  std::array<std::uint8_t, 8> span_id{};    // of the caller; never all zero
  bool sampled = false;
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01". Lower case only; of a later version than 00, what it has in common with that.
/// Refusal `invalid_argument`, with an example.
[[nodiscard]] Result<TraceContext> parse_traceparent(std::string_view text);
[[nodiscard]] std::string to_traceparent(const TraceContext& context);  // version 00

}  // namespace daybook
