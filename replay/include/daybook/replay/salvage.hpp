// SPDX-License-Identifier: Apache-2.0
#pragma once

// Salvage: from a log that is damaged to a new book that is not, and that says what it lacks. The damaged one is only
// read. Every event that can be proved (log/survey.hpp) is in the new book under its own sequence, byte for byte;
// in the places of those that cannot stand GapDeclared and EventLost, so that ids and tokens keep their meaning; an event
// that is proved, but cannot follow what is left of those before it, is kept as EventSetAside, without effect.
//
// Of a log whose beginning was dropped, what stands for it is copied as it is, and the new book is again one of that kind: its state
// begins with the newest snapshot that can be believed. What was lost before that snapshot costs history, and no job anything.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/ids.hpp"
#include "daybook/log/survey.hpp"
#include "daybook/replay/replay.hpp"

namespace daybook {

struct SetAside {
  Sequence sequence;
  std::string type;  // "JobClaimed"
  std::string why;
};

struct SalvageReport {
  Uuid from;                 // the log that was read
  Sequence dropped_through;  // events up to here were dropped before; 0: none
  Sequence snapshot;         // then: the one that the new book's state begins with
  Head head;                 // of the new one
  Sequence last;             // the last event of the old history, proved or lost
  std::uint64_t copied = 0;  // events that stand as they stood
  std::uint64_t lost = 0;
  std::vector<Hole> holes;
  std::vector<SetAside> set_aside;
  std::vector<JobId> uncertain;  // marked, by id
  std::vector<JobId> left_dead;  // may have been retried in a hole, but another job holds their unique key now
  std::vector<std::string> notes;

  [[nodiscard]] bool whole() const { return holes.empty() && set_aside.empty(); }
};

/// Makes a new book in `out` (an empty directory, locked by the caller) of what can be proved of the log in `from`, and of the newest
/// snapshot there when the beginning was dropped: then the log keeps its uuid, as the stubs bear it. It begins a generation, is held until somebody adopts it, and is of feature level 2 when anything was lost, else of that of `from`. Behind
/// a hole every job that was not completed or cancelled when the hole began, and every job that an event set aside names, is
/// marked uncertain: an operator retries or cancels it. Needs memory for all jobs. Cut short at any point, it leaves no log
/// that could be opened.
///
/// `from` must have no writer meanwhile, or what it writes may count as lost. Throws as LogSurvey does; StorageError when
/// the copy cannot be written; DroppedError, having written nothing, when the beginning was dropped and no snapshot can be believed.
[[nodiscard]] SalvageReport salvage_log(Storage& from, Storage& out, Clock& clock, Random& random,
                                        const Progress& progress = {});

}  // namespace daybook
