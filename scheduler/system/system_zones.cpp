// SPDX-License-Identifier: Apache-2.0
// The listed changes come from the date library. It stops where the list of a file does, which is the year 2037 at the latest, and knows
// no release of the data: the rule behind the list, and the release, are read here.
#include "daybook/system/system_zones.hpp"

#include <date/tz.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <vector>

#include "posix_zone_rule.hpp"

namespace daybook {
namespace {

using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr const char* folder = "/usr/share/zoneinfo/";
constexpr sys_seconds first_listed = sys_days(std::chrono::year(1700) / 1 / 1);
constexpr sys_seconds last_listed = sys_days(std::chrono::year(9999) / 1 / 1);
constexpr std::size_t names_max = 1000;  // that are remembered as unknown: they come from anybody

/// "# version 2025b" is the first line of the sources that come along.
std::string release() {
  std::ifstream file(std::string(folder) + "tzdata.zi");
  std::string hash;
  std::string word;
  std::string version;
  if (!(file >> hash >> word >> version) || word != "version" || version.size() > 16) return "unknown";
  return version;
}

/// The last line of a time zone file.
std::string rule_behind(std::string_view name) {
  std::ifstream file(folder + std::string(name), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < 2 || bytes.back() != '\n') return {};
  const std::size_t line = bytes.rfind('\n', bytes.size() - 2);
  return line == std::string::npos ? std::string() : bytes.substr(line + 1, bytes.size() - line - 2);
}

/// Names in the folder that IANA does not have: what they stand for is this machine's own affair, and another's is another.
bool is_local(std::string_view name) {
  return name == "localtime" || name.starts_with("posix/") || name.starts_with("right/");
}

std::unique_ptr<const Zone> utc() {
  return std::make_unique<const Zone>("UTC", seconds(0), std::vector<ZoneChange>());
}

std::unique_ptr<const Zone> read_zone(std::string_view name) {
  const date::time_zone* listed = date::locate_zone(name);
  date::sys_info info = listed->get_info(first_listed);
  const seconds first = info.offset;
  std::vector<ZoneChange> changes;
  for (seconds offset = first; info.end < last_listed;) {
    info = listed->get_info(info.end);
    if (std::exchange(offset, info.offset) != info.offset) changes.push_back({info.begin, info.offset});
  }
  const auto year_of = [](sys_seconds at) {
    return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(at)).year();
  };
  const std::chrono::year from = changes.empty() ? std::chrono::year(1900) : year_of(changes.back().from);
  const auto rule = changes_of_rule(rule_behind(name), from, 402);
  if (!rule || rule->empty()) return std::make_unique<const Zone>(std::string(name), first, std::move(changes));
  for (const ZoneChange& change : *rule) {
    if (changes.empty() || change.from > changes.back().from) changes.push_back(change);
  }
  return std::make_unique<const Zone>(std::string(name), first, std::move(changes), true);
}

}  // namespace

SystemZones::SystemZones() : version_(release()) {
  known_.emplace("UTC", utc());
}

const Zone* SystemZones::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = known_.find(name); found != known_.end()) return found->second.get();
  std::unique_ptr<const Zone> zone;
  try {
    if (!is_local(name)) zone = read_zone(name);
  } catch (const std::runtime_error&) {
    // The library's way to say that there is none.
    if (known_.size() >= names_max) return nullptr;
  }
  return known_.emplace(name, std::move(zone)).first->second.get();
}

}  // namespace daybook
