// SPDX-License-Identifier: Apache-2.0
#include "filter_tokens.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "daybook/core/escape.hpp"
#include "filter_node.hpp"
#include "utf8.hpp"

namespace daybook {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

bool begins_word(std::string_view text, std::size_t at) {
  const Utf8Character character = utf8_character(text, at);
  if (character.bytes == 1) return is_filter_word_byte(text[at]);
  return character.bytes > 1 && !is_control(character.code) && !is_deceptive(character.code);
}

/// What other languages write where this one has a word.
std::string_view meant_by(std::string_view rest) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> others = {{{"&", "write and"},
                                                                                    {"|", "write or"},
                                                                                    {"!", "write not, != or !~"},
                                                                                    {";", "write and between tests"},
                                                                                    {"`", "quotes are \" or '"},
                                                                                    {"$", "put it in quotes"}}};
  for (const auto& [sign, hint] : others) {
    if (rest.starts_with(sign)) return hint;
  }
  return "put it in quotes";
}

}  // namespace

std::optional<FilterToken> FilterTokens::next(FilterMistake& mistake) {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  if (at_ == text_.size()) return FilterToken{FilterToken::Kind::end, {}, at_, at_};
  if (text_[at_] == '"' || text_[at_] == '\'') return quoted(mistake);
  if (begins_word(text_, at_)) return word();
  return sign(mistake);
}

std::optional<FilterToken> FilterTokens::quoted(FilterMistake& mistake) {
  FilterToken token{FilterToken::Kind::quoted, {}, at_, at_};
  const char quote = text_[at_++];
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == quote) {
      token.end = ++at_;
      return token;
    }
    if (c != '\\') {
      token.text += c;
      ++at_;
      continue;
    }
    const std::string_view rest = text_.substr(at_ + 1);
    constexpr std::string_view themselves = "\\\"'";
    if (!rest.empty() && themselves.find(rest.front()) != std::string_view::npos) {
      token.text += rest.front();
      at_ += 2;
      continue;
    }
    const auto high = rest.size() > 2 && rest.front() == 'x' ? hex_digit(rest[1]) : std::nullopt;
    const auto low = high ? hex_digit(rest[2]) : std::nullopt;
    if (!low) {
      mistake = {at_, "behind \"\\\" stands \\, \", ' or xNN with two hexadecimal digits"};
      return std::nullopt;
    }
    token.text += static_cast<char>(*high << 4U | *low);
    at_ += 4;
  }
  mistake = {token.at, std::string("the quoted text that begins here has no ") + quote + " at its end"};
  return std::nullopt;
}

std::optional<FilterToken> FilterTokens::word() {
  FilterToken token{FilterToken::Kind::word, {}, at_, at_};
  while (at_ < text_.size() && begins_word(text_, at_)) at_ += utf8_character(text_, at_).bytes;
  token.text = std::string(text_.substr(token.at, at_ - token.at));
  token.end = at_;
  return token;
}

std::optional<FilterToken> FilterTokens::sign(FilterMistake& mistake) {
  const std::string_view rest = text_.substr(at_);
  if (rest.starts_with("==")) {
    mistake = {at_, "one = is enough"};
    return std::nullopt;
  }
  for (const std::string_view sign : {"!=", "!~", "<=", ">=", "=", "<", ">", "~", "(", ")", ",", "[", "]"}) {
    if (!rest.starts_with(sign)) continue;
    at_ += sign.size();
    return FilterToken{FilterToken::Kind::sign, std::string(sign), at_ - sign.size(), at_};
  }
  const std::size_t bytes = std::max<std::size_t>(1, utf8_character(text_, at_).bytes);
  mistake = {at_, daybook::quoted(rest.substr(0, bytes)) + " means nothing here: " + std::string(meant_by(rest))};
  return std::nullopt;
}

Refusal filter_refused(std::string_view text, const FilterMistake& mistake) {
  constexpr std::size_t shown_before = 60;
  constexpr std::size_t shown_after = 40;
  // Shown character by character, each as wide as its escape; a line has no ends within.
  std::vector<std::string> shown;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (at <= mistake.at) column = shown.size();
    const std::size_t bytes = std::max<std::size_t>(1, utf8_character(text, at).bytes);
    shown.push_back(is_space(text[at]) ? " " : text[at] == '\\' ? "\\" : escaped(text.substr(at, bytes)));
    at += bytes;
  }
  if (mistake.at >= text.size()) column = shown.size();
  const std::size_t first = column > shown_before ? column - shown_before : 0;
  const std::size_t last = std::min(shown.size(), column + shown_after);
  std::string line = first > 0 ? "…" : "";
  std::size_t caret = first > 0 ? 1 : 0;
  for (std::size_t i = first; i < last; ++i) {
    if (i < column) {
      // An escape is plain characters, anything else is one.
      caret += shown[i].size() > 1 && shown[i].front() == '\\' ? shown[i].size() : 1;
    }
    line += shown[i];
  }
  if (last < shown.size()) line += "…";
  return {RefusalCode::invalid_argument,
          "filter, column " + std::to_string(column + 1) + ": " + mistake.sentence + "\n  " + line + "\n  " +
              std::string(caret, ' ') + "^",
          0};
}

}  // namespace daybook
