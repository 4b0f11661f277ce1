// SPDX-License-Identifier: Apache-2.0
#include "recurring_output.hpp"

#include <nlohmann/json.hpp>

#include "instants.hpp"

namespace daybook::cli {

namespace {

constexpr std::size_t kShown = 5;  // instants to come

void set_rule(Json& object, const CronRule& rule) {
  object["recurs"] = "cron";
  object["cron"] = to_string(rule.expression);
  object["zone"] = rule.zone;
  object["dst_gap"] = to_string(rule.gap);
  object["dst_repeat"] = to_string(rule.repeat);
}
void set_rule(Json& object, const IntervalRule& rule) {
  object["recurs"] = "interval";
  object["every"] = to_string(rule.period);
  object["anchor"] = to_string(rule.anchor);
}
void set_rule(Json& object, const CalendarRule& rule) {
  object["recurs"] = "calendar";
  Json instants = Json::array();
  for (const Instant instant : rule.instants) instants.push_back(to_string(instant));
  object["instants"] = std::move(instants);
}

void set_job(Json& object, const Schedule& job) {
  object["queue"] = job.queue;
  object["kind"] = job.kind;
  object["priority"] = job.priority.value();
  object["max_attempts"] = job.retry.max_attempts;
  object["backoff"] = job.retry.backoff == RetryPolicy::Backoff::fixed ? "fixed" : "exponential";
  object["first"] = to_string(job.retry.first);
  object["cap"] = to_string(job.retry.cap);
  if (!job.group.empty()) object["group"] = job.group;
  for (const Tag& tag : job.tags) object["tags"][tag.key] = tag.value;
  set_envelope(object, "payload", job.payload);
  if (job.start_deadline) {
    if (const auto* in = std::get_if<Duration>(&job.start_deadline->value)) object["start_deadline"] = to_string(*in);
  }
  if (job.run_timeout) object["run_timeout"] = to_string(*job.run_timeout);
  if (job.total_timeout) object["total_timeout"] = to_string(*job.total_timeout);
  if (job.keep_result) object["keep_result"] = to_string(*job.keep_result);
}

void print_fact(const std::string& name, const std::string& value) {
  if (!value.empty()) print(name + std::string(14 - name.size(), ' ') + value);
}

void print_job_facts(const Schedule& job) {
  print_fact("queue", sanitized(job.queue));
  print_fact("kind", sanitized(job.kind));
  print_fact("group", sanitized(job.group));
  if (job.priority.value() != 0) print_fact("priority", std::to_string(job.priority.value()));
  print_fact("attempts", std::to_string(job.retry.max_attempts));
  if (job.start_deadline) {
    if (const auto* in = std::get_if<Duration>(&job.start_deadline->value)) print_fact("start within", to_string(*in));
  }
  if (job.run_timeout) print_fact("run timeout", to_string(*job.run_timeout));
  if (job.total_timeout) print_fact("total timeout", to_string(*job.total_timeout));
  std::string tags;
  for (const Tag& tag : job.tags) {
    tags += (tags.empty() ? "" : " ") + sanitized(tag.key) + "=" + sanitized(tag.value);
  }
  print_fact("tags", tags);
  if (!job.payload.empty()) {
    print_fact("payload",
               excerpt(job.payload.bytes(), 100) + "  (" + counted(job.payload.bytes().size(), "byte") + ")");
  }
}

void print_upcoming(const RecurringInfo& info, const Zones& zones) {
  const auto* cron = std::get_if<CronRule>(&info.spec.recurrence.rule);
  const Zone* zone = cron == nullptr ? nullptr : zones.find(cron->zone);
  std::string name = "next";
  for (const Instant instant : upcoming(info, zones, kShown)) {
    std::string line = utc_text(instant);
    if (zone != nullptr) {
      line = local_text(instant, *zone) + "  " + line;
      const std::string_view note = note_text(dst_note(*cron, instant, *zone));
      if (!note.empty()) line += "  " + std::string(note);
    }
    print_fact(name, line);
    name.clear();
  }
  if (!info.next) print_fact("next", "none any more");
}

}  // namespace

Json recurring_json(const RecurringInfo& info) {
  const RecurringSpec& spec = info.spec;
  Json object = {{"name", spec.name}, {"owner", info.owner}};
  std::visit([&object](const auto& rule) { set_rule(object, rule); }, spec.recurrence.rule);
  if (spec.recurrence.start) object["start"] = to_string(*spec.recurrence.start);
  if (spec.recurrence.end) object["until"] = to_string(*spec.recurrence.end);
  if (spec.recurrence.jitter != Duration(0)) object["jitter"] = to_string(spec.recurrence.jitter);
  object["missed"] = to_string(spec.missed.runs);
  object["missed_window"] = to_string(spec.missed.window);
  object["missed_cap"] = spec.missed.cap;
  object["overlap"] = to_string(spec.overlap);
  set_job(object, spec.job);
  object["paused"] = info.paused;
  if (!info.pause_reason.empty()) object["pause_reason"] = info.pause_reason;
  if (info.next) object["next_at"] = to_string(info.next->nominal);
  if (info.next) object["next_due_at"] = to_string(info.next->due);
  if (info.last) object["last_at"] = to_string(*info.last);
  if (info.last_job) object["last_job"] = to_string(*info.last_job);
  Json live = Json::array();
  for (const JobId& job : info.live) live.push_back(to_string(job));
  object["live"] = std::move(live);
  Json buffered = Json::array();
  for (const Instant instant : info.buffered) buffered.push_back(to_string(instant));
  object["buffered"] = std::move(buffered);
  return object;
}

std::string rule_text(const Recurrence& recurrence) {
  if (const auto* cron = std::get_if<CronRule>(&recurrence.rule)) {
    return to_string(cron->expression) + " " + sanitized(cron->zone);
  }
  if (const auto* interval = std::get_if<IntervalRule>(&recurrence.rule)) return "every " + to_string(interval->period);
  return counted(std::get<CalendarRule>(recurrence.rule).instants.size(), "instant");
}

std::string standing_text(const RecurringInfo& info) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (info.paused) add("paused" + (info.pause_reason.empty() ? "" : ": " + excerpt(info.pause_reason, 60)));
  if (!info.live.empty()) add(counted(info.live.size(), "job") + " not ended");
  if (!info.buffered.empty()) add(std::to_string(info.buffered.size()) + " waiting for that");
  return text;
}

