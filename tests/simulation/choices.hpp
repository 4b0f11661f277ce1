// SPDX-License-Identifier: Apache-2.0
#pragma once

// Choices: what an action leaves to chance, from the action's own number. Taking other actions out of a script changes none.

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "support/manual_clock.hpp"

namespace daybook::simulation {

class Choices {
 public:
  explicit Choices(std::uint64_t seed) : random_(seed) {}

  std::uint64_t any() { return random_.next(); }
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(any() % end); }
  bool once_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + below(values.size()));
  }

 private:
  test::FixedRandom random_;
};

}  // namespace daybook::simulation
