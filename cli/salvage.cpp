// SPDX-License-Identifier: Apache-2.0
// From a damaged book to a new one that says what it lacks. The damaged one is only read.
#include "daybook/replay/salvage.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_random.hpp"
#include "exit.hpp"
#include "holding.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

constexpr std::size_t kShown = 20;

struct SalvageOptions {
  std::string out;
  bool while_open = false;
};

/// Nobody may write meanwhile. A directory that cannot be written to has no writer that could be kept out.
std::unique_ptr<StorageLock> keep_writers_out(const Common& common, bool while_open) {
  if (while_open) return nullptr;
  std::unique_ptr<PosixStorage> storage;
  try {
    storage = PosixStorage::open(common.directory, Access::read_write);
  } catch (const StorageError&) {
    return nullptr;
  }
  return hold(*storage, common);
}

std::unique_ptr<PosixStorage> new_directory(const std::string& out) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::exists(out, error) && !fs::is_empty(out, error)) {
    throw RefusedError(sanitized(out) +
                       " is not empty, and nothing in it was changed: name a directory that does not exist yet");
  }
  return PosixStorage::open(out, Access::create);
}

// So that the same name can be given again.
void remove_what_holds_nothing(const std::string& out) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::remove(fs::path(out) / "LOCK", ignored);
  fs::remove(out, ignored);
}

Json report_json(const SalvageReport& report, const std::string& out) {
  Json object = {{"out", out},
                 {"whole", report.whole()},
                 {"from", to_string(report.from)},
                 {"last", report.last.value()},
                 {"head", report.head.sequence.value()},
                 {"held", true},
                 {"dropped_through", report.dropped_through.value()},
                 {"snapshot", report.snapshot.value()},
                 {"copied", report.copied},
                 {"lost", report.lost},
                 {"gaps", Json::array()},
                 {"set_aside", Json::array()},
                 {"uncertain", Json::array()},
                 {"left_dead", Json::array()},
                 {"notes", report.notes}};
  for (const Hole& hole : report.holes) {
    Json gap = {
        {"first", hole.first.value()}, {"last", hole.last.value()}, {"path", hole.place.path}, {"found", hole.found}};
    if (hole.place.offset) gap["offset"] = *hole.place.offset;
    object["gaps"].push_back(std::move(gap));
  }
  for (const SetAside& event : report.set_aside) {
    object["set_aside"].push_back({{"seq", event.sequence.value()}, {"type", event.type}, {"why", event.why}});
  }
  for (const JobId& id : report.uncertain) object["uncertain"].push_back(to_string(id));
  for (const JobId& id : report.left_dead) object["left_dead"].push_back(to_string(id));
  return object;
}

void print_jobs(const std::vector<JobId>& jobs) {
  for (std::size_t i = 0; i < std::min(jobs.size(), kShown); ++i) print("  " + to_string(jobs[i]));
  if (jobs.size() > kShown) print("  … and " + grouped(jobs.size() - kShown) + " more");
}

void print_report(const SalvageReport& report, const std::string& out) {
  print(out + " holds what can be proved: " + counted(report.copied, "event") + " of " + grouped(report.last.value()));
  if (report.snapshot != Sequence()) {
    print("events up to #" + std::to_string(report.dropped_through.value()) +
          " were dropped before; what they led to is known from the snapshot of #" +
          std::to_string(report.snapshot.value()));
  }
  for (const std::string& note : report.notes) print("note: " + sanitized(note));
  for (const Hole& hole : report.holes) {
    print("LOST: #" + std::to_string(hole.first.value()) + " to #" + std::to_string(hole.last.value()) + " (" +
          counted(hole.last.value() - hole.first.value() + 1, "event") + ")");
    print("  file    " + sanitized(hole.place.path));
    if (hole.place.offset) print("  offset  " + std::to_string(*hole.place.offset));
    print("  found   " + sanitized(hole.found));
  }
  if (!report.set_aside.empty()) {
    print("SET ASIDE: " + counted(report.set_aside.size(), "event") + " cannot follow what is left, and " +
          (report.set_aside.size() == 1 ? "is" : "are") + " kept without effect");
    for (std::size_t i = 0; i < std::min(report.set_aside.size(), kShown); ++i) {
      const SetAside& event = report.set_aside[i];
      print("  #" + std::to_string(event.sequence.value()) + "  " + event.type + ": " + sanitized(event.why));
    }
    if (report.set_aside.size() > kShown) print("  … and " + grouped(report.set_aside.size() - kShown) + " more");
  }
  if (!report.uncertain.empty()) {
    print("UNCERTAIN: " + counted(report.uncertain.size(), "job") + ": what became of " +
          (report.uncertain.size() == 1 ? "it" : "them") + " is not known, and nothing runs " +
          (report.uncertain.size() == 1 ? "it" : "them") + " until somebody decides");
    print_jobs(report.uncertain);
  }
  if (!report.left_dead.empty()) {
    print("LEFT DEAD: " + counted(report.left_dead.size(), "job") +
          " may have been retried in a gap; another job holds the unique key now");
    print_jobs(report.left_dead);
  }
}

