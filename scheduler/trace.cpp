// SPDX-License-Identifier: Apache-2.0
#include "daybook/trace.hpp"

#include <algorithm>
#include <span>

#include "daybook/core/escape.hpp"

namespace daybook {

namespace {

constexpr std::size_t length_of_version_00 = 55;

// Hexadecimal digits in lower case; false for anything else.
bool read_hex(std::string_view text, std::span<std::uint8_t> into) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < into.size(); ++i) {
    const std::size_t high = digits.find(text[2 * i]);
    const std::size_t low = digits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    into[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte / 16];
    text += digits[byte % 16];
  }
  return text;
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

Result<TraceContext> parse_traceparent(std::string_view text) {
  TraceContext context;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  const bool dashes = text.size() >= length_of_version_00 && text[2] == '-' && text[35] == '-' && text[52] == '-';
  const bool right = dashes && read_hex(text, version) && version[0] != 0xff &&
                     (text.size() == length_of_version_00 || (version[0] != 0 && text[length_of_version_00] == '-')) &&
                     read_hex(text.substr(3), context.trace_id) && read_hex(text.substr(36), context.span_id) &&
                     read_hex(text.substr(53), flags) && !all_zero(context.trace_id) && !all_zero(context.span_id);
  if (!right) {
    return refuse(
        RefusalCode::invalid_argument,
        quoted(text, 80) + " is no traceparent: expected \"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"");
  }
  context.sampled = (flags[0] & 1U) != 0;
  return context;
}

std::string to_traceparent(const TraceContext& context) {
  return "00-" + hex(context.trace_id) + "-" + hex(context.span_id) + (context.sampled ? "-01" : "-00");
}

}  // namespace daybook
