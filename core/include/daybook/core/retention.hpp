// SPDX-License-Identifier: Apache-2.0
#pragma once

// Retention: how long final jobs and results stay part of the state. The policy is on record, as settings of the book, so that
// every process that opens it applies the same. What is pruned stays in the log as long as its segments do. docs/retention.md.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/entities.hpp"
#include "daybook/core/holds.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

struct Retention {
  struct Rule {
    std::optional<Duration> age;         // since the job became final; unset: for ever
    std::optional<std::uint64_t> count;  // the newest so many are kept; unset: however many
    friend bool operator==(const Rule&, const Rule&) = default;
  };
  Rule completed{std::chrono::hours(24 * 7), {}};
  Rule cancelled{std::chrono::hours(24 * 7), {}};
  Rule dead{std::chrono::hours(24 * 180), {}};
  std::optional<Duration> results = std::chrono::hours(24);  // since the completion; unset: as long as the job

  [[nodiscard]] const Rule& of(Shelf shelf) const;  // not for results
  friend bool operator==(const Retention&, const Retention&) = default;
};

/// The policy on record; the defaults where nothing is.
[[nodiscard]] Retention retention_of(const View& view);

/// As settings: "retention.completed.age" = "7d" or "never", "retention.completed.count" = "1000" or "any", likewise cancelled and
/// dead; "retention.results" = "24h" or "never".
[[nodiscard]] std::vector<Setting> settings_of(const Retention& retention);

/// Refuses a value that a "retention." setting cannot have, and a name among them that means nothing. Others pass.
[[nodiscard]] std::optional<Refusal> check_retention_setting(const Setting& setting);

/// How far a pass over the shelves has come.
struct PruneProgress {
  std::array<std::optional<ShelfPosition>, shelves> behind;
  std::array<std::uint64_t, shelves> stayed{};  // of those that it came past: they are held
};

struct PrunePlan {
  std::vector<Sequence> jobs;
  std::vector<Sequence> results;
  PruneProgress progress;  // where the next part of the pass goes on
  bool done = true;        // the pass is over
  std::optional<Instant>
      again_at;  // of a pass that is over: when the next thing will be too old; unset: nothing is waiting for that
};

/// The next part of a pass: at most `limit` jobs and results that the policy lets go at `now`, what is held left out.
[[nodiscard]] PrunePlan plan_prune(const View& view, const Moment& now, const Retention& retention,
                                   const PruneProgress& progress, std::size_t limit);

/// May this job be forgotten, whatever its age? Not before it is final and all jobs are that have it as a parent, and not
/// while one of the holds that stand matches it. Likewise its result.
[[nodiscard]] bool may_be_pruned(const Job& job, const Holds& holds, const View& view, const Moment& now);

}  // namespace daybook
