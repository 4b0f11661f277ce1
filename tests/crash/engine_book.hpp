// SPDX-License-Identifier: Apache-2.0
#pragma once

// EngineBook: a book driven through its engine on a disk that fails, with the ledger of what was acknowledged. Verbs say whether
// they were acknowledged; `expect_promises_kept` holds the ledger against what a later opening finds.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/open_store.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/scheduler/engine.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"

namespace daybook::test {

class EngineBook {
 public:
  /// Runs a call into the code under test: where a test makes only that code fail.
  using Around = std::function<void(const std::function<void()>&)>;

  explicit EngineBook(Storage& storage, std::string index_folder = "")
      : storage_(storage), index_(std::move(index_folder)) {}

  // ---- verbs; all throw what the code under test throws ----

  void open() {
    failed = false;
    around([&] {
      LogOpening found;
      const LogOptions options{.segment_bytes_min = 10 * 1024, .segment_bytes_max = 20 * 1024};
      log_ = log_exists(storage_) ? SegmentLog::open(storage_, clock, random, options, found)
                                  : SegmentLog::create(storage_, clock, random, options, found);
      JobIndex* index = nullptr;
      std::unique_ptr<Store> store = open_store(found, index);
      engine_ = std::make_unique<Engine>(
          Engine::Parts{.journal = *log_, .store = std::move(store), .index = index, .clock = clock, .random = random});
      BookOpened opening;
      opening.epoch = found.epoch;
      opening.tail = found.tail;
      engine_->open(std::move(opening), {});
    });
    opened_ = true;
  }
  void close() {
    around([&] {
      engine_->withdraw_all();
      take(engine_->step());
      engine_->close();
    });
    drop();
  }
  void drop() {  // the process ends here
    opened_ = false;
    waiting_ = 0;
    engine_.reset();
    log_.reset();
  }

  /// Submits, steps, and returns the answers when they were acknowledged; nothing when an error came instead.
  std::optional<std::vector<Answer>> ask(Command command) { return ask(Submission{.commands = {std::move(command)}}); }
  std::optional<std::vector<Answer>> ask(Submission submission) {
    std::optional<Reply> reply;
    Engine::Completion completion = [&reply](Reply given) { reply = std::move(given); };
    try {
      around([&] { engine_->submit(std::move(submission), std::move(completion)); });
    } catch (const std::bad_alloc&) {
      return std::nullopt;  // refused; nothing has happened
    }
    step();
    EXPECT_TRUE(reply.has_value()) << "everybody is answered";
    if (!reply || reply->error != nullptr) {
      failed = true;
      return std::nullopt;
    }
    EXPECT_FALSE(failed) << "acknowledged after an error, without having been opened again";
    if (reply->answers) return *reply->answers;
    EXPECT_EQ(reply->answers.error().code, RefusalCode::storage_full) << reply->answers.error().sentence;
    return std::nullopt;
  }
  std::optional<JobId> schedule(std::string payload = "hello") {
    const auto answers = ask(Schedule{.queue = "mail", .kind = "welcome", .payload = std::move(payload)});
    if (!answers) return std::nullopt;
    const JobId id = std::get<Scheduled>(answers->front()).job;
    promised_[id.sequence] = JobState::waiting;
    return id;
  }
  std::optional<ClaimedJob> claim() {
    const auto answers =
        ask(Claim{.queues = {"mail"}, .worker = "w", .lease = std::chrono::hours(1), .holder = Holder::external});
    if (!answers || std::get<Claimed>(answers->front()).jobs.empty()) return std::nullopt;
    ClaimedJob job = std::get<Claimed>(answers->front()).jobs.front();
    promised_[job.id.sequence] = JobState::running;
    return job;
  }
  void complete(const ClaimedJob& job) {
    if (ask(Complete{job.id, job.token, "sent"})) promised_[job.id.sequence] = JobState::completed;
  }
  /// Two jobs in one batch, under a request id; the same again gets the same answer.
  void schedule_two_by_request(const std::string& id) {
    const Schedule one{.queue = "mail", .kind = "welcome"};
    const Submission submission{.commands = {one, one}, .context = {.request = RequestId{"client", id}}};
    const auto first = ask(submission);
    if (!first) return;
    for (const Answer& answer : *first) promised_[std::get<Scheduled>(answer).job.sequence] = JobState::waiting;
    if (const auto again = ask(submission)) {
      EXPECT_EQ(*again, *first);
    }
  }
  /// A claim that waits, for nothing that comes; answered when the book ends.
  void wait_for_claim() {
    try {
      around([&] {
        engine_->submit_claim(1, Claim{.queues = {"none"}, .worker = "w"}, {}, BookTime::max(),
                              [this](Reply) { --waiting_; });
      });
    } catch (const std::bad_alloc&) {
      return;
    }
    ++waiting_;
    step();
  }
  void step() {
    try {
      around([&] { step_ = engine_->step(); });
    } catch (const std::bad_alloc&) {
      around([&] { step_ = engine_->step(); });  // a step that throws has not begun
    }
    take(std::move(step_));
    if (engine_->poisoned()) {
      EXPECT_EQ(waiting_, 0) << "who waits is told that nothing will come";
    }
    after_step();
  }

