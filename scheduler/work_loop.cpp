// SPDX-License-Identifier: Apache-2.0
#include "work_loop.hpp"

#include <exception>
#include <utility>

#include "daybook/core/overload.hpp"

namespace daybook {

namespace {

constexpr Driver::Ticket unknown_ticket = 0;  // of a claim that is being posted; the driver's begin with 1

// Refusals that say that the claim is no longer this worker's, or the book no longer open: nothing is left to say then.
bool speaks_of_claim(RefusalCode code) {
  return code == RefusalCode::lease_lost || code == RefusalCode::already_completed ||
         code == RefusalCode::another_history || code == RefusalCode::already_final ||
         code == RefusalCode::not_running || code == RefusalCode::closed || code == RefusalCode::book_held;
}

Command outcome_command(const ClaimedJob& job, Verdict verdict) {
  return std::visit(Overload{
                        [&](DoneWork& done) -> Command {
                          return Complete{job.id, job.token, std::move(done.result)};
                        },
                        [&](SnoozeWork& snooze) -> Command {
                          return Snooze{job.id, job.token, snooze.due};
                        },
                        [&](RetryWork& retry) -> Command {
                          return Fail{.job = job.id,
                                      .token = job.token,
                                      .error = std::move(retry.error),
                                      .error_kind = std::move(retry.error_kind),
                                      .retryable = true,
                                      .retry_in = retry.in};
                        },
                        [&](DiscardWork& discard) -> Command {
                          return Fail{.job = job.id,
                                      .token = job.token,
                                      .error = std::move(discard.error),
                                      .error_kind = std::move(discard.error_kind),
                                      .retryable = false};
                        },
                        [&](HandBackWork&) -> Command {
                          return Release{job.id, job.token};
                        },
                    },
                    verdict);
}

}  // namespace

class WorkLoop::Impl::Run final : public Attempt {
 public:
  Run(ClaimedJob job, Driver& driver, const Context& context)
      : job_(std::move(job)), driver_(driver), context_(context), steps_(job_.steps) {}

  [[nodiscard]] const ClaimedJob& job() const override { return job_; }
  [[nodiscard]] std::stop_token stop_token() const override { return stop_.get_token(); }
  void progress(Envelope checkpoint) override {
    const std::lock_guard lock(mutex_);
    progress_ = std::move(checkpoint);
  }

  Result<Envelope> once(const std::string& name, const std::function<Envelope()>& step) override {
    for (const StepResult& known : steps_) {
      if (known.name == name) return known.result;
    }
    Submission submission{.commands = {RecordStep{job_.id, job_.token, name, step()}}, .context = context_};
    submission.context.cause = job_.token.claim;
    auto answers = driver_.call(std::move(submission));
    if (!answers) return tl::unexpected<Refusal>(answers.error());
    steps_.push_back({name, std::get<StepDone>(answers->front()).result});
    return steps_.back().result;
  }

  [[nodiscard]] Result<JobInfo> parent(JobId id) const override { return parent_of(driver_, job_, id); }

  void request_stop() { stop_.request_stop(); }
  [[nodiscard]] std::optional<Envelope> take_progress() {
    const std::lock_guard lock(mutex_);
    return std::exchange(progress_, std::nullopt);
  }
  void lose() { lost_ = true; }
  [[nodiscard]] bool lost() const { return lost_; }
  void begin() { begun_ = true; }
  [[nodiscard]] bool begun() const { return begun_; }
  /// True once: at the second look at an attempt that is lost.
  [[nodiscard]] bool tell_now() { return ++looks_ == 2; }

