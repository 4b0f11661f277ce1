// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "support/generator_draws.hpp"
#include "support/generators.hpp"

// Recurring schedules and their parts.

namespace daybook {
namespace {

using namespace draw;

CronRule cron_rule() {
  static const std::vector<const char*> expressions = {"* * * * *",        "*/15 2 * * *",  "30 2 1,15 * *",
                                                       "0 0 L * FRI",      "0 9 * * MON#2", "15 30 12 15W 6 ?",
                                                       "0 0 */2 1-3 5L,0", "@daily",        "0 0 29 2 *"};
  return {.expression = *parse_cron(expressions[pick<std::size_t>(0, expressions.size())]),
          .zone = coin() ? "UTC" : "Europe/Prague",
          .gap = one_of_enum<DstGap>(0, 1),
          .repeat = one_of_enum<DstRepeat>(0, 2)};
}

IntervalRule interval_rule() {
  return {Duration(number<std::int64_t>(limits::period_min.count(), limits::period_max.count())), due_instant()};
}

CalendarRule calendar_rule() {
  std::set<Instant> instants;
  const int count = pick(1, 6);
  for (int i = 0; i < count; ++i) instants.insert(due_instant());
  return {{instants.begin(), instants.end()}};
}

std::vector<Instant> some_nominals(int most) {
  std::vector<Instant> nominals;
  const int count = pick(0, most + 1);
  for (int i = 0; i < count; ++i) nominals.push_back(due_instant());
  return nominals;
}

Recurrence some_recurrence() {
  Recurrence made;
  switch (pick(0, 3)) {
    case 0:
      made.rule = cron_rule();
      break;
    case 1:
      made.rule = interval_rule();
      break;
    default:
      made.rule = calendar_rule();
  }
  if (coin()) made.start = due_instant();
  if (coin()) made.end = due_instant();
  if (made.start && made.end && *made.end <= *made.start) made.end.reset();
  if (coin()) made.jitter = Duration(number<std::int64_t>(0, limits::recurrence_jitter_max.count()));
  return made;
}

RecurringTerms some_terms() {
  RecurringTerms terms;
  terms.recurrence = any<Recurrence>();
  terms.job = any<JobSpec>();
  if (coin()) terms.start_deadline = Duration(number<std::int64_t>(0, limits::after_max.count()));
  terms.missed = {one_of_enum<Missed>(0, 2), Duration(number<std::int64_t>(0, limits::after_max.count())),
                  number<std::uint32_t>(1, limits::missed_cap_max)};
  terms.overlap = one_of_enum<Overlap>(0, 4);
  return terms;
}

Recurring some_recurring() {
  Recurring made;
  made.id = any<NameId>();
  made.owner = some_bytes(128);
  if (pick(0, 4) != 0) made.terms = std::make_shared<const RecurringTerms>(any<RecurringTerms>());
  made.paused = coin();
  made.pause_reason = some_bytes(200);
  made.handled = any<Instant>();
  made.next = maybe<Occurrence>();
  if (coin()) made.paused_until = any<Instant>();
  made.buffer = some_nominals(4);
  made.live = a_few<Sequence>(0, 4);
  const int stretches = pick(0, 4);
  for (int i = 0; i < stretches; ++i) made.unmade.push_back({any<Instant>(), any<Instant>()});
  made.last = maybe<Instant>();
  made.last_job = coin() ? JobId() : any<JobId>();
  return made;
}

}  // namespace
}  // namespace daybook

namespace rc {

using namespace daybook;  // NOLINT(google-build-using-namespace): one specialisation after the other

Gen<Occurrence> Arbitrary<Occurrence>::arbitrary() {
  return gen::exec([] { return Occurrence{draw::due_instant(), draw::due_instant()}; });
}
Gen<Recurrence> Arbitrary<Recurrence>::arbitrary() {
  return gen::exec(some_recurrence);
}
Gen<RecurringTerms> Arbitrary<RecurringTerms>::arbitrary() {
  return gen::exec(some_terms);
}
Gen<Recurring> Arbitrary<Recurring>::arbitrary() {
  return gen::exec(some_recurring);
}

}  // namespace rc
