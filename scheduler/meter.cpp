// SPDX-License-Identifier: Apache-2.0
#include "meter.hpp"

#include <algorithm>

#include "daybook/core/overload.hpp"

namespace daybook {

namespace {

std::uint64_t microseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, Duration(0)).count());
}

}  // namespace

void Meter::note(const RecordedEvent& recorded, const View& view) {
  ++activity_.events[recorded.event.index()];
  std::visit(Overload{
                 [&](const JobClaimed& claimed) { note_claim(recorded, claimed, view); },
                 [&](const JobCompleted& completed) { note_end(recorded, completed.token, nullptr); },
                 [&](const AttemptFailed& failed) { note_end(recorded, failed.token, &failed.next); },
                 [&](const LeaseExpired& expired) { note_end(recorded, expired.token, &expired.next); },
                 [&](const JobSnoozed& snoozed) { note_end(recorded, snoozed.token, nullptr); },
                 [&](const JobReleased& released) { note_end(recorded, released.token, nullptr); },
                 [&](const JobExpired&) { note_dead(DeadReason::expired); },
                 [&](const ChildDropped& dropped) {
                   if (!dropped.cancelled) note_dead(DeadReason::parent_failed);
                 },
                 [&](const JobTimedOut& ended) {
                   if (ended.token != Token{}) note_end(recorded, ended.token, nullptr);
                   if (!ended.cancelled) note_dead(DeadReason::timed_out);
                 },
                 [](const auto&) {},
             },
             recorded.event);
}

void Meter::note_claim(const RecordedEvent& recorded, const JobClaimed& claimed, const View& view) {
  place_of(recorded.sequence) = {recorded.sequence.value(), recorded.boot};
  const Job* job = view.job(claimed.job.sequence);
  if (job == nullptr) return;
  const Duration late = job->due.after ? Duration(view.book().book_time(recorded.boot) - *job->due.after)
                                       : Duration(recorded.wall - job->due.at);
  activity_.lateness.add(microseconds(late));
}

void Meter::note_end(const RecordedEvent& recorded, Token token, const Next* next) {
  const Claim& claim = place_of(token.claim);
  if (claim.sequence == token.claim.value()) {
    activity_.run_time.add(microseconds(recorded.boot - claim.at));
  } else {
    ++activity_.runs_not_timed;
  }
  if (next == nullptr) return;
  if (std::holds_alternative<Again>(*next)) ++activity_.retries;
  if (const auto* dead = std::get_if<Dead>(next)) note_dead(dead->reason);
}

void Meter::note_dead(DeadReason why) {
  const auto reason = static_cast<std::size_t>(why);
  if (reason < activity_.dead.size()) ++activity_.dead[reason];
}

void Meter::note(const Result<std::vector<Answer>>& answers) {
  if (!answers) return note(answers.error());
  for (const Answer& answer : *answers) {
    const auto* renewed = std::get_if<Renewed>(&answer);
    if (renewed == nullptr) continue;
    for (const auto& claim : renewed->claims) {
      if (!claim) note(claim.error());
    }
  }
}

void Meter::note(const Refusal& refusal) {
  const auto code = static_cast<std::size_t>(refusal.code);
  if (code < activity_.refusals.size()) ++activity_.refusals[code];
}

void Meter::note_sync(Duration took, std::uint32_t events) {
  activity_.sync_time.add(microseconds(took));
  activity_.sync_events.add(events);
}

}  // namespace daybook