 private:
  const ClaimedJob job_;
  Driver& driver_;
  const Context& context_;
  std::vector<StepResult> steps_;  // the handler's thread's alone
  std::stop_source stop_;
  std::mutex mutex_;
  std::optional<Envelope> progress_;  // not recorded yet
  std::atomic<bool> lost_ = false;    // the attempt is over: renewing is pointless
  std::atomic<bool> begun_ = false;   // its handler was called
  std::uint32_t looks_ = 0;           // of the timer, since it was lost
};

WorkLoop::Impl::Impl(Driver& driver, WorkOptions options, Context context, Tell tell)
    : driver_(driver), options_(std::move(options)), context_(std::move(context)), tell_(std::move(tell)) {}

WorkLoop::Impl::~Impl() {
  stop();
}

void WorkLoop::Impl::on(std::string kind, Handler handler) {
  driver_.require_own_process();
  const std::lock_guard lock(mutex_);
  if (!started_) handlers_.insert_or_assign(std::move(kind), std::move(handler));
}

Result<void> WorkLoop::Impl::start() {
  if (handlers_.empty()) {
    return refuse(RefusalCode::invalid_argument, "a work loop needs a handler: name one with on() before start()");
  }
  if (options_.slots == 0) return refuse(RefusalCode::invalid_argument, "a work loop needs at least one slot, found 0");
  if (options_.lease < limits::lease_min || options_.lease > limits::lease_max) {
    return refuse(RefusalCode::lease_out_of_range, "a lease of " + to_string(options_.lease) + ": it is " +
                                                       to_string(limits::lease_min) + " to " +
                                                       to_string(limits::lease_max));
  }
  JoinWorker join{.worker = options_.worker,
                  .slots = options_.slots,
                  .queues = options_.queues,
                  .kinds = {},
                  .holder = Holder::handler};
  for (const auto& [kind, handler] : handlers_) join.kinds.push_back(kind);
  if (auto joined = driver_.call({.commands = {std::move(join)}, .context = context_}); !joined) {
    return tl::unexpected<Refusal>(joined.error());
  }
  std::unique_lock lock(mutex_);
  started_ = true;
  for (std::uint32_t slot = 0; slot < options_.slots && !driver_.is_driven(); ++slot) {
    slots_.emplace_back([this] { serve(); });
  }
  claim_more(lock);
  return {};
}

void WorkLoop::Impl::claim_more(std::unique_lock<std::mutex>& lock) {
  if (stopping_ || claim_ || runs_.size() >= options_.slots) return;
  Claim claim{.queues = options_.queues,
              .kinds = {},
              .worker = options_.worker,
              .lease = options_.lease,
              .count = static_cast<std::uint32_t>(options_.slots - runs_.size()),
              .holder = Holder::handler};
  for (const auto& [kind, handler] : handlers_) claim.kinds.push_back(kind);
  claim_ = unknown_ticket;
  // A book that is closing answers at once, on this thread: take() must find the lock free.
  lock.unlock();
  const Driver::Ticket ticket =
      driver_.post_claim(std::move(claim), context_, BookTime::max(),
                         [self = shared_from_this()](Reply reply) { self->take(std::move(reply)); });
  lock.lock();
  if (claim_ != unknown_ticket) return;  // answered meanwhile
  claim_ = ticket;
  if (stopping_) driver_.withdraw(ticket);
}

// On the callback thread: what the waiting claim brought.
void WorkLoop::Impl::take(Reply reply) {
  std::vector<std::shared_ptr<Run>> unwanted;
  {
    std::unique_lock lock(mutex_);
    claim_.reset();
    if (reply.error || !reply.answers) {
      // The disk failed, or the book is closed or held: no claim will succeed.
      if (!reply.error && reply.answers.error().code != RefusalCode::closed) {
        tell_("worker " + options_.worker + " stops: its claim was refused: " + reply.answers.error().sentence);
      }
      stopping_ = true;
      ready_.notify_all();
      settled_.notify_all();
      return;
    }
    for (ClaimedJob& job : std::get<Claimed>(reply.answers->front()).jobs) {
      auto run = std::make_shared<Run>(std::move(job), driver_, context_);
      if (stopping_) {
        unwanted.push_back(std::move(run));
        continue;
      }
      runs_.emplace(run->job().token.claim, run);
      queue_.push_back(std::move(run));
      if (driver_.is_driven()) driver_.defer([self = shared_from_this()] { self->serve_here(); });
    }
    if (!runs_.empty()) renew_later();
    ready_.notify_all();
    settled_.notify_all();
    claim_more(lock);
  }
  if (!unwanted.empty()) hand_back(std::move(unwanted));
}

// A slot: runs one handler after the other until the loop stops.
void WorkLoop::Impl::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty() || stopping_) return;
    run_next(lock);
  }
}

// The same in a book without threads, for one job: on the thread that drives.
void WorkLoop::Impl::serve_here() {
  std::unique_lock lock(mutex_);
  if (!queue_.empty() && !stopping_) run_next(lock);
}

void WorkLoop::Impl::run_next(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<Run> run = std::move(queue_.front());
  queue_.pop_front();
  run->begin();
  lock.unlock();
  handle(*run);
  lock.lock();
  runs_.erase(run->job().token.claim);
  settled_.notify_all();
  claim_more(lock);
}

void WorkLoop::Impl::handle(Run& run) {
  const Handler& handler = handlers_.at(run.job().kind);
  Verdict verdict;
  try {
    verdict = handler(run);
  } catch (const std::exception& error) {
    verdict = retry(error.what(), "exception");
  } catch (...) {
    verdict = retry("the handler threw something that is no std::exception", "exception");
  }
  finish(run, std::move(verdict));
}

