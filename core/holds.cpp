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

}  // namespace daybook
