// SPDX-License-Identifier: Apache-2.0
// A backup of a book that may be at work meanwhile.
#include "daybook/replay/backup.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "daybook/replay/snapshot.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_random.hpp"
#include "exit.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

std::optional<State> state_of_snapshot(Storage& storage) {
  const LogReader log(storage);
  SnapshotSearch search = newest_snapshot(snapshots_of(storage, log), log.head().sequence);
  if (!search.found) return std::nullopt;
  return std::move(search.found->state);
}

int backup(const Common& common, const std::string& out) {
  require_book(common);
  const std::string shown = sanitized(out);
  std::error_code error;
  if (std::filesystem::exists(out, error) && !std::filesystem::is_empty(out, error)) {
    throw RefusedError(shown +
                       " is not empty, and nothing in it was changed: name a directory that does not exist yet");
  }
  const auto from = PosixStorage::open(common.directory, Access::read_only);
  const auto into = PosixStorage::open(out, Access::create);
  const Locked lock = into->lock("daybook backup");
  if (lock.lock == nullptr) throw RefusedError(shown + " is held by " + sanitized(lock.owner));
  SystemClock clock;
  SystemRandom random;
  Backup made;
  {
    ProgressLine progress("backing up");
    made = back_up(*from, *into, clock, random, state_of_snapshot, progress.callback());
  }
  if (common.json) {
    print_json({{"out", out},
                {"seq", made.copied.sequence.value()},
                {"chain", hex({reinterpret_cast<const char*>(made.copied.chain.data()), made.copied.chain.size()})},
                {"head", made.head.sequence.value()},
                {"segments", made.segments},
                {"bytes", made.bytes},
                {"held", true}});
  } else {
    print(shown + " holds everything up to #" + std::to_string(made.copied.sequence.value()) + ": " +
          counted(made.segments, "segment") + ", " + size_text(made.bytes) + "; every checksum and the chain hold");
    tell("It is held: it can be read, and runs nothing until\n  daybook adopt --dir " + shell_word(out) +
         " --reason …");
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_backup(Tool& tool) {
  auto out = std::make_shared<std::string>();
  tool.verb("backup", "copies the book into a new directory, also while it is at work", Opens::reading)
      .about(
          "copies the book into a new directory, with its segments as they are. Works beside a running service, and "
          "holds\n"
          "all that was acknowledged when it began. The copy was read through, and is held: to restore, adopt it.\n"
          "Never adopt a backup while the original still runs: both would run the same jobs.")
      .option("--out", "NEWDIR", *out, "missing, or empty")
      .required()
      .example(
          "  $ daybook backup --out /backup/monday\n"
          "  /backup/monday holds everything up to #4120: 2 segments, 192.6 KiB; every checksum and the chain hold\n")
      .runs([&tool, out] { return backup(tool.common(), *out); });
}

}  // namespace daybook::cli
