// SPDX-License-Identifier: Apache-2.0
#pragma once

// Engine: the whole scheduler as a state machine that never blocks on anything but the disk. submit() queues, step() does
// everything that was queued under one sync, and says what to wait for. One thread drives it under simulated time as well
// as the real service does; it starts no threads, and asks the clock once a step (a meter: around each sync too). Not thread-safe.
//
// Order within a step: clock steps are recorded; claims that wait are tried when something fell due; the queued
// submissions are executed one by one; waiting claims are tried again when something became available; the events
// of all of them are appended and synced; only then is anything answered. (Rules W1 to W3 of docs/log_format.md.)

#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daybook/core/answer.hpp"
#include "daybook/core/command.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/execute.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/core/retention.hpp"
#include "daybook/core/view.hpp"
#include "daybook/log/journal.hpp"
#include "daybook/projections/job_index.hpp"
#include "daybook/replay/replay.hpp"

namespace daybook {

class Meter;

/// What a submission comes to. `error` is set when the disk failed: then nothing is known but that the outcome is unknown.
struct Reply {
  Result<std::vector<Answer>> answers = std::vector<Answer>{};
  std::exception_ptr error;
};

class Engine {
 public:
  using Completion = std::function<void(Reply)>;
  using Look = std::function<void(const View&, const Moment&)>;
  using Ticket = std::uint64_t;

  struct Parts {
    Journal& journal;
    std::unique_ptr<Store> store;  // at the journal's tail
    JobIndex* index = nullptr;     // the same object, when it is one that projects
    Clock& clock;
    Random& random;
    Bounds bounds = {};
    const Zones& zones = utc_alone();  // in which schedules recur
    ClockPolicy clock_policy = ClockPolicy::ask;
    std::function<void(const std::string&)> warn = {};  // what an operator should know; may be empty
    StartAt start = {};                                 // where folding may begin when the index fails
    Meter* meter = nullptr;                             // counts what is done; null: nobody does
  };
  explicit Engine(Parts parts);
  ~Engine();

  /// The first thing to happen: records the opening (and for an empty book the generation), ends what died with the last
  /// owner, and doubts a clock that does not fit the last event. `opening` is completed with the times and the boot. Throws
  /// StorageError. Returns how many claims were ended.
  std::uint32_t open(BookOpened opening, std::vector<Setting> settings);

  /// Records the end and syncs everything. Nothing may be queued or waiting: withdraw_all() and step() come before. No call
  /// after it. Throws StorageError, also when the engine was poisoned before.
  void close();

  void submit(Submission submission, Completion completion);

  /// Like submitting the claim, but waits for something to claim until book time reaches `until`; while the clock is in doubt,
  /// for its confirmation (at the end of the wait: clock_doubted). The caller chooses the ticket, to withdraw by. Without a
  /// request id: what it may lead to is not settled when it is submitted.
  void submit_claim(Ticket ticket, Claim claim, Context context, BookTime until, Completion completion);
  /// The waiting claim is answered with nothing, the wait for a job with what is there, by the next step, unless it was before.
  void withdraw(Ticket ticket);
  void withdraw_all();

  /// Runs `look` when the job is final, or gone, or of another history, and that is synced; at the latest when book time reaches `until`. Then completes.
  void submit_wait(Ticket ticket, JobId job, BookTime until, Look look, Completion completion);

  /// Runs during the next step, when all is synced.
  void look(Look look, Completion completion);

  /// What the caller has to do after a step, in this order.
  struct Step {
    std::vector<std::pair<Completion, Reply>> finished;  // call these; outside any lock
    std::vector<Sequence> cancelled;                     // running jobs that somebody asked to stop
    std::vector<Token> ended;                            // attempts that failed or were ended: nobody waits for them
    bool changed = false;                                // events were recorded
    Sequence head;                                       // of the log
    std::uint64_t log_bytes = 0;                         // written to it since it was opened
    std::optional<Instant> wake_wall;                    // call step() again at the first of these times
    std::optional<BootTime> wake_boot;
  };
  /// Throws std::bad_alloc when there is no memory even to begin: then nothing was done, and it may be called again.
  [[nodiscard]] Step step();

