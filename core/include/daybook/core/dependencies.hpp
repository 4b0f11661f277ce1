// SPDX-License-Identifier: Apache-2.0
#pragma once

// Jobs that wait for other jobs, their parents (docs/dependencies.md), and what a queue schedules when a job of it dies. The events
// here are part of event.hpp.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "daybook/core/ids.hpp"

namespace daybook {

/// What a job asks of its parents, once all of them are final.
enum class RunWhen : std::uint8_t {
  succeeded = 0,  // all are completed
  failed = 1,     // one at least is dead or cancelled
  always = 2,
};
/// What becomes of a job whose parents ended otherwise than it asked for.
enum class Otherwise : std::uint8_t {
  fail = 0,    // dead, reason parent_failed
  cancel = 1,  // cancelled
};
[[nodiscard]] std::string_view to_string(RunWhen run_when);
[[nodiscard]] std::string_view to_string(Otherwise otherwise);

/// The job of another command of the same batch, by its index from 0: a Schedule that comes before.
struct BatchParent {
  std::size_t command = 0;
  friend bool operator==(const BatchParent&, const BatchParent&) = default;
};
using Parent = std::variant<JobId, BatchParent>;

/// The part of a job's spec that says for whom it waits. Without parents the rest means nothing and is as here.
struct Dependencies {
  std::vector<JobId> parents = {};  // each once; all were scheduled before the job, so there is no cycle
  RunWhen run_when = RunWhen::succeeded;
  Otherwise otherwise = Otherwise::fail;
  bool on_dead = false;  // its queue asked for it when its one parent died: its own death brings about no other
  friend bool operator==(const Dependencies&, const Dependencies&) = default;
};

/// What a queue schedules when a job of it dies.
struct OnDead {
  NameId kind;
  NameId queue;
  friend bool operator==(const OnDead&, const OnDead&) = default;
};

// ---- events --------------------------------------------------------------------------------------------------------

/// All parents are final, and as the job asked for: it waits for its due time.
struct ChildFreed {
  JobId job;
  JobId parent;  // the one whose end was awaited last
  friend bool operator==(const ChildFreed&, const ChildFreed&) = default;
};

/// All parents are final, and not as the job asked for: it is dead, reason parent_failed, or cancelled.
struct ChildDropped {
  JobId job;
  JobId parent;  // the one whose end was awaited last
  bool cancelled = false;
  friend bool operator==(const ChildDropped&, const ChildDropped&) = default;
};

/// A parent is not final yet: the job awaits the end of that one, and the others are looked at when it has come.
struct ChildAwaits {
  JobId job;
  JobId next;
  friend bool operator==(const ChildAwaits&, const ChildAwaits&) = default;
};

/// What the queue schedules from here on when a job of it dies. Unset: nothing.
struct OnDeadSet {
  NameId queue;
  std::optional<OnDead> on_dead;
  friend bool operator==(const OnDeadSet&, const OnDeadSet&) = default;
};

}  // namespace daybook
