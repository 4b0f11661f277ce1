// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of a filter, by the type of the field that they are compared with.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "filter_node.hpp"

namespace daybook {

/// Or a sentence that says what would be right.
[[nodiscard]] tl::expected<Literal, std::string> read_filter_value(const FilterField& field, const std::string& text);

/// "a number, such as 5"
[[nodiscard]] std::string_view example_of(FieldType type);

}  // namespace daybook
