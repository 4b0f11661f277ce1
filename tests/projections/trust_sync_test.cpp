// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "daybook/core/error.hpp"
#include "index_fixture.hpp"
#include "support/sync_spy.hpp"

// What the index asks the kernel to make durable, and in which order: its marks are worth no more than that.

namespace daybook {
namespace {

using test::SyncSpy;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TrustSync : public ::testing::Test {
 protected:
  TrustSync() {
    index.create();
    index->put(test::waiting_job(1, {}));
    index->put(test::book_at(1));
    index.project({});
  }
  test::IndexFolder index;
};

TEST_F(TrustSync, ClosingSyncsTheDataThenTheMarkThenItsName) {
  const SyncSpy spy;
  index.close();
  EXPECT_THAT(spy.calls(), ElementsAre("fdatasync data.mdb", "fsync state.tmp", "rename state", "fsync index"));
}

TEST_F(TrustSync, ADataFileThatCannotBeSyncedIsNotMarkedAsClosed) {
  {
    SyncSpy spy;
    spy.fail_next("fdatasync data.mdb", EIO);
    EXPECT_THROW(index->close(), StorageError);
  }
  index.crash();
  EXPECT_THAT(index.reopen(test::next_boot), HasSubstr("not closed before the machine restarted"));
}

TEST_F(TrustSync, AMarkThatCannotBeMadeDurableIsAnError) {
  for (const char* call : {"fsync state.tmp", "rename state", "fsync index"}) {
    SyncSpy spy;
    spy.fail_next(call, EIO);
    EXPECT_THROW(index->close(), StorageError) << call;
  }
}

TEST_F(TrustSync, OpeningReplacesTheMarkOfACleanCloseBeforeAnythingElseIsWritten) {
  index.close();
  const SyncSpy spy;
  ASSERT_EQ(index.reopen(), "");
  EXPECT_THAT(spy.calls(), ElementsAre("fsync state.tmp", "rename state", "fsync index"));
}

TEST_F(TrustSync, AnIndexLeftOpenIsSyncedBeforeItIsBelieved) {
  index.crash();
  const SyncSpy spy;
  ASSERT_EQ(index.reopen(), "");
  EXPECT_THAT(spy.calls(), ElementsAre("fdatasync data.mdb"));
}

TEST_F(TrustSync, AnIndexLeftOpenThatCannotBeSyncedIsNotTrusted) {
  index.crash();
  SyncSpy spy;
  spy.fail_next("fdatasync data.mdb", EIO);
  EXPECT_THAT(index.reopen(), HasSubstr("data.mdb cannot be synced"));
}

TEST_F(TrustSync, MakingAnIndexForgetsTheMarkDurablyBeforeTheDataGoes) {
  index.close();
  const SyncSpy spy;
  index.create();
  auto calls = spy.calls();
  ASSERT_GE(calls.size(), 3U);
  calls.resize(3);
  EXPECT_THAT(calls, ElementsAre("remove state", "fsync index", "remove data.mdb"));
}

TEST_F(TrustSync, CondemningIsDurable) {
  const SyncSpy spy;
  index->condemn();
  EXPECT_THAT(spy.calls(), ElementsAre("remove state", "fsync index"));
}

}  // namespace
}  // namespace daybook
