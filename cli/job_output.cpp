// SPDX-License-Identifier: Apache-2.0
#include "job_output.hpp"

#include <nlohmann/json.hpp>

namespace daybook::cli {

namespace {

Json tags_json(const std::vector<Tag>& tags) {
  Json object = Json::object();
  for (const Tag& tag : tags) object[tag.key] = tag.value;
  return object;
}

Json ids_json(const std::vector<JobId>& ids) {
  Json array = Json::array();
  for (const JobId& id : ids) array.push_back(to_string(id));
  return array;
}

std::string ids_text(const std::vector<JobId>& ids, std::size_t shown) {
  std::string text;
  for (std::size_t i = 0; i < ids.size() && i < shown; ++i) text += (i == 0 ? "" : " ") + to_string(ids[i]);
  return ids.size() > shown ? text + " …" : text;
}

std::string attempts(const JobInfo& job) {
  return std::to_string(job.attempt) + " of " + std::to_string(job.attempts_allowed);
}

/// The parent whose end is looked at next, in full.
JobId awaited(const JobInfo& job) {
  for (const JobId& parent : job.parents) {
    if (parent.sequence == *job.awaits) return parent;
  }
  return {*job.awaits, GenerationTag()};
}

/// What a person asks next: why is it dead, until when is it held, how did it fail.
std::string remark(const JobInfo& job) {
  std::string text;
  if (job.phase == Phase::dead) text = std::string(to_string(job.dead_reason));
  if (job.lease) text = sanitized(job.lease->worker) + " until " + to_string(job.lease->expires_at);
  if (job.cancel_requested) text += text.empty() ? "cancel requested" : ", cancel requested";
  if (!job.error.empty() && job.phase != Phase::completed) {
    text += (text.empty() ? "" : ": ") + excerpt(job.error.bytes(), 60);
  }
  return text;
}

}  // namespace

Json job_json(const JobInfo& job) {
  Json object = {{"id", to_string(job.id)},
                 {"queue", job.queue},
                 {"kind", job.kind},
                 {"state", to_string(job.phase)},
                 {"attempt", job.attempt},
                 {"due_at", to_string(job.due_at)},
                 {"max_attempts", job.attempts_allowed},
                 {"priority", job.priority.value()},
                 {"scheduled_at", to_string(job.scheduled_at)}};
  if (job.finalized_at) object["finalized_at"] = to_string(*job.finalized_at);
  if (job.lease) {
    object["worker"] = job.lease->worker;
    object["token"] = to_string(job.lease->token);
    object["claimed_at"] = to_string(job.lease->claimed_at);
    object["lease_expires_at"] = to_string(job.lease->expires_at);
  }
  if (job.dead_reason != DeadReason::none) object["dead_reason"] = to_string(job.dead_reason);
  if (job.cancel_requested) object["cancel_requested"] = true;
  if (!job.unique_key.empty()) object["unique_key"] = job.unique_key;
  if (!job.group.empty()) object["group"] = job.group;
  if (!job.recurring.empty()) object["recurring"] = job.recurring;
  if (job.nominal) object["nominal"] = to_string(*job.nominal);
  if (!job.tags.empty()) object["tags"] = tags_json(job.tags);
  set_envelope(object, "payload", job.payload);
  set_envelope(object, "progress", job.progress);
  set_envelope(object, "result", job.result);
  set_envelope(object, "error", job.error);
  if (!job.error_kind.empty()) object["error_kind"] = job.error_kind;
  if (!job.trace.empty()) object["trace"] = job.trace;
  if (job.result_until) object["result_until"] = to_string(*job.result_until);
  if (!job.steps.empty()) object["steps"] = job.steps;
  if (job.start_by) object["start_deadline"] = to_string(*job.start_by);
  if (job.run_timeout) object["run_timeout"] = to_string(*job.run_timeout);
  if (job.total_timeout) object["total_timeout"] = to_string(*job.total_timeout);
  if (!job.parents.empty()) {
    object["parents"] = ids_json(job.parents);
    object["when"] = to_string(job.run_when);
    if (job.run_when != RunWhen::always) object["else"] = to_string(job.otherwise);
  }
  if (job.awaits) object["awaits"] = to_string(awaited(job));
  if (!job.children.empty()) object["children"] = ids_json(job.children);
  if (job.more_children) object["more_children"] = true;
  return object;
}

Json claim_json(const ClaimedJob& job) {
  Json object = {{"id", to_string(job.id)},
                 {"queue", job.queue},
                 {"kind", job.kind},
                 {"state", to_string(Phase::running)},
                 {"attempt", job.attempt},
                 {"due_at", to_string(job.due_at)},
                 {"token", to_string(job.token)},
                 {"lease_expires_at", to_string(job.lease_expires_at)},
                 {"max_attempts", job.attempts_allowed},
                 {"priority", job.priority.value()}};
  if (!job.group.empty()) object["group"] = job.group;
  if (!job.recurring.empty()) object["recurring"] = job.recurring;
  if (job.nominal) object["nominal"] = to_string(*job.nominal);
  if (!job.tags.empty()) object["tags"] = tags_json(job.tags);
  set_envelope(object, "payload", job.payload);
  set_envelope(object, "progress", job.progress);
  if (!job.trace.empty()) object["trace"] = job.trace;
  if (!job.parents.empty()) object["parents"] = ids_json(job.parents);
  for (const StepResult& step : job.steps) set_envelope(object["steps"], step.name, step.result);
  return object;
}

std::string job_line(const JobInfo& job) {
  std::string line = to_string(job.id) + "  " + std::string(to_string(job.phase)) + "  attempt " + attempts(job);
  if (job.phase == Phase::scheduled || job.phase == Phase::available || job.phase == Phase::retryable) {
    line += "  due " + to_string(job.due_at);
  }
  const std::string more = remark(job);
  return more.empty() ? line : line + "  " + more;
}

void print_job(const JobInfo& job) {
  const auto fact = [](const std::string& name, const std::string& value) {
    if (!value.empty()) print(name + std::string(14 - name.size(), ' ') + value);
  };
  fact("id", to_string(job.id));
  fact("queue", sanitized(job.queue));
  fact("kind", sanitized(job.kind));
  fact("group", sanitized(job.group));
  fact("recurring", sanitized(job.recurring));
  if (job.nominal) fact("nominal", to_string(*job.nominal));
  fact("state", std::string(to_string(job.phase)) +
                    (job.dead_reason != DeadReason::none ? ", " + std::string(to_string(job.dead_reason)) : "") +
                    (job.cancel_requested ? ", cancel requested" : ""));
  fact("attempt", attempts(job));
  fact("due", to_string(job.due_at));
  fact("scheduled", to_string(job.scheduled_at));
  constexpr std::size_t family_shown = 10;
  if (!job.parents.empty()) {
    const std::string otherwise =
        job.run_when == RunWhen::always ? "" : ", else " + std::string(to_string(job.otherwise));
    fact("after", ids_text(job.parents, family_shown) + ", when " + std::string(to_string(job.run_when)) + otherwise);
  }
  if (job.awaits) fact("awaits", "job " + to_string(awaited(job)));
  fact("children", ids_text(job.children, family_shown));
  if (job.start_by) fact("start by", to_string(*job.start_by));
  if (job.run_timeout) fact("run timeout", to_string(*job.run_timeout));
  if (job.total_timeout) fact("total timeout", to_string(*job.total_timeout));
  if (job.finalized_at) fact("ended", to_string(*job.finalized_at));
  if (job.priority.value() != 0) fact("priority", std::to_string(job.priority.value()));
  if (job.lease) {
    fact("worker", sanitized(job.lease->worker));
    fact("token", to_string(job.lease->token));
    fact("lease ends", to_string(job.lease->expires_at));
  }
  fact("unique key", sanitized(job.unique_key) + (job.unique_key.empty() || job.holds_key ? "" : "  (given up)"));
  std::string tags;
  for (const Tag& tag : job.tags) {
    tags += (tags.empty() ? "" : " ") + sanitized(tag.key) + "=" + sanitized(tag.value);
  }
  fact("tags", tags);
  const auto contents = [&](const std::string& name, const Envelope& envelope) {
    if (envelope.empty()) return;
    fact(name, excerpt(envelope.bytes(), 100) + "  (" + counted(envelope.bytes().size(), "byte") + ")");
  };
  contents("payload", job.payload);
  contents("progress", job.progress);
  contents("result", job.result);
  if (job.result_until) fact("kept until", to_string(*job.result_until));
  std::string steps;
  for (const std::string& step : job.steps) steps += (steps.empty() ? "" : ", ") + sanitized(step);
  fact("steps done", steps);
  contents("error", job.error);
  fact("error kind", sanitized(job.error_kind));
  fact("trace", sanitized(job.trace));
}

Table job_table() {
  return Table({{"ID"}, {"STATE"}, {"QUEUE"}, {"KIND"}, {"ATTEMPT", Table::Align::right}, {"DUE"}, {""}});
}

void add_job(Table& table, const JobInfo& job) {
  table.row({to_string(job.id), std::string(to_string(job.phase)), sanitized(job.queue), sanitized(job.kind),
             attempts(job), to_string(job.due_at), remark(job)});
}

}  // namespace daybook::cli
