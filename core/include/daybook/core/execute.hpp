// SPDX-License-Identifier: Apache-2.0
#pragma once

// execute: one submission against a store: decide, record, apply; for a batch, all or nothing. Pure like its parts; the
// caller appends the events to the log and gives the answer away only when they are synced.

#include <optional>
#include <vector>

#include "daybook/core/answer.hpp"
#include "daybook/core/command.hpp"
#include "daybook/core/decide.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

struct Outcome {
  std::vector<RecordedEvent> events;      // to be appended, in order; already applied to the store
  Result<std::vector<Answer>> answers;    // one per command, or why the submission was refused
  std::optional<RequestRecord> repeated;  // set: the request was seen before; answer it from these events, no others
  HeldBack held_back = {};                // of the last claim among the commands
};

/// Advances the store to `now`, ends expired leases (their events come first), then decides and applies the commands one by one,
/// each seeing the effects of those before. A refused command undoes the submission; what remains are the events that
/// put the refusal on record, if any. Names are defined as needed, before the events that use them.
[[nodiscard]] Outcome execute(Store& store, const Submission& submission, const Moment& now, const Bounds& bounds,
                              const Zones& zones = utc_alone());

}  // namespace daybook
