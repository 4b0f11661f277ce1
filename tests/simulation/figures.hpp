// SPDX-License-Identifier: Apache-2.0
#pragma once

// Figures: what a campaign went through.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>

#include "script.hpp"
#include "support/disk_faults.hpp"

namespace daybook::simulation {

struct Figures {
  std::uint64_t runs = 0;
  std::uint64_t runs_with_index = 0;
  std::uint64_t power_losses = 0;
  std::uint64_t kills = 0;
  std::array<std::uint64_t, 4> nested{};  // ends within an opening: of the first try, the second, …
  std::uint64_t crashes_with_index = 0;
  std::uint64_t clean_ends = 0;
  std::uint64_t storage_errors = 0;  // openings and engines that stopped with one
  std::uint64_t events = 0;
  std::uint64_t answers = 0;
  std::array<std::uint64_t, kind_count> actions{};
  test::FaultCounts planned;  // calls for it are counted by run
  test::FaultCounts fired;
  std::uint64_t dropped_segments = 0;
  std::uint64_t restores = 0;
  std::uint64_t damages = 0;
  std::uint64_t damages_reported = 0;
  std::uint64_t damages_harmless = 0;
  std::uint64_t damages_declared = 0;
  std::uint64_t lies_reported = 0;                    // lives that ended because the disk's lies were found out
  std::uint64_t lies_unprovable = 0;                  // … with a tail lost that nothing on the disk vouches for
  std::map<std::string, std::uint64_t> crash_points;  // "write segment": ends there
  std::unordered_set<std::uint64_t> end_states;

  [[nodiscard]] std::uint64_t crashes() const { return power_losses + kills; }
};

/// A line for people each.
[[nodiscard]] std::string describe(const Figures& figures);
/// Appended to the file that DAYBOOK_FIGURES names, if it does.
void record(const Figures& figures, const std::string& campaign, std::uint64_t seed);

}  // namespace daybook::simulation
