// SPDX-License-Identifier: Apache-2.0
#include "file_io.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "patient_storage.hpp"

// What the log makes of each answer that a file or a folder can give.

namespace daybook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What each kind of call answers, in turn; once all were given, the call works.
struct Told {
  std::map<std::string, std::deque<int>> errors;
  std::vector<std::string> calls;

  int take(const std::string& call) {
    calls.push_back(call);
    std::deque<int>& left = errors[call];
    if (left.empty()) return 0;
    const int error = left.front();
    left.pop_front();
    return error;
  }
};

constexpr int nothing_moved = -1;  // no error, and no byte either

class ToldFile final : public File {
 public:
  ToldFile(Told& told, std::vector<std::byte>& bytes) : told_(told), bytes_(bytes) {}
  IoCount read_at(std::uint64_t offset, std::span<std::byte> into) override {
    if (const int error = told_.take("read")) return {0, error};
    const std::size_t left = offset < bytes_.size() ? std::min<std::size_t>(into.size(), bytes_.size() - offset) : 0;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(offset, bytes_.size())), left,
                into.begin());
    return {left, 0};
  }
  IoCount write_at(std::uint64_t offset, std::span<const std::byte> from) override {
    if (const int error = told_.take("write")) return {0, error == nothing_moved ? 0 : error};
    bytes_.resize(std::max<std::size_t>(bytes_.size(), offset + from.size()));
    std::copy(from.begin(), from.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    return {from.size(), 0};
  }
  int sync_data() override { return told_.take("sync_data"); }
  int sync() override { return told_.take("sync"); }
  int truncate(std::uint64_t) override { return told_.take("truncate"); }
  int allocate(std::uint64_t) override { return told_.take("allocate"); }
  int size(std::uint64_t& bytes) override {
    bytes = bytes_.size();
    return told_.take("size");
  }
  int drop_cache() override { return told_.take("drop_cache"); }
  int make_read_only() override { return told_.take("make_read_only"); }

 private:
  Told& told_;
  std::vector<std::byte>& bytes_;
};

class ToldStorage final : public Storage {
 public:
  Told told;
  std::vector<std::byte> bytes;

  Opened open(const std::string&, OpenMode) override {
    if (const int error = told.take("open")) return {nullptr, error};
    return {std::make_unique<ToldFile>(told, bytes), 0};
  }
  int list(const std::string&, std::vector<std::string>&) override { return told.take("list"); }
  int make_folder(const std::string&) override { return told.take("make_folder"); }
  int rename(const std::string&, const std::string&) override { return told.take("rename"); }
  int remove(const std::string&) override { return told.take("remove"); }
  int sync_folder(const std::string&) override { return told.take("sync_folder"); }
  int free_bytes(std::uint64_t&) override { return told.take("free_bytes"); }
  Locked lock(const std::string&) override { return {nullptr, {}, told.take("lock")}; }
  std::string describe(const std::string& name) const override { return "/book/" + name; }
};

class FileIo : public testing::Test {
 protected:
  LogFile open(OpenMode mode = OpenMode::read_write) { return LogFile::open(storage, "log/1.seg", mode); }

  template <class Act>
  void expect_storage_error(int error, const std::string& words, Act act) {
    try {
      act();
      FAIL() << "expected: " << words;
    } catch (const StorageError& thrown) {
      EXPECT_EQ(thrown.error_number(), error) << thrown.what();
      EXPECT_THAT(thrown.what(), HasSubstr(words));
    }
  }

  ToldStorage storage;
};

TEST_F(FileIo, AFileThatIsNotThereIsNamed) {
  storage.told.errors["open"] = {ENOENT, ENOENT, ENOENT, EACCES, EEXIST};
  EXPECT_FALSE(LogFile::open_if_exists(storage, "log/1.seg", OpenMode::read));
  expect_storage_error(ENOENT, "cannot open /book/log/1.seg", [&] { open(OpenMode::read); });
  expect_storage_error(ENOENT, "cannot create /book/log/1.seg", [&] { open(OpenMode::create); });
  expect_storage_error(EACCES, "cannot open /book/log/1.seg", [&] { open(); });
  expect_storage_error(EEXIST, "cannot create", [&] { open(OpenMode::create); });
}

