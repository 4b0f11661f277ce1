// SPDX-License-Identifier: Apache-2.0

// A full disk refuses new jobs, and nothing else.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "daybook/daybook.hpp"
#include "support/engine_book.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::EngineBook;
using testing::SizeIs;

/// A day in the life of a book: every way to finish or keep work, closings, crashes; new jobs all along.
class Day {
 public:
  Day() {
    book_.open();
    for (int i = 0; i < 40; ++i) book_.schedule(EngineBook::mail());
  }

  static constexpr int hours = 24;
  void hour(int number) {
    const std::array<std::function<void()>, 8> doings{
        [&] { work(); },
        [&] { schedule_some(); },
        [&] {
          book_.close();
          book_.open();
        },
        [&] { work(); },
        [&] {
          book_.kill();
          book_.open();
        },
        [&] { schedule_some(); },
        [&] { work(); },
        [&] {
          book_.crash();
          book_.open();
        },
    };
    doings.at(static_cast<std::size_t>(number) % doings.size())();
    book_.clock.advance(1s);
    book_.step();
  }
  void fill_disk() {
    book_.storage.set_free_bytes(0);
    full_ = true;
  }
  void make_room() {
    book_.storage.set_free_bytes(std::nullopt);
    book_.clock.advance(1s);
    book_.step();
    full_ = false;
  }
  void schedule_some() {
    for (int i = 0; i < 10; ++i) {
      const auto refused = book_.refusal_of(EngineBook::mail());
      EXPECT_TRUE(!refused || (full_ && *refused == RefusalCode::storage_full)) << to_string(*refused);
      refused_ += refused.has_value() ? 1 : 0;
    }
  }
  [[nodiscard]] int refused() const { return refused_; }

 private:
  void work() {
    Claim command = EngineBook::any(1h);
    command.count = 4;
    const auto jobs = book_.claim(command);
    ASSERT_THAT(jobs, SizeIs(4));
    book_.renew(jobs[0], 1h);
    book_.ask(Complete{jobs[0].id, jobs[0].token, "sent"}).value();
    book_.ask(Fail{.job = jobs[1].id, .token = jobs[1].token, .error = "smtp 421"}).value();
    book_.ask(Snooze{jobs[2].id, jobs[2].token, after(1min)}).value();
    book_.ask(Release{jobs[3].id, jobs[3].token}).value();
    EXPECT_EQ(book_.job(jobs[0].id).state, JobState::completed);
  }

  EngineBook book_;
  bool full_ = false;
  int refused_ = 0;
};

TEST(FullDisk, AtAnyHourOfTheDayRefusesNewJobsAndNothingElseUntilThereIsRoom) {
  int refused = 0;
  for (int full_at = 0; full_at < Day::hours; ++full_at) {
    SCOPED_TRACE(full_at);
    Day day;
    for (int hour = 0; hour < Day::hours; ++hour) {
      SCOPED_TRACE(hour);
      if (hour == full_at) day.fill_disk();
      day.hour(hour);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    refused += day.refused();
    day.make_room();
    const int before = day.refused();
    day.schedule_some();
    EXPECT_EQ(day.refused(), before) << "service returned without a restart";
  }
  EXPECT_GT(refused, 100);
}

TEST(FullDisk, IsNotAskedForRoomByEachRefusedSchedule) {
  EngineBook book;
  book.open();
  book.close();
  book.storage.set_free_bytes(0);
  book.open();
  ASSERT_EQ(book.refusal_of(EngineBook::mail()), RefusalCode::storage_full);
  const auto calls = book.storage.calls();
  const auto events = book.log->costs().events;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(book.refusal_of(EngineBook::mail()), RefusalCode::storage_full);
  EXPECT_EQ(book.log->costs().events, events);
  EXPECT_EQ(book.storage.calls(), calls);
  book.storage.set_free_bytes(std::nullopt);
  book.clock.advance(1s);
  book.step();
  EXPECT_EQ(book.refusal_of(EngineBook::mail()), std::nullopt);
}

// docs/runbook.md promises some thousand jobs.
TEST(FullDisk, LeavesAReserveThatFinishesAThousandJobsAndThenLosesNothing) {
  EngineBook book;
  book.open();
  for (int i = 0; i < 30'000; ++i) {
    book.submit(EngineBook::mail());
    if (i % 500 == 499) book.step();
  }
  book.storage.set_free_bytes(0);
  for (int i = 0; i < 10'000 && book.refusal_of(EngineBook::mail()) != RefusalCode::storage_full; ++i) {
  }
  Claim one = EngineBook::any(1h);
  one.count = 1;
  std::vector<JobId> completed;
  try {
    while (completed.size() < 29'000) {
      const ClaimedJob job = book.claim(one).front();
      book.ask(Complete{job.id, job.token, {}}).value();
      completed.push_back(job.id);
    }
    FAIL() << "the reserve has no end";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("make room"));
  }
  EXPECT_GE(completed.size(), 1000u);
  book.crash();
  book.storage.set_free_bytes(std::nullopt);
  book.open();
  for (const JobId id : completed) EXPECT_EQ(book.job(id).state, JobState::completed);
  EXPECT_THAT(book.claim(one), SizeIs(1));
}

/// A small file system of its own, gone with the test.
class SmallDisk {
 public:
  SmallDisk() {
    if (::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount("daybook", folder_.path().c_str(), "tmpfs", 0, "size=24m") == 0) {
      mounted_ = true;
    } else {
      why_ = std::strerror(errno);
    }
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path(); }

  // To the last byte.
  void fill() const {
    const int file = ::open((path() / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    const std::vector<char> bytes(64 * 1024, 'x');
    for (std::size_t step = bytes.size(); step > 0;) {
      if (::write(file, bytes.data(), step) <= 0) step /= 2;
    }
    ::close(file);
  }
  void make_room() const { std::filesystem::remove(path() / "filler"); }

 private:
  test::TempFolder folder_;
  bool mounted_ = false;
  std::string why_;
};

TEST(FullDisk, OfTheOperatingSystemIsNoDifferent) {
  const SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "no small file system could be mounted: " << disk.why();
  const auto open = [&] { return Daybook::open(disk.path() / "book"); };
  const Schedule mail{.queue = "mail", .kind = "welcome", .payload = std::string(1000, 'x')};
  const auto work = [](Daybook& book) {
    const auto jobs = book.claim({.queues = {"mail"}, .worker = "w", .count = 5}).value();
    ASSERT_THAT(jobs, SizeIs(5));
    for (const ClaimedJob& job : jobs) ASSERT_TRUE(book.complete(job, "sent"));
  };
  {
    Daybook book = open();
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(book.schedule(mail));
    disk.fill();
    work(book);
    Result<JobId> refused = book.schedule(mail);
    for (int i = 0; i < 20'000 && refused; ++i) refused = book.schedule(mail);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, RefusalCode::storage_full);
    work(book);
    book.close();
  }
  disk.fill();
  {
    Daybook book = open();
    EXPECT_EQ(book.opening().tail, TailStatus::clean);
    work(book);
    EXPECT_EQ(book.schedule(mail).error().code, RefusalCode::storage_full);
    disk.make_room();
    while (!book.schedule(mail)) {
    }
    work(book);
    book.close();
  }
  Daybook book = open();
  EXPECT_EQ(book.stat().queues.front().completed, 20u);
}

}  // namespace
}  // namespace daybook