void WorkLoop::Impl::finish(Run& run, Verdict verdict) {
  Submission submission{.commands = {}, .context = context_};
  submission.context.cause = run.job().token.claim;
  if (std::optional<Envelope> progress = run.take_progress(); progress && !std::holds_alternative<DoneWork>(verdict)) {
    submission.commands.emplace_back(
        Renew{.claims = {{run.job().id, run.job().token, std::move(progress)}}, .lease = options_.lease});
  }
  const bool retryable = !std::holds_alternative<DiscardWork>(verdict);
  submission.commands.push_back(outcome_command(run.job(), std::move(verdict)));
  try {
    const auto recorded = driver_.call(std::move(submission));
    if (!recorded && !speaks_of_claim(recorded.error().code)) fail_instead(run, recorded.error(), retryable);
  } catch (const std::exception&) {
    // The disk failed: the claim will be ended by whoever opens the book next. The next claim stops this loop.
  }
}

// What the handler said cannot be recorded (too large, a time out of range, no name): the record says so, and the attempt
// has failed. Otherwise the lease would run out without a word.
void WorkLoop::Impl::fail_instead(const Run& run, const Refusal& refusal, bool retryable) {
  Submission submission{.commands = {Fail{.job = run.job().id,
                                          .token = run.job().token,
                                          .error = "the handler's outcome was refused: " + refusal.sentence,
                                          .error_kind = "outcome_refused",
                                          .retryable = retryable}},
                        .context = context_};
  submission.context.cause = run.job().token.claim;
  const auto failed = driver_.call(std::move(submission));
  tell_("job " + to_string(run.job().id) + ": the outcome of its handler was refused: " + refusal.sentence +
        (failed ? "" : "; and so was its failure: " + failed.error().sentence));
}

void WorkLoop::Impl::renew_later() {
  if (will_renew_) return;
  will_renew_ = true;
  const BookTime next = driver_.now().book + options_.lease / limits::lease_renewals;
  driver_.at(next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->renew();
  });
}

void WorkLoop::Impl::renew() {
  std::vector<std::shared_ptr<Run>> runs;
  std::vector<std::shared_ptr<Run>> ignoring;
  {
    const std::lock_guard lock(mutex_);
    will_renew_ = false;
    if (runs_.empty()) return;
    for (const auto& [claim, run] : runs_) {
      if (!run->lost()) {
        runs.push_back(run);
      } else if (run->begun()) {
        ignoring.push_back(run);
      }
    }
    renew_later();
  }
  tell_of_ignored(ignoring);
  if (!runs.empty()) post_renewal(runs, true);
}

void WorkLoop::Impl::post_renewal(const std::vector<std::shared_ptr<Run>>& runs, bool with_progress) {
  Renew renew{.claims = {}, .lease = options_.lease};
  for (const auto& run : runs) {
    renew.claims.push_back({run->job().id, run->job().token, with_progress ? run->take_progress() : std::nullopt});
  }
  driver_.post({.commands = {std::move(renew)}, .context = context_},
               [self = shared_from_this(), runs, with_progress](const Reply& reply) {
                 self->renewed(runs, with_progress, reply);
               });
}

// A checkpoint that cannot be recorded costs the checkpoint, never the lease.
void WorkLoop::Impl::renewed(const std::vector<std::shared_ptr<Run>>& runs, bool with_progress, const Reply& reply) {
  if (reply.error) return;
  if (!reply.answers) {
    tell_("worker " + options_.worker + ": renewing was refused: " + reply.answers.error().sentence);
    if (with_progress) post_renewal(runs, false);
    return;
  }
  std::vector<std::shared_ptr<Run>> again;
  const auto& claims = std::get<Renewed>(reply.answers->front()).claims;
  for (std::size_t i = 0; i < runs.size() && i < claims.size(); ++i) {
    if (claims[i]) {
      if (claims[i]->cancel_requested) runs[i]->request_stop();
    } else if (claims[i].error().code == RefusalCode::payload_too_large) {
      tell_(claims[i].error().sentence);
      again.push_back(runs[i]);
    } else {
      runs[i]->lose();
      runs[i]->request_stop();
    }
  }
  if (!again.empty() && with_progress) post_renewal(again, false);
}

void WorkLoop::Impl::cancel(Sequence job) {
  const std::lock_guard lock(mutex_);
  for (const auto& [claim, run] : runs_) {
    if (run->job().id.sequence == job) run->request_stop();
  }
}

void WorkLoop::Impl::end(const Token& token) {
  const std::lock_guard lock(mutex_);
  const auto run = runs_.find(token.claim);
  if (run == runs_.end()) return;
  run->second->lose();
  run->second->request_stop();
}

