// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/undeclared.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace daybook {
namespace {

std::string text_of(const View& view, NameId id) {
  const Name* name = view.name(id);
  return name ? name->text : std::string();
}

}  // namespace

std::vector<Undeclared> undeclared(const View& view, const Moment& now) {
  std::set<NameId> any_kind;  // queues that a worker serves whatever the kind
  std::set<std::pair<NameId, NameId>> declared;
  for (const NameId id : view.workers()) {
    const Worker* worker = view.worker(id);
    for (const NameId queue : worker->queues) {
      if (worker->kinds.empty()) any_kind.insert(queue);
      for (const NameId kind : worker->kinds) declared.emplace(queue, kind);
    }
  }
  std::map<std::pair<NameId, NameId>, std::uint64_t> ready;
  view.each_job([&](const Job& job) {
    const std::pair of(job.spec->queue, job.spec->kind);
    if (job.state == JobState::waiting && is_due(job.due, now) && !any_kind.contains(of.first) &&
        !declared.contains(of)) {
      ++ready[of];
    }
  });
  std::vector<Undeclared> found;
  for (const auto& [of, count] : ready) found.push_back({text_of(view, of.first), text_of(view, of.second), count});
  std::sort(found.begin(), found.end(), [](const Undeclared& a, const Undeclared& b) {
    return std::pair(a.queue, a.kind) < std::pair(b.queue, b.kind);
  });
  return found;
}

}  // namespace daybook
