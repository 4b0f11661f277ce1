// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/mutant.hpp"

#include <cstdlib>
#include <cstring>

namespace daybook {

bool kept(const char* name) {
  static const char* const removed = std::getenv("DAYBOOK_MUTANT");
  return removed == nullptr || std::strcmp(name, removed) != 0;
}

}  // namespace daybook
