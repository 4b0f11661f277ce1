// SPDX-License-Identifier: Apache-2.0

// The storage without a disk behaves as the one on a disk: the same stories on both; and what only it can do.
#include "daybook/testing/memory_storage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "daybook/system/posix_storage.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using daybook::testing::MemoryStorage;

struct OnDisk {
  test::TempFolder folder;
  std::unique_ptr<PosixStorage> storage = PosixStorage::open(folder.path() / "book", Access::create);
  Storage& get() { return *storage; }
};
struct InMemory {
  MemoryStorage storage;
  Storage& get() { return storage; }
};

void write(Storage& storage, const std::string& name, std::string_view text) {
  Opened opened = storage.open(name, OpenMode::create);
  ASSERT_EQ(opened.error, 0);
  ASSERT_EQ(opened.file->write_at(0, std::as_bytes(std::span(text))).bytes, text.size());
}
std::string text_of(Storage& storage, const std::string& name) {
  Opened opened = storage.open(name, OpenMode::read);
  if (opened.error != 0) return "errno " + std::to_string(opened.error);
  std::array<std::byte, 64> bytes{};
  const IoCount count = opened.file->read_at(0, bytes);
  return {reinterpret_cast<const char*>(bytes.data()), count.bytes};
}

template <class Place>
class AnyStorageTest : public ::testing::Test {
 protected:
  Place place;
  Storage& storage = place.get();
};
using Places = ::testing::Types<OnDisk, InMemory>;
TYPED_TEST_SUITE(AnyStorageTest, Places);

TYPED_TEST(AnyStorageTest, WhatIsWrittenIsRead) {
  write(this->storage, "one", "hello");
  EXPECT_EQ(text_of(this->storage, "one"), "hello");
  Opened opened = this->storage.open("one", OpenMode::read_write);
  ASSERT_EQ(opened.file->allocate(8), 0);
  std::uint64_t size = 0;
  ASSERT_EQ(opened.file->size(size), 0);
  EXPECT_EQ(size, 8u);
  ASSERT_EQ(opened.file->truncate(4), 0);
  EXPECT_EQ(text_of(this->storage, "one"), "hell");
  std::array<std::byte, 1> none{};
  EXPECT_EQ(opened.file->read_at(100, none).bytes, 0u);
  EXPECT_EQ(opened.file->read_at(100, none).error, 0);
  EXPECT_EQ(opened.file->sync(), 0);
}

TYPED_TEST(AnyStorageTest, FilesAreListedByFolderInOrder) {
  ASSERT_EQ(this->storage.make_folder("log"), 0);
  ASSERT_EQ(this->storage.make_folder("log"), 0) << "fine when it exists";
  write(this->storage, "log/b", "");
  write(this->storage, "log/a", "");
  write(this->storage, "top", "");
  std::vector<std::string> names;
  ASSERT_EQ(this->storage.list("log", names), 0);
  EXPECT_THAT(names, ::testing::ElementsAre("a", "b"));
  ASSERT_EQ(this->storage.list("", names), 0);
  EXPECT_THAT(names, ::testing::Contains("top"));
  EXPECT_EQ(this->storage.list("nowhere", names), ENOENT);
  EXPECT_EQ(this->storage.sync_folder("log"), 0);
}

TYPED_TEST(AnyStorageTest, RenamingReplacesAndRemovingForgets) {
  write(this->storage, "new", "new");
  write(this->storage, "old", "old");
  ASSERT_EQ(this->storage.rename("new", "old"), 0);
  EXPECT_EQ(text_of(this->storage, "old"), "new");
  EXPECT_EQ(this->storage.rename("new", "old"), ENOENT);
  ASSERT_EQ(this->storage.remove("old"), 0);
  EXPECT_EQ(this->storage.remove("old"), ENOENT);
}

TYPED_TEST(AnyStorageTest, OpeningIsRefusedWithTheErrnoOfTheReason) {
  write(this->storage, "there", "x");
  EXPECT_EQ(this->storage.open("there", OpenMode::create).error, EEXIST);
  EXPECT_EQ(this->storage.open("nowhere", OpenMode::read).error, ENOENT);
  EXPECT_EQ(this->storage.open("nowhere/file", OpenMode::create).error, ENOENT);
  Opened opened = this->storage.open("there", OpenMode::read);
  EXPECT_EQ(opened.file->write_at(0, std::as_bytes(std::span("y", 1))).error, EBADF);
}

TYPED_TEST(AnyStorageTest, TheLockIsHeldOnceAndEndsWithItsHolder) {
  Locked first = this->storage.lock("one");
  ASSERT_NE(first.lock, nullptr);
  EXPECT_EQ(this->storage.lock("two").lock, nullptr);
  first.lock.reset();
  EXPECT_NE(this->storage.lock("three").lock, nullptr);
}

TEST(MemoryStorageTest, AFileThatWasMadeReadOnlyIsNotOpenedForWriting) {
  MemoryStorage storage;
  write(storage, "sealed", "x");
  ASSERT_EQ(storage.open("sealed", OpenMode::read).file->make_read_only(), 0);
  EXPECT_EQ(storage.open("sealed", OpenMode::read_write).error, EACCES);
  EXPECT_EQ(text_of(storage, "sealed"), "x");
}

TEST(MemoryStorageTest, ACopyHasTheFilesOfThatMomentAndNoLock) {
  MemoryStorage storage;
  const Locked lock = storage.lock("one");
  write(storage, "one", "before");
  MemoryStorage copy(storage);
  ASSERT_EQ(storage.remove("one"), 0);
  EXPECT_EQ(text_of(copy, "one"), "before");
  EXPECT_NE(copy.lock("two").lock, nullptr);
}

TEST(MemoryStorageTest, FilesGrowIntoTheRoomThatThereIs) {
  MemoryStorage storage;
  storage.set_free_bytes(6);
  write(storage, "one", "hello");
  Opened opened = storage.open("one", OpenMode::read_write);
  EXPECT_EQ(opened.file->allocate(7), ENOSPC);
  EXPECT_EQ(opened.file->truncate(1), 0);
  std::uint64_t free = 0;
  ASSERT_EQ(storage.free_bytes(free), 0);
  EXPECT_EQ(free, 5u);
  ASSERT_EQ(storage.remove("one"), 0);
  ASSERT_EQ(storage.free_bytes(free), 0);
  EXPECT_EQ(free, 6u);
  EXPECT_EQ(storage.bytes(), 0u);
}

TEST(MemoryStorageTest, WritesAndSyncsFailFromThenOn) {
  MemoryStorage storage;
  write(storage, "one", "hello");
  Opened opened = storage.open("one", OpenMode::read_write);
  storage.fail_writes(EIO);
  EXPECT_EQ(opened.file->sync_data(), EIO);
  EXPECT_EQ(opened.file->write_at(0, std::as_bytes(std::span("y", 1))).error, EIO);
  EXPECT_EQ(storage.open("two", OpenMode::create).error, EIO);
  EXPECT_EQ(storage.rename("one", "two"), EIO);
  EXPECT_EQ(text_of(storage, "one"), "hello") << "reading goes on";
  storage.fail_writes(0);
  EXPECT_EQ(opened.file->sync_data(), 0);
}

}  // namespace
}  // namespace daybook
