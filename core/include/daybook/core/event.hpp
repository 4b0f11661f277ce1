// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events: what happened, in the past tense. Everything that policy, time or chance contributed is in the event, so
// replay decides nothing. Adding a field raises the event's revision (log/event.capnp, docs/log_format.md).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daybook/core/deadline_events.hpp"
#include "daybook/core/dependencies.hpp"
#include "daybook/core/entities.hpp"
#include "daybook/core/envelope.hpp"
#include "daybook/core/hole_events.hpp"
#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/recurring_events.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/time.hpp"

namespace daybook {

// ---- the book -----------------------------------------------------------------------------------------------------

/// How the log was found by this opening.
enum class TailStatus : std::uint8_t { created = 0, clean = 1, unclean = 2, torn = 3 };
[[nodiscard]] std::string_view to_string(TailStatus status);

/// A writer opened the book. Carries what the following events of its epoch mean by boot time.
struct BookOpened {
  Epoch epoch;
  Uuid boot_id;
  Duration book_offset{};
  bool new_boot = false;  // the boot id differs from that of the opening before
  TailStatus tail{};
  std::uint64_t bytes_cut = 0;  // with `torn`: kept in quarantine
  std::string cut_sha256;       // with `torn`: 32 bytes
  std::uint32_t process = 0;    // pid, for people
  std::string host;
  std::string release;  // of Daybook
  friend bool operator==(const BookOpened&, const BookOpened&) = default;
};

struct BookClosed {
  friend bool operator==(const BookClosed&, const BookClosed&) = default;
};

/// The wall clock moved against boot time by more than a second since the event before. Begins an era.
struct ClockStepped {
  Duration by{};
  std::uint32_t era = 0;
  friend bool operator==(const ClockStepped&, const ClockStepped&) = default;
};

struct ConfigurationChanged {
  Setting setting;
  std::string before;  // empty: was not set
  friend bool operator==(const ConfigurationChanged&, const ConfigurationChanged&) = default;
};

struct NameDefined {
  Name name;
  friend bool operator==(const NameDefined&, const NameDefined&) = default;
};

/// A history begins: a new book, or a copy. A copy is held until somebody adopts it.
struct GenerationBegun {
  Generation generation;
  bool held = false;
  Uuid copied_from;              // the log it was made from; zero: none
  std::uint64_t nonce_salt = 0;  // keeps nonces of sealed contents apart from those of other generations
  friend bool operator==(const GenerationBegun&, const GenerationBegun&) = default;
};

struct BookAdopted {
  friend bool operator==(const BookAdopted&, const BookAdopted&) = default;
};

/// From here on the log may hold what `after` knows, and releases that only know `before` refuse the book.
struct FeatureLevelRaised {
  std::uint32_t before = 0;
  std::uint32_t after = 0;
  friend bool operator==(const FeatureLevelRaised&, const FeatureLevelRaised&) = default;
};

/// The wall clock of this opening does not fit the last event's: nothing is claimed until somebody confirms it.
struct ClockDoubted {
  Instant last_wall{};  // of the event before the opening
  Duration by{};        // from there to the clock of the opening; negative: it went back
  friend bool operator==(const ClockDoubted&, const ClockDoubted&) = default;
};

struct ClockConfirmed {
  friend bool operator==(const ClockConfirmed&, const ClockConfirmed&) = default;
};

/// The state behind the event `sequence` was written to a snapshot, read back and found the same.
struct SnapshotTaken {
  Sequence sequence;
  std::string state_hash;   // 32 bytes
  std::string file_sha256;  // 32 bytes
  std::uint64_t jobs = 0;
  friend bool operator==(const SnapshotTaken&, const SnapshotTaken&) = default;
};

/// The state behind the event `sequence` had this hash (`state_hash`), as the release that wrote this event folded it.
struct StateHashed {
  Sequence sequence;
  std::string state_hash;  // 32 bytes
  friend bool operator==(const StateHashed&, const StateHashed&) = default;
};

/// These events can no longer be looked into: their segments make room. Recorded before the files go.
struct SegmentsDropped {
  Sequence first;
  Sequence last;
  friend bool operator==(const SegmentsDropped&, const SegmentsDropped&) = default;
};

// ---- queues and workers -------------------------------------------------------------------------------------------

struct QueuePaused {
  NameId queue;
  friend bool operator==(const QueuePaused&, const QueuePaused&) = default;
};

struct QueueResumed {
  NameId queue;
  friend bool operator==(const QueueResumed&, const QueueResumed&) = default;
};

/// All limits of a queue as they are from here on.
struct LimitsSet {
  NameId queue;
  QueueLimits limits;
  friend bool operator==(const LimitsSet&, const LimitsSet&) = default;
};

struct WeightSet {
  NameId queue;
  NameId group;
  std::uint32_t weight = 1;
  friend bool operator==(const WeightSet&, const WeightSet&) = default;
};

struct WorkerJoined {
  Worker worker;
  friend bool operator==(const WorkerJoined&, const WorkerJoined&) = default;
};

enum class LeaveReason : std::uint8_t { stopped = 0, process_died = 1 };
[[nodiscard]] std::string_view to_string(LeaveReason reason);

struct WorkerLeft {
  NameId worker;
  LeaveReason reason{};
  friend bool operator==(const WorkerLeft&, const WorkerLeft&) = default;
};

// ---- jobs ---------------------------------------------------------------------------------------------------------

/// The job's id is this event's own sequence, with the tag of the book's generation.
struct JobScheduled {
  std::shared_ptr<const JobSpec> spec;  // never null
  GenerationTag generation;
  Due due;
  std::optional<BookTime> unique_until = {};  // holds its unique key no longer than this
  std::optional<Due> due_latest = {};         // a debounce pushes its due time no further
  std::optional<JobId> key_from = {};         // this job runs, or held the key long enough: it hands the key over
  Sequence awaits = {};                       // the parent whose end is looked at first; 0: it waits for none
  friend bool operator==(const JobScheduled& a, const JobScheduled& b);
};

/// What to do when another job holds the unique key: conflict.hpp has the table.
enum class OnConflict : std::uint8_t {
  reject = 0,           // duplicate_key
  return_existing = 1,  // nothing new; the answer names the holder
  replace = 2,          // the holder gets the new contents and due time
  debounce = 3,         // … the new contents, and its due time is pushed back, up to a maximum
  throttle = 4,         // … the new contents, and keeps its due time
};
[[nodiscard]] std::string_view to_string(OnConflict on_conflict);

/// A job was not scheduled because `holder` has its unique key.
struct DuplicateSuppressed {
  JobId holder;
  NameId kind;  // of the job that was not scheduled
  OnConflict answer{};
  friend bool operator==(const DuplicateSuppressed&, const DuplicateSuppressed&) = default;
};

/// The job that holds the unique key got new contents, and a fresh round of attempts.
struct JobReplaced {
  JobId job;
  std::shared_ptr<const JobSpec> spec;  // never null; queue and unique key are the job's own
  Due due;
  std::optional<Due> due_latest;
  std::uint32_t attempts_allowed = 0;
  OnConflict policy{};
  friend bool operator==(const JobReplaced& a, const JobReplaced& b);
};

/// The fencing token is this event's own sequence, with `generation`.
struct JobClaimed {
  JobId job;
  std::uint32_t attempt = 0;
  NameId worker;
  Holder holder{};
  GenerationTag generation;
  Duration lease{};
  BookTime lease_ends_at{};
  Instant lease_ends_at_wall{};
  // What the claim leaves of turns and rates; unset: as it was.
  std::optional<std::uint32_t> turn_left = {};  // the turn is the job's group's, and has so many more starts
  std::optional<Bucket> queue_bucket = {};
  std::optional<Bucket> group_bucket = {};
  friend bool operator==(const JobClaimed&, const JobClaimed&) = default;
};

struct Renewal {
  JobId job;
  Token token;
  BookTime lease_ends_at{};
  Instant lease_ends_at_wall{};
  std::optional<Envelope> progress;  // unset: keep the checkpoint there is
  friend bool operator==(const Renewal&, const Renewal&) = default;
};

enum class RenewReason : std::uint8_t { heartbeat = 0, new_boot = 1 };
[[nodiscard]] std::string_view to_string(RenewReason reason);

/// One event for all claims of one heartbeat.
struct LeasesRenewed {
  Duration lease{};
  RenewReason reason{};
  std::vector<Renewal> renewals;  // never empty
  friend bool operator==(const LeasesRenewed&, const LeasesRenewed&) = default;
};

struct JobCompleted {
  JobId job;
  Token token;
  std::uint32_t attempt = 0;
  Envelope result;
  std::optional<Instant> result_until = {};  // kept until then; unset: as long as the job
  friend bool operator==(const JobCompleted&, const JobCompleted&) = default;
};

/// What follows when an attempt ends without success.
struct Again {  // waits until due
  Due due;
  friend bool operator==(const Again&, const Again&) = default;
};
struct Dead {
  DeadReason reason{};
  friend bool operator==(const Dead&, const Dead&) = default;
};
struct Cancelled {  // a cancellation had been asked for
  friend bool operator==(const Cancelled&, const Cancelled&) = default;
};
using Next = std::variant<Again, Dead, Cancelled>;

struct AttemptFailed {
  JobId job;
  Token token;
  std::uint32_t attempt = 0;
  Envelope error;
  NameId error_kind;      // 0: none given
  bool retryable = true;  // as the worker said
  Next next;
  friend bool operator==(const AttemptFailed&, const AttemptFailed&) = default;
};

enum class ExpiryReason : std::uint8_t {
  expired = 0,          // book time reached the end of the lease
  process_died = 1,     // a handler's claim, found by the opening after an unclean end
  another_history = 2,  // the claim was granted before this copy of the book
};
[[nodiscard]] std::string_view to_string(ExpiryReason reason);

struct LeaseExpired {
  JobId job;
  Token token;
  std::uint32_t attempt = 0;
  ExpiryReason reason{};
  Next next;
  friend bool operator==(const LeaseExpired&, const LeaseExpired&) = default;
};

/// The worker asks for another time; the attempt does not count.
struct JobSnoozed {
  JobId job;
  Token token;
  Next next;  // Again or Cancelled
  friend bool operator==(const JobSnoozed&, const JobSnoozed&) = default;
};

/// The worker hands the job back, to run at once; the attempt does not count.
struct JobReleased {
  JobId job;
  Token token;
  Next next;  // Again or Cancelled
  friend bool operator==(const JobReleased&, const JobReleased&) = default;
};

/// The job runs; its worker is told to stop.
struct CancelRequested {
  JobId job;
  friend bool operator==(const CancelRequested&, const CancelRequested&) = default;
};

/// The job waited; it will not run.
struct JobCancelled {
  JobId job;
  friend bool operator==(const JobCancelled&, const JobCancelled&) = default;
};

struct JobRescheduled {
  JobId job;
  Due due;
  friend bool operator==(const JobRescheduled&, const JobRescheduled&) = default;
};

/// A dead job gets a fresh round of attempts, by hand.
struct JobRetried {
  JobId job;
  Due due;
  std::uint32_t attempts_allowed = 0;
  friend bool operator==(const JobRetried&, const JobRetried&) = default;
};

/// What became of the job in a gap of the record is not known: it waits for an operator.
struct JobMarkedUncertain {
  JobId job;
  std::string why;
  friend bool operator==(const JobMarkedUncertain&, const JobMarkedUncertain&) = default;
};

/// A step of the running attempt has its result, for all attempts to come.
struct StepRecorded {
  JobId job;
  Token token;
  StepResult step;
  friend bool operator==(const StepRecorded&, const StepRecorded&) = default;
};

// ---- what is let go -------------------------------------------------------------------------------------------------

/// These results are kept no longer; the jobs are, and the record of the completion is.
struct ResultsForgotten {
  std::vector<JobId> jobs;  // never empty
  friend bool operator==(const ResultsForgotten&, const ResultsForgotten&) = default;
};

struct PrunedJob {
  JobId job;
  JobState state{};  // a final one
  Instant finalized_at{};
  Sequence last_event;  // its history ends there
  friend bool operator==(const PrunedJob&, const PrunedJob&) = default;
};

/// These final jobs are no longer part of the state. Their history stays in the log.
struct JobsPruned {
  std::vector<PrunedJob> jobs;  // never empty
  friend bool operator==(const JobsPruned&, const JobsPruned&) = default;
};

/// By hand, to a queue that need not exist yet. The job keeps its id, its due time and its attempts.
struct JobMoved {
  JobId job;
  NameId queue;
  friend bool operator==(const JobMoved&, const JobMoved&) = default;
};

// ---- operators' commands about many jobs --------------------------------------------------------------------------

enum class OperatorVerb : std::uint8_t { retry = 0, cancel = 1, reschedule = 2, move = 3 };
[[nodiscard]] std::string_view to_string(OperatorVerb verb);

/// Somebody asked for a change of all jobs that a filter matches. The changes follow as events of their own, which name this one
/// as their cause; fewer than `matched`, where jobs went on meanwhile or the asker stopped.
struct OperatorCommanded {
  OperatorVerb verb{};
  std::string filter;  // a Filter's text
  std::uint64_t matched = 0;
  std::optional<Due> due;  // of retry and reschedule
  NameId queue;            // of move; 0: none
  friend bool operator==(const OperatorCommanded&, const OperatorCommanded&) = default;
};

/// The hold's id is this event's own sequence.
struct HoldPlaced {
  std::string filter;  // a Filter's text
  friend bool operator==(const HoldPlaced&, const HoldPlaced&) = default;
};

struct HoldLifted {
  Sequence hold;
  friend bool operator==(const HoldLifted&, const HoldLifted&) = default;
};

// ---- refusals that are on record ----------------------------------------------------------------------------------

enum class OutcomeKind : std::uint8_t { complete = 0, fail = 1, renew = 2, snooze = 3, release = 4, step = 5 };
[[nodiscard]] std::string_view to_string(OutcomeKind kind);

/// A worker without the claim tried to speak for it. Once per (job, token, reason); repetitions are counted, not recorded.
struct OutcomeRefused {
  JobId job;
  Token token;
  OutcomeKind outcome{};
  RefusalCode reason{};
  friend bool operator==(const OutcomeRefused&, const OutcomeRefused&) = default;
};

/// A request that carries an id was refused: its repetition must get the same answer.
struct RequestRefused {
  Refusal refusal;
  friend bool operator==(const RequestRefused&, const RequestRefused&) = default;
};

/// The alternatives' order is not the wire's: see event.capnp.
using Event = std::variant<
    BookOpened, BookClosed, ClockStepped, ConfigurationChanged, NameDefined, GenerationBegun, BookAdopted, QueuePaused,
    QueueResumed, WorkerJoined, WorkerLeft, JobScheduled, DuplicateSuppressed, JobClaimed, LeasesRenewed, JobCompleted,
    AttemptFailed, LeaseExpired, JobSnoozed, JobReleased, CancelRequested, JobCancelled, JobRescheduled, JobRetried,
    OutcomeRefused, RequestRefused, FeatureLevelRaised, ClockDoubted, ClockConfirmed, SnapshotTaken, StateHashed,
    SegmentsDropped, JobMarkedUncertain, GapDeclared, EventLost, EventSetAside, JobReplaced, StepRecorded,
    ResultsForgotten, JobsPruned, LimitsSet, WeightSet, JobMoved, OperatorCommanded, HoldPlaced, HoldLifted, JobExpired,
    JobTimedOut, ChildFreed, ChildDropped, ChildAwaits, OnDeadSet, RecurringDeclared, RecurringFired, RecurringSkipped,
    RecurringBuffered, RecurringPaused, RecurringResumed, RecurringRemoved, RecurringReplanned, RecurringBackfilled>;

/// "JobScheduled": stable, part of `--json`.
[[nodiscard]] std::string_view type_name(const Event& event);
[[nodiscard]] std::vector<std::string_view> all_event_type_names();

/// An event that releases of feature level 1 know, but with something in it that they do not: on disk it has revision 2.
[[nodiscard]] bool uses_level_2(const Event& event);

/// The lowest feature level of a book in which the event may stand.
[[nodiscard]] std::uint32_t feature_level_of(const Event& event);

/// The jobs that an event touches, in order. (A JobScheduled touches the job of its own sequence, and the one that hands it the key.)
[[nodiscard]] std::vector<Sequence> jobs_of(Sequence sequence, const Event& event);

// ---- who, why, when -----------------------------------------------------------------------------------------------

/// How the actor's name is known.
enum class ActorOrigin : std::uint8_t { declared = 0, peer_credential = 1, token = 2 };
[[nodiscard]] std::string_view to_string(ActorOrigin origin);

struct Provenance {
  NameId actor;
  ActorOrigin origin{};
  Sequence cause;      // the event that led to this one; 0: none named
  std::string reason;  // given by an operator; may be empty
  std::string trace;   // W3C traceparent; may be empty
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

struct RequestRef {
  NameId client;
  std::string id;
  std::uint16_t command = 0;  // index within the request's batch
  friend bool operator==(const RequestRef&, const RequestRef&) = default;
};

/// An event as it stands in the log. Times are raw: order is `sequence`.
struct RecordedEvent {
  Sequence sequence;
  Epoch epoch;
  Instant wall{};
  BootTime boot{};
  Provenance by;
  std::optional<RequestRef> request;
  Event event;
  friend bool operator==(const RecordedEvent&, const RecordedEvent&) = default;
};

}  // namespace daybook
