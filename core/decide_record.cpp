// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "daybook/core/limits.hpp"
#include "draft.hpp"

// The record itself: what the log may hold, whether its clock is believed, what was saved of it and what was let go.

namespace daybook {

std::optional<Duration> doubtful_gap(const Book& book, Instant wall) {
  if (book.head == Sequence() || book.feature_level < 2) return std::nullopt;
  const Duration gap = wall - book.head_wall;
  const bool ahead = gap > limits::clock_ahead_max && !book.held;
  return gap < -limits::clock_back_max || ahead ? std::optional(gap) : std::nullopt;
}

Refused judge(Draft& draft, const ConfirmClock&) {
  if (draft.book().clock_doubted) draft.add(ClockConfirmed{});
  return std::nullopt;
}

Refused judge(Draft& draft, const RaiseFeatureLevel& command) {
  const std::uint32_t level = draft.book().feature_level;
  if (command.level < level || command.level > limits::feature_level_highest) {
    return Refusal{RefusalCode::invalid_argument, "feature level " + std::to_string(command.level) + ": the book has " +
                                                      std::to_string(level) +
                                                      ", which is never lowered, and this release knows levels up to " +
                                                      std::to_string(limits::feature_level_highest)};
  }
  if (command.level > level) draft.add(FeatureLevelRaised{level, command.level});
  return std::nullopt;
}

Refused judge(Draft& draft, const DoubtClock& command) {
  if (!draft.book().clock_doubted) draft.add(command.doubt);
  return std::nullopt;
}

Refused judge(Draft& draft, const RecordSnapshot& command) {
  const Sequence head = draft.book().head;
  Sequence latest = command.snapshot.sequence;
  for (const StateHashed& hashed : command.hashed) latest = std::max(latest, hashed.sequence);
  if (latest > head) {
    return Refusal{RefusalCode::invalid_argument, "a snapshot of sequence " + std::to_string(latest.value()) +
                                                      ": the book has seen events up to " +
                                                      std::to_string(head.value())};
  }
  for (const StateHashed& hashed : command.hashed) draft.add(hashed);
  draft.add(command.snapshot);
  return std::nullopt;
}

Refused judge(Draft& draft, const RecordDrop& command) {
  const Book& book = draft.book();
  const SegmentsDropped& asked = command.dropped;
  if (book.clock_doubted) {
    return Refusal{RefusalCode::clock_doubted,
                   "nothing is dropped while the clock is in doubt: by it events may seem old"};
  }
  if (asked.first != book.dropped_through.next() || asked.last < asked.first || asked.last > book.head) {
    return Refusal{RefusalCode::invalid_argument, "dropping events " + std::to_string(asked.first.value()) + " to " +
                                                      std::to_string(asked.last.value()) + ": the next to go is " +
                                                      std::to_string(book.dropped_through.next().value()) +
                                                      ", the last there is " + std::to_string(book.head.value())};
  }
  draft.add(asked);
  return std::nullopt;
}

}  // namespace daybook
