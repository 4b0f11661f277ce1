// SPDX-License-Identifier: Apache-2.0
#include <daybook/core/time.hpp>

#include <iostream>

int main() {
  const auto parsed = daybook::parse_duration("1h30m");
  if (!parsed) {
    std::cerr << parsed.error().sentence << '\n';
    return 1;
  }
  std::cout << daybook::to_string(*parsed) << '\n';
}
