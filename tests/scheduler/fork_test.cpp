// SPDX-License-Identifier: Apache-2.0

// A process that forks with a book open: the child has a copy of its memory, and must not act on it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daybook/daybook.hpp"
#include "support/forked.hpp"
#include "support/manual_time.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using test::in_forked_child;
using testing::HasSubstr;
using testing::StartsWith;

// ThreadSanitizer starts no thread in a child of a process with threads.
#ifdef __SANITIZE_THREAD__
constexpr bool child_may_start_threads = false;
#else
constexpr bool child_may_start_threads = true;
#endif

class ForkedBook : public testing::Test {
 protected:
  [[nodiscard]] Daybook open() {
    Options options;
    options.clock = &time_;
    options.waiter = &time_;
    options.owner_wait = Duration(0);
    return Daybook::open(directory(), std::move(options));
  }
  [[nodiscard]] std::filesystem::path directory() const { return folder_.path() / "book"; }
  static Schedule mail() { return Schedule{.queue = "mail", .kind = "welcome", .payload = "hello"}; }

  /// Every file of the book with its bytes.
  [[nodiscard]] std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      found[entry.path().string()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return found;
  }

  test::TempFolder folder_;
  test::ManualTime time_;
};

template <class T>
std::string sentence(const Result<T>& result) {
  return result ? "was done" : result.error().sentence;
}

std::string thrown_by(const std::function<void()>& call) {
  try {
    call();
  } catch (const StorageError& error) {
    return error.what();
  }
  return "threw nothing";
}

/// What each member that would act says in this process.
std::vector<std::pair<std::string, std::string>> what_each_call_says(Daybook& book, const ClaimedJob& job,
                                                                     WorkLoop& loop) {
  return {
      {"schedule", sentence(book.schedule({.queue = "mail", .kind = "k"}))},
      {"claim", sentence(book.claim({.queues = {"mail"}, .worker = "w"}))},
      {"waiting claim", sentence(book.claim({.queues = {"mail"}, .worker = "w"}, 1h))},
      {"renew", sentence(book.renew({.claims = {{job.id, job.token, std::nullopt}}}))},
      {"complete", sentence(book.complete(job))},
      {"fail", sentence(book.fail({.job = job.id, .token = job.token}))},
      {"snooze", sentence(book.snooze({job.id, job.token, {}}))},
      {"release", sentence(book.release({job.id, job.token}))},
      {"cancel", sentence(book.cancel(job.id))},
      {"reschedule", sentence(book.reschedule(job.id, after(1h)))},
      {"retry", sentence(book.retry(job.id))},
      {"pause", sentence(book.pause("mail"))},
      {"resume", sentence(book.resume("mail"))},
      {"adopt", sentence(book.adopt("why"))},
      {"execute", sentence(book.execute({.commands = {PauseQueue{"mail"}}, .context = {}}))},
      {"submit", sentence(book.submit({.commands = {PauseQueue{"mail"}}, .context = {}}).get())},
      {"job", thrown_by([&] { static_cast<void>(book.job(job.id)); })},
      {"jobs", thrown_by([&] { static_cast<void>(book.jobs({})); })},
      {"stat", thrown_by([&] { static_cast<void>(book.stat()); })},
      {"history", thrown_by([&] { static_cast<void>(book.history(job.id)); })},
      {"look", thrown_by([&] { book.look([](const View&, const Moment&) {}); })},
      {"work", thrown_by([&] { static_cast<void>(book.work({.queues = {"mail"}})); })},
      {"on", thrown_by([&] { loop.on("k", [](Attempt&) { return done(); }); })},
      {"start", sentence(loop.start())},
      {"run_until_empty", thrown_by([&] { loop.run_until_empty(); })},
      {"close", thrown_by([&] { book.close(); })},
  };
}

TEST_F(ForkedBook, RefusesEveryCallInTheChildAndTouchesNothing) {
  Daybook book = open();
  ASSERT_TRUE(book.schedule(mail()));
  const ClaimedJob job = book.claim({.queues = {"mail"}, .worker = "w"}).value().front();
  WorkLoop loop = book.work({.queues = {"mail"}});
  loop.on("welcome", [](Attempt&) { return done(); });
  ASSERT_TRUE(loop.start());
  const auto before = files();
  const std::string child = in_forked_child([&] {
    std::string wrong;
    for (const auto& [call, said] : what_each_call_says(book, job, loop)) {
      if (said.find("made by fork()") == std::string::npos) wrong += call + ": " + said + "\n";
    }
    loop.stop();
    return wrong + "end";
  });
  EXPECT_EQ(child, "end");
  EXPECT_EQ(files(), before);
  EXPECT_TRUE(book.complete(job)) << "the parent goes on";
}

TEST_F(ForkedBook, IsForgottenByTheChildsDestructors) {
  Daybook book = open();
  std::optional<WorkLoop> loop(book.work({.queues = {"mail"}}));
  loop->on("welcome", [](Attempt&) { return done(); });
  ASSERT_TRUE(loop->start());
  const auto before = files();
  EXPECT_EQ(in_forked_child([&] {
              loop.reset();
              { const Daybook gone(std::move(book)); }
              return std::string("end");
            }),
            "end");
  EXPECT_EQ(files(), before);
  ASSERT_TRUE(book.schedule(mail()));
  loop->run_until_empty();
}

TEST_F(ForkedBook, IsRefusedEvenWhenAThreadOfTheParentWasInsideIt) {
  Daybook book = open();
  std::promise<void> inside;
  std::promise<void> go_on;
  auto looking = std::async(std::launch::async, [&] {
    book.look([&](const View&, const Moment&) {
      inside.set_value();
      go_on.get_future().wait();
    });
  });
  inside.get_future().wait();
  EXPECT_THAT(in_forked_child([&] { return sentence(book.schedule(mail())); }), HasSubstr("made by fork()"));
  go_on.set_value();
  looking.get();
}

TEST_F(ForkedBook, IsHeldAgainstTheChildUntilTheParentClosesIt) {
  Daybook book = open();
  EXPECT_THAT(in_forked_child([&] {
                static_cast<void>(open());
                return std::string("opened");
              }),
              AllOf(StartsWith("threw: "), HasSubstr("held by another process (pid " + std::to_string(::getpid()))));
  ASSERT_TRUE(book.schedule(mail()));
  book.close();
  if (!child_may_start_threads) GTEST_SKIP() << "the rest needs a thread in the child";
  EXPECT_EQ(in_forked_child([&] {
              Daybook own = open();
              return sentence(own.schedule(mail()));
            }),
            "was done");
  EXPECT_EQ(open().stat().queues.front().waiting, 2U);
}

TEST_F(ForkedBook, LeavesTheChildFreeToOpenBooksOfItsOwn) {
  if (!child_may_start_threads) GTEST_SKIP() << "needs a thread in the child";
  Daybook book = open();
  EXPECT_EQ(in_forked_child([&] {
              Daybook own = Daybook::open(folder_.path() / "other");
              const std::string said = sentence(own.schedule(mail()));
              own.close();
              return said;
            }),
            "was done");
  EXPECT_TRUE(book.schedule(mail()));
}

}  // namespace
}  // namespace daybook
