// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/execute.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "daybook/core/apply.hpp"
#include "daybook/core/assert.hpp"
#include "daybook/core/overload.hpp"
#include "rules.hpp"
#include "savepoint.hpp"

// One submission: ends leases, decides each command on the effects of those before, applies what was decided,
// and takes all of it back when one is refused. What the rules are is decide's; what events change is
// apply's.

namespace daybook {
namespace {

constexpr std::string_view own_actor = "daybook";
constexpr std::size_t commands_max = std::numeric_limits<std::uint16_t>::max();  // RequestRef counts them

// What a command makes of contents that stand in the book counts as so much: a batch holds few of them.
constexpr std::size_t bytes_of_making = 32 * 1024;

std::size_t contents_bytes(const RecurringSpec& spec) {
  const auto* calendar = std::get_if<CalendarRule>(&spec.recurrence.rule);
  return spec.job.payload.bytes().size() + (calendar ? calendar->instants.size() * sizeof(Instant) : 0);
}

std::size_t contents_bytes(const Command& command) {
  return std::visit(
      Overload{[](const Schedule& c) { return c.payload.bytes().size() + c.parents.size() * sizeof(JobId); },
               [](const RunRecurringNow&) { return bytes_of_making; },
               [](const BackfillRecurring&) { return bytes_of_making; },
               [](const DeclareRecurring& c) { return contents_bytes(c.spec); },
               [](const SyncRecurring& c) {
                 std::size_t bytes = 0;
                 for (const RecurringSpec& spec : c.specs) bytes += contents_bytes(spec);
                 return bytes;
               },
               [](const Complete& c) { return c.result.bytes().size(); },
               [](const Fail& c) { return c.error.bytes().size(); },
               [](const RecordStep& c) { return c.result.bytes().size(); },
               [](const Renew& c) {
                 std::size_t bytes = 0;
                 for (const Renew::One& one : c.claims) bytes += one.progress ? one.progress->bytes().size() : 0;
                 return bytes;
               },
               [](const auto&) { return std::size_t{0}; }},
      command);
}

std::optional<Refusal> check_context(const Context& context) {
  if (auto refused = check_text("actor", context.actor)) return refused;
  const auto too_long = [](std::string_view what, std::size_t found, std::size_t allowed) {
    return Refusal{RefusalCode::invalid_argument,
                   std::string(what) + " of " + std::to_string(found) + " bytes: at most " + std::to_string(allowed)};
  };
  if (context.reason.size() > limits::reason_bytes_max) {
    return too_long("reason", context.reason.size(), limits::reason_bytes_max);
  }
  if (context.trace.size() > limits::trace_bytes_max) {
    return too_long("trace", context.trace.size(), limits::trace_bytes_max);
  }
  if (!context.request) return std::nullopt;
  if (auto refused = check_text("client", context.request->client)) return refused;
  if (context.request->id.empty()) return Refusal{RefusalCode::invalid_argument, "the request id is empty"};
  if (context.request->id.size() > limits::request_id_bytes_max) {
    return too_long("request id", context.request->id.size(), limits::request_id_bytes_max);
  }
  return std::nullopt;
}

std::optional<Refusal> check_size(const std::vector<Command>& commands, const Bounds& bounds) {
  if (commands.empty()) return Refusal{RefusalCode::invalid_argument, "a submission has at least one command"};
  const std::size_t allowed = std::min(bounds.batch_commands, commands_max);
  if (commands.size() > allowed) {
    return Refusal{RefusalCode::batch_too_large,
                   "a batch of " + std::to_string(commands.size()) + " commands: at most " + std::to_string(allowed)};
  }
  // A single payload is judged by the limit for payloads.
  const bool sync = commands.size() == 1 && std::holds_alternative<SyncRecurring>(commands.front());
  if (commands.size() == 1 && !sync && !std::holds_alternative<Renew>(commands.front())) return std::nullopt;
  std::size_t bytes = 0;
  for (const Command& command : commands) bytes += contents_bytes(command);
  const std::size_t bytes_allowed = std::max(bounds.batch_bytes, bounds.payload_bytes);
  if (bytes <= bytes_allowed) return std::nullopt;
  // What an owner declares cannot be said in parts: whatever a sync leaves out is removed.
  const std::string what =
      sync ? " bytes of payloads and calendars" : " bytes of payload, results, errors and progress";
  const std::string advice = sync ? "declare some under another owner" : "submit it in parts";
  return Refusal{RefusalCode::batch_too_large, "a batch of " + std::to_string(bytes) + what + ": at most " +
                                                   std::to_string(bytes_allowed) + "; " + advice};
}

std::optional<RequestRecord> seen_before(const View& view, const Context& context, const Moment& now) {
  if (!context.request) return std::nullopt;
  const auto client = view.find_name(NameSort::client, context.request->client);
  const RequestRecord* record = client ? view.request(*client, context.request->id) : nullptr;
  if (!record || now.book - record->recorded_at > limits::request_window) return std::nullopt;
  return *record;
}

/// An opening's events belong to the epoch that it begins.
Epoch epoch_of(const Submission& submission, const Book& book) {
  for (const Command& command : submission.commands) {
    if (const auto* open = std::get_if<OpenBook>(&command)) return open->opening.epoch;
  }
  return book.epoch;
}

/// The claim that an end of time ended; 0: none.
Sequence claim_ended_by(const Event& event) {
  return std::visit(
      Overload{[](const LeaseExpired& e) { return e.token.claim; },
               [](const AttemptFailed& e) { return e.token.claim; }, [](const JobTimedOut& e) { return e.token.claim; },
               [](const auto&) { return Sequence(); }},
      event);
}

/// The child that an event frees, drops or lets wait on; 0: none.
Sequence child_settled_by(const Event& event) {
  return std::visit(
      Overload{[](const ChildFreed& e) { return e.job.sequence; }, [](const ChildDropped& e) { return e.job.sequence; },
               [](const ChildAwaits& e) { return e.job.sequence; }, [](const auto&) { return Sequence(); }},
      event);
}

/// The job that the event left dead; 0: none.
Sequence killed_by(const Event& event) {
  const auto dies = [](const auto& e) { return std::holds_alternative<Dead>(e.next) ? e.job.sequence : Sequence(); };
  return std::visit(
      Overload{[&](const AttemptFailed& e) { return dies(e); }, [&](const LeaseExpired& e) { return dies(e); },
               [](const JobExpired& e) { return e.job.sequence; },
               [](const JobTimedOut& e) { return e.cancelled ? Sequence() : e.job.sequence; },
               [](const ChildDropped& e) { return e.cancelled ? Sequence() : e.job.sequence; },
               [](const auto&) { return Sequence(); }},
      event);
}

class Execution {
 public:
  Execution(Store& store, const Submission& submission, const Moment& now, const Bounds& bounds, const Zones& zones)
      : savepoint_(store),
        // Most submissions are one command, which is refused before it changed anything: no before-images for
        // them.
        store_(needs_undo(store, submission) ? static_cast<Store&>(savepoint_) : store),
        submission_(submission),
        now_(now),
        bounds_(bounds),
        zones_(zones),
        epoch_(epoch_of(submission, store.book())) {}

