// SPDX-License-Identifier: Apache-2.0
// What each event says of itself, as a JSON object of its own facts. Raw boot and book times are left out: they mean
// something to the rules alone. The line for people is describe()'s.
#include "event_output.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daybook/core/describe.hpp"
#include "limits_output.hpp"

namespace daybook::cli {

namespace {

std::string name_text(const View& names, NameId id) {
  const Name* name = names.name(id);
  return name == nullptr ? std::string() : name->text;
}

/// One overload for each event.
class Facts {
 public:
  Facts(const RecordedEvent& recorded, const View& names) : recorded_(recorded), names_(names) {}

  Json operator()(const BookOpened& e) const {
    Json facts = {{"tail", to_string(e.tail)}};
    if (e.bytes_cut > 0) facts["bytes_cut"] = e.bytes_cut;
    if (!e.cut_sha256.empty()) facts["cut_sha256"] = hex(e.cut_sha256);
    facts["new_boot"] = e.new_boot;
    facts["process"] = e.process;
    facts["host"] = e.host;
    facts["release"] = e.release;
    return facts;
  }
  Json operator()(const BookClosed&) const { return Json::object(); }
  Json operator()(const ClockStepped& e) const { return {{"by", to_string(e.by)}, {"era", e.era}}; }
  Json operator()(const ConfigurationChanged& e) const {
    return {{"key", e.setting.key}, {"value", e.setting.value}, {"before", e.before}};
  }
  Json operator()(const NameDefined& e) const {
    return {{"sort", to_string(e.name.sort)}, {"name", e.name.text}, {"name_id", e.name.id.value()}};
  }
  Json operator()(const GenerationBegun& e) const {
    Json facts = {{"generation", e.generation.number}, {"held", e.held}};
    if (e.copied_from != Uuid{}) facts["copied_from"] = to_string(e.copied_from);
    return facts;
  }
  Json operator()(const BookAdopted&) const { return Json::object(); }
  Json operator()(const QueuePaused& e) const { return {{"queue", text(e.queue)}}; }
  Json operator()(const QueueResumed& e) const { return {{"queue", text(e.queue)}}; }
  Json operator()(const LimitsSet& e) const {
    Json facts = limits_json(e.limits);
    facts["queue"] = text(e.queue);
    return facts;
  }
  Json operator()(const OnDeadSet& e) const {
    Json facts = {{"queue", text(e.queue)}, {"on_dead", nullptr}};
    if (e.on_dead) facts["on_dead"] = {{"kind", text(e.on_dead->kind)}, {"queue", text(e.on_dead->queue)}};
    return facts;
  }
  Json operator()(const ChildFreed& e) const { return {{"parent", to_string(e.parent)}}; }
  Json operator()(const ChildDropped& e) const {
    return {{"parent", to_string(e.parent)}, {"next", e.cancelled ? "cancelled" : "dead"}};
  }
  Json operator()(const ChildAwaits& e) const { return {{"parent", to_string(e.next)}}; }
  Json operator()(const WeightSet& e) const {
    return {{"queue", text(e.queue)}, {"group", text(e.group)}, {"weight", e.weight}};
  }
  Json operator()(const WorkerJoined& e) const {
    Json facts = {{"worker", text(e.worker.id)},
                  {"slots", e.worker.slots},
                  {"queues", texts(e.worker.queues)},
                  {"holder", to_string(e.worker.holder)}};
    if (!e.worker.kinds.empty()) facts["kinds"] = texts(e.worker.kinds);
    return facts;
  }
  Json operator()(const WorkerLeft& e) const { return {{"worker", text(e.worker)}, {"why", to_string(e.reason)}}; }

