// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>
#include <vector>

#include "daybook/core/mutant.hpp"
#include "daybook/log/log_reader.hpp"
#include "inspection.hpp"
#include "segment_name.hpp"

// The same judgement as opening, over every byte; and stricter where opening can afford to go on, as with one slot of the
// witness. Beside a living writer two looks at different files are looks at different times: what
// seems wrong is looked at again when the witness moved or segments were dropped meanwhile.

namespace daybook {
namespace {

constexpr int looks_max = 5;

struct Look {
  Inspection found;
  std::optional<CorruptionError> damage;
};

// Nothing was written after a clean close, so both slots and their file must be as the close left them.
void check_clean_witness(const Inspection& found) {
  if (!found.witness.clean()) return;
  constexpr std::uint64_t slot_bytes = format::witness_slot_bytes;
  for (std::uint64_t i = 0; i < 2; ++i) {
    if (const auto& problem = found.witness.problems[i]; problem && kept("log.verify.both_slots")) {
      throw CorruptionError(Damage::corrupt_middle, {witness_name, i * slot_bytes, std::nullopt},
                            problem->sentence +
                                ". The log was closed cleanly, so both slots of the witness should be "
                                "whole. The next opening writes them anew.");
    }
  }
  if (kept("log.verify.witness_bytes") && found.witness.bytes != 2 * slot_bytes) {
    throw CorruptionError(Damage::corrupt_middle, {witness_name, 2 * slot_bytes, std::nullopt},
                          "the witness has " + std::to_string(found.witness.bytes) + " bytes, expected " +
                              std::to_string(2 * slot_bytes));
  }
}

Look look_once(Storage& storage, Depth depth) {
  Look result;
  try {
    inspect(storage, depth, result.found);
    if (depth == Depth::everything) check_clean_witness(result.found);
  } catch (const CorruptionError& error) {
    result.damage = error;
  }
  return result;
}

bool witness_moved(Storage& storage, const Inspection& found) {
  try {
    const WitnessFound now = read_witness(storage);
    return now.newest != found.witness.newest;
  } catch (const CorruptionError&) {
    return false;
  }
}

Look look(Storage& storage, Depth depth) {
  std::vector<Sequence> dropped = list_log(storage).dropped;
  Look seen = look_once(storage, depth);
  for (int i = 1; i < looks_max && (seen.damage || seen.found.tail == Inspection::Tail::torn_tail); ++i) {
    const std::vector<Sequence> before = std::exchange(dropped, list_log(storage).dropped);
    if (dropped == before && !witness_moved(storage, seen.found)) break;
    seen = look_once(storage, depth);
  }
  return seen;
}

std::vector<SegmentSummary> summaries(const Inspection& found) {
  std::vector<SegmentSummary> all;
  for (const FoundSegment& segment : found.segments) {
    const bool empty = segment.end.next == segment.header.first;
    all.push_back({segment.name, segment.form, segment.header.first, empty ? Sequence(0) : segment.end.last(),
                   segment.disk_bytes, segment.file_bytes, segment.used_bytes, segment.sealed});
  }
  return all;
}

std::string sentence_of(const Inspection& found) {
  const std::string head = "up to sequence " + std::to_string(found.head.sequence.value());
  std::string text;
  switch (found.tail) {
    case Inspection::Tail::clean_end:
      text = "every event is whole, " + head + "; the log was closed cleanly";
      break;
    case Inspection::Tail::unclean_end:
      text = "every event is whole, " + head + "; the log is open in another process, or was not closed";
      break;
    case Inspection::Tail::torn_tail:
      text = "every event is whole, " + head + "; behind it lie " + std::to_string(found.cut_bytes) +
             " bytes of a batch that was never acknowledged (" + found.torn +
             "), as a crash leaves them or a writer at work; the next opening puts them aside";
      break;
  }
  if (found.dropped_through != Sequence()) {
    text += "; those up to sequence " + std::to_string(found.dropped_through.value()) +
            " were dropped and are proved only by their leaf hashes";
  }
  for (const std::string& note : found.notes) text += "; " + note;
  return text;
}

}  // namespace

LogVerdict verify_log(Storage& storage) {
  const Look seen = look(storage, Depth::everything);
  const Inspection& found = seen.found;
  LogVerdict verdict;
  verdict.head = found.head;
  verdict.events = found.events;
  verdict.batches = found.batches;
  verdict.dropped_through = found.dropped_through;
  verdict.segments = summaries(found);
  if (seen.damage) {
    verdict.kind = LogVerdict::Kind::damaged;
    verdict.damage = seen.damage->damage();
    verdict.place = seen.damage->place();
    verdict.message = seen.damage->what();
    return verdict;
  }
  switch (found.tail) {
    case Inspection::Tail::clean_end:
      verdict.kind = LogVerdict::Kind::clean_end;
      break;
    case Inspection::Tail::unclean_end:
      verdict.kind = LogVerdict::Kind::unclean_end;
      break;
    case Inspection::Tail::torn_tail:
      verdict.kind = LogVerdict::Kind::torn_tail;
      verdict.torn_bytes = found.cut_bytes;
      verdict.place = {found.segments.back().name, found.cut_from, found.head.sequence.next()};
      break;
  }
  verdict.message = sentence_of(found);
  return verdict;
}

std::vector<SegmentSummary> list_segments(Storage& storage) {
  const Look seen = look(storage, Depth::ends);
  if (seen.damage) throw *seen.damage;
  return summaries(seen.found);
}

std::string_view to_string(SegmentForm form) {
  switch (form) {
    case SegmentForm::plain:
      return "plain";
    case SegmentForm::archived:
      return "archived";
    case SegmentForm::dropped:
      return "dropped";
  }
  return "unknown";
}

}  // namespace daybook
