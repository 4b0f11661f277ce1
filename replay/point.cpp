// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/replay/replay.hpp"

// Which event a point in the past means. Walks over the whole log, because only the events say where the clock stepped and
// what boot time was worth; knows nothing of jobs.

namespace daybook {
namespace {

// Times come from disk: differences saturate instead of overflowing.
Duration saturated_difference(Duration left, Duration right) {
  Duration::rep difference = 0;
  if (!__builtin_sub_overflow(left.count(), right.count(), &difference)) return Duration(difference);
  return left < right ? Duration::min() : Duration::max();
}

template <class Time>
Time saturated_sum(Time time, Duration by) {
  Duration::rep sum = 0;
  if (!__builtin_add_overflow(time.time_since_epoch().count(), by.count(), &sum)) return Time(Duration(sum));
  return by < Duration() ? Time::min() : Time::max();
}

struct Spot {
  Sequence sequence;
  Moment moment;
};

/// Gives events their book time, which needs the last opening before them.
class BookClockReader {
 public:
  Spot spot(const RecordedEvent& recorded) {
    if (const auto* opened = std::get_if<BookOpened>(&recorded.event)) offset_ = opened->book_offset;
    const BookTime book(saturated_sum(recorded.boot, offset_).time_since_epoch());
    return {recorded.sequence, Moment{.wall = recorded.wall, .boot = recorded.boot, .book = book}};
  }

 private:
  Duration offset_{};
};

Spot spot_of_sequence(const ReadEvents& read, Sequence wanted) {
  BookClockReader clock;
  Spot spot{};
  if (wanted == Sequence()) return spot;
  read(Sequence(1), [&](const RecordedEvent& recorded) {
    spot = clock.spot(recorded);
    return recorded.sequence < wanted;
  });
  return spot;
}

/// A stretch of the record in which the wall clock did not step, seen from the instant that was asked for.
struct Era {
  Instant end;                       // latest wall time, up to the moment of the step that ended it
  bool unexplained = false;          // the clock was seen to go back; the event that says so may follow
  std::optional<Spot> found;         // the last event at or before the instant
  std::optional<BookTime> followed;  // of the event after that, in whatever era
};

class Eras {
 public:
  explicit Eras(Instant wanted) : wanted_(wanted) {}

  void add(const RecordedEvent& recorded) {
    const Spot spot = clock_.spot(recorded);
    if (!eras_.empty() && eras_.back().found && !eras_.back().followed) eras_.back().followed = spot.moment.book;
    begin_era_at(recorded);
    Era& era = eras_.back();
    era.end = std::max(era.end, recorded.wall);
    if (recorded.wall <= wanted_) {
      era.found = spot;
      era.followed.reset();
    }
    before_ = recorded.wall;
  }

  [[nodiscard]] Resolved resolved() const {
    const auto latest =
        std::find_if(eras_.rbegin(), eras_.rend(), [](const Era& era) { return era.found.has_value(); });
    if (latest == eras_.rend()) return {Sequence(), Moment{.wall = wanted_, .boot = {}, .book = {}}, {}};
    return {latest->found->sequence, moment_in(*latest), ambiguity(*latest)};
  }

 private:
  // A step is on record as ClockStepped. Across a boot nobody can tell a step from the time that passed, and an opening may
  // be recorded before the step that it found: there the wall clock itself says that it went back.
  void begin_era_at(const RecordedEvent& recorded) {
    if (eras_.empty()) return begin_era(recorded.wall, false);
    const auto* opened = std::get_if<BookOpened>(&recorded.event);
    const bool booted = opened != nullptr && opened->new_boot;
    const bool went_back = recorded.wall < (booted ? before_ : saturated_sum(before_, -limits::clock_step_min));
    const auto* stepped = std::get_if<ClockStepped>(&recorded.event);
    if (stepped == nullptr) {
      if (went_back) begin_era(recorded.wall, true);
      return;
    }
    const bool known = eras_.back().unexplained && stepped->by < Duration();
    Era& ended = eras_[eras_.size() - (known ? 2 : 1)];
    const Instant unstepped(saturated_difference(recorded.wall.time_since_epoch(), stepped->by));
    ended.end = std::max(ended.end, unstepped);
    eras_.back().unexplained = false;
    if (!known) begin_era(recorded.wall, false);
  }

  void begin_era(Instant wall, bool unexplained) { eras_.push_back({wall, unexplained, std::nullopt, std::nullopt}); }

  [[nodiscard]] Moment moment_in(const Era& era) const {
    const Moment& event = era.found->moment;
    Duration passed = saturated_difference(wanted_.time_since_epoch(), event.wall.time_since_epoch());
    if (era.followed) {
      const Duration most = saturated_difference(era.followed->time_since_epoch(), event.book.time_since_epoch());
      passed = std::clamp(passed, Duration(), std::max(most, Duration()));
    }
    return Moment{
        .wall = wanted_, .boot = saturated_sum(event.boot, passed), .book = saturated_sum(event.book, passed)};
  }

  [[nodiscard]] std::string ambiguity(const Era& taken) const {
    std::string others;
    for (const Era& era : eras_) {
      if (&era == &taken || !era.found || era.end < wanted_) continue;
      others += (others.empty() ? "" : ", ") + std::to_string(era.found->sequence.value());
    }
    if (others.empty()) return {};
    return to_string(wanted_) + " came more than once, because the wall clock was set back: sequence " +
           std::to_string(taken.found->sequence.value()) +
           " of the last time is taken; the times before it are sequence " + others;
  }

  Instant wanted_;
  BookClockReader clock_;
  Instant before_;
  std::vector<Era> eras_;
};

}  // namespace

Result<Point> parse_point(std::string_view text) {
  const bool number =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (number) {
    std::uint64_t sequence = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (error == std::errc() && end == text.data() + text.size()) return Point(Sequence(sequence));
  } else if (const Result<Instant> instant = parse_instant(text)) {
    return Point(*instant);
  }
  return refuse(
      RefusalCode::invalid_argument,
      quoted(text) + " is no point in the record: give a sequence like 4711, or an instant like 2026-03-04T12:05:00Z");
}

Resolved resolve(const ReadEvents& read, Sequence head, const Point& point) {
  if (const Sequence* sequence = std::get_if<Sequence>(&point)) {
    const Spot spot = spot_of_sequence(read, std::min(*sequence, head));
    return {spot.sequence, spot.moment, {}};
  }
  Eras eras(std::get<Instant>(point));
  if (head == Sequence()) return eras.resolved();
  const auto add = [&](const RecordedEvent& recorded) {
    if (recorded.sequence > head) return false;
    eras.add(recorded);
    return recorded.sequence < head;
  };
  try {
    read(Sequence(1), add);
  } catch (const DroppedError& dropped) {
    // What is left may still tell. Where it does not, the instant lies in what was dropped, or before the first event.
    read(dropped.through().next(), add);
    if (eras.resolved().sequence == Sequence()) throw;
  }
  return eras.resolved();
}

}  // namespace daybook
