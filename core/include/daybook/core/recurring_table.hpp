// SPDX-License-Identifier: Apache-2.0
#pragma once

// RecurringTable: the recurring schedules of a store, which are few and kept wholly in memory, and the order in which they want
// attention.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "daybook/core/recurring.hpp"

namespace daybook {

class RecurringTable {
 public:
  [[nodiscard]] const Recurring* find(NameId id) const;
  void put(Recurring recurring);
  void erase(NameId id);
  /// Those that want attention at or before `now`, by (when, id).
  [[nodiscard]] std::vector<NameId> due(Instant now, std::size_t limit) const;
  [[nodiscard]] std::optional<Instant> next() const;
  void each(const std::function<void(const Recurring&)>& visit) const;

 private:
  std::map<NameId, Recurring> all_;
  std::set<std::pair<Instant, NameId>> order_;
};

}  // namespace daybook
