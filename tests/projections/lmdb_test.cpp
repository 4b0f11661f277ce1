// SPDX-License-Identifier: Apache-2.0
#include "lmdb.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "daybook/core/error.hpp"
#include "sorted_writes.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using Tables = lmdb::Environment::Tables;

class Lmdb : public ::testing::Test {
 protected:
  std::unique_ptr<lmdb::Environment> open(Tables tables, std::uint64_t map_bytes = 1 << 20) {
    return std::make_unique<lmdb::Environment>(folder_.path().string(), "index/data.mdb", map_bytes, tables);
  }
  std::string number(int i) { return std::to_string(100'000 + i); }

  test::TempFolder folder_;
};

TEST_F(Lmdb, WhatWasWrittenIsReadInKeyOrder) {
  const auto environment = open(Tables::create);
  environment->write([](lmdb::WriteTransaction& transaction) {
    transaction.put(Table::jobs, "b", "2");
    transaction.put(Table::jobs, "a", "1");
    transaction.put(Table::specs, "a", "other");
    transaction.put(Table::jobs, "c", "3");
    transaction.erase(Table::jobs, "b");
    transaction.erase(Table::jobs, "never there");
  });
  EXPECT_EQ(environment->get(Table::jobs, "a"), "1");
  EXPECT_EQ(environment->get(Table::specs, "a"), "other");
  EXPECT_EQ(environment->get(Table::jobs, "b"), std::nullopt);
  lmdb::Cursor cursor = environment->cursor(Table::jobs);
  ASSERT_TRUE(cursor.first());
  EXPECT_EQ(cursor.key(), "a");
  ASSERT_TRUE(cursor.seek("aa"));
  EXPECT_EQ(cursor.key(), "c");
  EXPECT_EQ(cursor.value(), "3");
  EXPECT_FALSE(cursor.next());
}

TEST_F(Lmdb, AFullMapGrowsAndTheWriteHappensOnce) {
  const auto environment = open(Tables::create, 256 * 1024);
  const std::uint64_t before = environment->map_bytes();
  int runs = 0;
  environment->write([&](lmdb::WriteTransaction& transaction) {
    ++runs;
    for (int i = 0; i < 1000; ++i) transaction.append(Table::jobs, number(i), std::string(3000, 'x'));
  });
  EXPECT_GT(runs, 1);
  EXPECT_GE(environment->map_bytes(), 2 * before);
  int found = 0;
  lmdb::Cursor cursor = environment->cursor(Table::jobs);
  for (bool more = cursor.first(); more; more = cursor.next()) ++found;
  EXPECT_EQ(found, 1000);
}

TEST_F(Lmdb, AFileLargerThanTheMapAskedForOpens) {
  {
    const auto environment = open(Tables::create);
    environment->write([&](lmdb::WriteTransaction& transaction) {
      for (int i = 0; i < 1000; ++i) transaction.append(Table::jobs, number(i), std::string(3000, 'x'));
    });
  }
  const auto environment = open(Tables::must_exist, 64 * 1024);
  EXPECT_TRUE(environment->get(Table::jobs, number(999)));
}

TEST_F(Lmdb, ABodyThatThrowsWritesNothing) {
  const auto environment = open(Tables::create);
  EXPECT_THROW(environment->write([](lmdb::WriteTransaction& transaction) {
    transaction.put(Table::jobs, "a", "1");
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  const auto again = [&] {
    environment->write([](lmdb::WriteTransaction& transaction) { transaction.put(Table::jobs, "b", "2"); });
  };
  again();
  EXPECT_EQ(environment->get(Table::jobs, "a"), std::nullopt);
  EXPECT_EQ(environment->get(Table::jobs, "b"), "2");
}

TEST_F(Lmdb, AFailureNamesTheCallAndTheFile) {
  std::filesystem::create_directory(folder_.path() / "data.mdb");
  try {
    open(Tables::create);
    FAIL() << "opened a folder as a file";
  } catch (const StorageError& error) {
    EXPECT_EQ(error.place().path, "index/data.mdb");
    EXPECT_NE(std::string(error.what()).find("mdb_env_open failed"), std::string::npos) << error.what();
  }
}

TEST_F(Lmdb, AppendingOutOfOrderFails) {
  const auto environment = open(Tables::create);
  EXPECT_THROW(environment->write([](lmdb::WriteTransaction& transaction) {
    transaction.append(Table::jobs, "b", "2");
    transaction.append(Table::jobs, "a", "1");
  }),
               StorageError);
}

TEST_F(Lmdb, NoLockFileIsLeftBehind) {
  const auto environment = open(Tables::create);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "lock.mdb"));
}

TEST_F(Lmdb, SortedWritesPutAndEraseInOneGo) {
  const auto environment = open(Tables::create);
  environment->write([](lmdb::WriteTransaction& transaction) { transaction.put(Table::ready, "m", "old"); });
  Writes writes;
  writes[Table::ready].put("z", "26");
  writes[Table::ready].erase("m");
  writes[Table::ready].put("a", "1");
  writes.sort();
  environment->write([&](lmdb::WriteTransaction& transaction) { writes.carry_out(transaction); });
  EXPECT_EQ(environment->get(Table::ready, "a"), "1");
  EXPECT_EQ(environment->get(Table::ready, "m"), std::nullopt);
  EXPECT_EQ(environment->get(Table::ready, "z"), "26");
}

}  // namespace
}  // namespace daybook
