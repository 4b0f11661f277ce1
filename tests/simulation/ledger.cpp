// SPDX-License-Identifier: Apache-2.0
#include "ledger.hpp"

#include <algorithm>
#include <variant>

#include "daybook/core/limits.hpp"

namespace daybook::simulation {

namespace {

std::string at(const RecordedEvent& event) {
  return std::string(type_name(event.event)) + " at sequence " + std::to_string(event.sequence.value());
}

}  // namespace

// One event against the lives so far.
struct Ledger::Take {
  Ledger& ledger;
  const RecordedEvent& recorded;
  bool new_boot = false;

  void wrong(const std::string& what) const { ledger.failure_->say(at(recorded) + ": " + what); }

  Life* life(const JobId& job) const {
    const auto found = ledger.lives_.find(job.sequence);
    if (found != ledger.lives_.end()) return &found->second;
    wrong("there is no job " + to_string(job));
    return nullptr;
  }

  [[nodiscard]] bool is_over(const Due& deadline) const {
    return deadline.after ? *deadline.after <= ledger.now_ : deadline.at <= recorded.wall;
  }

  [[nodiscard]] static BookTime capped(const Life& life, BookTime lease_end) {
    if (life.run_end) lease_end = std::min(lease_end, *life.run_end);
    return life.end_by ? std::min(lease_end, *life.end_by) : lease_end;
  }

  Life* claimed(const JobId& job, const Token& token, bool in_time) const {
    Life* found = life(job);
    if (found == nullptr) return nullptr;
    if (found->live != token) {
      wrong("token " + to_string(token) + " does not hold job " + to_string(job));
      return nullptr;
    }
    if (in_time && ledger.now_ >= found->lease_end) wrong("the lease of job " + to_string(job) + " was over");
    return found;
  }

  void let_go_of_key(Sequence job, const Life& life) const {
    const auto key = ledger.keys_.find(life.key);
    if (key != ledger.keys_.end() && key->second == job) ledger.keys_.erase(key);
  }

  void take_key(Sequence job, const Life& life) const {
    if (life.key.second.empty()) return;
    if (!ledger.keys_.emplace(life.key, job).second) wrong("its unique key is held by another job");
  }

  void finish(Sequence job, Life& life, JobState state) const {
    life.state = state;
    life.live.reset();
    let_go_of_key(job, life);
  }

  void end(const JobId& job, const Token& token, bool in_time, End how, const Next* next) const {
    Life* found = claimed(job, token, in_time);
    if (found == nullptr) return;
    ledger.ends_[token] = how;
    found->live.reset();
    if (next == nullptr) return finish(job.sequence, *found, JobState::completed);
    if (const auto* again = std::get_if<Again>(next)) {
      found->state = JobState::waiting;
      found->due = again->due;
    } else {
      finish(job.sequence, *found, std::holds_alternative<Dead>(*next) ? JobState::dead : JobState::cancelled);
    }
  }

  void operator()(const BookOpened& event) const {
    if (event.epoch <= ledger.epoch_) wrong("its epoch is not above the one before");
    ledger.epoch_ = event.epoch;
    ledger.offset_ = event.book_offset;
  }
  void operator()(const GenerationBegun& event) const {
    ledger.generation_ = event.generation.tag;
    ledger.held_ = event.held;
  }
  void operator()(const BookAdopted&) const { ledger.held_ = false; }
  void operator()(const NameDefined& event) const { ledger.names_[event.name.id] = event.name.text; }

  void operator()(const JobScheduled& event) const {
    Life life;
    life.state = event.awaits == Sequence() ? JobState::waiting : JobState::awaiting;
    life.dependencies = event.spec->dependencies;
    if (life.state == JobState::waiting && !ended_as_asked(life.dependencies)) {
      wrong("it waits for no parent, and they have not all ended as it asked for");
    }
    life.due = event.due;
    life.attempts_allowed = event.spec->retry.max_attempts;
    life.start_by = event.spec->start_by;
    life.run_timeout = event.spec->run_timeout;
    if (event.spec->total_timeout) life.end_by = ledger.now_ + *event.spec->total_timeout;
    if (!event.spec->unique_key.empty()) life.key = {event.spec->queue, event.spec->unique_key};
    life.recurring = event.spec->recurring;
    if (life.recurring != ledger.fired_) wrong("it is of a schedule that did not fire, or of none though one fired");
    ledger.fired_ = {};
    take_key(recorded.sequence, life);
    ledger.lives_.emplace(recorded.sequence, std::move(life));
  }

