// SPDX-License-Identifier: Apache-2.0
#pragma once

// Recurring schedules as lines and objects: the names used here are the ones that programs rely on (docs/tool.md).

#include <cstddef>
#include <string>
#include <vector>

#include "daybook/core/recurring_info.hpp"
#include "output.hpp"

namespace daybook::cli {

[[nodiscard]] Json recurring_json(const RecurringInfo& info);

/// "0 3 * * * Europe/Prague", "every 12h", "3 instants"
[[nodiscard]] std::string rule_text(const Recurrence& recurrence);
/// "paused: quarter's end; 1 job has not ended; 2 wait for that"
[[nodiscard]] std::string standing_text(const RecurringInfo& info);
/// "next 2026-03-05T03:00:00Z", or that there is none.
[[nodiscard]] std::string next_text(const RecurringInfo& info);

/// Everything about it, one fact a line.
void print_recurring(const RecurringInfo& info, const Zones& zones);

/// Its instants from its next one on, at most `count`.
[[nodiscard]] std::vector<Instant> upcoming(const RecurringInfo& info, const Zones& zones, std::size_t count);

}  // namespace daybook::cli