void tell_what_next(const SalvageReport& report, const std::string& out) {
  std::string next = "It is held: it can be read, and runs nothing until somebody adopts it";
  next += "\n  daybook adopt --dir " + out + " --reason …";
  if (!report.uncertain.empty()) {
    next += "\nthen decide about each uncertain job: retry it, or cancel it";
    next += "\n  daybook jobs --dir " + out + " --state uncertain";
    next += "\n  daybook retry ID --dir " + out + " --reason …";
    next += "\n  daybook cancel ID --dir " + out + " --reason …";
  }
  if (!report.whole()) next += "\nKeep the damaged book as it is: it was not changed";
  tell(next);
}

int salvage(const Common& common, const SalvageOptions& options) {
  require_book(common);
  const auto lock = keep_writers_out(common, options.while_open);
  const auto from = PosixStorage::open(common.directory, Access::read_only);
  const auto out = new_directory(options.out);
  Locked locked = out->lock("daybook salvage");
  const std::string shown = sanitized(options.out);
  if (locked.lock == nullptr) throw RefusedError(shown + " is held by " + sanitized(locked.owner));
  SystemClock clock;
  SystemRandom random;
  SalvageReport report;
  try {
    ProgressLine progress("salvaging");
    report = salvage_log(*from, *out, clock, random, progress.callback());
  } catch (const DroppedError&) {
    locked.lock.reset();
    remove_what_holds_nothing(options.out);
    throw RefusedError(
        "the beginning of this log was dropped, and no snapshot can be believed to begin with: every job of that time "
        "would be lost. Nothing was done. Restore the newest backup; daybook log shows what can be read");
  }
  if (common.json) {
    print_json(report_json(report, options.out));
  } else {
    print_report(report, shown);
    tell_what_next(report, shell_word(options.out));
  }
  return static_cast<int>(report.whole() ? Exit::fine : Exit::damage);
}

}  // namespace

void add_salvage(Tool& tool) {
  auto options = std::make_shared<SalvageOptions>();
  tool.verb("salvage", "makes a new book of what a damaged one still proves", Opens::holding)
      .about(
          "copies every event of a damaged book that can be proved into a new directory, and declares the gaps there.\n"
          "The damaged book is only read. The new one is held; jobs whose history may have a hole are uncertain in "
          "it,\n"
          "and run only when somebody retries them. Exits 3 when anything was lost.")
      .option("--out", "NEWDIR", options->out, "missing, or empty")
      .required()
      .flag("--while-open", options->while_open,
            "also while a process has the book open; what it writes meanwhile may\ncount as lost")
      .example(
          "  $ daybook salvage --out rescued\n"
          "  rescued holds what can be proved: 1,201 events of 1,204\n"
          "  LOST: #77 to #79 (3 events)\n"
          "    file    log/00000000000000000001.seg\n"
          "    offset  20488\n"
          "    found   batch payload checksum: its bytes give 1c2d3e4f, expected 9a8b7c6d\n"
          "  UNCERTAIN: 2 jobs: what became of them is not known, and nothing runs them until somebody decides\n"
          "  …\n")
      .runs([&tool, options] { return salvage(tool.common(), *options); });
}

}  // namespace daybook::cli
