// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/snapshot.hpp"

#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

std::string hex_of(const Hash& hash) {
  return hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

int snapshot(const Common& common) {
  require_book(common);
  // Another process may have the book open for writing: it is disturbed by nothing here.
  const auto storage = PosixStorage::open(common.directory, Access::read_write);
  const LogReader log(*storage);
  const Sequence head = log.head().sequence;
  if (head == Sequence()) throw RefusedError("nothing has happened in this book yet, so there is nothing to keep");
  std::optional<TakenSnapshot> taken;
  {
    ProgressLine progress("folding");
    taken = take_snapshot(*storage, log, {}, progress.callback());
  }
  for (const std::string& note : taken->notes) tell("daybook: " + sanitized(note));
  const SnapshotSummary& made = taken->summary;
  Instant at{};
  log.read(head, [&](const RecordedEvent& recorded) {
    at = recorded.wall;
    return false;
  });
  if (common.json) {
    print_json({{"seq", head.value()},
                {"at", to_string(at)},
                {"path", snapshot_name(head)},
                {"bytes", made.bytes},
                {"jobs", made.counts.jobs},
                {"folded", taken->events_folded},
                {"existed", taken->existed},
                {"state_hash", hex_of(made.state_hash)},
                {"sha256", hex_of(made.file_sha256)},
                {"tree_root", hex_of(made.frontier.root())}});
    return static_cast<int>(Exit::fine);
  }
  print((taken->existed ? "there is a snapshot of #" : "took a snapshot of #") + std::to_string(head.value()) + ", " +
        to_string(at) + ": " + counted(made.counts.jobs, "job") + ", " + size_text(made.bytes));
  print("state       " + hex_of(made.state_hash));
  print("sha-256     " + hex_of(made.file_sha256) + "  " + snapshot_name(head));
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_snapshot(Tool& tool) {
  tool.verb("snapshot", "keeps the state as it is, so that a restart need not begin with the first event",
            Opens::reading)
      .about(
          "keeps the state as it is now in a file of its own, read back and verified. What has to be folded from the "
          "log\n"
          "anew (a lost index, a look into the past) then begins there. Works beside a running service, which takes\n"
          "snapshots by itself now and then. The two newest are kept.")
      .example(
          "  $ daybook snapshot\n"
          "  took a snapshot of #1204, 2026-03-04T12:05:00.113204Z: 395 jobs, 61.3 KiB\n"
          "  state       5d1c…\n"
          "  sha-256     77ab…  snapshots/00000000000000001204.snap\n")
      .runs([&tool] { return snapshot(tool.common()); });
}

}  // namespace daybook::cli
