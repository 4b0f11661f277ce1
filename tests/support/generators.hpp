// SPDX-License-Identifier: Apache-2.0
#pragma once

// Generators of everything that core speaks in, for rapidcheck: `*rc::gen::arbitrary<RecordedEvent>()`, or simply a
// parameter of a property. Each value keeps the promises of its own header (ranges, sizes, what is set when), and lies
// on their edges oftener than chance would have it. Values beside each other need not fit: these are for codecs and
// comparisons; histories that make sense come from commands.

#include <rapidcheck.h>

#include <cstddef>
#include <ostream>
#include <string>

#include "daybook/core/entities.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

namespace generate {

rc::Gen<std::string> bytes(std::size_t most);  // any bytes at all: what users can put where nothing is checked
rc::Gen<std::string> name();                   // 1 to 128 bytes of UTF-8 without control characters
rc::Gen<Job> job_in(JobState state);           // what goes with the state is set, nothing else
rc::Gen<Next> next_without_death();            // after a snooze or a release

/// An event of the alternative `index` of Event.
rc::Gen<Event> event_of(std::size_t index);

}  // namespace generate

// For counterexamples; found by argument-dependent lookup.
void showValue(const Event& event, std::ostream& out);
void showValue(const RecordedEvent& recorded, std::ostream& out);
void showValue(const Job& job, std::ostream& out);
void showValue(const Due& due, std::ostream& out);
void showValue(const RetryPolicy& policy, std::ostream& out);
void showValue(const Moment& moment, std::ostream& out);

}  // namespace daybook

namespace rc {

#define DAYBOOK_ARBITRARY(Type)            \
  template <>                              \
  struct Arbitrary<daybook::Type> {        \
    static Gen<daybook::Type> arbitrary(); \
  };
DAYBOOK_ARBITRARY(Sequence)
DAYBOOK_ARBITRARY(Epoch)
DAYBOOK_ARBITRARY(NameId)
DAYBOOK_ARBITRARY(Priority)
DAYBOOK_ARBITRARY(GenerationTag)
DAYBOOK_ARBITRARY(JobId)
DAYBOOK_ARBITRARY(Token)
DAYBOOK_ARBITRARY(Uuid)
DAYBOOK_ARBITRARY(Instant)
DAYBOOK_ARBITRARY(BootTime)
DAYBOOK_ARBITRARY(BookTime)
DAYBOOK_ARBITRARY(Duration)
DAYBOOK_ARBITRARY(Moment)
DAYBOOK_ARBITRARY(Envelope)
DAYBOOK_ARBITRARY(RetryPolicy)
DAYBOOK_ARBITRARY(Due)
DAYBOOK_ARBITRARY(Tag)
DAYBOOK_ARBITRARY(JobSpec)
DAYBOOK_ARBITRARY(Lease)
DAYBOOK_ARBITRARY(RefusedOutcome)
DAYBOOK_ARBITRARY(Job)
DAYBOOK_ARBITRARY(JobState)
DAYBOOK_ARBITRARY(Name)
DAYBOOK_ARBITRARY(Rate)
DAYBOOK_ARBITRARY(Bucket)
DAYBOOK_ARBITRARY(QueueLimits)
DAYBOOK_ARBITRARY(Queue)
DAYBOOK_ARBITRARY(Group)
DAYBOOK_ARBITRARY(Worker)
DAYBOOK_ARBITRARY(RequestRecord)
DAYBOOK_ARBITRARY(Setting)
DAYBOOK_ARBITRARY(Hold)
DAYBOOK_ARBITRARY(Occurrence)
DAYBOOK_ARBITRARY(Recurrence)
DAYBOOK_ARBITRARY(RecurringTerms)
DAYBOOK_ARBITRARY(Recurring)
DAYBOOK_ARBITRARY(Generation)
DAYBOOK_ARBITRARY(Book)
DAYBOOK_ARBITRARY(Refusal)
DAYBOOK_ARBITRARY(Next)
DAYBOOK_ARBITRARY(Provenance)
DAYBOOK_ARBITRARY(RequestRef)
DAYBOOK_ARBITRARY(Event)
DAYBOOK_ARBITRARY(RecordedEvent)
#undef DAYBOOK_ARBITRARY

}  // namespace rc
