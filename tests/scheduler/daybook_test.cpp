// SPDX-License-Identifier: Apache-2.0

// The facade, with real threads and a real directory, and time that the test moves.
#include "daybook/daybook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/manual_time.hpp"
#include "support/sync_spy.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;

class DaybookTest : public testing::Test {
 protected:
  [[nodiscard]] Daybook open(Options options = {}) {
    options.clock = &time_;
    options.waiter = &time_;
    return Daybook::open(directory(), std::move(options));
  }
  [[nodiscard]] std::filesystem::path directory() const { return folder_.path() / "book"; }
  static Schedule mail(When due = {}) {
    return Schedule{.queue = "mail", .kind = "welcome", .payload = "hello", .due = due};
  }
  static Claim any() { return Claim{.queues = {"mail"}, .worker = "w", .count = 100}; }

  test::TempFolder folder_;
  test::ManualTime time_;
};

TEST_F(DaybookTest, WhatWasScheduledIsThereAfterReopening) {
  JobId id;
  {
    Daybook book = open();
    EXPECT_EQ(book.opening().tail, TailStatus::created);
    id = book.schedule(mail()).value();
  }
  Daybook book = open();
  EXPECT_EQ(book.opening().tail, TailStatus::clean);
  EXPECT_EQ(book.job(id)->phase, Phase::available);
  EXPECT_EQ(book.job(id)->payload.bytes(), "hello");
}

TEST_F(DaybookTest, AClaimWaitsUntilSomethingIsDue) {
  Daybook book = open();
  ASSERT_TRUE(book.schedule(mail(after(1h))));
  auto claimed = std::async(std::launch::async, [&] { return book.claim(any(), 24h).value(); });
  time_.advance(1h);
  EXPECT_EQ(claimed.get().size(), 1u);
}

TEST_F(DaybookTest, AWaitingClaimEndsWithItsDeadlineAndWithItsStopToken) {
  Daybook book = open();
  auto until_deadline = std::async(std::launch::async, [&] { return book.claim(any(), 1h).value(); });
  std::stop_source stop;
  auto until_stopped =
      std::async(std::launch::async, [&] { return book.claim(any(), 24h * 365, stop.get_token()).value(); });
  stop.request_stop();
  EXPECT_TRUE(until_stopped.get().empty());
  time_.advance(2h);
  book.schedule({.queue = "other", .kind = "k"}).value();
  // The claim's deadline is counted from its arrival, which may come after the first move of time.
  while (until_deadline.wait_for(0s) != std::future_status::ready) time_.advance(1h);
  EXPECT_TRUE(until_deadline.get().empty());
}

TEST_F(DaybookTest, ManyThreadsAreAnsweredEachWithItsOwn) {
  Daybook book = open();
  std::vector<std::future<std::vector<JobId>>> threads;
  for (int t = 0; t < 16; ++t) {
    threads.push_back(std::async(std::launch::async, [&book, t] {
      std::vector<JobId> ids;
      for (int i = 0; i < 50; ++i) {
        Schedule command = mail();
        command.payload = std::to_string(t) + "/" + std::to_string(i);
        ids.push_back(book.schedule(command).value());
      }
      return ids;
    }));
  }
  std::set<JobId> all;
  for (int t = 0; t < 16; ++t) {
    const auto ids = threads[static_cast<std::size_t>(t)].get();
    for (int i = 0; i < 50; ++i) {
      const JobId id = ids[static_cast<std::size_t>(i)];
      all.insert(id);
      EXPECT_EQ(book.job(id)->payload.bytes(), std::to_string(t) + "/" + std::to_string(i));
    }
  }
  EXPECT_EQ(all.size(), 800u);
}

TEST_F(DaybookTest, ABatchIsOneSyncAndAllOrNothing) {
  Daybook book = open();
  const auto batches = book.stat().costs.batches;
  const auto answers = book.execute({.commands = {mail(), mail(), mail()}});
  ASSERT_TRUE(answers);
  EXPECT_EQ(answers->size(), 3u);
  EXPECT_EQ(book.stat().costs.batches, batches + 1);
  EXPECT_FALSE(book.execute({.commands = {mail(), Cancel{JobId{Sequence(9999), {}}}}}));
  EXPECT_EQ(book.stat().queues.at(0).waiting, 3u);
}

