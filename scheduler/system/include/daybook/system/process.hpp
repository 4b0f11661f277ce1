// SPDX-License-Identifier: Apache-2.0
#pragma once

// The process that opened a book: what the record says of it, for people, and whether it still is the one that runs.

#include <cstdint>
#include <string>

namespace daybook {

[[nodiscard]] std::string host_name();     // "" when the system has none
[[nodiscard]] std::string program_name();  // of the executable, without its folder
[[nodiscard]] std::uint32_t process_id();

/// Tells the process that made it from the children that fork() makes of it: they have a copy of its memory, but neither its threads
/// nor a claim to its locks. Asking costs a load. A bare clone() is not noticed.
class ProcessMark {
 public:
  ProcessMark();
  [[nodiscard]] bool in_forked_child() const;

 private:
  std::uint64_t forks_;
};

}  // namespace daybook
