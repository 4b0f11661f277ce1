// SPDX-License-Identifier: Apache-2.0
#pragma once

// Daybook: an embedded, event-sourced job scheduler.
//
//   auto book = daybook::Daybook::open("var/mail.daybook");
//   auto id = book.schedule({.queue = "mail", .kind = "welcome", .payload = "ada@example.org"});
//
// What it promises
//   · An answer is given only when everything it rests on is synced to the disk. What was acknowledged survives any
//     crash of the process and of the machine, as long as the disk keeps what it synced.
//   · A handler may run more than once; its outcome is recorded once. Use the job's id as the idempotency key for what
//     the handler does to the world outside.
//   · Nothing is claimed before it is due. Order is priority (lower first), then due time, then id.
//   · The past stays readable: every change is an event with its time, actor and cause.
//
// Threads: every member may be called from any thread at any time. Callers that wait at the same time share one sync.
// Lifetime: a Daybook must outlive the work loops made from it. Values it returns are yours for ever.
// Refusals are values (Result<T>, refusal.hpp). StorageError and CorruptionError (error.hpp) are exceptions: after one from a
// write the book is poisoned, every further call throws, and the outcome of the calls in flight is unknown until the
// book is opened again (a request id settles it).
// Processes: one has a book open, once; a second opening waits a moment, then is told who, by whatever path it comes. The lock ends with
// the process. In a child made by fork() a handle from before is closed: calls are refused or throw, touching nothing, and destructors
// forget; the child may open books of its own. (fork() is noticed, a bare clone() is not.)
// File systems: a local one. Network file systems (NFS, SMB, 9P, Ceph and their like) and FUSE, behind which there may be one,
// are refused for writing: neither their locks nor their syncs can be relied on. Options::allow_network takes the risk.

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daybook/core/answer.hpp"
#include "daybook/core/command.hpp"
#include "daybook/core/decide.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/filter.hpp"
#include "daybook/core/job_info.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/core/refusal.hpp"
#include "daybook/core/retention.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/undeclared.hpp"
#include "daybook/log/journal.hpp"
#include "daybook/metrics.hpp"
#include "daybook/operate.hpp"
#include "daybook/recurring.hpp"
#include "daybook/scheduler/keeper.hpp"
#include "daybook/subscription.hpp"
#include "daybook/work.hpp"

namespace daybook {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct Options {
  bool create = true;                                // make the book when the directory is empty or missing
  Duration owner_wait = limits::owner_wait_default;  // how long to wait for another process to let go
  std::string actor = "service";                     // who does what is done through this handle …
  ActorOrigin actor_origin = ActorOrigin::declared;  // … and how that is known
  Bounds bounds = {};                                // payload and batch sizes
  // What a book that is made here may hold: lower, and an older release can open it. An existing one keeps what it has.
  std::uint32_t feature_level = limits::feature_level_highest;
  bool allow_network = false;                   // a directory on a network file system, at your own risk
  ClockPolicy clock_policy = ClockPolicy::ask;  // when the clock does not fit the book's last event
  std::string purpose = {};                     // shown to others that find the book held; "" is the program's name
  // What the book has to say; called from any thread. Keep it short, and call nothing of the book in it. Unset: silent.
  std::function<void(LogLevel, const std::string&)> log = {};
  // `log` is also told of each event that people look for (a lost lease, a dead job, a step of the clock …), in key=value form, once it is
  // durable: docs/observability.md. On a thread of its own.
  bool log_events = false;
  bool metrics = true;             // count for Daybook::metrics()
  SnapshotOptions snapshots = {};  // when one is taken by itself …
  SegmentOptions segments = {};    // … and what becomes of the segments before it; in a book of feature level 2
  // How long final jobs and results are kept, put on record if it differs. Unset: as the record says, or the defaults of retention.hpp.
  std::optional<Retention> retention = {};
  // Ports, for tests and simulation; null: the operating system's. They must outlive the book.
  Clock* clock = nullptr;
  Random* random = nullptr;
  Waiter* waiter = nullptr;
  const Zones* zones = nullptr;  // in which schedules recur
  // The book starts no thread: whoever calls Daybook::drive() does the work of all of them. For tests (docs/testing_your_jobs.md),
  // and for programs with an event loop of their own.
  bool driven = false;
};

/// What opening found, for people and monitoring.
struct OpeningReport {
  TailStatus tail{};
  Sequence opened;  // the first event of this opening
  Sequence head;    // the last event, the opening included
  Epoch epoch;
  std::uint64_t bytes_cut = 0;  // with `torn`
  std::string quarantine;       // the file that keeps them; "" when the disk had no room for it
  std::uint64_t events_replayed = 0;
  bool index_rebuilt = false;
  Sequence snapshot;               // then: of the snapshot it began from; 0: from the first event
  std::string index_note;          // why, when it was
  std::uint32_t claims_ended = 0;  // of handlers of the process that died
  bool held = false;               // a copy: nothing runs until it is adopted
  bool clock_doubted = false;      // nothing is claimed until the clock is confirmed
  std::string note;                // one line for a log
};

struct Stat {
  struct Row {
    std::string queue;
    bool paused = false;
    std::uint64_t waiting = 0, running = 0, completed = 0, cancelled = 0, dead = 0, uncertain = 0;
    QueueLimits limits = {};
  };
  std::vector<Row> queues;  // by name
  Sequence head;
  Epoch epoch;
  bool held = false;
  std::uint32_t feature_level = 0;
  bool clock_doubted = false;
  Journal::Costs costs;                // of this opening
  std::uint64_t refusals_counted = 0;  // repeated stale outcomes of this opening that are not on record again
};

/// A snapshot that was taken, read back and verified.
struct SnapshotReport {
  Sequence sequence;  // of the last event in it
  std::uint64_t bytes = 0;
  std::uint64_t jobs = 0;
  std::uint64_t events_folded = 0;  // since the one before
  bool existed = false;             // nothing had happened since it was taken
  Hash state_hash{};
  Hash file_sha256{};
};

class Daybook {
 public:
  /// Opens or makes the book in `directory` (made with mode 0700; files 0600 whatever the umask). Recovers, catches up, records
  /// the opening. Throws StorageError (missing, read-only, on a network file system, held by another process or by this one,
  /// which is named), CorruptionError (damage; nothing was changed).
  [[nodiscard]] static Daybook open(const std::filesystem::path& directory, Options options = {});
  /// On storage of the caller's own, which must outlive the book; daybook/testing/ has one without a disk. There is no index: the
  /// entities stay in memory, and every opening reads the log anew. Throws the same.
  [[nodiscard]] static Daybook open(Storage& storage, Options options = {});
  Daybook(Daybook&&) noexcept;
  Daybook& operator=(Daybook&&) noexcept;
  ~Daybook();  // closes, unless close() was called; errors are told to Options::log

