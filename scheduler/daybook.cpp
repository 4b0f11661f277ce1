// SPDX-License-Identifier: Apache-2.0

// The facade: puts storage, log, index and engine together, and turns each call into a submission. It decides nothing.
#include "daybook/daybook.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/system/process.hpp"
#include "driver.hpp"
#include "event_lines.hpp"
#include "keeper_thread.hpp"
#include "open_book.hpp"
#include "subscription.hpp"
#include "work_loop.hpp"

namespace daybook {

class Daybook::Impl {
 public:
  Impl(OpenedBook opened, Options options) : options_(std::move(options)), parts_(std::move(opened)) {
    const Threads threads = options_.driven ? Threads::none : Threads::own;
    driver_ = std::make_unique<Driver>(std::move(parts_.engine), *parts_.clock, *parts_.waiter, threads);
    driver_->on_cancel([this](Sequence job) {
      for (const auto& loop : loops()) loop->cancel(job);
    });
    keeper_ = std::make_unique<KeeperThread>(std::make_unique<Keeper>(keeper_parts(), parts_.report.head), threads);
    driver_->on_change([this](Sequence head, std::uint64_t log_bytes) {
      keeper_->note(head, log_bytes);
      for (const auto& loop : loops()) loop->changed();
      for (const auto& subscription : subscriptions()) subscription->note(head);
    });
    keeper_->note(parts_.report.head, 0);
  }
  ~Impl() {
    if (!closing_.exchange(true)) keeper_->stop();
    if (event_log_) event_log_->stop();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Driver& driver() const { return *driver_; }
  [[nodiscard]] KeeperThread& keeper() const { return *keeper_; }
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const OpenedBook& parts() const { return parts_; }

  [[nodiscard]] Context context(std::string reason = {}) const {
    return Context{.actor = options_.actor, .origin = options_.actor_origin, .reason = std::move(reason)};
  }

  // A submission that names no actor of its own is the handle's owner's.
  [[nodiscard]] Submission owned(Submission submission) const {
    if (submission.context.actor == Context{}.actor) {
      submission.context.actor = options_.actor;
      submission.context.origin = options_.actor_origin;
    }
    return submission;
  }

  // The first who closes does it; whoever comes meanwhile finds it being done.
  void close() {
    if (closing_.exchange(true)) return;
    keeper_->stop();
    driver_->close();
    if (event_log_ && event_log_->alive()) {
      event_log_->note(parts_.log->tail().sequence);
      static_cast<void>(event_log_->wait_through(parts_.log->tail().sequence));
      event_log_->stop();
    }
    parts_.lock.reset();
  }

  void report(LogLevel level, const std::string& sentence) const {
    if (options_.log) options_.log(level, sentence);
  }

  [[nodiscard]] std::shared_ptr<WorkLoop::Impl> new_loop(WorkOptions options) {
    driver_->require_own_process();
    const std::lock_guard lock(mutex_);
    if (options.worker.empty()) {
      options.worker = host_name() + ":" + std::to_string(process_id()) + ":" + std::to_string(++loops_made_);
    }
    auto loop =
        std::make_shared<WorkLoop::Impl>(*driver_, std::move(options), context(),
                                         [this](const std::string& sentence) { report(LogLevel::error, sentence); });
    std::erase_if(loops_, [](const auto& weak) { return weak.expired(); });
    loops_.push_back(loop);
    return loop;
  }

  [[nodiscard]] std::shared_ptr<Subscription::Impl> subscribe(Sequence from, Subscription::Deliver deliver) {
    driver_->require_own_process();
    auto made = std::make_shared<Subscription::Impl>(
        *parts_.storage, from, std::move(deliver),
        [this](const std::string& sentence) { report(LogLevel::error, sentence); },
        options_.driven ? Threads::none : Threads::own);
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(subscriptions_, [](const auto& weak) { return weak.expired(); });
      subscriptions_.push_back(made);
    }
    Sequence head;
    driver_->look([&](const View& view, const Moment&) { head = view.book().head; });
    if (options_.driven) {
      driver_->defer([made, head] { made->note(head); });  // inside drive(), like all that follows
    } else {
      made->note(head);
    }
    return made;
  }

