// SPDX-License-Identifier: Apache-2.0
#include "filter_value.hpp"

#include <algorithm>
#include <charconv>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/nearest.hpp"

namespace daybook {
namespace {

using Read = tl::expected<Literal, std::string>;

tl::unexpected<std::string> no(std::string sentence) {
  return tl::unexpected<std::string>(std::move(sentence));
}

Read number(const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stopped == end) return value;
  return no(quoted(text) + " is no whole number, such as -5, 0 or 10");
}

Read duration(std::string_view text) {
  const auto value = parse_duration(text);
  if (!value) return no(value.error().sentence);
  if (*value > limits::after_max) return no(quoted(text) + " is longer than " + to_string(limits::after_max));
  return *value;
}

/// "2026-11-21" and "2026-11-21T03:12Z" as well as what is written out.
std::string written_out(const std::string& text) {
  constexpr std::size_t date = 10;    // YYYY-MM-DD
  constexpr std::size_t minute = 16;  // YYYY-MM-DDTHH:MM
  if (text.size() == date) return text + "T00:00:00Z";
  if (text.size() > minute && text[minute - 3] == ':' && text[minute] != ':') {
    return text.substr(0, minute) + ":00" + text.substr(minute);
  }
  return text;
}

Read instant(const std::string& text) {
  if (text == "now") return FromNow{};
  if (text.starts_with("now-") || text.starts_with("now+")) {
    const Read by = duration(std::string_view(text).substr(4));
    if (!by) return by;
    return FromNow{text[3] == '-' ? -std::get<Duration>(*by) : std::get<Duration>(*by)};
  }
  if (const auto value = parse_instant(written_out(text))) return *value;
  return no(quoted(text) + " is no instant, such as 2026-11-21, 2026-11-21T03:12Z, now or now-2h");
}

Read word(const FilterField& field, const std::string& text) {
  const auto words = field.words();
  if (std::find(words.begin(), words.end(), text) != words.end()) return text;
  const std::string_view close = nearest(text, words);
  std::string sentence = quoted(text) + " is no " + std::string(field.name);
  if (!close.empty()) return no(sentence + "; did you mean " + std::string(close) + "?");
  sentence += "; it is one of";
  for (const std::string_view one : words) sentence += (one == words.front() ? " " : ", ") + std::string(one);
  return no(std::move(sentence));
}

}  // namespace

Read read_filter_value(const FilterField& field, const std::string& text) {
  switch (field.type) {
    case FieldType::text:
      return text;
    case FieldType::word:
      return word(field, text);
    case FieldType::number:
      return number(text);
    case FieldType::instant:
      return instant(text);
    case FieldType::duration:
      return duration(text);
    case FieldType::id:
      break;
  }
  if (const auto id = parse_job_id(text)) return *id;
  return no(quoted(text) + " is no job's id, such as 17-9f3ac1d2 or 17");
}

std::string_view example_of(FieldType type) {
  switch (type) {
    case FieldType::text:
      return "a text, such as mail or \"two words\"";
    case FieldType::word:
      return "one of its words";
    case FieldType::number:
      return "a number, such as -5, 0 or 10";
    case FieldType::instant:
      return "an instant, such as 2026-11-21, 2026-11-21T03:12Z, now or now-2h";
    case FieldType::duration:
      return "a duration, such as 15m or 1h30m";
    case FieldType::id:
      return "a job's id, such as 17-9f3ac1d2 or 17";
  }
  return "a value";
}

}  // namespace daybook
