// SPDX-License-Identifier: Apache-2.0
#include "driver.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/assert.hpp"

namespace daybook {

namespace {

constexpr const char* forked_sentence =
    "the book is closed in this process, which was made by fork() from the one that opened it: open the book here when "
    "the other has "
    "closed it, or fork before it is opened";

}  // namespace

tl::unexpected<Refusal> Driver::closed() const {
  return refuse(RefusalCode::closed, in_forked_child() ? forked_sentence : "the book is closed");
}

void Driver::require_own_process() const {
  if (in_forked_child()) throw StorageError(Place{}, 0, forked_sentence);
}

Driver::Driver(std::unique_ptr<Engine> engine, Clock& clock, Waiter& waiter, Threads threads)
    : driven_(threads == Threads::none),
      engine_(std::move(engine)),
      clock_(clock),
      waiter_(waiter),
      book_offset_(engine_->view().book().book_offset) {
  if (driven_) return;
  callback_thread_ = std::thread([this] { run_callbacks(); });
  timer_thread_ = std::thread([this] { run_timer(); });
}

Driver::~Driver() {
  static_cast<void>(drive());
  if (!take_engine()) return;
  stop_threads();
}

Moment Driver::now() {
  Moment now;
  now.wall = clock_.wall();
  now.boot = clock_.boot();
  now.book = BookTime(now.boot.time_since_epoch() + book_offset_);
  return now;
}

Result<std::vector<Answer>> Driver::call(Submission submission) {
  Waiting waiting;
  const bool entered =
      enter({[&](Engine& engine) {
               engine.submit(std::move(submission), [&waiting](Reply reply) { waiting.reply = std::move(reply); });
             },
             &waiting});
  if (!entered) return closed();
  wait(waiting);
  if (waiting.reply.error) std::rethrow_exception(waiting.reply.error);
  return std::move(waiting.reply.answers);
}

void Driver::look(const Engine::Look& look) {
  Waiting waiting;
  const bool entered =
      enter({[&](Engine& engine) { engine.look(look, [&waiting](Reply reply) { waiting.reply = std::move(reply); }); },
             &waiting});
  if (!entered) {
    throw StorageError(Place{}, 0, in_forked_child() ? forked_sentence : "the book is closed: open it again to read");
  }
  wait(waiting);
  if (waiting.reply.error) std::rethrow_exception(waiting.reply.error);
}

void Driver::post(Submission submission, Engine::Completion completion) {
  auto kept = std::make_shared<std::pair<Submission, Engine::Completion>>(std::move(submission), std::move(completion));
  const bool entered =
      enter({[this, kept](Engine& engine) { engine.submit(std::move(kept->first), deferred(std::move(kept->second))); },
             nullptr});
  if (!entered) kept->second(Reply{closed(), nullptr});  // no thread of the book is left to do it
}

Driver::Ticket Driver::post_claim(Claim claim, Context context, BookTime until, Engine::Completion completion) {
  struct Kept {
    Claim claim;
    Context context;
    Engine::Completion completion;
  };
  auto kept = std::make_shared<Kept>(Kept{std::move(claim), std::move(context), std::move(completion)});
  const Ticket ticket = ++last_ticket_;
  const bool entered = enter({[this, kept, ticket, until](Engine& engine) {
                                engine.submit_claim(ticket, std::move(kept->claim), std::move(kept->context), until,
                                                    deferred(std::move(kept->completion)));
                              },
                              nullptr});
  if (!entered) kept->completion(Reply{closed(), nullptr});
  return ticket;
}

Driver::Ticket Driver::post_wait(JobId job, BookTime until, Engine::Look look, Engine::Completion completion) {
  auto kept = std::make_shared<std::pair<Engine::Look, Engine::Completion>>(std::move(look), std::move(completion));
  const Ticket ticket = ++last_ticket_;
  const bool entered =
      enter({[this, kept, ticket, job, until](Engine& engine) {
               engine.submit_wait(ticket, job, until, std::move(kept->first), deferred(std::move(kept->second)));
             },
             nullptr});
  if (!entered) kept->second(Reply{closed(), nullptr});
  return ticket;
}

void Driver::withdraw(Ticket ticket) {
  static_cast<void>(enter({[ticket](Engine& engine) { engine.withdraw(ticket); }, nullptr}));
}

void Driver::defer(std::function<void()> task) {
  {
    const std::lock_guard lock(callbacks_mutex_);
    callbacks_.push_back(std::move(task));
  }
  callbacks_ready_.notify_one();
}

void Driver::at(BookTime when, std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    timers_.emplace(when, std::move(task));
  }
  waiter_.wake();
}

// What the engine completes while it is led is handed to the callback thread.
Engine::Completion Driver::deferred(Engine::Completion completion) {
  return [this, completion = std::move(completion)](Reply reply) mutable {
    defer([completion = std::move(completion), reply = std::move(reply)]() mutable { completion(std::move(reply)); });
  };
}

bool Driver::enter(Arrival arrival, Who who) {
  if (in_forked_child()) return false;
  bool leads = false;
  bool wake_timer = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || (closing_ && who == Who::caller)) return false;
    if (!leading_ && arrival.waiting != nullptr) {
      leading_ = leads = true;
      arrival.waiting->state = Waiting::leads;
    }
    wake_timer = !leading_ && arrival.waiting == nullptr;
    arrivals_.push_back(std::move(arrival));
  }
  if (wake_timer) waiter_.wake();
  return true;
}

