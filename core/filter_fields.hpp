// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fields that a filter may ask for: a table, one entry each.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "daybook/core/job.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

enum class FieldType : std::uint8_t { id, text, word, number, instant, duration };
[[nodiscard]] std::string_view to_string(FieldType type);

/// What a job has in a field; monostate: it has none. A view of the text is good as long as the job and the names.
using FieldValue = std::variant<std::monostate, JobId, std::string_view, std::int64_t, Instant, Duration>;

/// What a field is read from.
struct Sight {
  const Job& job;
  const View& names;
  const Moment& now;
};

struct FilterField {
  std::string_view name;
  FieldType type{};
  std::string_view meaning;
  FieldValue (*read)(const Sight& sight, std::string_view tag) = nullptr;
  std::span<const std::string_view> (*words)() = nullptr;  // of a FieldType::word: all there are
};

[[nodiscard]] std::span<const FilterField> filter_field_table();
/// Null: there is none of that name.
[[nodiscard]] const FilterField* find_filter_field(std::string_view name);
/// The one behind "tag.KEY".
[[nodiscard]] const FilterField& tag_field();

/// left - right, and the nearest duration when that is none: raw times of a log may be anything.
[[nodiscard]] Duration time_between(Duration left, Duration right);

}  // namespace daybook
