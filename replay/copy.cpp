// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/replay.hpp"
#include "staging.hpp"
#include "ticker.hpp"

// A book as it was. The events keep their sequences, times and epochs; batches and segments are made anew. What follows
// them is told from the events alone, without folding them, so that a copy needs no memory for the jobs.

namespace daybook {
namespace {

constexpr std::size_t batch_bytes = 512 * 1024;  // plus the event that fills it
constexpr std::string_view actor_name = "daybook";

/// What the new generation must know of the history it continues.
class Facts {
 public:
  void note(const RecordedEvent& recorded) {
    last = recorded;
    if (const auto* defined = std::get_if<NameDefined>(&recorded.event)) {
      names = defined->name.id;
      if (defined->name.sort == NameSort::actor && defined->name.text == actor_name) actor = defined->name.id;
    }
    if (const auto* begun = std::get_if<GenerationBegun>(&recorded.event)) generations.push_back(begun->generation);
  }

  std::optional<RecordedEvent> last;
  NameId names;  // the last one defined
  std::optional<NameId> actor;
  std::vector<Generation> generations;
};

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

Generation next_generation(const std::vector<Generation>& earlier, Random& random) {
  Generation next{.number = 1, .tag = GenerationTag(static_cast<std::uint32_t>(random.next()))};
  for (const Generation& generation : earlier) next.number = std::max(next.number, generation.number + 1);
  const auto taken = [&](GenerationTag tag) {
    return tag == GenerationTag() ||
           std::any_of(earlier.begin(), earlier.end(), [&](const Generation& other) { return other.tag == tag; });
  };
  while (taken(next.tag)) next.tag = next.tag.next();
  return next;
}

/// The copy's own events. They bear the times of the last event copied: boot times of this machine would mean nothing in
/// that epoch, and a wall time without them would pass for a clock step. When the copy was made is in the reason.
std::vector<RecordedEvent> ending(const Facts& facts, Sequence until, Uuid source, Clock& clock, Random& random) {
  const Instant now = clock.wall();
  RecordedEvent next{.sequence = until.next(),
                     .epoch = Epoch(1),
                     .wall = now,
                     .boot = clock.boot(),
                     .by = {},
                     .request = std::nullopt,
                     .event = {}};
  if (facts.last) {
    next.epoch = facts.last->epoch;
    next.wall = facts.last->wall;
    next.boot = facts.last->boot;
  }
  next.by.actor = facts.actor.value_or(facts.names.next());
  next.by.reason = "copied up to sequence " + std::to_string(until.value()) + " at " + to_string(now);

  std::vector<RecordedEvent> events;
  if (!facts.actor) {
    next.event = NameDefined{Name{next.by.actor, NameSort::actor, std::string(actor_name)}};
    events.push_back(next);
    next.sequence = next.sequence.next();
  }
  next.event = GenerationBegun{.generation = next_generation(facts.generations, random),
                               .held = true,
                               .copied_from = source,
                               .nonce_salt = random.next()};
  events.push_back(next);
  return events;
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
  for (const RecordedEvent& recorded : ending(facts, until, from.log_uuid(), clock, random)) copier.add(recorded);
  copier.flush();
  const Head head = log->tail();
  if (kept("replay.copy.close")) log->close();
  log.reset();
  staged.publish();
  ticker.finish();
  return head;
}

}  // namespace daybook
