// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a book records of the process that opened it. For people; nothing depends on it.

#include <cstdint>
#include <string>

namespace daybook {

[[nodiscard]] std::string host_name();       // "" when the system has none
[[nodiscard]] std::string program_name();    // of the executable, without its folder
[[nodiscard]] std::uint32_t process_id();

}  // namespace daybook