  Json operator()(const JobScheduled& e) const {
    const JobSpec& spec = *e.spec;
    Json facts = {{"queue", text(spec.queue)}, {"kind", text(spec.kind)}, {"due_at", to_string(e.due.at)}};
    if (spec.group != NameId()) facts["group"] = text(spec.group);
    if (spec.priority.value() != 0) facts["priority"] = spec.priority.value();
    if (!spec.unique_key.empty()) facts["unique_key"] = spec.unique_key;
    facts["max_attempts"] = spec.retry.max_attempts;
    if (!spec.tags.empty()) {
      facts["tags"] = Json::object();
      for (const Tag& tag : spec.tags) facts["tags"][tag.key] = tag.value;
    }
    set_envelope(facts, "payload", spec.payload);
    if (spec.recurring != NameId()) facts["recurring"] = text(spec.recurring);
    if (spec.nominal) facts["nominal"] = to_string(*spec.nominal);
    if (e.key_from) facts["key_from"] = to_string(*e.key_from);
    set_dependencies(facts, spec.dependencies);
    return facts;
  }
  Json operator()(const DuplicateSuppressed& e) const {
    return {{"kind", text(e.kind)}, {"answer", to_string(e.answer)}};
  }
  Json operator()(const JobClaimed& e) const {
    return {{"attempt", e.attempt},          {"worker", text(e.worker)},
            {"lease", to_string(e.lease)},   {"token", to_string(Token{recorded_.sequence, e.generation})},
            {"holder", to_string(e.holder)}, {"lease_expires_at", to_string(e.lease_ends_at_wall)}};
  }
  Json operator()(const LeasesRenewed& e) const {
    Json facts = {{"lease", to_string(e.lease)}, {"why", to_string(e.reason)}, {"renewals", Json::array()}};
    for (const Renewal& renewal : e.renewals) {
      Json one = {{"job", to_string(renewal.job)},
                  {"token", to_string(renewal.token)},
                  {"lease_expires_at", to_string(renewal.lease_ends_at_wall)}};
      if (renewal.progress) set_envelope(one, "progress", *renewal.progress);
      facts["renewals"].push_back(std::move(one));
    }
    return facts;
  }
  Json operator()(const JobCompleted& e) const {
    Json facts = attempt_of(e.attempt, e.token);
    set_envelope(facts, "result", e.result);
    if (e.result_until) facts["result_until"] = to_string(*e.result_until);
    return facts;
  }
  Json operator()(const AttemptFailed& e) const {
    Json facts = attempt_of(e.attempt, e.token);
    if (e.error_kind != NameId()) facts["error_kind"] = text(e.error_kind);
    facts["retryable"] = e.retryable;
    set_next(facts, e.next);
    set_envelope(facts, "error", e.error);
    return facts;
  }
  Json operator()(const LeaseExpired& e) const {
    Json facts = attempt_of(e.attempt, e.token);
    facts["why"] = to_string(e.reason);
    set_next(facts, e.next);
    return facts;
  }
  Json operator()(const JobSnoozed& e) const { return ended_early(e.token, e.next); }
  Json operator()(const JobReleased& e) const { return ended_early(e.token, e.next); }
  Json operator()(const CancelRequested&) const { return Json::object(); }
  Json operator()(const JobCancelled&) const { return Json::object(); }
  Json operator()(const JobRescheduled& e) const { return {{"due_at", to_string(e.due.at)}}; }
  Json operator()(const JobRetried& e) const {
    return {{"due_at", to_string(e.due.at)}, {"max_attempts", e.attempts_allowed}};
  }
  Json operator()(const OutcomeRefused& e) const {
    return {{"outcome", to_string(e.outcome)}, {"why", to_string(e.reason)}, {"token", to_string(e.token)}};
  }
  Json operator()(const RequestRefused& e) const {
    return {{"why", to_string(e.refusal.code)}, {"sentence", e.refusal.sentence}};
  }

