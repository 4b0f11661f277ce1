// SPDX-License-Identifier: Apache-2.0
// Random expressions, zones and windows of time, as the library and as others see them. cron_oracle.py asks the others.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "daybook/core/recurrence.hpp"
#include "daybook/system/system_zones.hpp"
#include "support/temp_folder.hpp"
#include "zone_names.hpp"

namespace daybook {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

const sys_seconds first_day = sys_days(std::chrono::year(2020) / 1 / 1);
constexpr int years = 20;

/// Draws expressions that every oracle understands; what each leaves out is in docs/recurring.md.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }
  bool one_in(std::size_t n) { return below(n) == 0; }

  std::string field(int low, int high) {
    if (one_in(3)) return "*";
    if (one_in(4)) return "*/" + std::to_string(2 + below(static_cast<std::size_t>(high - low) / 2));
    std::string list = item(low, high);
    while (one_in(3)) list += "," + item(low, high);
    return list;
  }

  /// Day of month, month, day of week: one of the two days is `*`, or neither begins with a star.
  std::string days() {
    static const char* const months[] = {"JAN", "MAR-MAY", "10-12", "FEB"};
    const std::string month = one_in(2) ? "*" : one_in(3) ? months[below(4)] : field(1, 12);
    static const char* const weekdays[] = {"MON", "MON-FRI", "SAT,SUN", "7", "5-7", "1-5/2"};
    const std::string weekday = one_in(2) ? weekdays[below(6)] : item(0, 6);
    switch (below(4)) {
      case 0:
        return "* " + month + " *";
      case 1:
        return field(1, 28) + " " + month + " *";
      case 2:
        return "* " + month + " " + weekday;
      default:
        return one_day() + " " + month + " " + weekday;
    }
  }
  std::string one_day() { return item(1, 28); }

  /// The same, with days that are the last, the nearest to one, or the nth of their month.
  std::string days_of_a_month() {
    static const char* const names[] = {"SUN", "mon", "Tue", "WED", "5", "7", "6"};
    const auto listed = [&](const auto& one) {
      std::string list = one();
      while (one_in(3)) list += "," + one();
      return list;
    };
    const auto day = [&]() -> std::string {
      switch (below(5)) {
        case 0:
          return one_in(2) ? "L" : "L-" + std::to_string(1 + below(30));
        case 1:
          return std::to_string(1 + below(31)) + "W";
        case 2:
          return "LW";
        case 3:
          return std::to_string(25 + below(7));
        default:
          return item(1, 31);
      }
    };
    const auto weekday = [&]() -> std::string {
      const std::string name = names[below(7)];
      if (one_in(3)) return name;
      return one_in(2) ? name + "L" : name + "#" + std::to_string(1 + below(5));
    };
    const std::string month = one_in(2) ? "*" : item(1, 12);
    switch (below(3)) {
      case 0:
        return listed(day) + " " + month + " *";
      case 1:
        return "* " + month + " " + listed(weekday);
      default:
        return listed(day) + " " + month + " " + listed(weekday);
    }
  }

 private:
  std::string item(int low, int high) {
    const int first = low + static_cast<int>(below(static_cast<std::size_t>(high - low)));
    if (one_in(2)) return std::to_string(first);
    const int last = first + 1 + static_cast<int>(below(static_cast<std::size_t>(high - first)));
    const std::string range = std::to_string(first) + "-" + std::to_string(last);
    return one_in(3) ? range + "/" + std::to_string(2 + below(4)) : range;
  }

  std::mt19937_64 random_;
};

struct Case {
  CronRule rule;
  std::string text;
  sys_seconds begin;
  sys_seconds end;
};

class CronOracle : public testing::Test {
 protected:
  CronOracle() {
    const char* given = std::getenv("DAYBOOK_SEED");
    seed_ = given == nullptr ? 20261121 : std::strtoull(given, nullptr, 10);
    const char* factor = std::getenv("DAYBOOK_ORACLE_FACTOR");
    factor_ = factor == nullptr ? 1 : std::strtoull(factor, nullptr, 10);
    std::cout << "seed " << seed_ << '\n';
  }

