// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "daybook/replay/replay.hpp"

namespace daybook {

std::vector<RecordedEvent> history(const ReadEvents& read, Sequence job, Sequence first_readable) {
  std::vector<RecordedEvent> events;
  if (job == Sequence()) return events;
  read(std::max(job, first_readable), [&](const RecordedEvent& recorded) {
    if (recorded.sequence == job && !std::holds_alternative<JobScheduled>(recorded.event)) return false;
    const std::vector<Sequence> jobs = jobs_of(recorded.sequence, recorded.event);
    if (std::find(jobs.begin(), jobs.end(), job) != jobs.end()) events.push_back(recorded);
    return true;
  });
  return events;
}

std::optional<LetGo> let_go_in(const std::vector<RecordedEvent>& history, const JobId& id) {
  for (const RecordedEvent& recorded : history) {
    const auto* pruned = std::get_if<JobsPruned>(&recorded.event);
    if (pruned == nullptr) continue;
    for (const PrunedJob& one : pruned->jobs) {
      const bool same_history = id.generation == GenerationTag() || one.job.generation == id.generation;
      if (one.job.sequence == id.sequence && same_history) return LetGo{one, recorded.sequence, recorded.wall};
    }
  }
  return std::nullopt;
}

namespace {

/// Nothing: the event of that number is there to see, and scheduled no job.
std::optional<std::string> why_untold(const ReadEvents& read, Sequence job, const Book& book, Sequence first_readable) {
  if (job == Sequence() || job > book.head) return std::nullopt;
  if (job < first_readable) return "events before #" + std::to_string(first_readable.value()) + " were dropped";
  bool lost = false;
  read(job, [&](const RecordedEvent& recorded) {
    lost = std::holds_alternative<EventLost>(recorded.event) || std::holds_alternative<GapDeclared>(recorded.event) ||
           std::holds_alternative<EventSetAside>(recorded.event);
    return false;
  });
  if (lost) return "event #" + std::to_string(job.value()) + " is in a hole of the record";
  return std::nullopt;
}

std::string how_pruned(const LetGo& gone, Sequence first_readable) {
  const PrunedJob& job = gone.job;
  const std::string history =
      job.job.sequence < first_readable
          ? "what happened to it before #" + std::to_string(first_readable.value()) + " was dropped from the log"
          : "its history is in the log";
  return "job " + to_string(job.job) + " was " + std::string(to_string(job.state)) + " at " +
         to_string(job.finalized_at) + " and pruned at " + to_string(gone.at) + " (event " +
         std::to_string(gone.event.value()) + "); " + history;
}

}  // namespace

Absence why_absent(const ReadEvents& read, const JobId& id, const Book& book, Sequence first_readable) {
  const std::uint64_t number = id.sequence.value();
  const std::string shown = "job " + to_string(id) + ": ";
  if (id.sequence != Sequence() && id.sequence <= book.head) {
    std::vector<RecordedEvent> left = history(read, id.sequence, first_readable);
    if (const auto gone = let_go_in(left, id)) {
      return {{RefusalCode::pruned, how_pruned(*gone, first_readable), number}, gone, std::move(left)};
    }
  }
  const auto untold = why_untold(read, id.sequence, book, first_readable);
  // An earlier generation of a copy may have issued what is not told any more.
  const bool other_tag = id.generation != GenerationTag() && id.generation != book.generation.tag;
  if (other_tag && !(untold && book.generation.number > 1)) {
    return {{RefusalCode::another_history, shown + "that id is of another history, and no job of this book", number},
            {},
            {}};
  }
  const std::string fact = untold ? "nothing is known of it any more: " + *untold : "never issued in this book";
  return {{RefusalCode::no_such_job, shown + fact, number}, {}, {}, untold.has_value()};
}

}  // namespace daybook
