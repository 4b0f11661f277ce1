// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <vector>

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

constexpr std::size_t batch_bytes = 512 * 1024;  // plus the event that fills it

class Copier {
 public:
  Copier(SegmentLog& log, Storage& out) : log_(log), out_(out) {}

  void add(const RecordedEvent& recorded) {
    encoder_.add(recorded);
    if (encoder_.batch().bytes.size() >= batch_bytes) flush();
  }

  void flush() {
    if (encoder_.batch().count == 0) return;
    const AppendResult result = log_.append(log_.epoch(), log_.tail(), encoder_.batch(), Room::ordinary);
    if (const Full* full = std::get_if<Full>(&result); full != nullptr && kept("replay.copy.full"))
      fail(ENOSPC, full->what);
    if (const Unknown* unknown = std::get_if<Unknown>(&result); unknown != nullptr && kept("replay.copy.unknown"))
      fail(unknown->error_number, unknown->what);
    if (kept("replay.copy.committed") && !std::holds_alternative<Committed>(result))
      fail(EBUSY, "somebody else writes there");
    encoder_.clear();
  }

 private:
  [[noreturn]] void fail(int error, const std::string& what) const {
    const Sequence at = encoder_.batch().first;
    throw StorageError(Place{"log", std::nullopt, at}, error,
                       out_.describe("log") + ": cannot write the copy at sequence " + std::to_string(at.value()) +
                           ": " + what + ". Empty the directory and copy again");
  }

  SegmentLog& log_;
  Storage& out_;
  BatchEncoder encoder_;
};

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
  if (kept("replay.copy.close")) log->close();
  log.reset();
  staged.publish();
  ticker.finish();
  return head;
}

}  // namespace daybook
