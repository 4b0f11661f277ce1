// SPDX-License-Identifier: Apache-2.0
#include "quarantine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "daybook/core/limits.hpp"
#include "sha256.hpp"
#include "support/memory_storage.hpp"

// Cut bytes are evidence: kept, told from each other, and bounded.

namespace daybook::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::byte> some_bytes(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((i * 7 + seed) & 0xFF);
  return bytes;
}

class Quarantine : public ::testing::Test {
 protected:
  Cut put(std::uint64_t segment, std::uint64_t offset, const std::vector<std::byte>& bytes) {
    removed.clear();
    return put_in_quarantine(disk, Sequence(segment), offset, bytes, removed);
  }
  [[nodiscard]] std::uint64_t kept_bytes() const {
    std::uint64_t all = 0;
    for (const std::string& name : disk.names()) all += disk.content(name).size();
    return all;
  }

  MemoryStorage disk;
  std::vector<std::string> removed;
};

TEST_F(Quarantine, KeepsTheBytesAndFindsThemAgain) {
  const auto bytes = some_bytes(1000, 1);
  const Cut cut = put(7, 4096, bytes);
  EXPECT_EQ(disk.content(cut.file), bytes);
  EXPECT_EQ(cut.sha256, sha256(bytes));
  const auto found = find_in_quarantine(disk, Sequence(7), 4096);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, cut.file);
  EXPECT_EQ(found->bytes, 1000U);
  EXPECT_EQ(found->sha256, cut.sha256);
  EXPECT_FALSE(find_in_quarantine(disk, Sequence(7), 409));
  EXPECT_FALSE(find_in_quarantine(disk, Sequence(70), 4096));
}

TEST_F(Quarantine, OfALargeCutTheBeginningAndTheEndAreKeptAndTheHashIsOfAll) {
  const std::size_t size = limits::quarantine_cut_bytes_max + 1001;
  const auto bytes = some_bytes(size, 2);
  const Cut cut = put(1, 5000, bytes);
  const auto kept = disk.content(cut.file);
  constexpr std::size_t half = limits::quarantine_cut_bytes_max / 2;
  ASSERT_EQ(kept.size(), 2 * half);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.begin() + half, kept.begin()));
  EXPECT_TRUE(std::equal(bytes.end() - half, bytes.end(), kept.begin() + half));
  const auto found = find_in_quarantine(disk, Sequence(1), 5000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bytes, size);
  EXPECT_EQ(found->sha256, sha256(bytes));
  EXPECT_EQ(cut.sha256, found->sha256);
}

TEST_F(Quarantine, BeyondItsNumberOfFilesTheOldestGoAndAreNamed) {
  const Cut oldest = put(9, 5000, some_bytes(10, 0));
  for (unsigned i = 1; i < limits::quarantine_files_max; ++i) {
    put(10, 10'000 - i, some_bytes(10, i));
    ASSERT_THAT(removed, IsEmpty());
  }
  put(10, 10'000, some_bytes(10, 99));
  EXPECT_THAT(removed, ElementsAre(oldest.file));
  EXPECT_FALSE(disk.exists(oldest.file));
  EXPECT_EQ(disk.names().size(), limits::quarantine_files_max);
  put(10, 9'000, some_bytes(10, 98));
  EXPECT_TRUE(find_in_quarantine(disk, Sequence(10), 9'000)) << "the newest stays, wherever it was cut";
}

TEST_F(Quarantine, BeyondItsNumberOfBytesTheOldestGo) {
  const std::size_t each = limits::quarantine_cut_bytes_max;
  for (unsigned i = 0; i < limits::quarantine_bytes_max / each + 3; ++i) {
    put(1 + i, 4096, some_bytes(each, i));
    EXPECT_LE(kept_bytes(), limits::quarantine_bytes_max);
  }
  EXPECT_FALSE(find_in_quarantine(disk, Sequence(1), 4096));
  EXPECT_TRUE(find_in_quarantine(disk, Sequence(4), 4096));
}

TEST_F(Quarantine, WhatIsNoneOfItsFilesIsLeftAloneAndNotFound) {
  const Cut cut = put(7, 4096, some_bytes(1000, 1));
  const std::string prefix = cut.file.substr(0, cut.file.rfind('-') + 1);
  const auto add = [&](const std::string& name) { ASSERT_EQ(disk.open(name, OpenMode::create).error, 0) << name; };
  add("quarantine/readme");
  add(prefix + "notes.txt");
  for (const std::string& name : disk.names()) {
    EXPECT_EQ(find_in_quarantine(disk, Sequence(7), 4096)->file, cut.file) << "beside " << name;
  }
  for (unsigned i = 0; i < limits::quarantine_files_max; ++i) put(8, i, some_bytes(10, i));
  EXPECT_TRUE(disk.exists("quarantine/readme"));
  EXPECT_TRUE(disk.exists(prefix + "notes.txt"));
}

TEST_F(Quarantine, AHashThatIsNoneIsMadeAnewFromTheBytes) {
  const auto bytes = some_bytes(10, 1);
  const Cut cut = put(7, 4096, bytes);
  for (const std::string& hash : {std::string(64, 'x'), "1" + std::string(63, 'x'), std::string(63, '1')}) {
    const std::string name = cut.file.substr(0, cut.file.rfind('-') + 1) + hash + "-99.cut";
    ASSERT_EQ(disk.rename(disk.names().front(), name), 0);
    const auto found = find_in_quarantine(disk, Sequence(7), 4096);
    ASSERT_TRUE(found) << hash;
    EXPECT_EQ(found->bytes, bytes.size());
    EXPECT_EQ(found->sha256, sha256(bytes));
  }
}

TEST_F(Quarantine, AFolderThatCannotBeListedHoldsNothing) {
  put(7, 4096, some_bytes(10, 1));
  disk.fail_next(Operation::list, EIO);
  EXPECT_FALSE(find_in_quarantine(disk, Sequence(7), 4096));
  EXPECT_TRUE(find_in_quarantine(disk, Sequence(7), 4096));
}

TEST_F(Quarantine, SurvivesTheLossOfPowerOnceItIsPut) {
  const Cut cut = put(1, 4096, some_bytes(100, 3));
  disk.crash();
  EXPECT_EQ(disk.content(cut.file).size(), 100U);
}

}  // namespace
}  // namespace daybook::test