  [[nodiscard]] std::string line_of(const RecordedEvent& recorded) const {
    std::string line;
    try {
      driver_->look([&](const View& names, const Moment&) { line = event_line(recorded, &names); });
    } catch (const StorageError&) {  // closed, or poisoned: nobody knows the names any more
      line = event_line(recorded, nullptr);
    }
    return line;
  }

  // What people look for, as lines of the service's log, from this opening on.
  void log_events(Sequence from) {
    event_log_ = subscribe(from, [this](const RecordedEvent& recorded) {
      if (const auto level = level_of(recorded.event)) options_.log(*level, line_of(recorded));
    });
  }

  template <class Made>
  Result<Made> one(Command command, std::string reason = {}) const {
    auto answers = driver_->call({.commands = {std::move(command)}, .context = context(std::move(reason))});
    if (!answers) return tl::unexpected<Refusal>(answers.error());
    return std::get<Made>(std::move(answers->front()));
  }

  Result<void> done(Command command, std::string reason = {}) const {
    return one<Done>(std::move(command), std::move(reason)).map([](const Done&) {});
  }

 private:
  [[nodiscard]] std::vector<std::shared_ptr<WorkLoop::Impl>> loops() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<WorkLoop::Impl>> living;
    for (const auto& weak : loops_) {
      if (auto loop = weak.lock()) living.push_back(std::move(loop));
    }
    return living;
  }

  [[nodiscard]] std::vector<std::shared_ptr<Subscription::Impl>> subscriptions() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Subscription::Impl>> living;
    for (const auto& weak : subscriptions_) {
      if (auto subscription = weak.lock()) living.push_back(std::move(subscription));
    }
    return living;
  }

  [[nodiscard]] Keeper::Parts keeper_parts() {
    return {.storage = *parts_.storage,
            .options = options_.snapshots,
            .warn = [this](const std::string& sentence) { report(LogLevel::warning, sentence); },
            .taken = [this](const TakenSnapshot& taken) { record(taken); },
            .segments = options_.segments,
            .clock = parts_.clock,
            .dropped_through =
                [this] {
                  Sequence through;
                  driver_->look([&](const View& view, const Moment&) { through = view.book().dropped_through; });
                  return through;
                },
            .record_drop =
                [this](const SegmentsDropped& dropped) {
                  const auto answers =
                      driver_->call({.commands = {RecordDrop{dropped}}, .context = {.actor = "daybook"}});
                  if (!answers) report(LogLevel::warning, "nothing was dropped: " + answers.error().sentence);
                  return answers.has_value();
                }};
  }

  // A book of the first feature level has no event for it, and is as well without.
  void record(const TakenSnapshot& taken) {
    if (taken.existed) return;
    driver_->post({.commands = {record_of(taken.summary)}, .context = {.actor = "daybook"}},
                  [this](const Reply& reply) {
                    if (reply.error || reply.answers || reply.answers.error().code == RefusalCode::needs_upgrade)
                      return;
                    report(LogLevel::warning, "the snapshot is not on record: " + reply.answers.error().sentence);
                  });
  }

  Options options_;
  OpenedBook parts_;
  std::unique_ptr<KeeperThread> keeper_;  // the driver's callbacks use it
  std::unique_ptr<Driver> driver_;
  std::atomic<bool> closing_ = false;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<WorkLoop::Impl>> loops_;
  std::vector<std::weak_ptr<Subscription::Impl>> subscriptions_;
  std::shared_ptr<Subscription::Impl> event_log_;
  std::uint64_t loops_made_ = 0;
};

Daybook::Daybook(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  impl_->report(LogLevel::info, impl_->parts().report.note);
  if (impl_->options().log_events && impl_->options().log) impl_->log_events(impl_->parts().report.opened);
}
Daybook::Daybook(Daybook&&) noexcept = default;

