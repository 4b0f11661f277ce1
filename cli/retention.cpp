// SPDX-License-Identifier: Apache-2.0
// How long final jobs and results are kept, and letting go of what is older at once.
#include "daybook/core/retention.hpp"

#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "output.hpp"
#include "reading.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

struct RetentionOptions {
  std::vector<std::pair<std::string, std::optional<std::string>>> given;  // by the setting's name
};

Json json_of(const Retention& retention) {
  Json object = Json::object();
  for (const Setting& setting : settings_of(retention)) {
    object[setting.key.substr(setting.key.find('.') + 1)] = setting.value;
  }
  return object;
}

void print_retention(const Common& common, const Retention& retention) {
  if (common.json) return print_json(json_of(retention));
  Table table({{"KEPT"}, {"FOR"}, {"AT MOST", Table::Align::right}});
  const auto shown = [](const std::optional<Duration>& age) { return age ? to_string(*age) : "ever"; };
  const auto row = [&](const std::string& what, const Retention::Rule& rule) {
    table.row({what, shown(rule.age), rule.count ? grouped(*rule.count) : "any number"});
  };
  row("completed jobs", retention.completed);
  row("cancelled jobs", retention.cancelled);
  row("dead jobs", retention.dead);
  table.row({"results", shown(retention.results), ""});
  table.print();
}

int retention(const Common& common, const RetentionOptions& options) {
  std::vector<Setting> settings;
  for (const auto& [key, value] : options.given) {
    if (value) settings.push_back({"retention." + key, *value});
  }
  if (settings.empty()) {
    ReadingBook book(common);
    print_retention(common, retention_of(book.state()));
    return book.exit_code();
  }
  for (const Setting& setting : settings) {
    if (const auto refused = check_retention_setting(setting)) throw UsageError(refused->sentence);
  }
  Daybook book = open_book(common);
  execute(book, common, Configure{settings});
  Retention now;
  book.look([&](const View& view, const Moment&) { now = retention_of(view); });
  book.close();
  print_retention(common, now);
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_retention(Tool& tool) {
  auto options = std::make_shared<RetentionOptions>();
  for (const char* key :
       {"completed.age", "completed.count", "cancelled.age", "cancelled.count", "dead.age", "dead.count", "results"}) {
    options->given.emplace_back(key, std::nullopt);
  }
  auto& given = options->given;
  tool.verb("retention", "how long final jobs and results are kept; with options, sets it", Opens::writing)
      .about(
          "shows how long final jobs and results stay, or sets it. What is older is pruned by whoever has the book "
          "open; its\n"
          "history stays in the log. A change is on record. D is 7d, 12h, …, or never; N is a number, or any.")
      .option("--completed", "D", given[0].second, "completed jobs, since they ended (7d)")
      .option("--completed-count", "N", given[1].second, "at most so many, the newest (any)")
      .option("--cancelled", "D", given[2].second, "cancelled jobs (7d)")
      .option("--cancelled-count", "N", given[3].second, "at most so many (any)")
      .option("--dead", "D", given[4].second, "dead jobs (180d)")
      .option("--dead-count", "N", given[5].second, "at most so many (any)")
      .option("--results", "D", given[6].second, "results, since the completion (24h); a job may ask for its own")
      .takes_reason()
      .example(
          "  $ daybook retention --completed 30d --results 7d --reason \"audit\"\n"
          "  KEPT            FOR      AT MOST\n"
          "  completed jobs  30d   any number\n"
          "  cancelled jobs  7d    any number\n"
          "  dead jobs       180d  any number\n"
          "  results         7d\n")
      .runs([&tool, options] { return retention(tool.common(), *options); });
}

}  // namespace daybook::cli
