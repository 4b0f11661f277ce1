// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which events a service's log is told of, and in which words.

#include <optional>
#include <string>

#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"
#include "daybook/daybook.hpp"

namespace daybook {

/// The level of the events that people look for; nothing for those that are daily business.
[[nodiscard]] std::optional<LogLevel> level_of(const Event& event);

/// "event=LeaseExpired seq=41 at=2026-03-04T12:05:00.113204Z job=17-9f3ac1d2 …": escaped, values with a space quoted.
[[nodiscard]] std::string event_line(const RecordedEvent& recorded, const View* names);

}  // namespace daybook
