// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/filter.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/overload.hpp"
#include "filter_node.hpp"

// What a filter matches. A test of something that the job does not have does not hold, whatever it asks; so `!=`, `!~` and
// `not` hold then, which are the opposites of tests.

namespace daybook {
namespace {

using Kind = Filter::Node::Kind;

/// Text with `*` for any run of characters, `?` for one, and "\" before a character that means itself.
bool is_pattern(std::string_view text) {
  return text.find_first_of("*?\\") != std::string_view::npos;
}

std::size_t character_bytes(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) ++end;
  return end - at;
}

/// The whole text against the whole pattern. After a mismatch only the last star takes one more character: what an earlier one took
/// makes no difference.
bool fits(std::string_view text, std::string_view pattern) {
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '?') {
      t += character_bytes(text, t);
      ++p;
      continue;
    }
    const std::size_t literal = p + 1 < pattern.size() && pattern[p] == '\\' ? p + 1 : p;
    if (p < pattern.size() && pattern[literal] == text[t]) {
      ++t;
      p = literal + 1;
      continue;
    }
    if (star == std::string_view::npos) return false;
    p = star;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool has_wildcard(std::string_view pattern) {
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
    } else if (pattern[at] == '*' || pattern[at] == '?') {
      return true;
    }
  }
  return false;
}

bool is_like(std::string_view text, std::string_view pattern) {
  if (!is_pattern(pattern)) return text.find(pattern) != std::string_view::npos;
  if (has_wildcard(pattern)) return fits(text, pattern);
  return fits(text, "*" + std::string(pattern) + "*");
}

Instant instant_of(const Literal& literal, const Moment& now) {
  if (const auto* instant = std::get_if<Instant>(&literal)) return *instant;
  const Duration by = std::get<FromNow>(literal).by;
  return Instant(time_between(now.wall.time_since_epoch(), -by));
}

/// Less than, equal, greater than the literal. Both are of the field's type.
std::strong_ordering order(const FieldValue& found, const Literal& literal, const Moment& now) {
  return std::visit(
      Overload{[](std::monostate) { return std::strong_ordering::equal; },
               [&](const JobId& id) {
                 const JobId& other = std::get<JobId>(literal);
                 if (other.generation == GenerationTag()) return id.sequence <=> other.sequence;
                 return id <=> other;
               },
               [&](std::string_view text) { return text <=> std::string_view(std::get<std::string>(literal)); },
               [&](std::int64_t number) { return number <=> std::get<std::int64_t>(literal); },
               [&](Instant instant) {
                 return instant.time_since_epoch().count() <=> instant_of(literal, now).time_since_epoch().count();
               },
               [&](Duration duration) { return duration.count() <=> std::get<Duration>(literal).count(); }},
      found);
}

bool is_equal(const FieldValue& found, const Literal& literal, const Moment& now) {
  const bool has_none = std::holds_alternative<std::monostate>(found);
  if (has_none || std::holds_alternative<Nothing>(literal)) return has_none && std::holds_alternative<Nothing>(literal);
  return order(found, literal, now) == 0;
}

bool holds(const FilterTest& test, const Sight& sight) {
  const FieldValue found = test.field->read(sight, test.tag);
  const Literal& value = test.values.front();
  const auto like = [&] {
    const auto* text = std::get_if<std::string_view>(&found);
    return text && is_like(*text, std::get<std::string>(value));
  };
  switch (test.compare) {
    case Compare::equal:
      return is_equal(found, value, sight.now);
    case Compare::unequal:
      return !is_equal(found, value, sight.now);
    case Compare::like:
      return like();
    case Compare::unlike:
      return !like();
    case Compare::among:
      return std::any_of(test.values.begin(), test.values.end(),
                         [&](const Literal& one) { return is_equal(found, one, sight.now); });
    default:
      break;
  }
  if (std::holds_alternative<std::monostate>(found)) return false;
  const std::strong_ordering is = order(found, value, sight.now);
  switch (test.compare) {
    case Compare::less:
      return is < 0;
    case Compare::at_most:
      return is <= 0;
    case Compare::greater:
      return is > 0;
    default:
      return is >= 0;
  }
}

bool holds(const Filter::Node& node, const Sight& sight) {
  const auto part_holds = [&](const Filter::Node& part) { return holds(part, sight); };
  switch (node.kind) {
    case Kind::every:
      return true;
    case Kind::all_of:
      return std::all_of(node.parts.begin(), node.parts.end(), part_holds);
    case Kind::any_of:
      return std::any_of(node.parts.begin(), node.parts.end(), part_holds);
    case Kind::opposite:
      return !holds(node.parts.front(), sight);
    case Kind::test:
      break;
  }
  return holds(node.test, sight);
}

}  // namespace

Filter::Filter() {
  static const std::shared_ptr<const Node> every = std::make_shared<const Node>();
  root_ = every;
}

Filter::Filter(Node node) : root_(std::make_shared<const Node>(std::move(node))) {}

Result<Filter> Filter::parse(std::string_view text) {
  auto node = parse_filter(text);
  if (!node) return tl::unexpected<Refusal>(std::move(node.error()));
  return Filter(std::move(*node));
}

Result<Filter> Filter::equals(std::string_view field, std::string_view value) {
  return parse(std::string(field) + " = " + filter_literal(value));
}

bool Filter::matches(const Job& job, const View& names, const Moment& now) const {
  return holds(*root_, Sight{job, names, now});
}

std::string Filter::text() const {
  return filter_text(*root_);
}

Filter operator&&(const Filter& left, const Filter& right) {
  if (left.root_->kind == Kind::every) return right;
  if (right.root_->kind == Kind::every) return left;
  return Filter(filter_of(Kind::all_of, {*left.root_, *right.root_}));
}

bool operator==(const Filter& left, const Filter& right) {
  return left.root_ == right.root_ || *left.root_ == *right.root_;
}

}  // namespace daybook
