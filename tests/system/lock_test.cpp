// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>

#include "daybook/system/posix_storage.hpp"
#include "support/temp_folder.hpp"

namespace {
std::atomic<bool> flock_gives_everything = false;
}

// In the place of the C library's.
extern "C" int flock(int descriptor, int operation) noexcept {
  return flock_gives_everything ? 0 : static_cast<int>(::syscall(SYS_flock, descriptor, operation));
}

namespace daybook {
namespace {

struct FlockAsOverNfs {
  FlockAsOverNfs() { flock_gives_everything = true; }
  ~FlockAsOverNfs() { flock_gives_everything = false; }
  FlockAsOverNfs(const FlockAsOverNfs&) = delete;
  FlockAsOverNfs& operator=(const FlockAsOverNfs&) = delete;
};

namespace fs = std::filesystem;
using test::TempFolder;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class BookLock : public ::testing::Test {
 protected:
  TempFolder temporary;
  fs::path directory = temporary.path() / "book";
  std::unique_ptr<PosixStorage> storage = PosixStorage::open(directory, Access::create);

  /// What a process that wants the lock now is told.
  std::string probe() {
    const std::string command = DAYBOOK_LOCK_PROBER " '" + directory.string() + "'";
    FILE* output = ::popen(command.c_str(), "r");
    EXPECT_NE(output, nullptr);
    std::array<char, 1024> text{};
    const std::size_t bytes = std::fread(text.data(), 1, text.size(), output);
    EXPECT_EQ(::pclose(output), 0);
    return {text.data(), bytes};
  }
};

/// A child made by fork alone, which does something and then lives until the test lets it go.
class ForkedChild {
 public:
  template <class Act>
  explicit ForkedChild(Act act) {
    if (::pipe(ready_.data()) != 0 || ::pipe(go_.data()) != 0) std::abort();
    child_ = ::fork();
    if (child_ != 0) {
      ::close(ready_[1]);
      ::close(go_[0]);
      char byte = 0;
      if (::read(ready_[0], &byte, 1) != 1) std::abort();
      return;
    }
    ::close(go_[1]);
    act();
    char byte = 0;
    [[maybe_unused]] ssize_t bytes = ::write(ready_[1], "r", 1);
    bytes = ::read(go_[0], &byte, 1);
    ::_exit(0);
  }
  /// Ends the child, which has no time to clean up.
  void kill() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  ForkedChild(const ForkedChild&) = delete;
  ForkedChild& operator=(const ForkedChild&) = delete;
  ~ForkedChild() {
    ::close(go_[1]);
    ::close(ready_[0]);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }

