// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of a Daybook: its parts, in the order in which they need each other, and who is told what.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daybook/daybook.hpp"
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
    driver_->on_end([this](const Token& token) {
      for (const auto& loop : loops()) loop->end(token);
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
    const Sequence last = parts_.log->tail().sequence;
    for (const auto& subscription : subscriptions()) subscription->note(last);
    if (event_log_ && event_log_->alive()) {
      static_cast<void>(event_log_->wait_through(last));
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
    driver_->post({.commands = {record_of(taken)}, .context = {.actor = "daybook"}}, [this](const Reply& reply) {
      if (reply.error || reply.answers || reply.answers.error().code == RefusalCode::needs_upgrade) return;
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

}  // namespace daybook
