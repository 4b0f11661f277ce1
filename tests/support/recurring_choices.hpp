// SPDX-License-Identifier: Apache-2.0
#pragma once

// Commands about recurring schedules for random histories: a few names and owners, short periods, so that they meet.

#include <cstdint>

#include "daybook/core/command.hpp"
#include "daybook/core/view.hpp"

namespace daybook::testing {

/// The same for the same choice and store. About one in ten is wrong in some way.
[[nodiscard]] Command recurring_command(const View& view, const Moment& now, std::uint64_t choice);

}  // namespace daybook::testing
