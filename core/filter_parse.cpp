// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/names.hpp"
#include "daybook/core/nearest.hpp"
#include "filter_node.hpp"
#include "filter_tokens.hpp"
#include "filter_value.hpp"

// The grammar of docs/filter.md, one function a rule. A function that gives nothing has said in `mistake_` what is wrong.

namespace daybook {
namespace {

using Kind = Filter::Node::Kind;
using Token = FilterToken;
using MaybeNode = std::optional<Filter::Node>;

bool takes(FieldType type, Compare compare) {
  switch (compare) {
    case Compare::equal:
    case Compare::unequal:
    case Compare::among:
      return true;
    case Compare::like:
    case Compare::unlike:
      return type == FieldType::text;
    default:
      return type != FieldType::text && type != FieldType::word;
  }
}

std::string_view comparisons_of(FieldType type) {
  if (type == FieldType::text) return "= != ~ !~ in";
  if (type == FieldType::word) return "= != in";
  return "= != < <= > >= in";
}

std::optional<Compare> compare_of(const Token& token) {
  if (token.kind != Token::Kind::sign) return std::nullopt;
  for (const Compare compare : {Compare::equal, Compare::unequal, Compare::less, Compare::at_most, Compare::greater,
                                Compare::at_least, Compare::like, Compare::unlike}) {
    if (token.text == to_string(compare)) return compare;
  }
  return std::nullopt;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string shown(const Token& token) {
  return token.kind == Token::Kind::end ? "the end" : quoted(token.text);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text) {}

  Result<Filter::Node> whole(std::string_view text) {
    MaybeNode node = step() ? either() : std::nullopt;
    if (node && token_.kind != Token::Kind::end) node = fail(expected_between());
    if (node) return std::move(*node);
    return tl::unexpected<Refusal>(filter_refused(text, mistake_));
  }

 private:
  std::nullopt_t fail(std::string sentence) { return fail_at(token_.at, std::move(sentence)); }
  std::nullopt_t fail_at(std::size_t at, std::string sentence) {
    mistake_ = {at, std::move(sentence)};
    return std::nullopt;
  }

  /// Goes on to the next token.
  bool step() {
    auto next = tokens_.next(mistake_);
    if (!next) return false;
    token_ = std::move(*next);
    return true;
  }

  [[nodiscard]] std::string expected_between() const {
    const std::string word = token_.kind == Token::Kind::word ? lower(token_.text) : std::string();
    if (word == "and" || word == "or") return "write " + word + ", in small letters";
    if (token_.is_sign(")")) return "no ( stands before this )";
    return "expected and, or, or the end; found " + shown(token_);
  }

  MaybeNode either() { return several(Kind::any_of, "or", &Parser::both); }
  MaybeNode both() { return several(Kind::all_of, "and", &Parser::opposite); }

  MaybeNode several(Kind kind, std::string_view word, MaybeNode (Parser::*part)()) {
    std::vector<Filter::Node> parts;
    do {
      if (!parts.empty() && !step()) return std::nullopt;
      MaybeNode one = (this->*part)();
      if (!one) return std::nullopt;
      parts.push_back(std::move(*one));
    } while (token_.is_word(word));
    if (parts.size() == 1) return std::move(parts.front());
    return filter_of(kind, std::move(parts));
  }

  std::nullopt_t too_deep() {
    return fail("more than " + std::to_string(limits::filter_depth_max) + " not and ( are within each other");
  }

  MaybeNode opposite() {
    const bool negated = token_.is_word("not");
    if (!negated && !token_.is_sign("(")) return term();
    if (depth_ == limits::filter_depth_max) return too_deep();
    const std::size_t begun = token_.at;
    ++depth_;
    MaybeNode inner = !step() ? std::nullopt : negated ? opposite() : either();
    --depth_;
    if (!inner) return std::nullopt;
    if (negated) return Filter::Node{.kind = Kind::opposite, .parts = {std::move(*inner)}, .test = {}};
    if (!token_.is_sign(")")) {
      if (token_.kind == Token::Kind::end) return fail_at(begun, "this ( has no ) at its end");
      return fail("expected and, or, or ); found " + shown(token_));
    }
    if (!step()) return std::nullopt;
    return inner;
  }

  MaybeNode term() {
    if (token_.is_word("all")) {
      if (!step()) return std::nullopt;
      return Filter::Node{};
    }
    FilterTest test;
    const Token field = token_;
    if (!read_field(test)) return std::nullopt;
    const bool outside = token_.is_word("not");
    if (outside && depth_ == limits::filter_depth_max) return too_deep();
    if (outside && !step()) return std::nullopt;
    const Token comparison = token_;
    const auto compare = token_.is_word("in") ? std::optional(Compare::among) : compare_of(token_);
    const std::string of_field =
        std::string(to_string(test.field->type)) + ", which takes " + std::string(comparisons_of(test.field->type));
    if (!compare || (outside && compare != Compare::among)) {
      if (outside) return fail("expected in behind not; found " + shown(token_));
      return fail("expected a comparison behind " + field.text + ", " + std::string(is_vowel(of_field) ? "an " : "a ") +
                  of_field + "; found " + shown(token_));
    }
    if (!takes(test.field->type, *compare)) {
      return fail(std::string(to_string(*compare)) + " does not compare " + field.text + ", " +
                  std::string(is_vowel(of_field) ? "an " : "a ") + of_field);
    }
    test.compare = *compare;
    if (!step()) return std::nullopt;
    if (!(*compare == Compare::among ? read_list(test) : read_one(test))) return std::nullopt;
    Filter::Node node{.kind = Kind::test, .parts = {}, .test = std::move(test)};
    if (!outside) return node;
    return Filter::Node{.kind = Kind::opposite, .parts = {std::move(node)}, .test = {}};
  }

  static bool is_vowel(const std::string& text) { return std::string_view("aeiou").find(text[0]) != std::string::npos; }

  bool read_field(FilterTest& test) {
    constexpr std::string_view tag = "tag.";
    if (token_.kind != Token::Kind::word || is_reserved(token_.text)) {
      return fail("expected a field, not, ( or all; found " + shown(token_)), false;
    }
    if (token_.text.starts_with(tag)) {
      test.field = &tag_field();
      test.tag = token_.text.substr(tag.size());
      return check_tag(test.tag, token_.at) && step();
    }
    if (token_.text == "tags" || token_.text == "tag") return read_tag_in_brackets(test);
    test.field = find_filter_field(token_.text);
    if (!test.field) return fail(no_such_field(token_.text)), false;
    return step();
  }

  bool read_tag_in_brackets(FilterTest& test) {
    const std::size_t begun = token_.at;
    test.field = &tag_field();
    const bool plural = token_.text == "tags";
    if (!step()) return false;
    const bool open = plural && token_.is_sign("[");
    if (!open) return fail_at(begun, "which tag? Write tag.KEY, or tags[\"any key\"]"), false;
    if (!step()) return false;
    if (token_.kind != Token::Kind::quoted && token_.kind != Token::Kind::word) {
      return fail("expected the key of a tag, in quotes; found " + shown(token_)), false;
    }
    test.tag = token_.text;
    if (!check_tag(test.tag, token_.at) || !step()) return false;
    if (!token_.is_sign("]")) return fail("expected ] behind the key of the tag; found " + shown(token_)), false;
    return step();
  }

  bool check_tag(const std::string& key, std::size_t at) {
    if (!key.empty() && key.size() <= limits::tag_bytes_max) return true;
    return fail_at(at, "the key of a tag has 1 to " + std::to_string(limits::tag_bytes_max) + " bytes"), false;
  }

  static std::string no_such_field(const std::string& name) {
    std::vector<std::string_view> known;
    std::string list;
    for (const FilterField& field : filter_field_table()) {
      known.push_back(field.name);
      list += std::string(field.name) + ", ";
    }
    const std::string_view close = nearest(name, known);
    const std::string none = "there is no field " + quoted(name);
    if (!close.empty()) return none + "; did you mean " + std::string(close) + "?";
    return none + "; the fields are " + list + "tag.KEY";
  }

  static bool is_reserved(std::string_view word) { return word != "now" && word != "none" && is_filter_keyword(word); }

  bool read_list(FilterTest& test) {
    if (!token_.is_sign("(")) {
      return fail("expected a list such as (a, b) behind in; found " + shown(token_)), false;
    }
    do {
      if (!step() || !read_one(test)) return false;
    } while (token_.is_sign(","));
    if (!token_.is_sign(")")) return fail("expected , or ) behind a value of the list; found " + shown(token_)), false;
    return step();
  }

  bool read_one(FilterTest& test) {
    const bool bare = token_.kind == Token::Kind::word;
    if ((!bare && token_.kind != Token::Kind::quoted) || (bare && is_reserved(token_.text))) {
      return fail("expected " + std::string(example_of(test.field->type)) + "; found " + shown(token_) +
                  (bare ? ", a word of the language: put it in quotes if it is meant" : "")),
             false;
    }
    if (bare && token_.text == "none") {
      if (test.compare != Compare::equal && test.compare != Compare::unequal && test.compare != Compare::among) {
        return fail("none is compared with = != in; put it in quotes if the text is meant"), false;
      }
      test.values.emplace_back(Nothing{});
      return step();
    }
    auto value = read_filter_value(*test.field, token_.text);
    if (!value) return fail(value.error()), false;
    test.values.push_back(std::move(*value));
    return step();
  }

  FilterTokens tokens_;
  Token token_;
  FilterMistake mistake_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<Filter::Node> parse_filter(std::string_view text) {
  const auto too_long = [](std::string_view what, std::size_t found) {
    return refuse(RefusalCode::invalid_argument, std::string(what) + " has " + std::to_string(found) +
                                                     " bytes: at most " + std::to_string(limits::filter_bytes_max));
  };
  if (text.size() > limits::filter_bytes_max) return too_long("the filter", text.size());
  if (!is_utf8(text)) return refuse(RefusalCode::invalid_argument, "the filter is not UTF-8: write \\xNN in quotes");
  auto node = Parser(text).whole(text);
  if (!node) return node;
  if (const std::size_t bytes = filter_text(*node).size(); bytes > limits::filter_bytes_max) {
    return too_long("the filter, written out,", bytes);
  }
  return node;
}

}  // namespace daybook