TEST_F(FileIo, WhatIsInterruptedIsAskedAgain) {
  storage.told.errors = {{"open", {EINTR}},       {"read", {EINTR}},     {"write", {EINTR}},
                         {"truncate", {EINTR}},   {"size", {EINTR}},     {"make_read_only", {EINTR}},
                         {"drop_cache", {EINTR}}, {"allocate", {EINTR}}, {"make_folder", {EINTR}},
                         {"rename", {EINTR}},     {"remove", {EINTR}}};
  LogFile file = open();
  std::array<std::byte, 8> bytes{};
  file.write(0, bytes);
  EXPECT_EQ(file.read(0, bytes), bytes.size());
  EXPECT_EQ(file.size(), bytes.size());
  file.truncate(0);
  file.make_read_only();
  file.drop_cache();
  EXPECT_TRUE(file.allocate(8));
  make_folder(storage, "log");
  rename_file(storage, "a", "b");
  remove_if_exists(storage, "a");
}

TEST_F(FileIo, ASyncIsNeverAskedAgain) {
  storage.told.errors = {{"sync", {EINTR}}, {"sync_data", {EINTR}}, {"sync_folder", {EINTR}}};
  LogFile file = open();
  expect_storage_error(EINTR, "cannot sync /book/log/1.seg", [&] { file.sync(); });
  expect_storage_error(EINTR, "cannot sync /book/log/1.seg", [&] { file.sync_data(); });
  expect_storage_error(EINTR, "cannot sync the folder /book/log", [&] { sync_folder(storage, "log"); });
}

TEST_F(FileIo, EachFailureSaysWhatCouldNotBeDone) {
  for (const char* call : {"read", "write", "truncate", "size", "make_read_only", "drop_cache", "allocate",
                           "make_folder", "rename", "remove"}) {
    storage.told.errors[call] = {EIO};
  }
  LogFile file = open();
  std::array<std::byte, 8> bytes{};
  expect_storage_error(EIO, "cannot read from", [&] { static_cast<void>(file.read(0, bytes)); });
  expect_storage_error(EIO, "cannot write to", [&] { file.write(0, bytes); });
  expect_storage_error(EIO, "cannot cut to 5 bytes", [&] { file.truncate(5); });
  expect_storage_error(EIO, "cannot tell the size of", [&] { static_cast<void>(file.size()); });
  expect_storage_error(EIO, "cannot make read-only", [&] { file.make_read_only(); });
  expect_storage_error(EIO, "cannot drop the cache of", [&] { file.drop_cache(); });
  expect_storage_error(EIO, "cannot reserve 5 bytes for", [&] { static_cast<void>(file.allocate(5)); });
  expect_storage_error(EIO, "cannot make the folder", [&] { make_folder(storage, "log"); });
  expect_storage_error(EIO, "cannot rename to b", [&] { rename_file(storage, "a", "b"); });
  expect_storage_error(EIO, "cannot remove", [&] { remove_if_exists(storage, "a"); });
}

TEST_F(FileIo, AWriteThatMovesNothingFails) {
  LogFile file = open();
  storage.told.errors["write"] = {nothing_moved};
  std::array<std::byte, 8> bytes{};
  expect_storage_error(EIO, "no byte could be written to", [&] { file.write(0, bytes); });
}

TEST_F(FileIo, NoRoomIsAnAnswerInEachOfItsForms) {
  LogFile file = open();
  for (const int error : {ENOSPC, EDQUOT, EFBIG}) {
    storage.told.errors["allocate"] = {error};
    EXPECT_FALSE(file.allocate(64)) << error;
  }
}

TEST_F(FileIo, WhereNothingCanBeReservedZerosAreWritten) {
  for (const int error : {EOPNOTSUPP, ENOSYS, EINVAL}) {
    storage.bytes.assign(8, std::byte{1});
    storage.told.errors["allocate"] = {error};
    LogFile file = open();
    ASSERT_TRUE(file.allocate(64)) << error;
    ASSERT_EQ(storage.bytes.size(), 64U);
    EXPECT_EQ(std::count(storage.bytes.begin(), storage.bytes.end(), std::byte{0}), 56) << "what was there stays";
  }
  storage.told.errors = {{"allocate", {EINVAL, EINVAL}}, {"write", {ENOSPC, EIO}}};
  LogFile file = open();
  EXPECT_FALSE(file.allocate(128));
  expect_storage_error(EIO, "cannot write to", [&] { static_cast<void>(file.allocate(128)); });
}

TEST_F(FileIo, WhatIsGoneNeedNotBeRemoved) {
  storage.told.errors["remove"] = {ENOENT};
  remove_if_exists(storage, "a");
  EXPECT_THAT(storage.told.calls, ElementsAre("remove"));
}

// ---- a storage that gives what it can

