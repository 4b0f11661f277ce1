// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of everything that can happen.

#include <array>
#include <cstdint>
#include <string_view>

#include "choices.hpp"
#include "script.hpp"

namespace daybook::simulation {

class World;

struct ActionEntry {
  Kind kind{};
  std::string_view name;
  std::uint32_t weight = 0;                                   // how often it is drawn, against the others
  void (*perform)(World& world, Choices& choices) = nullptr;  // the book is open
};

/// In the order of Kind.
[[nodiscard]] const std::array<ActionEntry, kind_count>& action_table();

}  // namespace daybook::simulation
