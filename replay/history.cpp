// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

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

}  // namespace daybook
