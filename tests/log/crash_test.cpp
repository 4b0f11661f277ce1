// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cerrno>

#include "log_fixture.hpp"

// The power is cut, or a call fails, at every storage call of a story that creates, appends, rotates, closes, recovers.
// Whatever the disk kept of what was not synced, everything acknowledged is there afterwards.

namespace daybook::test {
namespace {

// One life of a log with everything in it that writes.
void live(LogBook& book) {
  book.open_or_create();
  for (int i = 0; i < 4; ++i) static_cast<void>(book.append(1, 100));
  book.clock.advance(std::chrono::seconds(2));
  for (int i = 0; i < 3; ++i) static_cast<void>(book.append(2, 1500));  // rotates
  book.log->settle();
  book.close();
  book.open();
  static_cast<void>(book.append(1, 40));
  book.drop();  // unclean
  book.open();
  static_cast<void>(book.append(1, 700));
  book.drop();
}

std::uint64_t calls_of(void (*story)(LogBook&), const LogBook& start) {
  LogBook book(start);
  const std::uint64_t before = book.disk->calls();
  story(book);
  return book.disk->calls() - before;
}

struct Ending {
  const char* name;
  void (*happen)(MemoryStorage& disk, std::uint64_t seed);
};
constexpr Ending endings[] = {
    {"everything unsynced is lost", [](MemoryStorage& disk, std::uint64_t) { disk.crash(); }},
    {"everything unsynced is kept", [](MemoryStorage& disk, std::uint64_t) { disk.crash_keeping_all(); }},
    {"only the process died", [](MemoryStorage& disk, std::uint64_t) { disk.kill(); }},
    {"half of the sectors are kept", [](MemoryStorage& disk, std::uint64_t seed) { disk.crash({.seed = seed}); }},
    {"sectors are kept, lost or garbage",
     [](MemoryStorage& disk, std::uint64_t seed) {
       disk.crash({.seed = seed, .kept_percent = 40, .garbage_percent = 30});
     }},
    {"sectors are kept, lost, garbage, or half old and half new",
     [](MemoryStorage& disk, std::uint64_t seed) {
       disk.crash({.seed = seed, .kept_percent = 30, .garbage_percent = 20, .halved_percent = 30});
     }},
};

// Opens what is left, checks the promises, and goes on a little.
void revive(LogBook& book) {
  if (!log_exists(*book.disk)) {
    ASSERT_TRUE(book.acknowledged.empty());
    book.create();
    return;
  }
  book.open();
  book.expect_promises_kept();
  const LogVerdict verdict = verify_log(*book.disk);
  ASSERT_EQ(verdict.kind, LogVerdict::Kind::unclean_end) << verdict.message;
  book.append_acknowledged(1, 50);
  book.drop();
  book.disk->crash();
  book.open();
  book.expect_promises_kept();
}

TEST(Crash, AtEveryStorageCallOfALifeNothingAcknowledgedIsLost) {
  const LogBook start;
  const std::uint64_t calls = calls_of(live, start);
  ASSERT_GT(calls, 100u);
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    LogBook book(start);
    book.disk->cut_power_at(nth);
    EXPECT_THROW(live(book), PowerCut);
    book.drop();
    for (const Ending& ending : endings) {
      SCOPED_TRACE("power cut at call " + std::to_string(nth) + ", " + ending.name);
      LogBook after(book);
      ending.happen(*after.disk, nth);
      ASSERT_NO_FATAL_FAILURE(revive(after));
      if (HasFailure()) return;
    }
  }
}

// Closing, and the opening after that, write both slots; what was being written may be garbage then.
TEST(Crash, InsideAWriteOfBothSlotsLeavesOneOfThemWhole) {
  const auto close_and_open = [](LogBook& book) {
    book.close();
    book.open();
    book.drop();
  };
  LogBook settled;
  settled.create();
  settled.append_acknowledged();
  settled.log->settle();
  settled.append_acknowledged();
  settled.log->settle();
  settled.drop();
  for (std::uint64_t nth = 1;; ++nth) {
    LogBook book(settled);
    book.open();
    book.disk->cut_power_at(nth);
    try {
      close_and_open(book);
      break;
    } catch (const PowerCut&) {
    }
    book.drop();
    book.disk->crash({.seed = nth, .kept_percent = 0, .garbage_percent = 100});
    book.open();
    ASSERT_EQ(book.opening.note.find("no slot of the witness"), std::string::npos) << "cut at call " << nth;
    book.expect_promises_kept();
  }
}

// A log that needs every step of recovery: a torn batch behind acknowledged ones, nothing of the latter believed.
LogBook torn_log() {
  LogBook book;
  book.create();
  for (int i = 0; i < 3; ++i) book.append_acknowledged(1, 100);
  book.leave_in_flight(1, 600);
  book.disk->crash_keeping_all();
  book.disk->tear_tail(first_segment, 200);
  book.in_flight.clear();
  return book;
}

void reopen(LogBook& book) {
  book.open();
  book.drop();
}

TEST(Crash, InsideRecoveryAndInsideTheRecoveryFromThatLosesNothing) {
  const LogBook start = torn_log();
  const std::uint64_t calls = calls_of(reopen, start);
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    LogBook once(start);
    once.disk->cut_power_at(nth);
    EXPECT_THROW(reopen(once), PowerCut);
    once.drop();
    for (const Ending& ending : endings) {
      LogBook twice(once);
      ending.happen(*twice.disk, nth);
      const std::uint64_t again = calls_of(reopen, twice);
      for (std::uint64_t mth = 1; mth <= again; mth += 2) {
        SCOPED_TRACE("power cut at calls " + std::to_string(nth) + " and " + std::to_string(mth) + ", " + ending.name);
        LogBook thrice(twice);
        thrice.disk->cut_power_at(mth);
        EXPECT_THROW(reopen(thrice), PowerCut);
        thrice.drop();
        ending.happen(*thrice.disk, nth * 1000 + mth);
        thrice.open();
        thrice.expect_promises_kept();
        ASSERT_EQ(thrice.opening.tail, TailStatus::torn) << "the cut is told until it is on record";
        ASSERT_GT(thrice.opening.bytes_cut, 0u);
        if (HasFailure()) return;
      }
    }
  }
}

