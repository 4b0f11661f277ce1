// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/recurring_table.hpp"

namespace daybook {

const Recurring* RecurringTable::find(NameId id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

void RecurringTable::put(Recurring recurring) {
  const NameId id = recurring.id;
  erase(id);
  if (const auto at = attention_at(recurring)) order_.emplace(*at, id);
  all_.emplace(id, std::move(recurring));
}

void RecurringTable::erase(NameId id) {
  const auto found = all_.find(id);
  if (found == all_.end()) return;
  if (const auto at = attention_at(found->second)) order_.erase({*at, id});
  all_.erase(found);
}

std::vector<NameId> RecurringTable::due(Instant now, std::size_t limit) const {
  std::vector<NameId> ids;
  for (const auto& [at, id] : order_) {
    if (at > now || ids.size() >= limit) break;
    ids.push_back(id);
  }
  return ids;
}

std::optional<Instant> RecurringTable::next() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

void RecurringTable::each(const std::function<void(const Recurring&)>& visit) const {
  for (const auto& [id, recurring] : all_) visit(recurring);
}

}  // namespace daybook
