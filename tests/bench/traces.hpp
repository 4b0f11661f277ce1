// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where workloads lie that are not part of the project. DAYBOOK_TRACES names another folder.

#include <cstdlib>
#include <string>

namespace daybook::bench {

inline std::string trace_path(const std::string& name) {
  const char* const folder = std::getenv("DAYBOOK_TRACES");
  return std::string(folder == nullptr ? TRACES : folder) + "/" + name;
}

}  // namespace daybook::bench
