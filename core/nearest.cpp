// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace daybook {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  constexpr std::size_t far = 3;
  std::string_view closest;
  std::size_t fewest = std::min(far, word.size());
  for (const std::string_view candidate : candidates) {
    // So different in length, they cannot be near; and a word may be as long as somebody likes.
    if (candidate.size() >= word.size() + far || word.size() >= candidate.size() + far) continue;
    const std::size_t edits = distance(word, candidate);
    if (edits < fewest) {
      fewest = edits;
      closest = candidate;
    }
  }
  return closest;
}

}  // namespace daybook
