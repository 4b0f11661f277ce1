// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/backup.hpp"

#include <cerrno>

#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/log/synced_copy.hpp"
#include "new_generation.hpp"
#include "staging.hpp"
#include "ticker.hpp"

// The files are copied under names that nobody takes for a log; there the log is opened as after a crash, which seals its last
// segment and begins the next one in a higher epoch; the new generation is its first batch; only then it gets its name.

namespace daybook {
namespace {

constexpr const char* snapshot_folder = "snapshots";

// Snapshots first: the witness, read after them, is at or behind all of them.
SyncedCopy copy_files(Storage& from, Storage& out, Storage& staged, const Progress& progress) {
  const Sequence readable = LogReader(from).first_readable();
  const std::uint64_t snapshot_bytes = copy_folder(from, out, snapshot_folder);
  SyncedCopy copied = copy_synced(from, staged, [&](Sequence done) {
    if (progress) progress(done);
  });
  if (kept("replay.backup.readable") && LogReader(staged).first_readable() != readable) {
    throw StorageError(
        {"log", std::nullopt, readable}, EAGAIN,
        "segments from sequence " + std::to_string(readable.value()) +
            " on were dropped while they were being copied, so the copied snapshots may be too old. Empty " +
            out.describe("") + " and begin anew");
  }
  copied.bytes += snapshot_bytes;
  return copied;
}

// Reads every event of the copy, and with that checks it.
Facts read_through(Storage& out, const LogReader& copy, const LoadSnapshot& load_snapshot, const Progress& progress) {
  Facts facts;
  const Sequence first = copy.first_readable();
  if (first != Sequence(1)) {
    const std::optional<State> state = load_snapshot ? load_snapshot(out) : std::nullopt;
    if (!state || (kept("replay.backup.state") && state->book().head.next() < first))
      throw DroppedError(Sequence(1), Sequence(first.value() - 1));
    facts.begin_with(*state);
  }
  Ticker ticker(progress);
  copy.read(first, [&](const RecordedEvent& recorded) {
    facts.note(recorded);
    ticker.done(recorded.sequence);
    return true;
  });
  ticker.finish();
  return facts;
}

void append(SegmentLog& log, const std::vector<RecordedEvent>& events, const Storage& out) {
  BatchEncoder encoder;
  for (const RecordedEvent& event : events) encoder.add(event);
  const AppendResult result = log.append(log.epoch(), log.tail(), encoder.batch(), Room::reserve);
  if (std::holds_alternative<Committed>(result) || !kept("replay.backup.committed")) return;
  const Unknown* unknown = std::get_if<Unknown>(&result);
  const Full* full = std::get_if<Full>(&result);
  throw StorageError({"log", std::nullopt, events.front().sequence},
                     unknown != nullptr ? unknown->error_number : ENOSPC,
                     out.describe("log") + ": cannot begin the backup's own generation: " +
                         (unknown != nullptr ? unknown->what
                          : full != nullptr  ? full->what
                                             : std::string("somebody else writes there")) +
                         ". Empty the directory and begin anew");
}

}  // namespace

Backup back_up(Storage& from, Storage& out, Clock& clock, Random& random, const LoadSnapshot& load_snapshot,
               const Progress& progress) {
  StagedLog staged(out);
  const SyncedCopy copied = copy_files(from, out, staged, progress);
  Facts facts;
  Uuid log_uuid;
  {
    const LogReader copy(staged);
    log_uuid = copy.log_uuid();
    facts = read_through(staged, copy, load_snapshot, progress);
  }
  LogOpening opening;
  // For a few events; and padded as the strictest disk needs it, because whoever adopts the copy goes on in this segment.
  const LogOptions options{.segment_bytes_max = limits::segment_bytes_min, .commit_alignment = 4096};
  auto log = SegmentLog::open(staged, clock, random, options, opening);
  if (kept("replay.backup.head") && opening.head != copied.head) {
    throw StorageError({"log", std::nullopt, opening.head.sequence}, EIO,
                       out.describe("log") + ": the copy ends with sequence " +
                           std::to_string(opening.head.sequence.value()) + ", expected " +
                           std::to_string(copied.head.sequence.value()) + ". Empty the directory and begin anew");
  }
  append(*log, new_generation(facts, "backed up", copied.head.sequence, log_uuid, clock, random), out);
  const Head head = log->tail();
  if (kept("replay.backup.close")) close_copy(*log, out);
  log.reset();
  staged.publish();
  return {copied.head, head, copied.segments, copied.bytes};
}

}  // namespace daybook
