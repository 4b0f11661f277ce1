// SPDX-License-Identifier: Apache-2.0
#include "support/disk_faults.hpp"

namespace daybook::test {
namespace {

constexpr std::array<const char*, fault_count> names = {
    "io_error",          "read_error",          "write_error",        "full",
    "interrupted",       "short_read",          "short_write",        "sync_keeps",
    "sync_reverts",      "folder_sync_error",   "bad_sector",         "flipped_bit",
    "misdirected_write", "misdirected_to_file", "lost_write",         "early_write_back",
    "sector_kept",       "sector_lost",         "sector_halved",      "sector_garbled",
    "size_lost",         "folder_change_kept",  "folder_change_lost", "power_cut",
    "planned_error",
};

}  // namespace

const char* name_of(Fault fault) {
  return names[static_cast<std::size_t>(fault)];
}

FaultCounts& FaultCounts::operator+=(const FaultCounts& other) {
  for (std::size_t i = 0; i < fault_count; ++i) counts_[i] += other.counts_[i];
  return *this;
}

std::string describe(const FaultCounts& counts) {
  std::string text;
  for (std::size_t i = 0; i < fault_count; ++i) {
    const auto fault = static_cast<Fault>(i);
    text += std::string(name_of(fault)) + " " + std::to_string(counts[fault]) + "\n";
  }
  return text;
}

std::uint64_t Chance::next() {
  state_ += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace daybook::test
