// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rule at the end of a time zone file, as POSIX writes it in TZ: what holds for ever after the last listed change, like
// "CET-1CEST,M3.5.0,M10.5.0/3".

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "daybook/core/zones.hpp"

namespace daybook {

/// The changes of `from` and the years after it, `years` in all, in order. None when the zone knows no summer time, nothing when the
/// rule does not parse.
[[nodiscard]] std::optional<std::vector<ZoneChange>> changes_of_rule(std::string_view rule, std::chrono::year from,
                                                                     int years);

}  // namespace daybook
