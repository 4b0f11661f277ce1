// SPDX-License-Identifier: Apache-2.0
#pragma once

// Answers to commands. They are made from the recorded events alone (and the jobs these name), so that a repeated
// request gets its first answer. The contents that a claim hands out are those of the job now: the same while the claim lives.

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "daybook/core/command.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

struct Scheduled {
  JobId job;
  bool existing = false;  // no job was added: this one holds the unique key
  bool replaced = false;  // … and it got the new contents
  friend bool operator==(const Scheduled&, const Scheduled&) = default;
};

/// A job in a worker's hands. Values, valid for ever; the right to finish ends with the lease.
struct ClaimedJob {
  JobId id;
  Token token;
  std::string queue;
  std::string kind;
  Envelope payload;
  Envelope progress;          // the checkpoint that an earlier attempt left
  std::uint32_t attempt = 0;  // from 1
  std::uint32_t attempts_allowed = 0;
  Priority priority;
  std::vector<Tag> tags;
  Instant due_at{};
  Duration lease{};
  Instant lease_expires_at{};      // by the wall clock as it stood
  BookTime lease_ends_at{};        // what counts
  std::string trace;               // of the job's scheduling
  std::vector<StepResult> steps;   // that earlier attempts recorded
  std::string group;               // empty: none
  std::string recurring;           // the recurring schedule that it is of; empty: none …
  std::optional<Instant> nominal;  // … and the instant of its occurrence
  std::vector<JobId> parents;      // that it waited for
  friend bool operator==(const ClaimedJob&, const ClaimedJob&) = default;
};

struct Claimed {
  std::vector<ClaimedJob> jobs;
  friend bool operator==(const Claimed&, const Claimed&) = default;
};

struct Renewed {
  struct One {
    JobId job;
    bool cancel_requested = false;  // stop, please
    BookTime lease_ends_at{};
    Instant lease_expires_at{};
    friend bool operator==(const One&, const One&) = default;
  };
  std::vector<Result<One>> claims;  // in the order asked
  friend bool operator==(const Renewed& a, const Renewed& b) { return a.claims == b.claims; }
};

struct StepDone {
  Envelope result;     // the one that counts
  bool first = false;  // it is the one that was given
  friend bool operator==(const StepDone&, const StepDone&) = default;
};

struct Done {
  bool changed = false;  // something was recorded; otherwise it was so already
  friend bool operator==(const Done&, const Done&) = default;
};

struct Declared {
  bool added = false;
  bool changed = false;  // neither: it was so
  friend bool operator==(const Declared&, const Declared&) = default;
};

struct Synced {
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
  std::size_t unchanged = 0;
  friend bool operator==(const Synced&, const Synced&) = default;
};

struct Backfilled {
  std::vector<JobId> jobs;
  friend bool operator==(const Backfilled&, const Backfilled&) = default;
};

/// The event that stands for what was asked.
struct Recorded {
  Sequence event;
  friend bool operator==(const Recorded&, const Recorded&) = default;
};

using Answer = std::variant<Done, Scheduled, Claimed, Renewed, StepDone, Recorded, Declared, Synced, Backfilled>;

/// The answer to `command` given the events that it led to. `view` is the state at or after these events. A refusal
/// on record (RequestRefused, OutcomeRefused, a rejected duplicate) is returned as that refusal.
[[nodiscard]] Result<Answer> answer(const Command& command, std::span<const RecordedEvent> events, const View& view);

/// The first answers to a repeated submission, from the events of its request (RequestRecord: `first` to `last`). A
/// request id that was used for other commands is refused as `invalid_argument`.
[[nodiscard]] Result<std::vector<Answer>> answers(const Submission& submission, std::span<const RecordedEvent> events,
                                                  const View& view);

}  // namespace daybook
