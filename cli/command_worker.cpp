// SPDX-License-Identifier: Apache-2.0
// All of the loop is non-blocking but the writes into the book, which wait for a sync. Which signal goes to whom is decided
// here, what is said about a job at its end in command_outcomes.cpp; how a child is started and read is child_process.cpp's.
#include "command_worker.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "daybook/trace.hpp"
#include "exit.hpp"
#include "job_output.hpp"
#include "writing.hpp"

namespace daybook::cli {

using namespace std::chrono_literals;

// ---- beginning and end --------------------------------------------------------------------------------------------

void CommandWorker::join() {
  execute(book_, common_,
          JoinWorker{.worker = options_.worker,
                     .slots = options_.concurrency,
                     .queues = options_.queues,
                     .kinds = options_.kinds,
                     .holder = Holder::external});
}

void CommandWorker::leave() {
  execute(book_, common_, LeaveWorker{.worker = options_.worker});
}

void CommandWorker::run() {
  join();
  try {
    run_jobs();
  } catch (const RefusedError&) {
    // A claim that can never be granted. Nobody must believe that this worker is still there.
    claimer_.reset();
    leave();
    throw;
  }
  leave();
  if (!start_failure_.empty()) throw RefusedError(start_failure_);
}

void CommandWorker::run_jobs() {
  const Claim claim{.queues = options_.queues,
                    .kinds = options_.kinds,
                    .worker = options_.worker,
                    .lease = options_.lease,
                    .count = 1,
                    .holder = Holder::external};
  // Whoever waits for an end has to look for it: a lease of somebody else may end in a dead job, and wake nobody.
  claimer_ =
      std::make_unique<Claimer>(book_, claim, options_.concurrency, options_.until_empty ? Duration(1s) : Duration(1h));
  while (true) {
    const bool stopping = ends_requested_ > 0 || !start_failure_.empty();
    for (ClaimedJob& job : claimer_->take()) {
      if (stopping) {
        release(job);
      } else {
        start(std::move(job));
      }
    }
    look_after_children();
    if (running_.empty() && stopping) break;
    if (running_.empty() && options_.until_empty && nothing_left()) break;
    wait();
    take_end_requests();
  }
  claimer_->stop();
  for (const ClaimedJob& job : claimer_->take()) release(job);
}

void CommandWorker::take_end_requests() {
  const int requests = signals_.requests_to_end();
  if (requests == 0) return;
  const bool first = ends_requested_ == 0;
  ends_requested_ += requests;
  if (first) {
    claimer_->stop();
    patience_ends_ = now() + options_.patience;
    if (!running_.empty()) {
      tell("stopping: waiting up to " + to_string(options_.patience) + " for " + counted(running_.size(), "job") +
           "; once more ends them at once");
    }
  }
  if (ends_requested_ > 1) {
    for (Running& run : running_) {
      stop_child(run, Stopping::shutdown);
      run.child->signal_group(SIGKILL);
      run.killed = true;
    }
  }
}

/// Could anything still become this worker's? Nobody else can add to it: this process has the book.
bool CommandWorker::nothing_left() {
  std::uint64_t left = 0;
  left_in_paused_ = 0;
  book_.look([&](const View& view, const Moment&) {
    std::set<NameId> queues;
    std::set<NameId> kinds;
    for (const std::string& name : options_.queues) {
      if (const auto id = view.find_name(NameSort::queue, name)) queues.insert(*id);
    }
    for (const std::string& name : options_.kinds) {
      if (const auto id = view.find_name(NameSort::kind, name)) kinds.insert(*id);
    }
    const auto count = [&](NameId queue_id, JobState state, std::uint64_t jobs) {
      const Queue* queue = view.queue(queue_id);
      const bool paused = queue != nullptr && queue->paused;
      if (!queues.contains(queue_id) || is_final(state)) return;
      const bool stays = paused && (state == JobState::waiting || state == JobState::awaiting);
      (stays ? left_in_paused_ : left) += jobs;
    };
    if (options_.kinds.empty()) {
      for (const auto& [key, jobs] : view.counts()) count(key.first, key.second, jobs);
    } else {
      view.each_job([&](const Job& job) {
        if (kinds.contains(job.spec->kind)) count(job.spec->queue, job.state, 1);
      });
    }
  });
  return left == 0;
}

// ---- children -----------------------------------------------------------------------------------------------------

/// The answer is no when the claim is over already.
bool CommandWorker::find_limit(Running& run) const {
  bool claimed = false;
  book_.look([&](const View& view, const Moment&) {
    const Job* job = view.job(run.job.id.sequence);
    claimed = job != nullptr && job->lease && job->lease->token == run.job.token;
    if (!claimed) return;
    const auto& run_ends = job->lease->run_ends_at;
    if (job->end_by && (!run_ends || *job->end_by <= *run_ends)) {
      run.limit = {*job->end_by, job->spec->total_timeout.value_or(Duration(0)), true};
    } else if (run_ends) {
      run.limit = {*run_ends, job->spec->run_timeout.value_or(Duration(0)), false};
    }
  });
  return claimed;
}

void CommandWorker::start(ClaimedJob claimed) {
  Running run;
  run.job = std::move(claimed);
  run.started = now();
  run.lease_ends_at = run.job.lease_ends_at;
  const ClaimedJob& job = run.job;
  // It may have waited behind a slow start of another.
  if (!find_limit(run)) {
    report({.run = std::move(run), .ended = {}, .outcome = "lease_lost", .recorded = {}}, {});
    claimer_->free_slot();
    return;
  }
  std::vector<std::string> variables = {"DAYBOOK_ID=" + to_string(job.id),
                                        "DAYBOOK_KIND=" + job.kind,
                                        "DAYBOOK_QUEUE=" + job.queue,
                                        "DAYBOOK_ATTEMPT=" + std::to_string(job.attempt),
                                        "DAYBOOK_TOKEN=" + to_string(job.token),
                                        "DAYBOOK_DIR=" + std::filesystem::absolute(common_.directory).string()};
  // Linux takes no variable over 128 KiB and fails the start with E2BIG: a large checkpoint would stop the worker.
  constexpr std::size_t kProgressLimit = 64 * 1024;
  const std::string_view progress = job.progress.bytes();
  if (!progress.empty() && progress.size() <= kProgressLimit && progress.find('\0') == std::string_view::npos) {
    variables.push_back("DAYBOOK_PROGRESS=" + std::string(progress));
  }
  if (parse_traceparent(job.trace)) variables.push_back("TRACEPARENT=" + job.trace);
  try {
    run.child = std::make_unique<ChildProcess>(common_.command, variables, std::string(job.payload.bytes()));
  } catch (const std::system_error& error) {
    start_failure_ = "cannot start " + sanitized(common_.command.front()) + ": " + error.code().message() +
                     ". The job was handed back";
    release(job);
    return;
  }
  run.started = now();
  if (running_.empty()) renew_at_ = run.started + options_.lease / limits::lease_renewals;
  // A claim may have waited behind a slow start of another: its own lease counts, not the moment of this line.
  if (!run.lease_is_final()) {
    renew_at_ = std::min(renew_at_, job.lease_ends_at - options_.lease + options_.lease / limits::lease_renewals);
  }
  running_.push_back(std::move(run));
}

void CommandWorker::release(const ClaimedJob& job) {
  Submission submission{.commands = {Release{.job = job.id, .token = job.token}}, .context = context(common_)};
  // A refusal means that the lease is over, and so has the job been handed on already.
  if (book_.execute(std::move(submission))) ++outcomes_["released"];
  claimer_->free_slot();
}

void CommandWorker::stop_child(Running& run, Stopping why) {
  const bool begun = run.stopping != Stopping::no;
  // Whatever it was being ended for: once the claim is over, that is what there is to say.
  if (!begun || (run.may_speak() && (why == Stopping::lease_lost || why == Stopping::out_of_time))) run.stopping = why;
  if (begun) return;
  run.kill_at = now() + options_.grace;
  run.child->signal_group(SIGTERM);
}

/// What a lost claim was lost to: the job's own timeout, or that nobody renewed it in time.
Stopping CommandWorker::end_of_claim(const Running& run) const {
  return run.lease_is_final() && now() >= run.limit->at ? Stopping::out_of_time : Stopping::lease_lost;
}

void CommandWorker::end_what_is_out_of_time(BookTime time) {
  for (Running& run : running_) {
    if (run.lease_is_final() && time >= run.limit->at) stop_child(run, Stopping::out_of_time);
  }
}

void CommandWorker::renew_leases() {
  renew_at_ = now() + options_.lease / limits::lease_renewals;
  Renew renew{.claims = {}, .lease = options_.lease};
  std::vector<Running*> asked;
  for (Running& run : running_) {
    if (!run.may_speak() || run.lease_is_final()) continue;
    renew.claims.push_back({.job = run.job.id, .token = run.job.token});
    asked.push_back(&run);
  }
  look_for_cancellations();
  if (asked.empty()) return;
  const auto renewed = std::get<Renewed>(execute(book_, common_, std::move(renew)));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& one = renewed.claims[i];
    if (!one) {
      stop_child(*asked[i], end_of_claim(*asked[i]));
      continue;
    }
    asked[i]->lease_ends_at = one->lease_ends_at;
    if (one->cancel_requested) stop_child(*asked[i], Stopping::cancelled);
  }
}

