// SPDX-License-Identifier: Apache-2.0
#include "recurring_wire.hpp"

#include <string>
#include <utility>

namespace daybook::codec {
namespace {

template <class Wire, class Ours>
constexpr bool same(Wire wire, Ours ours) {
  return static_cast<std::uint16_t>(wire) == static_cast<std::uint16_t>(ours);
}
static_assert(same(wire::DstGap::SHIFT, DstGap::shift) && same(wire::DstRepeat::BOTH, DstRepeat::both));
static_assert(same(wire::Missed::ALL, Missed::all) && same(wire::Overlap::ALLOW, Overlap::allow));
static_assert(same(wire::FiredBy::BACKFILL, FiredBy::backfill) && same(wire::SkipReason::REMOVED, SkipReason::removed));

void put_rule(wire::RecurringTerms::Rule::Builder to, const Recurrence& recurrence) {
  if (const auto* cron = std::get_if<CronRule>(&recurrence.rule)) {
    auto rule = to.initCron();
    put_text(to_string(cron->expression), [&](auto text) { rule.setExpression(text); });
    put_text(cron->zone, [&](auto text) { rule.setZone(text); });
    rule.setGap(to_wire<wire::DstGap>(cron->gap));
    rule.setRepeat(to_wire<wire::DstRepeat>(cron->repeat));
  } else if (const auto* interval = std::get_if<IntervalRule>(&recurrence.rule)) {
    auto rule = to.initInterval();
    rule.setPeriod(count(interval->period));
    rule.setAnchor(count(interval->anchor));
  } else {
    const std::vector<Instant>& instants = std::get<CalendarRule>(recurrence.rule).instants;
    auto list = to.initCalendar(static_cast<capnp::uint>(instants.size()));
    for (capnp::uint i = 0; i < instants.size(); ++i) list.set(i, count(instants[i]));
  }
}

CronRule cron_rule(wire::RecurringTerms::Rule::Cron::Reader from) {
  auto expression = parse_cron(text(from.getExpression()));
  if (!expression) throw Undecodable{"cron expression: " + expression.error().sentence};
  return {.expression = *expression,
          .zone = text(from.getZone()),
          .gap = from_wire(from.getGap(), DstGap::skip, DstGap::shift, "policy for left out times"),
          .repeat = from_wire(from.getRepeat(), DstRepeat::first, DstRepeat::both, "policy for repeated times")};
}

Recurrence recurrence(wire::RecurringTerms::Reader from) {
  Recurrence to;
  const auto rule = from.getRule();
  switch (rule.which()) {
    case wire::RecurringTerms::Rule::CRON:
      to.rule = cron_rule(rule.getCron());
      break;
    case wire::RecurringTerms::Rule::INTERVAL:
      to.rule = IntervalRule{Duration(rule.getInterval().getPeriod()), instant(rule.getInterval().getAnchor())};
      break;
    case wire::RecurringTerms::Rule::CALENDAR: {
      CalendarRule calendar;
      for (const std::int64_t at : rule.getCalendar()) calendar.instants.push_back(instant(at));
      to.rule = std::move(calendar);
      break;
    }
    default:
      throw Undecodable{"rule of kind " + std::to_string(static_cast<unsigned>(rule.which())) + ", expected 0 to 2"};
  }
  if (from.getHasStart()) to.start = instant(from.getStart());
  if (from.getHasEnd()) to.end = instant(from.getEnd());
  to.jitter = Duration(from.getJitter());
  // Instants will be computed by it. Which zones there are is the machine's business, not the record's.
  Recurrence anywhere = to;
  if (auto* cron = std::get_if<CronRule>(&anywhere.rule)) cron->zone = "UTC";
  if (const auto fine = check(anywhere, utc_alone()); !fine) throw Undecodable{fine.error().sentence};
  return to;
}

}  // namespace

Instant occurring(std::int64_t from) {
  const Instant at = instant(from);
  if (at < limits::due_min || at > limits::due_max)
    throw Undecodable{"an occurrence at " + to_string(at) + ", expected one in the years 1970 to 9999"};
  return at;
}

void put(wire::RecurringTerms::Builder to, const RecurringTerms& terms) {
  put_rule(to.getRule(), terms.recurrence);
  to.setHasStart(terms.recurrence.start.has_value());
  if (terms.recurrence.start) to.setStart(count(*terms.recurrence.start));
  to.setHasEnd(terms.recurrence.end.has_value());
  if (terms.recurrence.end) to.setEnd(count(*terms.recurrence.end));
  to.setJitter(count(terms.recurrence.jitter));
  put_content(to.initJob(), std::make_shared<const JobSpec>(terms.job));
  to.setHasStartDeadline(terms.start_deadline.has_value());
  if (terms.start_deadline) to.setStartDeadline(count(*terms.start_deadline));
  to.setMissed(to_wire<wire::Missed>(terms.missed.runs));
  to.setWindow(count(terms.missed.window));
  to.setCap(terms.missed.cap);
  to.setOverlap(to_wire<wire::Overlap>(terms.overlap));
}

std::shared_ptr<const RecurringTerms> recurring_terms(wire::RecurringTerms::Reader from) {
  RecurringTerms to;
  to.recurrence = recurrence(from);
  to.job = job_content(from.getJob());
  if (from.getHasStartDeadline()) to.start_deadline = Duration(from.getStartDeadline());
  to.missed = {.runs = from_wire(from.getMissed(), Missed::skip, Missed::all, "policy for missed runs"),
               .window = Duration(from.getWindow()),
               .cap = from.getCap()};
  if (to.missed.window < Duration(0) || to.missed.window > limits::after_max) {
    throw Undecodable{"a window of " + to_string(to.missed.window) + " for missed runs, expected 0s to " +
                      to_string(limits::after_max)};
  }
  if (to.missed.cap < 1 || to.missed.cap > limits::missed_cap_max) {
    throw Undecodable{"a cap of " + std::to_string(to.missed.cap) + " missed runs, expected 1 to " +
                      std::to_string(limits::missed_cap_max)};
  }
  if (to.start_deadline && (*to.start_deadline < Duration(0) || *to.start_deadline > limits::after_max)) {
    throw Undecodable{"a start deadline of " + to_string(*to.start_deadline) + ", expected 0s to " +
                      to_string(limits::after_max)};
  }
  to.overlap = from_wire(from.getOverlap(), Overlap::skip, Overlap::allow, "overlap policy");
  return std::make_shared<const RecurringTerms>(std::move(to));
}

void write_recurring(Body::Builder body, const RecurringDeclared& event) {
  auto to = body.initRecurringDeclared();
  to.setRecurring(event.recurring.value());
  put_text(event.owner, [&](auto text) { to.setOwner(text); });
  put(to.initTerms(), *event.terms);
  to.setHandled(count(event.handled));
  put_next(to, event.next);
  to.setChanged(event.changed);
}

void write_recurring(Body::Builder body, const RecurringFired& event) {
  auto to = body.initRecurringFired();
  to.setRecurring(event.recurring.value());
  to.setNominal(count(event.nominal));
  to.setBy(to_wire<wire::FiredBy>(event.by));
  put_next(to, event.next);
}

void write_recurring(Body::Builder body, const RecurringSkipped& event) {
  auto to = body.initRecurringSkipped();
  to.setRecurring(event.recurring.value());
  to.setFrom(count(event.from));
  to.setUntil(count(event.until));
  to.setCount(event.count);
  to.setReason(to_wire<wire::SkipReason>(event.reason));
  to.setBuffered(event.buffered);
  put_next(to, event.next);
}

void write_recurring(Body::Builder body, const RecurringBuffered& event) {
  auto to = body.initRecurringBuffered();
  to.setRecurring(event.recurring.value());
  to.setNominal(count(event.nominal));
  put_next(to, event.next);
}

void write_recurring(Body::Builder body, const RecurringPaused& event) {
  auto to = body.initRecurringPaused();
  to.setRecurring(event.recurring.value());
  put_text(event.problem, [&](auto text) { to.setProblem(text); });
}

void write_recurring(Body::Builder body, const RecurringResumed& event) {
  auto to = body.initRecurringResumed();
  to.setRecurring(event.recurring.value());
  to.setUntil(count(event.until));
  put_next(to, event.next);
}

void write_recurring(Body::Builder body, const RecurringRemoved& event) {
  body.initRecurringRemoved().setRecurring(event.recurring.value());
}

void write_recurring(Body::Builder body, const RecurringReplanned& event) {
  auto to = body.initRecurringReplanned();
  to.setRecurring(event.recurring.value());
  put_next(to, event.next);
}

void write_recurring(Body::Builder body, const RecurringBackfilled& event) {
  auto to = body.initRecurringBackfilled();
  to.setRecurring(event.recurring.value());
  to.setFrom(count(event.from));
  to.setUntil(count(event.until));
  to.setCount(event.count);
}

RecurringDeclared read_recurring(wire::RecurringDeclared::Reader from) {
  if (!from.hasTerms()) throw Undecodable{"a schedule without terms, expected what was declared"};
  return {.recurring = NameId(from.getRecurring()),
          .owner = text(from.getOwner()),
          .terms = recurring_terms(from.getTerms()),
          .handled = instant(from.getHandled()),
          .next = next_occurrence(from),
          .changed = from.getChanged()};
}

RecurringFired read_recurring(wire::RecurringFired::Reader from) {
  return {.recurring = NameId(from.getRecurring()),
          .nominal = occurring(from.getNominal()),
          .by = from_wire(from.getBy(), FiredBy::timer, FiredBy::backfill, "why it fired"),
          .next = next_occurrence(from)};
}

RecurringSkipped read_recurring(wire::RecurringSkipped::Reader from) {
  return {.recurring = NameId(from.getRecurring()),
          .from = occurring(from.getFrom()),
          .until = occurring(from.getUntil()),
          .count = from.getCount(),
          .reason = from_wire(from.getReason(), SkipReason::missed, SkipReason::removed, "reason of skipping"),
          .buffered = from.getBuffered(),
          .next = next_occurrence(from)};
}

RecurringBuffered read_recurring(wire::RecurringBuffered::Reader from) {
  return {
      .recurring = NameId(from.getRecurring()), .nominal = occurring(from.getNominal()), .next = next_occurrence(from)};
}

RecurringPaused read_recurring(wire::RecurringPaused::Reader from) {
  return {.recurring = NameId(from.getRecurring()), .problem = text(from.getProblem())};
}

RecurringResumed read_recurring(wire::RecurringResumed::Reader from) {
  return {.recurring = NameId(from.getRecurring()), .until = instant(from.getUntil()), .next = next_occurrence(from)};
}

RecurringRemoved read_recurring(wire::RecurringRemoved::Reader from) {
  return {.recurring = NameId(from.getRecurring())};
}

RecurringReplanned read_recurring(wire::RecurringReplanned::Reader from) {
  return {.recurring = NameId(from.getRecurring()), .next = next_occurrence(from)};
}

RecurringBackfilled read_recurring(wire::RecurringBackfilled::Reader from) {
  return {.recurring = NameId(from.getRecurring()),
          .from = instant(from.getFrom()),
          .until = instant(from.getUntil()),
          .count = from.getCount()};
}

}  // namespace daybook::codec