class Patient : public FileIo {
 protected:
  std::unique_ptr<File> opened() {
    Opened opened = patient.open("log/1.seg", OpenMode::read);
    EXPECT_EQ(opened.error, 0);
    return std::move(opened.file);
  }
  PatientStorage patient{storage};
};

TEST_F(Patient, WritesNothing) {
  const auto file = opened();
  storage.told.calls.clear();
  std::array<std::byte, 8> bytes{};
  EXPECT_EQ(file->write_at(0, bytes).error, EROFS);
  EXPECT_EQ(file->sync_data(), EROFS);
  EXPECT_EQ(file->sync(), EROFS);
  EXPECT_EQ(file->truncate(0), EROFS);
  EXPECT_EQ(file->allocate(9), EROFS);
  EXPECT_EQ(file->make_read_only(), EROFS);
  EXPECT_EQ(patient.open("log/1.seg", OpenMode::create).error, EROFS);
  EXPECT_EQ(patient.open("log/1.seg", OpenMode::read_write).error, EROFS);
  EXPECT_EQ(patient.make_folder("log"), EROFS);
  EXPECT_EQ(patient.rename("a", "b"), EROFS);
  EXPECT_EQ(patient.remove("a"), EROFS);
  EXPECT_EQ(patient.sync_folder("log"), EROFS);
  EXPECT_EQ(patient.lock("reading").error, EROFS);
  EXPECT_TRUE(storage.told.calls.empty());
}

TEST_F(Patient, AsksTheStorageBelow) {
  storage.bytes.assign(8, std::byte{1});
  storage.told.errors = {{"list", {EIO}}, {"free_bytes", {EIO}}, {"open", {EIO}}, {"drop_cache", {EIO}}};
  std::vector<std::string> names;
  std::uint64_t free = 0;
  EXPECT_EQ(patient.list("log", names), EIO);
  EXPECT_EQ(patient.free_bytes(free), EIO);
  EXPECT_EQ(patient.open("log/1.seg", OpenMode::read).error, EIO);
  EXPECT_EQ(patient.describe("log"), "/book/log");
  const auto file = opened();
  EXPECT_EQ(file->drop_cache(), EIO);
  std::uint64_t size = 0;
  EXPECT_EQ(file->size(size), 0);
  EXPECT_EQ(size, 8U);
}

TEST_F(Patient, GivesZerosForABlockThatCannotBeReadAndCountsThem) {
  storage.bytes.assign(5000, std::byte{1});
  const auto file = opened();
  std::vector<std::byte> bytes(5000, std::byte{7});
  storage.told.errors["read"] = {EIO, EIO};
  const IoCount first = file->read_at(0, bytes);
  EXPECT_EQ(first.error, 0);
  EXPECT_EQ(first.bytes, 4096U) << "a disk refuses whole blocks";
  EXPECT_EQ(std::count(bytes.begin(), bytes.begin() + 4096, std::byte{0}), 4096);
  EXPECT_EQ(patient.unreadable().at("log/1.seg"), 4096U);

  storage.told.errors["read"] = {EIO, EIO};
  EXPECT_EQ(file->read_at(4096, bytes).bytes, 904U) << "and no byte behind the end";
  EXPECT_EQ(patient.unreadable().at("log/1.seg"), 5000U);
  storage.told.errors["read"] = {EIO, EIO};
  EXPECT_EQ(file->read_at(8192, bytes).bytes, 0U);
  EXPECT_EQ(patient.unreadable().at("log/1.seg"), 5000U);
}

TEST_F(Patient, TriesTheBlockAloneBeforeItGivesUpOnIt) {
  storage.bytes.assign(5000, std::byte{1});
  const auto file = opened();
  std::vector<std::byte> bytes(5000);
  storage.told.errors["read"] = {EIO};
  EXPECT_EQ(file->read_at(0, bytes).bytes, 4096U);
  EXPECT_EQ(bytes[4095], std::byte{1});
  EXPECT_EQ(patient.unreadable().at("log/1.seg"), 0U);
}

TEST_F(Patient, HandsOnEveryOtherError) {
  const auto file = opened();
  std::array<std::byte, 8> bytes{};
  storage.told.errors["read"] = {EACCES};
  EXPECT_EQ(file->read_at(0, bytes).error, EACCES);
  storage.told.errors["read"] = {EIO, EACCES};
  EXPECT_EQ(file->read_at(0, bytes).error, EACCES);
  storage.told.errors["read"] = {EIO, EIO};
  storage.told.errors["size"] = {ENOMEM};
  EXPECT_EQ(file->read_at(0, bytes).error, ENOMEM) << "how much is missing is not known";
}

}  // namespace
}  // namespace daybook