TEST_F(DaybookTest, AsynchronousCallsAreAnsweredOnAThreadOfTheBook) {
  Daybook book = open();
  std::promise<std::thread::id> where;
  book.submit({.commands = {mail()}}, [&](const Result<std::vector<Answer>>& answers, const std::exception_ptr&) {
    EXPECT_TRUE(answers);
    where.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
  EXPECT_TRUE(book.submit({.commands = {mail()}}).get());
}

TEST_F(DaybookTest, ACallbackMaySubmitMore) {
  Daybook book = open();
  std::promise<void> second;
  book.submit({.commands = {mail()}}, [&](const auto&, const auto&) {
    book.submit({.commands = {mail()}}, [&](const auto&, const auto&) { second.set_value(); });
  });
  second.get_future().get();
  EXPECT_EQ(book.stat().queues.at(0).waiting, 2u);
}

TEST_F(DaybookTest, AfterClosingEverythingIsRefused) {
  Daybook book = open();
  book.close();
  EXPECT_EQ(book.schedule(mail()).error().code, RefusalCode::closed);
  EXPECT_EQ(book.submit({.commands = {mail()}}).get().error().code, RefusalCode::closed);
  EXPECT_EQ(book.claim(any(), 1h).error().code, RefusalCode::closed);
  book.close();
}

TEST_F(DaybookTest, ClosingUnderLoadEnds) {
  Daybook book = open();
  std::atomic<int> scheduled = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      while (book.schedule(mail())) ++scheduled;
    });
  }
  while (scheduled < 50) std::this_thread::yield();
  book.close();
}

TEST_F(DaybookTest, RepeatedStaleOutcomesAreCounted) {
  Daybook book = open();
  const JobId id = book.schedule(mail()).value();
  const Token token = book.claim(any()).value().at(0).token;
  time_.advance(1min);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(book.complete(Complete{id, token}));
  EXPECT_EQ(book.stat().refusals_counted, 2u);
}

TEST_F(DaybookTest, ASecondOpeningIsToldWhoHasIt) {
  Daybook book = open({.purpose = "the mail service"});
  try {
    static_cast<void>(open({.owner_wait = 0s}));
    FAIL() << "opened twice";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("the mail service"));
    EXPECT_THAT(error.what(), testing::HasSubstr(std::to_string(::getpid())));
  }
}

TEST_F(DaybookTest, ADirectoryWithOtherFilesIsRefusedAndUnchanged) {
  std::filesystem::create_directory(directory());
  std::ofstream(directory() / "letters.txt") << "dear";
  EXPECT_THROW(static_cast<void>(open()), CorruptionError);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory())) names.push_back(entry.path().filename());
  EXPECT_THAT(names, testing::ElementsAre("letters.txt"));
}

TEST_F(DaybookTest, WithoutCreateAMissingBookIsRefused) {
  EXPECT_THROW(static_cast<void>(open({.create = false})), StorageError);
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(DaybookTest, FilesArePrivateWhateverTheUmask) {
  const mode_t before = ::umask(0);
  {
    Daybook book = open();
    book.schedule(mail()).value();
  }
  ::umask(before);
  using std::filesystem::perms;
  const auto open_to_others = perms::group_all | perms::others_all;
  EXPECT_EQ(std::filesystem::status(directory()).permissions() & open_to_others, perms::none);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory())) {
    EXPECT_EQ(entry.status().permissions() & open_to_others, perms::none) << entry.path();
  }
}

TEST_F(DaybookTest, OperatorsReasonsAreOnRecord) {
  Daybook book = open({.actor = "ada"});
  const JobId id = book.schedule(mail()).value();
  ASSERT_TRUE(book.cancel(id, "the customer left"));
  EXPECT_EQ(book.job(id)->phase, Phase::cancelled);
  const auto history = book.history(id);
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[1].by.reason, "the customer left");
  book.look([&](const View& view, const Moment&) { EXPECT_EQ(view.name(history[1].by.actor)->text, "ada"); });
}

TEST_F(DaybookTest, TheIndexIsRebuiltWhenItIsGone) {
  JobId id;
  {
    Daybook book = open();
    id = book.schedule(mail()).value();
  }
  std::filesystem::remove_all(directory() / "index");
  Daybook book = open();
  EXPECT_TRUE(book.opening().index_rebuilt);
  EXPECT_EQ(book.job(id)->phase, Phase::available);
}

/// A book that was closed, and then the record of one of its jobs in the index began to rot.
class RottenIndex : public DaybookTest {
 protected:
  Schedule command = [] {
    Schedule mail = RottenIndex::mail();
    mail.payload = "a payload that is easy to find";
    return mail;
  }();

