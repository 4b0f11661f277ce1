// SPDX-License-Identifier: Apache-2.0
// A crontab becomes recurring schedules of one owner: importing it again changes what changed and removes what is gone.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "crontab.hpp"
#include "daybook/core/names.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_zones.hpp"
#include "exit.hpp"
#include "instants.hpp"
#include "job_options.hpp"
#include "recurring_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;

// Behind it come a program, a hash and a number.
constexpr std::size_t kPrefixBytesMax = limits::name_bytes_max - 68;

struct ImportOptions {
  std::string file;
  bool system = false;
  std::optional<std::string> zone;
  std::optional<std::string> owner;
  std::string queue = "cron";
  std::string kind = "command";
  std::uint32_t max_attempts = 1;
  std::optional<Missed> missed;
  std::optional<Overlap> overlap;
  bool dry_run = false;
};

std::string read_text(const std::string& path) {
  std::string bytes = read_bytes("FILE", path, kFileBytesMax);
  if (bytes.size() > kFileBytesMax) {
    throw UsageError("FILE " + daybook::quoted(path) + ": is larger than " + size_text(kFileBytesMax) +
                     ", which is no crontab");
  }
  return bytes;
}

/// What cron on this machine goes by: the name that /etc/localtime is a link to. UTC when it is none.
std::string zone_of_machine(const Zones& zones) {
  std::error_code error;
  const std::string target = std::filesystem::read_symlink("/etc/localtime", error).string();
  constexpr std::string_view folder = "/zoneinfo/";
  const std::size_t at = target.rfind(folder);
  if (error || at == std::string::npos) return "UTC";
  const std::string name = target.substr(at + folder.size());
  return zones.find(name) == nullptr ? "UTC" : name;
}

CrontabOptions crontab_options(const ImportOptions& options, const Zones& zones) {
  CrontabOptions how;
  how.form = options.system ? CrontabForm::system : CrontabForm::user;
  how.zone = options.zone ? *options.zone : zone_of_machine(zones);
  if (const auto known = find_zone(zones, how.zone); !known) throw UsageError("--zone: " + known.error().sentence);
  if (options.owner) {
    how.owner = how.prefix = *options.owner;
  } else if (options.file == "-") {
    throw UsageError("whose crontab is it? Name it with --owner, so that its next import finds what this one declared");
  } else {
    const auto path = std::filesystem::absolute(options.file).lexically_normal();
    how.owner = path.string();
    how.prefix = path.stem().string();
  }
  if (const auto fine = check_name("the owner", how.owner); !fine) {
    throw UsageError(fine.error().sentence + ". Name it with --owner");
  }
  if (how.prefix.size() > kPrefixBytesMax) {
    throw UsageError("the names would begin with " + daybook::quoted(how.prefix) +
                     ", which leaves no room for the rest: give an --owner of at most " +
                     std::to_string(kPrefixBytesMax) + " bytes");
  }
  return how;
}

RecurringSpec spec_of(const CrontabJob& line, const ImportOptions& options) {
  RecurringSpec spec;
  spec.name = line.name;
  spec.recurrence.rule = CronRule{.expression = line.cron, .zone = line.zone};
  spec.recurrence.jitter = line.jitter;
  spec.job.queue = options.queue;
  spec.job.kind = options.kind;
  spec.job.payload = Envelope(line.script);
  spec.job.retry.max_attempts = options.max_attempts;
  if (!line.user.empty()) spec.job.tags = {{"user", line.user}};
  if (options.missed) spec.missed.runs = *options.missed;
  if (options.overlap) spec.overlap = *options.overlap;
  return spec;
}

// ---- what is said ----

Json remark_json(const CrontabRemark& remark) {
  return {{"line", remark.line},
          {"column", remark.column},
          {"taken", remark.weight == CrontabRemark::Weight::note},
          {"message", remark.sentence}};
}

void tell_remarks(const Common& common, const ImportOptions& options, const Crontab& crontab) {
  const std::string file = sanitized(options.file == "-" ? "standard input" : options.file);
  for (const CrontabRemark& remark : crontab.remarks) {
    if (common.json) {
      print_json(remark_json(remark));
    } else {
      tell(file + ":" + std::to_string(remark.line) + ":" + std::to_string(remark.column) + ": " +
           (remark.weight == CrontabRemark::Weight::note ? "note: " : "not taken: ") + remark.sentence);
    }
  }
}

void print_lines(const Common& common, const Crontab& crontab, const std::vector<RecurringSpec>& specs,
                 const Zones& zones) {
  const Instant now = SystemClock().wall();
  Table table({{"LINE", Table::Align::right}, {"NAME"}, {"RECURS"}, {"NEXT"}, {"COMMAND"}});
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const CrontabJob& line = crontab.jobs[i];
    const auto next = take(next_occurrence(specs[i].recurrence, now, zones));
    if (common.json) {
      Json object = {{"line", line.line}, {"name", line.name}, {"cron", to_string(line.cron)}, {"zone", line.zone}};
      if (next) object["next_at"] = to_string(*next);
      object["command"] = is_utf8(line.command) ? line.command : sanitized(line.command);
      if (!line.user.empty()) object["user"] = line.user;
      print_json(object);
    } else {
      table.row({std::to_string(line.line), sanitized(line.name), rule_text(specs[i].recurrence),
                 next ? utc_text(*next) : "-", excerpt(line.command, 60)});
    }
  }
  if (!table.empty()) table.print();
}

