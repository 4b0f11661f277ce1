// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "daybook/core/execute.hpp"
#include "salvaged_log.hpp"

// What a salvage puts down, check by check.

namespace daybook::test {
namespace {

using daybook::testing::Driver;
using ::testing::Contains;
using ::testing::HasSubstr;

class SalvageCheck : public ::testing::Test {
 protected:
  void schedule() { driver.submit({{daybook::Schedule{.queue = "pay", .kind = "invoice"}}, {}}); }
  ClaimedJob claim() {
    const auto claimed = driver.submit({{Claim{.queues = {"pay"}, .worker = "w"}}, {}});
    return std::get<Claimed>(claimed.outcome.answers->front()).jobs.at(0);
  }

  State lived;
  Driver driver{lived};
};

TEST_F(SalvageCheck, IsClosedWhenItIsDone) {
  schedule();
  WrittenLog log({driver.events(), driver.batch_ends()});
  SalvagedLog salvaged(log.storage());
  const LogVerdict verdict = verify_log(salvaged.out);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
}

TEST_F(SalvageCheck, OfSeveralRenewalsOneThatCannotFollowSetsTheEventAsideBeforeAnyIsApplied) {
  schedule();
  schedule();
  const ClaimedJob kept = claim();
  const ClaimedJob lost = claim();
  driver.submit({{Renew{.claims = {{kept.id, kept.token, Envelope("half")}, {lost.id, lost.token}}}}, {}});
  const Sequence renewed = driver.events().back().sequence;
  WrittenLog log({driver.events(), driver.batch_ends()});
  for (const WrittenBatch& batch : batches_of(log.storage())) {
    if (batch.last == lost.token.claim) log.storage().flip_bit(batch.file, (batch.offset + 130) * 8);
  }
  SalvagedLog salvaged(log.storage());
  const auto* aside = std::get_if<EventSetAside>(&salvaged.at(renewed).event);
  ASSERT_NE(aside, nullptr);
  EXPECT_THAT(aside->why, HasSubstr("job " + to_string(lost.id) + " is not under the claim that it renews"));
  EXPECT_THAT(salvaged.report.uncertain, Contains(kept.id));
  const State state = salvaged.state();
  EXPECT_TRUE(state.job(kept.id.sequence)->progress.empty()) << "half of an event was applied";
}

TEST_F(SalvageCheck, WhatFailsIsToldAndWhereNothingIsToldItIsWholeAndHeld) {
  schedule();
  claim();
  WrittenLog log({driver.events(), driver.batch_ends()});
  bool finished = false;
  for (std::uint64_t nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    MemoryStorage into;
    ManualClock clock;
    FixedRandom random;
    into.fail_call(nth, EIO);
    try {
      const SalvageReport report = salvage_log(log.storage(), into, clock, random);
      finished = !into.fired();
      into.heal();
      const LogReader reader(into);
      EXPECT_EQ(reader.head(), report.head) << "call " << nth;
      EXPECT_TRUE(rebuild(daybook::events_of(reader), report.head.sequence).book().held) << "call " << nth;
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), EIO);
    }
  }
}

}  // namespace
}  // namespace daybook::test