  void operator()(const RecurringDeclared& event) const {
    const bool known = ledger.recurring_.contains(event.recurring);
    if (known != event.changed) wrong(known ? "it was declared before" : "nothing of that name was declared");
    ledger.recurring_[event.recurring].overlap = event.terms->overlap;
  }
  void operator()(const RecurringRemoved& event) const {
    if (ledger.recurring_.erase(event.recurring) == 0) wrong("nothing of that name was declared");
  }
  void operator()(const RecurringPaused& event) const { pause(event.recurring, true); }
  void operator()(const RecurringResumed& event) const { pause(event.recurring, false); }
  void pause(NameId recurring, bool paused) const {
    const auto found = ledger.recurring_.find(recurring);
    if (found == ledger.recurring_.end()) return wrong("nothing of that name was declared");
    if (found->second.paused == paused) wrong("it was so");
    found->second.paused = paused;
  }

  void operator()(const RecurringFired& event) const {
    const auto found = ledger.recurring_.find(event.recurring);
    if (found == ledger.recurring_.end()) return wrong("nothing of that name was declared");
    if (ledger.fired_ != NameId()) wrong("the one before made no job");
    ledger.fired_ = event.recurring;
    if (event.by == FiredBy::run_now) return;
    if (!ledger.made_.emplace(event.recurring, event.nominal).second) wrong("there was a job of that occurrence");
    // What had waited in the buffer was due by the clock of then, which may have been set back.
    if (event.by != FiredBy::buffer && event.nominal > recorded.wall) wrong("its time had not come");
    if (event.by == FiredBy::backfill) return;
    if (ledger.clock_doubted_) wrong("fired while the clock is doubted");
    if (ledger.held_) wrong("fired while the book is held");
    if (found->second.paused) wrong("fired while it is paused");
    const Overlap overlap = found->second.overlap;
    if (overlap == Overlap::allow || overlap == Overlap::cancel_other) return;
    for (const auto& [job, life] : ledger.lives_) {
      if (life.recurring == event.recurring && !is_final(life.state)) {
        wrong("fired though its job " + std::to_string(job.value()) + " has not ended");
      }
    }
  }

  /// Unset: a parent has not ended.
  [[nodiscard]] std::optional<bool> judged(const Dependencies& asked) const {
    bool all_completed = true;
    for (const JobId& parent : asked.parents) {
      const auto found = ledger.lives_.find(parent.sequence);
      if (found == ledger.lives_.end()) continue;  // pruned
      if (!is_final(found->second.state)) return std::nullopt;
      all_completed = all_completed && found->second.state == JobState::completed;
    }
    return asked.parents.empty() || asked.run_when == RunWhen::always ||
           (asked.run_when == RunWhen::succeeded) == all_completed;
  }
  [[nodiscard]] bool ended_as_asked(const Dependencies& asked) const { return judged(asked) == true; }

  void operator()(const ChildFreed& event) const {
    Life* found = life(event.job);
    if (found == nullptr) return;
    if (found->state != JobState::awaiting) wrong("it awaits nobody");
    if (!ended_as_asked(found->dependencies)) wrong("freed before its parents ended as it asked for");
    found->state = JobState::waiting;
  }
  void operator()(const ChildDropped& event) const {
    Life* found = life(event.job);
    if (found == nullptr) return;
    if (found->state != JobState::awaiting) wrong("it awaits nobody");
    if (judged(found->dependencies) != false)
      wrong("dropped before its parents ended, or though they did as it asked for");
    const bool cancelled = found->dependencies.otherwise == Otherwise::cancel;
    if (cancelled != event.cancelled) wrong("dropped otherwise than it asked for");
    finish(event.job.sequence, *found, cancelled ? JobState::cancelled : JobState::dead);
  }
  void operator()(const ChildAwaits& event) const {
    if (Life* found = expect(event.job, JobState::waiting)) found->state = JobState::awaiting;
  }

  void operator()(const ClockDoubted&) const { ledger.clock_doubted_ = true; }
  void operator()(const ClockConfirmed&) const { ledger.clock_doubted_ = false; }

