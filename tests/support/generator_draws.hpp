// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the generators draw from: single values, with the edges of their ranges more often than chance would have it.

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daybook/core/limits.hpp"
#include "support/generators.hpp"

namespace daybook::draw {

/// One value, drawn at the place of the call: only inside rc::gen::exec.
template <class Type>
Type any() {
  return *rc::gen::arbitrary<Type>();
}

/// From `least` up to but without `end`, evenly: rapidcheck's own range keeps to its beginning while sizes are small.
template <class Number>
Number pick(Number least, Number end) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<Number>(least, end));
}

/// Small numbers mostly, and the edges of the whole range.
template <class Number>
Number number(Number least = std::numeric_limits<Number>::min(), Number most = std::numeric_limits<Number>::max()) {
  switch (pick(0, 12)) {
    case 0:
      return least;
    case 1:
      return most;
    case 2:
      return static_cast<Number>(most - 1);
    default:
      break;
  }
  const Number low = std::is_signed_v<Number> ? std::max(least, static_cast<Number>(-1'000'000)) : least;
  const auto span = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(low);
  return *rc::gen::inRange<Number>(
      low, static_cast<Number>(low + static_cast<Number>(std::min<std::uint64_t>(span, 2'000'000))));
}

template <class Enum>
Enum one_of_enum(std::uint16_t first, std::uint16_t last) {
  return static_cast<Enum>(pick<std::uint16_t>(first, static_cast<std::uint16_t>(last + 1)));
}

inline bool coin() {
  return any<bool>();
}

/// One time in four, nothing.
template <class Type>
std::optional<Type> maybe() {
  return pick(0, 4) == 0 ? std::nullopt : std::optional<Type>(any<Type>());
}

inline NameId name_or_none() {
  return coin() ? NameId() : any<NameId>();
}

inline std::string some_bytes(std::size_t most) {
  return *generate::bytes(most);
}

template <class Type>
std::vector<Type> a_few(int least, int most) {
  std::vector<Type> values;
  const int count = pick(least, most + 1);
  for (int i = 0; i < count; ++i) values.push_back(any<Type>());
  return values;
}

inline Instant due_instant() {
  return Instant(Duration(number<std::int64_t>(0, limits::due_max.time_since_epoch().count())));
}

inline Duration lease_length() {
  return Duration(number<std::int64_t>(limits::lease_min.count(), limits::lease_max.count()));
}

inline std::optional<Duration> some_timeout() {
  if (coin()) return std::nullopt;
  return Duration(number<std::int64_t>(1, limits::after_max.count()));
}

inline Dependencies some_dependencies() {
  if (pick(0, 3) != 0) return {};
  Dependencies made{a_few<JobId>(1, 4), one_of_enum<RunWhen>(0, 2), one_of_enum<Otherwise>(0, 1), false};
  std::set<Sequence> once;
  std::erase_if(made.parents, [&](const JobId& parent) { return !once.insert(parent.sequence).second; });
  made.on_dead = pick(0, 5) == 0;
  return made;
}

inline std::uint32_t attempt_number() {
  return number<std::uint32_t>(1, limits::attempts_max);
}

inline std::shared_ptr<const JobSpec> some_spec() {
  return std::make_shared<const JobSpec>(any<JobSpec>());
}

inline Renewal some_renewal() {
  return {any<JobId>(), any<Token>(), any<BookTime>(), any<Instant>(), maybe<Envelope>()};
}

inline Holder some_holder() {
  return one_of_enum<Holder>(0, 1);
}

}  // namespace daybook::draw
