// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/zones.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/assert.hpp"
#include "daybook/core/escape.hpp"

namespace daybook {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// After 400 years the calendar repeats itself, weekdays included.
constexpr seconds cycle = std::chrono::days(146'097);

// Far from all dates, and far from where arithmetic with offsets would overflow.
constexpr sys_seconds beginning = sys_seconds(seconds(-1'000'000'000'000));
constexpr sys_seconds eternity = sys_seconds(seconds(1'000'000'000'000));

LocalTime shifted(sys_seconds instant, seconds offset) {
  return LocalTime(instant.time_since_epoch() + offset);
}
sys_seconds unshifted(LocalTime local, seconds offset) {
  return sys_seconds(local.time_since_epoch() - offset);
}

}  // namespace

Zone::Zone(std::string name, seconds first, std::vector<ZoneChange> changes, bool repeats)
    : name_(std::move(name)), first_(first), changes_(std::move(changes)), repeats_(repeats && !changes_.empty()) {
  DAYBOOK_ASSERT(std::is_sorted(changes_.begin(), changes_.end(),
                                [](const ZoneChange& a, const ZoneChange& b) { return a.from < b.from; }));
}

ZoneSpan Zone::listed_span(sys_seconds instant) const {
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), instant,
                                     [](sys_seconds at, const ZoneChange& change) { return at < change.from; });
  const auto index = static_cast<std::size_t>(next - changes_.begin());
  const auto offset_of = [this](std::size_t i) { return i == 0 ? first_ : changes_[i - 1].offset; };
  ZoneSpan span;
  span.offset = offset_of(index);
  span.begin = index == 0 ? beginning : changes_[index - 1].from;
  span.before = index == 0 ? span.offset : offset_of(index - 1);
  span.end = index == changes_.size() ? eternity : changes_[index].from;
  span.after = index == changes_.size() ? span.offset : changes_[index].offset;
  return span;
}

ZoneSpan Zone::span(sys_seconds instant) const {
  if (!repeats_ || instant < changes_.back().from) return listed_span(instant);
  // Moved back by whole cycles to just before the last change, where the list still knows what follows.
  const auto cycles = (instant - changes_.back().from) / cycle + 1;
  ZoneSpan span = listed_span(instant - cycles * cycle);
  span.begin += cycles * cycle;
  span.end += cycles * cycle;
  return span;
}

LocalTime Zone::local(sys_seconds instant) const {
  return shifted(instant, span(instant).offset);
}

LocalLookup Zone::look_up(LocalTime local) const {
  // By any offset that a day has seen, the instant is at most a span away from the one that UTC would be.
  ZoneSpan at = span(unshifted(local, seconds(0)) - std::chrono::hours(26));
  const auto reaches = [&](const ZoneSpan& one) { return unshifted(local, one.offset) < one.end; };
  while (!reaches(at)) at = span(at.end);
  LocalLookup found;
  found.before = found.after = at.offset;
  found.first = found.last = unshifted(local, at.offset);
  if (found.first < at.begin) {
    found.kind = LocalLookup::Kind::gap;
    found.before = at.before;
    found.first = found.last = unshifted(local, at.before);
    return found;
  }
  const sys_seconds again = unshifted(local, at.after);
  if (again >= at.end) {
    found.kind = LocalLookup::Kind::repeated;
    found.after = at.after;
    found.last = again;
  }
  return found;
}

namespace {

class UtcAlone final : public Zones {
 public:
  [[nodiscard]] const Zone* find(std::string_view name) const override { return name == "UTC" ? &utc_ : nullptr; }
  [[nodiscard]] std::string version() const override { return "of UTC alone"; }

 private:
  Zone utc_{"UTC", std::chrono::seconds(0), {}};
};

}  // namespace

const Zones& utc_alone() {
  static const UtcAlone zones;
  return zones;
}

Result<const Zone*> find_zone(const Zones& zones, std::string_view name) {
  if (const Zone* zone = zones.find(name)) return zone;
  return refuse(RefusalCode::invalid_argument,
                quoted(name) + " is no time zone of the tz data " + zones.version() +
                    "; write an IANA name as it is spelled there, like Europe/Prague, America/New_York or UTC");
}

}  // namespace daybook
