// SPDX-License-Identifier: Apache-2.0
#include "periodics.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdlib>
#include <ctime>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace daybook::bench {

namespace {

using std::chrono::minutes;

constexpr std::size_t kFields = 5;  // minute, hour, day of month, month, day of week

struct Cron {
  std::array<std::bitset<60>, kFields> sets;
  bool any_day = false;  // a day field begins with *: both must match

  explicit Cron(const std::string& text) {
    static constexpr std::array<std::pair<int, int>, kFields> ranges = {{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}}};
    std::istringstream fields(text);
    for (std::size_t i = 0; i < kFields; ++i) {
      std::string field;
      fields >> field;
      if (i == 2 || i == 4) any_day = any_day || field.front() == '*';
      std::istringstream items(field);
      for (std::string item; std::getline(items, item, ',');) add(i, item, ranges[i].first, ranges[i].second);
    }
  }

  [[nodiscard]] bool matches(const std::tm& at) const {
    if (!sets[0][static_cast<std::size_t>(at.tm_min)] || !sets[1][static_cast<std::size_t>(at.tm_hour)] ||
        !sets[3][static_cast<std::size_t>(at.tm_mon + 1)]) {
      return false;
    }
    const bool day = sets[2][static_cast<std::size_t>(at.tm_mday)];
    const bool weekday = sets[4][static_cast<std::size_t>(at.tm_wday)];
    return any_day ? day && weekday : day || weekday;
  }
  [[nodiscard]] bool every_hour() const { return sets[1].count() == 24; }

 private:
  void add(std::size_t field, std::string item, int lowest, int highest) {
    int step = 1;
    const std::size_t slash = item.find('/');
    if (slash != std::string::npos) {
      step = std::stoi(item.substr(slash + 1));
      item.resize(slash);
    }
    int first = lowest;
    int last = highest;
    if (item != "*") {
      const std::size_t dash = item.find('-');
      first = value(item.substr(0, dash));
      last = dash != std::string::npos ? value(item.substr(dash + 1)) : slash != std::string::npos ? highest : first;
    }
    for (int v = first; v <= last; v += step) sets[field].set(static_cast<std::size_t>(field == 4 ? v % 7 : v));
  }
  static int value(const std::string& text) {
    static const std::array<std::string, 7> days = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    const auto named = std::find(days.begin(), days.end(), text);
    return named != days.end() ? static_cast<int>(named - days.begin()) : std::stoi(text);
  }
};

/// Clocks of a place, as the C library reads its data, for as long as this lives.
class LocalClock {
 public:
  explicit LocalClock(const std::string& zone) {
    if (const char* const before = std::getenv("TZ")) before_ = before;
    ::setenv("TZ", (":" + zone).c_str(), 1);
    ::tzset();
  }
  ~LocalClock() {
    before_ ? ::setenv("TZ", before_->c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
  }
  LocalClock(const LocalClock&) = delete;
  LocalClock& operator=(const LocalClock&) = delete;

  [[nodiscard]] static std::tm at(Instant instant) {
    const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count();
    std::tm shown{};
    ::localtime_r(&seconds, &shown);
    return shown;
  }
  /// What they would show had their offset stayed as it was.
  [[nodiscard]] static std::tm at_offset(Instant instant, long offset) {
    const std::time_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count() + offset;
    std::tm shown{};
    ::gmtime_r(&seconds, &shown);
    return shown;
  }

 private:
  std::optional<std::string> before_;
};

struct Minute {
  Instant at{};
  std::tm shown{};
  bool again = false;               // the clock showed the same before
  std::optional<std::tm> left_out;  // what it would show had it not been put forward within the last hours
};

std::vector<Minute> minutes_of(const std::string& zone, Instant from, Instant until) {
  const LocalClock clock(zone);
  std::vector<Minute> all;
  long offset = LocalClock::at(from - minutes(1)).tm_gmtoff;
  Instant forward_until = Instant::min();  // what was left out has an end
  Instant again_until = Instant::min();
  long before = offset;
  for (Instant at = std::chrono::floor<minutes>(from) + minutes(1); at < until; at += minutes(1)) {
    Minute minute{.at = at, .shown = LocalClock::at(at), .again = false, .left_out = {}};
    const std::chrono::seconds change(minute.shown.tm_gmtoff - offset);
    if (change.count() > 0) forward_until = at + change;
    if (change.count() < 0) again_until = at - change;
    if (change.count() != 0) before = std::exchange(offset, minute.shown.tm_gmtoff);
    minute.again = at < again_until;
    if (at < forward_until) minute.left_out = LocalClock::at_offset(at, before);
    all.push_back(minute);
  }
  return all;
}

std::vector<Instant> cron_instants(const Cron& cron, const std::vector<Minute>& all) {
  std::vector<Instant> found;
  for (const Minute& minute : all) {
    const bool shown = cron.matches(minute.shown) && (cron.every_hour() || !minute.again);
    const bool shifted = minute.left_out && !cron.every_hour() && cron.matches(*minute.left_out);
    if (shown || shifted) found.push_back(minute.at);
  }
  return found;
}

/// "4h30m", "168h", "5m"
Duration interval(const std::string& text) {
  Duration sum{};
  std::istringstream in(text);
  for (long number = 0; in >> number;) {
    const char unit = static_cast<char>(in.get());
    if (unit != 'h' && unit != 'm') throw std::runtime_error("no interval: " + text);
    sum += unit == 'h' ? Duration(std::chrono::hours(number)) : Duration(minutes(number));
  }
  return sum;
}

}  // namespace

std::vector<Periodic> read_periodics(std::istream& in) {
  std::vector<Periodic> periodics;
  std::string line;
  std::getline(in, line);
  for (std::size_t number = 2; std::getline(in, line); ++number) {
    std::istringstream cells(line);
    std::string name;
    std::string kind;
    std::string schedule;
    std::getline(cells, name, '\t');
    std::getline(cells, kind, '\t');
    std::getline(cells, schedule, '\t');
    Periodic one{.name = name, .cron = {}, .every = {}};
    if (kind == "cron") {
      one.cron = schedule;
    } else if (kind == "interval" || kind == "minimum_interval") {
      one.every = interval(schedule);
    } else {
      throw std::runtime_error("line " + std::to_string(number) + ": no kind that is known: " + kind);
    }
    periodics.push_back(std::move(one));
  }
  return periodics;
}

Instants expected_instants(const std::vector<Periodic>& periodics, const std::string& zone, Instant from,
                           Instant until) {
  Instants expected;
  const std::vector<Minute> all = minutes_of(zone, from, until);
  std::map<std::string, std::vector<Instant>> known;  // many have the same expression
  for (const Periodic& periodic : periodics) {
    std::vector<Instant>& instants = expected[periodic.name];
    if (!periodic.cron.empty()) {
      if (!known.contains(periodic.cron)) known[periodic.cron] = cron_instants(Cron(periodic.cron), all);
      instants = known[periodic.cron];
    } else {
      for (Instant at = from + periodic.every; at < until; at += periodic.every) instants.push_back(at);
    }
  }
  return expected;
}

}  // namespace daybook::bench
