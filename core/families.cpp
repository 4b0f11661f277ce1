// SPDX-License-Identifier: Apache-2.0
#include "families.hpp"

#include <algorithm>

namespace daybook {

Kinship kinship(JobState child, Sequence awaits, Sequence parent) {
  if (child == JobState::awaiting && awaits == parent) return Kinship::awaits;
  return is_final(child) ? Kinship::closed : Kinship::open;
}

void Families::enter(const Job& job) {
  for (const JobId& parent : job.spec->dependencies.parents) {
    children_.emplace(parent.sequence, kinship(job.state, job.awaits, parent.sequence), job.id.sequence);
  }
}

void Families::leave(const Job& job) {
  for (const JobId& parent : job.spec->dependencies.parents) {
    children_.erase({parent.sequence, kinship(job.state, job.awaits, parent.sequence), job.id.sequence});
    if (!is_awaited(parent.sequence)) ended_.erase(parent.sequence);
  }
}

void Families::note_parent(const Job& job) {
  if (children_.empty()) return;
  if (is_final(job.state) && is_awaited(job.id.sequence)) {
    ended_.insert(job.id.sequence);
  } else {
    ended_.erase(job.id.sequence);
  }
}

bool Families::is_awaited(Sequence parent) const {
  const auto first = children_.lower_bound({parent, Kinship::awaits, Sequence()});
  return first != children_.end() && std::get<0>(*first) == parent && std::get<1>(*first) == Kinship::awaits;
}

std::vector<Sequence> Families::unsettled(std::size_t limit) const {
  std::vector<Sequence> ids;
  for (const Sequence parent : ended_) {
    auto next = children_.lower_bound({parent, Kinship::awaits, Sequence()});
    for (; next != children_.end() && ids.size() < limit; ++next) {
      if (std::get<0>(*next) != parent || std::get<1>(*next) != Kinship::awaits) break;
      ids.push_back(std::get<2>(*next));
    }
    if (ids.size() >= limit) break;
  }
  return ids;
}

bool Families::has_open_children(Sequence parent) const {
  const auto first = children_.lower_bound({parent, Kinship::awaits, Sequence()});
  return first != children_.end() && std::get<0>(*first) == parent && std::get<1>(*first) != Kinship::closed;
}

std::vector<Sequence> Families::children(Sequence parent, std::size_t limit) const {
  std::vector<Sequence> ids;
  auto next = children_.lower_bound({parent, Kinship::awaits, Sequence()});
  for (; next != children_.end() && std::get<0>(*next) == parent && ids.size() < limit; ++next) {
    ids.push_back(std::get<2>(*next));
  }
  return ids;
}

}  // namespace daybook
