// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daybook/core/recurring.hpp"
#include "draft.hpp"

namespace daybook {

/// The job of one occurrence.
[[nodiscard]] JobScheduled job_of(const Draft& draft, const Recurring& recurring, Instant nominal, const Due& due);

}  // namespace daybook
