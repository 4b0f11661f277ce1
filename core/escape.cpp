// SPDX-License-Identifier: Apache-2.0
// Escaping for people's screens, and the strict reading of UTF-8 that it and the check of names share. What
// belongs into JSON is escaped by the JSON writer, not here.
#include "daybook/core/escape.hpp"

#include <algorithm>
#include <cstdint>

#include "utf8.hpp"

namespace daybook {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_byte(std::string& out, unsigned char byte) {
  out += "\\x";
  out += hex_digits[byte >> 4U];
  out += hex_digits[byte & 0xfU];
}

void append_code(std::string& out, char32_t code) {
  out += "\\u{";
  int shift = 28;
  while (shift > 0 && (code >> static_cast<unsigned>(shift)) == 0) {
    shift -= 4;
  }
  for (; shift >= 0; shift -= 4) {
    out += hex_digits[(code >> static_cast<unsigned>(shift)) & 0xfU];
  }
  out += '}';
}

bool is_plain(char c) {
  return c >= 0x20 && c <= 0x7e && c != '\\' && c != '"';
}

std::string escaped_with(std::string_view text, bool escape_quotes) {
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    return std::string(text);
  }
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_character(text, at);
    if (character.bytes == 0) {
      append_byte(out, static_cast<unsigned char>(text[at]));
      ++at;
      continue;
    }
    if (character.code == U'\\' || (escape_quotes && character.code == U'"')) {
      out += '\\';
      out += text[at];
    } else if (is_control(character.code) && character.code < 0x80) {
      append_byte(out, static_cast<unsigned char>(character.code));
    } else if (is_control(character.code) || is_deceptive(character.code)) {
      append_code(out, character.code);
    } else {
      out += text.substr(at, character.bytes);
    }
    at += character.bytes;
  }
  return out;
}

}  // namespace

Utf8Character utf8_character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t index) -> std::uint32_t { return static_cast<unsigned char>(text[index]); };
  const std::uint32_t lead = byte(at);
  if (lead < 0x80) {
    return {static_cast<char32_t>(lead), 1};
  }
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes > text.size() - at) {
    return {};
  }
  std::uint32_t code = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(at + i) & 0xc0U) != 0x80) {
      return {};
    }
    code = (code << 6U) | (byte(at + i) & 0x3fU);
  }
  const std::uint32_t smallest = bytes == 2 ? 0x80 : bytes == 3 ? 0x800 : 0x10000;
  if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    return {};
  }
  return {static_cast<char32_t>(code), bytes};
}

std::string escaped(std::string_view text) {
  return escaped_with(text, false);
}

std::string quoted(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return '"' + escaped_with(text, true) + '"';
  }
  std::size_t cut = bytes_max;
  // A character is not cut in two: its continuation bytes (10xxxxxx) would show as damage that is not there.
  while (cut > 0 && bytes_max - cut < 3 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80) {
    --cut;
  }
  return '"' + escaped_with(text.substr(0, cut), true) + "…\"";
}

}  // namespace daybook
