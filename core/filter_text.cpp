// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "daybook/core/overload.hpp"
#include "filter_node.hpp"
#include "utf8.hpp"

// A filter as text, always the same way, so that what is on record is what is compared.

namespace daybook {
namespace {

using Kind = Filter::Node::Kind;

constexpr std::array<std::string_view, 7> keywords = {"and", "or", "not", "in", "all", "none", "now"};

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_character(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    if (character.bytes == 0 || is_control(character.code) || is_deceptive(character.code)) {
      const std::size_t bytes = std::max<std::size_t>(1, character.bytes);
      for (std::size_t i = 0; i < bytes; ++i, ++at) {
        const auto each = static_cast<unsigned char>(text[at]);
        out += "\\x";
        out += hex[each >> 4U];
        out += hex[each & 0xfU];
      }
      continue;
    }
    if (byte == '"' || byte == '\\') out += '\\';
    out += text.substr(at, character.bytes);
    at += character.bytes;
  }
  out += '"';
}

bool is_word(std::string_view text) {
  if (text.empty() || is_filter_keyword(text)) return false;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character character = utf8_character(text, at);
    if (character.bytes == 0 || is_control(character.code) || is_deceptive(character.code)) return false;
    if (character.bytes == 1 && !is_filter_word_byte(text[at])) return false;
    at += character.bytes;
  }
  return true;
}

std::string literal_text(const Literal& literal) {
  return std::visit(Overload{[](const Nothing&) { return std::string("none"); },
                             [](const std::string& text) { return filter_literal(text); },
                             [](std::int64_t number) { return std::to_string(number); },
                             [](const FromNow& from) {
                               if (from.by == Duration::zero()) return std::string("now");
                               return (from.by < Duration::zero() ? "now" : "now+") + to_string(from.by);
                             },
                             [](const auto& value) { return to_string(value); }},
                    literal);
}

void append_test(std::string& out, const FilterTest& test) {
  if (test.field != &tag_field()) {
    out += test.field->name;
  } else if (is_word(test.tag)) {
    out += "tag." + test.tag;
  } else {
    out += "tags[";
    append_quoted(out, test.tag);
    out += "]";
  }
  out += ' ';
  out += to_string(test.compare);
  out += ' ';
  if (test.compare != Compare::among) {
    out += literal_text(test.values.front());
    return;
  }
  out += '(';
  for (std::size_t i = 0; i < test.values.size(); ++i) {
    if (i > 0) out += ", ";
    out += literal_text(test.values[i]);
  }
  out += ')';
}

void append(std::string& out, const Filter::Node& node);

void append_within(std::string& out, const Filter::Node& part, bool in_parentheses) {
  if (in_parentheses) out += '(';
  append(out, part);
  if (in_parentheses) out += ')';
}

void append(std::string& out, const Filter::Node& node) {
  switch (node.kind) {
    case Kind::every:
      out += "all";
      return;
    case Kind::test:
      append_test(out, node.test);
      return;
    case Kind::opposite: {
      const Filter::Node& part = node.parts.front();
      out += "not ";
      append_within(out, part, part.kind == Kind::all_of || part.kind == Kind::any_of);
      return;
    }
    case Kind::all_of:
    case Kind::any_of:
      break;
  }
  for (std::size_t i = 0; i < node.parts.size(); ++i) {
    if (i > 0) out += node.kind == Kind::all_of ? " and " : " or ";
    append_within(out, node.parts[i], node.kind == Kind::all_of && node.parts[i].kind == Kind::any_of);
  }
}

}  // namespace

std::string_view to_string(Compare compare) {
  switch (compare) {
    case Compare::equal:
      return "=";
    case Compare::unequal:
      return "!=";
    case Compare::less:
      return "<";
    case Compare::at_most:
      return "<=";
    case Compare::greater:
      return ">";
    case Compare::at_least:
      return ">=";
    case Compare::like:
      return "~";
    case Compare::unlike:
      return "!~";
    case Compare::among:
      return "in";
  }
  return "unknown";
}

bool is_filter_word_byte(char byte) {
  const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
  return letter || std::string_view("_.:/@%+*?#-").find(byte) != std::string_view::npos;
}

bool is_filter_keyword(std::string_view word) {
  return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

std::string filter_literal(std::string_view text) {
  if (is_word(text)) return std::string(text);
  std::string out;
  append_quoted(out, text);
  return out;
}

std::string filter_text(const Filter::Node& node) {
  std::string out;
  append(out, node);
  return out;
}

Filter::Node filter_of(Kind kind, std::vector<Filter::Node> parts) {
  Filter::Node whole{.kind = kind, .parts = {}, .test = {}};
  for (Filter::Node& part : parts) {
    if (part.kind == kind) {
      for (Filter::Node& inner : part.parts) whole.parts.push_back(std::move(inner));
    } else {
      whole.parts.push_back(std::move(part));
    }
  }
  return whole;
}

}  // namespace daybook