  void operator()(const JobClaimed& event) const {
    Life* found = life(event.job);
    if (found == nullptr) return;
    if (ledger.clock_doubted_) wrong("claimed while the clock is doubted");
    if (ledger.held_) wrong("claimed while the book is held");
    if (event.generation != ledger.generation_) wrong("its token is of another history");
    if (found->live) wrong("claimed while another claim holds it");
    if (found->state != JobState::waiting) wrong("claimed while it does not wait");
    if (recorded.sequence <= found->last_claim) wrong("its token is not above the one before");
    if (!is_over(found->due)) wrong("claimed before it was due");
    if (event.attempt > found->attempts_allowed) wrong("more attempts than allowed");
    if (found->start_by && is_over(*found->start_by)) wrong("claimed behind its start deadline");
    if (found->end_by && *found->end_by <= ledger.now_) wrong("claimed behind the end of its total timeout");
    found->start_by.reset();
    found->run_end.reset();
    if (found->run_timeout) found->run_end = ledger.now_ + *found->run_timeout;
    if (event.lease_ends_at != capped(*found, ledger.now_ + event.lease))
      wrong("a lease that is not as long as granted");
    found->state = JobState::running;
    found->live = Token{recorded.sequence, event.generation};
    found->last_claim = recorded.sequence;
    found->holder = event.holder;
    found->lease_end = event.lease_ends_at;
  }

  void operator()(const LeasesRenewed& event) const {
    for (const Renewal& renewal : event.renewals) {
      Life* found = claimed(renewal.job, renewal.token, event.reason == RenewReason::heartbeat);
      if (found == nullptr) continue;
      if (renewal.lease_ends_at > capped(*found, renewal.lease_ends_at)) wrong("a lease that outlasts a timeout");
      found->lease_end = renewal.lease_ends_at;
    }
  }

  void operator()(const JobCompleted& event) const { end(event.job, event.token, true, End::completed, nullptr); }
  void operator()(const AttemptFailed& event) const {
    const Life* found = life(event.job);
    const bool by_timeout = found != nullptr && found->run_end && *found->run_end <= ledger.now_;
    end(event.job, event.token, !by_timeout, End::failed, &event.next);
  }
  void operator()(const JobSnoozed& event) const { end(event.job, event.token, true, End::snoozed, &event.next); }
  void operator()(const JobReleased& event) const { end(event.job, event.token, true, End::released, &event.next); }
  void operator()(const LeaseExpired& event) const {
    const Life* found = life(event.job);
    if (found == nullptr) return;
    if (event.reason == ExpiryReason::expired && ledger.now_ < found->lease_end) wrong("a lease ended early");
    if (event.reason == ExpiryReason::process_died && found->holder != Holder::handler) {
      wrong("an external worker's lease ended with the process");
    }
    end(event.job, event.token, false, End::expired, &event.next);
  }

  void operator()(const JobExpired& event) const {
    Life* found = expect(event.job, JobState::waiting);
    if (found == nullptr) return;
    const bool over = found->start_by && is_over(*found->start_by);
    if (!over) wrong("it expired before its start deadline, or has none");
    finish(event.job.sequence, *found, JobState::dead);
  }
  void operator()(const JobTimedOut& event) const {
    Life* found = life(event.job);
    if (found == nullptr) return;
    if (!found->end_by || ledger.now_ < *found->end_by) wrong("it timed out too early, or cannot");
    if (event.token == Token{}) {
      expect(event.job, JobState::waiting);
    } else if (claimed(event.job, event.token, false) != nullptr) {
      ledger.ends_[event.token] = End::timed_out;
    }
    finish(event.job.sequence, *found, event.cancelled ? JobState::cancelled : JobState::dead);
  }

