// SPDX-License-Identifier: Apache-2.0

// A real process, really killed: 500 times SIGKILL at random moments, in five books, and 20 more on a real disk. After each, everything
// that it was told is durable is there. A killed process leaves the page cache as it was, so a folder in memory shows the same.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "daybook/daybook.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/system/posix_storage.hpp"
#include "support/temp_folder.hpp"

extern char** environ;

namespace daybook {
namespace {

// Says what the victim said, until it was killed.
class Victim {
 public:
  explicit Victim(const std::string& directory) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::string program = KILL_CHILD;
    std::string argument = directory;
    std::array<char*, 3> argv{program.data(), argument.data(), nullptr};
    const int error = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    out_ = pipe[0];
    if (error != 0) throw std::runtime_error("cannot start " + program);
  }
  ~Victim() { ::close(out_); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  // Listens until this many bytes were heard, kills, and returns everything that was said.
  std::string hear_then_kill(std::size_t bytes) {
    std::string heard;
    bool killed = false;
    std::array<char, 4096> buffer{};
    while (true) {
      if (!killed && heard.size() >= bytes) {
        ::kill(pid_, SIGKILL);
        killed = true;
      }
      const ssize_t got =
          ::read(out_, buffer.data(), killed ? buffer.size() : std::min(buffer.size(), bytes - heard.size()));
      if (got <= 0) break;
      heard.append(buffer.data(), static_cast<std::size_t>(got));
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the victim ended by itself, status " << status;
    return heard;
  }

 private:
  pid_t pid_ = 0;
  int out_ = -1;
};

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

std::uint64_t told_seed() {
  const std::uint64_t seed = number_in("DAYBOOK_SEED", std::random_device{}());
  std::cout << "seed " << seed << " (repeat with DAYBOOK_SEED=" << seed << ")\n";
  return seed;
}

// One book, and the lives of its processes.
void expect_all_survives(const std::filesystem::path& in, std::uint64_t seed, std::uint64_t kills) {
  std::mt19937_64 random(seed);
  const test::TempFolder folder(in);
  const std::string directory = (folder.path() / "book").string();
  std::set<Sequence> scheduled;
  std::set<Sequence> completed;
  for (std::uint64_t life = 0; life < kills; ++life) {
    // At most some dozens of lines, so that the lives fall into opening and recovery as well as into work.
    std::istringstream heard(Victim(directory).hear_then_kill(1 + random() % 600));
    std::string line;
    while (std::getline(heard, line) && !heard.eof()) {
      (line[0] == 'S' ? scheduled : completed).insert(Sequence(std::stoull(line.substr(2))));
    }
    const auto storage = PosixStorage::open(directory, Access::read_only);
    const LogReader reader(*storage);
    const State state = rebuild(events_of(reader), reader.head().sequence);
    for (const Sequence id : scheduled) ASSERT_NE(state.job(id), nullptr) << "job " << id.value() << ", life " << life;
    for (const Sequence id : completed) {
      ASSERT_EQ(state.job(id)->state, JobState::completed) << "job " << id.value() << ", life " << life;
    }
  }
  std::cout << kills << " kills, " << scheduled.size() << " scheduled, " << completed.size() << " completed\n";
  EXPECT_GT(completed.size(), kills / 2) << "the victims hardly lived: the test shows little";
  Daybook book = Daybook::open(directory);
  EXPECT_EQ(book.opening().epoch, Epoch(kills + 1));
  book.look([&](const View& view, const Moment&) {
    const auto storage = PosixStorage::open(directory, Access::read_only);
    const LogReader reader(*storage);
    EXPECT_TRUE(differences(view, rebuild(events_of(reader), reader.head().sequence)).empty());
  });
  book.close();
  const auto storage = PosixStorage::open(directory, Access::read_only);
  const LogVerdict verdict = verify_log(*storage);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
}

constexpr std::uint64_t books = 5;  // each a case, so that they can run side by side

class Kill : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Kill, WhatWasToldDurableSurvivesEach) {
  const std::uint64_t kills = (number_in("DAYBOOK_KILLS", 500) + books - 1) / books;
  expect_all_survives(test::memory_folder(), told_seed() + GetParam(), kills);
}

TEST(KillOnADisk, WhatWasToldDurableSurvivesEach) {
  expect_all_survives(std::filesystem::temp_directory_path(), told_seed() + books, 20);
}

INSTANTIATE_TEST_SUITE_P(Book, Kill, testing::Range<std::uint64_t>(0, books));

}  // namespace
}  // namespace daybook
