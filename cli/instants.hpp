// SPDX-License-Identifier: Apache-2.0
#pragma once

// Instants at which something recurs, as people read them: by the clocks of a place and in UTC.

#include <string>
#include <string_view>

#include "daybook/core/recurrence.hpp"

namespace daybook::cli {

/// "2026-03-29T03:30:00+02:00"
[[nodiscard]] std::string local_text(Instant instant, const Zone& zone);
/// "2026-03-29T01:30:00Z"; with a fraction when there is one.
[[nodiscard]] std::string utc_text(Instant instant);
/// "shifted by DST"; empty when there is nothing to say.
[[nodiscard]] std::string_view note_text(DstNote note);

}  // namespace daybook::cli
