// SPDX-License-Identifier: Apache-2.0
#include "people.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "daybook/core/limits.hpp"
#include "support/recurring_choices.hpp"

// The spaces to choose from are small, so that people meet at the same queues, keys and jobs, and times are mostly whole
// seconds, so that a lease or a due time is met to the microsecond.

namespace daybook::simulation {

using namespace std::chrono_literals;

namespace {

Duration delay(Choices& choices) {
  return choices.one_of<Duration>({0s, 0s, 1ms, 1s, 10s, 30s, 60s, 1h, 24h, 24h * 365});
}
std::string queue(Choices& choices) {
  return choices.one_of<std::string>({"mail", "bills", "übung"});
}
std::string kind(Choices& choices) {
  return choices.one_of<std::string>({"send", "render"});
}
std::string worker(Choices& choices) {
  return choices.one_of<std::string>({"w1", "w2", "w3", "w4"});
}
Holder holder(const std::string& worker) {
  return worker < "w3" ? Holder::handler : Holder::external;
}
Duration lease(Choices& choices) {
  return choices.once_in(30) ? Duration(0) : choices.one_of<Duration>({1s, 10s, 30s, 30s, 1h});
}
Envelope contents(Choices& choices) {
  if (choices.once_in(40)) return Envelope(std::string(2000, 'x'));  // over the bounds
  return choices.one_of<Envelope>({Envelope(), Envelope("small"), Envelope(std::string(100, 'p'))});
}
When when(Choices& choices, Instant now) {
  if (choices.once_in(40)) return at(Instant(Duration(-1)));
  if (choices.once_in(3)) return at_once();
  if (choices.once_in(2)) return after(delay(choices));
  return at(now + delay(choices) - choices.one_of<Duration>({0s, 0s, 1h}));
}

/// Machines are down for a year, and of every occurrence of the year it is said why it made no job: not of one a second.
Command seldom(Command command) {
  const auto at_least = [](RecurringSpec& spec) {
    if (auto* interval = std::get_if<IntervalRule>(&spec.recurrence.rule)) {
      interval->period = std::max<Duration>(interval->period, 10min);
    }
  };
  if (auto* declare = std::get_if<DeclareRecurring>(&command)) at_least(declare->spec);
  if (auto* sync = std::get_if<SyncRecurring>(&command))
    std::for_each(sync->specs.begin(), sync->specs.end(), at_least);
  return command;
}

bool makes_jobs(const Command& command) {
  return std::holds_alternative<Schedule>(command) || std::holds_alternative<RunRecurringNow>(command) ||
         std::holds_alternative<BackfillRecurring>(command);
}

std::string brief(const Refusal& refusal) {
  return "refused " + std::string(to_string(refusal.code));
}

/// What must be the same when a request is answered again. What an answer tells beside that is of today.
std::string brief(const Answer& answer) {
  if (const auto* scheduled = std::get_if<Scheduled>(&answer)) {
    return "scheduled " + to_string(scheduled->job) + (scheduled->existing ? " existing" : "");
  }
  std::string text = "done";
  if (const auto* claimed = std::get_if<Claimed>(&answer)) {
    text = "claimed";
    for (const ClaimedJob& job : claimed->jobs) {
      text += " " + to_string(job.id) + " by " + to_string(job.token) + " attempt " + std::to_string(job.attempt) +
              " until " + std::to_string(job.lease_ends_at.time_since_epoch().count());
    }
  }
  if (const auto* renewed = std::get_if<Renewed>(&answer)) {
    text = "renewed";
    for (const auto& one : renewed->claims) {
      // Why one claim was refused is told as of today, unless it went on record.
      text += one ? " until " + std::to_string(one->lease_ends_at.time_since_epoch().count()) : " refused";
    }
  }
  if (const auto* filled = std::get_if<Backfilled>(&answer)) {
    text = "filled";
    for (const JobId& job : filled->jobs) text += " " + to_string(job);
  }
  if (const auto* declared = std::get_if<Declared>(&answer)) {
    text = std::string("declared") + (declared->added ? " added" : "") + (declared->changed ? " changed" : "");
  }
  if (const auto* synced = std::get_if<Synced>(&answer)) {
    text = "synced " + std::to_string(synced->added) + " " + std::to_string(synced->changed) + " " +
           std::to_string(synced->removed) + " " + std::to_string(synced->unchanged);
  }
  return text;
}

std::string brief(const Result<std::vector<Answer>>& answers) {
  if (!answers) return brief(answers.error());
  std::string text;
  for (const Answer& answer : *answers) text += brief(answer) + "; ";
  return text;
}

}  // namespace

// ---- asking -------------------------------------------------------------------------------------------------------

Command People::command(Kind what, Choices& choices, Instant now) const {
  switch (what) {
    case Kind::claim:
    case Kind::wait_for_claim: {
      Claim claim{.queues = {queue(choices)}, .worker = worker(choices), .lease = lease(choices)};
      if (choices.once_in(2)) claim.queues.push_back(queue(choices));
      if (choices.once_in(4)) claim.kinds.push_back(kind(choices));
      claim.count = static_cast<std::uint32_t>(choices.below(5));
      if (claim.count == 0 && !choices.once_in(4)) claim.count = 1;
      claim.holder = holder(claim.worker);
      return claim;
    }
    case Kind::renew: {
      Renew renew{.claims = {}, .lease = lease(choices)};
      for (std::size_t left = 1 + choices.below(3); left > 0; --left) {
        const Claimed claim = claim_of(choices);
        renew.claims.push_back(
            {claim.job, claim.token, choices.once_in(2) ? std::optional(contents(choices)) : std::nullopt});
      }
      return renew;
    }
    case Kind::complete: {
      const Claimed claim = claim_of(choices);
      return Complete{claim.job, claim.token, contents(choices)};
    }
    case Kind::fail: {
      const Claimed claim = claim_of(choices);
      Fail fail{.job = claim.job, .token = claim.token, .error = contents(choices)};
      fail.error_kind = choices.one_of<std::string>({"", "transient", "business"});
      fail.retryable = !choices.once_in(4);
      if (choices.once_in(4)) fail.retry_in = delay(choices);
      return fail;
    }
    case Kind::snooze: {
      const Claimed claim = claim_of(choices);
      return Snooze{claim.job, claim.token, when(choices, now)};
    }
    case Kind::release: {
      const Claimed claim = claim_of(choices);
      return Release{claim.job, claim.token};
    }
    case Kind::cancel:
      return Cancel{job_of(choices)};
    case Kind::reschedule:
      return Reschedule{job_of(choices), when(choices, now)};
    case Kind::retry:
      return Retry{job_of(choices), when(choices, now)};
    case Kind::pause:
      return PauseQueue{queue(choices)};
    case Kind::resume:
      return ResumeQueue{queue(choices)};
    case Kind::join: {
      JoinWorker join{.worker = worker(choices), .slots = 1, .queues = {queue(choices)}, .kinds = {kind(choices)}};
      join.holder = holder(join.worker);
      return join;
    }
    case Kind::leave:
      return LeaveWorker{worker(choices)};
    case Kind::configure:
      if (choices.once_in(2)) return SetOnDead{queue(choices), "mourn", queue(choices)};
      return Configure{{{"colour", choices.one_of<std::string>({"red", "green"})}}};
    case Kind::adopt:
      return AdoptBook{};
    case Kind::expire:
      return ExpireLeases{static_cast<std::uint32_t>(1 + choices.below(3))};
    case Kind::raise_level:
      return RaiseFeatureLevel{};
    case Kind::doubt_clock:
      return DoubtClock{ClockDoubted{now - 1h, 1h}};
    case Kind::confirm_clock:
      return ConfirmClock{};
    case Kind::recur:
      return seldom(testing::recurring_command(oracle_->model(), Moment{now, {}, {}, 0}, choices.any()));
    default:
      return schedule(choices, now);
  }
}

Schedule People::schedule(Choices& choices, Instant now) const {
  Schedule command{.queue = queue(choices), .kind = kind(choices)};
  if (choices.once_in(40)) command.kind.clear();
  command.payload = contents(choices);
  command.due = when(choices, now);
  command.priority = Priority(static_cast<std::int32_t>(choices.below(3)) - 1);
  command.unique_key = choices.one_of<std::string>({"", "", "k1", "k2"});
  command.on_conflict = choices.one_of({OnConflict::reject, OnConflict::return_existing});
  command.retry.max_attempts = static_cast<std::uint32_t>(choices.one_of({1, 2, 3, 3, 25}));
  if (choices.once_in(3)) command.retry.backoff = RetryPolicy::Backoff::fixed;
  if (choices.once_in(3)) command.tags.push_back({"team", worker(choices)});
  if (!choices.once_in(3)) return command;
  for (std::size_t left = 1 + choices.below(3); left > 0; --left) command.parents.emplace_back(job_of(choices));
  command.run_when = choices.one_of({RunWhen::succeeded, RunWhen::failed, RunWhen::always});
  if (command.run_when != RunWhen::always) command.otherwise = choices.one_of({Otherwise::fail, Otherwise::cancel});
  return command;
}

Context People::context(Choices& choices) {
  Context context;
  context.actor = choices.one_of<std::string>({"service", "service", "ops"});
  if (choices.once_in(4)) context.reason = "because";
  if (choices.once_in(6)) context.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  if (choices.once_in(3)) {
    context.request = RequestId{choices.one_of<std::string>({"c1", "c2"}), "r" + std::to_string(requests_made_++)};
  }
  return context;
}

std::optional<Submission> People::sent_before(Choices& choices) const {
  if (requests_.empty()) return std::nullopt;
  const std::size_t recent = std::min<std::size_t>(requests_.size(), choices.once_in(2) ? 3 : requests_.size());
  return requests_[requests_.size() - 1 - choices.below(recent)];
}

void People::send(const Submission& submission) {
  if (submission.context.request) requests_.push_back(submission);
}

People::Claimed People::claim_of(Choices& choices) const {
  Claimed claim{JobId{Sequence(1), {}}, Token{Sequence(2), GenerationTag(1)}, "", Holder::external};
  if (!held_.empty() && (gone_.empty() || !choices.once_in(5))) {
    claim = held_[choices.below(held_.size())];
  } else if (!gone_.empty()) {
    claim = gone_[choices.below(gone_.size())];
  }
  if (choices.once_in(20)) claim.token.claim = claim.token.claim.next();
  return claim;
}

JobId People::job_of(Choices& choices) const {
  if (jobs_.empty() || choices.once_in(20)) return {Sequence(1 + choices.below(1000)), {}};
  JobId id = jobs_[choices.below(jobs_.size())];
  if (choices.once_in(4)) id.generation = GenerationTag();
  if (choices.once_in(20)) id.generation = GenerationTag(1);
  return id;
}

// ---- hearing ------------------------------------------------------------------------------------------------------

void People::hear(const Submission& submission, const Reply& reply, BookTime now) {
  if (reply.error) {
    storage_failed_ = true;
    return;
  }
  if (storage_failed_) failure_->say("an answer after a storage error, before the book was opened again");
  ++answered_;
  if (reply.answers) {
    if (reply.answers->size() != submission.commands.size()) return failure_->say("not one answer a command");
    for (std::size_t i = 0; i < reply.answers->size(); ++i) {
      hear_answer(submission.commands[i], (*reply.answers)[i]);
    }
  } else if (submission.commands.size() == 1) {
    hear_refusal(submission.commands.front(), reply.answers.error());
  }
  if (submission.context.request) expect_first_answer(submission, reply.answers, now);
}

// Nothing that a client hears may rest on what is not on record by then: from there on the record vouches for it.
void People::hear_answer(const Command& command, const Answer& answer) {
  const auto on_record = [&](Sequence sequence, const auto& fits) {
    const auto& events = oracle_->events();
    const bool there = sequence != Sequence() && sequence.value() <= events.size();
    if (!there || !fits(events[sequence.value() - 1].event)) {
      failure_->say("an answer rests on sequence " + std::to_string(sequence.value()) + ", which is not on record");
    }
  };
  if (const auto* scheduled = std::get_if<Scheduled>(&answer)) {
    hear_of_job(scheduled->job);
  } else if (const auto* filled = std::get_if<Backfilled>(&answer)) {
    for (const JobId& job : filled->jobs) hear_of_job(job);
  } else if (const auto* claimed = std::get_if<daybook::Claimed>(&answer)) {
    const Claim& asked = std::get<Claim>(command);
    for (const ClaimedJob& job : claimed->jobs) {
      on_record(job.token.claim, [&](const Event& event) {
        const auto* claim = std::get_if<JobClaimed>(&event);
        return claim != nullptr && claim->job == job.id && claim->generation == job.token.generation;
      });
      held_.push_back({job.id, job.token, asked.worker, asked.holder});
    }
  } else if (const auto* complete = std::get_if<Complete>(&command)) {
    expect_end(complete->token, Ledger::End::completed);
  } else if (const auto* fail = std::get_if<Fail>(&command)) {
    expect_end(fail->token, Ledger::End::failed);
  } else if (const auto* snooze = std::get_if<Snooze>(&command)) {
    expect_end(snooze->token, Ledger::End::snoozed);
  } else if (const auto* release = std::get_if<Release>(&command)) {
    expect_end(release->token, Ledger::End::released);
  } else {
    expect_job_of_this_history(command);
  }
}

void People::hear_of_job(const JobId& id) {
  if (!was_scheduled(id))
    failure_->say("job " + to_string(id) + " was scheduled, as an answer has it: it is not on record");
  jobs_.push_back(id);
}

// By the record: the state may have let go of it.
bool People::was_scheduled(const JobId& id) const {
  const auto& events = oracle_->events();
  if (id.sequence == Sequence() || id.sequence.value() > events.size()) return false;
  const auto* scheduled = std::get_if<JobScheduled>(&events[id.sequence.value() - 1].event);
  return scheduled != nullptr && scheduled->generation == id.generation;
}

void People::expect_job_of_this_history(const Command& command) {
  JobId id;
  if (const auto* cancel = std::get_if<Cancel>(&command)) id = cancel->job;
  if (const auto* reschedule = std::get_if<Reschedule>(&command)) id = reschedule->job;
  if (const auto* retry = std::get_if<Retry>(&command)) id = retry->job;
  if (id.generation == GenerationTag()) return;  // whichever has that number
  if (!was_scheduled(id)) failure_->say("job " + to_string(id) + " of another history was taken for ours");
}

void People::hear_refusal(const Command& command, const Refusal& refusal) {
  const auto* complete = std::get_if<Complete>(&command);
  if (complete != nullptr && refusal.code == RefusalCode::already_completed) {
    expect_end(complete->token, Ledger::End::completed);
  }
  if (complete != nullptr && refusal.code == RefusalCode::lease_lost &&
      oracle_->ledger().live(complete->job, complete->token)) {
    failure_->say("a lease was called lost that is alive");
  }
  if (refusal.code == RefusalCode::storage_full && !makes_jobs(command)) {
    failure_->say("refused for want of room, though it schedules nothing");
  }
}

void People::expect_end(const Token& token, Ledger::End how) {
  if (oracle_->ledger().end_of(token) != how) {
    failure_->say("an outcome of token " + to_string(token) + " was answered, and is not on record");
  }
  drop_claim(token);
}

// A request that took effect gets its first answer, as long as the book remembers it.
void People::expect_first_answer(const Submission& submission, const Result<std::vector<Answer>>& answers,
                                 BookTime now) {
  const RequestId& request = *submission.context.request;
  const Ledger::Effect* effect = oracle_->ledger().effect_of(request.client, request.id);
  if (effect == nullptr || now - effect->at > limits::request_window) return;
  const bool may_be_dropped = effect->first <= oracle_->model().book().dropped_through;
  if (may_be_dropped && !answers && answers.error().code == RefusalCode::too_old) return;
  const std::string heard = brief(answers);
  const auto [first, fresh] = first_answers_.try_emplace(effect->first, heard);
  if (fresh) return;
  // Of two requests in the step that it took effect in, the earlier one may have come to nothing, which is not remembered.
  if (effect->batch > batches_before_) {
    first->second = heard;
  } else if (first->second != heard) {
    failure_->say("request " + request.id + " of " + request.client + " was answered \"" + first->second +
                  "\", and again \"" + heard + "\"");
  }
}

// ---- dying --------------------------------------------------------------------------------------------------------

void People::drop_claim(const Token& token) {
  const auto mine = [&](const Claimed& claim) { return claim.token == token; };
  const auto found = std::find_if(held_.begin(), held_.end(), mine);
  if (found == held_.end()) return;
  gone_.push_back(*found);
  held_.erase(found);
}

void People::forget_worker(Choices& choices) {
  const std::string dead = worker(choices);
  std::erase_if(held_, [&](const Claimed& claim) { return claim.worker == dead; });
}

void People::process_died() {
  const auto lives = [](const Claimed& claim) { return claim.holder == Holder::external; };
  const auto dead = std::stable_partition(held_.begin(), held_.end(), lives);
  gone_.insert(gone_.end(), std::make_move_iterator(dead), std::make_move_iterator(held_.end()));
  held_.erase(dead, held_.end());
}

void People::history_ends(Sequence until) {
  const auto was = [&](const Claimed& claim) { return claim.token.claim <= until; };
  const auto never = std::stable_partition(held_.begin(), held_.end(), was);
  gone_.insert(gone_.end(), std::make_move_iterator(never), std::make_move_iterator(held_.end()));
  held_.erase(never, held_.end());
  first_answers_.erase(first_answers_.upper_bound(until), first_answers_.end());
}

}  // namespace daybook::simulation
