// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/replay.hpp"

#include <set>
#include <utility>

#include "daybook/core/apply.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"
#include "state_hashes.hpp"
#include "ticker.hpp"

// Folds events into a store. What an event does is apply's business, whether its bytes are right the log's; here only the
// order in which they come is looked after.

namespace daybook {

ReadEvents events_of(Journal& journal) {
  return
      [&journal](Sequence from, const std::function<bool(const RecordedEvent&)>& visit) { journal.read(from, visit); };
}

ReadEvents events_of(const LogReader& reader) {
  return [&reader](Sequence from, const std::function<bool(const RecordedEvent&)>& visit) { reader.read(from, visit); };
}

Sequence catch_up(Store& store, const ReadEvents& read, Sequence until, const Progress& progress) {
  const Sequence seen = store.book().head;
  if (seen >= until) return seen;
  Ticker ticker(progress);
  read(seen.next(), [&](const RecordedEvent& recorded) {
    if (recorded.sequence > until) return false;
    apply(store, recorded);
    ticker.done(recorded.sequence);
    return recorded.sequence < until;
  });
  ticker.finish();
  return store.book().head;
}

namespace {

void require_reached(const View& state, Sequence until) {
  const Sequence head = state.book().head;
  if (!kept("replay.rebuild.reached") || head >= until) return;
  throw CorruptionError(Damage::lost_acknowledged, Place{"log", std::nullopt, head},
                        "log: reading it ended at sequence " + std::to_string(head.value()) + ", expected " +
                            std::to_string(until.value()) + ". Run: daybook verify");
}

/// Folds on, and holds the states against what is on record of them.
State fold_comparing(State first, const ReadEvents& read, Sequence until, const Progress& progress,
                     StateHashes& hashes) {
  HashedState state(std::move(first));
  const ReadEvents comparing = [&](Sequence from, const std::function<bool(const RecordedEvent&)>& visit) {
    read(from, [&](const RecordedEvent& recorded) {
      const bool more = visit(recorded);
      if (state.book().head == recorded.sequence) hashes.follow(recorded, state);
      return more;
    });
  };
  catch_up(state, comparing, until, progress);
  require_reached(state, until);
  return state;
}

}  // namespace

State rebuild(const ReadEvents& read, Sequence until, const Progress& progress, const StartAt& start) {
  State state = start ? start(until) : State();
  // The states that a snapshot passed are on record behind it: who begins there meets none that he could compare.
  if (state.book().head == Sequence() && until.value() > limits::state_hash_events) {
    StateHashes hashes;
    return fold_comparing(std::move(state), read, until, progress, hashes);
  }
  catch_up(state, read, until, progress);
  require_reached(state, until);
  return state;
}

std::uint64_t verify_states(const ReadEvents& read, Sequence first_readable, Sequence until, const Progress& progress,
                            const StartAt& start) {
  std::set<Sequence> on_record;
  read(first_readable, [&](const RecordedEvent& recorded) {
    if (const auto* hashed = std::get_if<StateHashed>(&recorded.event)) on_record.insert(hashed->sequence);
    if (const auto* taken = std::get_if<SnapshotTaken>(&recorded.event)) on_record.insert(taken->sequence);
    return recorded.sequence < until;
  });
  StateHashes hashes(std::move(on_record));
  static_cast<void>(fold_comparing(start ? start(until) : State(), read, until, progress, hashes));
  return hashes.compared();
}

}  // namespace daybook
