// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "copier.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/replay.hpp"
#include "new_generation.hpp"
#include "staging.hpp"
#include "ticker.hpp"

// A book as it was. The events keep their sequences, times and epochs; batches and segments are made anew. What follows
// them is told from the events alone, without folding them, so that a copy needs no memory for the jobs.

namespace daybook {
namespace {

Epoch last_epoch(const LogReader& from, Sequence until) {
  Epoch epoch(1);
  if (until == Sequence()) return epoch;
  from.read(until, [&](const RecordedEvent& recorded) {
    epoch = std::max(epoch, recorded.epoch);
    return false;
  });
  return epoch;
}

}  // namespace

Head copy_log(const LogReader& from, Sequence until, Storage& out, Clock& clock, Random& random,
              const Progress& progress) {
  until = std::min(until, from.head().sequence);
  StagedLog staged(out);
  LogOpening opening;
  const LogOptions options{.feature_level = from.feature_level(), .first_epoch = last_epoch(from, until)};
  auto log = SegmentLog::create(staged, clock, random, options, opening);

  Facts facts;
  Copier copier(*log, out);
  Ticker ticker(progress);
  if (until != Sequence()) {
    from.read(Sequence(1), [&](const RecordedEvent& recorded) {
      facts.note(recorded);
      copier.add(recorded);
      ticker.done(recorded.sequence);
      return recorded.sequence < until;
    });
  }
  for (const RecordedEvent& recorded : new_generation(facts, "copied", until, from.log_uuid(), clock, random)) {
    copier.add(recorded);
  }
  copier.flush();
  const Head head = log->tail();
  if (kept("replay.copy.close")) close_copy(*log, out);
  log.reset();
  staged.publish();
  ticker.finish();
  return head;
}

}  // namespace daybook
