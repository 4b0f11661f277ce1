// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/backup.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/replay/snapshot.hpp"
#include "world.hpp"

// Backups, and the day one is needed. What happened behind it did not happen in the book that goes on; the people still know of it, and
// their ids and tokens are refused.

namespace daybook::simulation {

namespace {

std::optional<State> newest_state(Storage& storage) {
  const LogReader log(storage);
  auto search = newest_snapshot(snapshots_of(storage, log), log.head().sequence);
  if (!search.found) return std::nullopt;
  return std::move(search.found->state);
}

}  // namespace

void World::back_up(Choices& choices) {
  keep("a backup", [&] {
    auto out = std::make_unique<test::MemoryStorage>();
    test::ManualClock time = clock;
    test::FixedRandom chance(choices.any());
    const Sequence vouched = LogReader(disk).head().sequence;
    if (choices.once_in(3)) out->cut_power_at(1 + choices.below(150));
    std::optional<Backup> made;
    try {
      made = daybook::back_up(disk, *out, time, chance, newest_state);
    } catch (const test::PowerCut&) {
      if (!out->cut_at()) throw;
    } catch (const StorageError&) {
      if (!out->cut_at()) throw;
    }
    if (!made) return judge_unfinished_backup(*out, choices);
    if (lied_) return;  // a witness that rots while it is read vouches for something else the second time
    out->heal();
    out->crash();  // nothing of it is lost
    if (made->copied.sequence < vouched) failure.say("a backup lacks what was acknowledged when it began");
    keep_backup(std::move(out), *made);
  });
}

void World::keep_backup(std::unique_ptr<test::MemoryStorage> out, const Backup& made) {
  const auto copy = out->clone();
  test::ManualClock time = clock;
  test::FixedRandom chance(options.chance);
  LogOpening found;
  const auto log = SegmentLog::open(*copy, time, chance, log_options(), found);
  std::vector<RecordedEvent> events = events_in(*log);
  if (!folded(*copy, Sequence(UINT64_MAX)).book().held) failure.say("a backup is not held");
  const auto own =
      std::ranges::find_if(events, [&](const RecordedEvent& event) { return event.sequence > made.copied.sequence; });
  KeptBackup kept{std::move(out), made.copied.sequence, {own, events.end()}};
  events.erase(own, events.end());
  if (oracle.common(events) != events.size()) failure.say("a backup holds other events than the book");
  if (kept.own.empty() || kept.own.back().sequence != made.head.sequence)
    failure.say("a backup lacks its own beginning");
  backup_ = std::move(kept);
}

/// The disk that it was made on lost its power: what is there is no book, or one that is held.
void World::judge_unfinished_backup(test::MemoryStorage& out, Choices& choices) {
  ++figures.power_losses;
  if (options.index) ++figures.crashes_with_index;
  ++figures.crash_points[std::string(name_of(out.cut_at()->operation)) + " in a backup"];
  out.crash(fates_of(choices));
  if (!log_exists(out)) return;
  try {
    test::ManualClock time = clock;
    test::FixedRandom chance(options.chance);
    LogOpening found;
    static_cast<void>(SegmentLog::open(out, time, chance, log_options(), found));
    if (!folded(out, Sequence(UINT64_MAX)).book().held)
      failure.say("a backup that was cut short can be opened and is not held");
  } catch (const CorruptionError&) {
  }
}

void World::restore(Choices& choices) {
  if (!backup_) back_up(choices);
  if (!backup_ || lied_ || over() || !engine_) return;
  const KeptBackup from = *std::exchange(backup_, std::nullopt);
  ++figures.restores;
  const End end = choices.one_of({End::killed, End::power_lost});
  count_end(end);
  go_down(end, choices);
  disk.crash_keeping_all();  // nothing of the old book is under way any more
  for (const std::string& name : disk.names()) disk.remove_durably(name);
  for (const std::string& name : from.disk->names()) disk.write_durably(name, from.disk->content(name));
  if (index) renew_index(std::make_unique<test::MemoryStorage>());
  oracle.go_on_from(from.copied, from.own);
  people.history_ends(from.copied);
  clean_ = true;
  open(choices);
  if (over() || !engine_ || engine_->poisoned()) return;
  if (!oracle.model().book().held) failure.say("a restored backup is not held");
  if (choices.once_in(3)) return;  // somebody adopts it later
  submit({.commands = {AdoptBook{}}, .context = {.actor = "ops", .reason = "the disk is gone"}});
  step();
}

}  // namespace daybook::simulation
