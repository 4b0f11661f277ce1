// SPDX-License-Identifier: Apache-2.0
#pragma once

// Driver: lets many threads use one Engine. Whoever arrives while nobody leads becomes the leader: it takes everybody's
// submissions, runs one step, hands leadership on to somebody who waits, and wakes exactly those who are done. A timer
// thread leads when time has come and nobody else is there; a second thread runs callbacks, so that none runs inside the writer.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "daybook/core/ports.hpp"
#include "daybook/scheduler/engine.hpp"
#include "daybook/system/process.hpp"

namespace daybook {

enum class Threads : std::uint8_t {
  own,   // timers and callbacks have a thread each
  none,  // whoever calls drive() does their work
};

class Driver {
 public:
  using Ticket = Engine::Ticket;

  Driver(std::unique_ptr<Engine> engine, Clock& clock, Waiter& waiter, Threads threads = Threads::own);
  ~Driver();  // stops without recording a clean end, unless close() was called

  /// Blocks until the answer is durable. Rethrows the engine's error.
  Result<std::vector<Answer>> call(Submission submission);

  /// The completion runs on the callback thread.
  void post(Submission submission, Engine::Completion completion);

  /// A claim that waits; `completion` runs on the callback thread. withdraw() makes it answer soon with nothing.
  Ticket post_claim(Claim claim, Context context, BookTime until, Engine::Completion completion);
  /// Engine::submit_wait: `look` runs inside the writer, `completion` on the callback thread.
  Ticket post_wait(JobId job, BookTime until, Engine::Look look, Engine::Completion completion);
  void withdraw(Ticket ticket);

  /// Blocks; runs between steps. Rethrows what `look` throws.
  void look(const Engine::Look& look);

  /// Only inside look().
  [[nodiscard]] std::uint64_t refusals_counted() const { return engine_->refusals_counted(); }
  [[nodiscard]] std::uint64_t projection_lag() const { return engine_->projection_lag(); }

  /// Runs `task` on the callback thread: soon, or when book time reaches `when`. Tasks not begun at stop() are dropped.
  void defer(std::function<void()> task);
  void at(BookTime when, std::function<void()> task);

  /// Called on the callback thread for each running job that somebody asked to stop, for each attempt that failed or was ended, and after each step that changed
  /// something. Set before the first call().
  void on_cancel(std::function<void(Sequence)> listener) { on_cancel_ = std::move(listener); }
  void on_end(std::function<void(const Token&)> listener) { on_end_ = std::move(listener); }
  void on_change(std::function<void(Sequence head, std::uint64_t log_bytes)> listener) {
    on_change_ = std::move(listener);
  }

  [[nodiscard]] Moment now();

  // ---- without threads: driven_driver.cpp ----
  [[nodiscard]] bool is_driven() const { return driven_; }
  bool drive();  // as Daybook::drive
  [[nodiscard]] std::optional<Duration> until_next();
  /// Drives, and lets time pass through the waiter, until `done` says so; false: there is nothing left to wait for.
  bool drive_until(const std::function<bool()>& done);
  /// For who waits for this ticket: drives until `answered`; what nothing will ever answer is withdrawn. With threads: nothing.
  void drive_for(Ticket ticket, const bool& answered);

  /// In a child made by fork() everything is refused as in a closed book, without a lock being touched: a thread that is not there may
  /// hold it. Nor can such a driver be destroyed; its owner leaves it where it is.
  [[nodiscard]] bool in_forked_child() const { return mark_.in_forked_child(); }
  void require_own_process() const;  // throws StorageError in a forked child

  /// Refuses new calls, closes the engine, which answers what waits, runs the callbacks that are left, and stops the threads.
  /// Rethrows the engine's error. A second call does nothing.
  void close();

 private:
  // Somebody who blocks. Lives on its caller's stack.
  struct Waiting {
    enum State : int { parked, leads, done };
    std::atomic<int> state{parked};
    Reply reply;
  };
  // What came in since the last step. `waiting` is null for posted work.
  struct Arrival {
    std::function<void(Engine&)> enter;
    Waiting* waiting = nullptr;
  };

  enum class Who { caller, timer };                    // the timer may still lead for what was posted before the end
  bool enter(Arrival arrival, Who who = Who::caller);  // false: closed, closing, or a forked child
  [[nodiscard]] tl::unexpected<Refusal> closed() const;
  void wait(Waiting& waiting);
  void lead();
  void hand_on(std::unique_lock<std::mutex>& lock, bool wake_timer);
  [[nodiscard]] Engine::Completion deferred(Engine::Completion completion);
  void tick();
  void run_timer();
  bool do_what_is_due(std::unique_lock<std::mutex>& lock);
  struct Times {
    std::optional<Instant> wall;
    std::optional<BootTime> boot;
  };
  [[nodiscard]] Times next_times() const;  // under mutex_
  void run_callbacks();
  bool run_callback();
  [[nodiscard]] bool take_engine();
  void stop_threads();

  const ProcessMark mark_;
  const bool driven_;
  std::unique_ptr<Engine> engine_;  // used by the leader alone
  Clock& clock_;
  Waiter& waiter_;
  Duration book_offset_{};  // fixed for as long as the book is open

  std::mutex mutex_;  // everything below, but what is said to be the callbacks'
  std::deque<Arrival> arrivals_;
  bool leading_ = false;
  std::condition_variable idle_;  // nobody leads and nothing has arrived
  bool closing_ = false;
  bool closed_ = false;
  bool stopping_ = false;
  std::optional<Instant> wake_wall_;
  std::optional<BootTime> wake_boot_;
  std::multimap<BookTime, std::function<void()>> timers_;
  std::atomic<Ticket> last_ticket_ = 0;

  std::mutex callbacks_mutex_;
  std::condition_variable callbacks_ready_;
  std::deque<std::function<void()>> callbacks_;
  bool callbacks_stop_ = false;

  std::function<void(Sequence)> on_cancel_;
  std::function<void(const Token&)> on_end_;
  std::function<void(Sequence, std::uint64_t)> on_change_;

  std::thread timer_thread_;
  std::thread callback_thread_;
};

}  // namespace daybook
