// SPDX-License-Identifier: Apache-2.0
// The facts of each event as key=value. One overload per event, so that a new event without a description does not
// compile. Machines read `--json`, which is not made here.
#include "daybook/core/describe.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "daybook/core/escape.hpp"

namespace daybook {
namespace {

class Line {
 public:
  explicit Line(const View* names) : names_(names) {}

  Line& raw(std::string_view key, std::string_view value) {
    text_ += text_.empty() ? "" : " ";
    text_ += key;
    text_ += '=';
    text_ += value;
    return *this;
  }
  Line& text(std::string_view key, std::string_view value) { return raw(key, worded(value)); }
  Line& text_if_any(std::string_view key, std::string_view value) { return value.empty() ? *this : text(key, value); }
  Line& number(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }
  Line& count(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
  Line& flag(std::string_view key, bool value) { return value ? raw(key, "yes") : *this; }
  Line& name(std::string_view key, NameId id) { return raw(key, named(id)); }
  Line& name_if_any(std::string_view key, NameId id) { return id == NameId() ? *this : name(key, id); }
  Line& names(std::string_view key, const std::vector<NameId>& ids) {
    std::string all;
    for (const NameId id : ids) {
      all += all.empty() ? "" : ",";
      all += named(id);
    }
    return ids.empty() ? *this : raw(key, all);
  }
  Line& bytes(std::string_view key, const Envelope& envelope) {
    return envelope.bytes().empty() ? *this : raw(key, std::to_string(envelope.bytes().size()) + "B");
  }
  /// `from` is the wall clock of the event: a relative due time is shown as the delay that was asked for.
  Line& due(const Due& due, Instant from) {
    raw("due", to_string(due.at));
    std::int64_t delay = 0;  // any two numbers may stand in a log: what does not fit is not shown
    if (!due.after ||
        __builtin_sub_overflow(due.at.time_since_epoch().count(), from.time_since_epoch().count(), &delay)) {
      return *this;
    }
    return raw("in", to_string(Duration(delay)));
  }
  Line& next(const Next& next, Instant from) {
    if (const auto* again = std::get_if<Again>(&next)) return raw("next", "again").due(again->due, from);
    if (const auto* dead = std::get_if<Dead>(&next))
      return raw("next", "dead").raw("dead_reason", to_string(dead->reason));
    return raw("next", "cancelled");
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  [[nodiscard]] static std::string worded(std::string_view value) {
    const bool plain = !value.empty() && value.find_first_of(" \"=,") == std::string_view::npos;
    return plain ? escaped(value) : quoted(value, 200);
  }
  [[nodiscard]] std::string named(NameId id) const {
    const Name* name = names_ == nullptr ? nullptr : names_->name(id);
    return name == nullptr ? "#" + std::to_string(id.value()) : worded(name->text);
  }

  const View* names_;
  std::string text_;
};

struct Describe {
  const RecordedEvent& recorded;
  Line& line;

  void operator()(const BookOpened& event) const {
    line.count("epoch", event.epoch.value()).raw("tail", to_string(event.tail)).flag("new_boot", event.new_boot);
    if (event.tail == TailStatus::torn) line.count("bytes_cut", event.bytes_cut);
    line.count("process", event.process).text_if_any("host", event.host).text_if_any("release", event.release);
  }
  void operator()(const BookClosed&) const {}
  void operator()(const ClockStepped& event) const { line.raw("step", to_string(event.by)).count("era", event.era); }
  void operator()(const ConfigurationChanged& event) const {
    line.text("setting", event.setting.key).text("value", event.setting.value).text_if_any("before", event.before);
  }
  void operator()(const NameDefined& event) const {
    line.raw(to_string(event.name.sort), "#" + std::to_string(event.name.id.value())).text("name", event.name.text);
  }
  void operator()(const GenerationBegun& event) const {
    // The tag as it stands in every id of this history: behind the dash.
    const std::string id = to_string(Token{Sequence(1), event.generation.tag});
    line.count("generation", event.generation.number).raw("tag", id.substr(id.find('-') + 1));
    line.flag("held", event.held);
    if (event.copied_from != Uuid()) line.raw("copied_from", to_string(event.copied_from));
  }
  void operator()(const BookAdopted&) const {}
  void operator()(const QueuePaused& event) const { line.name("queue", event.queue); }
  void operator()(const QueueResumed& event) const { line.name("queue", event.queue); }
  void operator()(const LimitsSet& event) const {
    const QueueLimits& limits = event.limits;
    line.name("queue", event.queue);
    if (limits.running != 0) line.count("running", limits.running);
    if (limits.running_per_group != 0) line.count("running_per_group", limits.running_per_group);
    if (limits.rate.limited()) line.text("rate", to_string(limits.rate));
    if (limits.rate_per_group.limited()) line.text("rate_per_group", to_string(limits.rate_per_group));
    if (limits == QueueLimits()) line.raw("limits", "none");
  }
  void operator()(const WeightSet& event) const {
    line.name("queue", event.queue).name("group", event.group).count("weight", event.weight);
  }
  void operator()(const WorkerJoined& event) const {
    line.name("worker", event.worker.id)
        .raw("holder", to_string(event.worker.holder))
        .count("slots", event.worker.slots);
    line.names("queues", event.worker.queues).names("kinds", event.worker.kinds);
  }
  void operator()(const WorkerLeft& event) const {
    line.name("worker", event.worker).raw("why", to_string(event.reason));
  }

  void operator()(const JobScheduled& event) const {
    job({recorded.sequence, event.generation});
    if (event.spec) {
      const JobSpec& spec = *event.spec;
      line.name("queue", spec.queue).name("kind", spec.kind).name_if_any("group", spec.group);
      if (spec.priority != Priority()) line.number("priority", spec.priority.value());
      line.due(event.due, recorded.wall).text_if_any("key", spec.unique_key);
      if (event.key_from) line.raw("key_from", to_string(*event.key_from));
      line.bytes("payload", spec.payload);
      if (spec.start_by) line.raw("start_by", to_string(spec.start_by->at));
      if (spec.run_timeout) line.raw("run_timeout", to_string(*spec.run_timeout));
      if (spec.total_timeout) line.raw("total_timeout", to_string(*spec.total_timeout));
      if (spec.recurring != NameId()) line.name("recurring", spec.recurring);
      if (spec.nominal) line.raw("nominal", to_string(*spec.nominal));
      for (const Tag& tag : spec.tags) line.text("tag", tag.key + ":" + tag.value);
      dependencies(spec.dependencies);
    }
  }
  void operator()(const DuplicateSuppressed& event) const {
    line.raw("holder", to_string(event.holder)).name("kind", event.kind).raw("answer", to_string(event.answer));
  }
  void operator()(const JobClaimed& event) const {
    job(event.job).count("attempt", event.attempt).name("worker", event.worker).raw("lease", to_string(event.lease));
    line.raw("until", to_string(event.lease_ends_at_wall)).raw("holder", to_string(event.holder));
    line.raw("token", to_string(Token{recorded.sequence, event.generation}));
  }
  void operator()(const LeasesRenewed& event) const {
    std::string jobs;
    std::size_t progress = 0;
    for (const Renewal& renewal : event.renewals) {
      jobs += jobs.empty() ? "" : ",";
      jobs += to_string(renewal.job);
      progress += renewal.progress ? 1 : 0;
    }
    line.raw(event.renewals.size() == 1 ? "job" : "jobs", jobs).raw("lease", to_string(event.lease));
    if (event.reason != RenewReason::heartbeat) line.raw("why", to_string(event.reason));
    if (progress != 0) line.count("checkpoints", progress);
  }
  void operator()(const JobCompleted& event) const {
    job(event.job).count("attempt", event.attempt).bytes("result", event.result).raw("token", to_string(event.token));
  }
  void operator()(const AttemptFailed& event) const {
    job(event.job)
        .count("attempt", event.attempt)
        .name_if_any("error_kind", event.error_kind)
        .bytes("error", event.error);
    if (!event.retryable) line.raw("retryable", "no");
    ended(event.next, event.token);
  }
  void operator()(const LeaseExpired& event) const {
    job(event.job).count("attempt", event.attempt).raw("why", to_string(event.reason));
    ended(event.next, event.token);
  }
  void operator()(const JobSnoozed& event) const {
    job(event.job);
    ended(event.next, event.token);
  }
  void operator()(const JobReleased& event) const {
    job(event.job);
    ended(event.next, event.token);
  }
  void operator()(const CancelRequested& event) const { job(event.job); }
  void operator()(const JobCancelled& event) const { job(event.job); }
  void operator()(const JobRescheduled& event) const { job(event.job).due(event.due, recorded.wall); }
  void operator()(const JobRetried& event) const {
    job(event.job).due(event.due, recorded.wall).count("attempts_allowed", event.attempts_allowed);
  }
  void operator()(const OutcomeRefused& event) const {
    job(event.job).raw("outcome", to_string(event.outcome)).raw("refused", to_string(event.reason));
    line.raw("token", to_string(event.token));
  }
  void operator()(const RequestRefused& event) const {
    line.raw("refused", to_string(event.refusal.code)).text("sentence", event.refusal.sentence);
    if (event.refusal.job != 0) line.count("job", event.refusal.job);
  }

  void operator()(const FeatureLevelRaised& event) const {
    line.count("before", event.before).count("after", event.after);
  }
  void operator()(const ClockDoubted& event) const {
    line.raw("last", to_string(event.last_wall)).raw("off", to_string(event.by));
  }
  void operator()(const ClockConfirmed&) const {}
  void operator()(const SnapshotTaken& event) const {
    line.count("sequence", event.sequence.value()).count("jobs", event.jobs).raw("state", hex(event.state_hash));
    line.raw("sha256", hex(event.file_sha256));
  }
  void operator()(const StateHashed& event) const {
    line.count("sequence", event.sequence.value()).raw("state", hex(event.state_hash));
  }
  void operator()(const SegmentsDropped& event) const {
    line.count("first", event.first.value()).count("last", event.last.value());
  }
  void operator()(const JobExpired& event) const { job(event.job); }
  void operator()(const JobTimedOut& event) const {
    job(event.job);
    if (event.cancelled) line.raw("next", "cancelled");
    if (event.token != Token{}) line.raw("token", to_string(event.token));
  }
  void operator()(const ChildFreed& event) const { job(event.job).raw("parent", to_string(event.parent)); }
  void operator()(const ChildDropped& event) const {
    job(event.job).raw("parent", to_string(event.parent)).raw("next", event.cancelled ? "cancelled" : "dead");
  }
  void operator()(const ChildAwaits& event) const { job(event.job).raw("parent", to_string(event.next)); }
  void operator()(const OnDeadSet& event) const {
    line.name("queue", event.queue);
    if (!event.on_dead) line.raw("on_dead", "nothing");
    if (event.on_dead) line.name("kind", event.on_dead->kind).name("into", event.on_dead->queue);
  }
  void operator()(const JobMarkedUncertain& event) const { job(event.job).text("why", event.why); }
  void operator()(const GapDeclared& event) const {
    line.count("first", recorded.sequence.value()).count("last", event.last.value()).text("why", event.reason);
  }
  void operator()(const EventLost&) const {}
  void operator()(const JobReplaced& event) const {
    job(event.job).raw("policy", to_string(event.policy));
    if (event.spec) line.name("kind", event.spec->kind);
    line.due(event.due, recorded.wall);
    if (event.spec) line.bytes("payload", event.spec->payload);
  }
  void operator()(const StepRecorded& event) const {
    job(event.job).text("step", event.step.name).bytes("result", event.step.result);
    line.raw("token", to_string(event.token));
  }
  void operator()(const ResultsForgotten& event) const { jobs(event.jobs); }
  void operator()(const JobsPruned& event) const {
    std::vector<JobId> pruned;
    for (const PrunedJob& one : event.jobs) pruned.push_back(one.job);
    jobs(pruned);
  }
  void operator()(const EventSetAside& event) const { line.text("why", event.why).count("bytes", event.stored.size()); }
  void operator()(const JobMoved& event) const { job(event.job).name("queue", event.queue); }
  void operator()(const OperatorCommanded& event) const {
    line.raw("verb", to_string(event.verb)).text("where", event.filter).count("matched", event.matched);
    if (event.due) line.due(*event.due, recorded.wall);
    if (event.queue != NameId()) line.name("queue", event.queue);
  }
  void operator()(const HoldPlaced& event) const {
    line.count("hold", recorded.sequence.value()).text("where", event.filter);
  }
  void operator()(const HoldLifted& event) const { line.count("hold", event.hold.value()); }

  void operator()(const RecurringDeclared& event) const {
    line.name("recurring", event.recurring).text("owner", event.owner).flag("changed", event.changed);
    if (event.terms) {
      line.text("recurs", to_string(event.terms->recurrence));
      line.name("queue", event.terms->job.queue).name("kind", event.terms->job.kind);
      line.raw("missed", to_string(event.terms->missed.runs)).raw("overlap", to_string(event.terms->overlap));
    }
    next_occurrence(event.next);
  }
  void operator()(const RecurringFired& event) const {
    line.name("recurring", event.recurring).raw("nominal", to_string(event.nominal));
    line.raw("fired_by", to_string(event.by));
    next_occurrence(event.next);
  }
  void operator()(const RecurringSkipped& event) const {
    line.name("recurring", event.recurring).raw("why", to_string(event.reason)).count("count", event.count);
    line.raw("nominal", to_string(event.from));
    if (event.until != event.from) line.raw("last", to_string(event.until));
    line.flag("buffered", event.buffered);
    next_occurrence(event.next);
  }
  void operator()(const RecurringBuffered& event) const {
    line.name("recurring", event.recurring).raw("nominal", to_string(event.nominal));
    next_occurrence(event.next);
  }
  void operator()(const RecurringPaused& event) const {
    line.name("recurring", event.recurring).text_if_any("problem", event.problem);
  }
  void operator()(const RecurringResumed& event) const {
    line.name("recurring", event.recurring);
    next_occurrence(event.next);
  }
  void operator()(const RecurringRemoved& event) const { line.name("recurring", event.recurring); }
  void operator()(const RecurringReplanned& event) const {
    line.name("recurring", event.recurring);
    next_occurrence(event.next);
  }
  void operator()(const RecurringBackfilled& event) const {
    line.name("recurring", event.recurring).raw("from", to_string(event.from)).raw("until", to_string(event.until));
    line.count("count", event.count);
  }

 private:
  void next_occurrence(const std::optional<Occurrence>& next) const {
    line.raw("next", next ? to_string(next->nominal) : "none");
  }
  static std::string hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
      text += digits[static_cast<unsigned char>(byte) >> 4];
      text += digits[static_cast<unsigned char>(byte) & 15];
    }
    return text;
  }
  Line& job(const JobId& id) const { return line.raw("job", to_string(id)); }
  void dependencies(const Dependencies& asked) const {
    if (asked.parents.empty()) return;
    std::string shown;
    for (const JobId& id : asked.parents) shown += (shown.empty() ? "" : ",") + to_string(id);
    line.raw(asked.parents.size() == 1 ? "parent" : "parents", shown).raw("when", to_string(asked.run_when));
    if (asked.run_when != RunWhen::always) line.raw("else", to_string(asked.otherwise));
    line.flag("on_dead", asked.on_dead);
  }
  void jobs(const std::vector<JobId>& ids) const {
    std::string shown;
    for (const JobId& id : ids) shown += (shown.empty() ? "" : ",") + to_string(id);
    line.raw(ids.size() == 1 ? "job" : "jobs", shown);
  }
  void ended(const Next& next, const Token& token) const {
    line.next(next, recorded.wall).raw("token", to_string(token));
  }
};

void describe_provenance(const RecordedEvent& recorded, Line& line) {
  const Provenance& by = recorded.by;
  line.name_if_any("by", by.actor);
  if (by.actor != NameId() && by.origin != ActorOrigin::declared) line.raw("known_by", to_string(by.origin));
  if (by.cause != Sequence()) line.count("cause", by.cause.value());
  line.text_if_any("reason", by.reason);
  if (recorded.request) {
    line.name("client", recorded.request->client).text("request", recorded.request->id);
  }
}

}  // namespace

std::string describe(const RecordedEvent& recorded, const View* names) {
  Line line(names);
  std::visit(Describe{recorded, line}, recorded.event);
  describe_provenance(recorded, line);
  return line.take();
}

}  // namespace daybook
