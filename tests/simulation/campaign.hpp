// SPDX-License-Identifier: Apache-2.0
#pragma once

// Campaigns: many lives from one seed, until so many crashes were met; and what to do about one that went wrong.

#include <cstdint>
#include <optional>
#include <string>

#include "figures.hpp"
#include "script.hpp"

namespace daybook::simulation {

/// Lives it. Returns the first promise that was broken; empty: none.
[[nodiscard]] std::string live(const Script& script, Figures& figures);

/// The same failure or another, with as few actions as can be found in a bounded number of tries, as a test.
[[nodiscard]] std::string shortened(const Script& script);

struct Campaign {
  std::uint64_t seed = 0;
  std::uint64_t crashes = 0;
  std::uint64_t index_every = 25;  // one life in so many is lived with LMDB
  bool progress = false;           // on stderr
};

struct Outcome {
  Figures figures;
  std::string failure;  // with seed, options, and the shortened script as a test; empty: none
  std::uint64_t lives = 0;
};

[[nodiscard]] Outcome run(const Campaign& campaign);

/// Names each fault that was asked for and never happened.
[[nodiscard]] std::string never_fired(const Figures& figures);

}  // namespace daybook::simulation
