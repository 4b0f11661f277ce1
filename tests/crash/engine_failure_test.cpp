// SPDX-License-Identifier: Apache-2.0

// The first, the second, … the n-th call to the disk fails, once or for good, in a small life of a book; then the disk is well
// again. What was acknowledged is there, what was not is whole or absent, and nobody was told anything in between.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "daybook/core/error.hpp"
#include "engine_book.hpp"
#include "index_disk.hpp"

namespace daybook::test {
namespace {

struct Failing {
  int error_number;
  bool for_good;
  bool syncs_revert;  // what the cache does after a failed sync
};

std::string describe(const Failing& how, std::uint64_t nth) {
  return "call " + std::to_string(nth) + " fails with errno " + std::to_string(how.error_number) +
         (how.for_good ? ", and all after it" : "") + (how.syncs_revert ? "; the cache reverts" : "");
}

void fail(MemoryStorage& disk, const Failing& how, std::uint64_t nth) {
  disk.let_failed_syncs_revert(how.syncs_revert);
  how.for_good ? disk.fail_for_good(nth, how.error_number) : disk.fail_call(nth, how.error_number);
}

// The life may be refused to go on at any point; only storage errors may refuse it.
void live_on_a_failing_disk(EngineBook& book, int error_number) {
  try {
    live(book);
  } catch (const StorageError& error) {
    EXPECT_EQ(error.error_number(), error_number) << error.what();
    EXPECT_FALSE(book.usable()) << "an engine that threw goes on acknowledging";
  }
}

constexpr std::uint64_t ends = 4;
void end(MemoryStorage& disk, std::uint64_t which, std::uint64_t seed) {
  switch (which) {
    case 0:
      return disk.kill();
    case 1:
      return disk.crash();
    case 2:
      return disk.crash_keeping_all();
    default:
      return disk.crash({.seed = seed, .kept_percent = 40, .garbage_percent = 20, .halved_percent = 20});
  }
}

class EngineFailure : public testing::TestWithParam<Failing> {};

TEST_P(EngineFailure, OfAnyCallToTheDiskLosesNothingAndNothingIsAcknowledgedBehindIt) {
  const Failing how = GetParam();
  std::uint64_t told = 0;
  for (std::uint64_t run = ends;; ++run) {
    const std::uint64_t nth = run / ends;
    SCOPED_TRACE(describe(how, nth) + ", end " + std::to_string(run % ends));
    MemoryStorage disk;
    EngineBook book(disk);
    fail(disk, how, nth);
    live_on_a_failing_disk(book, how.error_number);
    if (!disk.fired()) break;
    told += book.failed ? 1 : 0;
    disk.heal();
    book.expect_equal_to_replay_or_poisoned();
    book.drop();
    if (how.for_good) {  // a disk that stays broken: it opens or it does not, and nothing is lost by the attempt
      fail(disk, how, 1 + nth % 7);
      try {
        book.open();
        book.expect_promises_kept();
      } catch (const StorageError&) {
      }
      book.drop();
      disk.heal();
    }
    end(disk, run % ends, nth);
    book.open();
    book.expect_promises_kept();
    book.expect_equal_to_replay_or_poisoned();
    EXPECT_TRUE(book.schedule().has_value()) << "on a disk that is well again it goes on";
    if (HasFailure()) return;
    ASSERT_LT(nth, 2000U);
  }
  if (how.error_number != EINTR) {
    EXPECT_GT(told, 10U) << "hardly anybody was told of a failure";
  }
}

INSTANTIATE_TEST_SUITE_P(Each, EngineFailure,
                         testing::Values(Failing{EIO, false, false}, Failing{EIO, false, true},
                                         Failing{EIO, true, false}, Failing{EIO, true, true},
                                         Failing{ENOSPC, false, false}, Failing{ENOSPC, true, false},
                                         Failing{EDQUOT, true, true}, Failing{EINTR, false, false}),
                         [](const auto& how) {
                           return "Errno" + std::to_string(how.param.error_number) +
                                  (how.param.for_good ? "ForGood" : "Once") +
                                  (how.param.syncs_revert ? "Reverting" : "");
                         });

// ---- the index ----

class IndexFailure : public testing::TestWithParam<Failing> {};

TEST_P(IndexFailure, OfAnyCallToTheDiskIsNobodysBusinessButTheIndexs) {
  const Failing how = GetParam();
  for (std::uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE(describe(how, nth));
    MemoryStorage disk;
    IndexDisk index;
    EngineBook book(disk, index.folder());
    fail(index.memory(), how, nth);
    live(book);
    EXPECT_FALSE(book.failed) << "the log is well: nothing is refused";
    if (!index.memory().fired()) break;
    book.expect_equal_to_replay_or_poisoned();
    book.drop();
    index.memory().heal();
    disk.kill();
    index.memory().kill();
    book.open();
    EXPECT_NE(book.index(), nullptr) << "the index is back";
    book.expect_promises_kept();
    book.expect_equal_to_replay_or_poisoned();
    if (HasFailure()) return;
    ASSERT_LT(nth, 2000U);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, IndexFailure,
                         testing::Values(Failing{EIO, false, false}, Failing{EIO, false, true},
                                         Failing{EIO, true, false}, Failing{ENOSPC, false, false},
                                         Failing{ENOSPC, true, true}),
                         [](const auto& how) {
                           return "Errno" + std::to_string(how.param.error_number) +
                                  (how.param.for_good ? "ForGood" : "Once") +
                                  (how.param.syncs_revert ? "Reverting" : "");
                         });

}  // namespace
}  // namespace daybook::test
