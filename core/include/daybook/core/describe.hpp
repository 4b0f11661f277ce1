// SPDX-License-Identifier: Apache-2.0
#pragma once

// An event in one line, for people.

#include <string>

#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// The facts of the event, then who and why: "job=17-9f3ac1d2 attempt=1 worker=mailer-1 lease=30s by=service". Without
/// sequence, times and type, which are columns of their own. Names are those of `names`, or "#5" where it lacks them;
/// of payloads, results and errors the sizes. Everything is escaped; a value with a space or a quote is quoted.
/// The line is for reading: keys may come, go and change their order with any release.
[[nodiscard]] std::string describe(const RecordedEvent& recorded, const View* names = nullptr);

}  // namespace daybook
