// SPDX-License-Identifier: Apache-2.0
// How a recurring schedule is declared on a command line.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "daybook/system/system_zones.hpp"
#include "exit.hpp"
#include "job_options.hpp"
#include "recurring_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

struct AddOptions {
  std::string name;
  std::string owner = "tool";
  std::optional<CronExpression> cron;
  std::optional<Duration> every;
  std::vector<Instant> at;
  std::optional<std::string> zone;
  std::optional<DstGap> gap;
  std::optional<DstRepeat> repeat;
  std::optional<Instant> anchor;
  Recurrence bounds;  // start, end and jitter
  Missed missed = MissedPolicy().runs;
  std::optional<Duration> missed_window;
  std::optional<std::uint32_t> missed_cap;
  Overlap overlap = Overlap::skip;
  JobOptions job;
  std::optional<Duration> start_deadline;
};

/// One of the three rules, and what goes with it alone.
Recurrence recurrence(const AddOptions& options) {
  if (int(options.cron.has_value()) + int(options.every.has_value()) + int(!options.at.empty()) != 1) {
    throw UsageError(
        "when shall it recur? Give one of --cron '0 3 * * *', --every 12h and --at 2027-01-31T09:00:00Z (which may be "
        "repeated)");
  }
  if (!options.cron && (options.zone || options.gap || options.repeat)) {
    throw UsageError("--zone, --dst-gap and --dst-repeat go with --cron alone: nothing else knows local clocks");
  }
  if (!options.every && options.anchor) throw UsageError("--anchor goes with --every alone");
  Recurrence found = options.bounds;
  if (options.cron) {
    CronRule rule{.expression = *options.cron};
    if (options.zone) rule.zone = *options.zone;
    if (options.gap) rule.gap = *options.gap;
    if (options.repeat) rule.repeat = *options.repeat;
    if (const auto zone = find_zone(SystemZones(), rule.zone); !zone)
      throw UsageError("--zone: " + zone.error().sentence);
    found.rule = std::move(rule);
  } else if (options.every) {
    found.rule = IntervalRule{.period = *options.every, .anchor = options.anchor.value_or(Instant())};
  } else {
    CalendarRule rule{.instants = options.at};
    std::sort(rule.instants.begin(), rule.instants.end());
    rule.instants.erase(std::unique(rule.instants.begin(), rule.instants.end()), rule.instants.end());
    found.rule = std::move(rule);
  }
  return found;
}

MissedPolicy missed_policy(const AddOptions& options) {
  if (options.missed_cap && options.missed != Missed::all) {
    throw UsageError("--missed-cap goes with --missed all: otherwise one run at most is made of what was missed");
  }
  if (options.missed_window && options.missed == Missed::skip) {
    throw UsageError("--missed-window goes with --missed once or all: --missed skip makes no run of what was missed");
  }
  MissedPolicy policy{.runs = options.missed};
  if (options.missed_window) policy.window = *options.missed_window;
  if (options.missed_cap) policy.cap = *options.missed_cap;
  return policy;
}

int add(const Common& common, AddOptions& options) {
  complete(options.job);
  RecurringSpec spec{.name = options.name,
                     .recurrence = recurrence(options),
                     .job = options.job.command,
                     .missed = missed_policy(options),
                     .overlap = options.overlap};
  if (options.start_deadline) spec.job.start_deadline = after(*options.start_deadline);
  const DeclareRecurring command{.owner = options.owner, .spec = std::move(spec)};
  rehearse(common, command);
  Daybook book = open_book(common, IfMissing::create);
  const auto declared = std::get<Declared>(execute(book, common, command));
  const RecurringInfo info = take(book.recurring().find(options.name));
  book.close();
  if (common.json) {
    Json object = recurring_json(info);
    object["added"] = declared.added;
    object["changed"] = declared.changed;
    print_json(object);
  } else {
    print(sanitized(options.name) +
          (declared.added     ? "  added  "
           : declared.changed ? "  changed  "
                              : "  as it was  ") +
          (info.paused ? "paused" : next_text(info)));
    if (declared.added) {
      tell("its jobs are made while a service has the book open, or: daybook work --queue " +
           shell_word(info.spec.job.queue) + " -- CMD");
    }
  }
  return static_cast<int>(Exit::fine);
}

Verb& add_rule_options(Verb& verb, AddOptions& options) {
  return verb.argument("NAME", options.name, "what it is called; one of that name is changed")
      .option("--cron", "EXPR", options.cron, "recurs by local clocks: five fields, or six with the second in front")
      .option("--zone", "ZONE", options.zone, "with --cron: the IANA time zone whose clocks count (UTC)")
      .option("--dst-gap", "P", options.gap, "with --cron: a local time that clocks leave out: skip, or shift (shift)")
      .option("--dst-repeat", "P", options.repeat,
              "with --cron: a local time that clocks show twice: first, last\nor both (first)")
      .option("--every", "D", options.every, "recurs each time so much time has passed: 90s, 12h, 7d")
      .option("--anchor", "TIME", options.anchor, "with --every: an instant that it counts from (1970-01-01T00:00:00Z)")
      .repeated("--at", "TIME", options.at, "recurs at these instants alone")
      .option("--start", "TIME", options.bounds.start, "the first instant that may be one")
      .option("--until", "TIME", options.bounds.end, "the first that may no longer be")
      .option("--jitter", "D", options.bounds.jitter, "each run is later by up to this, always by the same")
      .option("--missed", "WHAT", options.missed,
              "of runs whose time passed while nobody had the book open: skip,\nonce (the last of them), or all (once)")
      .option("--missed-window", "D", options.missed_window,
              "with --missed once or all: what was due longer ago is skipped (366d)")
      .option("--missed-cap", "N", options.missed_cap, "with --missed all: the last so many run (100)")
      .option(
          "--overlap", "WHAT", options.overlap,
          "a run that falls due while one has not ended: skip, buffer_one\n(it waits, if no other does), buffer_all, "
          "cancel_other, allow (skip)")
      .option("--owner", "O", options.owner, "who declares it; another's cannot be changed (tool)");
}

}  // namespace

void add_recurring_add(Tool& tool) {
  auto options = std::make_shared<AddOptions>();
  Verb& verb = tool.verb("recurring add", "declares what recurs, or declares it anew", Opens::writing)
                   .about(
                       "declares a recurring schedule: a job is made of it each time it falls due. Declaring it again\n"
                       "changes it. Makes the daybook when the directory is missing or empty.");
  add_rule_options(verb, *options);
  add_job_contents(verb, options->job)
      .option("--start-deadline", "D", options->start_deadline,
              "dead when no worker took the job so long after it was made");
  add_job_policies(verb, options->job)
      .takes_reason()
      .example(
          "  $ daybook recurring add nightly --cron '0 3 * * *' --zone Europe/Prague --queue reports --kind nightly\n"
          "  nightly  added  next 2026-03-05T02:00:00Z\n"
          "  $ daybook recurring add poll --every 90s --overlap skip --queue feeds --kind poll --max-attempts 1\n")
      .runs([&tool, options] { return add(tool.common(), *options); });
}

}  // namespace daybook::cli
