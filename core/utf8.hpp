// SPDX-License-Identifier: Apache-2.0
#pragma once

// UTF-8, judged strictly (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <string_view>

namespace daybook {

/// One decoded character. `bytes` is 0 where the text is not UTF-8.
struct Utf8Character {
  char32_t code = 0;
  std::size_t bytes = 0;
};

/// The character that begins at `at`, which is less than the size of the text.
[[nodiscard]] Utf8Character utf8_character(std::string_view text, std::size_t at);

/// C0 controls, DEL and C1 controls.
[[nodiscard]] constexpr bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/// Characters that show nothing and change how the text around them shows: line separators, bidirectional
/// marks, embeddings, overrides and isolates, byte order mark, tags.
[[nodiscard]] constexpr bool is_deceptive(char32_t code) {
  return code == 0x061c || code == 0x200b || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || (code >= 0xfff9 && code <= 0xfffb) ||
         (code >= 0xe0000 && code <= 0xe007f);
}

}  // namespace daybook
