// SPDX-License-Identifier: Apache-2.0
#include "support/memory_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

// What single calls do, and what goes wrong with them. Ends are in memory_crash.cpp.

namespace daybook::test {
namespace {

bool is_sync(Operation operation) {
  return operation == Operation::sync_data || operation == Operation::sync;
}

bool needs_room(Operation operation) {
  return operation == Operation::write || operation == Operation::allocate || operation == Operation::create ||
         operation == Operation::make_folder || operation == Operation::rename;
}

bool can_be_interrupted(Operation operation) {
  return operation == Operation::open || operation == Operation::read || operation == Operation::write ||
         is_sync(operation) || operation == Operation::allocate || operation == Operation::truncate;
}

Range sector_of(std::uint64_t sector) {
  return {sector * sector_bytes, (sector + 1) * sector_bytes};
}

}  // namespace

std::string folder_of(const std::string& name) {
  const std::size_t slash = name.find('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

// ---- a file -------------------------------------------------------------------------------------------------------

void MemoryStorage::Node::resize(std::uint64_t size) {
  const std::uint64_t before = cached.size();
  if (size == before) return;
  cached.resize(size);
  sizes.push_back(size);
  if (size < before) {
    dirty.add({size, before});
    stale.remove({size, before});
  }
}

void MemoryStorage::Node::forget_cache() {
  if (settled()) return;
  dirty.add(stale);
  cached.resize(durable.size());
  // What the device got without a size for it, or in spite of one, was not seen by the cache either.
  for (const std::uint64_t size : sizes) dirty.add({std::min(size, durable.size()), durable.size()});
  for (const Range& range : dirty) cached.copy(durable, range);
  dirty.clear();
  stale.clear();
  sizes.clear();
}

bool MemoryStorage::Node::unreadable(const Range& range) const {
  return std::any_of(bad.begin(), bad.end(), [&](std::uint64_t sector) {
    return !common(sector_of(sector), range).empty() && !dirty.covers(sector_of(sector));
  });
}

bool MemoryStorage::Node::unwritable(const Range& range) const {
  return std::any_of(bad.begin(), bad.end(), [&](std::uint64_t sector) {
    const Range part = common(sector_of(sector), range);
    return !part.empty() && part.end - part.begin < sector_bytes && !dirty.covers(sector_of(sector));
  });
}

void MemoryStorage::Node::reach_device(const Range& range) {
  durable.copy(cached, range);
  std::erase_if(bad, [&](std::uint64_t sector) {
    return range.begin <= sector_of(sector).begin && sector_of(sector).end <= range.end;
  });
}

// ---- what goes wrong ----------------------------------------------------------------------------------------------

int MemoryStorage::Disk::enter(Operation operation, const std::string& name) {
  if (off) return EIO;
  ++call_counts[static_cast<std::size_t>(operation)];
  ++call_count;
  if (!planned.empty()) {
    if (const int error = planned_error(operation, name)) return error;
  }
  return faulty ? drawn_error(operation, name) : 0;
}

int MemoryStorage::Disk::planned_error(Operation operation, const std::string& name) {
  int error_number = 0;
  for (Planned& plan : planned) {
    if (plan.nth == 0 || (plan.operation && *plan.operation != operation)) continue;
    if (--plan.nth != 0) continue;
    fired = true;
    if (plan.error_number == 0) {
      note(Fault::power_cut);
      off = true;
      cut = Cut{operation, name};
      throw PowerCut{};
    }
    if (plan.for_good) plan.nth = 1;
    note(Fault::planned_error);
    error_number = plan.error_number;
  }
  return error_number;
}

int MemoryStorage::Disk::drawn_error(Operation operation, const std::string& name) {
  if (can_be_interrupted(operation) && draw(Fault::interrupted, name)) {
    note(Fault::interrupted);
    return EINTR;
  }
  if (needs_room(operation) && draw(Fault::full, name)) {
    note(Fault::full);
    return ENOSPC;
  }
  if (is_sync(operation)) return 0;  // fails in ways of its own
  const Fault error = operation == Operation::read          ? Fault::read_error
                      : operation == Operation::write       ? Fault::write_error
                      : operation == Operation::sync_folder ? Fault::folder_sync_error
                                                            : Fault::io_error;
  if (!draw(error, name)) return 0;
  note(error);
  return EIO;
}

bool MemoryStorage::Disk::draw(Fault fault, const std::string& name) {
  if (!faulty) return false;
  const std::uint32_t millionths = faults.per_million[static_cast<std::size_t>(fault)];
  return millionths != 0 && name.starts_with(faults.in) && chance.below(1'000'000) < millionths;
}

void MemoryStorage::Disk::note_silent(Fault fault, const std::string& name, const Range& range) {
  note(fault);
  silent.push_back({fault, name, range.begin, range.end - range.begin});
}

// ---- reading and writing ------------------------------------------------------------------------------------------

std::size_t MemoryStorage::Disk::bounded(Fault cut_short, const std::string& name, std::uint64_t bytes) {
  if (transfer_bound != 0) bytes = std::min<std::uint64_t>(bytes, transfer_bound);
  if (bytes > 1 && draw(cut_short, name)) {
    bytes = 1 + chance.below(bytes - 1);
    note(cut_short);
  }
  return bytes;
}

int MemoryStorage::Disk::read(Node& node, const std::string& name, std::uint64_t offset, std::span<std::byte> into,
                              std::size_t& bytes) {
  if (const int error = enter(Operation::read, name)) return error;
  if (offset >= node.cached.size() || into.empty()) return 0;
  const std::size_t moved =
      bounded(Fault::short_read, name, std::min<std::uint64_t>(into.size(), node.cached.size() - offset));
  const Range range{offset, offset + moved};
  rot(node, name, range);
  if (!node.bad.empty() && node.unreadable(range)) return EIO;
  node.cached.read(offset, into.first(moved));
  bytes = moved;
  return 0;
}

// What reading finds to have happened since it was written.
void MemoryStorage::Disk::rot(Node& node, const std::string& name, const Range& range) {
  const auto on_device = [&](std::uint64_t at) {
    return at < node.durable.size() && node.dirty.within({at, at + 1}).empty();
  };
  if (draw(Fault::flipped_bit, name)) {
    const std::uint64_t bit = range.begin * 8 + chance.below((range.end - range.begin) * 8);
    if (on_device(bit / 8)) {
      node.durable.flip(bit);
      node.cached.flip(bit);
      note_silent(Fault::flipped_bit, name, {bit / 8, bit / 8 + 1});
    }
  }
  if (draw(Fault::bad_sector, name)) {
    const std::uint64_t at = range.begin + chance.below(range.end - range.begin);
    if (on_device(at) && node.bad.insert(at / sector_bytes).second) note(Fault::bad_sector);
  }
}

int MemoryStorage::Disk::write(Node& node, const std::string& name, std::uint64_t offset,
                               std::span<const std::byte> from, std::size_t& bytes) {
  if (const int error = enter(Operation::write, name)) return error;
  const std::size_t moved = bounded(Fault::short_write, name, from.size());
  const Range range{offset, offset + moved};
  if (!node.bad.empty() && node.unwritable(range)) return EIO;
  if (range.end > node.cached.size()) {
    if (!grow(node.cached.size(), range.end)) return ENOSPC;
    node.resize(range.end);
  }
  write_back_early(node, name, range);
  node.cached.write(offset, from.first(moved));
  node.dirty.add(range);
  node.stale.remove(range);
  bytes = moved;
  return 0;
}

void MemoryStorage::Disk::write_back_early(Node& node, const std::string& name, const Range& range) {
  if (!faulty || node.dirty.empty()) return;
  for (const Range& part : node.dirty.within(range)) {
    if (part.begin >= node.durable.size() || !draw(Fault::early_write_back, name)) continue;
    node.durable.copy(node.cached, part);
    note(Fault::early_write_back);
  }
}

int MemoryStorage::Disk::truncate(Node& node, std::uint64_t size) {
  const std::uint64_t before = node.cached.size();
  if (!grow(before, size)) return ENOSPC;
  if (size < before) give_back(before - size);
  node.resize(size);
  return 0;
}

int MemoryStorage::Disk::allocate(Node& node, std::uint64_t size) {
  if (size <= node.cached.size()) return 0;
  if (!grow(node.cached.size(), size)) return ENOSPC;
  node.resize(size);
  return 0;
}

// ---- syncing ------------------------------------------------------------------------------------------------------

int MemoryStorage::Disk::sync(Node& node, const std::string& name, Operation operation) {
  if (const int error = enter(operation, name)) {
    if (error != EINTR) fail_sync(node, planned_syncs_revert, false);
    return error;
  }
  for (const Fault fault : {Fault::sync_keeps, Fault::sync_reverts}) {
    if (node.dirty.empty() || !draw(fault, name)) continue;
    fail_sync(node, fault == Fault::sync_reverts, true);
    note(fault);
    return EIO;
  }
  write_back(node, name);
  return 0;
}

// As Linux does: the pages count as clean now, and the next sync succeeds without them. What they show differs from
// file system to file system.
void MemoryStorage::Disk::fail_sync(Node& node, bool reverts, bool some_arrive) {
  Ranges missing;
  for (const Range& range : node.dirty) {
    for (std::uint64_t at = range.begin; at < range.end;) {
      const Range part{at, std::min(range.end, (at / sector_bytes + 1) * sector_bytes)};
      if (some_arrive && chance.percent(50)) {
        node.reach_device(part);
        if (part.end > node.durable.size()) missing.add(part);
      } else {
        missing.add(part);
      }
      at = part.end;
    }
  }
  node.dirty.clear();
  if (!reverts) {
    node.stale.add(missing);
    return;
  }
  for (const Range& range : missing) {
    const Range known = common(range, {0, node.durable.size()});
    if (!known.empty()) node.cached.copy(node.durable, known);
    const Range unknown = common(range, {node.durable.size(), node.cached.size()});
    if (unknown.empty()) continue;
    const std::vector<std::byte> zeros(unknown.end - unknown.begin);
    node.cached.write(unknown.begin, zeros);
  }
}

void MemoryStorage::Disk::write_back(Node& node, const std::string& name) {
  node.durable.resize(node.cached.size());
  node.sizes.clear();
  const Ranges written = std::exchange(node.dirty, {});
  for (const Range& range : written) {
    if (faulty) {
      if (draw(Fault::lost_write, name) && !node.cached.equal(node.durable, range)) {
        note_silent(Fault::lost_write, name, range);
        node.stale.add(range);
        continue;
      }
      if ((draw(Fault::misdirected_write, name) && misdirect(node, name, range)) ||
          (draw(Fault::misdirected_to_file, name) && misdirect_to_file(node, name, range))) {
        node.stale.add(range);
        continue;
      }
    }
    node.reach_device(range);
  }
}

// The bytes of `range` overwrite what the device holds at `at`.
bool MemoryStorage::Disk::land(Node& victim, std::uint64_t at, const Content& from, const Range& range) {
  const std::uint64_t bytes = std::min(range.end, from.size()) - std::min(range.begin, from.size());
  if (at >= victim.durable.size() || bytes == 0) return false;
  std::vector<std::byte> moved(std::min(bytes, victim.durable.size() - at));
  from.read(range.begin, moved);
  victim.durable.write(at, moved);
  // The cache goes on showing what was there, until it is dropped.
  const Range hit{at, at + moved.size()};
  victim.stale.add(hit);
  for (const Range& part : victim.dirty.within(hit)) victim.stale.remove(part);
  return true;
}

bool MemoryStorage::Disk::misdirect(Node& node, const std::string& name, const Range& range) {
  const std::uint64_t sectors = node.durable.size() / sector_bytes;
  if (sectors < 2) return false;
  const std::uint64_t sector = (range.begin / sector_bytes + 1 + chance.below(sectors - 1)) % sectors;
  const std::uint64_t at = sector * sector_bytes + range.begin % sector_bytes;
  if (at == range.begin || !land(node, at, node.cached, range)) return false;
  note_silent(Fault::misdirected_write, name, range);
  silent.push_back({Fault::misdirected_write, name, at, range.end - range.begin});
  return true;
}

bool MemoryStorage::Disk::misdirect_to_file(Node& node, const std::string& name, const Range& range) {
  std::vector<std::pair<std::string, Node*>> others;
  for (const auto& [other, victim] : durable) {
    if (victim.get() != &node && victim->durable.size() >= sector_bytes && other.starts_with(faults.in)) {
      others.emplace_back(other, victim.get());
    }
  }
  if (others.empty()) return false;
  const auto& [other, victim] = others[chance.below(others.size())];
  const std::uint64_t at =
      chance.below(victim->durable.size() / sector_bytes) * sector_bytes + range.begin % sector_bytes;
  if (!land(*victim, at, node.cached, range)) return false;
  note_silent(Fault::misdirected_to_file, name, range);
  silent.push_back({Fault::misdirected_to_file, other, at, range.end - range.begin});
  return true;
}

// ---- folders and room ---------------------------------------------------------------------------------------------

void MemoryStorage::Disk::carry_out(Entries& entries, const FolderChange& change) {
  if (!change.from.empty()) entries.erase(change.from);
  if (!change.to.empty()) entries[change.to] = change.node;
}

void MemoryStorage::Disk::change_folder(FolderChange change) {
  carry_out(cached, change);
  pending.push_back(std::move(change));
}

MemoryStorage::Disk::NodePtr MemoryStorage::Disk::make_node() {
  auto node = std::make_shared<Node>();
  node->number = ++last_number;
  return node;
}

bool MemoryStorage::Disk::grow(std::uint64_t from, std::uint64_t to) {
  if (!free || to <= from) return true;
  if (*free < to - from) return false;
  *free -= to - from;
  return true;
}

void MemoryStorage::Disk::give_back(std::uint64_t bytes) {
  if (free) *free += bytes;
}

MemoryStorage::Node& MemoryStorage::Disk::existing(const std::string& name) {
  const auto found = cached.find(name);
  if (found == cached.end()) throw std::logic_error("test: no file " + name);
  return *found->second;
}

}  // namespace daybook::test
