// SPDX-License-Identifier: Apache-2.0
#include "crontab_script.hpp"

#include <algorithm>
#include <set>

namespace daybook::cli {
namespace {

/// One word for a shell, whatever is in it.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

/// A word that is no line of the text.
std::string end_mark(std::string_view text) {
  std::set<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.insert(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::string mark = "END";
  while (lines.contains(mark)) mark += "_";
  return mark;
}

}  // namespace

ScriptParts split_command(std::string_view text) {
  ScriptParts parts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& into = parts.input ? *parts.input : parts.command;
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '%') {
      into += '%';
      ++i;
    } else if (text[i] != '%') {
      into += text[i];
    } else if (parts.input) {
      into += '\n';
    } else {
      parts.input.emplace();
    }
  }
  if (parts.input && !parts.input->empty() && parts.input->back() != '\n') *parts.input += '\n';
  return parts;
}

std::string script_of(const ScriptParts& parts, const Variables& variables) {
  std::string script;
  for (const auto& [name, value] : variables) script += "export " + name + "=" + shell_word(value) + "\n";
  const auto found = variables.find("SHELL");
  const std::string shell = found == variables.end() || found->second.empty() ? "/bin/sh" : found->second;
  // A backslash at its end would join the line with the next one, where there is none on a command line.
  if (!parts.input && shell == "/bin/sh" && !parts.command.ends_with('\\')) return script + parts.command + "\n";
  script += shell_word(shell) + " -c " + shell_word(parts.command);
  if (!parts.input) return script + "\n";
  const std::string mark = end_mark(*parts.input);
  return script + " <<'" + mark + "'\n" + *parts.input + mark + "\n";
}

std::string program_of(std::string_view command) {
  constexpr std::size_t longest = 48;
  const std::size_t begin = std::min(command.find_first_not_of(" \t"), command.size());
  std::string_view word = command.substr(begin);
  word = word.substr(0, word.find_first_of(" \t;|&<>"));
  while (word.size() > 1 && word.back() == '/') word.remove_suffix(1);
  if (const std::size_t slash = word.rfind('/'); slash != std::string_view::npos) word.remove_prefix(slash + 1);
  std::string program;
  for (const char c : word.substr(0, longest)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    program += plain ? c : '_';
  }
  return program.empty() ? "command" : program;
}

}  // namespace daybook::cli