  void operator()(const CancelRequested& event) const { expect(event.job, JobState::running); }
  void operator()(const JobCancelled& event) const {
    if (Life* found = expect(event.job, JobState::waiting)) finish(event.job.sequence, *found, JobState::cancelled);
  }
  void operator()(const JobRescheduled& event) const {
    if (Life* found = expect(event.job, JobState::waiting)) found->due = event.due;
  }
  void operator()(const JobRetried& event) const {
    Life* found = expect(event.job, JobState::dead);
    if (found == nullptr) return;
    found->state = JobState::waiting;
    found->due = event.due;
    found->attempts_allowed = event.attempts_allowed;
    found->start_by.reset();
    found->end_by.reset();
    take_key(event.job.sequence, *found);
  }
  void operator()(const JobsPruned& event) const {
    for (const PrunedJob& pruned : event.jobs) {
      const Life* found = life(pruned.job);
      if (found == nullptr) continue;
      if (!is_final(found->state)) wrong("job " + to_string(pruned.job) + " is not final");
      if (ledger.clock_doubted_) wrong("pruned while the clock is doubted");
      for (const auto& [id, child] : ledger.lives_) {
        const auto& parents = child.dependencies.parents;
        if (!is_final(child.state) && std::find(parents.begin(), parents.end(), pruned.job) != parents.end()) {
          wrong("pruned while job " + std::to_string(id.value()) + " may read its result");
        }
      }
      ledger.lives_.erase(pruned.job.sequence);
    }
  }
  void operator()(const JobMoved& event) const {
    Life* found = life(event.job);
    if (found == nullptr) return;
    if (found->state != JobState::dead && found->state != JobState::waiting) wrong("moved while it runs or is over");
    let_go_of_key(event.job.sequence, *found);
    if (!found->key.second.empty()) found->key.first = event.queue;
    if (found->state == JobState::waiting) take_key(event.job.sequence, *found);
  }
  template <class Other>
  void operator()(const Other&) const {}

  /// One that waits may be one that awaits its parents.
  Life* expect(const JobId& job, JobState state) const {
    Life* found = life(job);
    const bool awaits = found != nullptr && found->state == JobState::awaiting && state == JobState::waiting;
    if (found != nullptr && found->state != state && !awaits) {
      wrong("job " + to_string(job) + " is " + std::string(to_string(found->state)));
      return nullptr;
    }
    return found;
  }
};

void Ledger::take(const RecordedEvent& event, std::uint64_t batch) {
  if (const auto* opened = std::get_if<BookOpened>(&event.event)) offset_ = opened->book_offset;
  // Before its first opening a book has no time of its own.
  if (epoch_ != Epoch() || std::holds_alternative<BookOpened>(event.event)) {
    const BookTime now(event.boot.time_since_epoch() + offset_);
    if (now < now_) failure_->say(at(event) + ": book time stepped back");
    now_ = now;
  }
  std::visit(Take{*this, event}, event.event);
  if (event.request) note_request(event, batch);
}

void Ledger::note_request(const RecordedEvent& event, std::uint64_t batch) {
  const auto [found, fresh] =
      effects_.try_emplace({names_[event.request->client], event.request->id}, Effect{event.sequence, {}, now_, batch});
  Effect& effect = found->second;
  if (!fresh && effect.batch != batch) {
    if (now_ - effect.at <= limits::request_window) failure_->say(at(event) + ": its request took effect before");
    effect = Effect{event.sequence, {}, now_, batch};
  }
  effect.last = event.sequence;
}

std::optional<Ledger::End> Ledger::end_of(const Token& token) const {
  const auto found = ends_.find(token);
  return found == ends_.end() ? std::nullopt : std::optional(found->second);
}

bool Ledger::live(const JobId& job, const Token& token) const {
  const auto found = lives_.find(job.sequence);
  return found != lives_.end() && found->second.live == token;
}

bool Ledger::handlers_hold_claims() const {
  for (const auto& [job, life] : lives_) {
    if (life.live && life.holder == Holder::handler) return true;
  }
  return false;
}

const Ledger::Effect* Ledger::effect_of(const std::string& client, const std::string& id) const {
  const auto found = effects_.find({client, id});
  return found == effects_.end() ? nullptr : &found->second;
}

void Ledger::compare(const View& view) const {
  std::size_t seen = 0;
  view.each_job([&](const Job& job) {
    ++seen;
    const auto found = lives_.find(job.id.sequence);
    if (found == lives_.end()) {
      failure_->say("job " + to_string(job.id) + " was never scheduled");
    } else if (found->second.state != job.state) {
      failure_->say("job " + to_string(job.id) + " is " + std::string(to_string(job.state)) + ", by its events " +
                    std::string(to_string(found->second.state)));
    }
  });
  for (const auto& [job, life] : lives_) {
    if (!held_ && life.live && life.live->generation != generation_) {
      failure_->say("the claim of job " + std::to_string(job.value()) + " is of another history, and it lives");
    }
  }
  if (seen != lives_.size()) {
    failure_->say(std::to_string(lives_.size()) + " jobs were scheduled, " + std::to_string(seen) + " are there");
  }
}

}  // namespace daybook::simulation
