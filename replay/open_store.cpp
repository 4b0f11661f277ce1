// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/open_store.hpp"

#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"

// Judges whether an index belongs to the log that was opened, and brings it up to its end. What makes an index believable
// in itself (its marks, its file, the boot) is JobIndex's judgement; here its point is held against the chain.

namespace daybook {
namespace {

IndexMark mark_of(const Head& head, const Uuid& log_uuid) {
  return {.log_uuid = log_uuid, .applied = head.sequence, .chain = head.chain};
}

std::string text(Sequence sequence) {
  return std::to_string(sequence.value());
}

void refuse_lost_events(const IndexMark& mark, const Head& tail) {
  if (mark.applied <= tail.sequence || !kept("replay.index.lost_acknowledged")) return;
  throw CorruptionError(
      Damage::lost_acknowledged, Place{"log", std::nullopt, tail.sequence},
      "log: it ends at sequence " + text(tail.sequence) + ", but the index has seen sequence " + text(mark.applied) +
          ", which was acknowledged. Nothing was changed. Put the missing segments back; if an older log "
          "was put in the place of this one on purpose, delete the folder index and open again");
}

/// Empty, or why the index does not stand on the log's chain.
/// (That it is of this log, JobIndex::open has seen to.)
std::string misplaced(const JobIndex& index, const Head& tail, const ChainAt& chain_at) {
  const IndexMark mark = index.mark();
  if (kept("replay.index.book_head") && index.book().head != mark.applied) {
    return "it is marked with sequence " + text(mark.applied) + ", but its book stands at sequence " +
           text(index.book().head);
  }
  if (mark.applied == Sequence()) return {};
  const std::optional<Hash> chain =
      mark.applied == tail.sequence ? std::optional<Hash>(tail.chain) : chain_at(mark.applied);
  if (!chain && !kept("replay.index.batch_end")) return {};
  if (!chain) return "it stands at sequence " + text(mark.applied) + ", where no batch of the log ends";
  if (kept("replay.index.chain") && *chain != mark.chain)
    return "at sequence " + text(mark.applied) + " its chain hash is not that of the log";
  return {};
}

/// The clocks as they stand, with the book's own time: within the boot of the last opening it has gone on.
Moment moment_of(const Book& book, const Uuid& boot_id, Moment now) {
  now.book = book.book_time(book.boot_id == boot_id ? now.boot : book.head_boot);
  return now;
}

/// Brings it to the tail; says why when that cannot be done. Damage of the log itself comes up again in the rebuild.
std::string bring_up(JobIndex& index, Journal& journal, const Uuid& log_uuid, const Uuid& boot_id, const Moment& now,
                     const Progress& progress) {
  const Head tail = journal.tail();
  try {
    const Sequence reached = catch_up(index, events_of(journal), tail.sequence, progress);
    if (kept("replay.index.reached") && reached != tail.sequence) {
      return "it reached sequence " + text(reached) + ", expected " + text(tail.sequence);
    }
    const Moment moment = moment_of(index.book(), boot_id, now);
    if (index.mark().applied != tail.sequence) index.project(mark_of(tail, log_uuid), moment);
    index.advance(moment);
    return {};
  } catch (const CorruptionError& error) {
    return error.what();
  } catch (const StorageError& error) {
    return error.what();
  }
}

}  // namespace

StoreOpening open_store(const std::string& index_folder, Journal& journal, const Uuid& log_uuid, const Uuid& boot_id,
                        const Moment& now, const ChainAt& chain_at, const StartAt& start, const Progress& progress) {
  const Head tail = journal.tail();
  IndexDistrust distrust;
  std::unique_ptr<JobIndex> index = JobIndex::open(index_folder, log_uuid, boot_id, distrust);
  if (index) {
    const IndexMark mark = index->mark();
    refuse_lost_events(mark, tail);
    distrust.why = misplaced(*index, tail, chain_at);
    if (distrust.why.empty()) {
      distrust.why = bring_up(*index, journal, log_uuid, boot_id, now, progress);
      if (distrust.why.empty()) {
        return {.index = std::move(index),
                .events_replayed = tail.sequence.value() - mark.applied.value(),
                .rebuilt = false,
                .began_at = {},
                .note = {}};
      }
    }
    index.reset();
  }
  StoreOpening opening = rebuild_store(index_folder, journal, log_uuid, boot_id, now, start, progress);
  opening.note = "the index was made anew: " + distrust.why;
  return opening;
}

StoreOpening rebuild_store(const std::string& index_folder, Journal& journal, const Uuid& log_uuid, const Uuid& boot_id,
                           const Moment& now, const StartAt& start, const Progress& progress) {
  const Head tail = journal.tail();
  Sequence began_at;
  const State state = rebuild(events_of(journal), tail.sequence, progress, [&](Sequence until) {
    State first = start ? start(until) : State();
    began_at = first.book().head;
    return first;
  });
  std::unique_ptr<JobIndex> index = JobIndex::create(index_folder, boot_id, state, mark_of(tail, log_uuid));
  index->advance(moment_of(index->book(), boot_id, now));
  return {.index = std::move(index),
          .events_replayed = tail.sequence.value() - began_at.value(),
          .rebuilt = true,
          .began_at = began_at,
          .note = {}};
}

std::vector<std::string> verify_index(const View& index, const ReadEvents& read, const Progress& progress,
                                      const StartAt& start) {
  const State state = rebuild(read, index.book().head, progress, start);
  return differences(index, state);
}

}  // namespace daybook
