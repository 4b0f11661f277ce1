// SPDX-License-Identifier: Apache-2.0
// A cron expression as text: one for each meaning.
#include <bit>

#include "daybook/core/cron.hpp"

namespace daybook {
namespace {

std::uint64_t every(unsigned step, unsigned lowest, unsigned highest) {
  std::uint64_t set = 0;
  for (unsigned value = lowest; value <= highest; value += step) set |= std::uint64_t{1} << value;
  return set;
}

void add(std::string& list, const std::string& item) {
  if (!list.empty()) list += ',';
  list += item;
}

/// The values one by one, three and more in a row as a range.
void add_values(std::string& list, std::uint64_t set) {
  while (set != 0) {
    const auto first = static_cast<unsigned>(std::countr_zero(set));
    const auto length = static_cast<unsigned>(std::countr_one(set >> first));
    const unsigned shown = length >= 3 ? length : 1;
    add(list, std::to_string(first));
    if (shown > 1) list += '-' + std::to_string(first + shown - 1);
    set &= ~(((std::uint64_t{1} << shown) - 1) << first);
  }
}

/// A field in which it does not matter how a set came about.
std::string field(std::uint64_t set, unsigned lowest, unsigned highest) {
  for (unsigned step = 1; lowest + step <= highest; ++step) {
    if (set == every(step, lowest, highest)) return step == 1 ? "*" : "*/" + std::to_string(step);
  }
  std::string list;
  add_values(list, set);
  return list;
}

/// A day field, in which a star in front says how the two combine.
std::string day_field(std::uint64_t set, unsigned star_step, unsigned lowest, unsigned highest) {
  std::string list;
  if (star_step == 1) return "*";
  if (star_step > 1) {
    add(list, "*/" + std::to_string(star_step));
    set &= ~every(star_step, lowest, highest);
  }
  add_values(list, set);
  return list;
}

}  // namespace

std::string to_string(const CronExpression& expression) {
  const CronExpression::Sets& sets = expression.sets_;
  std::string days = day_field(sets.days, sets.day_step, 1, 31);
  for (unsigned n = 0; n < 31; ++n) {
    if ((sets.days_before_last >> n & 1U) != 0) add(days, n == 0 ? "L" : "L-" + std::to_string(n));
  }
  for (unsigned day = 1; day <= 31; ++day) {
    if ((sets.nearest_weekdays >> day & 1U) != 0) add(days, std::to_string(day) + "W");
  }
  if (sets.last_weekday) add(days, "LW");
  std::string weekdays = day_field(sets.weekdays, sets.weekday_step, 0, 6);
  for (unsigned weekday = 0; weekday < 7; ++weekday) {
    for (unsigned n = 1; n <= 5; ++n) {
      if ((sets.nth[weekday] >> n & 1U) != 0) add(weekdays, std::to_string(weekday) + "#" + std::to_string(n));
    }
    if ((sets.last_of_weekday >> weekday & 1U) != 0) add(weekdays, std::to_string(weekday) + "L");
  }
  const std::string second = sets.seconds == 1 ? "" : field(sets.seconds, 0, 59) + " ";
  return second + field(sets.minutes, 0, 59) + " " + field(sets.hours, 0, 23) + " " + days + " " +
         field(sets.months, 1, 12) + " " + weekdays;
}

}  // namespace daybook
