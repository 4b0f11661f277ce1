// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "daybook/core/execute.hpp"
#include "salvaged_log.hpp"

// Stories of damage, each with what a salvage makes of it.

namespace daybook::test {
namespace {

using daybook::testing::Driver;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class Salvage : public ::testing::Test {
 protected:
  void schedule(std::string payload = {}) {
    driver.submit({{daybook::Schedule{.queue = "pay", .kind = "invoice", .payload = std::move(payload)}}, {}});
  }
  ClaimedJob claim() {
    const auto claimed = driver.submit({{Claim{.queues = {"pay"}, .worker = "w"}}, {}});
    return std::get<Claimed>(claimed.outcome.answers->front()).jobs.at(0);
  }
  void complete(const ClaimedJob& job) { driver.submit({{Complete{job.id, job.token}}, {}}); }

  /// Closed cleanly; in small segments.
  WrittenLog written() {
    WrittenLog log({driver.events(), driver.batch_ends()}, SIZE_MAX, 1, 10'000);
    log.journal().close();
    return log;
  }
  static void hit(WrittenLog& log, const WrittenBatch& batch) {
    log.storage().flip_bit(batch.file, (batch.offset + 130) * 8);
  }
  static WrittenBatch batch_of(const WrittenLog& log, Sequence sequence) {
    for (const WrittenBatch& batch : batches_of(const_cast<WrittenLog&>(log).storage())) {
      if (batch.first <= sequence && sequence <= batch.last) return batch;
    }
    throw std::logic_error("test: no such batch");
  }
  [[nodiscard]] Sequence head() const { return driver.events().back().sequence; }
  [[nodiscard]] static std::vector<std::string> segments(WrittenLog& log) {
    std::vector<std::string> names;
    for (const std::string& name : log.storage().names()) {
      if (name.ends_with(".seg")) names.push_back(name);
    }
    return names;
  }

  State lived;
  Driver driver{lived};
};

TEST_F(Salvage, OfAnUndamagedBookIsACopyOfItsOwnLevel) {
  schedule();
  claim();
  WrittenLog log = written();
  SalvagedLog salvaged(log.storage());
  EXPECT_TRUE(salvaged.report.whole());
  EXPECT_EQ(salvaged.report.copied, log.events().size());
  EXPECT_EQ(salvaged.report.from, log.uuid());
  const State state = salvaged.state();
  EXPECT_TRUE(state.book().held);
  EXPECT_EQ(state.book().feature_level, 1U);
  EXPECT_EQ(state.counts(), lived.counts());
}

TEST_F(Salvage, ATornTailWasNeverAcknowledgedAndIsNoLoss) {
  schedule();
  WrittenLog log({driver.events(), driver.batch_ends()});
  const WrittenBatch last = batches_of(log.storage()).back();
  auto bytes = log.storage().content(last.file);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(last.end), 100, std::byte{0x5A});
  log.storage().write_durably(last.file, bytes);
  SalvagedLog salvaged(log.storage());
  EXPECT_TRUE(salvaged.report.whole());
  EXPECT_THAT(salvaged.report.notes, ElementsAre(HasSubstr("behind the last event that was acknowledged")));
}

TEST_F(Salvage, WhatAGapMayHaveHiddenMakesAJobUncertain) {
  schedule();
  schedule();
  const ClaimedJob done = claim();
  complete(done);
  const Sequence before = head();
  const ClaimedJob running = claim();  // this batch is lost
  const Sequence claimed = running.token.claim;
  schedule();
  const Sequence after = head();
  WrittenLog log = written();
  hit(log, batch_of(log, claimed));
  SalvagedLog salvaged(log.storage());

  ASSERT_THAT(salvaged.report.holes, SizeIs(1));
  const Hole& hole = salvaged.report.holes.front();
  EXPECT_EQ(hole.first, before.next());
  EXPECT_EQ(hole.last, claimed);
  EXPECT_EQ(hole.place.path, "log/00000000000000000001.seg");
  EXPECT_EQ(hole.place.offset, batch_of(log, claimed).offset);
  EXPECT_THAT(hole.found, HasSubstr("payload checksum"));
  const auto* declared = std::get_if<GapDeclared>(&salvaged.at(hole.first).event);
  ASSERT_NE(declared, nullptr);
  EXPECT_EQ(declared->last, claimed);
  EXPECT_THAT(declared->reason, HasSubstr("log/00000000000000000001.seg, offset "));

  const State state = salvaged.state();
  EXPECT_EQ(state.job(done.id.sequence)->state, JobState::completed);
  EXPECT_EQ(state.job(running.id.sequence)->state, JobState::uncertain);
  EXPECT_EQ(state.job(after)->state, JobState::waiting) << "it was scheduled behind the gap";
  EXPECT_THAT(salvaged.report.uncertain, ElementsAre(running.id));
  EXPECT_EQ(state.book().feature_level, 2U);
  EXPECT_TRUE(state.book().held);
  const auto* marked = std::get_if<JobMarkedUncertain>(&salvaged.events.back().event);
  ASSERT_NE(marked, nullptr);
  EXPECT_THAT(marked->why, HasSubstr("#" + std::to_string(claimed.value())));
}

TEST_F(Salvage, AnOutcomeWhoseClaimWasLostIsSetAsideWithItsBytes) {
  schedule();
  const ClaimedJob job = claim();
  complete(job);
  const Sequence completed = head();
  WrittenLog log = written();
  hit(log, batch_of(log, job.token.claim));
  SalvagedLog salvaged(log.storage());
  const auto* aside = std::get_if<EventSetAside>(&salvaged.at(completed).event);
  ASSERT_NE(aside, nullptr);
  EXPECT_EQ(aside->stored, stored(driver.events().back()));
  EXPECT_THAT(aside->why, HasSubstr("expected running"));
  EXPECT_THAT(aside->why, Not(HasSubstr("verify")));
  ASSERT_THAT(salvaged.report.set_aside, SizeIs(1));
  EXPECT_EQ(salvaged.report.set_aside[0].type, "JobCompleted");
  EXPECT_THAT(salvaged.report.uncertain, ElementsAre(job.id));
}

TEST_F(Salvage, ALostNameTakesItsEventsWithItAndIsNeverGivenToAnother) {
  schedule();
  driver.submit({{daybook::Schedule{.queue = "mail", .kind = "welcome"}}, {}});  // defines both names; lost
  const Sequence lost = head();
  driver.submit({{daybook::Schedule{.queue = "mail", .kind = "goodbye"}}, {}});
  const Sequence aside = head();
  driver.submit({{daybook::Schedule{.queue = "photo", .kind = "invoice"}}, {}});
  const Sequence kept = head();
  WrittenLog log = written();
  hit(log, batch_of(log, lost));
  SalvagedLog salvaged(log.storage());
  const State state = salvaged.state();
  EXPECT_EQ(state.job(lost), nullptr);
  EXPECT_TRUE(std::holds_alternative<EventSetAside>(salvaged.at(aside).event));
  ASSERT_NE(state.job(kept), nullptr) << "names defined behind the gap keep their ids";
  EXPECT_EQ(state.name(state.job(kept)->spec->queue)->text, "photo");
  EXPECT_EQ(state.book().names, lived.book().names + (lived.find_name(NameSort::actor, "daybook") ? 0 : 1));
}

TEST_F(Salvage, WithoutItsFirstBatchWhatFollowsKeepsItsIds) {
  WrittenLog empty({driver.events(), driver.batch_ends()});
  schedule();
  driver.submit({{daybook::Schedule{.queue = "photo", .kind = "thumb"}}, {}});
  const Sequence job = head();
  WrittenLog log = written();
  hit(log, batches_of(log.storage()).front());
  SalvagedLog salvaged(log.storage());
  EXPECT_EQ(salvaged.report.holes.front().first, Sequence(1));
  const State state = salvaged.state();
  ASSERT_NE(state.job(job), nullptr);
  EXPECT_EQ(state.job(job)->id, lived.job(job)->id);
  for (const RecordedEvent& event : salvaged.events) {
    EXPECT_TRUE(event.by.actor == NameId() || state.name(event.by.actor) != nullptr) << event.sequence.value();
  }
}

TEST_F(Salvage, AMissingSegmentIsOneGap) {
  for (int i = 0; i < 60; ++i) schedule("some payload of an ordinary length");
  WrittenLog log = written();
  const auto names = segments(log);
  ASSERT_GE(names.size(), 3U);
  const auto batches = batches_of(log.storage());
  log.storage().remove_durably(names[1]);
  SalvagedLog salvaged(log.storage());
  ASSERT_THAT(salvaged.report.holes, SizeIs(1));
  EXPECT_EQ(salvaged.report.holes[0].place.path, names[1]);
  EXPECT_THAT(salvaged.report.holes[0].found, HasSubstr("is missing"));
  std::uint64_t lost = 0;
  for (const WrittenBatch& batch : batches) {
    if (batch.file == names[1]) lost += batch.last.value() - batch.first.value() + 1;
  }
  EXPECT_EQ(salvaged.report.lost, lost);
}

TEST_F(Salvage, ASegmentWhoseHeaderIsLostIsProvedByTheChain) {
  for (int i = 0; i < 60; ++i) schedule("some payload of an ordinary length");
  for (std::size_t which = 0; which < 3; ++which) {
    WrittenLog log = written();
    const auto names = segments(log);
    ASSERT_GE(names.size(), 3U);
    log.storage().flip_bit(names[which], 8 * 85);
    SalvagedLog salvaged(log.storage());
    EXPECT_TRUE(salvaged.report.whole()) << names[which];
    EXPECT_THAT(salvaged.report.notes, ElementsAre(HasSubstr("its batches continue the chain")));
  }
}

TEST_F(Salvage, ASegmentOfAnotherLogIsNeverMixedIn) {
  for (int i = 0; i < 60; ++i) schedule("some payload of an ordinary length");
  WrittenLog log = written();
  WrittenLog other({driver.events(), driver.batch_ends()}, SIZE_MAX, 2, 10'000);
  const auto names = segments(log);
  ASSERT_GE(names.size(), 3U);
  for (const bool header_too : {false, true}) {
    log.storage().write_durably(names[1], other.storage().content(names[1]));
    if (header_too) log.storage().flip_bit(names[1], 8 * 85);
    SalvagedLog salvaged(log.storage());
    ASSERT_THAT(salvaged.report.holes, SizeIs(1));
    EXPECT_EQ(salvaged.report.holes[0].place.path, names[1]);
    EXPECT_THAT(salvaged.report.holes[0].found,
                HasSubstr(header_too ? "nothing in the file continues" : "a segment of log "));
  }
}

TEST_F(Salvage, WhatTheWitnessSawAndTheLogLacksIsAGapAtTheEnd) {
  schedule();
  claim();
  WrittenLog log = written();
  const WrittenBatch last = batches_of(log.storage()).back();
  log.storage().cut(last.file, last.offset);
  SalvagedLog salvaged(log.storage());
  ASSERT_THAT(salvaged.report.holes, SizeIs(1));
  EXPECT_EQ(salvaged.report.holes[0].first, last.first);
  EXPECT_EQ(salvaged.report.holes[0].last, head());
  EXPECT_THAT(salvaged.report.holes[0].found, HasSubstr("the witness saw"));
  EXPECT_EQ(salvaged.report.uncertain.size(), 1U);
}

TEST_F(Salvage, WithoutAWitnessABadEndCountsAsLoss) {
  schedule();
  WrittenLog log = written();
  log.storage().remove_durably("log/witness");
  {
    SalvagedLog salvaged(log.storage());
    EXPECT_TRUE(salvaged.report.whole());
    EXPECT_THAT(salvaged.report.notes, Contains(HasSubstr("witness")));
  }
  hit(log, batches_of(log.storage()).back());
  SalvagedLog salvaged(log.storage());
  ASSERT_THAT(salvaged.report.holes, SizeIs(1));
  EXPECT_THAT(salvaged.report.holes[0].found, HasSubstr("how many events this was is not known"));
}

TEST_F(Salvage, ADeadJobWhoseKeyAnotherHoldsStaysDead) {
  const auto unique = [&] {
    daybook::Schedule job{.queue = "pay", .kind = "invoice"};
    job.unique_key = "one";
    driver.submit({{job}, {}});
  };
  unique();
  const ClaimedJob dead = claim();
  driver.submit({{Fail{.job = dead.id, .token = dead.token, .retryable = false}}, {}});
  ASSERT_EQ(lived.job(dead.id.sequence)->state, JobState::dead);
  driver.submit({{PauseQueue{"photo"}}, {}});
  const Sequence lost = head();
  unique();
  const Sequence holder = head();
  WrittenLog log = written();
  hit(log, batch_of(log, lost));
  SalvagedLog salvaged(log.storage());
  EXPECT_THAT(salvaged.report.left_dead, ElementsAre(dead.id));
  EXPECT_THAT(salvaged.report.uncertain, IsEmpty());
  EXPECT_EQ(salvaged.state().job(holder)->state, JobState::waiting);
}

TEST_F(Salvage, WhatTheDiskDoesNotGiveCountsAsDamage) {
  schedule();
  claim();
  WrittenLog log = written();
  log.storage().fail_at(Operation::read, 6, EIO);
  FixedRandom random;
  ManualClock clock;
  MemoryStorage out;
  const SalvageReport report = salvage_log(log.storage(), out, clock, random);
  EXPECT_TRUE(report.whole()) << "a read that succeeds when it is repeated costs nothing";
}

TEST_F(Salvage, ReadsOnly) {
  for (int i = 0; i < 60; ++i) schedule("some payload of an ordinary length");
  WrittenLog log = written();
  log.storage().flip_bit(segments(log)[1], 8 * 5000);
  const auto writes = [&] {
    std::uint64_t all = 0;
    for (const Operation operation : {Operation::write, Operation::create, Operation::rename, Operation::remove,
                                      Operation::truncate, Operation::make_folder, Operation::allocate}) {
      all += log.storage().calls(operation);
    }
    return all;
  };
  const auto before = writes();
  SalvagedLog salvaged(log.storage());
  EXPECT_FALSE(salvaged.report.whole());
  EXPECT_EQ(writes(), before);
}

TEST_F(Salvage, OfNothingProvableIsRefused) {
  WrittenLog log = written();
  for (const std::string& name : segments(log)) log.storage().cut(name, 100);
  EXPECT_THROW(SalvagedLog{log.storage()}, CorruptionError);
  MemoryStorage nothing;
  EXPECT_THROW(SalvagedLog{nothing}, CorruptionError);
}

TEST_F(Salvage, CutShortAtAnyCallIsNeverABookThatRuns) {
  schedule();
  claim();
  schedule();
  WrittenLog log = written();
  hit(log, batches_of(log.storage())[1]);
  bool finished = false;
  for (std::uint64_t nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    MemoryStorage into;
    ManualClock clock;
    FixedRandom random;
    into.cut_power_at(nth);
    try {
      static_cast<void>(salvage_log(log.storage(), into, clock, random));
      finished = true;
    } catch (const PowerCut&) {
    }
    into.crash({.seed = nth, .kept_percent = 50, .garbage_percent = 0});
    if (!log_exists(into)) continue;
    try {
      LogOpening opening;
      const auto opened = SegmentLog::open(into, clock, random, {}, opening);
      const State state = rebuild(daybook::events_of(*opened), opening.head.sequence);
      ASSERT_TRUE(state.book().held) << "cut at call " << nth;
      ASSERT_GT(opening.head.sequence, log.head()) << "cut at call " << nth;
    } catch (const CorruptionError&) {
    } catch (const StorageError&) {
    }
  }
}

}  // namespace
}  // namespace daybook::test
