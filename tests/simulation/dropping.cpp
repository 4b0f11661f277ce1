// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "archive_format.hpp"
#include "daybook/core/error.hpp"
#include "daybook/log/archive.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/replay/retention.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/scheduler/keeper.hpp"
#include "segment_name.hpp"
#include "world.hpp"

// Segments that go, as the keeper lets them go and as the tool does: on record first, behind two snapshots. What is left of them
// proves the events that they held.

namespace daybook::simulation {

using namespace std::chrono_literals;

State folded(test::MemoryStorage& disk, Sequence until) {
  const LogReader log(disk);
  return rebuild(events_of(log), std::min(until, log.head().sequence), {}, start_at_snapshot(snapshots_of(disk, log)));
}

void World::drop_segments(Choices& choices) {
  if (!log_ || log_->feature_level() < archives_feature_level) return;
  if (choices.once_in(3)) crash_soon(choices.one_of({End::killed, End::power_lost, End::power_lost}), choices, 250);
  keep("a drop", [&] {
    const bool by_hand = choices.once_in(3);
    const std::size_t before = stubs(disk);
    by_hand ? drop_by_hand(choices) : drop_by_keeper(choices);
    figures.dropped_segments += stubs(disk) - before;
    if (lied_ || stubs(disk) == before) return;
    check_stubs();
    check_needs_snapshot();
  });
}

void World::drop_by_keeper(Choices& choices) {
  Keeper keeper({.storage = disk,
                 .options = {},
                 .warn =
                     [this](const std::string& sentence) {
                       if (!troubled_ && !lied_) failure.say("the keeper: " + sentence);
                     },
                 .taken =
                     [this](const TakenSnapshot& taken) {
                       if (!taken.existed)
                         engine_->submit({.commands = {record_of(taken)}, .context = {}}, [](const Reply&) {});
                     },
                 .segments = {.archive = choices.once_in(2), .drop_after = choices.one_of<Duration>({0s, 0s, 1h})},
                 .clock = &clock,
                 .dropped_through = [this] { return engine_->view().book().dropped_through; },
                 .record_drop = [this](const SegmentsDropped& dropped) { return record_drop(dropped); }},
                oracle.head());
  static_cast<void>(keeper.take());
}

void World::drop_by_hand(Choices& choices) {
  const LogReader log(disk);
  const auto segments = list_segments(disk);
  const Sequence relied_on = snapshot_to_rely_on(snapshots_of(disk, log));
  const Sequence until(choices.below(oracle.head().value() + 1));
  Sequence through = oracle.model().book().dropped_through;
  if (const auto planned = plan_drop(segments, through, until, relied_on)) {
    require_whole(log, *planned);
    if (!record_drop(*planned)) return;
    through = planned->last;
  }
  while (drop_next(disk, std::min(through, relied_on))) {
  }
}

/// The engine's next step, whoever is between two of its own.
bool World::record_drop(const SegmentsDropped& dropped) {
  if (engine_->poisoned()) return false;
  const auto recorded = std::make_shared<bool>(false);
  engine_->submit({.commands = {RecordDrop{dropped}}, .context = {.actor = "ops"}},
                  [recorded](const Reply& reply) { *recorded = !reply.error && reply.answers; });
  step_engine();
  if (power_is_off()) throw test::PowerCut{};
  if (*recorded && oracle.model().book().dropped_through != dropped.last) failure.say("a drop is not on record");
  return *recorded;
}

std::size_t World::stubs(const test::MemoryStorage& storage) {
  const auto names = storage.names();
  return static_cast<std::size_t>(
      std::ranges::count_if(names, [](const auto& name) { return name.ends_with(".stub"); }));
}

/// Each leaf hash is that of the event it stands for, and each of those was on record to go.
void World::check_stubs() {
  for (const std::string& name : disk.names()) {
    if (!name.ends_with(".stub")) continue;
    const Sequence first(std::stoull(name.substr(name.find('/') + 1)));
    const std::vector<std::byte> content = disk.content(name);
    const std::string wrong = oracle.wrong_leaves(first, std::span(content).subspan(format::archive_header_bytes));
    if (!wrong.empty()) failure.say(name + ": " + wrong);
  }
}

/// On a copy: what was dropped is known to the snapshots, and to nothing else.
void World::check_needs_snapshot() {
  const auto copy = disk.clone();
  copy->set_free_bytes(std::nullopt);
  copy->transfer_at_most(0);
  const State state = folded(*copy, oracle.head());
  if (state.book().head == oracle.head() && !differences(state, oracle.model(), 1).empty()) {
    failure.say("behind dropped segments the state is another: " + differences(state, oracle.model(), 1).front());
  }
  for (const std::string& name : copy->names()) {
    if (name.starts_with("snapshots/")) copy->remove_durably(name);
    if (!name.ends_with(".stub")) continue;
    // A drop that the disk hindered may have left the segment beside its stub.
    const Sequence first(std::stoull(name.substr(name.find('/') + 1)));
    for (const std::string& left : {archive_name(first), segment_name(first)}) {
      if (copy->exists(left)) copy->remove_durably(left);
    }
  }
  try {
    static_cast<void>(folded(*copy, oracle.head()));
    failure.say("a log without its beginning was folded without a snapshot");
  } catch (const DroppedError&) {
  }
}

}  // namespace daybook::simulation
