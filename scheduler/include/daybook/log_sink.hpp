// SPDX-License-Identifier: Apache-2.0
#pragma once

// For services that log through spdlog: Options{.log = daybook::log_sink()}.

#include <functional>
#include <string>

#include "daybook/daybook.hpp"

namespace daybook {

/// What a book has to say goes to the spdlog logger registered under `name`; when there is none, one is made that writes to
/// standard error. Control characters and the like are escaped. The logger is looked up now, not at each line.
[[nodiscard]] std::function<void(LogLevel, const std::string&)> log_sink(const std::string& name = "daybook");

}  // namespace daybook
