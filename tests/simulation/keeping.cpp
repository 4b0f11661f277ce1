// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "daybook/log/archive.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/snapshot_file.hpp"
#include "daybook/replay/backup.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/scheduler/keeper.hpp"
#include "world.hpp"

// What stands beside the log, and is made while the book is at work: snapshots, archives, backups. A failure of the disk hurts none
// but the one that was being made.

namespace daybook::simulation {

void World::keep(const char* what, const std::function<void()>& work) {
  if (!engine_ || engine_->poisoned()) return;
  try {
    work();
  } catch (const test::PowerCut&) {
    return meet_power_cut();
  } catch (const StorageError& error) {
    if (!troubled_ && !lied_ && error.error_number() != ENOSPC) failure.say(std::string(what) + ": " + error.what());
  } catch (const std::exception& error) {
    if (!lied_) failure.say(std::string(what) + ": " + error.what());
  }
  if (power_is_off()) meet_power_cut();
}

void World::take_snapshot() {
  keep("a snapshot", [&] {
    const LogReader log(disk);
    const auto taken = daybook::take_snapshot(disk, log);
    if (!taken) return;
    if (taken->summary.point.sequence == oracle.head() && taken->summary.state_hash != state_hash(oracle.model())) {
      failure.say("a snapshot is of another state than the acknowledged events lead to");
    }
    if (!taken->existed) engine_->submit({.commands = {record_of(taken->summary)}, .context = {}}, [](const Reply&) {});
  });
}

void World::archive() {
  if (!log_ || log_->feature_level() < archives_feature_level) return;
  keep("an archive", [&] {
    while (archive_next(disk, oracle.head())) {
    }
  });
}

void World::back_up(Choices& choices) {
  keep("a backup", [&] {
    test::MemoryStorage out;
    test::ManualClock time = clock;
    test::FixedRandom chance(choices.any());
    const Sequence vouched = LogReader(disk).head().sequence;
    const Backup made = daybook::back_up(disk, out, time, chance);
    if (lied_) return;  // a witness that rots while it is read vouches for something else the second time
    LogOpening found;
    const auto log = SegmentLog::open(out, time, chance, log_options(), found);
    std::vector<RecordedEvent> events = events_in(*log);
    if (made.copied.sequence < vouched) failure.say("a backup lacks what was acknowledged when it began");
    if (!rebuild(events_of(*log), log->tail().sequence).book().held) failure.say("a backup is not held");
    events.resize(made.copied.sequence.value());
    if (oracle.common(events) != events.size()) failure.say("a backup holds other events than the book");
  });
}

}  // namespace daybook::simulation
