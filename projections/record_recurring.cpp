// SPDX-License-Identifier: Apache-2.0

// The record of a recurring schedule.

#include <memory>
#include <utility>

#include "record.hpp"
#include "record_bytes.hpp"

namespace daybook::record {
namespace {

enum Kind : std::uint8_t { cron = 0, interval = 1, calendar = 2 };

void write(Writer& writer, const std::optional<Instant>& instant) {
  writer.u8(instant ? 1 : 0);
  if (instant) writer.time(*instant);
}

void read(Reader& reader, std::optional<Instant>& instant) {
  instant.reset();
  if (reader.flag()) reader.time(instant.emplace());
}

void write(Writer& writer, const std::vector<Instant>& instants) {
  writer.small(instants.size());
  for (const Instant instant : instants) writer.time(instant);
}

void read(Reader& reader, std::vector<Instant>& instants) {
  instants.resize(reader.count());
  for (Instant& instant : instants) reader.time(instant);
}

void write(Writer& writer, const Recurrence& recurrence) {
  if (const auto* rule = std::get_if<CronRule>(&recurrence.rule)) {
    writer.choice(cron);
    writer.text(to_string(rule->expression));
    writer.text(rule->zone);
    writer.choice(rule->gap);
    writer.choice(rule->repeat);
  } else if (const auto* period = std::get_if<IntervalRule>(&recurrence.rule)) {
    writer.choice(interval);
    writer.duration(period->period);
    writer.time(period->anchor);
  } else {
    writer.choice(calendar);
    write(writer, std::get<CalendarRule>(recurrence.rule).instants);
  }
  write(writer, recurrence.start);
  write(writer, recurrence.end);
  writer.duration(recurrence.jitter);
}

bool read(Reader& reader, Recurrence& recurrence) {
  Kind kind{};
  reader.choice(kind, calendar);
  if (kind == cron) {
    CronRule rule;
    std::string text;
    reader.text(text);
    const auto expression = parse_cron(text);
    if (!expression) return false;
    rule.expression = *expression;
    reader.text(rule.zone);
    reader.choice(rule.gap, DstGap::shift);
    reader.choice(rule.repeat, DstRepeat::both);
    recurrence.rule = std::move(rule);
  } else if (kind == interval) {
    IntervalRule rule;
    reader.duration(rule.period);
    reader.time(rule.anchor);
    recurrence.rule = rule;
  } else {
    CalendarRule rule;
    read(reader, rule.instants);
    recurrence.rule = std::move(rule);
  }
  read(reader, recurrence.start);
  read(reader, recurrence.end);
  reader.duration(recurrence.jitter);
  return true;
}

void write(Writer& writer, const RecurringTerms& terms) {
  write(writer, terms.recurrence);
  std::string job;
  encode(terms.job, job);
  writer.text(job);
  writer.u8(terms.start_deadline ? 1 : 0);
  if (terms.start_deadline) writer.duration(*terms.start_deadline);
  writer.choice(terms.missed.runs);
  writer.duration(terms.missed.window);
  writer.small(terms.missed.cap);
  writer.choice(terms.overlap);
}

bool read(Reader& reader, RecurringTerms& terms) {
  std::string job;
  if (!read(reader, terms.recurrence)) return false;
  reader.text(job);
  if (!decode(job, terms.job)) return false;
  if (reader.flag()) reader.duration(terms.start_deadline.emplace());
  reader.choice(terms.missed.runs, Missed::all);
  reader.duration(terms.missed.window);
  reader.small(terms.missed.cap);
  reader.choice(terms.overlap, Overlap::allow);
  return true;
}

}  // namespace

void encode(const Recurring& recurring, std::string& out) {
  Writer writer(out);
  writer.text(recurring.owner);
  writer.u8(recurring.terms ? 1 : 0);
  if (recurring.terms) write(writer, *recurring.terms);
  writer.u8(recurring.paused ? 1 : 0);
  writer.text(recurring.pause_reason);
  writer.time(recurring.handled);
  writer.u8(recurring.next ? 1 : 0);
  if (recurring.next) {
    writer.time(recurring.next->nominal);
    writer.time(recurring.next->due);
  }
  writer.time(recurring.paused_until);
  write(writer, recurring.buffer);
  writer.small(recurring.live.size());
  for (const Sequence job : recurring.live) writer.strong(job);
  writer.small(recurring.unmade.size());
  for (const Stretch& stretch : recurring.unmade) {
    writer.time(stretch.from);
    writer.time(stretch.until);
  }
  write(writer, recurring.last);
  writer.strong(recurring.last_job.sequence);
  writer.strong(recurring.last_job.generation);
}

bool decode(std::string_view bytes, Recurring& recurring) {
  Reader reader(bytes);
  reader.text(recurring.owner);
  if (reader.flag()) {
    auto terms = std::make_shared<RecurringTerms>();
    if (!read(reader, *terms)) return false;
    recurring.terms = std::move(terms);
  }
  recurring.paused = reader.flag();
  reader.text(recurring.pause_reason);
  reader.time(recurring.handled);
  if (reader.flag()) {
    reader.time(recurring.next.emplace().nominal);
    reader.time(recurring.next->due);
  }
  reader.time(recurring.paused_until);
  read(reader, recurring.buffer);
  recurring.live.resize(reader.count());
  for (Sequence& job : recurring.live) reader.strong(job);
  recurring.unmade.resize(reader.count());
  for (Stretch& stretch : recurring.unmade) {
    reader.time(stretch.from);
    reader.time(stretch.until);
  }
  read(reader, recurring.last);
  reader.strong(recurring.last_job.sequence);
  reader.strong(recurring.last_job.generation);
  return reader.whole();
}

}  // namespace daybook::record
