// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "daybook/core/error.hpp"
#include "daybook/system/posix_storage.hpp"
#include "support/temp_folder.hpp"
#include "system/permissions.hpp"

namespace daybook {
namespace {

namespace fs = std::filesystem;
using test::AsOrdinaryUser;
using test::mode_of;
using test::TempFolder;
using test::WithUmask;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(), [](char letter) { return static_cast<std::byte>(letter); });
  return bytes;
}

std::string read_all(File& file) {
  std::uint64_t size = 0;
  EXPECT_EQ(file.size(size), 0);
  std::vector<std::byte> bytes(size);
  const IoCount count = file.read_at(0, bytes);
  EXPECT_EQ(count.error, 0);
  EXPECT_EQ(count.bytes, size);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class PosixStorageTest : public ::testing::Test {
 protected:
  TempFolder temporary;
  fs::path directory = temporary.path() / "book";
  std::unique_ptr<PosixStorage> storage = PosixStorage::open(directory, Access::create);

  std::unique_ptr<File> make(const std::string& name, std::string_view text = "") {
    Opened opened = storage->open(name, OpenMode::create);
    EXPECT_EQ(opened.error, 0) << name;
    if (opened.file && !text.empty()) {
      EXPECT_EQ(opened.file->write_at(0, bytes_of(text)).bytes, text.size());
    }
    return std::move(opened.file);
  }
  int error_of_opening(const std::string& name, OpenMode mode) {
    const Opened opened = storage->open(name, mode);
    EXPECT_EQ(opened.file == nullptr, opened.error != 0);
    return opened.error;
  }
  std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names{"left over"};
    EXPECT_EQ(storage->list(folder, names), 0);
    return names;
  }
};

TEST_F(PosixStorageTest, WhatIsWrittenIsRead) {
  const auto file = make("a", "hello");
  EXPECT_EQ(file->write_at(7, bytes_of("you")).bytes, 3U);
  EXPECT_EQ(file->sync_data(), 0);
  EXPECT_EQ(file->sync(), 0);
  EXPECT_EQ(file->drop_cache(), 0);
  EXPECT_EQ(read_all(*file), std::string("hello\0\0you", 10));
}

TEST_F(PosixStorageTest, ReadingPastTheEndGivesNothing) {
  const auto file = make("a", "hello");
  std::vector<std::byte> into(4);
  const IoCount count = file->read_at(5, into);
  EXPECT_EQ(count.bytes, 0U);
  EXPECT_EQ(count.error, 0);
}

TEST_F(PosixStorageTest, AnOffsetBeyondAllFilesIsAnErrorAndNotAnotherOffset) {
  const auto file = make("a", "hello");
  std::vector<std::byte> into(4);
  EXPECT_EQ(file->read_at(~0ULL, into).error, EOVERFLOW);
  EXPECT_EQ(file->write_at(~0ULL, into).error, EFBIG);
  EXPECT_EQ(file->truncate(~0ULL), EFBIG);
  EXPECT_EQ(file->allocate(~0ULL), EFBIG);
  EXPECT_EQ(read_all(*file), "hello");
}

