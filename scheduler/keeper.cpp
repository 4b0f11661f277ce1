// SPDX-License-Identifier: Apache-2.0
#include "daybook/scheduler/keeper.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/archive.hpp"
#include "daybook/replay/retention.hpp"

namespace daybook {

namespace {

/// The newest that the log has come to; by its name, for whether it can be believed shows when it is used.
SnapshotEntry newest_before(Storage& storage, Sequence head) {
  SnapshotEntry newest;
  for (const SnapshotEntry& entry : list_snapshots(storage)) {
    if (entry.sequence <= head) newest = entry;
  }
  return newest;
}

std::string bytes_of(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

RecordSnapshot record_of(const TakenSnapshot& taken) {
  const SnapshotSummary& summary = taken.summary;
  return {{.sequence = summary.point.sequence,
           .state_hash = bytes_of(summary.state_hash),
           .file_sha256 = bytes_of(summary.file_sha256),
           .jobs = summary.counts.jobs},
          taken.hashed};
}

Keeper::Keeper(Parts parts, Sequence head) : parts_(std::move(parts)), head_(head.value()) {
  try {
    begin();
  } catch (const StorageError& error) {
    // What is derived from the log does not keep the book shut.
    if (parts_.warn) parts_.warn(std::string("snapshots: ") + error.what());
  }
}

void Keeper::begin() {
  remove_unfinished_snapshots(parts_.storage);
  const Sequence newest = newest_before(parts_.storage, Sequence(head_)).sequence;
  kept_head_ = newest.value();
  kept_bytes_ = -static_cast<std::int64_t>(log_bytes_after(parts_.storage, newest));
}

bool Keeper::note(Sequence head, std::uint64_t log_bytes) {
  head_ = head.value();
  log_bytes_ = static_cast<std::int64_t>(log_bytes);
  const SnapshotOptions& every = parts_.options;
  // A note may come late, from before the last snapshot.
  const std::uint64_t events = head_ > kept_head_ ? head_ - kept_head_ : 0;
  const std::uint64_t bytes = log_bytes_ > kept_bytes_ ? static_cast<std::uint64_t>(log_bytes_ - kept_bytes_) : 0;
  return (every.every_events != 0 && events >= every.every_events) ||
         (every.every_log_bytes != 0 && bytes >= every.every_log_bytes);
}

std::optional<TakenSnapshot> Keeper::take(const std::stop_token& stop) {
  kept_head_ = head_.load();
  kept_bytes_ = log_bytes_.load();
  require_room();
  const LogReader log(parts_.storage);
  std::optional<TakenSnapshot> taken = take_snapshot(parts_.storage, log, stop);
  if (!taken) return taken;
  kept_head_ = taken->summary.point.sequence.value();
  for (const std::string& note : taken->notes) {
    if (parts_.warn) parts_.warn(note);
  }
  if (parts_.taken) parts_.taken(*taken);
  try {
    tidy_segments(log, *taken, stop);
  } catch (const std::exception& error) {
    if (parts_.warn)
      parts_.warn(std::string("the snapshot was taken; a segment behind it stays as it is: ") + error.what());
  }
  return taken;
}

// An earlier release would call archives and stubs missing segments: a book that it may open keeps its segments as they are.
void Keeper::tidy_segments(const LogReader& log, const TakenSnapshot& taken, const std::stop_token& stop) {
  if (kept("scheduler.keeper.level") && log.feature_level() < archives_feature_level) return;
  const Sequence snapshot = taken.summary.point.sequence;
  if (parts_.segments.drop_after && parts_.clock && parts_.dropped_through && parts_.record_drop) {
    drop_old(log, taken.other, stop);
  }
  if (!parts_.segments.archive) return;
  while (!stop.stop_requested() && archive_next(parts_.storage, snapshot)) {
  }
}

void Keeper::drop_old(const LogReader& log, Sequence relied_on, const std::stop_token& stop) {
  const auto segments = list_segments(parts_.storage);
  const Sequence until = last_older_than(log, segments, parts_.clock->wall() - *parts_.segments.drop_after);
  Sequence through = parts_.dropped_through();  // the files of an earlier drop may have outlived its process
  const auto planned = plan_drop(segments, through, until, relied_on);
  if (planned) require_whole(log, *planned);
  if (planned && (!kept("scheduler.keeper.record") || parts_.record_drop(*planned))) through = planned->last;
  through = std::min(through, relied_on);
  while (!stop.stop_requested() && drop_next(parts_.storage, through)) {
  }
}

std::optional<TakenSnapshot> Keeper::keep(const std::stop_token& stop) {
  std::string why;
  try {
    return take(stop);
  } catch (const std::exception& error) {
    why = error.what();
  }
  if (parts_.warn)
    parts_.warn("no snapshot was taken: " + why + ". The book goes on as before; the next one is tried later");
  return std::nullopt;
}

// The log comes first: what a snapshot would take from the last of the disk, the next segment cannot have.
void Keeper::require_room() const {
  std::uint64_t free = 0;
  if (parts_.storage.free_bytes(free) != 0) return;
  const std::uint64_t last = newest_before(parts_.storage, Sequence(head_)).bytes;
  const std::uint64_t needed = last + last / 4 + limits::segment_bytes_max;
  if (free >= needed || !kept("scheduler.keeper.room")) return;
  throw StorageError({"snapshots", std::nullopt, std::nullopt}, 0,
                     "snapshots: " + std::to_string(free) + " bytes are free, expected at least " +
                         std::to_string(needed) + ": make room");
}

}  // namespace daybook
