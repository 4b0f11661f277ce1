// SPDX-License-Identifier: Apache-2.0
#include "witness.hpp"

#include "daybook/core/error.hpp"
#include "daybook/core/mutant.hpp"
#include "segment_name.hpp"

namespace daybook {
namespace {

constexpr std::size_t slot_count = 2;
constexpr int attempts = 4;  // a living writer may be rewriting a slot while it is read

std::uint64_t place_of(std::uint64_t counter) {
  return counter % slot_count * format::witness_slot_bytes;
}

WitnessFound read_once(Storage& storage) {
  WitnessFound found;
  auto file = LogFile::open_if_exists(storage, witness_name, OpenMode::read);
  if (!file) return found;
  found.exists = true;
  std::array<std::byte, slot_count * format::witness_slot_bytes> bytes;
  const std::size_t length = file->read(0, bytes);
  found.bytes = file->size();
  for (std::size_t i = 0; i < slot_count; ++i) {
    const std::size_t at = i * format::witness_slot_bytes;
    const auto rest = std::span<const std::byte>(bytes).first(length).subspan(std::min(at, length));
    const auto slot = format::parse_witness_slot(rest);
    if (slot && (slot->counter % slot_count == i || !kept("log.witness.place"))) {
      if (!found.newest || slot->counter > found.newest->counter) found.newest = *slot;
    } else if (slot) {
      found.problems[i] = format::Problem{format::Problem::Kind::implausible, "a slot that belongs in the other place"};
    } else if (kept("log.witness.newer") && slot.error().kind == format::Problem::Kind::newer) {
      throw CorruptionError(Damage::unknown_format, {witness_name, at, std::nullopt}, slot.error().sentence);
    } else {
      found.problems[i] = slot.error();
    }
  }
  return found;
}

}  // namespace

WitnessFound read_witness(Storage& storage) {
  WitnessFound found = read_once(storage);
  for (int i = 1; i < attempts && found.exists && !found.newest; ++i) found = read_once(storage);
  return found;
}

Witness Witness::create(Storage& storage, format::WitnessSlot slot) {
  remove_if_exists(storage, witness_temporary);
  Witness witness(LogFile::open(storage, witness_temporary, OpenMode::create));
  witness.counter_ = slot.counter;
  witness.write_durably(slot);
  rename_file(storage, witness_temporary, witness_name);
  witness.file_.renamed(witness_name);
  if (kept("log.witness.sync_folder")) sync_folder(storage, log_folder);
  return witness;
}

Witness Witness::resume(Storage& storage, const format::WitnessSlot& newest) {
  Witness witness(LogFile::open(storage, witness_name, OpenMode::read_write));
  witness.counter_ = newest.counter;
  return witness;
}

void Witness::write(format::WitnessSlot slot) {
  slot.counter = counter_ + 1;
  behind_ = true;
  file_.write(place_of(slot.counter), format::to_bytes(slot));
  counter_ = slot.counter;
}

void Witness::sync() {
  if (kept("log.witness.sync_data")) file_.sync_data();
  behind_ = false;
}

void Witness::write_durably(const format::WitnessSlot& slot) {
  for (std::size_t i = 0; i < (kept("log.witness.both_slots") ? slot_count : 1); ++i) {
    write(slot);
    if (i != 0 || kept("log.witness.sync_between")) sync();
  }
}

}  // namespace daybook
