// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "support/memory_disk.hpp"

// The ends of a life: what a loss of power leaves. Only what was not synced is looked at, so a crash costs little.

namespace daybook::test {

void MemoryStorage::Disk::end_life() {
  ++life;
  off = false;
  cut.reset();
  locked = false;
  planned.clear();
}

void MemoryStorage::Disk::crash(const CrashPlan& plan) {
  Chance by(plan.seed);
  // In the order of the names, so that a seed means the same on every run.
  const auto settle_once = [&](const NodePtr& node) {
    if (node && !node->settled()) settle(*node, plan, by);
  };
  for (const auto& [name, node] : cached) settle_once(node);
  for (const auto& [name, node] : durable) settle_once(node);
  for (const FolderChange& change : pending) {
    settle_once(change.node);
    const bool kept = by.percent(plan.kept_percent);
    note(kept ? Fault::folder_change_kept : Fault::folder_change_lost);
    if (kept) carry_out(durable, change);
  }
  const bool changed = !pending.empty() || !new_folders.empty();
  pending.clear();
  for (const std::string& folder : new_folders) {
    if (by.percent(plan.kept_percent)) continue;
    note(Fault::folder_change_lost);
    folders.erase(folder);
    std::erase_if(durable, [&](const auto& entry) { return folder_of(entry.first) == folder; });
  }
  new_folders.clear();
  if (changed) cached = durable;
  end_life();
}

std::size_t MemoryStorage::Disk::crash_with(const std::function<bool(std::size_t)>& keep) {
  std::size_t choices = 0;
  const auto settle_once = [&](const NodePtr& node) {
    if (!node || node->settled()) return;
    // As in `settle`; what the number of choices depends on is only what was not synced, never what was chosen.
    bool size_chosen = false;
    for (auto size = node->sizes.rbegin(); size != node->sizes.rend(); ++size) {
      if (!keep(choices++) || size_chosen) continue;
      size_chosen = true;
      node->durable.resize(*size);
    }
    for (const Range& range : node->dirty) {
      for (std::uint64_t at = range.begin; at < range.end;) {
        const Range part{at, std::min(range.end, (at / sector_bytes + 1) * sector_bytes)};
        const std::uint64_t end = std::min({part.end, node->cached.size(), node->durable.size()});
        if (keep(choices++) && part.begin < end) node->reach_device({part.begin, end});
        at = part.end;
      }
    }
    node->forget_cache();
  };
  for (const auto& [name, node] : cached) settle_once(node);
  for (const auto& [name, node] : durable) settle_once(node);
  for (const FolderChange& change : pending) {
    settle_once(change.node);
    if (keep(choices++)) carry_out(durable, change);
  }
  for (const std::string& folder : new_folders) {
    if (keep(choices++)) continue;
    folders.erase(folder);
    std::erase_if(durable, [&](const auto& entry) { return folder_of(entry.first) == folder; });
  }
  if (!pending.empty() || !new_folders.empty()) cached = durable;
  pending.clear();
  new_folders.clear();
  end_life();
  return choices;
}

void MemoryStorage::Disk::settle(Node& node, const CrashPlan& plan, Chance& by) {
  // Sizes were set one after another: the device knows of the last, or of one before.
  for (auto size = node.sizes.rbegin(); size != node.sizes.rend(); ++size) {
    if (by.percent(plan.kept_percent)) {
      node.durable.resize(*size);
      break;
    }
    if (size == node.sizes.rbegin()) note(Fault::size_lost);
  }
  std::uint64_t sector = ~std::uint64_t{0};
  unsigned fate = 0;
  for (const Range& range : node.dirty) {
    const std::uint64_t end = std::min({range.end, node.cached.size(), node.durable.size()});
    for (std::uint64_t at = range.begin; at < end;) {
      if (at / plan.sector != sector) {  // one fate for all of a sector
        sector = at / plan.sector;
        fate = static_cast<unsigned>(by.below(100));
      }
      const Range part{at, std::min(end, (sector + 1) * plan.sector)};
      settle_sector(node, part, sector, fate, plan, by);
      at = part.end;
    }
  }
  node.forget_cache();
}

void MemoryStorage::Disk::settle_sector(Node& node, const Range& part, std::uint64_t sector, unsigned fate,
                                        const CrashPlan& plan, Chance& by) {
  if (fate < plan.kept_percent) {
    note(Fault::sector_kept);
    node.reach_device(part);
    return;
  }
  fate -= plan.kept_percent;
  if (fate < plan.garbage_percent) {
    note(Fault::sector_garbled);
    Range hit = part;
    if (plan.garbage_block != 0) {
      hit.begin = part.begin / plan.garbage_block * plan.garbage_block;
      hit.end = std::min(hit.begin + plan.garbage_block, node.durable.size());
      node.stale.add(hit);  // the cache is not to show what was there
    }
    std::vector<std::byte> garbage(hit.end - hit.begin);
    for (std::byte& byte : garbage) byte = static_cast<std::byte>(by.next());
    node.durable.write(hit.begin, garbage);
    return;
  }
  fate -= plan.garbage_percent;
  if (fate < plan.halved_percent) {
    note(Fault::sector_halved);
    const std::uint64_t cut = sector * plan.sector + 1 + by.below(plan.sector - 1);
    const bool first_is_new = by.percent(50);
    node.durable.copy(node.cached, common(part, first_is_new ? Range{0, cut} : Range{cut, part.end}));
    return;
  }
  note(Fault::sector_lost);
}

}  // namespace daybook::test
