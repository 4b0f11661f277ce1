// SPDX-License-Identifier: Apache-2.0
#pragma once

// RecurringInfo: a recurring schedule as people see it, names spelled out. A value, valid for ever.

#include <optional>
#include <string>
#include <vector>

#include "daybook/core/command.hpp"
#include "daybook/core/recurring.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

struct RecurringInfo {
  RecurringSpec spec;  // as it was declared
  std::string owner;
  bool paused = false;
  std::string pause_reason;
  std::optional<Occurrence> next;  // unset: there is none any more. While it is paused, what would come.
  std::optional<Instant> last;     // nominal instant of the last job made of it …
  std::optional<JobId> last_job;   // … and that job, which may be pruned by now
  std::vector<JobId> live;         // its jobs that are not final
  std::vector<Instant> buffered;   // nominal instants of the occurrences that wait for them to end
};

/// Of a schedule that is not removed.
[[nodiscard]] RecurringInfo recurring_info(const Recurring& recurring, const View& view);

/// That no schedule of that name is declared.
[[nodiscard]] Refusal no_such_recurring(std::string_view name);

/// The schedule of that name; null: there is none, or it was removed.
[[nodiscard]] const Recurring* find_recurring(const View& view, std::string_view name);

}  // namespace daybook
