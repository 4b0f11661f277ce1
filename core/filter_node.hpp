// SPDX-License-Identifier: Apache-2.0
#pragma once

// A filter as a tree. What is canonical about it (nothing within itself of the same kind, values as their types have them) is the
// parser's doing.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "daybook/core/filter.hpp"
#include "filter_fields.hpp"

namespace daybook {

enum class Compare : std::uint8_t { equal, unequal, less, at_most, greater, at_least, like, unlike, among };
[[nodiscard]] std::string_view to_string(Compare compare);

/// The word `none`.
struct Nothing {
  friend bool operator==(const Nothing&, const Nothing&) = default;
};
/// `now`, `now-2h`.
struct FromNow {
  Duration by{};
  friend bool operator==(const FromNow&, const FromNow&) = default;
};
using Literal = std::variant<Nothing, JobId, std::string, std::int64_t, Instant, FromNow, Duration>;

struct FilterTest {
  const FilterField* field = nullptr;
  std::string tag;  // with tag_field()
  Compare compare{};
  std::vector<Literal> values;  // one; with `among` one or more
  friend bool operator==(const FilterTest&, const FilterTest&) = default;
};

struct Filter::Node {
  enum class Kind : std::uint8_t { every, all_of, any_of, opposite, test };
  Kind kind = Kind::every;
  std::vector<Node> parts;  // of all_of and any_of two or more, of the opposite one
  FilterTest test = {};
  friend bool operator==(const Node&, const Node&) = default;
};

/// The node of the filter that `text` is.
[[nodiscard]] Result<Filter::Node> parse_filter(std::string_view text);
[[nodiscard]] std::string filter_text(const Filter::Node& node);
/// As a value of the language: the text itself where it is a word of it, else in quotes.
[[nodiscard]] std::string filter_literal(std::string_view text);
/// Several of one kind, those of the same kind within taken apart.
[[nodiscard]] Filter::Node filter_of(Filter::Node::Kind kind, std::vector<Filter::Node> parts);

/// What a word of the language is made of, beside letters of any alphabet.
[[nodiscard]] bool is_filter_word_byte(char byte);
[[nodiscard]] bool is_filter_keyword(std::string_view word);

}  // namespace daybook
