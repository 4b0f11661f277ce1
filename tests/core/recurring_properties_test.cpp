// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/recurring_book.hpp"

// Over random recurrences, policies, pauses, absences, restarts and steps of the clock: nothing is made twice, and nothing is lost.

namespace daybook {
namespace {

using namespace std::chrono_literals;
using testing::RecurringBook;

/// Evenly: rapidcheck's own range keeps to its beginning while sizes are small.
int pick(int least, int end) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, end));
}
template <class Value>
Value one_of(std::initializer_list<Value> values) {
  return *(values.begin() + pick(0, static_cast<int>(values.size())));
}

Recurrence some_recurrence() {
  Recurrence made;
  switch (pick(0, 4)) {
    case 0:
      made = RecurringBook::cron(one_of<const char*>({"*/7 * * * *", "0 * * * *", "30 2 * * *", "15,45 */3 * * 1-5"}));
      break;
    case 1: {
      std::set<Instant> instants;
      for (int i = 0; i < 40; ++i) instants.insert(RecurringBook::day("12:00:00") + Duration(1min) * pick(0, 3000));
      made.rule = CalendarRule{{instants.begin(), instants.end()}};
      break;
    }
    default:
      made = RecurringBook::every(one_of<Duration>({1min, 17min, 1h, 24h}));
  }
  if (pick(0, 2) == 0) made.jitter = one_of<Duration>({30s, 10min});
  if (pick(0, 4) == 0) made.end = RecurringBook::day("12:00:00") + 30h;
  return made;
}

RecurringSpec some_spec() {
  RecurringSpec made = RecurringBook::spec(some_recurrence());
  made.overlap = static_cast<Overlap>(pick(0, 5));
  made.missed = {.runs = static_cast<Missed>(pick(0, 3)),
                 .window = one_of<Duration>({5min, 2h, 24h * 30}),
                 .cap = one_of<std::uint32_t>({1, 3, 1000})};
  return made;
}

/// Every nominal instant handled so far, and how: each once, in order, and none but those of the rule.
struct Ledger {
  std::vector<Instant> handled;  // by the events, in their order
  std::map<Instant, int> made;   // jobs by nominal instant

  explicit Ledger(const RecurringBook& book, const Recurrence& rule) {
    for (const RecordedEvent& recorded : book.events) {
      if (const auto* fired = std::get_if<RecurringFired>(&recorded.event)) {
        if (fired->by == FiredBy::run_now) continue;
        ++made[fired->nominal];
        if (fired->by == FiredBy::timer || fired->by == FiredBy::catch_up) handled.push_back(fired->nominal);
      }
      if (const auto* buffered = std::get_if<RecurringBuffered>(&recorded.event)) handled.push_back(buffered->nominal);
      const auto* skipped = std::get_if<RecurringSkipped>(&recorded.event);
      if (!skipped || skipped->buffered) continue;
      std::vector<Instant> run;
      for (Instant at = skipped->from - Duration(1); run.empty() || run.back() < skipped->until;) {
        const auto next = next_occurrence(rule, at, utc_alone());
        RC_ASSERT(next.has_value() && next->has_value());
        run.push_back(at = **next);
      }
      RC_ASSERT(run.front() == skipped->from);
      RC_ASSERT(run.back() == skipped->until);
      RC_ASSERT(run.size() == skipped->count);
      handled.insert(handled.end(), run.begin(), run.end());
    }
  }
};

RC_GTEST_PROP(RecurringProperties, EveryOccurrenceIsHandledOnceAndInOrder, ()) {
  RecurringBook book;
  const RecurringSpec spec = some_spec();
  book.declare(spec);
  const Instant declared = book.now.wall;
  const int steps = pick(1, 40);
  for (int i = 0; i < steps; ++i) {
    const Duration ahead = Duration(1min) * pick(0, 400);
    switch (pick(0, 8)) {
      case 0:
        book.away_until(book.now.wall + ahead);
        break;
      case 1:
        book.done(PauseRecurring{"report"});
        break;
      case 2:
        book.done(ResumeRecurring{"report"});
        break;
      case 3:
        book.crash_and_open((pick(0, 2) == 0));
        book.done(ReplanRecurring{});
        break;
      case 4:
        book.complete_all();
        break;
      case 5:
        (void)book.ask(RunRecurringNow{"report"});  // refused when very many jobs have not ended
        break;
      default:
        book.run_until(book.now.wall + ahead);
    }
  }
  book.done(ResumeRecurring{"report"});
  book.fire();
  const Ledger ledger(book, spec.recurrence);
  std::vector<Instant> expected;
  for (Instant at = declared;;) {
    const auto next = next_occurrence(spec.recurrence, at, utc_alone());
    if (!*next) break;
    at = **next;
    if (*due_of_occurrence(spec.recurrence, "report", at, utc_alone()) > book.now.wall) break;
    expected.push_back(at);
  }
  RC_ASSERT(ledger.handled == expected);
  for (const auto& [nominal, jobs] : ledger.made) RC_ASSERT(jobs == 1);
  RC_ASSERT(differences(book.state, testing::replayed(book.events)).empty());
}

RC_GTEST_PROP(RecurringProperties, NothingIsMadeTwiceWhateverTheClocksAndBackfills, ()) {
  RecurringBook book;
  RecurringSpec spec = some_spec();
  book.declare(spec);
  const int steps = pick(1, 60);
  for (int i = 0; i < steps; ++i) {
    const Duration ahead = Duration(1min) * pick(0, 400);
    switch (pick(0, 9)) {
      case 0:
        book.step_wall(-ahead);
        book.done(ReplanRecurring{});
        break;
      case 1:
        book.step_wall(ahead * 3);
        break;
      case 2:
        (void)book.ask(BackfillRecurring{"report", book.now.wall - ahead, book.now.wall + ahead});
        break;
      case 3:
        (void)book.ask(RemoveRecurring{"report"});
        book.declare(spec);
        break;
      case 4:
        spec.recurrence = some_recurrence();
        book.declare(spec);
        break;
      case 5:
        book.complete_all();
        break;
      case 6:
        book.done(PauseRecurring{"report"});
        book.pass(ahead);
        book.done(ResumeRecurring{"report"});
        break;
      default:
        book.run_until(book.now.wall + ahead);
    }
  }
  std::map<Instant, int> made;
  for (const auto& fired : book.all<RecurringFired>()) {
    if (fired.by != FiredBy::run_now) RC_ASSERT(++made[fired.nominal] == 1);
  }
  std::size_t jobs = 0;
  book.state.each_job([&](const Job& job) { jobs += job.spec->recurring != NameId() ? 1 : 0; });
  RC_ASSERT(jobs == made.size());
  RC_ASSERT(differences(book.state, testing::replayed(book.events)).empty());
}

}  // namespace
}  // namespace daybook
