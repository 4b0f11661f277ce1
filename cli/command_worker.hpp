// SPDX-License-Identifier: Apache-2.0
#pragma once

// CommandWorker: a worker that runs a command for each job. One loop looks after the children (their pipes, leases,
// timeouts and ends); a thread beside it waits for jobs. Claims are external: a child may outlive this process, and then
// its lease must keep others away until it ends.

#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "child_process.hpp"
#include "claimer.hpp"
#include "daybook/daybook.hpp"
#include "signals.hpp"
#include "verb.hpp"

namespace daybook::cli {

struct WorkCommandOptions {
  std::vector<std::string> queues;
  std::vector<std::string> kinds;
  std::string worker;
  std::uint32_t concurrency = 1;
  Duration lease = limits::lease_default;
  std::optional<Duration> timeout;
  Duration grace = std::chrono::seconds(5);      // between SIGTERM and SIGKILL
  Duration patience = std::chrono::seconds(30);  // when asked to stop: how long what runs may go on
  bool until_empty = false;
  std::string metrics_file;               // "": none
  std::optional<Duration> metrics_every;  // 15 s
};

/// Why a child is being ended before it ended itself. `timed_out` is --timeout, `out_of_time` a timeout of the job's own.
enum class Stopping { no, lease_lost, cancelled, timed_out, out_of_time, shutdown };

/// The timeout of a job's own that ends its attempt. The book records that by itself, and no lease goes beyond.
struct TimeLimit {
  BookTime at{};
  Duration length{};
  bool total = false;  // of the job, not of the attempt alone
};

struct Running {
  ClaimedJob job;
  std::unique_ptr<ChildProcess> child;  // none: it was not started
  BookTime started{};
  BookTime lease_ends_at{};
  std::optional<TimeLimit> limit;
  Stopping stopping = Stopping::no;
  BookTime kill_at{};  // while stopping, until it was killed
  bool killed = false;

  /// Renewing changes nothing any more: the lease ends with the limit.
  [[nodiscard]] bool lease_is_final() const { return limit && lease_ends_at >= limit->at; }
  /// Without the claim nothing may be said about the job.
  [[nodiscard]] bool may_speak() const { return stopping != Stopping::lease_lost && stopping != Stopping::out_of_time; }
};

/// A child that ended, and what is being recorded about it.
struct Finished {
  Running run;
  std::optional<ChildProcess::Ended> ended;  // unset: it was not started
  std::string outcome;
  std::optional<std::future<Result<std::vector<Answer>>>> recorded;  // unset: the right to say anything is lost
};

class CommandWorker {
 public:
  CommandWorker(const Common& common, const WorkCommandOptions& options, Daybook& book, Signals& signals)
      : common_(common), options_(options), book_(book), signals_(signals) {}

  /// Until nothing is left (with until_empty) or somebody asks for an end. Throws RefusedError when the book does not
  /// let it work, or the command cannot be started.
  void run();
  /// A second request ended what was running.
  [[nodiscard]] bool cut_short() const { return ends_requested_ > 1; }
  void tell_summary() const;

 private:
  [[nodiscard]] BookTime now() const { return book_.now().book; }
  void join();
  void run_jobs();
  void leave();
  void start(ClaimedJob job);
  [[nodiscard]] bool find_limit(Running& run) const;
  void release(const ClaimedJob& job);
  void look_after_children();
  void stop_child(Running& run, Stopping why);
  [[nodiscard]] Stopping end_of_claim(const Running& run) const;
  void end_what_is_out_of_time(BookTime time);
  void renew_leases();
  void look_for_cancellations();
  [[nodiscard]] bool is_over(Running& run);
  void finish(std::vector<Running> ended);
  [[nodiscard]] std::optional<Command> outcome_of(const Running& run, const ChildProcess::Ended& ended,
                                                  std::string& outcome) const;
  void report(const Finished& finished, const std::string& refusal);
  [[nodiscard]] static std::string ending_of(const Finished& finished, const Result<JobInfo>& job);
  void take_end_requests();
  [[nodiscard]] bool nothing_left();
  void wait();
  [[nodiscard]] std::optional<BookTime> next_deadline() const;

  const Common& common_;
  const WorkCommandOptions& options_;
  Daybook& book_;
  Signals& signals_;
  std::unique_ptr<Claimer> claimer_;
  std::vector<Running> running_;
  BookTime renew_at_{};
  int ends_requested_ = 0;
  std::optional<BookTime> patience_ends_;
  std::string start_failure_;
  std::map<std::string, std::uint64_t> outcomes_;
  std::uint64_t left_in_paused_ = 0;
};

}  // namespace daybook::cli