  Json operator()(const FeatureLevelRaised& e) const { return {{"before", e.before}, {"after", e.after}}; }
  Json operator()(const ClockDoubted& e) const {
    return {{"last_at", to_string(e.last_wall)}, {"by", to_string(e.by)}};
  }
  Json operator()(const ClockConfirmed&) const { return Json::object(); }
  Json operator()(const SnapshotTaken& e) const {
    return {{"snapshot_seq", e.sequence.value()},
            {"jobs", e.jobs},
            {"state_hash", hex(e.state_hash)},
            {"sha256", hex(e.file_sha256)}};
  }
  Json operator()(const StateHashed& e) const {
    return {{"state_seq", e.sequence.value()}, {"state_hash", hex(e.state_hash)}};
  }
  Json operator()(const SegmentsDropped& e) const { return {{"first", e.first.value()}, {"last", e.last.value()}}; }
  Json operator()(const JobExpired&) const { return Json::object(); }
  Json operator()(const JobTimedOut& e) const {
    Json facts = {{"next", e.cancelled ? "cancelled" : "dead"}};
    if (e.token != Token{}) facts["token"] = to_string(e.token);
    return facts;
  }
  Json operator()(const JobMarkedUncertain& e) const { return {{"why", e.why}}; }
  Json operator()(const GapDeclared& e) const {
    return {{"first", recorded_.sequence.value()}, {"last", e.last.value()}, {"why", e.reason}};
  }
  Json operator()(const EventLost&) const { return Json::object(); }
  Json operator()(const JobReplaced& e) const {
    Json facts = {{"policy", to_string(e.policy)}, {"kind", text(e.spec->kind)}, {"due_at", to_string(e.due.at)}};
    facts["max_attempts"] = e.attempts_allowed;
    set_envelope(facts, "payload", e.spec->payload);
    return facts;
  }
  Json operator()(const StepRecorded& e) const {
    Json facts = {{"step", e.step.name}, {"token", to_string(e.token)}};
    set_envelope(facts, "result", e.step.result);
    return facts;
  }
  Json operator()(const ResultsForgotten&) const { return Json::object(); }
  Json operator()(const JobsPruned& e) const {
    Json facts = {{"pruned", Json::array()}};
    for (const PrunedJob& one : e.jobs) {
      facts["pruned"].push_back({{"job", to_string(one.job)},
                                 {"state", to_string(one.state)},
                                 {"finalized_at", to_string(one.finalized_at)},
                                 {"last_seq", one.last_event.value()}});
    }
    return facts;
  }
  Json operator()(const EventSetAside& e) const { return {{"why", e.why}, {"stored", hex(e.stored)}}; }
  Json operator()(const JobMoved& e) const { return {{"queue", text(e.queue)}}; }
  Json operator()(const OperatorCommanded& e) const {
    Json facts = {{"verb", to_string(e.verb)}, {"where", e.filter}, {"matched", e.matched}};
    if (e.due) facts["due_at"] = to_string(e.due->at);
    if (e.queue != NameId()) facts["queue"] = text(e.queue);
    return facts;
  }
  Json operator()(const HoldPlaced& e) const { return {{"hold", recorded_.sequence.value()}, {"where", e.filter}}; }
  Json operator()(const HoldLifted& e) const { return {{"hold", e.hold.value()}}; }

  Json operator()(const RecurringDeclared& e) const {
    Json facts = with_next({{"recurring", text(e.recurring)}, {"owner", e.owner}, {"changed", e.changed}}, e.next);
    facts["recurs"] = to_string(e.terms->recurrence);
    facts["queue"] = text(e.terms->job.queue);
    facts["kind"] = text(e.terms->job.kind);
    facts["missed"] = to_string(e.terms->missed.runs);
    facts["overlap"] = to_string(e.terms->overlap);
    return facts;
  }
  Json operator()(const RecurringFired& e) const {
    return with_next(
        {{"recurring", text(e.recurring)}, {"nominal", to_string(e.nominal)}, {"fired_by", to_string(e.by)}}, e.next);
  }
  Json operator()(const RecurringSkipped& e) const {
    return with_next({{"recurring", text(e.recurring)},
                      {"why", to_string(e.reason)},
                      {"count", e.count},
                      {"nominal", to_string(e.from)},
                      {"last_nominal", to_string(e.until)},
                      {"buffered", e.buffered}},
                     e.next);
  }
  Json operator()(const RecurringBuffered& e) const {
    return with_next({{"recurring", text(e.recurring)}, {"nominal", to_string(e.nominal)}}, e.next);
  }
  Json operator()(const RecurringPaused& e) const {
    Json facts = {{"recurring", text(e.recurring)}};
    if (!e.problem.empty()) facts["problem"] = e.problem;
    return facts;
  }
  Json operator()(const RecurringResumed& e) const { return with_next({{"recurring", text(e.recurring)}}, e.next); }
  Json operator()(const RecurringRemoved& e) const { return {{"recurring", text(e.recurring)}}; }
  Json operator()(const RecurringReplanned& e) const { return with_next({{"recurring", text(e.recurring)}}, e.next); }
  Json operator()(const RecurringBackfilled& e) const {
    return {{"recurring", text(e.recurring)},
            {"from", to_string(e.from)},
            {"until", to_string(e.until)},
            {"count", e.count}};
  }

 private:
  static Json with_next(Json facts, const std::optional<Occurrence>& next) {
    facts["next"] = nullptr;
    if (next) facts["next"] = {{"nominal", to_string(next->nominal)}, {"due_at", to_string(next->due)}};
    return facts;
  }
  [[nodiscard]] std::string text(NameId id) const { return name_text(names_, id); }
  [[nodiscard]] Json texts(const std::vector<NameId>& ids) const {
    Json array = Json::array();
    for (const NameId id : ids) array.push_back(text(id));
    return array;
  }
  static Json attempt_of(std::uint32_t attempt, const Token& token) {
    return {{"attempt", attempt}, {"token", to_string(token)}};
  }
  static void set_dependencies(Json& facts, const Dependencies& asked) {
    if (asked.parents.empty()) return;
    facts["parents"] = Json::array();
    for (const JobId& id : asked.parents) facts["parents"].push_back(to_string(id));
    facts["when"] = to_string(asked.run_when);
    if (asked.run_when != RunWhen::always) facts["else"] = to_string(asked.otherwise);
    if (asked.on_dead) facts["on_dead"] = true;
  }
  static void set_next(Json& facts, const Next& next) {
    if (const auto* again = std::get_if<Again>(&next)) {
      facts["next"] = "again";
      facts["due_at"] = to_string(again->due.at);
    } else if (const auto* dead = std::get_if<Dead>(&next)) {
      facts["next"] = "dead";
      facts["dead_reason"] = to_string(dead->reason);
    } else {
      facts["next"] = "cancelled";
    }
  }
  static Json ended_early(const Token& token, const Next& next) {
    Json facts = {{"token", to_string(token)}};
    set_next(facts, next);
    return facts;
  }

