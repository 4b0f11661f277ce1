// SPDX-License-Identifier: Apache-2.0
#pragma once

// Work loops: a worker inside this process, whose threads claim jobs and run handlers.
//
//   auto worker = book.work({.queues = {"mail"}, .slots = 4});
//   worker.on("welcome", [](daybook::Attempt& attempt) {
//     send_mail(attempt.job().payload.bytes());
//     return daybook::done("sent");
//   });
//   worker.start();
//   …
//   worker.stop();
//
// The lease is renewed at a third of its length, outside the handler's thread, so a handler may take as long as it
// likes. When the lease is lost all the same (the machine slept), or somebody cancels the job, the handler's stop token
// fires; what it returns after a lost lease is refused and on record.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "daybook/core/answer.hpp"
#include "daybook/core/command.hpp"
#include "daybook/core/job_info.hpp"
#include "daybook/core/limits.hpp"

namespace daybook {

// What a handler says at its end; made by the functions below.
struct DoneWork {
  Envelope result;
};
struct SnoozeWork {
  When due;
};
struct RetryWork {
  Envelope error;
  std::string error_kind;
  std::optional<Duration> in;
};
struct DiscardWork {
  Envelope error;
  std::string error_kind;
};
struct HandBackWork {};
using Verdict = std::variant<DoneWork, SnoozeWork, RetryWork, DiscardWork, HandBackWork>;

/// The job is completed, with a result.
[[nodiscard]] inline Verdict done(Envelope result = {}) {
  return DoneWork{std::move(result)};
}
/// Later, please; the attempt does not count.
[[nodiscard]] inline Verdict snooze(When due) {
  return SnoozeWork{due};
}
/// The attempt failed; again after the policy's delay, or exactly after `in`, while attempts are left.
[[nodiscard]] inline Verdict retry(Envelope error, std::string error_kind = {}, std::optional<Duration> in = {}) {
  return RetryWork{std::move(error), std::move(error_kind), in};
}
/// The attempt failed and no other would do better: the job is dead.
[[nodiscard]] inline Verdict discard(Envelope error, std::string error_kind = {}) {
  return DiscardWork{std::move(error), std::move(error_kind)};
}
/// Stopped half way (a shutdown): the job is available at once, the attempt does not count.
[[nodiscard]] inline Verdict hand_back() {
  return HandBackWork{};
}

/// One run of a handler. Valid while the handler runs.
class Attempt {
 public:
  virtual ~Attempt() = default;
  [[nodiscard]] virtual const ClaimedJob& job() const = 0;
  /// Fires when the job is cancelled, a timeout or the end of the lease ends the attempt, or the worker stops and its patience is over.
  [[nodiscard]] virtual std::stop_token stop_token() const = 0;
  /// Runs `step` once for all attempts of the job, and gives its result: durable before this returns, and given without running `step`
  /// again when a later attempt comes here. `name` tells the steps of a job apart, at most 1,000 with 1 MiB of results.
  /// Between the end of `step` and the record of it lies a window: after a crash in it `step` runs again. Refused when the claim is
  /// lost, or the result too large; then the step is not on record. What `step` throws passes through. Not from two threads at once.
  virtual Result<Envelope> once(const std::string& name, const std::function<Envelope()>& step) = 0;
  /// A parent of the job (job().parents has their ids) as it stands: how it ended, with its result, or its error. It is there as long as this
  /// job is not final; so is its result, unless its time was over before this job was scheduled. Refused invalid_argument for any other job.
  [[nodiscard]] virtual Result<JobInfo> parent(JobId id) const = 0;
  /// Keeps a checkpoint: durable with the next renewal, and given to the next attempt should this one fail.
  virtual void progress(Envelope checkpoint) = 0;
};

/// A handler that throws has failed: retried like `retry(what())`.
using Handler = std::function<Verdict(Attempt&)>;

struct WorkOptions {
  std::vector<std::string> queues;
  std::string worker = {};  // its name on the record; "" makes one of host, pid and a number
  std::uint32_t slots = 1;  // handlers at a time, each on a thread of its own
  Duration lease = limits::lease_default;
  Duration patience = std::chrono::seconds(30);  // stop(): how long handlers may go on before their stop token fires
};

/// A handler that goes on although its attempt is over (its run timeout, its total timeout or its lease ended it) and its stop
/// token fired. A thread cannot be stopped from outside: it keeps its slot busy until it returns, and its outcome is refused.
struct IgnoringHandler {
  JobId job;
  Token token;
  std::string kind;
};

struct WorkStats {
  std::uint32_t slots = 0;
  std::uint32_t claimed = 0;  // of these, busy or about to be; those of `ignoring` are among them
  std::vector<IgnoringHandler> ignoring;
};

class WorkLoop {
 public:
  WorkLoop(WorkLoop&&) noexcept;
  WorkLoop& operator=(WorkLoop&&) noexcept;
  ~WorkLoop();  // stops

  /// Only kinds with a handler are claimed. Before start().
  WorkLoop& on(std::string kind, Handler handler);

  /// Joins (on the record) and begins to claim. Refused when the book is held, or a name is no name.
  /// While the clock is in doubt it waits for the confirmation.
  Result<void> start();

  /// Claims no more, hands back what no handler has begun, waits for the running ones; after `patience` their stop tokens
  /// fire, and it waits on. Then leaves (on the record). Returns when the last handler has.
  void stop();

  [[nodiscard]] WorkStats stats() const;

  /// Blocks until its queues hold no waiting job, due or not, none that awaits its parents, and no running one; or until it is stopped. For tools and tests.
  void run_until_empty();

 private:
  friend class Daybook;
  class Impl;
  explicit WorkLoop(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace daybook
