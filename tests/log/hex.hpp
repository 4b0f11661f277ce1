// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes as hexadecimal text and back, and the fixtures that are kept so: "name hex" on each line.

#include <cstddef>
#include <fstream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook {

inline std::string to_hex(std::span<const std::byte> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4];
    text += digits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

inline std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

/// The lines of a fixture under tests/format, in order. Lines that begin with '#' are comments.
inline std::vector<std::pair<std::string, std::vector<std::byte>>> read_fixture(const std::string& name) {
  std::ifstream file(std::string(DAYBOOK_FORMAT_FIXTURES) + "/" + name);
  if (!file) throw std::runtime_error("fixture " + name + " is not there");
  std::vector<std::pair<std::string, std::vector<std::byte>>> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string key;
    std::string hex;
    words >> key >> hex;
    lines.emplace_back(key, from_hex(hex));
  }
  return lines;
}

}  // namespace daybook
