// SPDX-License-Identifier: Apache-2.0
#pragma once

// DAYBOOK_ASSERT(condition): a bug stops the process, in every build. For what the code itself relies on; never for
// bytes that came from disk or from a caller.

namespace daybook {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace daybook

#define DAYBOOK_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::daybook::assertion_failed(#condition, __FILE__, __LINE__))
