// SPDX-License-Identifier: Apache-2.0
#pragma once

// What may not be pruned: jobs that the filter of a hold matches.

#include <utility>
#include <vector>

#include "daybook/core/entities.hpp"
#include "daybook/core/filter.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// The holds that stand, each filter read once: for asking about many jobs. As of the view when it was made.
class Holds {
 public:
  explicit Holds(const View& view);
  [[nodiscard]] bool empty() const { return holds_.empty(); }
  /// The first hold that matches the job, or null; good as long as this object. A filter that this release cannot read holds every job.
  [[nodiscard]] const Hold* holding(const Job& job, const View& names, const Moment& now) const;

 private:
  std::vector<std::pair<Hold, Filter>> holds_;
};

}  // namespace daybook
