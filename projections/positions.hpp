// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a waiting job stands: in a lane of its queue, kind and group when it is due, otherwise in one of two orders of
// future jobs, by wall clock or by book time.

#include <compare>
#include <cstdint>
#include <limits>

#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

struct LaneId {
  NameId queue;
  NameId kind;
  NameId group;  // 0: none
  friend constexpr auto operator<=>(const LaneId&, const LaneId&) = default;
};

/// All that the lanes know of a waiting job.
struct Waiting {
  LaneId lane;
  Priority priority;
  Due due;
  Sequence id;
};

[[nodiscard]] inline Waiting waiting(const Job& job) {
  return {{job.spec->queue, job.spec->kind, job.spec->group}, job.spec->priority, job.due, job.id.sequence};
}

/// Claim order within a lane.
struct ReadyPosition {
  Priority priority;
  std::int64_t at = 0;  // due.at, µs since 1970
  Sequence id;
  friend constexpr auto operator<=>(const ReadyPosition&, const ReadyPosition&) = default;

  [[nodiscard]] static constexpr ReadyPosition before_all() {
    return {Priority(std::numeric_limits<std::int32_t>::min()), std::numeric_limits<std::int64_t>::min(), Sequence(0)};
  }
  [[nodiscard]] static constexpr ReadyPosition after_all() {
    return {Priority(std::numeric_limits<std::int32_t>::max()), std::numeric_limits<std::int64_t>::max(),
            Sequence(std::numeric_limits<std::uint64_t>::max())};
  }
};

/// Order of falling due, within the future jobs of one clock.
struct FuturePosition {
  std::int64_t due = 0;  // µs of that clock
  Sequence id;
  friend constexpr auto operator<=>(const FuturePosition&, const FuturePosition&) = default;

  [[nodiscard]] static constexpr FuturePosition before_all() {
    return {std::numeric_limits<std::int64_t>::min(), Sequence(0)};
  }
  /// Behind everything that is due at `due`.
  [[nodiscard]] static constexpr FuturePosition end_of(std::int64_t due) {
    return {due, Sequence(std::numeric_limits<std::uint64_t>::max())};
  }
  [[nodiscard]] static constexpr FuturePosition after_all() { return end_of(std::numeric_limits<std::int64_t>::max()); }
};

enum class FutureClock : std::uint8_t { wall, book };

template <class TimePoint>
[[nodiscard]] constexpr std::int64_t micros(TimePoint time) {
  return time.time_since_epoch().count();
}
[[nodiscard]] inline FutureClock clock_of(const Due& due) {
  return due.after ? FutureClock::book : FutureClock::wall;
}
[[nodiscard]] inline ReadyPosition ready_position(const Waiting& job) {
  return {job.priority, micros(job.due.at), job.id};
}
[[nodiscard]] inline FuturePosition future_position(const Waiting& job) {
  return {job.due.after ? micros(*job.due.after) : micros(job.due.at), job.id};
}

/// Where a child stands among those of one of its parents.
struct FamilyPosition {
  Sequence parent;
  Kinship kinship{};
  Sequence child;
  friend constexpr auto operator<=>(const FamilyPosition&, const FamilyPosition&) = default;
};

struct ByClaimOrder {
  using is_transparent = void;
  bool operator()(const Waiting& a, const Waiting& b) const { return ready_position(a) < ready_position(b); }
  bool operator()(const Waiting& a, const ReadyPosition& b) const { return ready_position(a) < b; }
  bool operator()(const ReadyPosition& a, const Waiting& b) const { return a < ready_position(b); }
};

struct ByDue {
  using is_transparent = void;
  bool operator()(const Waiting& a, const Waiting& b) const { return future_position(a) < future_position(b); }
  bool operator()(const Waiting& a, const FuturePosition& b) const { return future_position(a) < b; }
  bool operator()(const FuturePosition& a, const Waiting& b) const { return a < future_position(b); }
};

/// How far each order of future jobs was moved to the lanes on disk: a waiting job stands in `ready` exactly when its
/// position is not behind the frontier of its clock.
struct Frontiers {
  FuturePosition wall = FuturePosition::before_all();
  FuturePosition book = FuturePosition::before_all();
  friend bool operator==(const Frontiers&, const Frontiers&) = default;

  [[nodiscard]] FuturePosition& of(FutureClock clock) { return clock == FutureClock::wall ? wall : book; }
  [[nodiscard]] bool passed(const Waiting& job) const {
    return future_position(job) <= (clock_of(job.due) == FutureClock::wall ? wall : book);
  }
};

}  // namespace daybook
