// SPDX-License-Identifier: Apache-2.0
#pragma once

// Replay: from events back to state. One way only, through `apply`, so that a restart, a rebuild and a look into the
// past cannot disagree. Runs our events, never user code. Reads only what was synced.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/core/state.hpp"
#include "daybook/core/view.hpp"
#include "daybook/log/journal.hpp"
#include "daybook/log/log_reader.hpp"

namespace daybook {

/// Hands on events from a sequence until `visit` returns false: `Journal::read` and `LogReader::read` in one shape.
using ReadEvents = std::function<void(Sequence from, const std::function<bool(const RecordedEvent&)>& visit)>;
[[nodiscard]] ReadEvents events_of(Journal& journal);
[[nodiscard]] ReadEvents events_of(const LogReader& reader);

/// The chain hash after the batch that ends with a sequence; nothing when no batch ends there. `LogReader::chain_at`.
using ChainAt = std::function<std::optional<Hash>(Sequence)>;

/// Where folding may begin: a state after some of the first `until` events, which need not be folded then. Unset: with the first
/// event. snapshot.hpp makes one from the snapshots.
using StartAt = std::function<State(Sequence until)>;

/// Called now and then during long work with the last sequence done.
using Progress = std::function<void(Sequence done)>;

/// Applies what `store` has not seen, up to and including `until`. Returns the store's head, which is lower when the events
/// end sooner. Throws CorruptionError.
Sequence catch_up(Store& store, const ReadEvents& read, Sequence until, const Progress& progress = {});

/// The state after the first `until` events. Throws CorruptionError, also when there are fewer; and, when it begins with the first event,
/// where it meets the hash of a state that it passed and that was another (`drifted_state`).
[[nodiscard]] State rebuild(const ReadEvents& read, Sequence until, const Progress& progress = {},
                            const StartAt& start = {});

/// The same, held against all hashes on record, those of snapshots as well. Returns how many were compared: not those of states that
/// the fold did not pass, nor of what stands behind a hole. Reads the events twice, from `first_readable` on.
[[nodiscard]] std::uint64_t verify_states(const ReadEvents& read, Sequence first_readable, Sequence until,
                                          const Progress& progress = {}, const StartAt& start = {});

/// A point in the past, as a person names it.
using Point = std::variant<Sequence, Instant>;
/// A number is a sequence; anything else must be RFC 3339.
[[nodiscard]] Result<Point> parse_point(std::string_view text);

/// Which sequence an instant means. Within an era (a stretch without clock steps) that is the last event at or before it. When
/// the wall clock stepped back the same instant may lie in several eras: the latest is taken and `ambiguous` names the others.
/// A sequence past the head means the head. Reads the log once.
struct Resolved {
  Sequence sequence;  // 0: before the first event
  Moment moment;  // of that point: the instant asked for, with boot and book time to match, or the times of the event
  std::string ambiguous;  // empty, or a sentence for people
};
[[nodiscard]] Resolved resolve(const ReadEvents& read, Sequence head, const Point& point);

/// The book as it was. Derived phases are those of `resolved.moment`.
struct Past {
  State state;
  Resolved resolved;
};
/// Throws CorruptionError. A sequence past the head is an `invalid_argument` refusal that names the head.
[[nodiscard]] Result<Past> as_of(const ReadEvents& read, Sequence head, const Point& point, const StartAt& start = {});

/// All events that touched the job, oldest first; empty when there is no such job. Reads the log from the job's beginning, or from
/// `first_readable` when that is later: then it is what is left, and the beginning was dropped.
[[nodiscard]] std::vector<RecordedEvent> history(const ReadEvents& read, Sequence job,
                                                 Sequence first_readable = Sequence(1));

/// How a job was let go, by its history.
struct LetGo {
  PrunedJob job;
  Sequence event;  // the JobsPruned
  Instant at{};    // of it
};
/// Nothing: it was not, or `id` is of another generation.
[[nodiscard]] std::optional<LetGo> let_go_in(const std::vector<RecordedEvent>& history, const JobId& id);

/// Why the state does not know a job, as far as the log still tells.
struct Absence {
  Refusal refusal;                     // pruned, another_history, or no_such_job, and the sentence
  std::optional<LetGo> let_go;         // pruned
  std::vector<RecordedEvent> history;  // pruned: what is left of it
  bool untold =
      false;  // no_such_job, but the event that would tell whether it ever was a job was dropped, or lost in a hole
};
/// `book` is that of the state. Reads the log from the id's sequence on. Throws CorruptionError.
[[nodiscard]] Absence why_absent(const ReadEvents& read, const JobId& id, const Book& book, Sequence first_readable);

/// Writes the first `until` events of a log (all, when there are fewer) into a new one in `out` (an empty directory, locked by
/// the caller), followed by the beginning of a new generation that is held. The copy runs nothing until somebody adopts it.
/// Returns its head. Cut short at any point, it leaves no log that could be opened and is not held. Throws StorageError; a
/// CorruptionError when the log it reads is damaged.
Head copy_log(const LogReader& from, Sequence until, Storage& out, Clock& clock, Random& random,
              const Progress& progress = {});

}  // namespace daybook
