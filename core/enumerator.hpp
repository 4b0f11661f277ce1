// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/refusal.hpp"

namespace daybook {

/// A caller may make a value of an enum out of any number. On record, one that has no name could not be read again. `last` is the enum's
/// last value.
template <class Enum>
[[nodiscard]] std::optional<Refusal> check_enumerator(std::string_view what, Enum value, Enum last) {
  const auto number = static_cast<unsigned>(value);
  const auto highest = static_cast<unsigned>(last);
  if (number <= highest) return std::nullopt;
  return Refusal{RefusalCode::invalid_argument, std::string(what) + " is the number " + std::to_string(number) +
                                                    ", which stands for nothing: 0 to " + std::to_string(highest)};
}

}  // namespace daybook
