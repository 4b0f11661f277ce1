// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/replay.hpp"

#include "daybook/core/apply.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
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

State rebuild(const ReadEvents& read, Sequence until, const Progress& progress, const StartAt& start) {
  State state = start ? start(until) : State();
  const Sequence head = catch_up(state, read, until, progress);
  if (kept("replay.rebuild.reached") && head < until) {
    throw CorruptionError(Damage::lost_acknowledged, Place{"log", std::nullopt, head},
                          "log: reading it ended at sequence " + std::to_string(head.value()) + ", expected " +
                              std::to_string(until.value()) + ". Run: daybook verify");
  }
  return state;
}

}  // namespace daybook