/// Those whose lease is not renewed any more would not hear of it.
void CommandWorker::look_for_cancellations() {
  if (std::none_of(running_.begin(), running_.end(), [](const Running& run) { return run.lease_is_final(); })) return;
  std::vector<Running*> cancelled;
  book_.look([&](const View& view, const Moment&) {
    for (Running& run : running_) {
      const Job* job = view.job(run.job.id.sequence);
      const bool claimed = job != nullptr && job->lease && job->lease->token == run.job.token;
      if (claimed && job->cancel_requested) cancelled.push_back(&run);
    }
  });
  for (Running* run : cancelled) stop_child(*run, Stopping::cancelled);
}

bool CommandWorker::is_over(Running& run) {
  if (!run.child->ended()) return false;
  // A child that ended by itself is over. One that was told to may have left others of its group cleaning up: they
  // have the rest of the grace, and then nobody of the group is left.
  if (run.stopping == Stopping::no) return true;
  if (!run.child->silent() && !run.killed && now() < run.kill_at) return false;
  run.child->signal_group(SIGKILL);
  return true;
}

void CommandWorker::look_after_children() {
  if (running_.empty()) return;
  for (Running& run : running_) run.child->pump();

  const BookTime time = now();
  end_what_is_out_of_time(time);
  if (time >= renew_at_) renew_leases();
  for (Running& run : running_) {
    if (options_.timeout && time >= run.started + *options_.timeout) stop_child(run, Stopping::timed_out);
    if (patience_ends_ && time >= *patience_ends_) stop_child(run, Stopping::shutdown);
    if (run.stopping != Stopping::no && !run.killed && time >= run.kill_at) {
      run.child->signal_group(SIGKILL);
      run.killed = true;
    }
  }

  std::vector<Running> over;
  for (auto run = running_.begin(); run != running_.end();) {
    if (is_over(*run)) {
      over.push_back(std::move(*run));
      run = running_.erase(run);
    } else {
      ++run;
    }
  }
  if (!over.empty()) finish(std::move(over));
}