  Outcome run() {
    end_leases();
    const std::size_t start = savepoint_.mark();
    const std::size_t start_events = events_.size();
    introduce();
    const std::size_t introduced = events_.size();
    auto answers = decide_all();
    if (events_.size() == introduced) {
      savepoint_.roll_back(start);
      events_.resize(start_events);
    }
    savepoint_.commit();
    return {std::move(events_), std::move(answers), std::nullopt, held_back_};
  }

 private:
  static bool needs_undo(const View& view, const Submission& submission) {
    const Context& context = submission.context;
    return submission.commands.size() > 1 || !view.find_name(NameSort::actor, context.actor) ||
           (context.request && !view.find_name(NameSort::client, context.request->client));
  }

  [[nodiscard]] Sequence next() const { return store_.book().head.next(); }

  void record(Event event, const Provenance& by, const std::optional<RequestRef>& request) {
    DAYBOOK_ASSERT(feature_level_of(event) <= store_.book().feature_level ||
                   std::holds_alternative<FeatureLevelRaised>(event));
    events_.push_back(RecordedEvent{next(), epoch_, now_.wall, now_.boot, by, request, std::move(event)});
    apply(store_, events_.back());
    const Sequence dead = killed_by(events_.back().event);
    if (dead != Sequence()) deaths_.emplace_back(dead, events_.back().sequence);
  }

  // In the same submission as the death, so that there is one job for each, whatever happens.
  void follow_deaths() {
    for (const auto& [id, event] : std::exchange(deaths_, {})) {
      const Job* dead = store_.job(id);
      auto following = dead ? after_death(store_, *dead, now_) : std::nullopt;
      if (!following) continue;
      Provenance by;
      by.trace = dead->trace;
      by.actor = name(NameSort::actor, own_actor, by);
      by.cause = event;
      record(std::move(*following), by, std::nullopt);
    }
  }