  const RecordedEvent& recorded_;
  const View& names_;
};

/// The jobs that the event touches, spelled in full where the event does so.
std::vector<std::string> job_ids(const RecordedEvent& recorded) {
  return std::visit(
      [&](const auto& event) -> std::vector<std::string> {
        using E = std::decay_t<decltype(event)>;
        if constexpr (std::is_same_v<E, JobScheduled>) {
          return {to_string(JobId{recorded.sequence, event.generation})};
        } else if constexpr (std::is_same_v<E, LeasesRenewed>) {
          std::vector<std::string> ids;
          for (const Renewal& renewal : event.renewals) ids.push_back(to_string(renewal.job));
          return ids;
        } else if constexpr (std::is_same_v<E, DuplicateSuppressed>) {
          return {to_string(event.holder)};
        } else if constexpr (std::is_same_v<E, JobsPruned>) {
          std::vector<std::string> ids;
          for (const PrunedJob& one : event.jobs) ids.push_back(to_string(one.job));
          return ids;
        } else if constexpr (std::is_same_v<E, ResultsForgotten>) {
          std::vector<std::string> ids;
          for (const JobId& id : event.jobs) ids.push_back(to_string(id));
          return ids;
        } else if constexpr (requires { event.job; }) {
          return {to_string(event.job)};
        } else {
          return {};
        }
      },
      recorded.event);
}

Json event_facts(const RecordedEvent& recorded, const View& names) {
  return std::visit(Facts(recorded, names), recorded.event);
}

}  // namespace

Json event_json(const RecordedEvent& recorded, const View& names) {
  Json object = {
      {"seq", recorded.sequence.value()}, {"at", to_string(recorded.wall)}, {"type", type_name(recorded.event)}};
  const std::vector<std::string> jobs = job_ids(recorded);
  if (jobs.size() == 1) {
    object["job"] = jobs.front();
  } else {
    object["job"] = nullptr;
  }
  if (jobs.size() > 1) object["jobs"] = jobs;
  object["actor"] = name_text(names, recorded.by.actor);
  object["actor_origin"] = to_string(recorded.by.origin);
  if (recorded.by.cause != Sequence()) object["cause"] = recorded.by.cause.value();
  if (!recorded.by.reason.empty()) object["reason"] = recorded.by.reason;
  if (!recorded.by.trace.empty()) object["trace"] = recorded.by.trace;
  if (recorded.request)
    object["request"] = {{"client", name_text(names, recorded.request->client)}, {"id", recorded.request->id}};
  object["epoch"] = recorded.epoch.value();
  object["data"] = event_facts(recorded, names);
  return object;
}

RecordedEvent part_of(RecordedEvent recorded, Sequence job) {
  if (auto* pruned = std::get_if<JobsPruned>(&recorded.event)) {
    std::erase_if(pruned->jobs, [&](const PrunedJob& one) { return one.job.sequence != job; });
  } else if (auto* forgotten = std::get_if<ResultsForgotten>(&recorded.event)) {
    std::erase_if(forgotten->jobs, [&](const JobId& id) { return id.sequence != job; });
  } else if (auto* renewed = std::get_if<LeasesRenewed>(&recorded.event)) {
    std::erase_if(renewed->renewals, [&](const Renewal& one) { return one.job.sequence != job; });
  }
  return recorded;
}

std::string event_line(const RecordedEvent& recorded, const View& names) {
  constexpr std::size_t kTypeWidth = 20;  // the longest type's
  std::string type(type_name(recorded.event));
  type.resize(std::max(type.size(), kTypeWidth), ' ');
  return "#" + std::to_string(recorded.sequence.value()) + "  " + to_string(recorded.wall) + "  " + type + "  " +
         describe(recorded, &names);
}

}  // namespace daybook::cli
