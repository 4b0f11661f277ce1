// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a misspelled word was meant to be.

#include <span>
#include <string_view>

namespace daybook {

/// The candidate that is the fewest edits (Levenshtein) from `word`, the first of equals. Empty when all are three or more
/// away, or as far as a word of that length can be: then it is no misspelling.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace daybook
