// SPDX-License-Identifier: Apache-2.0

// A real process, really killed: 200 times SIGKILL at random moments. After each, everything that it was told is durable is there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
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

TEST(Kill, WhatWasToldDurableSurvivesTwoHundredKills) {
  const char* given = std::getenv("DAYBOOK_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << " (repeat with DAYBOOK_SEED=" << seed << ")\n";
  std::mt19937_64 random(seed);
  const test::TempFolder folder;
  const std::string directory = (folder.path() / "book").string();
  std::set<Sequence> scheduled;
  std::set<Sequence> completed;
  for (int life = 0; life < 200; ++life) {
    // At most some dozens of lines, so that the 200 lives fall into opening and recovery as well as into work.
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
  EXPECT_GT(completed.size(), 100u) << "the victims hardly lived: the test shows little";
  Daybook book = Daybook::open(directory);
  EXPECT_EQ(book.opening().epoch, Epoch(201));
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

}  // namespace
}  // namespace daybook
