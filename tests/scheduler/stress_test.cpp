// SPDX-License-Identifier: Apache-2.0

// Every public member, called from many threads at once on one book on a real disk, which is then closed under them. Made for
// ThreadSanitizer; without it the laws are held all the same. Nothing sleeps, and each thread's work is a fixed count of calls.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daybook/core/state.hpp"
#include "daybook/core/view.hpp"
#include "daybook/daybook.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/system/posix_storage.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

constexpr int rounds = 12;  // of each thread

// What the book answered for, gathered from all threads.
class Ledger {
 public:
  void scheduled(const Result<JobId>& id) {
    if (!id) return refused(id.error());
    const std::lock_guard lock(mutex_);
    scheduled_.insert(id->sequence);
  }
  void completed(const ClaimedJob& job, const Result<void>& result) {
    if (!result) return refused(result.error());
    const std::lock_guard lock(mutex_);
    ++completed_[job.id.sequence];
  }
  template <class T>
  void answered(const Result<T>& result) {
    if (!result) refused(result.error());
  }

  [[nodiscard]] std::set<Sequence> scheduled() const { return scheduled_; }
  [[nodiscard]] std::map<Sequence, int> completed() const { return completed_; }
  [[nodiscard]] std::set<std::string> sentences_without_reason() const { return odd_; }

 private:
  // With so many hands, a job is often final, running or another's by the time it is asked for; and at the end all is closed.
  void refused(const Refusal& refusal) {
    if (refusal.code != RefusalCode::invalid_argument && refusal.code != RefusalCode::payload_too_large) return;
    const std::lock_guard lock(mutex_);
    odd_.insert(refusal.sentence);
  }

  mutable std::mutex mutex_;
  std::set<Sequence> scheduled_;
  std::map<Sequence, int> completed_;
  std::set<std::string> odd_;
};

class Stress {
 public:
  Stress(Daybook& book, Ledger& ledger) : book_(book), ledger_(ledger) {}

  /// Each runs `rounds` times on a thread of its own; the number is the round's.
  [[nodiscard]] std::vector<std::function<void(int)>> roles() {
    return {[this](int round) { schedule(round, "mail"); },
            [this](int round) { schedule(round, "photos"); },
            [this](int) { claim_and_complete(); },
            [this](int) { claim_and_complete(); },
            [this](int round) { end_otherwise(round); },
            [this](int round) { operate(round); },
            [this](int) { read(); },
            [this](int) { look(); },
            [this](int round) { submit(round); },
            [this](int) { wait_and_give_up(); },
            [this](int round) { work(round); }};
  }

 private:
  void schedule(int round, const std::string& queue) {
    const When due = round % 4 == 0 ? after(1ms) : When{};
    ledger_.scheduled(book_.schedule({.queue = queue, .kind = "send", .payload = std::to_string(round), .due = due}));
  }

  void claim_and_complete() {
    const auto claimed = book_.claim({.queues = {"mail"}, .worker = "hand", .count = 2});
    ledger_.answered(claimed);
    if (!claimed) return;
    for (const ClaimedJob& job : *claimed) {
      ledger_.answered(book_.renew({.claims = {{job.id, job.token, Envelope("half")}}}));
      ledger_.completed(job, book_.complete(job, "done"));
    }
  }

  void end_otherwise(int round) {
    const auto claimed = book_.claim({.queues = {"mail"}, .worker = "clumsy", .count = 1});
    if (!claimed || claimed->empty()) return;
    const ClaimedJob& job = claimed->front();
    if (round % 3 == 0)
      ledger_.answered(book_.fail({.job = job.id, .token = job.token, .error = "no", .retry_in = Duration(1ms)}));
    if (round % 3 == 1) ledger_.answered(book_.snooze({job.id, job.token, {}}));
    if (round % 3 == 2) ledger_.answered(book_.release({job.id, job.token}));
  }

  void operate(int round) {
    const auto extra = book_.schedule({.queue = "extra", .kind = "send", .due = after(1h)});
    ledger_.scheduled(extra);
    if (!extra) return;
    ledger_.answered(book_.reschedule(*extra, after(2h), "later"));
    ledger_.answered(book_.cancel(*extra, "not needed"));
    ledger_.answered(book_.retry(*extra, after(3h), "needed after all"));
    ledger_.answered(round % 2 == 0 ? book_.pause("extra", "tea") : book_.resume("extra"));
    static_cast<void>(book_.adopt("nothing to adopt"));
    ledger_.answered(book_.execute({.commands = {Cancel{*extra}}, .context = {}}));
  }

  void read() {
    static_cast<void>(book_.now());
    static_cast<void>(book_.opening().head);
    try {
      const auto jobs = book_.jobs({.queue = "mail", .limit = 3});
      for (const JobInfo& info : jobs) {
        ledger_.answered(book_.job(info.id));
        static_cast<void>(book_.history(info.id));
      }
    } catch (const StorageError&) {  // closed meanwhile
    }
  }

  void look() {
    try {
      static_cast<void>(book_.stat());
      book_.look([](const View& view, const Moment&) { static_cast<void>(view.counts()); });
    } catch (const StorageError&) {  // closed meanwhile
    }
  }

