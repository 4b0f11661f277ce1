// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace daybook {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "daybook: bug: %s does not hold (%s:%d). Please report it.\n", expression, file, line);
  std::abort();
}

}  // namespace daybook
