// SPDX-License-Identifier: Apache-2.0
#pragma once

// One pure function per event of a job: the job before, the event, the job after. Each throws CorruptionError
// when the event cannot follow what the job is.

#include <string_view>

#include "daybook/core/event.hpp"
#include "daybook/core/job.hpp"

namespace daybook {

/// The event as the log has it was not written by a Daybook in this state of the book.
[[noreturn]] void cannot_follow(const RecordedEvent& recorded, const std::string& found);

// `now` is the book time of the event.
[[nodiscard]] Job scheduled(const JobScheduled& event, const RecordedEvent& recorded, BookTime now);
[[nodiscard]] Job changed(Job job, const JobClaimed& event, const RecordedEvent& recorded, BookTime now);
[[nodiscard]] Job changed(Job job, const LeasesRenewed& event, const Renewal& renewal, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobCompleted& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const AttemptFailed& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const LeaseExpired& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobSnoozed& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobReleased& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const CancelRequested& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobCancelled& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobRescheduled& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobMarkedUncertain& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobRetried& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobMoved& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobExpired& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobTimedOut& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const ChildFreed& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const ChildDropped& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const ChildAwaits& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const OutcomeRefused& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const JobReplaced& event, const RecordedEvent& recorded, BookTime now);
[[nodiscard]] Job changed(Job job, const StepRecorded& event, const RecordedEvent& recorded);
[[nodiscard]] Job changed(Job job, const ResultsForgotten& event, const RecordedEvent& recorded);

}  // namespace daybook
