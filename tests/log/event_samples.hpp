// SPDX-License-Identifier: Apache-2.0
#pragma once

// One event of each type, and more where a type has several shapes. The fixtures under tests/format/v1 hold these very
// events as bytes: what is here is never changed, only appended to.

#include <vector>

#include "daybook/core/event.hpp"

namespace daybook {

/// Sequences from 1, without gaps.
[[nodiscard]] std::vector<RecordedEvent> sample_events();

}  // namespace daybook
