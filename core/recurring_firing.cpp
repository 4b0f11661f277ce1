// SPDX-License-Identifier: Apache-2.0
#include "recurring_firing.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/limits.hpp"
#include "recurring_plan.hpp"
#include "rules.hpp"

// What time makes of recurring schedules: jobs of what is due, and events for what is not to run.

namespace daybook {
namespace {

/// What one command may make. A first job is never too large, so that each command comes on.
class Allowance {
 public:
  Allowance(std::uint32_t jobs, std::size_t bytes) : jobs_(jobs), bytes_(bytes) {}
  [[nodiscard]] bool spend(std::size_t bytes) {
    const bool fits = jobs_ > 0 && (spent_ == 0 || spent_ + bytes <= bytes_);
    if (fits) {
      --jobs_;
      spent_ += bytes + 1;
    }
    over_ = over_ || !fits;
    return fits;
  }
  [[nodiscard]] bool is_over() const { return over_ || jobs_ == 0; }

 private:
  std::uint32_t jobs_;
  std::size_t bytes_;
  std::size_t spent_ = 0;
  bool over_ = false;  // something did not fit
};

/// Handles what of one schedule is due. Follows in `live_`, `buffer_` and `next_` what its own events will have made of the schedule.
class Firing {
 public:
  Firing(Draft& draft, const Recurring& recurring, std::string_view name, Allowance& allowance)
      : draft_(draft),
        known_(recurring),
        terms_(*recurring.terms),
        name_(name),
        allowance_(allowance),
        live_(recurring.live.size()),
        buffer_(recurring.buffer),
        next_(recurring.next) {}

  /// Returns how many occurrences it looked at.
  std::size_t run() {
    if (live_ == 0 && !buffer_.empty()) {
      if (!may_make()) return 0;
      fire_buffered();
    }
    look();
    const std::size_t settled = skip_missed();
    for (std::size_t i = settled; i < found_.size(); ++i) {
      if (!settle(i)) break;
    }
    put_down_skipped();
    if (!problem_.empty() && !next_) draft_.add(RecurringPaused{known_.id, problem_});
    return found_.size();
  }

 private:
  /// The occurrences that are due, up to a slice of them.
  void look() {
    std::optional<Occurrence> at = next_;
    while (at && at->due <= draft_.now.wall && found_.size() < limits::recurring_slice) {
      found_.push_back(*at);
      const auto after =
          plan_after(terms_.recurrence, name_, {known_.handled, known_.unmade}, at->nominal, draft_.zones);
      if (!after) problem_ = after.error().sentence;
      at = after ? *after : std::nullopt;
    }
    behind_ = at;
  }

  [[nodiscard]] std::optional<Occurrence> after(std::size_t i) const {
    return i + 1 < found_.size() ? std::optional(found_[i + 1]) : behind_;
  }

  [[nodiscard]] bool was_missed(const Occurrence& occurrence, Duration by) const {
    return draft_.now.wall - occurrence.due > by;
  }

  /// Skips what fell into a pause, and what of the missed ones the policy does not want; returns where the others begin.
  std::size_t skip_missed() {
    std::size_t i = 0;
    for (; i < found_.size() && found_[i].nominal <= known_.paused_until; ++i) skip(i, SkipReason::paused);
    while (i < found_.size() && was_missed(found_[i], std::max(terms_.missed.window, limits::missed_after))) {
      skip(i++, SkipReason::out_of_window);
    }
    const std::size_t first = i;
    while (i < found_.size() && was_missed(found_[i], limits::missed_after)) ++i;
    const std::size_t missed = i - first;
    caught_up_ = i;
    // More of them may lie behind the slice. These are not the last ones then, but for as many as may run.
    const std::size_t most = terms_.missed.runs == Missed::skip   ? 0
                             : terms_.missed.runs == Missed::once ? 1
                                                                  : terms_.missed.cap;
    const std::size_t wanted = std::min(missed, most);
    const SkipReason reason = terms_.missed.runs == Missed::all ? SkipReason::cap : SkipReason::missed;
    for (i = first; i < first + missed - wanted; ++i) skip(i, reason);
    const bool more = i + wanted == found_.size() && behind_ && was_missed(*behind_, limits::missed_after);
    return more ? found_.size() : i;
  }

  [[nodiscard]] bool may_make() { return allowance_.spend(terms_.job.payload.bytes().size()); }

  /// False: no more of this schedule now.
  bool settle(std::size_t i) {
    const bool waits = live_ > 0 || !buffer_.empty();
    if (waits && terms_.overlap == Overlap::skip) return skip(i, SkipReason::overlap);
    if (waits && (terms_.overlap == Overlap::buffer_one || terms_.overlap == Overlap::buffer_all)) {
      const std::size_t room = terms_.overlap == Overlap::buffer_one ? 1 : limits::buffered_max;
      if (buffer_.size() >= room) return skip(i, SkipReason::buffer_full);
      return keep(i);
    }
    if (live_ >= limits::recurring_live_max && !makes_room()) return skip(i, SkipReason::too_many_live);
    if (!may_make()) return false;
    fire(i);
    return true;
  }