// ---- waiting ------------------------------------------------------------------------------------------------------

std::optional<BookTime> CommandWorker::next_deadline() const {
  if (running_.empty()) return std::nullopt;
  BookTime next = renew_at_;
  for (const Running& run : running_) {
    if (run.stopping != Stopping::no) {
      if (!run.killed) next = std::min(next, run.kill_at);
    } else {
      if (options_.timeout) next = std::min(next, run.started + *options_.timeout);
      if (run.lease_is_final()) next = std::min(next, run.limit->at);
      if (patience_ends_) next = std::min(next, *patience_ends_);
    }
  }
  return next;
}

void CommandWorker::wait() {
  std::vector<pollfd> descriptors = {{signals_.descriptor(), POLLIN, 0}, {claimer_->descriptor(), POLLIN, 0}};
  for (const Running& run : running_) {
    // A closed one is -1, which poll passes over.
    descriptors.push_back({run.child->input(), POLLOUT, 0});
    descriptors.push_back({run.child->output(), POLLIN, 0});
    descriptors.push_back({run.child->errors(), POLLIN, 0});
  }
  int milliseconds = -1;
  if (const auto deadline = next_deadline()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - now());
    milliseconds = static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 60'000));
  }
  ::poll(descriptors.data(), descriptors.size(), milliseconds);
}

}  // namespace daybook::cli
