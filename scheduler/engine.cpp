// SPDX-License-Identifier: Apache-2.0

// Decides, appends, syncs, answers: in that order, for everything that came in since the last step. What it leaves to
// others: rules (core), bytes and syncs (log), threads and waiting (driver.cpp).
#include "daybook/scheduler/engine.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/apply.hpp"
#include "daybook/core/assert.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/core/overload.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "meter.hpp"

namespace daybook {

namespace {

// Past these a step syncs before it takes more, so that one sync does not grow without bound.
constexpr std::size_t batch_bytes_soft = 4 * 1024 * 1024;

bool waits_again(const Next& next) {
  return std::holds_alternative<Again>(next);
}

// Whether the event may let somebody claim a job who could not before.
bool makes_available(const Event& event) {
  return std::visit(Overload{
                        [](const JobScheduled&) { return true; },
                        [](const ChildFreed&) { return true; },
                        [](const AttemptFailed& failed) { return waits_again(failed.next); },
                        [](const LeaseExpired& expired) { return waits_again(expired.next); },
                        [](const JobSnoozed& snoozed) { return waits_again(snoozed.next); },
                        [](const JobReleased& released) { return waits_again(released.next); },
                        [](const JobRescheduled&) { return true; },
                        [](const JobReplaced&) { return true; },
                        [](const JobRetried&) { return true; },
                        [](const JobMoved&) { return true; },
                        [](const QueueResumed&) { return true; },
                        [](const LimitsSet&) { return true; },
                        [](const BookAdopted&) { return true; },
                        [](const ClockConfirmed&) { return true; },
                        [](const auto&) { return false; },
                    },
                    event);
}

bool ends_attempt(const Event& event) {
  return std::visit(Overload{
                        [](const JobCompleted&) { return true; },
                        [](const AttemptFailed&) { return true; },
                        [](const LeaseExpired&) { return true; },
                        [](const JobTimedOut&) { return true; },
                        [](const JobSnoozed&) { return true; },
                        [](const JobReleased&) { return true; },
                        [](const auto&) { return false; },
                    },
                    event);
}

/// The claim whose attempt the event ends without a word of its worker: whoever still works on it shall stop.
Token ended_by_time(const Event& event) {
  return std::visit(Overload{
                        [](const AttemptFailed& failed) { return failed.token; },
                        [](const LeaseExpired& expired) { return expired.token; },
                        [](const JobTimedOut& ended) { return ended.token; },
                        [](const auto&) { return Token{}; },
                    },
                    event);
}

bool is_stale_outcome(RefusalCode code) {
  return code == RefusalCode::lease_lost || code == RefusalCode::already_completed ||
         code == RefusalCode::another_history;
}

bool puts_refusal_on_record(const RecordedEvent& recorded) {
  return std::holds_alternative<OutcomeRefused>(recorded.event);
}

/// Whether something may have become too old to keep, or may be let go that could not be before.
bool calls_for_pruning(const Event& event) {
  return std::visit(Overload{
                        [](const JobCompleted&) { return true; },
                        [](const JobCancelled&) { return true; },
                        [](const AttemptFailed& failed) { return !waits_again(failed.next); },
                        [](const LeaseExpired& expired) { return !waits_again(expired.next); },
                        [](const JobSnoozed& snoozed) { return !waits_again(snoozed.next); },
                        [](const JobReleased& released) { return !waits_again(released.next); },
                        [](const JobExpired&) { return true; },
                        [](const JobTimedOut&) { return true; },
                        [](const ChildDropped&) { return true; },
                        [](const ConfigurationChanged&) { return true; },
                        [](const BookAdopted&) { return true; },
                        [](const ClockConfirmed&) { return true; },
                        [](const FeatureLevelRaised&) { return true; },
                        [](const HoldLifted&) { return true; },
                        [](const auto&) { return false; },
                    },
                    event);
}

}  // namespace

Context Engine::own_context() {
  return Context{.actor = "daybook"};
}

Engine::Engine(Parts parts)
    : journal_(parts.journal),
      store_(std::move(parts.store)),
      index_(parts.index),
      clock_(parts.clock),
      random_(parts.random),
      bounds_(parts.bounds),
      zones_(parts.zones),
      clock_policy_(parts.clock_policy),
      warn_(std::move(parts.warn)),
      start_(std::move(parts.start)),
      meter_(parts.meter) {
  DAYBOOK_ASSERT(store_ != nullptr);
  DAYBOOK_ASSERT(store_->book().head == journal_.tail().sequence);
}

Engine::~Engine() = default;

Moment Engine::now() {
  Moment now;
  now.wall = clock_.wall();
  now.boot = clock_.boot();
  now.book = store_->book().book_time(now.boot);
  now.chance = random_.next();
  return now;
}

// Whatever is thrown, memory may hold half a change by then: nothing that rests on it leaves the engine any more.
template <class Body>
auto Engine::or_poisoned(const Body& body) {
  try {
    return body();
  } catch (...) {
    if (!poison_) poison_ = std::current_exception();
    throw;
  }
}

std::uint32_t Engine::open(BookOpened opening, std::vector<Setting> settings) {
  return or_poisoned([&] { return record_opening(std::move(opening), std::move(settings)); });
}

std::uint32_t Engine::record_opening(BookOpened opening, std::vector<Setting> settings) {
  const Book& before = store_->book();
  const bool fresh = before.head == Sequence(0);
  Moment now = this->now();
  opening.boot_id = clock_.boot_id();
  // A boot time before that of the last event cannot be of the boot that it was of, whatever the id says: a virtual machine
  // that was set back, say. Its times are not compared.
  opening.new_boot = !fresh && (opening.boot_id != before.boot_id || now.boot < before.head_boot);
  const std::optional<Duration> doubted =
      clock_policy_ == ClockPolicy::ask ? doubtful_gap(before, now.wall) : std::nullopt;
  if (fresh) {
    opening.book_offset = -now.boot.time_since_epoch();
  } else if (opening.new_boot) {
    // Nobody knows how long the machine was off but the wall clock, which is believed up to a bound: late, never early.
    // A clock in doubt says nothing about it.
    const Duration gap =
        doubted ? Duration(0) : std::clamp(now.wall - before.head_wall, Duration(0), limits::boot_gap_max);
    const BookTime resumed = before.book_time(before.head_boot) + gap;
    opening.book_offset = resumed.time_since_epoch() - now.boot.time_since_epoch();
  } else {
    opening.book_offset = before.book_offset;
    sampled_ = Moment{before.head_wall, before.head_boot, before.book_time(before.head_boot), 0};
  }
  now.book = BookTime(now.boot.time_since_epoch() + opening.book_offset);

  Submission submission{.commands = {OpenBook{opening}}, .context = own_context()};
  if (fresh) {
    GenerationBegun begun;
    begun.generation.number = 1;
    begun.generation.tag = GenerationTag(static_cast<std::uint32_t>(random_.next() % 0xFFFF'FFFFu) + 1);
    begun.nonce_salt = random_.next();
    submission.commands.emplace_back(BeginGeneration{begun});
    if (journal_.feature_level() > limits::feature_level_first) {
      submission.commands.emplace_back(RaiseFeatureLevel{journal_.feature_level()});
    }
  }
  if (!settings.empty()) submission.commands.emplace_back(Configure{std::move(settings)});
  if (doubted) submission.commands.emplace_back(DoubtClock{ClockDoubted{before.head_wall, *doubted}});
  if (clock_policy_ == ClockPolicy::trust && before.clock_doubted) submission.commands.emplace_back(ConfirmClock{});
  // By a clock in doubt nothing is planned: what comes next could be what was skipped long ago.
  const bool trusted = !doubted && (!before.clock_doubted || clock_policy_ == ClockPolicy::trust);
  if (!fresh && !before.held && before.feature_level > 1 && trusted) {
    submission.commands.emplace_back(ReplanRecurring{});
  }

  const Outcome outcome = execute_safely(submission, now);
  DAYBOOK_ASSERT(outcome.answers.has_value());
  take(outcome);
  if (sampled_) note_clock_step(now);
  flush();
  if (poison_) std::rethrow_exception(poison_);
  sampled_ = now;
  return static_cast<std::uint32_t>(
      std::count_if(outcome.events.begin(), outcome.events.end(), [](const auto& recorded) {
        const auto* expired = std::get_if<LeaseExpired>(&recorded.event);
        return expired != nullptr && expired->reason == ExpiryReason::process_died;
      }));
}

void Engine::close() {
  DAYBOOK_ASSERT(inbox_.empty() && waiting_.empty());
  if (poison_) std::rethrow_exception(poison_);
  or_poisoned([&] { record_end(); });
}

void Engine::record_end() {
  const Moment now = this->now();
  if (boot_clock_went_back(now)) std::rethrow_exception(poison_);
  take(execute_safely(Submission{.commands = {CloseBook{}}, .context = own_context()}, now));
  flush();
  if (poison_) std::rethrow_exception(poison_);
  housekeep(now, true);
  journal_.close();
  if (index_ != nullptr) {
    try {
      index_->close();
    } catch (const StorageError& error) {
      if (kept("scheduler.close.condemn")) index_->condemn();
      if (warn_)
        warn_(std::string("the index failed at the end (") + error.what() + "); the next opening makes a new one");
    }
  }
}

void Engine::submit(Submission submission, Completion completion) {
  inbox_.push_back({std::move(submission), std::move(completion)});
}

void Engine::look(Look look, Completion completion) {
  inbox_.push_back({std::move(look), std::move(completion)});
}

Engine::Step Engine::step() {
  step_ = Step{};
  // Room for every reply, before anything is done: later, there must be no way to fail.
  step_.finished.reserve(inbox_.size() + waiting_.size() + waiting_looks_.size());
  unsynced_.reserve(inbox_.size() + waiting_.size());
  taken_.clear();
  taken_.swap(inbox_);
  const Moment now = this->now();
  try {
    if (!poison_ && !boot_clock_went_back(now)) work_through(now);
    if (!poison_) plan_wake(step_, now);
  } catch (...) {
    // Memory may hold half a change by now: nothing that rests on it leaves the engine.
    poison_ = std::current_exception();
  }
  if (poison_) refuse_all();
  step_.head = journal_.tail().sequence;
  step_.log_bytes = journal_.costs().bytes;
  return std::exchange(step_, Step{});
}

void Engine::work_through(const Moment& now) {
  note_clock_step(now);
  const Timers timers = ask_store([&] { return store_->timers(); });
  if ((timers.wall_due && *timers.wall_due <= now.wall) || (timers.book_due && *timers.book_due <= now.book)) {
    available_ = true;
  }
  for (const WaitingClaim& claim : waiting_) {
    if (claim.held_back.until && *claim.held_back.until <= now.book) available_ = true;
  }
  if ((timers.lease_end && *timers.lease_end <= now.book) ||
      (timers.wall_deadline && *timers.wall_deadline <= now.wall) ||
      (timers.book_deadline && *timers.book_deadline <= now.book)) {
    take(execute_safely(Submission{.commands = {ExpireLeases{}}, .context = own_context()}, now));
  }
  // Behind the timers, because whatever is executed moves what fell due; before anything ends in this step, so that whoever ends a
  // job finds it there when the answer comes.
  prune(now);
  fire_recurring(now, timers);
  if (available_) serve_waiting(now);
  for (Item& item : taken_) {
    if (poison_) return;
    if (auto* submission = std::get_if<Submission>(&item.what)) run(*submission, item.completion, now);
  }
  settle_children(now);
  if (available_) serve_waiting(now);
  end_waiting(now);
  flush();
  if (poison_) return;
  serve_looks(now);
  for (Item& item : taken_) {
    if (const auto* look = std::get_if<Look>(&item.what)) run(*look, item.completion, now);
  }
  housekeep(now, false);
}

// Everybody who has not been answered yet learns why nobody will be.
void Engine::refuse_all() {
  const auto refuse_one = [&](Completion& completion) {
    step_.finished.emplace_back(std::exchange(completion, nullptr), Reply{std::vector<Answer>{}, poison_});
  };
  for (auto& [completion, reply] : unsynced_) refuse_one(completion);
  for (Item& item : taken_) {
    if (item.completion) refuse_one(item.completion);
  }
  for (WaitingClaim& claim : waiting_) refuse_one(claim.completion);
  for (WaitingLook& wait : waiting_looks_) refuse_one(wait.completion);
  unsynced_.clear();
  unsynced_cancels_.clear();
  unsynced_ends_.clear();
  waiting_.clear();
  waiting_looks_.clear();
  encoder_.clear();
}

// Leases and delays are measured by this clock, and it never goes back while a machine runs: what it says now, and whatever it
// said before, cannot both be believed. The next opening begins a new count.
bool Engine::boot_clock_went_back(const Moment& now) {
  if (!sampled_ || now.boot >= sampled_->boot) return false;
  poison(
      StorageError(Place{}, 0,
                   "the clock of this boot went back by " + to_string(sampled_->boot - now.boot) +
                       ", which cannot be while a machine runs; nothing was recorded since: close the book and open it "
                       "again"));
  return true;
}

// Book time and wall time are both sampled, never maximised: a step is put on record and changes nothing by itself.
void Engine::note_clock_step(const Moment& now) {
  if (sampled_) {
    const Duration by = (now.wall - sampled_->wall) - (now.boot - sampled_->boot);
    if (by > limits::clock_step_min || by < -limits::clock_step_min) {
      take(execute_safely(Submission{.commands = {StepClock{by}}, .context = own_context()}, now));
      // By a clock that leapt everything may seem old: somebody has a day to see it.
      if (by > limits::clock_back_max) prune_boot_ = now.boot + prune_after_leap;
      available_ = true;
      replan_ = true;
    }
  }
  sampled_ = now;
}

// Readers of the level before must refuse the log before it holds anything of the higher one.
std::optional<Refusal> Engine::raise_log_level(const Submission& submission) {
  std::uint32_t level = 0;
  for (const Command& command : submission.commands) {
    const auto* raise = std::get_if<RaiseFeatureLevel>(&command);
    if (raise && raise->level <= limits::feature_level_highest) level = std::max(level, raise->level);
  }
  if (level <= journal_.feature_level()) return {};
  flush();
  if (poison_) return {};
  const AppendResult result = journal_.raise_feature_level(level);
  if (const auto* full = std::get_if<Full>(&result)) return Refusal{RefusalCode::storage_full, full->what};
  if (const auto* unknown = std::get_if<Unknown>(&result)) {
    poison(StorageError(Place{}, unknown->error_number, unknown->what));
  }
  return {};
}

void Engine::run(const Submission& submission, Completion& completion, const Moment& now) {
  Reply reply;
  if (auto refused = raise_log_level(submission)) {
    reply.answers = tl::unexpected<Refusal>(std::move(*refused));
    unsynced_.emplace_back(std::exchange(completion, nullptr), std::move(reply));
    return;
  }
  if (poison_) return;
  Outcome outcome = execute_safely(submission, now);
  take(outcome);
  if (outcome.repeated) {
    flush();  // its first events may be among those not synced yet
    if (poison_) return;
    reply.answers = first_answer(submission, *outcome.repeated);
  } else {
    reply.answers = std::move(outcome.answers);
  }
  unsynced_.emplace_back(std::exchange(completion, nullptr), std::move(reply));
  if (encoder_.batch().bytes.size() > batch_bytes_soft) flush();
}

void Engine::run(const Look& look, Completion& completion, const Moment& now) {
  Reply reply;
  try {
    ask_store([&] { look(*store_, now); });
  } catch (...) {
    reply.error = std::current_exception();  // the caller's own, most likely
  }
  step_.finished.emplace_back(std::exchange(completion, nullptr), std::move(reply));
}

void Engine::take(const Outcome& outcome) {
  if (meter_ != nullptr) {
    try {
      for (const RecordedEvent& recorded : outcome.events) meter_->note(recorded, *store_);
    } catch (const StorageError&) {
      // The index: whoever asks it next goes on without it. What is only counted need not.
    }
    meter_->note(outcome.answers);
  }
  if (!outcome.answers && is_stale_outcome(outcome.answers.error().code) &&
      std::none_of(outcome.events.begin(), outcome.events.end(), puts_refusal_on_record)) {
    ++refusals_counted_;
  }
  for (const RecordedEvent& recorded : outcome.events) {
    encoder_.add(recorded);
    if (makes_available(recorded.event) || (crowded_ && ends_attempt(recorded.event))) available_ = true;
    if (calls_for_pruning(recorded.event)) {
      prune_wall_.reset();
      prune_asked_ = true;
    }
    if (std::holds_alternative<BookAdopted>(recorded.event) || std::holds_alternative<ClockConfirmed>(recorded.event)) {
      replan_ = true;
    }
    if (const auto* request = std::get_if<CancelRequested>(&recorded.event)) {
      unsynced_cancels_.push_back(request->job.sequence);
    }
    if (const Token token = ended_by_time(recorded.event); token != Token{}) unsynced_ends_.push_back(token);
  }
}

// The one place where events become durable, and the only one from which answers leave.
void Engine::flush() {
  const EncodedBatch& batch = encoder_.batch();
  step_.cancelled.reserve(step_.cancelled.size() + unsynced_cancels_.size());  // nothing allocates behind the append
  step_.ended.reserve(step_.ended.size() + unsynced_ends_.size());
  if (batch.count != 0 && !poison_) {
    const BootTime begun = meter_ != nullptr ? clock_.boot() : BootTime{};
    AppendResult result = journal_.append(journal_.epoch(), journal_.tail(), batch, Room::reserve);
    if (meter_ != nullptr) meter_->note_sync(clock_.boot() - begun, batch.count);
    std::visit(
        Overload{
            [&](const Committed&) { step_.changed = true; },
            [&](const Unknown& unknown) {
              poison(StorageError(Place{}, unknown.error_number,
                                  unknown.what + "; the outcome of the calls in flight is unknown, and nothing more is "
                                                 "acknowledged: close the book and open it again"));
            },
            [&](const Full& full) {
              poison(
                  StorageError(Place{}, 0, full.what + "; nothing was written: make room, then open the book again"));
            },
            [&](const Conflict&) {
              poison(StorageError(Place{}, 0,
                                  "somebody else appended to this log; nothing was written: find the other "
                                  "writer, then open the book again"));
            },
            [&](const Fenced&) {
              poison(StorageError(Place{}, 0, "a later opening of this book took over; nothing was written"));
            },
        },
        result);
    if (!housekeeping_at_) housekeeping_at_ = sampled_ ? sampled_->boot + housekeeping_delay : BootTime{};
  }
  if (kept("scheduler.flush.poisoned") && poison_)
    return;  // what waits for this sync is refused at the end of the step
  encoder_.clear();
  std::move(unsynced_.begin(), unsynced_.end(), std::back_inserter(step_.finished));
  unsynced_.clear();
  step_.cancelled.insert(step_.cancelled.end(), unsynced_cancels_.begin(), unsynced_cancels_.end());
  unsynced_cancels_.clear();
  step_.ended.insert(step_.ended.end(), unsynced_ends_.begin(), unsynced_ends_.end());
  unsynced_ends_.clear();
}

void Engine::poison(StorageError error) {
  if (warn_) warn_(error.what());
  poison_ = std::make_exception_ptr(std::move(error));
}

Result<std::vector<Answer>> Engine::first_answer(const Submission& submission, const RequestRecord& record) {
  std::vector<RecordedEvent> events;
  try {
    journal_.read(record.first, [&](const RecordedEvent& recorded) {
      if (recorded.sequence > record.last) return false;
      events.push_back(recorded);
      return recorded.sequence < record.last;
    });
  } catch (const DroppedError&) {
    return refuse(RefusalCode::too_old, "the request was done, by event " + std::to_string(record.first.value()) +
                                            ", and its answer was dropped with that part of the log");
  }
  return answers(submission, events, *store_);
}

}  // namespace daybook
