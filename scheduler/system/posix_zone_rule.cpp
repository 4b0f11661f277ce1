// SPDX-License-Identifier: Apache-2.0
#include "posix_zone_rule.hpp"

#include <algorithm>

namespace daybook {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

/// A day of the year, and a time on (or around) it by the clock that ends there.
struct ChangeDay {
  enum class Form { month_week_day, day_without_leap, day } form = Form::day;
  int month = 0;
  int week = 0;
  int day = 0;  // of the week or of the year
  seconds time = std::chrono::hours(2);

  [[nodiscard]] sys_days of(year in) const {
    if (form == Form::month_week_day) {
      const auto of_month = in / month;
      const std::chrono::weekday weekday(static_cast<unsigned>(day));
      if (week == 5) return of_month / weekday[std::chrono::last];
      return of_month / weekday[static_cast<unsigned>(week)];
    }
    const bool skips = form == Form::day_without_leap && in.is_leap() && day >= 60;
    const int offset = form == Form::day_without_leap ? day - 1 + (skips ? 1 : 0) : day;
    return sys_days(in / 1 / 1) + days(offset);
  }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Letters, or anything in angle brackets.
  bool name() {
    if (take('<')) {
      const std::size_t end = rest_.find('>');
      if (end == std::string_view::npos) return false;
      rest_.remove_prefix(end + 1);
      return true;
    }
    const std::size_t before = rest_.size();
    while (!rest_.empty() && ((rest_.front() | 0x20) >= 'a' && (rest_.front() | 0x20) <= 'z')) rest_.remove_prefix(1);
    return before - rest_.size() >= 3;
  }
  std::optional<int> number(int most) {
    int value = 0;
    const std::size_t before = rest_.size();
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1)) {
      value = value * 10 + (rest_.front() - '0');
      if (value > most) return std::nullopt;
    }
    if (before == rest_.size()) return std::nullopt;
    return value;
  }
  /// [+-]hh[:mm[:ss]]
  std::optional<seconds> time() {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto hours = number(167);
    if (!hours) return std::nullopt;
    seconds total = std::chrono::hours(*hours);
    for (const int unit : {60, 1}) {
      if (!take(':')) break;
      const auto part = number(59);
      if (!part) return std::nullopt;
      total += seconds(*part * unit);
    }
    return negative ? -total : total;
  }
  std::optional<ChangeDay> change() {
    ChangeDay read;
    std::optional<int> day;
    if (take('M')) {
      read.form = ChangeDay::Form::month_week_day;
      const auto month = number(12);
      if (!month || *month < 1 || !take('.')) return std::nullopt;
      const auto week = number(5);
      if (!week || *week < 1 || !take('.')) return std::nullopt;
      read.month = *month;
      read.week = *week;
      day = number(6);
    } else if (take('J')) {
      read.form = ChangeDay::Form::day_without_leap;
      day = number(365);
      if (day && *day < 1) return std::nullopt;
    } else {
      day = number(365);
    }
    if (!day) return std::nullopt;
    read.day = *day;
    if (take('/')) {
      const auto time = this->time();
      if (!time) return std::nullopt;
      read.time = *time;
    }
    return read;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<ZoneChange>> changes_of_rule(std::string_view rule, year from, int years) {
  Reader reader(rule);
  if (!reader.name()) return std::nullopt;
  const auto west = reader.time();
  if (!west) return std::nullopt;
  const seconds standard = -*west;
  if (reader.done()) return std::vector<ZoneChange>();
  if (!reader.name()) return std::nullopt;
  seconds summer = standard + std::chrono::hours(1);
  if (!reader.take(',')) {
    const auto summer_west = reader.time();
    if (!summer_west || !reader.take(',')) return std::nullopt;
    summer = -*summer_west;
  }
  const auto start = reader.change();
  if (!start || !reader.take(',')) return std::nullopt;
  const auto end = reader.change();
  if (!end || !reader.done()) return std::nullopt;
  std::vector<ZoneChange> changes;
  for (int i = 0; i < years; ++i) {
    const year in = from + std::chrono::years(i);
    changes.push_back({start->of(in) + start->time - standard, summer});
    changes.push_back({end->of(in) + end->time - summer, standard});
  }
  std::sort(changes.begin(), changes.end(), [](const ZoneChange& a, const ZoneChange& b) { return a.from < b.from; });
  return changes;
}

}  // namespace daybook