TEST(Failure, OfAnyCallIsReportedAndLosesNothing) {
  const LogBook start;
  const std::uint64_t calls = calls_of(live, start);
  struct Failing {
    int error_number;
    bool for_good;
    bool syncs_revert;  // what the cache does after a failed sync
  };
  for (const auto& [error_number, for_good, syncs_revert] :
       {Failing{EIO, false, false}, Failing{EIO, false, true}, Failing{EIO, true, false}, Failing{EIO, true, true},
        Failing{ENOSPC, false, false}, Failing{ENOSPC, true, true}, Failing{EDQUOT, true, false}}) {
    for (std::uint64_t nth = 1; nth <= calls; ++nth) {
      LogBook book(start);
      book.disk->let_failed_syncs_revert(syncs_revert);
      for_good ? book.disk->fail_for_good(nth, error_number) : book.disk->fail_call(nth, error_number);
      try {
        live(book);
      } catch (const StorageError& error) {
        EXPECT_EQ(error.error_number(), error_number);
      }
      ASSERT_TRUE(book.disk->fired());
      book.drop();
      book.disk->heal();
      for (const Ending& ending : endings) {
        SCOPED_TRACE("errno " + std::to_string(error_number) + (for_good ? " from call " : " at call ") +
                     std::to_string(nth) + (syncs_revert ? ", the cache reverts, " : ", ") + ending.name);
        LogBook after(book);
        ending.happen(*after.disk, nth);
        if (!log_exists(*after.disk)) {
          ASSERT_TRUE(after.acknowledged.empty());
          continue;
        }
        after.open();
        after.expect_promises_kept();
        after.drop();
        after.disk->crash();
        after.open();
        after.expect_promises_kept();
        if (HasFailure()) return;
      }
    }
  }
}

TEST(Failure, AnInterruptedCallIsMadeAgainUnlessItWasASync) {
  const LogBook start;
  const std::uint64_t calls = calls_of(live, start);
  int stopped = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    LogBook book(start);
    book.disk->fail_call(nth, EINTR);
    try {
      live(book);
    } catch (const StorageError& error) {
      ++stopped;
      EXPECT_NE(std::string(error.what()).find("cannot"), std::string::npos);
    }
    book.drop();
    book.disk->heal();
    if (log_exists(*book.disk)) {
      book.open();
      book.expect_promises_kept();
    }
  }
  EXPECT_LT(stopped, static_cast<int>(calls) / 2);
}

// ---- random lives ----

enum class Act : std::uint8_t { append, append_large, close, kill, crash, cut_power, fail };

// Where commits are aligned to blocks, a crash may spoil all of a block.
CrashPlan any_crash(const LogOptions& options, std::uint64_t chance) {
  return {.seed = chance,
          .kept_percent = static_cast<unsigned>(chance % 61),
          .garbage_percent = static_cast<unsigned>(chance / 61 % 20),
          .halved_percent = static_cast<unsigned>(chance / 1220 % 20),
          .garbage_block = options.commit_alignment >= 512 ? options.commit_alignment : 0};
}

void act(LogBook& book, const LogOptions& options, Act what, std::uint64_t chance) {
  const auto small = [&] { return book.append(1 + chance % 3, chance % 500); };
  switch (what) {
    case Act::append:
      static_cast<void>(small());
      break;
    case Act::append_large:
      static_cast<void>(book.append(2, 2000 + chance % 9000));
      break;
    case Act::close:
      book.close();
      break;
    case Act::kill:
      book.drop();
      book.disk->kill();
      break;
    case Act::crash:
      book.drop();
      book.disk->crash(any_crash(options, chance));
      break;
    case Act::cut_power:
      book.disk->cut_power_at(1 + chance % 12);
      try {
        for (int i = 0; i < 4; ++i) static_cast<void>(small());
      } catch (const PowerCut&) {
      }
      book.drop();
      book.disk->crash(any_crash(options, chance));
      break;
    case Act::fail:
      book.disk->fail_call(1 + chance % 8, EIO);
      static_cast<void>(small());
      book.disk->heal();
      break;
  }
}

RC_GTEST_PROP(Crash, TheLogIsAlwaysWhatWasAcknowledgedAndAtMostTheBatchInFlight, ()) {
  const auto acts = *rc::gen::container<std::vector<std::pair<std::uint8_t, std::uint32_t>>>(
      rc::gen::pair(rc::gen::inRange<std::uint8_t>(0, 7), rc::gen::arbitrary<std::uint32_t>()));
  LogOptions options = small_segments();
  options.commit_alignment = *rc::gen::element(8u, 512u, 4096u);
  LogBook book(options);
  book.create();
  for (const auto& [what, chance] : acts) {
    act(book, options, static_cast<Act>(what), chance);
    if (book.log != nullptr && book.log->writable()) continue;
    book.drop();
    book.open();
    RC_ASSERT(book.read_all() == book.acknowledged);
  }
  const LogVerdict verdict = verify_log(*book.disk);
  RC_ASSERT(verdict.kind == LogVerdict::Kind::unclean_end);
  RC_ASSERT(verdict.events == book.acknowledged.size());
}

}  // namespace
}  // namespace daybook::test
