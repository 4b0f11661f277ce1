// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/recurrence.hpp"

#include <algorithm>

#include "daybook/core/limits.hpp"
#include "enumerator.hpp"

namespace daybook {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

tl::unexpected<Refusal> out_of_range(std::string sentence) {
  return refuse(RefusalCode::invalid_argument, std::move(sentence));
}

Result<void> check_instants(const CalendarRule& rule) {
  if (rule.instants.empty() || rule.instants.size() > limits::calendar_instants_max) {
    return out_of_range("the calendar has " + std::to_string(rule.instants.size()) + " instants, expected 1 to " +
                        std::to_string(limits::calendar_instants_max));
  }
  for (std::size_t i = 0; i < rule.instants.size(); ++i) {
    if (rule.instants[i] < limits::due_min || rule.instants[i] > limits::due_max) {
      return out_of_range("the calendar has " + to_string(rule.instants[i]) +
                          ", which is not within the years 1970 to 9999");
    }
    if (i > 0 && rule.instants[i] <= rule.instants[i - 1]) {
      return out_of_range("the calendar has " + to_string(rule.instants[i]) + " behind " +
                          to_string(rule.instants[i - 1]) + ", expected each instant once, in order");
    }
  }
  return {};
}

Result<void> check_rule(const Recurrence& recurrence, const Zones& zones) {
  if (const auto* cron = std::get_if<CronRule>(&recurrence.rule)) {
    if (const auto zone = find_zone(zones, cron->zone); !zone) return tl::unexpected(zone.error());
    if (auto refused = check_enumerator("dst_gap", cron->gap, DstGap::shift)) return tl::unexpected(*refused);
    if (auto refused = check_enumerator("dst_repeat", cron->repeat, DstRepeat::both)) return tl::unexpected(*refused);
    return {};
  }
  if (const auto* calendar = std::get_if<CalendarRule>(&recurrence.rule)) return check_instants(*calendar);
  const auto& interval = std::get<IntervalRule>(recurrence.rule);
  if (interval.period < limits::period_min || interval.period > limits::period_max) {
    return out_of_range("the period is " + to_string(interval.period) + ", expected " + to_string(limits::period_min) +
                        " to " + to_string(limits::period_max));
  }
  if (interval.anchor < limits::due_min || interval.anchor > limits::due_max) {
    return out_of_range("the anchor is " + to_string(interval.anchor) + ", which is not within the years 1970 to 9999");
  }
  return {};
}

std::optional<Instant> next_of(const IntervalRule& rule, Instant after) {
  if (rule.period <= Duration(0)) return std::nullopt;
  const Duration ahead = after - rule.anchor;
  const Duration into = (ahead % rule.period + rule.period) % rule.period;
  return after - into + rule.period;
}

std::optional<Instant> next_of(const CalendarRule& rule, Instant after) {
  const auto found = std::upper_bound(rule.instants.begin(), rule.instants.end(), after);
  if (found == rule.instants.end()) return std::nullopt;
  return *found;
}

/// A well-mixed number of a name and an instant (FNV-1a, then the finalizer of SplitMix64).
std::uint64_t mixed(std::string_view name, Instant instant) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const char c : name) add(static_cast<unsigned char>(c));
  auto count = static_cast<std::uint64_t>(instant.time_since_epoch().count());
  for (int i = 0; i < 8; ++i, count >>= 8) add(count & 0xff);
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  return hash ^ hash >> 31;
}

}  // namespace

std::string_view to_string(DstGap gap) {
  return gap == DstGap::skip ? "skip" : "shift";
}

std::string_view to_string(DstRepeat repeat) {
  switch (repeat) {
    case DstRepeat::first:
      return "first";
    case DstRepeat::last:
      return "last";
    default:
      return "both";
  }
}

std::string to_string(const Recurrence& recurrence) {
  std::string text;
  if (const auto* cron = std::get_if<CronRule>(&recurrence.rule)) {
    text = to_string(cron->expression) + " in " + cron->zone;
    if (cron->gap != CronRule().gap) text += ", dst_gap " + std::string(to_string(cron->gap));
    if (cron->repeat != CronRule().repeat) text += ", dst_repeat " + std::string(to_string(cron->repeat));
  } else if (const auto* interval = std::get_if<IntervalRule>(&recurrence.rule)) {
    text = "every " + to_string(interval->period) + " from " + to_string(interval->anchor);
  } else {
    const std::vector<Instant>& instants = std::get<CalendarRule>(recurrence.rule).instants;
    text = std::to_string(instants.size()) + " instants";
    if (!instants.empty()) text += " from " + to_string(instants.front()) + " to " + to_string(instants.back());
  }
  if (recurrence.start) text += ", not before " + to_string(*recurrence.start);
  if (recurrence.end) text += ", before " + to_string(*recurrence.end);
  if (recurrence.jitter != Duration(0)) text += ", up to " + to_string(recurrence.jitter) + " later";
  return text;
}

Result<void> check(const Recurrence& recurrence, const Zones& zones) {
  if (auto rule = check_rule(recurrence, zones); !rule) return rule;
  for (const auto& bound : {recurrence.start, recurrence.end}) {
    if (bound && (*bound < limits::due_min || *bound > limits::due_max)) {
      return out_of_range("start or end is " + to_string(*bound) + ", which is not within the years 1970 to 9999");
    }
  }
  if (recurrence.start && recurrence.end && *recurrence.end <= *recurrence.start) {
    return out_of_range("the end, " + to_string(*recurrence.end) + ", is not after the start, " +
                        to_string(*recurrence.start));
  }
  if (recurrence.jitter < Duration(0) || recurrence.jitter > limits::recurrence_jitter_max) {
    return out_of_range("the jitter is " + to_string(recurrence.jitter) + ", expected 0s to " +
                        to_string(limits::recurrence_jitter_max));
  }
  return {};
}

Result<std::optional<Instant>> next_occurrence(const Recurrence& recurrence, Instant after, const Zones& zones) {
  after = std::max(after, limits::due_min - Duration(1));
  if (recurrence.start) after = std::max(after, *recurrence.start - Duration(1));
  if (after >= limits::due_max) return std::nullopt;
  std::optional<Instant> next;
  if (const auto* cron = std::get_if<CronRule>(&recurrence.rule)) {
    const auto zone = find_zone(zones, cron->zone);
    if (!zone) return tl::unexpected(zone.error());
    next = next_occurrence(*cron, after, **zone);
  } else if (const auto* interval = std::get_if<IntervalRule>(&recurrence.rule)) {
    next = next_of(*interval, after);
  } else {
    next = next_of(std::get<CalendarRule>(recurrence.rule), after);
  }
  if (!next || *next > limits::due_max || (recurrence.end && *next >= *recurrence.end)) return std::nullopt;
  return next;
}

Result<Instant> due_of_occurrence(const Recurrence& recurrence, std::string_view name, Instant nominal,
                                  const Zones& zones) {
  if (recurrence.jitter <= Duration(0)) return nominal;
  const auto next = next_occurrence(recurrence, nominal, zones);
  if (!next) return tl::unexpected(next.error());
  Duration most = std::min(recurrence.jitter, limits::due_max - nominal);
  if (*next) most = std::min(most, **next - nominal - Duration(1));
  return nominal +
         Duration(static_cast<Duration::rep>(mixed(name, nominal) % static_cast<std::uint64_t>(most.count() + 1)));
}

}  // namespace daybook
