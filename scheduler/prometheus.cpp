// SPDX-License-Identifier: Apache-2.0

// Each metric once: its name, what it means, and how it is read off the values.
#include <charconv>
#include <functional>
#include <utility>

#include "daybook/core/refusal.hpp"
#include "daybook/metrics.hpp"

namespace daybook {

namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr double microsecond = 1e-6;

std::string number(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

class Emit {
 public:
  Emit(std::string_view family, std::vector<MetricSample>& into) : family_(family), into_(into) {}
  void operator()(double value, Labels labels = {}) { add("", value, std::move(labels)); }
  void count(std::uint64_t value, Labels labels = {}) { add("", static_cast<double>(value), std::move(labels)); }
  void histogram(const Histogram& values, double unit) {
    std::uint64_t below = 0;
    for (std::size_t bucket = 0; bucket < Histogram::bounds; ++bucket) {
      below += values.counts[bucket];
      const double bound = static_cast<double>(Histogram::bound(bucket)) * unit;
      add("_bucket", static_cast<double>(below), {{"le", number(bound)}});
    }
    const auto count = static_cast<double>(values.count());
    add("_bucket", count, {{"le", "+Inf"}});
    add("_sum", static_cast<double>(values.sum) * unit, {});
    add("_count", count, {});
  }

 private:
  void add(const char* suffix, double value, Labels labels) {
    into_.push_back({std::string(family_) + suffix, std::move(labels), value});
  }
  std::string_view family_;
  std::vector<MetricSample>& into_;
};

using Activity = Metrics::Activity;
using OfBook = void (*)(const Metrics&, Emit&);
using OfActivity = void (*)(const Activity&, Emit&);

struct Family {
  MetricFamily family;
  OfBook of_book = nullptr;
  OfActivity of_activity = nullptr;
};

template <class Name, std::size_t size>
void by_number(const std::array<std::uint64_t, size>& counts, const char* label, Name name, Emit& emit) {
  for (std::size_t i = 0; i < size; ++i) {
    if (counts[i] != 0) emit.count(counts[i], {{label, std::string(name(i))}});
  }
}

const std::vector<Family>& families() {
  static const std::vector<Family> all{
      {{"daybook_jobs", "gauge", "Jobs by queue and stored state."},
       [](const Metrics& metrics, Emit& emit) {
         for (const auto& row : metrics.queues) {
           for (std::size_t state = 0; state < row.jobs.size(); ++state) {
             emit.count(row.jobs[state],
                        {{"queue", row.queue}, {"state", std::string(to_string(static_cast<JobState>(state)))}});
           }
         }
       }},
      {{"daybook_oldest_due_age_seconds", "gauge",
        "How long ago the oldest claimable job fell due, among the first 100 in claim order; 0: none is due."},
       [](const Metrics& metrics, Emit& emit) {
         for (const auto& row : metrics.queues) {
           const Duration age = row.oldest_due_age.value_or(Duration(0));
           emit(static_cast<double>(age.count()) * microsecond, {{"queue", row.queue}});
         }
       }},
      {{"daybook_queue_paused", "gauge", "1 while nothing is claimed from the queue."},
       [](const Metrics& metrics, Emit& emit) {
         for (const auto& row : metrics.queues) emit(row.paused ? 1 : 0, {{"queue", row.queue}});
       }},
      {{"daybook_last_sequence", "gauge", "The sequence of the last event."},
       [](const Metrics& metrics, Emit& emit) { emit.count(metrics.head.value()); }},
      {{"daybook_held", "gauge", "1 while the book is a copy that runs nothing until it is adopted."},
       [](const Metrics& metrics, Emit& emit) { emit(metrics.held ? 1 : 0); }},
      {{"daybook_clock_doubted", "gauge", "1 while nothing is claimed because the clock is in doubt."},
       [](const Metrics& metrics, Emit& emit) { emit(metrics.clock_doubted ? 1 : 0); }},
      {{"daybook_segment_bytes", "gauge", "Bytes of all files of the log, what is allocated ahead included."},
       [](const Metrics& metrics, Emit& emit) { emit.count(metrics.segment_bytes); }},
      {{"daybook_events_total", "counter", "Events recorded since the book was opened, by type."},
       nullptr,
       [](const Activity& activity, Emit& emit) {
         const auto names = all_event_type_names();
         by_number(
             activity.events, "type", [&](std::size_t i) { return names.at(i); }, emit);
       }},
      {{"daybook_retries_total", "counter", "Attempts that failed, or lost their lease, and will be made again."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.count(activity.retries); }},
      {{"daybook_dead_total", "counter", "Jobs that died, by reason."},
       nullptr,
       [](const Activity& activity, Emit& emit) {
         by_number(
             activity.dead, "reason", [](std::size_t i) { return to_string(static_cast<DeadReason>(i)); }, emit);
       }},
      {{"daybook_refusals_total", "counter", "Refused requests and outcomes, by code."},
       nullptr,
       [](const Activity& activity, Emit& emit) {
         by_number(
             activity.refusals, "code", [](std::size_t i) { return to_string(static_cast<RefusalCode>(i)); }, emit);
       }},
      {{"daybook_lateness_seconds", "histogram", "Between the due time of a job and its claim."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.histogram(activity.lateness, microsecond); }},
      {{"daybook_run_seconds", "histogram", "Between the claim of a job and the end of the attempt, however it ended."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.histogram(activity.run_time, microsecond); }},
      {{"daybook_runs_not_timed_total", "counter", "Attempts that ended and are not in daybook_run_seconds."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.count(activity.runs_not_timed); }},
      {{"daybook_sync_seconds", "histogram", "To write one batch of events to the log and sync it."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.histogram(activity.sync_time, microsecond); }},
      {{"daybook_sync_events", "histogram", "Events that shared one sync."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.histogram(activity.sync_events, 1); }},
      {{"daybook_written_bytes_total", "counter", "Bytes written to the log, framing included."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.count(activity.written_bytes); }},
      {{"daybook_syncs_total", "counter", "Syncs of the log's files, the witness included."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.count(activity.syncs); }},
      {{"daybook_projection_lag_events", "gauge", "Events that the index on the disk does not hold yet."},
       nullptr,
       [](const Activity& activity, Emit& emit) { emit.count(activity.projection_lag); }},
  };
  return all;
}

std::vector<MetricSample> samples_of(const Family& family, const Metrics& metrics) {
  std::vector<MetricSample> made;
  Emit emit(family.family.name, made);
  if (family.of_book != nullptr) family.of_book(metrics, emit);
  if (family.of_activity != nullptr && metrics.activity) family.of_activity(*metrics.activity, emit);
  return made;
}

std::string escaped_label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::vector<MetricFamily> metric_families() {
  std::vector<MetricFamily> all;
  for (const Family& family : families()) all.push_back(family.family);
  return all;
}

std::vector<MetricSample> samples(const Metrics& metrics) {
  std::vector<MetricSample> all;
  for (const Family& family : families()) {
    for (MetricSample& sample : samples_of(family, metrics)) all.push_back(std::move(sample));
  }
  return all;
}

std::string to_prometheus(const Metrics& metrics) {
  std::string text;
  for (const Family& family : families()) {
    const auto made = samples_of(family, metrics);
    if (made.empty()) continue;
    const std::string name(family.family.name);
    text += "# HELP " + name + " " + std::string(family.family.help) + "\n";
    text += "# TYPE " + name + " " + std::string(family.family.type) + "\n";
    for (const MetricSample& sample : made) {
      text += sample.name;
      for (std::size_t i = 0; i < sample.labels.size(); ++i) {
        const auto& [label, value] = sample.labels[i];
        text += (i == 0 ? "{" : ",") + label + "=\"" + escaped_label(value) + "\"";
      }
      text += (sample.labels.empty() ? " " : "} ") + number(sample.value) + "\n";
    }
  }
  return text;
}

}  // namespace daybook
