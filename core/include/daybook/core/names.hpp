// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a name may be: of a queue, a kind, a group, a worker, an actor, an error kind, a client.

#include <string_view>

#include "daybook/core/refusal.hpp"

namespace daybook {

/// 1 to 128 bytes of valid UTF-8 without control characters. The refusal `invalid_argument` begins with `what`, says
/// which rule is broken, and shows the text.
[[nodiscard]] Result<void> check_name(std::string_view what, std::string_view text);

/// Well-formed UTF-8 (RFC 3629). Control characters are allowed.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace daybook
