// SPDX-License-Identifier: Apache-2.0
#include "recurring_run.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "daybook/daybook.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/system/posix_storage.hpp"
#include "daybook/testing/memory_storage.hpp"
#include "daybook/testing/virtual_clock.hpp"

namespace daybook::bench {

namespace {

template <class T>
T required(Result<T> answer) {
  if (!answer) throw std::runtime_error("refused: " + answer.error().sentence);
  return *std::move(answer);
}

class Run {
 public:
  explicit Run(const RecurringRun& run) : run_(run), clock_(run.from) {}

  RecurringResult go(const std::vector<Periodic>& periodics) {
    open();
    required(book_->recurring().sync("trace", specs(periodics)));
    const Duration stretch = (run_.until - run_.from) / (run_.closings + 1);
    for (std::uint32_t closing = 1; closing <= run_.closings; ++closing) {
      pass_until(run_.from + closing * stretch);
      book_->close();
      book_.reset();
      clock_.advance(run_.closed_for);
      open();
    }
    pass_until(run_.until - Duration(1));
    book_->close();
    book_.reset();
    if (run_.directory) {
      const auto storage = PosixStorage::open(*run_.directory, Access::read_only);
      read_back(*storage);
    } else {
      read_back(memory_);
    }
    return std::move(result_);
  }

 private:
  void open() {
    Options options;
    options.clock = &clock_;
    options.waiter = &clock_;
    options.random = &random_;
    options.driven = true;
    book_.emplace(run_.directory ? Daybook::open(*run_.directory, options) : Daybook::open(memory_, options));
  }

  std::vector<RecurringSpec> specs(const std::vector<Periodic>& periodics) {
    std::vector<RecurringSpec> specs;
    for (const Periodic& periodic : periodics) {
      RecurringSpec spec{.name = periodic.name, .recurrence = {}, .job = {.queue = "periodic", .kind = "run"}};
      // Whatever fell due while the book was closed runs, and nothing waits for anything: each occurrence makes a job.
      spec.missed = {.runs = Missed::all, .window = limits::missed_window_default, .cap = limits::missed_cap_max};
      spec.overlap = Overlap::allow;
      if (periodic.cron.empty()) {
        spec.recurrence.rule = IntervalRule{.period = periodic.every, .anchor = run_.from};
      } else {
        const auto cron = parse_cron(periodic.cron);
        if (!cron) {
          result_.refused.push_back(periodic.name + ": " + cron.error().sentence);
          continue;
        }
        spec.recurrence.rule = CronRule{.expression = *cron, .zone = run_.zone};
      }
      specs.push_back(std::move(spec));
    }
    return specs;
  }

  void pass_until(Instant end) {
    while (true) {
      book_->drive();
      while (work()) book_->drive();
      const Duration left = end - clock_.wall();
      const auto next = book_->until_next();
      if (!next || *next > left) {
        clock_.advance(left);
        return;
      }
      clock_.advance(*next);
    }
  }

  /// Ends all jobs that are due. Were there any?
  bool work() {
    const auto claimed = required(book_->claim(
        {.queues = {"periodic"}, .kinds = {}, .worker = "pool", .lease = limits::lease_max, .count = 1000}));
    if (claimed.empty()) return false;
    std::vector<Command> commands;
    for (const ClaimedJob& job : claimed) commands.emplace_back(Complete{.job = job.id, .token = job.token});
    required(book_->execute({.commands = std::move(commands)}));
    return true;
  }

  // The counts come from the record, not from what was asked for.
  void read_back(Storage& storage) {
    std::map<NameId, std::string> names;
    LogReader(storage).read(Sequence(1), [&](const RecordedEvent& recorded) {
      ++result_.events;
      if (const auto* defined = std::get_if<NameDefined>(&recorded.event)) names[defined->name.id] = defined->name.text;
      if (const auto* fired = std::get_if<RecurringFired>(&recorded.event)) {
        ++result_.firings;
        result_.fired[names[fired->recurring]].push_back(fired->nominal);
        result_.late += fired->by == FiredBy::catch_up ? 1 : 0;
        result_.early += recorded.wall < fired->nominal ? 1 : 0;
      } else if (const auto* skipped = std::get_if<RecurringSkipped>(&recorded.event)) {
        result_.skipped += skipped->count;
      } else if (std::holds_alternative<JobScheduled>(recorded.event)) {
        ++result_.jobs;
      } else if (std::holds_alternative<JobCompleted>(recorded.event)) {
        ++result_.completed;
      }
      return true;
    });
    const LogVerdict verdict = verify_log(storage);
    result_.log_verifies = verdict.kind == LogVerdict::Kind::clean_end;
    result_.log_message = verdict.message;
    for (const SegmentSummary& segment : verdict.segments) result_.log_bytes += segment.used_bytes;
  }

  const RecurringRun& run_;
  testing::VirtualClock clock_;
  testing::SeededRandom random_;
  testing::MemoryStorage memory_;
  std::optional<Daybook> book_;
  RecurringResult result_;
};

}  // namespace

RecurringResult run_recurring(const std::vector<Periodic>& periodics, const RecurringRun& run) {
  return Run(run).go(periodics);
}

}  // namespace daybook::bench
