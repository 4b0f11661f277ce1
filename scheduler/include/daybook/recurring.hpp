// SPDX-License-Identifier: Apache-2.0
#pragma once

// RecurringSchedules: what Daybook::recurring() hands out, to declare schedules that make jobs again and again.
//
//   book.recurring().sync("reports", {{.name = "nightly",
//                                      .recurrence = {.rule = daybook::CronRule{*daybook::parse_cron("0 3 * * *")}},
//                                      .job = {.queue = "reports", .kind = "nightly"}}});
//
// What it promises
//   · Each occurrence makes at most one job, whatever crashes, restarts and steps of the clock; one that makes none is on record
//     with its reason.
//   · The book makes the jobs by itself while it is open; what was missed meanwhile the policy says (MissedPolicy).
//   · Unless said otherwise: UTC, local times that are left out come later, repeated ones count once, a missed run runs once, and
//     nothing runs beside a run that has not ended.
//
// From feature level 2 on. Threads, refusals and exceptions as for the book. A reference to it: ask for a new one once it was moved.

#include <optional>
#include <string>
#include <vector>

#include "daybook/core/answer.hpp"
#include "daybook/core/command.hpp"
#include "daybook/core/recurring_info.hpp"

namespace daybook {

class Daybook;

class RecurringSchedules {
 public:
  /// Adds one, or changes the one of that name: see DeclareRecurring.
  Result<Declared> declare(std::string owner, RecurringSpec spec, std::string reason = {});
  /// Declares all of them, and removes whatever else this owner declared before: see SyncRecurring. All or nothing.
  Result<Synced> sync(std::string owner, std::vector<RecurringSpec> specs, std::string reason = {});
  Result<void> pause(std::string name, std::string reason = {});
  Result<void> resume(std::string name, std::string reason = {});
  /// One job at once, whatever the schedule says.
  Result<JobId> run_now(std::string name, std::string reason = {});
  /// The jobs made of occurrences in [from, until) that made none so far: see BackfillRecurring.
  Result<std::vector<JobId>> backfill(std::string name, Instant from, Instant until, std::string reason = {});
  Result<void> remove(std::string name, std::string reason = {});

  [[nodiscard]] std::vector<RecurringInfo> list() const;  // by name
  /// Refusal no_such_recurring.
  [[nodiscard]] Result<RecurringInfo> find(const std::string& name) const;

 private:
  friend class Daybook;
  explicit RecurringSchedules(Daybook& book) : book_(&book) {}
  Daybook* book_;
};

}  // namespace daybook
