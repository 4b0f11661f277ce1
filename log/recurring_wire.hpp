// SPDX-License-Identifier: Apache-2.0
#pragma once

// Recurring schedules between values of ours and the schema: what events and snapshots of entities have in common, and the events.

#include <event.capnp.h>

#include <memory>
#include <optional>

#include "daybook/core/event.hpp"
#include "daybook/core/recurring.hpp"
#include "wire_read.hpp"
#include "wire_write.hpp"

namespace daybook::codec {

/// What was asked for of a job, in the place of an event that schedules one, and back. In event_write.cpp and event_read.cpp.
void put_content(wire::JobScheduled2::Builder to, const std::shared_ptr<const JobSpec>& spec);
[[nodiscard]] JobSpec job_content(wire::JobScheduled2::Reader from);

void put(wire::RecurringTerms::Builder to, const RecurringTerms& terms);
[[nodiscard]] std::shared_ptr<const RecurringTerms> recurring_terms(wire::RecurringTerms::Reader from);

template <class Builder>
void put_next(Builder to, const std::optional<Occurrence>& next) {
  if (!next) return;
  wire::Occurrence::Builder occurrence = to.initNext();
  occurrence.setNominal(count(next->nominal));
  occurrence.setDue(count(next->due));
}
/// Within the years 1970 to 9999, so that differences are durations.
[[nodiscard]] Instant occurring(std::int64_t from);

template <class Reader>
std::optional<Occurrence> next_occurrence(Reader from) {
  if (!from.hasNext()) return std::nullopt;
  return Occurrence{occurring(from.getNext().getNominal()), occurring(from.getNext().getDue())};
}

using Body = wire::RecordedEvent::Body;
void write_recurring(Body::Builder body, const RecurringDeclared& event);
void write_recurring(Body::Builder body, const RecurringFired& event);
void write_recurring(Body::Builder body, const RecurringSkipped& event);
void write_recurring(Body::Builder body, const RecurringBuffered& event);
void write_recurring(Body::Builder body, const RecurringPaused& event);
void write_recurring(Body::Builder body, const RecurringResumed& event);
void write_recurring(Body::Builder body, const RecurringRemoved& event);
void write_recurring(Body::Builder body, const RecurringReplanned& event);
void write_recurring(Body::Builder body, const RecurringBackfilled& event);

[[nodiscard]] RecurringDeclared read_recurring(wire::RecurringDeclared::Reader from);
[[nodiscard]] RecurringFired read_recurring(wire::RecurringFired::Reader from);
[[nodiscard]] RecurringSkipped read_recurring(wire::RecurringSkipped::Reader from);
[[nodiscard]] RecurringBuffered read_recurring(wire::RecurringBuffered::Reader from);
[[nodiscard]] RecurringPaused read_recurring(wire::RecurringPaused::Reader from);
[[nodiscard]] RecurringResumed read_recurring(wire::RecurringResumed::Reader from);
[[nodiscard]] RecurringRemoved read_recurring(wire::RecurringRemoved::Reader from);
[[nodiscard]] RecurringReplanned read_recurring(wire::RecurringReplanned::Reader from);
[[nodiscard]] RecurringBackfilled read_recurring(wire::RecurringBackfilled::Reader from);

}  // namespace daybook::codec