 private:
  std::array<int, 2> ready_{};
  std::array<int, 2> go_{};
  pid_t child_ = -1;
};

TEST_F(BookLock, IsTakenAndGivenBack) {
  {
    const Locked locked = storage->lock("test");
    ASSERT_NE(locked.lock, nullptr);
    EXPECT_EQ(locked.error, 0);
    EXPECT_THAT(probe(), StartsWith("held: "));
  }
  EXPECT_EQ(probe(), "locked");
  EXPECT_NE(storage->lock("test").lock, nullptr);
}

TEST_F(BookLock, TellsOthersWhoHoldsIt) {
  const Locked locked = storage->lock("daybook work");
  const std::string told = probe();
  EXPECT_THAT(told, HasSubstr("pid " + std::to_string(::getpid()) + " on host "));
  EXPECT_THAT(told, HasSubstr(", daybook work, since 20"));
}

TEST_F(BookLock, IsRefusedASecondTimeInThisProcess) {
  const Locked first = storage->lock("first");
  const auto other = PosixStorage::open(directory, Access::read_write);
  for (PosixStorage* again : {storage.get(), other.get()}) {
    const Locked second = again->lock("second");
    EXPECT_EQ(second.lock, nullptr);
    EXPECT_EQ(second.error, 0);
    EXPECT_THAT(second.owner, HasSubstr("first"));
  }
  EXPECT_THAT(probe(), HasSubstr("first")) << "the refused ones changed nothing";
}

// Over NFS flock is a record lock, which the kernel never refuses to the process that holds it.
TEST_F(BookLock, IsRefusedASecondTimeInThisProcessWhereTheKernelWouldGiveIt) {
  const Locked first = storage->lock("first");
  const FlockAsOverNfs nfs;
  EXPECT_EQ(storage->lock("second").lock, nullptr);
}

// The same for a directory that cannot be locked at all: the file decides.
TEST_F(BookLock, IsRefusedWhileSomebodyHoldsOnlyTheFile) {
  const int file = ::open((directory / "LOCK").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  ASSERT_EQ(::flock(file, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(storage->lock("test").lock, nullptr);
  ::close(file);
  EXPECT_NE(storage->lock("test").lock, nullptr);
}

TEST_F(BookLock, IsOneByWhateverPathTheDirectoryIsReached) {
  const Locked first = storage->lock("first");
  fs::create_directory_symlink(temporary.path(), temporary.path() / "link");
  fs::create_directory(directory / "log");
  for (const fs::path& path : {temporary.path() / "link" / "book", directory / "log" / "..", fs::relative(directory),
                               fs::path("/proc/self/root" + directory.string())}) {
    const auto other = PosixStorage::open(path, Access::read_write);
    EXPECT_THAT(other->lock("second").owner, HasSubstr("first")) << path;
  }
}

TEST_F(BookLock, OutlivesTheStorageItCameFrom) {
  const Locked locked = storage->lock("test");
  storage.reset();
  EXPECT_THAT(probe(), StartsWith("held: "));
}

TEST_F(BookLock, OfOneBookLeavesAnotherFree) {
  const Locked one = storage->lock("test");
  const auto other = PosixStorage::open(temporary.path() / "other", Access::create);
  EXPECT_NE(other->lock("test").lock, nullptr);
}

TEST_F(BookLock, HoldsWhenSomebodyRemovesTheFile) {
  const Locked locked = storage->lock("test");
  fs::remove(directory / "LOCK");
  EXPECT_THAT(probe(), StartsWith("held: "));
}

TEST_F(BookLock, DoesNotCareForAFileThatACrashLeft) {
  std::ofstream(directory / "LOCK") << "pid 1 on host x, init, since for ever, and a long text behind\n";
  const Locked locked = storage->lock("test");
  ASSERT_NE(locked.lock, nullptr);
  EXPECT_THAT(probe(), Not(HasSubstr("init")));
  EXPECT_THAT(probe(), Not(HasSubstr("behind")));
}

TEST_F(BookLock, ShowsNothingThatATerminalWouldObey) {
  const Locked locked = storage->lock("evil\033[2J\r\nsecond line");
  const std::string told = probe();
  EXPECT_THAT(told, HasSubstr("evil?[2J?"));
  EXPECT_THAT(told, Not(HasSubstr("second line")));
}

TEST_F(BookLock, IsRefusedThroughASymbolicLink) {
  std::ofstream(temporary.path() / "outside") << "precious";
  fs::create_symlink(temporary.path() / "outside", directory / "LOCK");
  EXPECT_EQ(storage->lock("test").error, ELOOP);
  EXPECT_EQ(fs::file_size(temporary.path() / "outside"), 8U);
}

TEST_F(BookLock, SurvivesAForkedChildThatForgetsIt) {
  Locked locked = storage->lock("test");
  const ForkedChild child([&] { locked.lock.reset(); });
  EXPECT_THAT(probe(), HasSubstr("test"));
}

TEST_F(BookLock, IsNotTheForkedChildsToTakeAgain) {
  const Locked locked = storage->lock("test");
  const ForkedChild child([&] {
    if (storage->lock("child").lock) std::abort();
  });
  EXPECT_THAT(probe(), HasSubstr("test"));
}

TEST_F(BookLock, EndsWithItsOwnerThoughAForkedChildLives) {
  Locked locked = storage->lock("test");
  const ForkedChild child([] {});
  locked.lock.reset();
  EXPECT_EQ(probe(), "locked");
}

// The owner is a child of the test, so that it can be killed; the child that lives on is the owner's.
TEST_F(BookLock, EndsWithAKilledOwnerThoughItsForkedChildLives) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Locked locked;
  ForkedChild owner([&] {
    locked = storage->lock("owner");
    if (::fork() != 0) return;
    char byte = 0;
    ::close(ends[1]);
    [[maybe_unused]] const ssize_t bytes = ::read(ends[0], &byte, 1);  // until the test lets go of its end
    ::_exit(0);
  });
  EXPECT_THAT(probe(), HasSubstr("owner"));
  owner.kill();
  EXPECT_EQ(probe(), "locked");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace daybook
