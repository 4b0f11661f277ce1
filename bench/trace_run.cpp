// SPDX-License-Identifier: Apache-2.0
#include "trace_run.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/open_store.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/scheduler/engine.hpp"
#include "daybook/system/posix_storage.hpp"
#include "daybook/system/system_random.hpp"

namespace daybook::bench {

namespace {

// Time that moves from one thing that happens to the next.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] Instant wall() override { return Instant(std::chrono::seconds(749'433'600)) + elapsed_; }  // 1993-10-01
  [[nodiscard]] BootTime boot() override { return BootTime(std::chrono::hours(1) + elapsed_); }
  [[nodiscard]] Uuid boot_id() override { return Uuid{{0x7e, 0x57}}; }
  void move_to(Duration elapsed) { elapsed_ = std::max(elapsed_, elapsed); }
  [[nodiscard]] Duration elapsed() const { return elapsed_; }

 private:
  Duration elapsed_{};
};

struct Finishing {
  Duration at;
  JobId job;
  Token token;
  friend bool operator>(const Finishing& a, const Finishing& b) { return a.at > b.at; }
};

class TraceRun {
 public:
  TraceRun(const Trace& trace, const std::filesystem::path& directory, std::uint32_t workers)
      : trace_(trace),
        free_(workers),
        storage_(PosixStorage::open(directory, Access::create)),
        lock_(storage_->lock("trace")) {
    if (!lock_.lock) throw std::runtime_error(directory.string() + ": held by another process");
    LogOpening found;
    log_ = SegmentLog::create(*storage_, clock_, random_, {}, found);
    StoreOpening store = open_store(storage_->path() + "/index", *log_, found.log_uuid, clock_.boot_id(), Moment{},
                                    [](Sequence) { return std::nullopt; });
    JobIndex* index = store.index.get();
    engine_ = std::make_unique<Engine>(Engine::Parts{
        .journal = *log_, .store = std::move(store.index), .index = index, .clock = clock_, .random = random_});
    BookOpened opening;
    opening.epoch = found.epoch;
    opening.tail = found.tail;
    engine_->open(opening, {});
  }

  TraceResult run() {
    result_.jobs = trace_.jobs.size();
    const Duration first = trace_.jobs.empty() ? Duration(0) : Duration(trace_.jobs.front().submit);
    while (next_ < trace_.jobs.size() || !finishing_.empty()) {
      clock_.move_to(next_time());
      submit_due();
      finish_due();
      step();
    }
    result_.virtual_span = clock_.elapsed() - first;
    result_.batches = log_->costs().batches;
    compare_with_rebuild();
    engine_->withdraw_all();
    static_cast<void>(engine_->step());
    engine_->close();
    engine_.reset();
    read_back();
    return std::move(result_);
  }

 private:
  [[nodiscard]] Duration next_time() const {
    Duration next = Duration::max();
    if (next_ < trace_.jobs.size()) next = std::min<Duration>(next, trace_.jobs[next_].submit);
    if (!finishing_.empty()) next = std::min(next, finishing_.top().at);
    return next;
  }

  void submit_due() {
    for (; next_ < trace_.jobs.size() && trace_.jobs[next_].submit <= clock_.elapsed(); ++next_) {
      Schedule schedule{.queue = "batch", .kind = "run", .payload = std::to_string(trace_.jobs[next_].run.count())};
      engine_->submit({.commands = {std::move(schedule)}}, check);
    }
  }

  void finish_due() {
    for (; !finishing_.empty() && finishing_.top().at <= clock_.elapsed(); finishing_.pop()) {
      engine_->submit({.commands = {Complete{finishing_.top().job, finishing_.top().token}}}, check);
      ++free_;
    }
  }

  // One claim waits at a time, for as many jobs as there were free workers when it began to.
  void claim() {
    if (claiming_ || free_ == 0) return;
    claiming_ = true;
    Claim claim{.queues = {"batch"}, .kinds = {}, .worker = "pool", .lease = limits::lease_max, .count = free_};
    engine_->submit_claim(1, std::move(claim), {}, BookTime::max(), [this](const Reply& reply) {
      check(reply);
      claiming_ = false;
      for (const ClaimedJob& job : std::get<Claimed>(reply.answers->front()).jobs) {
        const Duration run = std::chrono::seconds(std::stoll(std::string(job.payload.bytes())));
        finishing_.push({clock_.elapsed() + run, job.id, job.token});
        --free_;
      }
    });
  }

  void step() {
    do {
      claim();
      auto finished = engine_->step().finished;
      for (auto& [completion, reply] : finished) completion(std::move(reply));
    } while (free_ > 0 && !claiming_);
  }

  static void check(const Reply& reply) {
    if (reply.error) std::rethrow_exception(reply.error);
    if (!reply.answers) throw std::runtime_error("refused: " + reply.answers.error().sentence);
  }

  void compare_with_rebuild() {
    const State rebuilt = rebuild(events_of(*log_), log_->tail().sequence);
    const auto found = differences(engine_->view(), rebuilt, 1);
    if (!found.empty()) result_.index_difference = found.front();
  }

  // The counts come from the record, not from what was asked for.
  void read_back() {
    const LogReader reader(*storage_);
    std::vector<std::pair<JobId, Instant>> due;
    reader.read(Sequence(1), [&](const RecordedEvent& recorded) {
      ++result_.events;
      if (const auto* scheduled = std::get_if<JobScheduled>(&recorded.event)) {
        ++result_.scheduled;
        due.emplace_back(JobId{recorded.sequence, scheduled->generation}, scheduled->due.at);
      } else if (const auto* claimed = std::get_if<JobClaimed>(&recorded.event)) {
        ++result_.claimed;
        const auto job = std::lower_bound(due.begin(), due.end(), claimed->job,
                                          [](const auto& entry, const JobId& id) { return entry.first < id; });
        const Duration wait = recorded.wall - job->second;
        result_.longest_wait = std::max(result_.longest_wait, wait);
        if (wait < Duration(0)) ++result_.claims_early;
      } else if (std::holds_alternative<JobCompleted>(recorded.event)) {
        ++result_.completed;
      }
      return true;
    });
    const LogVerdict verdict = verify_log(*storage_);
    result_.log_verifies = verdict.kind == LogVerdict::Kind::clean_end;
    result_.log_message = verdict.message;
  }

  const Trace& trace_;
  std::uint32_t free_;
  VirtualClock clock_;
  SystemRandom random_;
  std::unique_ptr<PosixStorage> storage_;
  Locked lock_;
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<Engine> engine_;
  std::size_t next_ = 0;  // of the trace: not yet submitted
  std::priority_queue<Finishing, std::vector<Finishing>, std::greater<>> finishing_;
  bool claiming_ = false;
  TraceResult result_;
};

}  // namespace

TraceResult run_trace(const Trace& trace, const std::filesystem::path& directory, std::uint32_t workers) {
  return TraceRun(trace, directory, workers).run();
}

}  // namespace daybook::bench
