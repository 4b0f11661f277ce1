// SPDX-License-Identifier: Apache-2.0
#pragma once

// Limits of queues, for machines and for people.

#include <string>

#include "daybook/core/entities.hpp"
#include "output.hpp"

namespace daybook::cli {

/// Only the limits that there are.
[[nodiscard]] Json limits_json(const QueueLimits& limits);

/// "at most 10 at once, 100/1s, per group 2 at once"; "no limits".
[[nodiscard]] std::string limits_text(const QueueLimits& limits);

}  // namespace daybook::cli
