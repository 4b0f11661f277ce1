// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time zones, as the rest of the library sees them: a name, and at which instant the clocks of a place were or will be set to which
// offset from UTC. Where they come from is behind the port Zones.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/cron.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// From an instant on, local time is UTC plus the offset.
struct ZoneChange {
  std::chrono::sys_seconds from;
  std::chrono::seconds offset{};
  friend bool operator==(const ZoneChange&, const ZoneChange&) = default;
};

/// A stretch of time with one offset, [begin, end), and the offsets beside it.
struct ZoneSpan {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;
  std::chrono::seconds offset{};
  std::chrono::seconds before{};  // the same as `offset` for the first
  std::chrono::seconds after{};   // … and for the last

  /// How much local time was left out when it began, and how much its end will repeat.
  [[nodiscard]] std::chrono::seconds gap() const { return std::max(offset - before, std::chrono::seconds(0)); }
  [[nodiscard]] std::chrono::seconds repeated_at_begin() const {
    return std::max(before - offset, std::chrono::seconds(0));
  }
  [[nodiscard]] std::chrono::seconds repeated_at_end() const {
    return std::max(offset - after, std::chrono::seconds(0));
  }
};

/// What a local time is in a zone: one instant, none (clocks were put forward over it), or two (they were put back).
struct LocalLookup {
  enum class Kind : std::uint8_t { unique, gap, repeated };
  Kind kind = Kind::unique;
  std::chrono::seconds before{};   // the offset; for gap and repeated the one before the clocks were set …
  std::chrono::seconds after{};    // … and the one after
  std::chrono::sys_seconds first;  // the instant; for gap what it would be by `before`, which is behind the gap
  std::chrono::sys_seconds last;   // the later of two; else the same as `first`
};

/// Immutable, so any number of threads may ask. Answers for the years 1 to 9999.
class Zone {
 public:
  /// `first` holds before all changes. The changes are in order. The last 400 years of them (or all, if there are fewer) repeat for
  /// ever when `repeats`: the calendar does; else the last offset holds for ever.
  Zone(std::string name, std::chrono::seconds first, std::vector<ZoneChange> changes, bool repeats = false);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] ZoneSpan span(std::chrono::sys_seconds instant) const;
  [[nodiscard]] LocalTime local(std::chrono::sys_seconds instant) const;
  [[nodiscard]] LocalLookup look_up(LocalTime local) const;

 private:
  [[nodiscard]] ZoneSpan listed_span(std::chrono::sys_seconds instant) const;

  std::string name_;
  std::chrono::seconds first_;
  std::vector<ZoneChange> changes_;
  bool repeats_;
};

/// The port. Thread-safe; a zone once found stays where it is for the life of the port.
class Zones {
 public:
  virtual ~Zones() = default;

  /// The zone of an IANA name, "Europe/Prague", letter by letter; null when there is none. The first search for a name may read
  /// files, any further one reads none.
  [[nodiscard]] virtual const Zone* find(std::string_view name) const = 0;

  /// The release of the time zone data, like "2025b"; "unknown" when it does not say.
  [[nodiscard]] virtual std::string version() const = 0;
};

/// UTC and no other zone; for those to whom zones do not matter.
[[nodiscard]] const Zones& utc_alone();

/// `invalid_argument` when there is no such zone: it shows how a name looks.
[[nodiscard]] Result<const Zone*> find_zone(const Zones& zones, std::string_view name);

}  // namespace daybook
