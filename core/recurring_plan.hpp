// SPDX-License-Identifier: Apache-2.0
#pragma once

// What comes next of a recurring schedule, and the stretches of time in which none of its jobs was made.

#include <optional>
#include <string_view>
#include <vector>

#include "daybook/core/recurring.hpp"
#include "daybook/core/zones.hpp"

namespace daybook {

/// What is known of the past of a schedule.
struct Past {
  Instant handled{};
  const std::vector<Stretch>& unmade;
};

/// The first occurrence behind `from` of which no job was made: any behind `handled`, and those in an unmade stretch before it. The
/// refusal is that of an unknown zone.
[[nodiscard]] Result<std::optional<Occurrence>> plan_after(const Recurrence& recurrence, std::string_view name,
                                                           const Past& past, Instant from, const Zones& zones);

/// Both keep stretches apart and in order; `add` keeps the last limits::unmade_max.
void add(std::vector<Stretch>& stretches, Stretch stretch);
void subtract(std::vector<Stretch>& stretches, Stretch stretch);

}  // namespace daybook
