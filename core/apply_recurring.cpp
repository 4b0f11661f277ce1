// SPDX-License-Identifier: Apache-2.0
#include "apply_recurring.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "apply_job.hpp"
#include "recurring_plan.hpp"

// What each event makes of its schedule. No calendar is looked at here: instants are read from the event, and `unmade` is arithmetic
// on them.

namespace daybook {
namespace {

constexpr Duration tick = Duration(1);

[[noreturn]] void fail(const Recurring& recurring, const std::string& found, const RecurringRecord& record) {
  cannot_follow(record.recorded, "recurring schedule " + std::to_string(recurring.id.value()) + ": " + found);
}

void expect_declared(const Recurring& recurring, const RecurringRecord& record) {
  if (!recurring.terms) fail(recurring, "it is not declared", record);
}

void expect_next(const Recurring& recurring, Instant nominal, const RecurringRecord& record) {
  expect_declared(recurring, record);
  if (!record.strict || (recurring.next && recurring.next->nominal == nominal)) return;
  fail(recurring,
       "found the occurrence of " + to_string(nominal) + ", expected " +
           (recurring.next ? "that of " + to_string(recurring.next->nominal) : std::string("none")),
       record);
}

/// Nothing was made up to `until`.
void pass_over(Recurring& recurring, Instant until) {
  if (until <= recurring.handled) return;
  add(recurring.unmade, {recurring.handled + tick, until});
  recurring.handled = until;
}

void make(Recurring& recurring, Instant nominal) {
  if (nominal <= recurring.handled) return subtract(recurring.unmade, {nominal, nominal});
  recurring.handled = nominal;
}

}  // namespace

Recurring changed(Recurring recurring, const RecurringDeclared& event, const RecurringRecord& record) {
  if (!event.terms) fail(recurring, "it says nothing of what was declared", record);
  if (event.handled < recurring.handled) {
    fail(recurring, "handled up to " + to_string(recurring.handled) + ", found " + to_string(event.handled), record);
  }
  pass_over(recurring, event.handled);
  recurring.owner = event.owner;
  recurring.terms = event.terms;
  recurring.next = event.next;
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringFired& event, const RecurringRecord& record) {
  expect_declared(recurring, record);
  switch (event.by) {
    case FiredBy::timer:
    case FiredBy::catch_up:
      expect_next(recurring, event.nominal, record);
      make(recurring, event.nominal);
      break;
    case FiredBy::buffer: {
      const auto at = std::find(recurring.buffer.begin(), recurring.buffer.end(), event.nominal);
      if (at != recurring.buffer.end()) {
        recurring.buffer.erase(at);
      } else if (record.strict) {
        fail(recurring, "no occurrence of " + to_string(event.nominal) + " waits", record);
      }
      break;
    }
    case FiredBy::run_now:
    case FiredBy::backfill:
      break;
  }
  recurring.next = event.next;
  recurring.last = event.nominal;
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringSkipped& event, const RecurringRecord& record) {
  expect_declared(recurring, record);
  if (event.until < event.from) fail(recurring, "skipped occurrences that end before they begin", record);
  if (event.buffered) {
    std::erase_if(recurring.buffer, [&](Instant nominal) {
      const bool gone = nominal >= event.from && nominal <= event.until;
      if (gone) add(recurring.unmade, {nominal, nominal});
      return gone;
    });
  } else {
    expect_next(recurring, event.from, record);
    pass_over(recurring, event.until);
  }
  recurring.next = event.next;
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringBuffered& event, const RecurringRecord& record) {
  expect_next(recurring, event.nominal, record);
  if (recurring.buffer.size() >= limits::buffered_max) fail(recurring, "more occurrences wait than may", record);
  make(recurring, event.nominal);
  recurring.buffer.push_back(event.nominal);
  recurring.next = event.next;
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringPaused& event, const RecurringRecord& record) {
  expect_declared(recurring, record);
  recurring.paused = true;
  recurring.pause_reason = event.problem.empty() ? record.recorded.by.reason : event.problem;
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringResumed& event, const RecurringRecord& record) {
  expect_declared(recurring, record);
  recurring.paused = false;
  recurring.pause_reason.clear();
  recurring.paused_until = event.until;
  recurring.next = event.next;
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringRemoved&, const RecurringRecord& record) {
  expect_declared(recurring, record);
  recurring.terms.reset();
  recurring.owner.clear();
  recurring.paused = false;
  recurring.pause_reason.clear();
  recurring.next.reset();
  recurring.paused_until = Instant::min();
  recurring.buffer.clear();
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringReplanned& event, const RecurringRecord& record) {
  expect_declared(recurring, record);
  // A pause ended by a clock that was ahead is over all the same.
  recurring.paused_until = std::min(recurring.paused_until, record.recorded.wall);
  recurring.next = event.next;
  return recurring;
}

Recurring changed(Recurring recurring, const RecurringBackfilled& event, const RecurringRecord& record) {
  expect_declared(recurring, record);
  if (event.until <= event.from) fail(recurring, "filled a time that ends before it begins", record);
  subtract(recurring.unmade, {event.from, event.until - tick});
  return recurring;
}

Recurring with_live(Recurring recurring, Sequence job, bool live) {
  const auto at = std::lower_bound(recurring.live.begin(), recurring.live.end(), job);
  const bool there = at != recurring.live.end() && *at == job;
  if (live && !there) recurring.live.insert(at, job);
  if (!live && there) recurring.live.erase(at);
  return recurring;
}

}  // namespace daybook