TEST_F(PosixStorageTest, AllocatingExtendsWithZerosAndKeepsWhatIsThere) {
  const auto file = make("a", "hello");
  ASSERT_EQ(file->allocate(100'000), 0);
  EXPECT_EQ(read_all(*file), "hello" + std::string(99'995, '\0'));
  ASSERT_EQ(file->allocate(10), 0) << "less than there is";
  std::uint64_t size = 0;
  ASSERT_EQ(file->size(size), 0);
  EXPECT_EQ(size, 100'000U);
}

TEST_F(PosixStorageTest, AllocatingMoreThanTheDiskHasIsRefusedAndChangesNothing) {
  const auto file = make("a", "hello");
  std::uint64_t free = 0;
  ASSERT_EQ(storage->free_bytes(free), 0);
  EXPECT_EQ(file->allocate(free + (1ULL << 40)), ENOSPC);
  EXPECT_EQ(read_all(*file), "hello");
}

TEST_F(PosixStorageTest, FreeBytesAreThoseThatOrdinaryUsersMayUse) {
  std::uint64_t free = 0;
  ASSERT_EQ(storage->free_bytes(free), 0);
  const fs::space_info space = fs::space(directory);
  EXPECT_LE(free, space.capacity);
  EXPECT_GT(free, space.available / 2);
}

TEST_F(PosixStorageTest, TruncatingCuts) {
  const auto file = make("a", "hello");
  ASSERT_EQ(file->truncate(2), 0);
  EXPECT_EQ(read_all(*file), "he");
}

TEST_F(PosixStorageTest, CreatingWhatExistsIsRefused) {
  make("a", "hello");
  EXPECT_EQ(error_of_opening("a", OpenMode::create), EEXIST);
  EXPECT_EQ(read_all(*storage->open("a", OpenMode::read).file), "hello");
}

TEST_F(PosixStorageTest, OpeningWhatIsMissingIsRefused) {
  EXPECT_EQ(error_of_opening("a", OpenMode::read), ENOENT);
  EXPECT_EQ(error_of_opening("a", OpenMode::read_write), ENOENT);
  EXPECT_EQ(error_of_opening("nowhere/a", OpenMode::create), ENOENT);
  EXPECT_THAT(names_in(""), IsEmpty());
}

TEST_F(PosixStorageTest, AFileOpenedForReadingCannotBeWritten) {
  make("a", "hello");
  const auto file = storage->open("a", OpenMode::read).file;
  EXPECT_NE(file->write_at(0, bytes_of("j")).error, 0);
  EXPECT_NE(file->truncate(0), 0);
  EXPECT_EQ(read_all(*file), "hello");
}

TEST_F(PosixStorageTest, FilesLiveInFolders) {
  ASSERT_EQ(storage->make_folder("log"), 0);
  make("log/witness", "w");
  EXPECT_EQ(storage->sync_folder("log"), 0);
  EXPECT_EQ(storage->sync_folder(""), 0);
  EXPECT_EQ(read_all(*storage->open("log/witness", OpenMode::read).file), "w");
  EXPECT_EQ(storage->describe("log/witness"), (directory / "log/witness").string());
}

TEST_F(PosixStorageTest, MakingAFolderTwiceIsFineAndOverAFileIsNot) {
  EXPECT_EQ(storage->make_folder("log"), 0);
  EXPECT_EQ(storage->make_folder("log"), 0);
  make("a");
  EXPECT_EQ(storage->make_folder("a"), ENOTDIR);
}

TEST_F(PosixStorageTest, ListsOnlyFilesAndSorted) {
  ASSERT_EQ(storage->make_folder("folder"), 0);
  for (const char* name : {"b", "a", "c"}) make(name);
  fs::create_symlink("a", directory / "link");
  EXPECT_THAT(names_in(""), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names_in("folder"), IsEmpty());
  std::vector<std::string> names;
  EXPECT_EQ(storage->list("nowhere", names), ENOENT);
}

TEST_F(PosixStorageTest, RenamingReplaces) {
  ASSERT_EQ(storage->make_folder("log"), 0);
  make("new", "new");
  make("log/old", "old");
  ASSERT_EQ(storage->rename("new", "log/old"), 0);
  EXPECT_EQ(read_all(*storage->open("log/old", OpenMode::read).file), "new");
  EXPECT_THAT(names_in(""), IsEmpty());
  EXPECT_EQ(storage->rename("new", "log/old"), ENOENT);
}

TEST_F(PosixStorageTest, RemovingRemoves) {
  make("a");
  ASSERT_EQ(storage->remove("a"), 0);
  EXPECT_THAT(names_in(""), IsEmpty());
  EXPECT_EQ(storage->remove("a"), ENOENT);
}

TEST_F(PosixStorageTest, NamesThatLeaveTheDirectoryAreNotNames) {
  std::ofstream(temporary.path() / "outside") << "x";
  ASSERT_EQ(storage->make_folder("log"), 0);
  const std::string outside = (temporary.path() / "outside").string();
  for (const std::string& name :
       {std::string("../outside"), outside, std::string("log/../a"), std::string("a/b/c"), std::string(""),
        std::string("."), std::string(".."), std::string("log/"), std::string("/a"), std::string("a\0b", 3)}) {
    EXPECT_EQ(error_of_opening(name, OpenMode::create), EINVAL) << name;
    EXPECT_EQ(storage->remove(name), EINVAL) << name;
    EXPECT_EQ(storage->rename(name, "b"), EINVAL) << name;
  }
  std::vector<std::string> names;
  EXPECT_EQ(storage->list("..", names), EINVAL);
  EXPECT_EQ(storage->make_folder("../log"), EINVAL);
  EXPECT_EQ(storage->sync_folder("."), EINVAL);
  EXPECT_TRUE(fs::exists(outside));
}

TEST_F(PosixStorageTest, ASymbolicLinkInPlaceOfAFileIsRefused) {
  std::ofstream(temporary.path() / "outside") << "x";
  fs::create_symlink(temporary.path() / "outside", directory / "a");
  EXPECT_EQ(error_of_opening("a", OpenMode::read), ELOOP);
  EXPECT_EQ(error_of_opening("a", OpenMode::read_write), ELOOP);
  EXPECT_EQ(error_of_opening("a", OpenMode::create), EEXIST);
  fs::create_symlink(temporary.path() / "not yet", directory / "dangling");
  EXPECT_EQ(error_of_opening("dangling", OpenMode::create), EEXIST);
  EXPECT_FALSE(fs::exists(temporary.path() / "not yet"));
}

TEST_F(PosixStorageTest, ASymbolicLinkInPlaceOfAFolderIsRefused) {
  fs::create_directory(temporary.path() / "outside");
  fs::create_directory_symlink(temporary.path() / "outside", directory / "log");
  EXPECT_EQ(error_of_opening("log/a", OpenMode::create), ELOOP);
  EXPECT_EQ(storage->make_folder("log"), ELOOP);
  EXPECT_EQ(storage->sync_folder("log"), ELOOP);
  std::vector<std::string> names;
  EXPECT_EQ(storage->list("log", names), ELOOP);
  EXPECT_TRUE(fs::is_empty(temporary.path() / "outside"));
}

TEST_F(PosixStorageTest, WhatIsNoFileIsRefusedWithoutWaitingForIt) {
  ASSERT_EQ(storage->make_folder("log"), 0);
  EXPECT_EQ(error_of_opening("log", OpenMode::read), EISDIR);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of_opening("pipe", OpenMode::read), EINVAL);
  EXPECT_EQ(error_of_opening("pipe", OpenMode::read_write), EINVAL);
}

TEST_F(PosixStorageTest, ModesDoNotDependOnTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{0077}, mode_t{0200}, mode_t{0777}}) {
    const AsOrdinaryUser ordinary(temporary.path());
    const WithUmask with(mask);
    const fs::path own = temporary.path() / ("umask-" + std::to_string(mask));
    const auto book = PosixStorage::open(own, Access::create);
    ASSERT_EQ(book->make_folder("log"), 0);
    ASSERT_EQ(book->open("log/a", OpenMode::create).error, 0);
    ASSERT_NE(book->lock("test").lock, nullptr);
    EXPECT_EQ(mode_of(own), 0700U);
    EXPECT_EQ(mode_of(own / "log"), 0700U);
    EXPECT_EQ(mode_of(own / "log/a"), 0600U);
    EXPECT_EQ(mode_of(own / "LOCK"), 0600U);
  }
}

TEST_F(PosixStorageTest, ADirectoryThatWasThereKeepsItsMode) {
  const fs::path shared = temporary.path() / "shared";
  fs::create_directory(shared);
  fs::permissions(shared, fs::perms(0750));
  ASSERT_NE(PosixStorage::open(shared, Access::create), nullptr);
  EXPECT_EQ(mode_of(shared), 0750U);
}

TEST_F(PosixStorageTest, MakingAFileReadOnlyShowsInItsMode) {
  const auto file = make("a", "hello");
  ASSERT_EQ(file->make_read_only(), 0);
  EXPECT_EQ(mode_of(directory / "a"), 0400U);
}

TEST_F(PosixStorageTest, EveryDescriptorIsCloseOnExec) {
  const auto file = make("a");
  const auto locked = storage->lock("test");
  int ours = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(entry.path(), gone);
    if (gone || !target.string().starts_with(directory.string())) continue;
    const int flags = ::fcntl(std::stoi(entry.path().filename().string()), F_GETFD);
    EXPECT_TRUE(flags & FD_CLOEXEC) << target;
    ++ours;
  }
  EXPECT_EQ(ours, 4) << "the directory, the file, and the lock's two";
}

TEST_F(PosixStorageTest, MovingTheDirectoryMovesNothingUnderIt) {
  make("a", "hello");
  fs::rename(directory, temporary.path() / "moved");
  fs::create_directory(directory);
  EXPECT_EQ(read_all(*storage->open("a", OpenMode::read).file), "hello");
}

TEST_F(PosixStorageTest, OpenedForReadingItChangesNothing) {
  make("a", "hello");
  ASSERT_EQ(storage->make_folder("log"), 0);
  storage = PosixStorage::open(directory, Access::read_only);
  EXPECT_EQ(error_of_opening("b", OpenMode::create), EROFS);
  EXPECT_EQ(error_of_opening("a", OpenMode::read_write), EROFS);
  EXPECT_EQ(storage->make_folder("more"), EROFS);
  EXPECT_EQ(storage->rename("a", "b"), EROFS);
  EXPECT_EQ(storage->remove("a"), EROFS);
  EXPECT_EQ(storage->sync_folder(""), EROFS);
  EXPECT_EQ(storage->lock("test").error, EROFS);
  EXPECT_EQ(read_all(*storage->open("a", OpenMode::read).file), "hello");
  EXPECT_THAT(names_in(""), ElementsAre("a"));
}

class OpeningADirectory : public ::testing::Test {
 protected:
  TempFolder temporary;

  /// What opening `path` throws: its errno, with the sentence in `sentence`.
  int error_of(const fs::path& path, Access access) {
    try {
      const auto opened = PosixStorage::open(path, access);
    } catch (const StorageError& error) {
      sentence = error.what();
      place = error.place().path;
      return error.error_number();
    }
    ADD_FAILURE() << path << " was opened";
    return 0;
  }
  std::string sentence;
  std::string place;
};

TEST_F(OpeningADirectory, ThatIsMissingIsRefusedUnlessItIsToBeMade) {
  const fs::path path = temporary.path() / "book";
  EXPECT_EQ(error_of(path, Access::read_only), ENOENT);
  EXPECT_EQ(error_of(path, Access::read_write), ENOENT);
  EXPECT_THAT(sentence, StartsWith(path.string() + ": cannot open the book's directory, no such directory"));
  EXPECT_EQ(place, path.string());
  EXPECT_FALSE(fs::exists(path));
  EXPECT_NE(PosixStorage::open(path, Access::create), nullptr);
  EXPECT_TRUE(fs::is_directory(path));
  EXPECT_NE(PosixStorage::open(path, Access::create), nullptr) << "when it is there";
}

TEST_F(OpeningADirectory, BelowAMissingOneIsRefusedEvenWhenItIsToBeMade) {
  EXPECT_EQ(error_of(temporary.path() / "no/book", Access::create), ENOENT);
  EXPECT_FALSE(fs::exists(temporary.path() / "no"));
}

TEST_F(OpeningADirectory, ThatIsAFileIsRefused) {
  std::ofstream(temporary.path() / "file") << "x";
  EXPECT_EQ(error_of(temporary.path() / "file", Access::create), ENOTDIR);
  EXPECT_THAT(sentence, HasSubstr("not a directory"));
}

TEST_F(OpeningADirectory, ThatIsASymbolicLinkIsRefusedWithOrWithoutASlash) {
  fs::create_directory(temporary.path() / "real");
  fs::create_directory_symlink("real", temporary.path() / "link");
  EXPECT_EQ(error_of(temporary.path() / "link", Access::read_write), ELOOP);
  EXPECT_THAT(sentence, HasSubstr("a symbolic link"));
  EXPECT_EQ(error_of(temporary.path() / "link/", Access::create), ELOOP);
}

TEST_F(OpeningADirectory, ThatOneMayNotWriteToIsRefusedForWritingOnly) {
  const fs::path path = temporary.path() / "book";
  fs::create_directory(path);
  fs::permissions(path, fs::perms(0555));
  const AsOrdinaryUser ordinary(temporary.path());
  EXPECT_EQ(error_of(path, Access::read_write), EACCES);
  EXPECT_THAT(sentence, HasSubstr("read-only for this user"));
  EXPECT_NE(PosixStorage::open(path, Access::read_only), nullptr);
}

TEST_F(OpeningADirectory, OnAReadOnlyFileSystemSaysSo) {
  struct statvfs status {};
  if (::statvfs("/sys", &status) != 0 || (status.f_flag & ST_RDONLY) == 0) {
    GTEST_SKIP() << "SKIPPED: /sys is not mounted read-only here";
  }
  EXPECT_EQ(error_of("/sys", Access::read_write), EROFS);
  EXPECT_THAT(sentence, HasSubstr("the file system is read-only"));
  EXPECT_NE(PosixStorage::open("/sys", Access::read_only), nullptr);
}

TEST_F(OpeningADirectory, WithoutANameIsRefused) {
  EXPECT_EQ(error_of("", Access::create), ENOENT);
  EXPECT_THAT(sentence, HasSubstr("the path is empty"));
}

// The File port against a vector of bytes.
RC_GTEST_PROP(PosixFile, IsAnArrayOfBytesThatGrowsWithZeros, ()) {
  const TempFolder temporary;
  const auto storage = PosixStorage::open(temporary.path() / "book", Access::create);
  const auto file = storage->open("a", OpenMode::create).file;
  std::string model;
  const int steps = *rc::gen::inRange(0, 30);
  for (int step = 0; step < steps; ++step) {
    const auto place = *rc::gen::inRange<std::size_t>(0, 10'000);
    switch (*rc::gen::inRange(0, 3)) {
      case 0: {
        const auto text = *rc::gen::arbitrary<std::string>();
        RC_ASSERT(file->write_at(place, bytes_of(text)).bytes == text.size());
        if (!text.empty() && model.size() < place + text.size()) model.resize(place + text.size());
        model.replace(std::min(place, model.size()), text.size(), text);
        break;
      }
      case 1:
        RC_ASSERT(file->truncate(place) == 0);
        model.resize(place);
        break;
      default:
        RC_ASSERT(file->allocate(place) == 0);
        model.resize(std::max(place, model.size()));
    }
  }
  RC_ASSERT(read_all(*file) == model);
}

}  // namespace
}  // namespace daybook