  // ---- laws ----

  /// Every job is as far as was promised, or farther: the call in flight may have survived.
  void expect_promises_kept() {
    for (const auto& [id, state] : promised_) {
      const Job* job = engine_->view().job(id);
      ASSERT_NE(job, nullptr) << "job " << id.value() << " was lost";
      EXPECT_GE(rank(job->state), rank(state)) << "job " << id.value();
    }
  }
  /// Memory is what replay of the log would make, or nothing that rests on it leaves the engine.
  void expect_equal_to_replay_or_poisoned() {
    if (engine_ == nullptr || engine_->poisoned() || !opened_) return;
    const State state = rebuild(events_of(*log_), log_->tail().sequence);
    const auto wrong = differences(engine_->view(), state, 3);
    EXPECT_TRUE(wrong.empty()) << wrong.front();
  }

  [[nodiscard]] bool usable() const { return opened_ && !engine_->poisoned(); }
  [[nodiscard]] std::size_t promised() const { return promised_.size(); }
  [[nodiscard]] const JobIndex* index() const { return index_store_; }  // the last opening's; null: it opened in memory
  [[nodiscard]] SegmentLog& log() { return *log_; }
  [[nodiscard]] Engine& engine() { return *engine_; }

  ManualClock clock;
  FixedRandom random;
  Around around = [](const std::function<void()>& call) { call(); };
  std::function<void()> after_step = [] {};
  bool failed = false;  // a call was answered with an error since the last opening

 private:
  static int rank(JobState state) { return state == JobState::completed ? 2 : state == JobState::running ? 1 : 0; }

  // As a book is opened: an index that fails does not keep it shut.
  std::unique_ptr<Store> open_store(const LogOpening& found, JobIndex*& index) {
    if (!index_.empty()) {
      try {
        const Moment now{clock.wall(), clock.boot(), BookTime{}, 0};
        StoreOpening opened =
            daybook::open_store(index_, *log_, found.log_uuid, clock.boot_id(), now,
                                [&](Sequence sequence) { return LogReader(storage_).chain_at(sequence); });
        index = opened.index.get();
        index_store_ = index;
        return std::move(opened.index);
      } catch (const StorageError&) {
      }
    }
    index_store_ = nullptr;
    return std::make_unique<State>(rebuild(events_of(*log_), log_->tail().sequence));
  }

  static void take(Engine::Step step) {
    for (auto& [completion, reply] : step.finished) completion(std::move(reply));
  }

  Storage& storage_;
  std::string index_;
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<Engine> engine_;
  Engine::Step step_;
  const JobIndex* index_store_ = nullptr;
  bool opened_ = false;
  int waiting_ = 0;                        // claims
  std::map<Sequence, JobState> promised_;  // by job
};

/// A small life: opens, schedules, claims, completes, rotates, closes, opens again, ends uncleanly, recovers. Stops where
/// nothing can go on.
inline void live(EngineBook& book) {
  book.open();
  book.schedule();
  book.schedule();
  const auto first = book.claim();
  if (first) book.complete(*first);
  for (int i = 0; i < 3; ++i) book.schedule(std::string(3000, 'x'));  // rotates
  book.clock.advance(std::chrono::seconds(2));
  book.step();  // housekeeping
  book.wait_for_claim();
  if (const auto running = book.claim()) book.ask(Cancel{running->id});
  book.schedule_two_by_request("r1");
  book.close();
  book.open();
  const auto second = book.claim();
  book.schedule();
  book.drop();  // unclean
  book.open();
  if (second) book.complete(*second);
  book.schedule();
}

}  // namespace daybook::test
