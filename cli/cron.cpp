// SPDX-License-Identifier: Apache-2.0
// When a cron expression comes true: nothing but arithmetic, so it needs no book.
#include <nlohmann/json.hpp>

#include "daybook/core/recurrence.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_zones.hpp"
#include "exit.hpp"
#include "instants.hpp"
#include "output.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

struct CronOptions {
  CronRule rule;
  std::optional<Instant> from;
  std::uint32_t count = 10;
};

int cron(const Common& common, const CronOptions& options) {
  if (options.count == 0) throw UsageError("--count 0 would show nothing; give 1 or more");
  const SystemZones zones;
  const auto found = find_zone(zones, options.rule.zone);
  if (!found) throw UsageError("--zone: " + found.error().sentence);
  const Zone& zone = **found;
  // The instant that is asked from may be the first.
  Instant after = (options.from ? *options.from : SystemClock().wall()) - Duration(1);
  Table table({{"LOCAL"}, {"UTC"}, {""}});
  std::uint32_t shown = 0;
  for (; shown < options.count; ++shown) {
    const auto next = next_occurrence(options.rule, after, zone);
    if (!next) break;
    after = *next;
    const std::string_view note = note_text(dst_note(options.rule, *next, zone));
    if (common.json) {
      Json object = {{"local", local_text(*next, zone)}, {"at", to_string(*next)}};
      if (!note.empty()) object["note"] = note;
      print_json(object);
    } else {
      table.row({local_text(*next, zone), utc_text(*next), std::string(note)});
    }
  }
  if (!table.empty()) table.print();
  if (shown < options.count) tell("no more up to the year 9999");
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_cron(Tool& tool) {
  auto options = std::make_shared<CronOptions>();
  tool.verb("cron", "when a cron expression comes true next", Opens::nothing)
      .about("prints the next instants of a cron expression, in local time and in UTC. Needs no book.")
      .argument("EXPR", options->rule.expression,
                "five fields, or six with the second in front, or @daily and the like")
      .option("--zone", "ZONE", options->rule.zone, "the IANA time zone whose clocks count (UTC)")
      .option("--from", "TIME", options->from, "the first instant that may be one (now)")
      .option("--count", "N", options->count, "how many (10)")
      .option("--dst-gap", "P", options->rule.gap, "a local time that clocks leave out: skip it, or shift it (shift)")
      .option("--dst-repeat", "P", options->rule.repeat,
              "a local time that clocks show twice: first, last or both (first)")
      .example(
          "  $ daybook cron '30 2 * * *' --zone Europe/Prague --from 2026-03-28T00:00:00Z --count 3\n"
          "  LOCAL                      UTC\n"
          "  2026-03-28T02:30:00+01:00  2026-03-28T01:30:00Z\n"
          "  2026-03-29T03:30:00+02:00  2026-03-29T01:30:00Z  shifted by DST\n"
          "  2026-03-30T02:30:00+02:00  2026-03-30T00:30:00Z\n")
      .runs([&tool, options] { return cron(tool.common(), *options); });
}

}  // namespace daybook::cli
