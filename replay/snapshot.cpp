// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/snapshot.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/apply.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/state_hash.hpp"
#include "state_hashes.hpp"
#include "ticker.hpp"

// Which snapshot is believed, how a new one comes to be, and which ones go. What a file looks like is the log's business.

namespace daybook {
namespace {

std::string text(Sequence sequence) {
  return std::to_string(sequence.value());
}

/// Empty, or why the point is not one of the log's.
std::string misplaced(const SnapshotSource& source, const SnapshotPoint& point, Sequence named) {
  if (kept("replay.snapshot.sequence") && point.sequence != named)
    return "it says that it is of sequence " + text(point.sequence);
  if (kept("replay.snapshot.log_uuid") && point.log_uuid != source.log_uuid)
    return "it belongs to log " + to_string(point.log_uuid);
  const std::optional<Hash> chain = source.chain_at(point.sequence);
  if (!chain && !kept("replay.snapshot.batch_end")) return {};
  if (!chain) return "no batch of the log ends with its sequence";
  if (kept("replay.snapshot.chain") && *chain != point.chain) return "its chain hash is not that of the log";
  return {};
}

std::string passed_over(Sequence sequence, const std::string& why) {
  return "the snapshot of sequence " + text(sequence) + " is passed over: " + why;
}

/// Judges one, reading it into `into` unless that is null. Sets `why` when it cannot be believed. Nothing then, or when stopped.
std::optional<SnapshotSummary> judge(const SnapshotSource& source, Sequence sequence, Store* into, SnapshotProof proof,
                                     const std::stop_token& stop, std::string& why) {
  const std::string name = snapshot_name(sequence);
  std::optional<SnapshotPoint> point;
  try {
    point = read_snapshot_point(source.storage, name);
  } catch (const CorruptionError& error) {
    why = error.what();
  } catch (const StorageError& error) {
    why = error.what();
  }
  if (!point) return std::nullopt;
  why = misplaced(source, *point, sequence);  // what it throws is the log's
  if (!why.empty()) return std::nullopt;
  try {
    std::optional<SnapshotSummary> summary = read_snapshot_file(source.storage, name, into, proof, stop);
    if (kept("replay.snapshot.book_head") && summary && into != nullptr && into->book().head != sequence) {
      why = "its book stands at sequence " + text(into->book().head);
      return std::nullopt;
    }
    return summary;
  } catch (const CorruptionError& error) {
    why = error.what();
  } catch (const StorageError& error) {
    why = error.what();
  }
  return std::nullopt;
}

/// Folds what `state` has not seen, to the end of the log, which the reader either reaches or refuses. False: stopped.
bool fold(const LogReader& log, HashedState& state, MerkleFrontier& frontier, StateHashes& hashes,
          const std::stop_token& stop, const Progress& progress) {
  Ticker ticker(progress);
  const Sequence until = log.head().sequence;
  if (state.book().head < until) {
    log.read_stored(state.book().head.next(), [&](const RecordedEvent& recorded, std::span<const std::byte> stored) {
      if (stop.stop_requested()) return false;
      apply(state, recorded);
      hashes.follow(recorded, state);
      frontier.add(merkle_leaf(stored));
      ticker.done(recorded.sequence);
      return recorded.sequence < until;
    });
  }
  ticker.finish();
  return !stop.stop_requested();
}

/// Of those before `newest` only `other` stays. Without another one that was believed nothing goes: what is damaged may still be all
/// that somebody can look into.
void remove_older(Storage& storage, Sequence newest, Sequence other) {
  if (kept("replay.snapshot.other") && other == Sequence()) return;
  for (const Sequence sequence : list_snapshot_files(storage).snapshots) {
    if (sequence < newest && sequence != other) remove_snapshot_file(storage, snapshot_name(sequence));
  }
}

/// The newest before `sequence` that can be believed; 0: none.
Sequence other_than(const SnapshotSource& source, Sequence sequence, const std::stop_token& stop,
                    std::vector<std::string>& notes) {
  const std::vector<Sequence> snapshots = list_snapshot_files(source.storage).snapshots;
  for (auto older = snapshots.rbegin(); older != snapshots.rend() && !stop.stop_requested(); ++older) {
    if (*older >= sequence) continue;
    std::string why;
    if (judge(source, *older, nullptr, SnapshotProof::bytes, stop, why)) return *older;
    if (!why.empty()) notes.push_back(passed_over(*older, why));
  }
  return {};
}

}  // namespace

SnapshotSource snapshots_of(Storage& storage, const LogReader& log) {
  return {storage, log.log_uuid(), [&log](Sequence sequence) { return log.chain_at(sequence); }};
}

SnapshotSearch newest_snapshot(const SnapshotSource& source, Sequence until, const std::stop_token& stop) {
  SnapshotSearch search;
  const std::vector<Sequence> snapshots = list_snapshot_files(source.storage).snapshots;
  for (auto sequence = snapshots.rbegin(); sequence != snapshots.rend(); ++sequence) {
    if (*sequence > until) continue;
    SnapshotSearch::Found found;
    std::string why;
    if (auto summary = judge(source, *sequence, &found.state, SnapshotProof::bytes, stop, why)) {
      found.summary = std::move(*summary);
      search.found = std::move(found);
      return search;
    }
    if (stop.stop_requested()) return search;
    search.notes.push_back(passed_over(*sequence, why));
  }
  return search;
}

StartAt start_at_snapshot(SnapshotSource source, std::function<void(const std::string&)> tell) {
  return [source = std::move(source), tell = std::move(tell)](Sequence until) {
    SnapshotSearch search = newest_snapshot(source, until);
    if (tell) std::for_each(search.notes.begin(), search.notes.end(), tell);
    return search.found ? std::move(search.found->state) : State();
  };
}

std::optional<TakenSnapshot> take_snapshot(Storage& storage, const LogReader& log, const std::stop_token& stop,
                                           const Progress& progress) {
  const Head head = log.head();
  if (head.sequence == Sequence()) return std::nullopt;
  const SnapshotSource source = snapshots_of(storage, log);
  SnapshotSearch search = newest_snapshot(source, head.sequence, stop);
  TakenSnapshot taken;
  taken.notes = std::move(search.notes);
  if (stop.stop_requested()) return std::nullopt;
  if (search.found && search.found->summary.point.sequence == head.sequence) {
    taken.summary = std::move(search.found->summary);
    taken.existed = true;
    search.found.reset();
    taken.other = other_than(source, head.sequence, stop, taken.notes);
    remove_older(storage, head.sequence, taken.other);
    return taken;
  }
  SnapshotSearch::Found found = search.found ? std::move(*search.found) : SnapshotSearch::Found();
  taken.other = found.summary.point.sequence;
  taken.events_folded = head.sequence.value() - taken.other.value();
  HashedState state(std::move(found.state));
  StateHashes hashes;
  if (!fold(log, state, found.summary.frontier, hashes, stop, progress)) return std::nullopt;
  auto summary = write_snapshot(storage, state, log.log_uuid(), head, found.summary.frontier, taken.other, stop);
  if (!summary) return std::nullopt;
  taken.hashed = hashes.hashed();
  taken.summary = std::move(*summary);
  return taken;
}

std::optional<SnapshotSummary> write_snapshot(Storage& storage, const State& state, const Uuid& log_uuid,
                                              const Head& head, const MerkleFrontier& frontier, Sequence other,
                                              const std::stop_token& stop) {
  const SnapshotPoint point{.log_uuid = log_uuid,
                            .sequence = head.sequence,
                            .chain = head.chain,
                            .generation = state.book().generation,
                            .feature_level = state.book().feature_level};
  const std::string name = unfinished_snapshot_name(head.sequence);
  const auto written = write_snapshot_file(storage, state, point, frontier, stop);
  if (!written) return std::nullopt;
  try {
    const auto found = kept("replay.snapshot.read_back")
                           ? read_snapshot_file(storage, name, nullptr, SnapshotProof::meaning, stop)
                           : written;
    if (!found) {
      remove_snapshot_file(storage, name);
      return std::nullopt;
    }
    if (kept("replay.snapshot.as_written") && *found != *written) {
      throw CorruptionError(Damage::foreign, {name, std::nullopt, head.sequence},
                            "what was read back is not what was written; the snapshot is given up");
    }
  } catch (...) {
    static_cast<void>(storage.remove(name));
    throw;
  }
  publish_snapshot_file(storage, head.sequence);
  remove_older(storage, head.sequence, other);
  return written;
}

std::vector<SnapshotEntry> list_snapshots(Storage& storage) {
  std::vector<SnapshotEntry> entries;
  for (const Sequence sequence : list_snapshot_files(storage).snapshots) {
    SnapshotEntry entry{.sequence = sequence};
    const Opened opened = storage.open(snapshot_name(sequence), OpenMode::read);
    // Another process may have removed it since it was listed.
    if (opened.error != 0 || opened.file->size(entry.bytes) != 0) continue;
    entries.push_back(entry);
  }
  return entries;
}

void remove_unfinished_snapshots(Storage& storage) {
  for (const std::string& name : list_snapshot_files(storage).unfinished) remove_snapshot_file(storage, name);
}

std::vector<std::string> verify_snapshots(Storage& storage, const LogReader& log, const Progress& progress) {
  const SnapshotSource source = snapshots_of(storage, log);
  std::vector<std::string> wrong;
  State state;
  MerkleFrontier frontier;
  Ticker ticker(progress);
  for (const Sequence sequence : list_snapshot_files(storage).snapshots) {
    if (sequence > log.head().sequence) continue;  // the witness may be behind after a loss of power
    std::string why;
    // What was dropped cannot be folded: then the oldest that can be believed is where folding begins.
    const bool begins = state.book().head == Sequence() && log.first_readable() > Sequence(1);
    State read;  // of a snapshot that is not believed in the end, some of it was read
    const auto summary = judge(source, sequence, begins ? &read : nullptr, SnapshotProof::meaning, {}, why);
    if (summary && begins) {
      state = std::move(read);
      frontier = summary->frontier;
      continue;
    }
    if (!summary) {
      wrong.push_back(passed_over(sequence, why));
      continue;
    }
    log.read_stored(state.book().head.next(), [&](const RecordedEvent& recorded, std::span<const std::byte> stored) {
      apply(state, recorded);
      frontier.add(merkle_leaf(stored));
      ticker.done(recorded.sequence);
      return recorded.sequence < sequence;
    });
    if (kept("replay.snapshot.state_hash") && state_hash(state) != summary->state_hash) {
      wrong.push_back(passed_over(sequence,
                                  "its state hash is not that of a fold of the log from the first event on: an event "
                                  "means something else to this release than to the one that made it"));
    } else if (kept("replay.snapshot.tree") && frontier != summary->frontier) {
      wrong.push_back(passed_over(sequence, "its Merkle tree is not that of the log's events"));
    }
  }
  ticker.finish();
  return wrong;
}

}  // namespace daybook