  /// The engine's sample of the clocks now.
  [[nodiscard]] Moment now();
  [[nodiscard]] const View& view() const { return *store_; }
  [[nodiscard]] std::uint64_t refusals_counted() const { return refusals_counted_; }
  /// Events that the index on the disk does not hold yet; 0 without an index.
  [[nodiscard]] std::uint64_t projection_lag() const;
  /// Nothing is acknowledged any more, because something failed after which memory and log may differ; open the book again.
  [[nodiscard]] bool poisoned() const { return poison_ != nullptr; }

 private:
  static constexpr Duration housekeeping_delay = std::chrono::seconds(1);
  static constexpr Duration prune_after_leap = std::chrono::hours(24);
  static constexpr Duration prune_delay = std::chrono::minutes(1);  // between two passes
  static constexpr std::size_t prune_limit = 1000;                  // in one step

  struct Item {
    std::variant<Submission, Look> what;
    Completion completion;  // null once it was answered, or waits in unsynced_ to be
  };
  struct WaitingClaim {
    Ticket ticket;
    Submission submission;
    BookTime until;
    Completion completion;
    bool withdrawn = false;
    HeldBack held_back = {};  // when it was last tried
  };

  struct WaitingLook {
    Ticket ticket;
    JobId job;
    BookTime until;
    Look look;
    Completion completion;
    bool withdrawn = false;
  };

  template <class Body>
  auto or_poisoned(const Body& body);
  std::uint32_t record_opening(BookOpened opening, std::vector<Setting> settings);
  void record_end();
  [[nodiscard]] bool boot_clock_went_back(const Moment& now);
  void note_clock_step(const Moment& now);
  void work_through(const Moment& now);
  void refuse_all();
  std::optional<Refusal> raise_log_level(const Submission& submission);
  void run(const Submission& submission, Completion& completion, const Moment& now);
  void run(const Look& look, Completion& completion, const Moment& now);
  void serve_waiting(const Moment& now);
  void end_waiting(const Moment& now);
  void serve_looks(const Moment& now);
  void prune(const Moment& now);
  bool has_unsettled();
  void settle_children(const Moment& now);
  void fire_recurring(const Moment& now, const Timers& timers);
  [[nodiscard]] bool may_fire() const;
  void take(const Outcome& outcome);
  void flush();
  void poison(StorageError error);
  void housekeep(const Moment& now, bool closing);
  void go_on_in_memory(const std::string& why);
  /// What `ask` says of the store; when the index fails in it, what it says of memory, which has the same to say.
  template <class Ask>
  auto ask_store(const Ask& ask) {
    try {
      return ask();
    } catch (const StorageError& error) {
      if (index_ == nullptr) throw;
      go_on_in_memory(error.what());
    }
    return ask();
  }
  void plan_wake(Step& step, const Moment& now);
  [[nodiscard]] static Context own_context();
  [[nodiscard]] Result<std::vector<Answer>> first_answer(const Submission& submission, const RequestRecord& record);
  [[nodiscard]] Outcome execute_safely(const Submission& submission, const Moment& now);

  Journal& journal_;
  std::unique_ptr<Store> store_;
  JobIndex* index_;
  Clock& clock_;
  Random& random_;
  Bounds bounds_;
  const Zones& zones_;
  ClockPolicy clock_policy_;
  std::function<void(const std::string&)> warn_;
  StartAt start_;
  Meter* meter_;

  std::vector<Item> inbox_;
  std::list<WaitingClaim> waiting_;
  std::list<WaitingLook> waiting_looks_;

  // Of the step under way: answered once the encoder's batch is synced.
  std::vector<Item> taken_;
  BatchEncoder encoder_;
  std::vector<std::pair<Completion, Reply>> unsynced_;
  std::vector<Sequence> unsynced_cancels_;
  std::vector<Token> unsynced_ends_;
  Step step_;

  std::optional<Moment> sampled_;  // the last sample, to see a clock that steps
  bool available_ = false;         // something may be claimable that was not before
  bool replan_ = false;            // what comes next of the schedules may be wrong by now
  bool crowded_ = false;           // a waiting claim may be served once an attempt ends
  std::optional<BootTime> housekeeping_at_;
  PruneProgress pruned_;                // of the pass under way
  std::optional<BootTime> prune_boot_;  // the pass goes on, or the next may begin: not before this …
  bool prune_asked_ = false;            // something happened during the pass that calls for another
  std::optional<Instant> prune_wall_;   // … and not before this
  std::uint64_t refusals_counted_ = 0;
  std::exception_ptr poison_;
};

}  // namespace daybook
