// SPDX-License-Identifier: Apache-2.0
#pragma once

// One pure function per event of a recurring schedule: the schedule before, the event, the schedule after. Each throws
// CorruptionError when the event cannot follow what the schedule is.

#include "daybook/core/event.hpp"
#include "daybook/core/recurring.hpp"

namespace daybook {

/// `strict`: nothing of the record is lost, so an occurrence that is handled is the one that was to come.
struct RecurringRecord {
  const RecordedEvent& recorded;
  bool strict = true;
};

[[nodiscard]] Recurring changed(Recurring recurring, const RecurringDeclared& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringFired& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringSkipped& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringBuffered& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringPaused& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringResumed& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringRemoved& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringReplanned& event, const RecurringRecord& record);
[[nodiscard]] Recurring changed(Recurring recurring, const RecurringBackfilled& event, const RecurringRecord& record);

/// The job began to be one of its live ones, or is no longer.
[[nodiscard]] Recurring with_live(Recurring recurring, Sequence job, bool live);

}  // namespace daybook