Daybook& Daybook::operator=(Daybook&& other) noexcept {
  if (this != &other) {
    Daybook before(std::move(*this));
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Daybook::~Daybook() {
  if (!impl_) return;
  if (impl_->driver().in_forked_child()) {
    static_cast<void>(impl_.release());  // its threads cannot be joined here, and its files are not ours to write
    return;
  }
  try {
    impl_->close();
  } catch (const std::exception& error) {
    impl_->report(LogLevel::error, std::string("closing the book failed: ") + error.what());
  }
}

Daybook Daybook::open(const std::filesystem::path& directory, Options options) {
  OpenedBook opened = open_book(directory, options);
  return Daybook(std::make_unique<Impl>(std::move(opened), std::move(options)));
}

Daybook Daybook::open(Storage& storage, Options options) {
  OpenedBook opened = open_book(storage, options);
  return Daybook(std::make_unique<Impl>(std::move(opened), std::move(options)));
}

bool Daybook::drive() {
  return impl_->driver().drive();
}
std::optional<Duration> Daybook::until_next() const {
  return impl_->driver().until_next();
}

void Daybook::close() {
  impl_->close();
}
const OpeningReport& Daybook::opening() const {
  return impl_->parts().report;
}
Moment Daybook::now() const {
  return impl_->driver().now();
}

Result<JobId> Daybook::schedule(Schedule command) {
  return impl_->one<Scheduled>(std::move(command)).map([](const Scheduled& scheduled) { return scheduled.job; });
}

Result<std::vector<ClaimedJob>> Daybook::claim(Claim command) {
  return impl_->one<Claimed>(std::move(command)).map([](Claimed&& claimed) { return std::move(claimed.jobs); });
}

Result<std::vector<ClaimedJob>> Daybook::claim(Claim command, Duration wait, std::stop_token stop) {
  std::promise<Reply> promise;
  std::future<Reply> future = promise.get_future();
  Driver& driver = impl_->driver();
  const BookTime now = driver.now().book;
  const BookTime until = wait > BookTime::max() - now ? BookTime::max() : now + std::max(wait, Duration(0));
  bool answered = false;
  const Driver::Ticket ticket =
      driver.post_claim(std::move(command), impl_->context(), until, [&promise, &answered](Reply reply) {
        answered = true;
        promise.set_value(std::move(reply));
      });
  const std::stop_callback withdraw(stop, [&] { driver.withdraw(ticket); });
  if (driver.is_driven() && !driver.drive_until([&answered] { return answered; })) {
    driver.withdraw(ticket);  // nothing will ever be due
    static_cast<void>(driver.drive());
  }
  Reply reply = future.get();
  if (reply.error) std::rethrow_exception(reply.error);
  if (!reply.answers) return tl::unexpected<Refusal>(reply.answers.error());
  return std::get<Claimed>(std::move(reply.answers->front())).jobs;
}

Result<Renewed> Daybook::renew(Renew command) {
  return impl_->one<Renewed>(std::move(command));
}
Result<void> Daybook::complete(const ClaimedJob& job, Envelope result) {
  return complete(Complete{job.id, job.token, std::move(result)});
}
Result<void> Daybook::complete(Complete command) {
  return impl_->done(std::move(command));
}
Result<void> Daybook::fail(Fail command) {
  return impl_->done(std::move(command));
}
Result<void> Daybook::snooze(Snooze command) {
  return impl_->done(command);
}
Result<void> Daybook::release(Release command) {
  return impl_->done(command);
}
Result<void> Daybook::cancel(JobId job, std::string reason) {
  return impl_->done(Cancel{job}, std::move(reason));
}
Result<void> Daybook::reschedule(JobId job, When due, std::string reason) {
  return impl_->done(Reschedule{job, due}, std::move(reason));
}
Result<void> Daybook::retain(const Retention& retention, std::string reason) {
  return impl_->done(Configure{settings_of(retention)}, std::move(reason));
}
Result<void> Daybook::retry(JobId job, When due, std::string reason) {
  return impl_->done(Retry{job, due}, std::move(reason));
}
Result<void> Daybook::pause(std::string queue, std::string reason) {
  return impl_->done(PauseQueue{std::move(queue)}, std::move(reason));
}
Result<void> Daybook::resume(std::string queue, std::string reason) {
  return impl_->done(ResumeQueue{std::move(queue)}, std::move(reason));
}
Result<void> Daybook::set_limits(SetLimits limits, std::string reason) {
  return impl_->done(std::move(limits), std::move(reason));
}
Result<void> Daybook::set_weight(SetWeight weight, std::string reason) {
  return impl_->done(std::move(weight), std::move(reason));
}
Result<void> Daybook::adopt(std::string reason) {
  return impl_->done(AdoptBook{}, std::move(reason));
}
Result<void> Daybook::confirm_clock(std::string reason) {
  return impl_->done(ConfirmClock{}, std::move(reason));
}

Result<void> Daybook::upgrade(std::string reason) {
  return impl_->done(RaiseFeatureLevel{}, std::move(reason));
}

Result<std::vector<Answer>> Daybook::execute(Submission submission) {
  return impl_->driver().call(impl_->owned(std::move(submission)));
}

void Daybook::submit(Submission submission, Completion completion) {
  impl_->driver().post(impl_->owned(std::move(submission)),
                       [impl = impl_.get(), completion = std::move(completion)](Reply reply) {
                         try {
                           completion(std::move(reply.answers), reply.error);
                         } catch (const std::exception& error) {
                           impl->report(LogLevel::error, std::string("a completion threw: ") + error.what());
                         }
                       });
}

std::future<Result<std::vector<Answer>>> Daybook::submit(Submission submission) {
  auto promise = std::make_shared<std::promise<Result<std::vector<Answer>>>>();
  auto future = promise->get_future();
  submit(std::move(submission), [promise](Result<std::vector<Answer>> answers, std::exception_ptr error) {
    if (error) {
      promise->set_exception(std::move(error));
    } else {
      promise->set_value(std::move(answers));
    }
  });
  return future;
}

WorkLoop Daybook::work(WorkOptions options) {
  return WorkLoop(impl_->new_loop(std::move(options)));
}

SnapshotReport Daybook::snapshot() {
  const auto taken = impl_->keeper().take();
  if (!taken) throw StorageError(Place{}, 0, "the book is closed: open it again to take a snapshot");
  const SnapshotSummary& summary = taken->summary;
  return {.sequence = summary.point.sequence,
          .bytes = summary.bytes,
          .jobs = summary.counts.jobs,
          .events_folded = taken->events_folded,
          .existed = taken->existed,
          .state_hash = summary.state_hash,
          .file_sha256 = summary.file_sha256};
}

namespace {

/// Unset: the state knows no job of that number.
std::optional<Result<JobInfo>> find(JobId id, const View& view, const Moment& now) {
  const Job* job = view.job(id.sequence);
  if (job == nullptr) return std::nullopt;
  if (id.generation != GenerationTag(0) && id.generation != job->id.generation) {
    return refuse(RefusalCode::another_history, "job " + to_string(id) + ": issued by another copy of this book");
  }
  return job_info(*job, view, now);
}

/// What the log knows of a job that the state does not.
Refusal let_go(JobId id, const std::vector<RecordedEvent>& history) {
  for (const RecordedEvent& recorded : history) {
    const auto* pruned = std::get_if<JobsPruned>(&recorded.event);
    if (pruned == nullptr) continue;
    for (const PrunedJob& one : pruned->jobs) {
      if (one.job.sequence != id.sequence) continue;
      return {RefusalCode::pruned,
              "job " + to_string(one.job) + " was " + std::string(to_string(one.state)) + " at " +
                  to_string(one.finalized_at) + " and pruned at " + to_string(recorded.wall) + " (event " +
                  std::to_string(recorded.sequence.value()) + "); its history is in the log",
              id.sequence.value()};
    }
  }
  return {RefusalCode::no_such_job, "job " + to_string(id) + ": never issued in this book"};
}

}  // namespace

Result<JobInfo> Daybook::job(JobId id) const {
  std::optional<Result<JobInfo>> found;
  Sequence head;
  impl_->driver().look([&](const View& view, const Moment& now) {
    found = find(id, view, now);
    head = view.book().head;
  });
  if (found) return std::move(*found);
  const bool may_have_been = id.sequence != Sequence() && id.sequence <= head;
  return tl::unexpected<Refusal>(let_go(id, may_have_been ? history(id) : std::vector<RecordedEvent>()));
}

Result<JobInfo> Daybook::wait(JobId id, Duration timeout, std::stop_token stop) const {
  std::promise<Reply> promise;
  std::future<Reply> future = promise.get_future();
  std::optional<Result<JobInfo>> found;
  Driver& driver = impl_->driver();
  const BookTime now = driver.now().book;
  const BookTime until = timeout > BookTime::max() - now ? BookTime::max() : now + std::max(timeout, Duration(0));
  const Driver::Ticket ticket = driver.post_wait(
      id.sequence, until, [&](const View& view, const Moment& then) { found = find(id, view, then); },
      [&promise](Reply reply) { promise.set_value(std::move(reply)); });
  const std::stop_callback withdraw(stop, [&] { driver.withdraw(ticket); });
  Reply reply = future.get();
  if (reply.error) std::rethrow_exception(reply.error);
  if (!reply.answers) return tl::unexpected<Refusal>(reply.answers.error());
  return found ? std::move(*found) : job(id);
}

std::vector<JobInfo> Daybook::jobs(const JobsQuery& query) const {
  std::vector<JobInfo> found;
  impl_->driver().look([&](const View& view, const Moment& now) {
    const auto queue = query.queue ? view.find_name(NameSort::queue, *query.queue) : std::nullopt;
    if (query.queue && !queue) return;
    view.each_job([&](const Job& job) {
      if (found.size() >= query.limit || job.id.sequence <= query.after) return;
      if (queue && job.spec->queue != *queue) return;
      if (query.phase && phase(job, now) != *query.phase) return;
      if (!query.where.matches(job, view, now)) return;
      found.push_back(job_info(job, view, now));
    });
  });
  return found;
}

Stat Daybook::stat() const {
  Stat stat;
  impl_->driver().look([&](const View& view, const Moment&) {
    const Counts counts = view.counts();
    const auto count = [&](NameId queue, JobState state) {
      const auto found = counts.find({queue, state});
      return found == counts.end() ? 0 : found->second;
    };
    view.each_queue([&](const Queue& queue) {
      stat.queues.push_back({.queue = view.name(queue.id)->text,
                             .paused = queue.paused,
                             .waiting = count(queue.id, JobState::waiting),
                             .running = count(queue.id, JobState::running),
                             .completed = count(queue.id, JobState::completed),
                             .cancelled = count(queue.id, JobState::cancelled),
                             .dead = count(queue.id, JobState::dead),
                             .uncertain = count(queue.id, JobState::uncertain),
                             .limits = queue.limits});
    });
    stat.head = view.book().head;
    stat.epoch = view.book().epoch;
    stat.held = view.book().held;
    stat.feature_level = view.book().feature_level;
    stat.clock_doubted = view.book().clock_doubted;
    stat.refusals_counted = impl_->driver().refusals_counted();
    stat.costs = impl_->parts().log->costs();  // the log is the engine's, and the engine rests while we look
  });
  std::sort(stat.queues.begin(), stat.queues.end(), [](const auto& a, const auto& b) { return a.queue < b.queue; });
  return stat;
}

Metrics Daybook::metrics() const {
  Metrics metrics;
  impl_->driver().look([&](const View& view, const Moment& now) {
    metrics = metrics_of(view, now);
    const Meter* meter = impl_->parts().meter.get();
    if (meter == nullptr) return;
    Metrics::Activity& activity = metrics.activity.emplace(meter->activity());
    const Journal::Costs costs = impl_->parts().log->costs();
    activity.written_bytes = costs.bytes;
    activity.syncs = costs.syncs;
    activity.projection_lag = impl_->driver().projection_lag();
  });
  metrics.segment_bytes = segment_bytes_of(*impl_->parts().storage);
  return metrics;
}

Subscription Daybook::subscribe(Sequence from, Subscription::Deliver deliver) {
  return Subscription(impl_->subscribe(from, std::move(deliver)));
}

std::vector<Undeclared> Daybook::undeclared() const {
  std::vector<Undeclared> found;
  impl_->driver().look([&](const View& view, const Moment& now) { found = daybook::undeclared(view, now); });
  return found;
}

std::vector<RecordedEvent> Daybook::history(JobId id) const {
  impl_->driver().require_own_process();
  const LogReader reader(*impl_->parts().storage);
  return daybook::history(events_of(reader), id.sequence, reader.first_readable());
}

void Daybook::look(const std::function<void(const View&, const Moment&)>& look) const {
  impl_->driver().look(look);
}

}  // namespace daybook
