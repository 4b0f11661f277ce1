// SPDX-License-Identifier: Apache-2.0
// Cron expressions in a zone. Time is taken span by span, each with one offset: within a span local times and instants have the same
// order, so only its two ends need the rules for local times that are missing or doubled.
#include <algorithm>

#include "daybook/core/limits.hpp"
#include "daybook/core/recurrence.hpp"

namespace daybook {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

/// The first match at or after `from` by the clock that is `offset` ahead of UTC.
std::optional<sys_seconds> next_by(const CronExpression& expression, sys_seconds from, seconds offset) {
  const auto local = expression.next(LocalTime(from.time_since_epoch() + offset));
  if (!local) return std::nullopt;
  return sys_seconds(local->time_since_epoch() - offset);
}

struct Found {
  std::optional<sys_seconds> in_span;
  std::optional<sys_seconds> beyond;  // where the next match would be if the span never ended; nothing: there is none
};

/// The first occurrence of the span at or after `from`.
Found next_in(const ZoneSpan& span, const CronRule& rule, sys_seconds from) {
  const bool flows = rule.expression.every_hour();
  const bool only_first = !flows && rule.repeat == DstRepeat::first;
  const bool only_last = !flows && rule.repeat == DstRepeat::last;
  const sys_seconds begin = only_first ? span.begin + span.repeated_at_begin() : span.begin;
  const sys_seconds end = only_last ? span.end - span.repeated_at_end() : span.end;
  Found found;
  found.beyond = next_by(rule.expression, std::max(from, begin), span.offset);
  if (found.beyond && *found.beyond < end) found.in_span = found.beyond;
  // What the clocks left out, by the clock that was not put forward.
  const sys_seconds gap_end = std::min(span.begin + span.gap(), span.end);
  if (flows || rule.gap == DstGap::skip || from >= gap_end) return found;
  const auto shifted = next_by(rule.expression, std::max(from, span.begin), span.before);
  if (shifted && *shifted < gap_end && (!found.in_span || *shifted < *found.in_span)) found.in_span = shifted;
  return found;
}

}  // namespace

std::optional<Instant> next_occurrence(const CronRule& rule, Instant after, const Zone& zone) {
  sys_seconds from = std::chrono::floor<seconds>(after) + seconds(1);
  for (ZoneSpan span = zone.span(from);;) {
    const Found found = next_in(span, rule, from);
    if (found.in_span) return *found.in_span;
    if (!found.beyond || *found.beyond > limits::due_max) return std::nullopt;
    // No local time matches before that one, so no span does that ends a day before it.
    from = std::max(span.end, *found.beyond - std::chrono::hours(48));
    span = zone.span(from);
  }
}

DstNote dst_note(const CronRule& rule, Instant occurrence, const Zone& zone) {
  const auto instant = std::chrono::floor<seconds>(occurrence);
  const ZoneSpan span = zone.span(instant);
  if (!rule.expression.matches(LocalTime(instant.time_since_epoch() + span.offset))) return DstNote::shifted;
  if (instant < span.begin + span.repeated_at_begin()) return DstNote::second_of_two;
  if (instant >= span.end - span.repeated_at_end()) return DstNote::first_of_two;
  return DstNote::none;
}

}  // namespace daybook
