// SPDX-License-Identifier: Apache-2.0

// Bytes as a life of a book: commands, time, failing storage calls, kills, losses of power, closings. Whatever happened, the next
// opening finds what was acknowledged, and the engine's entities are what a replay of the log makes.

#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/scheduler/engine.hpp"
#include "fuzz.hpp"
#include "sample_log.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"
#include "support/recurring_choices.hpp"

namespace daybook::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr int steps_max = 200;
constexpr std::array queues{"mail", "photos", "reports"};

class Life {
 public:
  explicit Life(Bytes bytes) : program_(bytes) {}

  void live() {
    open();
    for (int i = 0; i < steps_max && !program_.ended(); ++i) act();
    end(Way::killed);
    open();
    check();
  }

 private:
  enum class Way { killed, power_lost, closed };

  void act() {
    switch (program_.below(16)) {
      case 0:
      case 1:
        return submit(schedule());
      case 2:
        return submit(Claim{.queues = {queue()}, .worker = "w", .lease = 30s, .count = 1 + program_.byte() % 4u});
      case 3:
        if (const auto job = claimed()) submit(Complete{job->id, job->token, "done"}, job->id.sequence);
        return;
      case 4:
        if (const auto job = claimed()) {
          const bool retryable = program_.byte() % 4 != 0;
          submit(Fail{.job = job->id, .token = job->token, .error = "no", .retryable = retryable});
        }
        return;
      case 5:
        if (const auto job = claimed()) submit(Snooze{job->id, job->token, due()});
        return;
      case 6:
        if (const auto job = claimed()) submit(Release{job->id, job->token});
        return;
      case 7:
        if (const auto job = claimed())
          submit(Renew{.claims = {{job->id, job->token, Envelope("half")}}, .lease = 60s});
        return;
      case 8:
        return operate();
      case 9:
        return batch();
      case 10:
        return wait_for_claim();
      case 11:
        clock_.advance(Duration(std::chrono::seconds(program_.take(2))));
        return step();
      case 12:
        clock_.step_wall(Duration(std::chrono::seconds(program_.take(2))) - 9h);
        return step();
      case 13:
        return plan_fault();
      case 14: {
        const auto way = static_cast<Way>(program_.below(3));
        end(way);
        return open();
      }
      default:
        return step();
    }
  }

  // ---- commands
  std::string queue() { return queues.at(program_.below(queues.size())); }
  When due() {
    return program_.byte() % 2 == 0 ? When{} : When(after(Duration(std::chrono::seconds(program_.byte()))));
  }
  Schedule schedule() {
    Schedule command{.queue = queue(), .kind = "k", .payload = std::string(program_.byte(), 'p'), .due = due()};
    command.retry.max_attempts = 1 + program_.byte() % 4u;
    return command;
  }
  std::optional<ClaimedJob> claimed() {
    if (claimed_.empty()) return std::nullopt;
    return claimed_[program_.below(claimed_.size())];
  }
  JobId job() {
    const std::uint64_t sequence = program_.below(engine_->view().book().head.value() + 2);
    return JobId{Sequence(sequence), GenerationTag(0)};
  }
  void operate() {
    switch (program_.below(9)) {
      case 0:
        return submit(Cancel{job()});
      case 1:
        return submit(Reschedule{job(), due()});
      case 2:
        return submit(Retry{job(), due()});
      case 3:
        return submit(PauseQueue{queue()});
      case 4:
        return submit(limits());
      case 5:
      case 6:
        return submit(testing::recurring_command(engine_->view(), engine_->now(), program_.take(8)));
      case 7:
        return submit(child());
      default:
        return submit(ResumeQueue{queue()});
    }
  }
  SetLimits limits() {
    SetLimits command{.queue = queue(), .clear = program_.byte() % 4 == 0};
    command.running = program_.byte() % 3u;
    command.running_per_group = program_.byte() % 3u;
    if (program_.byte() % 2 == 0) command.rate = Rate{program_.byte() % 4u, 10s};
    return command;
  }
  Schedule child() {
    Schedule command = schedule();
    for (std::uint64_t left = program_.below(3); left > 0; --left) command.parents.emplace_back(job());
    command.run_when = static_cast<RunWhen>(program_.below(4));
    command.otherwise = static_cast<Otherwise>(program_.below(3));
    command.unique_key = program_.byte() % 2 == 0 ? "" : "k";
    command.on_conflict = static_cast<OnConflict>(program_.below(6));
    if (program_.byte() % 4 == 0) command.run_timeout = 5s;
    if (program_.byte() % 4 == 0) command.total_timeout = 20s;
    if (program_.byte() % 4 == 0) command.start_deadline = due();
    command.group = program_.byte() % 2 == 0 ? "" : "g";
    return command;
  }

  // With a request id, so that a second one gets the first answer.
  void batch() {
    Submission submission{.commands = {schedule(), schedule()}, .context = {}};
    if (const auto job = claimed()) submission.commands.emplace_back(Release{job->id, job->token});
    submission.context.request = RequestId{.client = "c", .id = std::to_string(program_.below(4))};
    submit(std::move(submission));
  }
  void wait_for_claim() {
    const Claim claim{.queues = {queue()}, .worker = "w", .lease = 30s, .count = 2};
    const BookTime until = engine_->now().book + Duration(std::chrono::seconds(program_.byte()));
    engine_->submit_claim(++ticket_, claim, {}, until, [this](const Reply& reply) { heard(reply, std::nullopt); });
    if (program_.byte() % 4 == 0) engine_->withdraw(ticket_);
    step();
  }

