// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of a filter's text, and what is said of a place in it.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/refusal.hpp"

namespace daybook {

struct FilterToken {
  enum class Kind { word, quoted, sign, end };
  Kind kind = Kind::end;
  std::string text;     // what is meant: of quoted text what stands between the quotes
  std::size_t at = 0;   // where it begins, in bytes
  std::size_t end = 0;  // behind it

  [[nodiscard]] bool is_sign(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  [[nodiscard]] bool is_word(std::string_view word) const { return kind == Kind::word && text == word; }
};

/// What is wrong, and where.
struct FilterMistake {
  std::size_t at = 0;
  std::string sentence;
};

/// Takes tokens from the front of the text, which is UTF-8.
class FilterTokens {
 public:
  explicit FilterTokens(std::string_view text) : text_(text) {}

  /// Nothing: what stands there begins no token, and `mistake` says why.
  [[nodiscard]] std::optional<FilterToken> next(FilterMistake& mistake);

 private:
  std::optional<FilterToken> quoted(FilterMistake& mistake);
  std::optional<FilterToken> word();
  std::optional<FilterToken> sign(FilterMistake& mistake);

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The sentence with its column, then the text around the place, then a caret below it.
[[nodiscard]] Refusal filter_refused(std::string_view text, const FilterMistake& mistake);

}  // namespace daybook
