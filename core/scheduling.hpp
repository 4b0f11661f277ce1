// SPDX-License-Identifier: Apache-2.0
#pragma once

// What scheduling a job shares with declaring a schedule of jobs.

#include "daybook/core/job.hpp"
#include "draft.hpp"

namespace daybook {

/// Whether its fields mean something, but for the due time and the start deadline.
[[nodiscard]] Refused check_content(const Draft& draft, const Schedule& command);

/// storage_full, when there is no room for new jobs.
[[nodiscard]] Refused require_room(const Draft& draft);

/// What was asked for, names interned, but for the due time and the start deadline.
[[nodiscard]] JobSpec template_of(Draft& draft, const Schedule& command);

}  // namespace daybook
