// SPDX-License-Identifier: Apache-2.0
#pragma once

// What lies in a book's directory beside the events: for verify --deep.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace daybook::cli {

struct Surroundings {
  std::uint64_t log_bytes = 0;                                    // of the files of the log
  std::vector<std::pair<std::string, std::uint64_t>> quarantine;  // cut bytes that are kept: name, bytes
  std::vector<std::string> oddities;  // names that mean nothing here, files open to other users: one sentence each
};

[[nodiscard]] Surroundings look_around(const std::string& directory);

}  // namespace daybook::cli
