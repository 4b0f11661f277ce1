// SPDX-License-Identifier: Apache-2.0
#include "recurring_plan.hpp"

#include <algorithm>

namespace daybook {
namespace {

constexpr Duration tick = Duration(1);

/// The first stretch that ends at or behind `at`.
auto stretch_from(const std::vector<Stretch>& stretches, Instant at) {
  return std::lower_bound(stretches.begin(), stretches.end(), at,
                          [](const Stretch& stretch, Instant instant) { return stretch.until < instant; });
}

}  // namespace

Result<std::optional<Occurrence>> plan_after(const Recurrence& recurrence, std::string_view name, const Past& past,
                                             Instant from, const Zones& zones) {
  while (true) {
    const auto next = next_occurrence(recurrence, from, zones);
    if (!next) return tl::unexpected<Refusal>(next.error());
    if (!*next) return std::nullopt;
    const Instant nominal = **next;
    if (nominal <= past.handled) {
      const auto stretch = stretch_from(past.unmade, nominal);
      if (stretch == past.unmade.end() || stretch->from > nominal) {
        from = stretch == past.unmade.end() ? past.handled : stretch->from - tick;
        continue;
      }
    }
    const auto due = due_of_occurrence(recurrence, name, nominal, zones);
    if (!due) return tl::unexpected<Refusal>(due.error());
    return Occurrence{nominal, *due};
  }
}

void add(std::vector<Stretch>& stretches, Stretch stretch) {
  if (stretch.from > stretch.until) return;
  // What touches it becomes one with it. Instants out of a log may be any: each sum is of one that has another beyond it.
  const auto first = std::find_if(stretches.begin(), stretches.end(), [&](const Stretch& one) {
    return one.until >= stretch.from || one.until + tick == stretch.from;
  });
  auto last = first;
  for (; last != stretches.end() && (last->from <= stretch.until || last->from - tick == stretch.until); ++last) {
    stretch.from = std::min(stretch.from, last->from);
    stretch.until = std::max(stretch.until, last->until);
  }
  stretches.insert(stretches.erase(first, last), stretch);
  if (stretches.size() > limits::unmade_max) stretches.erase(stretches.begin());
}

void subtract(std::vector<Stretch>& stretches, Stretch stretch) {
  std::vector<Stretch> left;
  left.reserve(stretches.size() + 1);
  for (const Stretch& one : stretches) {
    if (one.until < stretch.from || one.from > stretch.until) {
      left.push_back(one);
      continue;
    }
    if (one.from < stretch.from) left.push_back({one.from, stretch.from - tick});
    if (one.until > stretch.until) left.push_back({stretch.until + tick, one.until});
  }
  if (left.size() > limits::unmade_max) left.erase(left.begin());
  stretches = std::move(left);
}

}  // namespace daybook
