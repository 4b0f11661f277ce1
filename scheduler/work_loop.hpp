// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a WorkLoop: one waiting claim at a time for as many jobs as slots are free, a thread per slot that runs handlers,
// and a timer that renews all leases in one command. Everything that waits for time waits through the Driver.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "daybook/work.hpp"
#include "driver.hpp"

namespace daybook {

class WorkLoop::Impl : public std::enable_shared_from_this<WorkLoop::Impl> {
 public:
  using Tell = std::function<void(const std::string&)>;
  Impl(Driver& driver, WorkOptions options, Context context, Tell tell);
  ~Impl();

  void on(std::string kind, Handler handler);
  Result<void> start();
  void stop();
  void run_until_empty();
  [[nodiscard]] bool in_forked_child() const { return driver_.in_forked_child(); }

  /// Fires the stop token of the job's attempt, if it runs here.
  void cancel(Sequence job);
  /// The attempt is over, by time: fires its stop token if it runs here, and renews it no more.
  void end(const Token& token);
  [[nodiscard]] WorkStats stats();
  /// Something changed in the book: whoever waits for emptiness looks again.
  void changed();

 private:
  class Run;  // a claimed job, from claim to outcome

  void claim_more(std::unique_lock<std::mutex>& lock);
  void take(Reply reply);
  void serve();
  void serve_here();
  void run_next(std::unique_lock<std::mutex>& lock);
  void handle(Run& run);
  void finish(Run& run, Verdict verdict);
  void renew_later();  // under mutex_
  void renew();
  void post_renewal(const std::vector<std::shared_ptr<Run>>& runs, bool with_progress);
  void renewed(const std::vector<std::shared_ptr<Run>>& runs, bool with_progress, const Reply& reply);
  void tell_of_ignored(const std::vector<std::shared_ptr<Run>>& runs);
  void fail_instead(const Run& run, const Refusal& refusal, bool retryable);
  void hand_back(std::vector<std::shared_ptr<Run>> runs);
  [[nodiscard]] bool is_empty();

  Driver& driver_;
  const WorkOptions options_;
  const Context context_;
  const Tell tell_;                          // what the service's log should know
  std::map<std::string, Handler> handlers_;  // fixed by start()

  std::mutex mutex_;
  std::condition_variable ready_;           // for slots: a job to run, or the end
  std::condition_variable settled_;         // for stop() and run_until_empty(): something ended
  std::deque<std::shared_ptr<Run>> queue_;  // claimed, not begun: never more than free slots
  // By claim: queued and running. A job may be here twice, while the thread of an attempt that is over goes on.
  std::map<Sequence, std::shared_ptr<Run>> runs_;
  std::optional<Driver::Ticket> claim_;  // the claim that waits
  bool started_ = false;
  bool stopping_ = false;
  bool will_renew_ = false;  // a timer is set; while nothing runs there is none
  std::uint64_t changes_ = 0;
  std::vector<std::thread> slots_;
};

/// What a handler is told of a parent of its job.
[[nodiscard]] Result<JobInfo> parent_of(Driver& driver, const ClaimedJob& job, const JobId& parent);

}  // namespace daybook