std::string next_text(const RecurringInfo& info) {
  return info.next ? "next " + utc_text(info.next->nominal) : "nothing to come any more";
}

void print_recurring(const RecurringInfo& info, const Zones& zones) {
  const RecurringSpec& spec = info.spec;
  print_fact("name", sanitized(spec.name));
  print_fact("owner", sanitized(info.owner));
  print_fact("state", info.paused                   ? standing_text(info)
                      : standing_text(info).empty() ? "recurs"
                                                    : "recurs; " + standing_text(info));
  print_fact("recurs", rule_text(spec.recurrence));
  if (const auto* cron = std::get_if<CronRule>(&spec.recurrence.rule)) {
    print_fact("clocks set", "left out: " + std::string(to_string(cron->gap)) +
                                 ", repeated: " + std::string(to_string(cron->repeat)));
  } else if (const auto* interval = std::get_if<IntervalRule>(&spec.recurrence.rule)) {
    print_fact("counted from", utc_text(interval->anchor));
  }
  if (spec.recurrence.start) print_fact("start", utc_text(*spec.recurrence.start));
  if (spec.recurrence.end) print_fact("until", utc_text(*spec.recurrence.end));
  if (spec.recurrence.jitter != Duration(0)) print_fact("jitter", "up to " + to_string(spec.recurrence.jitter));
  print_fact("missed", std::string(to_string(spec.missed.runs)) + ", of the last " + to_string(spec.missed.window) +
                           (spec.missed.runs == Missed::all ? ", at most " + std::to_string(spec.missed.cap) : ""));
  print_fact("overlap", std::string(to_string(spec.overlap)));
  print_job_facts(spec.job);
  if (info.last) {
    print_fact("last", utc_text(*info.last) + (info.last_job ? "  job " + to_string(*info.last_job) : ""));
  }
  print_upcoming(info, zones);
}

std::vector<Instant> upcoming(const RecurringInfo& info, const Zones& zones, std::size_t count) {
  std::vector<Instant> instants;
  if (!info.next) return instants;
  instants.push_back(info.next->nominal);
  while (instants.size() < count) {
    const auto next = next_occurrence(info.spec.recurrence, instants.back(), zones);
    if (!next || !*next) break;
    instants.push_back(**next);
  }
  return instants;
}

}  // namespace daybook::cli
