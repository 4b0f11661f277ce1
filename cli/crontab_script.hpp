// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a line of a crontab runs, as a script for the standard input of a shell.

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::cli {

using Variables = std::map<std::string, std::string>;

struct ScriptParts {
  std::string command;
  std::optional<std::string> input;  // what the command reads, when there was a %
};

/// Cuts at the first % without a backslash before it. Each further one is the end of a line of input, whose last line is ended too.
[[nodiscard]] ScriptParts split_command(std::string_view text);

/// Exports the variables, then runs the command: as it is written where /bin/sh would run it without input, else by the shell that
/// SHELL names, with its input.
[[nodiscard]] std::string script_of(const ScriptParts& parts, const Variables& variables);

/// The first word of a command, without folders, at most 48 letters, digits, dots, dashes and underscores: for a name.
[[nodiscard]] std::string program_of(std::string_view command);

}  // namespace daybook::cli
