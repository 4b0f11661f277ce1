// SPDX-License-Identifier: Apache-2.0
// The written forms of instants (RFC 3339) and durations. Knows the calendar and no time zone but fixed
// offsets; which instants a job may be due at is judged elsewhere.
#include "daybook/core/time.hpp"

#include <array>
#include <cstdio>
#include <limits>
#include <optional>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

constexpr Instant first_writable = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);

struct Unit {
  std::string_view name;
  std::uint64_t microseconds;
};

// From large to small. "ms" stands before "m" nowhere: a unit's letters are read whole before they are
// compared.
constexpr std::array<Unit, 6> units = {
    {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}}};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

/// Takes from the front of a text, and remembers when something else stood there.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }

  /// Exactly `count` digits.
  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) {
      return std::nullopt;
    }
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (!is_digit(c)) {
        return std::nullopt;
      }
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  bool one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  template <class Predicate>
  std::string_view take_while(Predicate predicate) {
    std::size_t count = 0;
    while (count < rest_.size() && predicate(rest_[count])) {
      ++count;
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

 private:
  std::string_view rest_;
};

std::optional<std::uint64_t> multiplied(std::uint64_t a, std::uint64_t b) {
  if (a != 0 && b > std::numeric_limits<std::uint64_t>::max() / a) {
    return std::nullopt;
  }
  return a * b;
}

std::optional<std::uint64_t> decimal(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto shifted = multiplied(value, 10);
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (!shifted || *shifted > std::numeric_limits<std::uint64_t>::max() - digit) {
      return std::nullopt;
    }
    value = *shifted + digit;
  }
  return value;
}

/// The microseconds of `fraction` (digits behind the point) of a unit; nothing when they are not whole.
std::optional<std::uint64_t> fraction_of(std::string_view fraction, std::uint64_t unit) {
  while (!fraction.empty() && fraction.back() == '0') {
    fraction.remove_suffix(1);
  }
  if (fraction.size() > 8) {
    return std::nullopt;
  }
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  for (const char c : fraction) {
    numerator = numerator * 10 + static_cast<std::uint64_t>(c - '0');
    denominator *= 10;
  }
  const std::uint64_t product = numerator * unit;  // under 10^8 days: fits
  if (product % denominator != 0) {
    return std::nullopt;
  }
  return product / denominator;
}

tl::unexpected<Refusal> no_duration(std::string_view text, std::string_view why) {
  return refuse(RefusalCode::invalid_argument,
                quoted(text) + " is not a duration: " + std::string(why) +
                    "; write it like 10m, 1h30m, 250ms, 7d or 1.5s (units: d h m s ms us)");
}

tl::unexpected<Refusal> no_instant(std::string_view text, std::string_view why) {
  return refuse(RefusalCode::invalid_argument,
                quoted(text) + " is not an instant: " + std::string(why) +
                    "; write it as RFC 3339, like 2026-03-04T12:05:00Z or 2026-03-04T13:05:00.25+01:00");
}

struct ClockTime {
  std::chrono::seconds seconds{};
  Duration fraction{};
};

/// "HH:MM:SS" with an optional fraction, cut to microseconds.
std::optional<ClockTime> read_clock(Cursor& cursor) {
  const auto hour = cursor.digits(2);
  if (!hour || !cursor.one_of(":")) {
    return std::nullopt;
  }
  const auto minute = cursor.digits(2);
  if (!minute || !cursor.one_of(":")) {
    return std::nullopt;
  }
  const auto second = cursor.digits(2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  ClockTime time{std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second), {}};
  if (cursor.one_of(".")) {
    const std::string_view digits = cursor.take_while(is_digit);
    if (digits.empty() || digits.size() > 9) {
      return std::nullopt;
    }
    int microseconds = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      microseconds = microseconds * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    }
    time.fraction = Duration(microseconds);
  }
  return time;
}

/// "Z" or "+HH:MM": how far the local time is ahead of UTC.
std::optional<std::chrono::minutes> read_offset(Cursor& cursor) {
  if (cursor.one_of("Zz")) {
    return std::chrono::minutes(0);
  }
  const bool behind = cursor.front() == '-';
  if (!cursor.one_of("+-")) {
    return std::nullopt;
  }
  const auto hours = cursor.digits(2);
  if (!hours || !cursor.one_of(":")) {
    return std::nullopt;
  }
  const auto minutes = cursor.digits(2);
  if (!minutes || *hours > 23 || *minutes > 59) {
    return std::nullopt;
  }
  const auto offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return behind ? -offset : offset;
}

}  // namespace

