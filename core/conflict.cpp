// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/conflict.hpp"

#include <algorithm>

namespace daybook {

Merge merge_of(OnConflict policy, JobState state) {
  if (policy == OnConflict::reject) return Merge::refuse;
  if (policy == OnConflict::return_existing) return Merge::existing;
  switch (state) {
    case JobState::waiting:
    case JobState::awaiting:
      return Merge::replace;
    case JobState::running:
      return Merge::follow;
    case JobState::uncertain:
      return Merge::refuse;  // whether it ran nobody knows, and nothing may be changed behind an operator's back
    case JobState::completed:
    case JobState::cancelled:
    case JobState::dead:
      break;
  }
  return Merge::existing;
}

Due merged_due(OnConflict policy, const Due& holder, const Due& newcomer, const std::optional<Due>& latest) {
  if (policy == OnConflict::throttle) return holder;
  if (policy != OnConflict::debounce || !latest) return newcomer;
  const bool later = newcomer.after && latest->after ? *latest->after < *newcomer.after : latest->at < newcomer.at;
  if (!later) return newcomer;
  return newcomer.after ? *latest : Due{latest->at, std::nullopt};
}

bool holds_key(const Job& job) {
  if (job.spec->unique_key.empty() || job.key_handed_over) return false;
  const UniqueScope& scope = job.spec->unique_scope;
  switch (job.state) {
    case JobState::completed:
      return scope.completed;
    case JobState::cancelled:
      return scope.cancelled;
    case JobState::dead:
      return scope.dead;
    case JobState::waiting:
    case JobState::awaiting:
    case JobState::running:
    case JobState::uncertain:
      break;
  }
  return true;
}

}  // namespace daybook