  /// The id of a name, which is defined by whoever it names when it is an actor.
  NameId name(NameSort sort, std::string_view text, Provenance by) {
    if (const auto known = store_.find_name(sort, text)) return *known;
    const NameId id(store_.book().names + 1);
    if (sort == NameSort::actor) by.actor = id;
    record(NameDefined{Name{id, sort, std::string(text)}}, by, std::nullopt);
    return id;
  }

  // Nobody asked for these: they stay whatever becomes of the submission. An opening comes before them,
  // because it may grant leases again; a held copy keeps its leases until it is adopted.
  void end_leases() {
    if (store_.book().held || submission_.commands.empty()) return;
    const Command& first = submission_.commands.front();
    if (std::holds_alternative<OpenBook>(first) || std::holds_alternative<BeginGeneration>(first) ||
        std::holds_alternative<ExpireLeases>(first)) {
      return;
    }
    Decision ended = decide(store_, ExpireLeases{}, now_, next(), bounds_);
    if (ended.events.empty()) return;
    Provenance by;
    const bool is_first_deed = !store_.find_name(NameSort::actor, own_actor);
    by.actor = name(NameSort::actor, own_actor, by);
    // It may define names, too, and those come behind the actor's.
    if (is_first_deed) ended = decide(store_, ExpireLeases{}, now_, next(), bounds_);
    for (Event& event : ended.events) {
      by.cause = claim_ended_by(event);
      record(std::move(event), by, std::nullopt);
    }
    follow_deaths();
  }

  void introduce() {
    const Context& context = submission_.context;
    by_ = Provenance{NameId(), context.origin, context.cause, context.reason, context.trace};
    by_.actor = name(NameSort::actor, context.actor, by_);
    if (!context.request) return;
    request_ = RequestRef{name(NameSort::client, context.request->client, by_), context.request->id, 0};
  }

  void record_all(std::vector<Event> events, std::size_t command) {
    if (request_) request_->command = static_cast<std::uint16_t>(command);
    Sequence fired;  // what made the job behind it, and room for that
    for (Event& event : events) {
      Provenance by = by_;
      const bool fires = std::holds_alternative<RecurringFired>(event);
      if (fired != Sequence() && !fires) by.cause = fired;
      if (const Sequence end = end_behind(event); end != Sequence()) by.cause = end;
      record(std::move(event), by, request_);
      if (fires) fired = events_.back().sequence;
      if (std::holds_alternative<JobScheduled>(events_.back().event)) fired = Sequence();
    }
  }

  /// The event that made the parent final whose end is looked at; 0: it was final when the job was scheduled.
  [[nodiscard]] Sequence end_behind(const Event& event) const {
    const Sequence id = child_settled_by(event);
    const Job* child = id == Sequence() ? nullptr : store_.job(id);
    const Job* parent = child ? store_.job(child->awaits) : nullptr;
    return parent ? parent->final_event : Sequence();
  }

  /// Why a command cannot be the parent of command `index`.
  [[nodiscard]] std::optional<std::string> no_parent(std::size_t parent, std::size_t index) const {
    const std::string named = "command " + std::to_string(parent + 1);
    const std::size_t count = submission_.commands.size();
    if (parent >= count) return "there is no " + named + " in a batch of " + std::to_string(count);
    if (!std::holds_alternative<Schedule>(submission_.commands[parent])) return named + " schedules no job";
    if (parent == index) return "a job cannot wait for itself";
    if (parent < index) return std::nullopt;
    return named + " comes later: parents come first, so that no job waits, by way of others, for itself";
  }

  /// Puts ids in the place of parents that are named as commands of the batch. Unset: the command names none so.
  [[nodiscard]] Result<std::optional<Command>> resolved(const Command& command, std::size_t index,
                                                        const std::vector<Answer>& answers) const {
    const auto is_command = [](const Parent& parent) { return std::holds_alternative<BatchParent>(parent); };
    const auto* asked = std::get_if<Schedule>(&command);
    if (!asked || std::none_of(asked->parents.begin(), asked->parents.end(), is_command)) return std::nullopt;
    Schedule schedule = *asked;
    for (std::size_t i = 0; i < schedule.parents.size(); ++i) {
      const auto* parent = std::get_if<BatchParent>(&schedule.parents[i]);
      if (!parent) continue;
      if (const auto why = no_parent(parent->command, index)) {
        return refuse(RefusalCode::invalid_argument, "parent " + std::to_string(i + 1) + " of " +
                                                         std::to_string(schedule.parents.size()) + ": " + *why);
      }
      schedule.parents[i] = std::get<Scheduled>(answers[parent->command]).job;
    }
    return std::optional<Command>(std::move(schedule));
  }

