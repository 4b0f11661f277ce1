// SPDX-License-Identifier: Apache-2.0
// Writing to the two standard streams. What the lines say is up to the callers.
#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daybook/core/escape.hpp"
#include "exit.hpp"

namespace daybook::cli {

std::string sanitized(std::string_view text) {
  return escaped(text);
}

std::string excerpt(std::string_view text, std::size_t width) {
  const std::size_t line = text.find('\n');
  const std::string_view first = text.substr(0, line);
  const bool cut = line != std::string_view::npos && line + 1 < text.size();
  if (first.size() <= width) return escaped(first) + (cut ? " …" : "");
  return escaped(first.substr(0, width)) + "…";
}

std::string shell_word(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_./:@%+,-").find(c) != std::string_view::npos;
  };
  const std::string shown = escaped(text);
  if (!shown.empty() && std::all_of(shown.begin(), shown.end(), plain)) return shown;
  std::string quoted = "'";
  for (const char c : shown) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80         ? 1
                               : (byte >> 5) == 6  ? 2
                               : (byte >> 4) == 14 ? 3
                               : (byte >> 3) == 30 ? 4
                                                   : 0;
    if (length == 0 || text.size() - i < length) return false;
    std::uint32_t point = length == 1 ? byte : byte & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next >> 6) != 2) return false;
      point = (point << 6) | (next & 0x3FU);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = (group << 8) | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= here ? kDigits[(group >> (18 - 6 * k)) & 63U] : '=';
    }
  }
  return text;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

void print_json(const Json& object) {
  // A terminal gets ASCII only: a name may hold control characters that UTF-8 can spell.
  static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  std::cout << object.dump(-1, ' ', terminal, Json::error_handler_t::replace) << '\n';
}

void print(const std::string& line) {
  std::cout << line << '\n';
}

void tell(const std::string& line) {
  // One write a line, so that the lines of several processes do not mix.
  const std::string whole = line + '\n';
  std::cout.flush();
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void set_envelope(Json& object, const std::string& name, const Envelope& envelope) {
  if (envelope.empty()) return;
  const Envelope::Contents& contents = envelope.contents();
  if (is_utf8(contents.bytes)) {
    object[name] = contents.bytes;
  } else {
    object[name + "_base64"] = base64(contents.bytes);
  }
  if (!contents.subject.empty()) object[name + "_subject"] = contents.subject;
}

void finish_output() {
  std::cout.flush();
  if (!std::cout) throw RefusedError("standard output could not be written to its end");
}

// ---- tables -------------------------------------------------------------------------------------------------------

namespace {

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

void Table::print() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = width_of(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, width_of(row[c]));
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell) {
    std::string text;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::string& content = cell(c);
      const std::string padding(widths[c] - width_of(content), ' ');
      if (c > 0) text += "  ";
      text += columns_[c].align == Align::right ? padding + content : content + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    cli::print(text);
  };
  line([&](std::size_t c) -> const std::string& { return columns_[c].title; });
  for (const auto& row : rows_) line([&](std::size_t c) -> const std::string& { return row[c]; });
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string counted(std::uint64_t number, const std::string& noun) {
  return grouped(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return counted(bytes, "byte");
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 1024 && unit < 3) {
    amount /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", amount, kUnits[unit]);
  return text;
}

}  // namespace daybook::cli
