// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/names.hpp"

#include <string>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "utf8.hpp"

namespace daybook {

Result<void> check_name(std::string_view what, std::string_view text) {
  const auto broken = [&](const std::string& rule) {
    return refuse(RefusalCode::invalid_argument, std::string(what) + " " + quoted(text) + " " + rule);
  };
  if (text.empty()) {
    return refuse(RefusalCode::invalid_argument,
                  std::string(what) + " is empty, expected 1 to " + std::to_string(limits::name_bytes_max) + " bytes");
  }
  if (text.size() > limits::name_bytes_max) {
    return broken("has " + std::to_string(text.size()) + " bytes, expected at most " +
                  std::to_string(limits::name_bytes_max));
  }
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_character(text, at);
    if (character.bytes == 0) {
      return broken("is not valid UTF-8 at byte " + std::to_string(at));
    }
    if (is_control(character.code)) {
      return broken("has a control character at byte " + std::to_string(at));
    }
    at += character.bytes;
  }
  return {};
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = utf8_character(text, at).bytes;
    if (bytes == 0) {
      return false;
    }
    at += bytes;
  }
  return true;
}

}  // namespace daybook
