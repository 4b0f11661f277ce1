// SPDX-License-Identifier: Apache-2.0
#pragma once

// Jobs that wait for a worker that nobody has seen.

#include <cstdint>
#include <string>
#include <vector>

#include "daybook/core/time.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// Ready jobs of a kind that no joined worker of the queue declares.
struct Undeclared {
  std::string queue;
  std::string kind;
  std::uint64_t ready = 0;
  friend bool operator==(const Undeclared&, const Undeclared&) = default;
};

/// By queue and kind. A worker that declares no kinds takes all. Looks at every job.
[[nodiscard]] std::vector<Undeclared> undeclared(const View& view, const Moment& now);

}  // namespace daybook
