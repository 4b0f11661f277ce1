// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events as lines: one a line, for people and for programs.

#include <string>

#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"
#include "output.hpp"

namespace daybook::cli {

// `names` spells what events carry as numbers.

[[nodiscard]] Json event_json(const RecordedEvent& recorded, const View& names);

/// The event with nothing of other jobs in it, where it tells of many: prunings, results forgotten, renewals.
[[nodiscard]] RecordedEvent part_of(RecordedEvent recorded, Sequence job);

/// "#29  2026-03-04T12:05:00.113204Z  JobClaimed          job=17-9f3ac1d2 attempt=1 worker=mailer-1 lease=30s …"
[[nodiscard]] std::string event_line(const RecordedEvent& recorded, const View& names);

}  // namespace daybook::cli