  void rot() {
    const std::filesystem::path file = directory() / "index" / "data.mdb";
    std::string bytes;
    {
      std::ifstream in(file, std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    int hits = 0;
    for (auto at = bytes.find(command.payload.bytes()); at != std::string::npos;
         at = bytes.find(command.payload.bytes(), at + 1)) {
      out.seekp(static_cast<std::streamoff>(at)).put('A');
      ++hits;
    }
    ASSERT_GT(hits, 0);
  }
  [[nodiscard]] Daybook open_rotten(Options options = {}) {
    options.log = [this](LogLevel level, const std::string& line) {
      if (level == LogLevel::warning) said.push_back(line);
    };
    return open(std::move(options));
  }
  void expect_on_in_memory() const {
    EXPECT_THAT(said, testing::ElementsAre(testing::HasSubstr("going on in memory")));
  }

  std::vector<std::string> said;
};

TEST_F(RottenIndex, CostsNothingAndIsMadeAnewByTheNextOpening) {
  {
    Daybook book = open();
    book.schedule(command).value();
  }
  rot();
  {
    Daybook book = open_rotten();
    EXPECT_EQ(book.claim(any()).value().at(0).payload, command.payload);
    expect_on_in_memory();
  }
  Daybook book = open();
  EXPECT_TRUE(book.opening().index_rebuilt);
  EXPECT_THAT(book.opening().index_note, testing::HasSubstr("state is missing")) << "it was condemned";
  EXPECT_EQ(book.stat().queues.at(0).running, 1u);
}

TEST_F(RottenIndex, WhoeverWaitsForAJobIsAnsweredFromMemory) {
  JobId id;
  {
    Daybook book = open();
    id = book.schedule(command).value();
  }
  rot();
  Daybook book = open_rotten();
  EXPECT_EQ(book.wait(id, Duration(0))->phase, Phase::available);
  expect_on_in_memory();
}

TEST_F(RottenIndex, WhatIsTooOldIsPrunedFromMemory) {
  JobId id;
  {
    Daybook book = open();
    id = book.schedule(command).value();
    ASSERT_TRUE(book.cancel(id));
    ASSERT_TRUE(book.hold(Filter::parse("queue = attic").value(), "so that a pass looks at each job"));
  }
  rot();
  Daybook book = open_rotten({.retention = Retention{.cancelled = {Duration(0), {}}}});
  EXPECT_EQ(book.job(id).error().code, RefusalCode::pruned);
  expect_on_in_memory();
}

// After a failed sync the cache still shows what the disk may lack, and the next sync succeeds: the same boot would believe it.
TEST_F(DaybookTest, AnIndexThatCouldNotBeSyncedAtTheEndIsNotBelievedAgain) {
  std::vector<std::string> said;
  {
    Daybook book = open({.log = [&](LogLevel level, const std::string& line) {
      if (level == LogLevel::warning) said.push_back(line);
    }});
    book.schedule(mail()).value();
    test::SyncSpy spy;
    spy.fail_next("fdatasync data.mdb", EIO);
    book.close();
  }
  EXPECT_THAT(said, testing::ElementsAre(testing::HasSubstr("the index failed at the end")));
  Daybook book = open();
  EXPECT_EQ(book.opening().tail, TailStatus::clean) << "the log is well";
  EXPECT_THAT(book.opening().index_note, testing::HasSubstr("state is missing")) << "it was condemned";
}

TEST_F(DaybookTest, ListsJobsByQueueAndPhase) {
  Daybook book = open();
  const JobId due = book.schedule(mail()).value();
  const JobId later = book.schedule(mail(after(1h))).value();
  book.schedule({.queue = "other", .kind = "k"}).value();
  const auto ids = [](const std::vector<JobInfo>& jobs) {
    std::vector<JobId> ids;
    for (const JobInfo& job : jobs) ids.push_back(job.id);
    return ids;
  };
  EXPECT_THAT(ids(book.jobs({.queue = "mail"})), testing::ElementsAre(due, later));
  EXPECT_THAT(ids(book.jobs({.queue = "mail", .phase = Phase::scheduled})), testing::ElementsAre(later));
  EXPECT_THAT(ids(book.jobs({.after = later.sequence})), testing::SizeIs(1));
  EXPECT_TRUE(book.jobs({.queue = "no such queue"}).empty());
}

TEST_F(DaybookTest, ASnapshotIsTakenByItselfAndARestartBeginsThere) {
  Sequence newest;
  {
    Daybook book = open({.snapshots = {.every_events = 50, .every_log_bytes = 0}});
    while (newest == Sequence()) {
      ASSERT_TRUE(book.schedule(mail()));
      std::error_code none_yet;
      for (const auto& entry : std::filesystem::directory_iterator(directory() / "snapshots", none_yet)) {
        if (entry.path().extension() == ".snap") newest = Sequence(std::stoull(entry.path().stem().string()));
      }
    }
    book.close();
  }
  EXPECT_GE(newest, Sequence(50));
  std::filesystem::remove_all(directory() / "index");
  Daybook book = open();
  EXPECT_TRUE(book.opening().index_rebuilt);
  EXPECT_GE(book.opening().snapshot, newest);
  EXPECT_LT(book.opening().events_replayed, book.opening().head.value());
}

TEST_F(DaybookTest, ASnapshotCanBeAskedFor) {
  Daybook book = open({.feature_level = 1});
  ASSERT_TRUE(book.schedule(mail()));
  const SnapshotReport report = book.snapshot();
  EXPECT_EQ(report.jobs, 1U);
  EXPECT_FALSE(report.existed);
  const SnapshotReport again = book.snapshot();
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.state_hash, report.state_hash);
  EXPECT_EQ(again.file_sha256, report.file_sha256);
  book.close();
  EXPECT_THROW(book.snapshot(), StorageError);
}

}  // namespace
}  // namespace daybook
