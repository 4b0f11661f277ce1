// SPDX-License-Identifier: Apache-2.0
#pragma once

// Strong<Tag, Rep>: a number with a meaning. Two of them mix only when their tags agree, so a sequence
// cannot be passed where an epoch is wanted.

#include <compare>
#include <cstddef>
#include <functional>

namespace daybook {

template <class Tag, class Rep>
class Strong {
 public:
  using rep = Rep;

  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}

  [[nodiscard]] constexpr Rep value() const { return value_; }
  [[nodiscard]] constexpr Strong next() const { return Strong(static_cast<Rep>(value_ + 1)); }

  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

 private:
  Rep value_{};
};

}  // namespace daybook

template <class Tag, class Rep>
struct std::hash<daybook::Strong<Tag, Rep>> {
  std::size_t operator()(const daybook::Strong<Tag, Rep>& strong) const noexcept {
    return std::hash<Rep>{}(strong.value());
  }
};
