// SPDX-License-Identifier: Apache-2.0

// What the engine does beside its work: keeps the index up with the log, goes on without one that failed, and says when it wants to
// be called again.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "daybook/core/apply.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/core/state.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/scheduler/engine.hpp"

namespace daybook {

namespace {

// Entities that may change before the index is written while there is other work to do.
constexpr std::size_t unprojected_max = 8192;

// Children that are freed and dropped in a step: a million of them are done some at a time, between the work of others.
constexpr std::size_t settled_per_step = 4000;
constexpr std::uint32_t settled_at_once = 1000;

template <class T>
void keep_earlier(std::optional<T>& kept, std::optional<T> other) {
  if (other && (!kept || *other < *kept)) kept = other;
}

}  // namespace

Outcome Engine::execute_safely(const Submission& submission, const Moment& now) {
  Bounds bounds = bounds_;
  bounds.room = journal_.has_room();
  return ask_store([&] { return execute(*store_, submission, now, bounds, zones_); });
}

bool Engine::has_unsettled() {
  if (poison_ || store_->book().held) return false;
  return ask_store([&] { return !store_->unsettled(1).empty(); });
}

// Behind the step's own work, so that who ends a parent finds its children freed when the answer comes, unless there are many. A child that is
// dropped is a parent that ended, which is looked at next.
void Engine::settle_children(const Moment& now) {
  for (std::size_t settled = 0; settled < settled_per_step && has_unsettled();) {
    const Outcome outcome =
        execute_safely(Submission{.commands = {SettleChildren{settled_at_once}}, .context = own_context()}, now);
    if (outcome.events.empty()) return;
    settled += outcome.events.size();
    take(outcome);
  }
}

// The log is the truth and is well; only the index failed. It is dropped, and its place taken by the state folded from the log.
void Engine::go_on_in_memory(const std::string& why) {
  auto stand_in = std::make_unique<State>();
  if (index_ != nullptr) {
    stand_in->put(index_->book());
    if (kept("scheduler.index.condemn")) index_->condemn();  // or the next opening would believe it again
  }
  // Nothing may be asked of the index any more. Should the log not be readable either, the engine stops with a book that tells
  // the time, and no more.
  index_ = nullptr;
  store_ = std::move(stand_in);
  if (warn_) warn_("the index failed (" + why + "); going on in memory, the next opening makes a new index");
  auto state = std::make_unique<State>(rebuild(events_of(journal_), journal_.tail().sequence, {}, start_));
  if (encoder_.batch().count != 0) {
    for (const RecordedEvent& recorded : decode_batch(encoder_.batch())) apply(*state, recorded);
  }
  store_ = std::move(state);
}

void Engine::housekeep(const Moment& now, bool closing) {
  if (poison_) return;
  const bool time = closing || (housekeeping_at_ && *housekeeping_at_ <= now.boot);
  if (index_ != nullptr && index_->unprojected() > (time ? 0 : unprojected_max)) {
    try {
      const Head head = journal_.tail();
      index_->project(IndexMark{index_->mark().log_uuid, head.sequence, head.chain}, now);
    } catch (const StorageError& error) {
      go_on_in_memory(error.what());
    }
  }
  if (time) {
    journal_.settle();
    housekeeping_at_.reset();
    // Looked for again and again: what is refused for want of room records nothing that would bring housekeeping about.
    if (!journal_.has_room()) housekeeping_at_ = now.boot + housekeeping_delay;
  }
}

// A pass over what is kept for a while, a part of it in each step, so that nobody waits for a long one. A clock in doubt says
// nothing of age.
void Engine::prune(const Moment& now) {
  if (poison_ || (prune_boot_ && *prune_boot_ > now.boot) || (prune_wall_ && *prune_wall_ > now.wall)) return;
  const Book& book = store_->book();
  prune_boot_ = now.boot + prune_delay;
  const bool begins = std::ranges::none_of(pruned_.behind, [](const auto& behind) { return behind.has_value(); });
  if (begins) prune_asked_ = false;
  prune_wall_ = Instant::max();  // until something ends, or the book is allowed to
  if (book.feature_level < 2 || book.held || book.clock_doubted) return;
  PrunePlan plan = ask_store([&] { return plan_prune(*store_, now, retention_of(*store_), pruned_, prune_limit); });
  if (!plan.jobs.empty() || !plan.results.empty()) {
    take(execute_safely(
        Submission{.commands = {Prune{std::move(plan.jobs), std::move(plan.results)}}, .context = own_context()}, now));
  }
  if (!plan.done) {
    pruned_ = plan.progress;
    prune_boot_ = now.boot;
    prune_wall_.reset();
    return;
  }
  pruned_ = {};
  prune_wall_ = plan.again_at.value_or(Instant::max());
  if (std::exchange(prune_asked_, false)) prune_wall_.reset();
}

bool Engine::may_fire() const {
  const Book& book = store_->book();
  return book.feature_level > 1 && !book.held && !book.clock_doubted && journal_.has_room();
}

// A part of what is due in each step, so that nobody waits for a herd; the rest follows at once, in the next.
void Engine::fire_recurring(const Moment& now, const Timers& timers) {
  if (poison_ || store_->book().held || store_->book().clock_doubted) return;
  if (std::exchange(replan_, false) && store_->book().feature_level > 1) {
    take(execute_safely(Submission{.commands = {ReplanRecurring{}}, .context = own_context()}, now));
  }
  if (!timers.recurring || *timers.recurring > now.wall || !may_fire()) return;
  take(execute_safely(Submission{.commands = {FireRecurring{}}, .context = own_context()}, now));
}

std::uint64_t Engine::projection_lag() const {
  return index_ == nullptr ? 0 : store_->book().head.value() - index_->mark().applied.value();
}

void Engine::plan_wake(Step& step, const Moment& now) {
  const Duration to_boot = now.boot.time_since_epoch() - now.book.time_since_epoch();
  const auto boot_of = [&](BookTime book) { return BootTime(book.time_since_epoch() + to_boot); };
  const Timers timers = ask_store([&] { return store_->timers(); });
  const Book& book = store_->book();
  if (!book.held) {  // a held copy ends nothing, however late it is
    if (timers.lease_end) keep_earlier<BootTime>(step.wake_boot, boot_of(*timers.lease_end));
    if (timers.book_deadline) keep_earlier<BootTime>(step.wake_boot, boot_of(*timers.book_deadline));
    keep_earlier(step.wake_wall, timers.wall_deadline);
    if (replan_ && !book.clock_doubted) keep_earlier<BootTime>(step.wake_boot, now.boot);
  }
  if (may_fire()) keep_earlier(step.wake_wall, timers.recurring);
  keep_earlier(step.wake_boot, housekeeping_at_);
  if (has_unsettled()) keep_earlier<BootTime>(step.wake_boot, now.boot);
  if (prune_boot_ && (!prune_wall_ || *prune_wall_ <= now.wall)) keep_earlier(step.wake_boot, prune_boot_);
  if (prune_wall_ && *prune_wall_ > now.wall && *prune_wall_ != Instant::max()) {
    keep_earlier(step.wake_wall, prune_wall_);
  }
  for (const WaitingLook& wait : waiting_looks_) {
    if (wait.until != BookTime::max()) keep_earlier<BootTime>(step.wake_boot, boot_of(wait.until));
  }
  if (!waiting_.empty()) {
    keep_earlier(step.wake_wall, timers.wall_due);
    if (timers.book_due) keep_earlier<BootTime>(step.wake_boot, boot_of(*timers.book_due));
  }
  for (const WaitingClaim& claim : waiting_) {
    if (claim.until != BookTime::max()) keep_earlier<BootTime>(step.wake_boot, boot_of(claim.until));
    const std::optional<BookTime>& start = claim.held_back.until;
    if (start && *start != BookTime::max()) keep_earlier<BootTime>(step.wake_boot, boot_of(*start));
  }
}

}  // namespace daybook
