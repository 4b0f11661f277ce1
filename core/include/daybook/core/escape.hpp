// SPDX-License-Identifier: Apache-2.0
#pragma once

// What comes from users, made safe for terminals and log lines.

#include <cstddef>
#include <string>
#include <string_view>

namespace daybook {

/// One line of printable, valid UTF-8, whatever went in. Control characters below U+0080 and bytes that are
/// not UTF-8 become "\xNN"; C1 controls, line separators, bidirectional and other invisible formatting become
/// "\u{202e}"; a backslash is doubled, so that different texts stay different.
[[nodiscard]] std::string escaped(std::string_view text);

/// The same in double quotes, a quote within written "\"", for messages: what is behind the first `bytes_max`
/// bytes is left out and shown as "…".
[[nodiscard]] std::string quoted(std::string_view text, std::size_t bytes_max = 64);

}  // namespace daybook
