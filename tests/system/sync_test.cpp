// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "daybook/core/error.hpp"
#include "daybook/system/posix_storage.hpp"
#include "support/sync_spy.hpp"
#include "support/temp_folder.hpp"

// Each sync of the ports reaches the kernel as the call that it promises, and what the kernel says reaches the caller.

namespace daybook {
namespace {

using test::SyncSpy;
using test::TempFolder;
using ::testing::ElementsAre;

class Sync : public ::testing::Test {
 protected:
  /// The call that `act` made, after it was seen to succeed and, made to fail, to say so.
  template <class Act>
  static void expect_call(const std::string& call, Act act) {
    {
      const SyncSpy spy;
      EXPECT_EQ(act(), 0) << call;
      EXPECT_THAT(spy.calls(), ElementsAre(call));
    }
    SyncSpy spy;
    spy.fail_next(call, EIO);
    EXPECT_EQ(act(), EIO) << call;
    EXPECT_THAT(spy.calls(), ElementsAre()) << "a failed sync is not tried again";
  }

  TempFolder temporary;
  std::unique_ptr<PosixStorage> storage = PosixStorage::open(temporary.path() / "book", Access::create);
};

TEST_F(Sync, OfAFileIsItsOwn) {
  const auto file = storage->open("a", OpenMode::create).file;
  expect_call("fdatasync a", [&] { return file->sync_data(); });
  expect_call("fsync a", [&] { return file->sync(); });
}

TEST_F(Sync, OfAFolderIsThatOfItsDescriptor) {
  ASSERT_EQ(storage->make_folder("log"), 0);
  expect_call("fsync log", [&] { return storage->sync_folder("log"); });
  expect_call("fsync book", [&] { return storage->sync_folder(""); });
}

TEST_F(Sync, ANewBooksNameIsDurableBeforeAnythingIsInIt) {
  const std::string parent = temporary.path().filename().string();
  {
    const SyncSpy spy;
    static_cast<void>(PosixStorage::open(temporary.path() / "second", Access::create));
    EXPECT_THAT(spy.calls(), ElementsAre("fsync " + parent));
  }
  SyncSpy spy;
  spy.fail_next("fsync " + parent, EIO);
  EXPECT_THROW(static_cast<void>(PosixStorage::open(temporary.path() / "third", Access::create)), StorageError);
}

}  // namespace
}  // namespace daybook
