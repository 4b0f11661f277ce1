// SPDX-License-Identifier: Apache-2.0

// The facade: puts storage, log, index and engine together, and turns each call into a submission. It decides nothing.
#include "daybook/daybook.hpp"

#include <algorithm>
#include <utility>

#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook_impl.hpp"

namespace daybook {

namespace {

/// Blocks until what `post` gives to the driver is answered: at the latest when `wait` has passed, soon when a stop is requested.
Result<std::vector<Answer>> await(Driver& driver, Duration wait, std::stop_token stop,
                                  const std::function<Driver::Ticket(BookTime until, Engine::Completion)>& post) {
  std::promise<Reply> promise;
  std::future<Reply> future = promise.get_future();
  const BookTime now = driver.now().book;
  const BookTime until = wait > BookTime::max() - now ? BookTime::max() : now + std::max(wait, Duration(0));
  bool answered = false;
  const Driver::Ticket ticket = post(until, [&promise, &answered](Reply reply) {
    answered = true;
    promise.set_value(std::move(reply));
  });
  const std::stop_callback withdraw(std::move(stop), [&] { driver.withdraw(ticket); });
  driver.drive_for(ticket, answered);
  Reply reply = future.get();
  if (reply.error) std::rethrow_exception(reply.error);
  return std::move(reply.answers);
}

}  // namespace

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

Result<std::vector<ClaimedJob>> Daybook::claim(Claim command) {
  return impl_->one<Claimed>(std::move(command)).map([](Claimed&& claimed) { return std::move(claimed.jobs); });
}

Result<std::vector<ClaimedJob>> Daybook::claim(Claim command, Duration wait, std::stop_token stop) {
  auto answers = await(impl_->driver(), wait, std::move(stop), [&](BookTime until, Engine::Completion completion) {
    return impl_->driver().post_claim(std::move(command), impl_->context(), until, std::move(completion));
  });
  return std::move(answers).map(
      [](std::vector<Answer>&& answered) { return std::get<Claimed>(std::move(answered.front())).jobs; });
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
Result<void> Daybook::move(JobId job, std::string queue, std::string reason) {
  return impl_->done(Move{job, std::move(queue)}, std::move(reason));
}
Result<Sequence> Daybook::hold(Filter where, std::string reason) {
  return impl_->one<Recorded>(PlaceHold{std::move(where)}, std::move(reason)).map([](const Recorded& placed) {
    return placed.event;
  });
}
Result<void> Daybook::lift_hold(Sequence hold, std::string reason) {
  return impl_->done(LiftHold{hold}, std::move(reason));
}
std::vector<Hold> Daybook::holds() const {
  std::vector<Hold> holds;
  impl_->driver().look(
      [&](const View& view, const Moment&) { view.each_hold([&](const Hold& hold) { holds.push_back(hold); }); });
  return holds;
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

}  // namespace

Result<JobInfo> Daybook::job(JobId id) const {
  std::optional<Result<JobInfo>> found;
  Book book;
  impl_->driver().look([&](const View& view, const Moment& now) {
    found = find(id, view, now);
    book = view.book();
  });
  if (found) return std::move(*found);
  impl_->driver().require_own_process();
  const LogReader reader(*impl_->parts().storage);
  return tl::unexpected<Refusal>(why_absent(events_of(reader), id, book, reader.first_readable()).refusal);
}

Result<JobInfo> Daybook::wait(JobId id, Duration timeout, std::stop_token stop) const {
  std::optional<Result<JobInfo>> found;
  const auto look = [&](const View& view, const Moment& then) { found = find(id, view, then); };
  const auto ended =
      await(impl_->driver(), timeout, std::move(stop), [&](BookTime until, Engine::Completion completion) {
        return impl_->driver().post_wait(id, until, look, std::move(completion));
      });
  if (!ended) return tl::unexpected<Refusal>(ended.error());
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
