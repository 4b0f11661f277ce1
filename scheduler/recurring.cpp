// SPDX-License-Identifier: Apache-2.0

// The schedules of a book, from outside: each call is a command.
#include "daybook/recurring.hpp"

#include <algorithm>
#include <utility>

#include "daybook_impl.hpp"

namespace daybook {

RecurringSchedules Daybook::recurring() {
  return RecurringSchedules(*this);
}

Result<Declared> RecurringSchedules::declare(std::string owner, RecurringSpec spec, std::string reason) {
  return book_->impl_->one<Declared>(DeclareRecurring{std::move(owner), std::move(spec)}, std::move(reason));
}

Result<Synced> RecurringSchedules::sync(std::string owner, std::vector<RecurringSpec> specs, std::string reason) {
  return book_->impl_->one<Synced>(SyncRecurring{std::move(owner), std::move(specs)}, std::move(reason));
}

Result<void> RecurringSchedules::pause(std::string name, std::string reason) {
  return book_->impl_->done(PauseRecurring{std::move(name)}, std::move(reason));
}

Result<void> RecurringSchedules::resume(std::string name, std::string reason) {
  return book_->impl_->done(ResumeRecurring{std::move(name)}, std::move(reason));
}

Result<JobId> RecurringSchedules::run_now(std::string name, std::string reason) {
  return book_->impl_->one<Scheduled>(RunRecurringNow{std::move(name)}, std::move(reason))
      .map([](const Scheduled& scheduled) { return scheduled.job; });
}

Result<std::vector<JobId>> RecurringSchedules::backfill(std::string name, Instant from, Instant until,
                                                        std::string reason) {
  return book_->impl_->one<Backfilled>(BackfillRecurring{std::move(name), from, until}, std::move(reason))
      .map([](Backfilled&& made) { return std::move(made.jobs); });
}

Result<void> RecurringSchedules::remove(std::string name, std::string reason) {
  return book_->impl_->done(RemoveRecurring{std::move(name)}, std::move(reason));
}

std::vector<RecurringInfo> RecurringSchedules::list() const {
  std::vector<RecurringInfo> all;
  book_->look([&](const View& view, const Moment&) {
    view.each_recurring([&](const Recurring& one) {
      if (one.terms) all.push_back(recurring_info(one, view));
    });
  });
  std::ranges::sort(all, {}, [](const RecurringInfo& info) -> const std::string& { return info.spec.name; });
  return all;
}

Result<RecurringInfo> RecurringSchedules::find(const std::string& name) const {
  std::optional<RecurringInfo> found;
  book_->look([&](const View& view, const Moment&) {
    if (const Recurring* recurring = find_recurring(view, name)) found = recurring_info(*recurring, view);
  });
  if (found) return std::move(*found);
  return tl::unexpected<Refusal>(no_such_recurring(name));
}

}  // namespace daybook
