// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "daybook/log/archive.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/snapshot_file.hpp"
#include "daybook/log/state_hash.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/scheduler/keeper.hpp"
#include "world.hpp"

// What is made of a log while the book is at work: snapshots, archives and backups. A failure of the disk hurts none but the one
// that was being made.

namespace daybook::simulation {

void World::keep(const char* what, const std::function<void()>& work) {
  if (!engine_ || engine_->poisoned()) return;
  try {
    work();
  } catch (const test::PowerCut&) {
    return meet_power_cut();
  } catch (const StorageError& error) {
    if (!troubled_ && !lied_ && error.error_number() != ENOSPC) failure.say(std::string(what) + ": " + error.what());
  } catch (const DroppedError& error) {  // the snapshots could not be read
    if (!troubled_ && !lied_) failure.say(std::string(what) + ": " + error.what());
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
    if (!taken->existed) engine_->submit({.commands = {record_of(*taken)}, .context = {}}, [](const Reply&) {});
  });
}

void World::archive() {
  if (!log_ || log_->feature_level() < archives_feature_level) return;
  keep("an archive", [&] {
    while (archive_next(disk, oracle.head())) {
    }
  });
}

}  // namespace daybook::simulation
