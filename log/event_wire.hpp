// SPDX-License-Identifier: Apache-2.0
#pragma once

// What event_codec.cpp (messages), event_write.cpp and event_read.cpp (fields) share. The only header of ours that shows
// types of Cap'n Proto; nobody else includes it.

#include <capnp/any.h>
#include <event.capnp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "daybook/core/error.hpp"
#include "daybook/core/event.hpp"

namespace daybook::codec {

/// Types of the schema. Those of level 1 that got more to say have a second one, so that what level 1 can say keeps its bytes.
inline constexpr std::size_t wire_types = static_cast<std::size_t>(wire::RecordedEvent::Body::RECURRING_BACKFILLED) + 1;
inline constexpr std::size_t second_forms = 3;
static_assert(wire_types == std::variant_size_v<Event> + second_forms,
              "every event of the schema has its place in the variant, and the reverse");

/// The highest revision of each event type that this release knows, by the number of the type. It writes the lowest that can
/// say what the event says, so that older releases read what they can.
inline constexpr std::array<std::uint16_t, wire_types> revisions = {
    1,  // BookOpened
    1,  // BookClosed
    1,  // ClockStepped
    1,  // ConfigurationChanged
    2,  // NameDefined: names of groups
    1,  // GenerationBegun
    1,  // BookAdopted
    1,  // QueuePaused
    1,  // QueueResumed
    1,  // WorkerJoined
    1,  // WorkerLeft
    1,  // JobScheduled
    2,  // DuplicateSuppressed: the answers replace, debounce, throttle
    1,  // JobClaimed
    1,  // LeasesRenewed
    1,  // JobCompleted
    1,  // AttemptFailed
    1,  // LeaseExpired
    1,  // JobSnoozed
    1,  // JobReleased
    1,  // CancelRequested
    1,  // JobCancelled
    1,  // JobRescheduled
    1,  // JobRetried
    2,  // OutcomeRefused: the outcome step
    2,  // RequestRefused: codes above 24
    1,  // FeatureLevelRaised
    1,  // ClockDoubted
    1,  // ClockConfirmed
    1,  // SnapshotTaken
    1,  // SegmentsDropped
    1,  // JobMarkedUncertain
    1,  // GapDeclared
    1,  // EventLost
    1,  // EventSetAside
    1,  // JobScheduled2
    1,  // JobCompleted2
    1,  // JobReplaced
    1,  // StepRecorded
    1,  // ResultsForgotten
    1,  // JobsPruned
    1,  // LimitsSet
    1,  // WeightSet
    1,  // JobClaimed2
    1,  // JobMoved
    1,  // OperatorCommanded
    1,  // HoldPlaced
    1,  // HoldLifted
    1,  // JobExpired
    1,  // JobTimedOut
    1,  // ChildFreed
    1,  // ChildDropped
    1,  // ChildAwaits
    1,  // OnDeadSet
    1,  // StateHashed
    1,  // RecurringDeclared
    1,  // RecurringFired
    1,  // RecurringSkipped
    1,  // RecurringBuffered
    1,  // RecurringPaused
    1,  // RecurringResumed
    1,  // RecurringRemoved
    1,  // RecurringReplanned
    1,  // RecurringBackfilled
};

/// The lowest revision of its type that can say what the event says.
[[nodiscard]] std::uint16_t revision_of(const Event& event);

/// Fills a fresh message.
void write(wire::RecordedEvent::Builder to, const RecordedEvent& event);

/// Throws CorruptionError as decode_event does, and kj::Exception for what Cap'n Proto itself refuses.
[[nodiscard]] RecordedEvent read(wire::RecordedEvent::Reader from, const Place& where);

}  // namespace daybook::codec
