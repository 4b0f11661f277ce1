// SPDX-License-Identifier: Apache-2.0
// What a cron expression matches. Its text is read in cron_parse.cpp and written in cron_text.cpp.
#include "daybook/core/cron.hpp"

#include <bit>

namespace daybook {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::seconds;
using std::chrono::year_month;
using std::chrono::year_month_day;

constexpr int last_year = 9999;
constexpr unsigned cycle_months = 400 * 12;  // after which the calendar repeats itself, weekdays included

constexpr std::uint32_t bit(unsigned n) {
  return std::uint32_t{1} << n;
}

/// The lowest value of a set at or above `from`.
std::optional<unsigned> lowest(std::uint64_t set, unsigned from) {
  if (from > 63) return std::nullopt;
  const std::uint64_t rest = set & (~std::uint64_t{0} << from);
  if (rest == 0) return std::nullopt;
  return static_cast<unsigned>(std::countr_zero(rest));
}

template <class Visit>
void each(std::uint32_t set, Visit visit) {
  for (; set != 0; set &= set - 1) visit(static_cast<unsigned>(std::countr_zero(set)));
}

unsigned weekday_of(unsigned first_weekday, unsigned day) {
  return (first_weekday + day - 1) % 7;
}

unsigned first_weekday_of(year_month month) {
  return std::chrono::weekday(local_days(month / 1)).c_encoding();
}

unsigned length_of(year_month month) {
  return unsigned((month / std::chrono::last).day());
}

/// The day from Monday to Friday nearest to `day`, in the same month.
unsigned nearest_weekday(unsigned first_weekday, unsigned length, unsigned day) {
  switch (weekday_of(first_weekday, day)) {
    case 6:
      return day == 1 ? 3 : day - 1;
    case 0:
      return day == length ? day - 2 : day + 1;
    default:
      return day;
  }
}

}  // namespace

std::uint32_t CronExpression::month_days_of(unsigned first_weekday, unsigned length) const {
  std::uint32_t matching = sets_.days;
  each(sets_.days_before_last, [&](unsigned before) {
    if (before < length) matching |= bit(length - before);
  });
  each(sets_.nearest_weekdays, [&](unsigned day) {
    if (day <= length) matching |= bit(nearest_weekday(first_weekday, length, day));
  });
  if (sets_.last_weekday) matching |= bit(nearest_weekday(first_weekday, length, length));
  return matching;
}

std::uint32_t CronExpression::weekdays_of(unsigned first_weekday, unsigned length) const {
  // The week turned so that its bit 0 is the weekday of the first day, five times in a row.
  const std::uint64_t twice = sets_.weekdays | std::uint64_t{sets_.weekdays} << 7;
  const std::uint64_t week = twice >> first_weekday & 0x7f;
  auto matching = static_cast<std::uint32_t>((week * 0x10204081) << 1);
  for (unsigned weekday = 0; weekday < 7; ++weekday) {
    const unsigned first = 1 + (weekday + 7 - first_weekday) % 7;
    each(sets_.nth[weekday], [&](unsigned n) {
      if (first + 7 * (n - 1) <= length) matching |= bit(first + 7 * (n - 1));
    });
  }
  each(sets_.last_of_weekday, [&](unsigned weekday) {
    const unsigned first = 1 + (weekday + 7 - first_weekday) % 7;
    matching |= bit(first + (length - first) / 7 * 7);
  });
  return matching;
}

std::uint32_t CronExpression::days_of(year_month month) const {
  const unsigned first_weekday = first_weekday_of(month);
  const unsigned length = length_of(month);
  const std::uint32_t of_month = month_days_of(first_weekday, length);
  const std::uint32_t of_week = weekdays_of(first_weekday, length);
  const bool both = sets_.day_step != 0 || sets_.weekday_step != 0;
  const auto in_month = static_cast<std::uint32_t>((std::uint64_t{2} << length) - 2);
  return (both ? of_month & of_week : of_month | of_week) & in_month;
}

std::optional<seconds> CronExpression::next_in_day(seconds from) const {
  const auto count = static_cast<unsigned>(from.count());
  unsigned hour = count / 3600;
  unsigned minute = count / 60 % 60;
  auto second = lowest(sets_.seconds, count % 60);
  if (!second) ++minute;
  auto found_minute = lowest(sets_.minutes, minute);
  if (!found_minute) ++hour;
  const auto found_hour = lowest(sets_.hours, hour);
  if (!found_hour) return std::nullopt;
  // Whatever moved on begins anew below itself.
  if (!found_minute || *found_hour != count / 3600) found_minute = lowest(sets_.minutes, 0);
  if (!second || *found_hour != count / 3600 || *found_minute != count / 60 % 60) second = lowest(sets_.seconds, 0);
  return seconds((*found_hour * 60 + *found_minute) * 60 + *second);
}

std::optional<LocalTime> CronExpression::next(LocalTime from) const {
  const auto day = std::chrono::floor<days>(from);
  const year_month_day date(day);
  year_month month = date.year() / date.month();
  std::uint32_t left = 0;  // days of `month` after that of `from`
  if ((sets_.months & bit(unsigned(date.month()))) != 0) {
    const std::uint32_t matching = days_of(month);
    if ((matching & bit(unsigned(date.day()))) != 0) {
      if (const auto time = next_in_day(from - day)) return day + *time;
    }
    left = matching & static_cast<std::uint32_t>(~((std::uint64_t{2} << unsigned(date.day())) - 1));
  }
  while (left == 0) {
    month += std::chrono::months(1);
    if (int(month.year()) > last_year) return std::nullopt;
    if ((sets_.months & bit(unsigned(month.month()))) != 0) left = days_of(month);
  }
  const auto found = static_cast<unsigned>(std::countr_zero(left));
  if (int(month.year()) > last_year) return std::nullopt;
  return local_days(month / static_cast<int>(found)) + *next_in_day(seconds(0));
}

bool CronExpression::matches(LocalTime time) const {
  const auto day = std::chrono::floor<days>(time);
  const year_month_day date(day);
  return (sets_.months & bit(unsigned(date.month()))) != 0 &&
         (days_of(date.year() / date.month()) & bit(unsigned(date.day()))) != 0 &&
         next_in_day(time - day) == time - day;
}

bool CronExpression::ever_matches() const {
  year_month month = std::chrono::year(2000) / 1;
  for (unsigned i = 0; i < cycle_months; ++i, month += std::chrono::months(1)) {
    if ((sets_.months & bit(unsigned(month.month()))) != 0 && days_of(month) != 0) return true;
  }
  return false;
}

}  // namespace daybook
