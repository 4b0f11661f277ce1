// SPDX-License-Identifier: Apache-2.0
#pragma once

// apply changes: the only code that makes a new job or any other entity. Pure, total, and never judging: what the event
// says happened, happened. Memory, LMDB and time travel all come through here.

#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// Applies the event to all entities it touches. `recorded.sequence` must be the one after the store's head.
/// Throws CorruptionError when the event cannot follow the state (a job it names does not exist): the log is judged,
/// never trusted. The store is then half changed and must be dropped.
void apply(Store& store, const RecordedEvent& recorded);

}  // namespace daybook