std::string to_string(Instant instant) {
  if (instant < first_writable || instant > limits::due_max) {
    return "@" + std::to_string(instant.time_since_epoch().count()) + "us";
  }
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Duration> clock(instant - day);
  std::array<char, 40> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int(date.year()),
                    unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                    int(clock.minutes().count()), int(clock.seconds().count()), int(clock.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(length));
}

std::string to_string(Duration duration) {
  const bool negative = duration.count() < 0;
  // Negating the smallest number would overflow; unsigned arithmetic does not.
  auto rest = static_cast<std::uint64_t>(duration.count());
  rest = negative ? 0 - rest : rest;
  if (rest == 0) {
    return "0s";
  }
  std::string text = negative ? "-" : "";
  for (const Unit& unit : units) {
    if (rest >= unit.microseconds) {
      text += std::to_string(rest / unit.microseconds);
      text += unit.name;
      rest %= unit.microseconds;
    }
  }
  return text;
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Duration::rep>::max());
  Cursor cursor(text);
  if (cursor.done()) {
    return no_duration(text, "it is empty");
  }
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  while (!cursor.done()) {
    const std::string_view whole = cursor.take_while(is_digit);
    if (whole.empty()) {
      return no_duration(text, "a number is missing");
    }
    std::string_view fraction;
    if (cursor.one_of(".")) {
      fraction = cursor.take_while(is_digit);
      if (fraction.empty()) {
        return no_duration(text, "no digit follows the point");
      }
    }
    const std::string_view name = cursor.take_while(is_letter);
    std::size_t unit = 0;
    while (unit < units.size() && units[unit].name != name) {
      ++unit;
    }
    if (unit == units.size()) {
      return no_duration(text, name.empty() ? "a unit is missing" : "a unit is unknown");
    }
    if (unit < next_unit) {
      return no_duration(text, "units go from large to small, each once");
    }
    next_unit = unit + 1;
    const auto count = decimal(whole);
    const auto main = count ? multiplied(*count, units[unit].microseconds) : std::nullopt;
    if (!main || *main > most) {
      return no_duration(text, "it is too long");
    }
    const auto part = fraction_of(fraction, units[unit].microseconds);
    if (!part) {
      return no_duration(text, "it has too many digits behind the point, or is finer than a microsecond");
    }
    // Each of the three is at most `most`, or a day: the sum fits an unsigned number.
    total += *main + *part;
    if (total > most) {
      return no_duration(text, "it is too long");
    }
  }
  return Duration(static_cast<Duration::rep>(total));
}

Result<Instant> parse_instant(std::string_view text) {
  Cursor cursor(text);
  const auto year = cursor.digits(4);
  const bool dash1 = year && cursor.one_of("-");
  const auto month = dash1 ? cursor.digits(2) : std::nullopt;
  const bool dash2 = month && cursor.one_of("-");
  const auto day = dash2 ? cursor.digits(2) : std::nullopt;
  if (!day) {
    return no_instant(text, "the date is not YYYY-MM-DD");
  }
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) {
    return no_instant(text, "there is no such day");
  }
  if (!cursor.one_of("Tt ")) {
    return no_instant(text, "the time of day is missing");
  }
  const auto clock = read_clock(cursor);
  if (!clock) {
    return no_instant(text, "the time of day is not HH:MM:SS, up to 23:59:59 and nine digits behind the point");
  }
  const auto offset = read_offset(cursor);
  if (!offset) {
    return no_instant(text, "the offset from UTC is missing or not Z, +HH:MM or -HH:MM");
  }
  if (!cursor.done()) {
    return no_instant(text, "something follows the offset");
  }
  const Instant instant = std::chrono::sys_days(date) + clock->seconds + clock->fraction - *offset;
  if (instant < limits::due_min || instant > limits::due_max) {
    return no_instant(text, "it is not within the years 1970 to 9999");
  }
  return instant;
}

}  // namespace daybook