  Decision decide_one(std::size_t index, const std::vector<Answer>& answers) {
    const Command& command = submission_.commands[index];
    const auto other = resolved(command, index, answers);
    if (!other) return {.events = {}, .refusal = other.error()};
    return decide(store_, *other ? **other : command, now_, next(), bounds_, zones_);
  }

  Result<std::vector<Answer>> decide_all() {
    if (auto refused = check_size(submission_.commands, bounds_)) return leave(std::move(*refused), {}, 0);
    const std::size_t mark = savepoint_.mark();
    const std::size_t introduced = events_.size();
    const Sequence head = store_.book().head;
    std::vector<Answer> answers;
    answers.reserve(submission_.commands.size());
    for (std::size_t i = 0; i < submission_.commands.size(); ++i) {
      const Command& command = submission_.commands[i];
      Decision decision = decide_one(i, answers);
      if (decision.refusal) {
        deaths_.clear();
        if (i > 0) {
          savepoint_.roll_back(mark);
          events_.resize(introduced);
          decision.events = redecide(command, *decision.refusal);
        }
        return leave(in_batch(std::move(*decision.refusal), i, head), std::move(decision.events), i);
      }
      if (std::holds_alternative<Claim>(command)) held_back_ = decision.held_back;
      const std::size_t first = events_.size();
      record_all(std::move(decision.events), i);
      auto given = answer(command, std::span(events_).subspan(first), store_);
      DAYBOOK_ASSERT(given.has_value());
      answers.push_back(std::move(*given));
      follow_deaths();
    }
    return answers;
  }

  /// What the refusal leaves on record once the batch around it never happened: nothing, if it followed from
  /// the batch.
  std::vector<Event> redecide(const Command& command, const Refusal& refusal) {
    Decision again = decide(store_, command, now_, next(), bounds_, zones_);
    if (!again.refusal || again.refusal->code != refusal.code) return {};
    return std::move(again.events);
  }

  [[nodiscard]] Refusal in_batch(Refusal refusal, std::size_t index, Sequence head) const {
    const std::size_t count = submission_.commands.size();
    if (count == 1) return refusal;
    if (refusal.code == RefusalCode::duplicate_key && refusal.job > head.value()) {
      refusal.job = 0;  // a job that will never have been
      refusal.sentence = "its unique key is given to an earlier job of the same batch";
    }
    refusal.sentence =
        "command " + std::to_string(index + 1) + " of " + std::to_string(count) + ": " + std::move(refusal.sentence);
    return refusal;
  }

  // What passes by itself is not held against a request: asked again, it may happen.
  tl::unexpected<Refusal> leave(Refusal refusal, std::vector<Event> events, std::size_t command) {
    const bool passes = refusal.code == RefusalCode::storage_full || refusal.code == RefusalCode::clock_doubted ||
                        refusal.code == RefusalCode::needs_upgrade || refusal.code == RefusalCode::not_matching;
    if (!store_.book().held && !passes) {
      if (request_) events.emplace_back(RequestRefused{refusal});
      record_all(std::move(events), command);
    }
    return tl::unexpected<Refusal>(std::move(refusal));
  }

  Savepoint savepoint_;
  Store& store_;
  const Submission& submission_;
  const Moment& now_;
  const Bounds& bounds_;
  const Zones& zones_;
  const Epoch epoch_;
  Provenance by_;
  std::optional<RequestRef> request_;
  std::vector<RecordedEvent> events_;
  std::vector<std::pair<Sequence, Sequence>> deaths_;  // (job, event) that nothing was scheduled for yet
  HeldBack held_back_;
};

}  // namespace

Outcome execute(Store& store, const Submission& submission, const Moment& now, const Bounds& bounds,
                const Zones& zones) {
  store.advance(now);
  if (auto refused = check_context(submission.context))
    return {{}, tl::unexpected<Refusal>(std::move(*refused)), {}, {}};
  if (auto record = seen_before(store, submission.context, now))
    return {{}, std::vector<Answer>{}, std::move(record), {}};
  return Execution(store, submission, now, bounds, zones).run();
}

}  // namespace daybook