WorkStats WorkLoop::Impl::stats() {
  const std::lock_guard lock(mutex_);
  WorkStats stats{.slots = options_.slots, .claimed = static_cast<std::uint32_t>(runs_.size()), .ignoring = {}};
  for (const auto& [claim, run] : runs_) {
    if (run->begun() && run->lost()) stats.ignoring.push_back({run->job().id, run->job().token, run->job().kind});
  }
  return stats;
}

// Once each, a renewal after the stop token fired: a handler that heeds it has ended by then.
void WorkLoop::Impl::tell_of_ignored(const std::vector<std::shared_ptr<Run>>& runs) {
  for (const auto& run : runs) {
    if (run->tell_now()) {
      tell_("worker " + options_.worker + ": the handler of job " + to_string(run->job().id) + " (" + run->job().kind +
            ", attempt " + std::to_string(run->job().attempt) +
            ") goes on although the attempt is over and its stop token fired; it keeps a slot busy until it returns");
    }
  }
}

void WorkLoop::Impl::changed() {
  const std::lock_guard lock(mutex_);
  ++changes_;
  settled_.notify_all();
}

void WorkLoop::Impl::hand_back(std::vector<std::shared_ptr<Run>> runs) {
  for (const auto& run : runs) {
    driver_.post({.commands = {Release{run->job().id, run->job().token}}, .context = context_}, [](const Reply&) {});
  }
}

void WorkLoop::Impl::stop() {
  if (driver_.in_forked_child()) return;
  std::vector<std::shared_ptr<Run>> unbegun;
  {
    std::unique_lock lock(mutex_);
    if (!started_) return;
    started_ = false;
    stopping_ = true;
    if (claim_ && claim_ != unknown_ticket) driver_.withdraw(*claim_);  // else whoever posts it withdraws it
    unbegun.assign(queue_.begin(), queue_.end());
    queue_.clear();
    for (const auto& run : unbegun) runs_.erase(run->job().token.claim);
    ready_.notify_all();
  }
  hand_back(std::move(unbegun));
  driver_.at(driver_.now().book + options_.patience, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    const std::lock_guard lock(self->mutex_);
    for (const auto& [claim, run] : self->runs_) run->request_stop();
  });
  static_cast<void>(driver_.drive());  // where no thread does it: what was handed back, and the end of the claim
  for (std::thread& slot : slots_) slot.join();
  slots_.clear();
  {
    std::unique_lock lock(mutex_);
    settled_.wait(lock, [&] { return !claim_; });
  }
  try {
    static_cast<void>(driver_.call({.commands = {LeaveWorker{options_.worker}}, .context = context_}));
  } catch (const std::exception&) {
    // The disk failed: the next opening sees that the process is gone.
  }
}

bool WorkLoop::Impl::is_empty() {
  bool empty = true;
  driver_.look([&](const View& view, const Moment&) {
    const Counts counts = view.counts();
    for (const std::string& queue : options_.queues) {
      const auto id = view.find_name(NameSort::queue, queue);
      if (!id) continue;
      for (const JobState state : {JobState::waiting, JobState::awaiting, JobState::running}) {
        const auto count = counts.find({*id, state});
        if (count != counts.end() && count->second != 0) empty = false;
      }
    }
  });
  return empty;
}

void WorkLoop::Impl::run_until_empty() {
  driver_.require_own_process();
  if (driver_.is_driven()) {
    driver_.drive_until([this] { return stopping_ || is_empty(); });
    return;
  }
  while (true) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      seen = changes_;
    }
    if (is_empty()) return;
    std::unique_lock lock(mutex_);
    settled_.wait(lock, [&] { return stopping_ || changes_ != seen; });
  }
}

WorkLoop::WorkLoop(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
WorkLoop::WorkLoop(WorkLoop&&) noexcept = default;
WorkLoop& WorkLoop::operator=(WorkLoop&& other) noexcept {
  if (this != &other) {
    const WorkLoop before(std::move(*this));
    impl_ = std::move(other.impl_);
  }
  return *this;
}
WorkLoop::~WorkLoop() {
  if (!impl_) return;
  impl_->stop();
  // In a forked child the slots' threads can neither run nor be joined: the loop stays where it is.
  if (impl_->in_forked_child()) static_cast<void>(new std::shared_ptr<Impl>(std::move(impl_)));
}
WorkLoop& WorkLoop::on(std::string kind, Handler handler) {
  impl_->on(std::move(kind), std::move(handler));
  return *this;
}
Result<void> WorkLoop::start() {
  return impl_->start();
}
void WorkLoop::stop() {
  impl_->stop();
}
WorkStats WorkLoop::stats() const {
  return impl_->stats();
}
void WorkLoop::run_until_empty() {
  impl_->run_until_empty();
}

}  // namespace daybook