  /// Refuses new calls, answers waiting claims with nothing, records the end, syncs. Work loops must have been stopped. Throws StorageError.
  void close();

  [[nodiscard]] const OpeningReport& opening() const;
  [[nodiscard]] Moment now() const;

  // ---- one command, blocking: returns when the answer is durable ----
  Result<JobId> schedule(Schedule command);  // the existing job's id for OnConflict::return_existing
  /// Wholly or not at all: chains, fan-out and fan-in, with BatchParent for the index of a command before. The ids are in the same order.
  /// docs/dependencies.md. Refusals name the command, from 1.
  Result<std::vector<JobId>> schedule_all(std::vector<Schedule> commands);
  Result<std::vector<ClaimedJob>> claim(Claim command);  // what is due now, at most `count`, possibly nothing
  /// Waits for something to be due, until `wait` (book time) has passed or `stop` is requested: then nothing. While the clock is in
  /// doubt (Options::clock_policy) it waits for the confirmation too, and is refused clock_doubted when `wait` is over.
  Result<std::vector<ClaimedJob>> claim(Claim command, Duration wait, std::stop_token stop = {});
  Result<Renewed> renew(Renew command);
  Result<void> complete(const ClaimedJob& job, Envelope result = {});
  Result<void> complete(Complete command);
  Result<void> fail(Fail command);
  Result<void> snooze(Snooze command);
  Result<void> release(Release command);
  Result<void> cancel(JobId job, std::string reason = {});
  Result<void> reschedule(JobId job, When due, std::string reason = {});
  Result<void> retry(JobId job, When due = {}, std::string reason = {});
  Result<void> pause(std::string queue, std::string reason = {});
  Result<void> resume(std::string queue, std::string reason = {});
  /// How much of a queue, and of each of its groups, may run and start: docs/fairness.md. From feature level 2 on.
  Result<void> set_limits(SetLimits limits, std::string reason = {});
  Result<void> set_weight(SetWeight weight, std::string reason = {});
  /// What a queue schedules when a job of it dies; see SetOnDead. From feature level 2 on.
  Result<void> set_on_dead(SetOnDead on_dead, std::string reason = {});
  /// To another queue; see Move.
  Result<void> move(JobId job, std::string queue, std::string reason = {});
  Result<void> adopt(std::string reason);
  /// Lets the book hold what this release knows. Releases that know less refuse it from here on; there is no way back.
  Result<void> upgrade(std::string reason);
  /// How long final jobs and results are kept from here on. Books of feature level 1 keep everything.
  Result<void> retain(const Retention& retention, std::string reason = {});
  /// The clock is right, although it does not fit the last event before the opening: claims are granted from here on.
  Result<void> confirm_clock(std::string reason);

