// SPDX-License-Identifier: Apache-2.0
#include "daybook/system/process.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace daybook {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::string program_name() { return program_invocation_short_name; }

std::uint32_t process_id() { return static_cast<std::uint32_t>(::getpid()); }

}  // namespace daybook
