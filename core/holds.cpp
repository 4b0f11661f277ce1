// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/holds.hpp"

namespace daybook {

Holds::Holds(const View& view) {
  view.each_hold([&](const Hold& hold) { holds_.emplace_back(hold, Filter::parse(hold.filter).value_or(Filter())); });
}

const Hold* Holds::holding(const Job& job, const View& names, const Moment& now) const {
  for (const auto& [hold, filter] : holds_) {
    if (filter.matches(job, names, now)) return &hold;
  }
  return nullptr;
}

std::optional<Hold> held_by(const View& view, const Job& job, const Moment& now) {
  const Holds holds(view);
  const Hold* hold = holds.holding(job, view, now);
  return hold ? std::optional(*hold) : std::nullopt;
}

}  // namespace daybook
