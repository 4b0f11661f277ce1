// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tool writes: data on standard output (tables for people, one JSON object a line for programs), everything
// else on standard error. Text that came from users is escaped before a terminal sees it.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/envelope.hpp"
#include "daybook/core/escape.hpp"

namespace daybook::cli {

/// Keeps its members in the order in which they were set: the same input prints the same bytes.
using Json = nlohmann::ordered_json;

/// User text that may go to a terminal.
[[nodiscard]] std::string sanitized(std::string_view text);
/// The first line of it, cut to `width`.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t width);

/// User text as one word of a command line that is shown: in quotes where a shell needs them, and safe for a terminal.
[[nodiscard]] std::string shell_word(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::string hex(std::string_view bytes);

/// One line on standard output.
void print_json(const Json& object);
void print(const std::string& line);
/// One line on standard error.
void tell(const std::string& line);

/// Sets `name` to the bytes when they are UTF-8, else `name`_base64. Leaves out what is empty.
void set_envelope(Json& object, const std::string& name, const Envelope& envelope);

/// Throws RefusedError when standard output took less than it was given.
void finish_output();

/// Columns aligned by the longest cell; the last one is ragged.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  void print() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "1,048,576"
[[nodiscard]] std::string grouped(std::uint64_t number);
/// "1 job", "2 jobs"
[[nodiscard]] std::string counted(std::uint64_t number, const std::string& noun);
/// "37 bytes", "1.5 MiB"
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace daybook::cli