  // ---- many jobs by a filter: on record as one OperatorCommanded, with the changes naming it as their cause ----
  /// Looks at all jobs, then changes those that match, in slices between which others go on; each job is asked again at its own turn, and
  /// refused not_matching when it changed meanwhile. Blocks until all is durable. What was done stays, whatever ends it; doing it again
  /// is safe, and changes what still matches. Refused as a whole: what the command itself refuses (book_held, needs_upgrade, due_out_of_range).
  /// Nothing is recorded when nothing matches.
  Result<OperateReport> operate(Operation operation);

  /// Nothing that the filter matches is pruned until the hold is lifted. Returns its id.
  Result<Sequence> hold(Filter where, std::string reason);
  Result<void> lift_hold(Sequence hold, std::string reason = {});
  [[nodiscard]] std::vector<Hold> holds() const;  // by id

  /// The schedules that make jobs again and again: recurring.hpp.
  [[nodiscard]] RecurringSchedules recurring();

  // ---- any commands: a batch is wholly done or not at all, under one sync; each sees the effects of those before ----
  /// A context whose actor is left at its default is done in the name of Options::actor.
  Result<std::vector<Answer>> execute(Submission submission);

  /// The same without waiting. `completion` runs on a thread of the book, one at a time, in order; it may call the book's
  /// asynchronous members but not its blocking ones. Keep it short: claims and heartbeats of work loops pass through the same
  /// thread. What it throws is told to Options::log. Backpressure is the caller's. After close() it is called at once.
  using Completion = std::function<void(Result<std::vector<Answer>>, std::exception_ptr)>;
  void submit(Submission submission, Completion completion);
  [[nodiscard]] std::future<Result<std::vector<Answer>>> submit(Submission submission);

  // ---- workers ----
  /// A worker that is not started yet: add handlers with on(), then start(). See work.hpp.
  [[nodiscard]] WorkLoop work(WorkOptions options);

  /// Takes a snapshot now, on the caller's thread, while everybody else goes on: a restart without a usable index then begins there, and
  /// the two newest are kept. Takes about 400 bytes of memory a job beside its payload. Throws StorageError, CorruptionError; the book
  /// is as well as before then.
  SnapshotReport snapshot();

  // ---- without threads (Options::driven) ----
  /// Does what the book's threads would do now: grants waiting claims, runs handlers and completions, renews leases, takes snapshots, all on
  /// the caller's thread, until nothing more is due. Time does not pass in it. May be called inside a handler: then handlers of free slots
  /// run within that one. In a book with threads it does nothing. Returns whether there was something to do.
  bool drive();
  /// How long until drive() may find something to do; 0 when it would now. Nothing: only a call of somebody's brings work.
  [[nodiscard]] std::optional<Duration> until_next() const;
  // Members that wait (claim with a wait, WorkLoop::run_until_empty) drive the book themselves, and let time pass through
  // Options::waiter. A future of submit() is ready only after drive().

  // ---- reading: what a durable log says ----
  /// Refused pruned for an id whose job ended and was let go: the sentence says when, and history() how it went. Refused no_such_job for
  /// one that was never issued, or of which nothing is known any more, because the log was dropped: the sentence says which.
  [[nodiscard]] Result<JobInfo> job(JobId id) const;
  /// Waits until the job is final (completed, cancelled or dead), until `timeout` (book time) has passed or `stop` is requested; then
  /// the job as it stands. So it does when the book is closed meanwhile: look at the phase. Whoever waits costs nothing meanwhile.
  [[nodiscard]] Result<JobInfo> wait(JobId id, Duration timeout = Duration::max(), std::stop_token stop = {}) const;
  /// At most `limit` jobs after `after`, by id.
  struct JobsQuery {
    std::optional<std::string> queue = {};
    std::optional<Phase> phase = {};
    Sequence after = {};
    std::size_t limit = 100;
    Filter where = {};
  };
  [[nodiscard]] std::vector<JobInfo> jobs(const JobsQuery& query) const;
  [[nodiscard]] Stat stat() const;
  /// What to measure and to watch: metrics.hpp. Takes a turn between two steps, and looks at the sizes of the log's files.
  [[nodiscard]] Metrics metrics() const;
  /// Hands each event from `from` on to `deliver`, in order and when it is durable: subscription.hpp. Throws DroppedError when that
  /// event was dropped from the log.
  [[nodiscard]] Subscription subscribe(Sequence from, Subscription::Deliver deliver);
  /// Ready jobs that no worker on record would take, because none of those that serve the queue declares the kind. Looks at
  /// every job.
  [[nodiscard]] std::vector<Undeclared> undeclared() const;
  /// What is left of it, when its beginning was dropped from the log.
  [[nodiscard]] std::vector<RecordedEvent> history(JobId id) const;
  /// Runs `look` with the book's state while nothing changes. Keep it short; call nothing of the book in it.
  void look(const std::function<void(const View&, const Moment&)>& look) const;

 private:
  friend class RecurringSchedules;
  class Impl;
  explicit Daybook(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace daybook
