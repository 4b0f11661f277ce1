// SPDX-License-Identifier: Apache-2.0
#include "daybook/metrics.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

int metrics(const Common& common) {
  ReadingBook book(common);
  State state = book.state();
  const Moment now = moment_now(state);
  state.advance(now);
  Metrics metrics = metrics_of(state, now);
  metrics.segment_bytes = segment_bytes_of(book.storage());
  if (!common.json) {
    std::string text = to_prometheus(metrics);
    text.pop_back();  // print ends the line
    print(text);
    return book.exit_code();
  }
  for (const MetricSample& sample : samples(metrics)) {
    Json object = {{"name", sample.name}, {"value", sample.value}, {"labels", Json::object()}};
    for (const auto& [label, value] : sample.labels) object["labels"][label] = value;
    print_json(object);
  }
  return book.exit_code();
}

}  // namespace

void add_metrics(Tool& tool) {
  tool.verb("metrics", "numbers for monitoring, as Prometheus reads them", Opens::reading)
      .about(
          "shows what can be read off the book in Prometheus' text format: jobs by queue and state, how long the "
          "oldest "
          "one is\n"
          "due, the bytes of the log. What only the process that has the book open can count (retries, lateness, run "
          "times, syncs)\n"
          "comes from Daybook::metrics(), or from daybook work --metrics-file.")
      .example(
          "  $ daybook metrics\n"
          "  # HELP daybook_jobs Jobs by queue and stored state.\n"
          "  # TYPE daybook_jobs gauge\n"
          "  daybook_jobs{queue=\"mail\",state=\"waiting\"} 12\n")
      .runs([&tool] { return metrics(tool.common()); });
}

}  // namespace daybook::cli