  void submit(int round) {
    const Submission submission{.commands = {Schedule{.queue = "mail", .kind = "send", .payload = "batch"},
                                             Schedule{.queue = "photos", .kind = "send", .payload = "batch"}},
                                .context = {}};
    const auto keep = [this](const Result<std::vector<Answer>>& answers) {
      if (!answers) return;
      for (const Answer& answer : *answers) ledger_.scheduled(std::get<Scheduled>(answer).job);
    };
    if (round % 2 == 0) {
      keep(book_.submit(submission).get());
    } else {
      book_.submit(submission,
                   [keep](const Result<std::vector<Answer>>& answers, const std::exception_ptr&) { keep(answers); });
    }
  }

  void wait_and_give_up() {
    std::stop_source stop;
    std::thread canceller([&] { stop.request_stop(); });
    const auto claimed = book_.claim({.queues = {"empty"}, .worker = "idle"}, 24h, stop.get_token());
    canceller.join();
    ledger_.answered(claimed);
    ledger_.answered(book_.claim({.queues = {"mail"}, .worker = "idle"}, 1ms));
  }

  void work(int round) {
    WorkLoop loop = book_.work({.queues = {"photos"}, .slots = 3, .patience = Duration(0)});
    loop.on("send", [round](Attempt& attempt) {
      attempt.progress("begun");
      static_cast<void>(attempt.stop_token().stop_requested());
      return attempt.job().id.sequence.value() % 5 == 0 && round % 2 == 0 ? hand_back() : done("seen");
    });
    if (!loop.start()) return;
    if (round % 3 == 0) {
      try {
        static_cast<void>(book_.stat());
      } catch (const StorageError&) {  // closed meanwhile
      }
    }
    loop.stop();
  }

  Daybook& book_;
  Ledger& ledger_;
};

class StressTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path directory() const { return folder_.path() / "book"; }

  /// All roles at once. `begun` is called when each has begun.
  void storm(Daybook& book, Ledger& ledger, const std::function<void()>& begun) {
    Stress stress(book, ledger);
    const auto roles = stress.roles();
    std::latch started(static_cast<std::ptrdiff_t>(roles.size()));
    std::vector<std::thread> threads;
    for (const auto& role : roles) {
      threads.emplace_back([&, role] {
        role(0);
        started.count_down();
        for (int round = 1; round < rounds; ++round) role(round);
      });
    }
    started.wait();
    begun();
    for (std::thread& thread : threads) thread.join();
  }

  // What was acknowledged is there, once; the log gives the very state that the index holds.
  void expect_conserved(const Ledger& ledger) {
    EXPECT_TRUE(ledger.sentences_without_reason().empty());
    std::map<Sequence, int> completions;
    {
      const auto storage = PosixStorage::open(directory(), Access::read_only);
      const LogReader reader(*storage);
      reader.read(Sequence(1), [&](const RecordedEvent& recorded) {
        if (const auto* event = std::get_if<JobCompleted>(&recorded.event)) ++completions[event->job.sequence];
        return true;
      });
    }
    Daybook book = Daybook::open(directory());
    for (const Sequence sequence : ledger.scheduled()) {
      const auto job = book.job(JobId{sequence, GenerationTag(0)});
      EXPECT_TRUE(job) << sequence.value() << " was acknowledged";
    }
    for (const auto& [job, count] : ledger.completed()) {
      EXPECT_EQ(count, 1) << job.value();
      EXPECT_EQ(completions[job], 1) << job.value();
    }
    for (const auto& [job, count] : completions) EXPECT_EQ(count, 1) << job.value();
    const auto storage = PosixStorage::open(directory(), Access::read_only);
    const LogReader reader(*storage);
    book.look([&](const View& view, const Moment&) {
      const State replayed = rebuild(events_of(reader), view.book().head);
      EXPECT_EQ(differences(replayed, view), std::vector<std::string>());
    });
  }

  test::TempFolder folder_;
};

TEST_F(StressTest, EveryMemberFromManyThreadsKeepsWhatItSaid) {
  Ledger ledger;
  {
    Daybook book = Daybook::open(directory());
    storm(book, ledger, [] {});
    book.close();
  }
  EXPECT_GE(ledger.scheduled().size(), static_cast<std::size_t>(4 * rounds)) << "nothing was closed too early";
  expect_conserved(ledger);
}

TEST_F(StressTest, ClosingUnderThemAllRefusesTheRestAndLosesNothing) {
  Ledger ledger;
  {
    Daybook book = Daybook::open(directory());
    storm(book, ledger, [&] { book.close(); });
  }
  expect_conserved(ledger);
}

TEST_F(StressTest, AStorageThatManyUseKeepsTheirFilesApart) {
  const auto storage = PosixStorage::open(directory(), Access::create);
  ASSERT_EQ(storage->make_folder("log"), 0);
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  std::atomic<int> locked = 0;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < rounds; ++round) {
        const std::string name = "log/" + std::to_string(thread);
        const Opened opened = storage->open(name, OpenMode::create);
        const std::byte byte{static_cast<unsigned char>(thread)};
        std::byte found{0xff};
        const bool kept = opened.error == 0 && opened.file->write_at(0, std::span(&byte, 1)).bytes == 1 &&
                          opened.file->read_at(0, std::span(&found, 1)).bytes == 1 && found == byte;
        std::vector<std::string> names;
        if (!kept || storage->list("log", names) != 0 || storage->rename(name, name + ".old") != 0) ++failures;
        if (storage->sync_folder("log") != 0 || storage->remove(name + ".old") != 0) ++failures;
        const Locked lock = storage->lock("thread");
        if (lock.lock != nullptr && locked.fetch_add(1) != 0) ++failures;
        if (lock.lock != nullptr) locked.fetch_sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace daybook