void print_summary(const Common& common, const std::string& owner, const Synced& synced, std::size_t not_taken) {
  if (common.json) {
    print_json({{"owner", owner},
                {"added", synced.added},
                {"changed", synced.changed},
                {"removed", synced.removed},
                {"unchanged", synced.unchanged},
                {"not_taken", not_taken}});
    return;
  }
  print(sanitized(owner) + ": " + std::to_string(synced.added) + " added, " + std::to_string(synced.changed) +
        " changed, " + std::to_string(synced.removed) + " removed, " + std::to_string(synced.unchanged) +
        " as they were" + (not_taken == 0 ? "" : "; " + counted(not_taken, "line") + " not taken"));
}

void tell_what_next(const ImportOptions& options) {
  if (!options.missed && !options.overlap) {
    tell(
        "unlike cron, a run that was missed runs once later (--missed skip), and none starts beside one that has not "
        "ended (--overlap allow)");
  }
  tell("to run them: daybook work --queue " + shell_word(options.queue) + " -- sh");
}

int import_crontab(const Common& common, const ImportOptions& options) {
  const SystemZones zones;
  const CrontabOptions how = crontab_options(options, zones);
  const Crontab crontab = read_crontab(read_text(options.file), how, zones);
  const std::size_t not_taken = crontab.not_taken();
  SyncRecurring command{.owner = how.owner, .specs = {}};
  for (const CrontabJob& line : crontab.jobs) command.specs.push_back(spec_of(line, options));

  tell_remarks(common, options, crontab);
  if (command.specs.empty() && not_taken > 0) {
    throw RefusedError("no line could be taken, so nothing was changed" +
                       std::string(options.system ? "" : "; a file with users in it is read with --system"));
  }
  // Most likely nobody meant it: crontab -l of a user who has none says nothing.
  if (command.specs.empty()) {
    throw RefusedError("there is no job in it, so nothing was changed; daybook recurring list --owner " +
                       shell_word(how.owner) + " shows what it declared before, daybook recurring remove ends one");
  }
  rehearse(common, command);
  print_lines(common, crontab, command.specs, zones);
  const Exit code = not_taken == 0 ? Exit::fine : Exit::refused;
  if (options.dry_run) {
    tell("nothing was changed; without --dry-run they are declared");
    return static_cast<int>(code);
  }
  Daybook book = open_book(common, IfMissing::create);
  const auto synced = std::get<Synced>(execute(book, common, command));
  book.close();
  print_summary(common, how.owner, synced, not_taken);
  if (!common.json) tell_what_next(options);
  return static_cast<int>(code);
}

}  // namespace

void add_import_crontab(Tool& tool) {
  auto options = std::make_shared<ImportOptions>();
  tool.verb("import-crontab", "makes recurring schedules of a crontab", Opens::writing)
      .about(
          "declares a recurring schedule for each line of a crontab, whose jobs daybook work -- sh runs as cron "
          "would.\n"
          "What cannot be taken is told by line and column, and the exit code is 1 then. Importing the file again "
          "changes\n"
          "what changed, and removes what is gone. Makes the daybook when the directory is missing or empty.")
      .argument("FILE", options->file, "the crontab; \"-\" reads standard input, as in crontab -l | …")
      .flag("--system", options->system, "a user stands in front of each command, as in /etc/crontab and /etc/cron.d")
      .option("--zone", "ZONE", options->zone, "whose clocks count where no CRON_TZ stands above (this machine's)")
      .option("--owner", "O", options->owner,
              "who declares them, and how their names begin (the file's path, and its name)")
      .option("--queue", "Q", options->queue, "the queue of their jobs (cron)")
      .option("--kind", "K", options->kind, "the kind of their jobs (command)")
      .option("--max-attempts", "N", options->max_attempts,
              "dead after so many failures (1: as cron, never tried again)")
      .option("--missed", "WHAT", options->missed, "see recurring add: skip (as cron), once, all (once)")
      .option("--overlap", "WHAT", options->overlap,
              "see recurring add: allow (as cron), skip, buffer_one,\nbuffer_all, cancel_other (skip)")
      .flag("--dry-run", options->dry_run,
            "only shows what would be declared, and when each is due next; needs no book")
      .takes_reason()
      .example(
          "  $ crontab -l | daybook import-crontab - --owner ada --zone Europe/Prague\n"
          "  LINE  NAME                 RECURS                     NEXT                  COMMAND\n"
          "     4  ada/backup-0bd1f3c7  30 2 * * * Europe/Prague   2026-03-05T01:30:00Z  /usr/local/bin/backup --all\n"
          "  ada: 1 added, 0 changed, 0 removed, 0 as they were\n"
          "  $ daybook work --queue cron -- sh\n")
      .without_book(options->dry_run)
      .runs([&tool, options] { return import_crontab(tool.common(), *options); });
}

}  // namespace daybook::cli