  void add(const std::string& text, const std::string& zone, sys_seconds begin, sys_seconds end, DstGap gap = {},
           DstRepeat repeat = {}, std::size_t most = 1'000'000) {
    const auto expression = parse_cron(text);
    if (!expression) {
      ASSERT_NE(expression.error().sentence.find("never matches"), std::string::npos) << expression.error().sentence;
      return;
    }
    const CronRule rule{*expression, zone, gap, repeat};
    lines_ << text << '\t' << zone << '\t' << begin.time_since_epoch().count() << '\t' << end.time_since_epoch().count()
           << '\t' << to_string(gap) << '\t' << to_string(repeat) << '\t';
    const Zone& in = *zones_.find(zone);
    std::size_t count = 0;
    for (auto next = next_occurrence(rule, begin - Duration(1), in); next && *next < end && count < most;
         next = next_occurrence(rule, *next, in)) {
      lines_ << (count++ == 0 ? "" : ",") << std::chrono::floor<seconds>(*next).time_since_epoch().count();
    }
    lines_ << '\n';
  }

  void compare(const std::string& oracle) {
    const std::string path = (folder_.path() / "cases").string();
    std::ofstream(path) << lines_.str();
    const std::string command = "/usr/bin/python3 " DAYBOOK_CRON_ORACLE " " + oracle + " " + path;
    std::FILE* const output = ::popen(command.c_str(), "r");
    ASSERT_NE(output, nullptr);
    for (char line[512]; std::fgets(line, sizeof line, output) != nullptr;) std::cout << line;
    const int status = ::pclose(output);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 77 || code == 127) GTEST_SKIP() << "skipped: " << oracle << " is not installed";
    EXPECT_EQ(code, 0);
  }

  std::uint64_t seed_ = 0;
  std::uint64_t factor_ = 1;
  SystemZones zones_;
  test::TempFolder folder_;
  std::ostringstream lines_;
};

TEST_F(CronOracle, CroniterAgreesInUtc) {
  Draw draw(seed_);
  for (std::uint64_t i = 0; i < 1000 * factor_; ++i) {
    const sys_seconds begin = first_day + days(draw.below(365 * years));
    add(draw.field(0, 59) + " " + draw.field(0, 23) + " " + draw.days(), "UTC", begin, begin + days(400), {}, {}, 20);
  }
  compare("croniter");
}

TEST_F(CronOracle, SystemdAgreesInUtc) {
  Draw draw(seed_ + 1);
  for (std::uint64_t i = 0; i < 300 * factor_; ++i) {
    std::string day = draw.days();
    while (day.find('*') == std::string::npos) day = draw.days();
    if (draw.one_in(8)) day = std::string(draw.one_in(2) ? "L" : "L-3") + " * *";
    if (day.find('*') != 0 && !day.ends_with('*')) day = "* * *";
    add(draw.field(0, 59) + " " + draw.field(0, 23) + " " + day, "UTC", first_day, first_day + days(3650), {}, {}, 20);
  }
  compare("systemd");
}

// At noon, which no clock leaves out.
TEST_F(CronOracle, EveryDayOfACalendarAgreesOnTheLastTheNearestAndTheNth) {
  const std::vector<std::string> names = test::zone_names();
  if (names.empty()) GTEST_SKIP() << "skipped: no tzdata is installed";
  Draw draw(seed_ + 3);
  for (std::uint64_t i = 0; i < 400 * factor_; ++i) {
    const std::string second = draw.one_in(2) ? "" : draw.field(0, 59) + " ";
    const sys_seconds begin = first_day + days(draw.below(365 * years));
    add(second + std::to_string(draw.below(60)) + " 12 " + draw.days_of_a_month(), names[draw.below(names.size())],
        begin, begin + days(800), {}, {}, 20);
  }
  compare("days");
}

TEST_F(CronOracle, EveryMinuteThroughZoneinfoAgreesInEveryZone) {
  const std::vector<std::string> names = test::zone_names();
  if (names.empty()) GTEST_SKIP() << "skipped: no tzdata is installed";
  Draw draw(seed_ + 2);
  for (std::uint64_t i = 0; i < 250 * factor_; ++i) {
    const std::string& zone = names[draw.below(names.size())];
    sys_seconds begin = first_day + days(draw.below(365 * years));
    // Mostly around a change, if there is one.
    const sys_seconds change = zones_.find(zone)->span(begin).end;
    if (!draw.one_in(5) && change < first_day + days(365 * (years + 1))) {
      begin = std::chrono::floor<std::chrono::minutes>(change) - 24h;
    }
    for (int j = 0; j < 8; ++j) {
      const bool near = !draw.one_in(3);
      const std::string hours = near ? draw.field(0, 4) : draw.field(0, 23);
      const std::string day = near ? (draw.one_in(4) ? draw.days() : "* * *") : draw.days();
      add(draw.field(0, 59) + " " + hours + " " + day, zone, begin, begin + days(2), static_cast<DstGap>(draw.below(2)),
          static_cast<DstRepeat>(draw.below(3)));
    }
  }
  compare("brute");
}

}  // namespace
}  // namespace daybook