void Driver::wait(Waiting& waiting) {
  waiting.state.wait(Waiting::parked);
  if (waiting.state == Waiting::leads) lead();
}

// One step for everybody who arrived. The leader's own arrival is among them, so it is done when this returns.
void Driver::lead() {
  std::deque<Arrival> arrivals;
  {
    const std::lock_guard lock(mutex_);
    DAYBOOK_ASSERT(leading_);
    arrivals.swap(arrivals_);
  }
  for (Arrival& arrival : arrivals) arrival.enter(*engine_);
  Engine::Step step = engine_->step();
  // Replies are in place before leadership goes on; those who wait are woken after it has.
  for (auto& [completion, reply] : step.finished) {
    if (completion) completion(std::move(reply));
  }
  for (const Sequence job : step.cancelled) defer([this, job] { on_cancel_ ? on_cancel_(job) : void(); });
  for (const Token& token : step.ended) defer([this, token] { on_end_ ? on_end_(token) : void(); });
  if (step.changed && on_change_) {
    defer([this, head = step.head, bytes = step.log_bytes] { on_change_(head, bytes); });
  }
  {
    std::unique_lock lock(mutex_);
    const bool sooner = (step.wake_boot && (!wake_boot_ || *step.wake_boot < *wake_boot_)) ||
                        (step.wake_wall && (!wake_wall_ || *step.wake_wall < *wake_wall_));
    wake_boot_ = step.wake_boot;
    wake_wall_ = step.wake_wall;
    hand_on(lock, sooner);
  }
  for (Arrival& arrival : arrivals) {
    if (arrival.waiting == nullptr) continue;
    // Nothing of the waiting caller is touched after this store but the address that is notified.
    std::atomic<int>& state = arrival.waiting->state;
    state = Waiting::done;
    state.notify_one();
  }
}

void Driver::hand_on(std::unique_lock<std::mutex>& lock, bool wake_timer) {
  const auto next = std::find_if(arrivals_.begin(), arrivals_.end(),
                                 [](const Arrival& arrival) { return arrival.waiting != nullptr; });
  if (next != arrivals_.end()) {
    std::atomic<int>& state = next->waiting->state;
    state = Waiting::leads;
    lock.unlock();
    state.notify_one();
  } else {
    leading_ = false;
    wake_timer = wake_timer || !arrivals_.empty();
    if (arrivals_.empty()) idle_.notify_all();
    lock.unlock();
  }
  if (wake_timer) waiter_.wake();
}

// A step that nobody asked for: time has come, or work was posted while nobody led.
void Driver::tick() {
  Waiting waiting;
  if (enter({[](Engine&) {}, &waiting}, Who::timer)) wait(waiting);
}

void Driver::run_timer() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (do_what_is_due(lock)) continue;
    const Times next = next_times();
    lock.unlock();
    waiter_.wait(next.wall, next.boot);
    lock.lock();
  }
}

// Timers are handed on to the callbacks; a step is led when its time has come or somebody posted work. False: no step was.
bool Driver::do_what_is_due(std::unique_lock<std::mutex>& lock) {
  const Moment now = this->now();
  while (!timers_.empty() && timers_.begin()->first <= now.book) {
    defer(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
  }
  const bool posted = !leading_ && !arrivals_.empty();
  const bool due = (wake_boot_ && *wake_boot_ <= now.boot) || (wake_wall_ && *wake_wall_ <= now.wall);
  if ((!posted && !due) || closed_) return false;
  lock.unlock();
  tick();
  lock.lock();
  return true;
}

Driver::Times Driver::next_times() const {
  if (closed_) return {};
  Times next{wake_wall_, wake_boot_};
  if (!timers_.empty()) {
    const BootTime timer(timers_.begin()->first.time_since_epoch() - book_offset_);
    if (!next.boot || timer < *next.boot) next.boot = timer;
  }
  return next;
}

void Driver::run_callbacks() {
  std::unique_lock lock(callbacks_mutex_);
  while (true) {
    callbacks_ready_.wait(lock, [&] { return callbacks_stop_ || !callbacks_.empty(); });
    if (callbacks_.empty()) return;
    std::function<void()> task = std::move(callbacks_.front());
    callbacks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

void Driver::close() {
  require_own_process();
  static_cast<void>(drive());  // whom no thread serves
  if (!take_engine()) return;
  std::exception_ptr error;
  try {
    engine_->withdraw_all();
    for (auto& [completion, reply] : engine_->step().finished) {
      if (completion) completion(std::move(reply));
    }
    engine_->close();
  } catch (...) {
    error = std::current_exception();
  }
  stop_threads();
  if (error) std::rethrow_exception(error);
}

// Lets no caller in any more, and waits until all who came are served. False: somebody else closed it.
bool Driver::take_engine() {
  std::unique_lock lock(mutex_);
  if (closing_) return false;
  closing_ = true;
  // The timer thread still leads for posted work, so closed_ comes when that is done.
  idle_.wait(lock, [&] { return !leading_ && arrivals_.empty(); });
  closed_ = true;
  leading_ = true;
  return true;
}

void Driver::stop_threads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  waiter_.wake();
  if (timer_thread_.joinable()) timer_thread_.join();
  {
    const std::lock_guard lock(callbacks_mutex_);
    callbacks_stop_ = true;
  }
  callbacks_ready_.notify_all();
  if (driven_) return run_callbacks();
  callback_thread_.join();
}

}  // namespace daybook