  void submit(Command command, std::optional<Sequence> completes = std::nullopt) {
    submit(Submission{.commands = {std::move(command)}, .context = {}}, completes);
  }
  // Some go on waiting for others: a step serves all of them.
  void submit(Submission submission, std::optional<Sequence> completes = std::nullopt) {
    engine_->submit(std::move(submission), [this, completes](const Reply& reply) { heard(reply, completes); });
    if (program_.byte() % 4 != 0) step();
  }

  void heard(const Reply& reply, std::optional<Sequence> completes) {
    if (reply.error || !reply.answers) return;
    for (const Answer& answer : *reply.answers) {
      if (const auto* scheduled = std::get_if<Scheduled>(&answer)) scheduled_.insert(scheduled->job.sequence);
      if (const auto* claim = std::get_if<Claimed>(&answer))
        claimed_.insert(claimed_.end(), claim->jobs.begin(), claim->jobs.end());
    }
    if (completes) completed_.insert(*completes);
  }

  void step() {
    for (auto& [completion, reply] : engine_->step().finished) {
      if (completion) completion(std::move(reply));
    }
    if (engine_->poisoned()) {
      end(program_.byte() % 2 == 0 ? Way::killed : Way::power_lost);
      open();
    }
  }

  // ---- the disk, and ends
  void plan_fault() {
    constexpr std::array errors{EIO, ENOSPC, EINTR};
    const auto operation = static_cast<test::Operation>(program_.below(test::operation_count));
    disk_.fail_at(operation, 1 + program_.byte() % 8u, errors.at(program_.below(errors.size())));
  }

  void end(Way way) {
    if (way == Way::closed) {
      try {
        engine_->withdraw_all();
        for (auto& [completion, reply] : engine_->step().finished) {
          if (completion) completion(std::move(reply));
        }
        engine_->close();
      } catch (const StorageError&) {
      }
    }
    engine_.reset();
    log_.reset();
    disk_.heal();
    claimed_.clear();
    if (way == Way::power_lost) {
      disk_.crash(
          {.seed = program_.take(2), .kept_percent = static_cast<unsigned>(program_.below(101)), .garbage_percent = 0});
      clock_.reboot();
    } else {
      disk_.kill();
    }
  }

  // With a fault planned, which may strike at any call of the opening.
  void open() {
    if (program_.byte() % 4 == 0) plan_fault();
    try {
      open_once();
    } catch (const StorageError&) {
      engine_.reset();
      log_.reset();
      disk_.heal();
      disk_.kill();
      open_once();
    }
    disk_.heal();
    check();
  }
  void open_once() {
    LogOpening found;
    log_ = log_exists(disk_) ? SegmentLog::open(disk_, clock_, random_, sample_options(), found)
                             : SegmentLog::create(disk_, clock_, random_, sample_options(), found);
    auto state = std::make_unique<State>(rebuild(events_of(*log_), log_->tail().sequence));
    engine_ = std::make_unique<Engine>(
        Engine::Parts{.journal = *log_, .store = std::move(state), .clock = clock_, .random = random_});
    BookOpened opening;
    opening.epoch = found.epoch;
    opening.tail = found.tail;
    opening.bytes_cut = found.bytes_cut;
    opening.cut_sha256 = found.cut_sha256;
    engine_->open(opening, {});
  }

  void check() {
    const State replayed = rebuild(events_of(*log_), log_->tail().sequence);
    const auto different = differences(replayed, engine_->view());
    require(different.empty(),
            "the entities are what a replay makes: " + (different.empty() ? std::string() : different.front()));
    const std::set<Sequence> pruned = pruned_jobs();
    for (const Sequence sequence : scheduled_) {
      require(pruned.contains(sequence) || replayed.job(sequence) != nullptr,
              "job " + std::to_string(sequence.value()) + " was acknowledged, and is there");
    }
    for (const Sequence sequence : completed_) {
      require(pruned.contains(sequence) || replayed.job(sequence)->state == JobState::completed,
              "job " + std::to_string(sequence.value()) + " was completed, and stays so");
    }
  }

  std::set<Sequence> pruned_jobs() {
    std::set<Sequence> pruned;
    log_->read(Sequence(1), [&](const RecordedEvent& recorded) {
      if (const auto* event = std::get_if<JobsPruned>(&recorded.event)) {
        for (const PrunedJob& one : event->jobs) pruned.insert(one.job.sequence);
      }
      return true;
    });
    return pruned;
  }

  Program program_;
  test::MemoryStorage disk_;
  test::ManualClock clock_;
  test::FixedRandom random_;
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<Engine> engine_;
  Engine::Ticket ticket_ = 0;

  std::set<Sequence> scheduled_;
  std::set<Sequence> completed_;
  std::vector<ClaimedJob> claimed_;
};

}  // namespace

void engine_calls(Bytes bytes) {
  Life(bytes).live();
}

}  // namespace daybook::fuzz
