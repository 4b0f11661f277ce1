// SPDX-License-Identifier: Apache-2.0
#pragma once

// The entities beside the job. All are values; only `apply` makes new ones.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/rate.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

/// Names of different sorts do not share ids' meaning, but share one counter.
enum class NameSort : std::uint8_t {
  queue = 1,
  kind = 2,
  worker = 3,
  actor = 4,
  error_kind = 5,
  client = 6,
  group = 7,
  recurring = 8
};
[[nodiscard]] std::string_view to_string(NameSort sort);

struct Name {
  NameId id;
  NameSort sort{};
  std::string text;
  friend bool operator==(const Name&, const Name&) = default;
};

/// What may run at once and start in a time, of a queue. 0, and an empty rate: no limit. Those per group hold for every
/// group by itself; jobs without a group are under none of them.
struct QueueLimits {
  std::uint32_t running = 0;
  std::uint32_t running_per_group = 0;
  Rate rate = {};
  Rate rate_per_group = {};
  friend bool operator==(const QueueLimits&, const QueueLimits&) = default;
};

/// Whose turn it is among the groups of a queue, and how many more starts the turn has. Turns go round by the groups' ids.
struct Turn {
  NameId group;
  std::uint32_t left = 0;
  friend bool operator==(const Turn&, const Turn&) = default;
};

/// Exists from the first job scheduled in it, or the first time somebody pauses or limits it, or says what it schedules for a dead job.
struct Queue {
  NameId id;
  bool paused = false;
  QueueLimits limits = {};
  Turn turn = {};
  std::optional<Bucket> bucket = {};  // of limits.rate; unset: full
  std::optional<OnDead> on_dead = {};
  friend bool operator==(const Queue&, const Queue&) = default;
};

/// A group of jobs in a queue. Exists only while it has something to say: another weight than 1, or a bucket that was not full
/// when it was last looked at.
struct Group {
  NameId queue;
  NameId id;
  std::uint32_t weight = 1;           // starts in a turn
  std::optional<Bucket> bucket = {};  // of the queue's limits.rate_per_group; unset: full
  friend bool operator==(const Group&, const Group&) = default;
};

/// A worker that joined and has not left. Claiming does not need joining; the record of who was there does.
struct Worker {
  NameId id;
  Holder holder = Holder::external;
  std::uint32_t slots = 0;
  std::vector<NameId> queues;
  std::vector<NameId> kinds;  // empty: any
  Instant joined_at{};
  Epoch epoch;  // of the opening it joined in
  friend bool operator==(const Worker&, const Worker&) = default;
};

/// What a request id led to: the events recorded for it, from which its first answer is made again.
struct RequestRecord {
  NameId client;
  std::string id;
  Sequence first;  // of its events
  Sequence last;
  BookTime recorded_at{};
  friend bool operator==(const RequestRecord&, const RequestRecord&) = default;
};

/// A setting that is on record, so that a change of configuration explains a change of behaviour.
struct Setting {
  std::string key;
  std::string value;
  friend bool operator==(const Setting&, const Setting&) = default;
};

/// Keeps what it matches from being pruned until somebody lifts it.
struct Hold {
  Sequence id;         // of the event that placed it
  std::string filter;  // a Filter's text
  std::string reason;
  NameId actor;
  Instant placed_at{};
  friend bool operator==(const Hold&, const Hold&) = default;
};

/// A history: the first is 1; each copy that is adopted or replayed begins the next.
struct Generation {
  std::uint32_t number = 0;
  GenerationTag tag;
  friend bool operator==(const Generation&, const Generation&) = default;
};

/// The book itself. One per store; changed by every event (its head moves).
struct Book {
  Sequence head;        // the last event; 0: none yet
  Instant head_wall{};  // raw times of that event
  BootTime head_boot{};
  Epoch epoch;              // of the last opening
  Uuid boot_id;             // the boot that `boot` times of this epoch belong to
  Duration book_offset{};   // book time = boot time + this, within this boot
  bool open = false;        // opened and not closed: after a crash it still says so
  std::uint32_t era = 0;    // raised by every clock step and by every new boot
  std::uint32_t names = 0;  // interned so far: the next id is one more
  Generation generation;
  bool held = false;                // a copy that nobody adopted: nothing can be claimed or changed
  std::uint32_t feature_level = 1;  // what the log may hold; raised by an upgrade, never lowered
  bool clock_doubted = false;       // nothing is claimed until somebody confirms the clock
  Sequence dropped_through;         // events up to here can no longer be looked into; 0: all can
  Sequence lost_through;            // the last gap that was declared ends here; 0: there is none
  friend bool operator==(const Book&, const Book&) = default;

  [[nodiscard]] BookTime book_time(BootTime boot) const { return BookTime(boot.time_since_epoch() + book_offset); }
};

}  // namespace daybook