  /// Jobs that wait end when another is made.
  [[nodiscard]] bool makes_room() const {
    if (terms_.overlap != Overlap::cancel_other || cancelled_) return false;
    return std::any_of(known_.live.begin(), known_.live.end(), [&](Sequence id) {
      const Job* job = draft_.view.job(id);
      return job && (job->state == JobState::waiting || job->state == JobState::awaiting);
    });
  }

  bool skip(std::size_t i, SkipReason reason) {
    if (skipped_.count > 0 && skipped_.reason != reason) put_down_skipped();
    if (skipped_.count == 0) skipped_ = {.recurring = known_.id, .from = found_[i].nominal, .reason = reason};
    skipped_.until = found_[i].nominal;
    ++skipped_.count;
    next_ = skipped_.next = after(i);
    return true;
  }

  void put_down_skipped() {
    if (skipped_.count > 0) draft_.add(skipped_);
    skipped_.count = 0;
  }

  bool keep(std::size_t i) {
    put_down_skipped();
    next_ = after(i);
    buffer_.push_back(found_[i].nominal);
    draft_.add(RecurringBuffered{known_.id, found_[i].nominal, next_});
    return true;
  }

  void fire(std::size_t i) {
    put_down_skipped();
    next_ = after(i);
    const FiredBy by = i < caught_up_ ? FiredBy::catch_up : FiredBy::timer;
    make(found_[i].nominal, by, Due{found_[i].due, std::nullopt});
  }

  void fire_buffered() {
    const Instant nominal = buffer_.front();
    buffer_.erase(buffer_.begin());
    make(nominal, FiredBy::buffer, due_now(draft_.now));
  }

  void make(Instant nominal, FiredBy by, const Due& due) {
    draft_.add(RecurringFired{known_.id, nominal, by, next_});
    if (terms_.overlap == Overlap::cancel_other && by != FiredBy::buffer) cancel_others();
    made_here_.push_back(JobId{draft_.next(), draft_.generation()});
    draft_.add(job_of(draft_, known_, nominal, due));
    ++live_;
  }

  void cancel_others() {
    for (const Sequence id : known_.live) {
      const Job* job = draft_.view.job(id);
      if (!job || cancelled_ || job->state == JobState::uncertain) continue;  // of those a person decides
      if (job->state != JobState::running) {
        draft_.add(JobCancelled{job->id});
        --live_;
      } else if (!job->cancel_requested) {
        draft_.add(CancelRequested{job->id});
      }
    }
    cancelled_ = true;
    for (const JobId& job : made_here_) draft_.add(JobCancelled{job});
    live_ -= made_here_.size();
    made_here_.clear();
  }

  Draft& draft_;
  const Recurring& known_;
  const RecurringTerms& terms_;
  std::string_view name_;
  Allowance& allowance_;
  std::size_t live_;
  std::vector<Instant> buffer_;
  std::optional<Occurrence> next_;
  std::vector<Occurrence> found_;     // due
  std::optional<Occurrence> behind_;  // the one after them
  std::size_t caught_up_ = 0;         // those before were missed
  RecurringSkipped skipped_;          // the run under way; count 0: none
  std::vector<JobId> made_here_;      // and not cancelled
  bool cancelled_ = false;            // the jobs that were there before
  std::string problem_;               // why nobody knows what comes next
};

}  // namespace

JobScheduled job_of(const Draft& draft, const Recurring& recurring, Instant nominal, const Due& due) {
  auto spec = std::make_shared<JobSpec>(recurring.terms->job);
  spec->recurring = recurring.id;
  spec->nominal = nominal;
  if (recurring.terms->start_deadline) spec->start_by = due_after(*recurring.terms->start_deadline, draft.now);
  return JobScheduled{.spec = std::move(spec), .generation = draft.generation(), .due = due};
}

Refused judge(Draft& draft, const FireRecurring& command) {
  if (draft.book().clock_doubted || !draft.bounds.room) return std::nullopt;
  std::size_t looks = 0;
  Allowance allowance(command.jobs, draft.bounds.batch_bytes);
  for (const NameId id : draft.view.due_recurring(draft.now.wall, limits::recurring_looks)) {
    const Recurring* recurring = draft.view.recurring(id);
    const Name* name = draft.view.name(id);
    if (!recurring || !name) continue;
    looks += Firing(draft, *recurring, name->text, allowance).run() + 1;
    if (allowance.is_over() || looks + limits::recurring_slice > limits::recurring_looks) break;
  }
  return std::nullopt;
}

}  // namespace daybook
