// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "daybook/core/error.hpp"
#include "daybook/core/execute.hpp"
#include "support/passing_storage.hpp"
#include "written_log.hpp"

// A book as it was: equal to the original, of a new generation, and held. Cut short, it is no book at all.

namespace daybook::test {
namespace {

using daybook::testing::Driver;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Copy : public ::testing::Test {
 protected:
  Head copy(WrittenLog& log, Sequence until) {
    const LogReader reader = log.reader();
    return copy_log(reader, until, out, clock, random);
  }

  [[nodiscard]] std::vector<RecordedEvent> events_in_copy() {
    std::vector<RecordedEvent> events;
    LogReader(out).read(Sequence(1), [&](const RecordedEvent& recorded) {
      events.push_back(recorded);
      return true;
    });
    return events;
  }

  [[nodiscard]] State state_of_copy() {
    const LogReader reader(out);
    return rebuild(daybook::events_of(reader), reader.head().sequence);
  }

  MemoryStorage out;
  ManualClock clock;
  FixedRandom random{99};
};

TEST_F(Copy, OfEverySequenceIsTheBookAsItWasInANewHeldGeneration) {
  WrittenLog log(eventful(5, 60));
  for (std::uint64_t until = 0; until <= log.head().value(); until += 3) {
    MemoryStorage into;
    const LogReader reader = log.reader();
    const Head head = copy_log(reader, Sequence(until), into, clock, random);

    const LogReader copied(into);
    ASSERT_EQ(copied.head(), head);
    EXPECT_NE(copied.log_uuid(), log.uuid());
    const State then = rebuild(daybook::events_of(reader), Sequence(until));
    const State same = rebuild(daybook::events_of(copied), Sequence(until));
    ASSERT_THAT(differences(same, then), IsEmpty());

    const State now = rebuild(daybook::events_of(copied), head.sequence);
    EXPECT_TRUE(now.book().held);
    EXPECT_EQ(now.book().generation.number, then.book().generation.number + 1);
    EXPECT_NE(now.book().generation.tag, then.book().generation.tag);
    EXPECT_NE(now.book().generation.tag, GenerationTag());
    EXPECT_EQ(now.book().epoch, then.book().epoch);
    EXPECT_EQ(now.counts(), then.counts());
    EXPECT_EQ(verify_log(into).kind, LogVerdict::Kind::clean_end);
    EXPECT_THAT(into.names(), Each(StartsWith("log/")));
  }
}

TEST_F(Copy, KeepsTheEventsAsTheyWere) {
  WrittenLog log(eventful(5, 60));
  copy(log, log.head());
  auto copied = events_in_copy();
  ASSERT_GT(copied.size(), log.events().size());
  copied.resize(log.events().size());
  EXPECT_THAT(copied, ElementsAreArray(log.events()));
}

TEST_F(Copy, SaysWhereItCameFromAndWhoMadeIt) {
  WrittenLog log(eventful(5, 10));
  copy(log, log.head());
  const RecordedEvent last = events_in_copy().back();
  const auto* begun = std::get_if<GenerationBegun>(&last.event);
  ASSERT_NE(begun, nullptr);
  EXPECT_EQ(begun->copied_from, log.uuid());
  EXPECT_TRUE(begun->held);
  EXPECT_NE(begun->nonce_salt, 0U);
  EXPECT_EQ(state_of_copy().name(last.by.actor)->text, "daybook");
  EXPECT_THAT(last.by.reason, HasSubstr("sequence " + std::to_string(log.head().value())));
  EXPECT_THAT(last.by.reason, HasSubstr(to_string(clock.wall())));
}

TEST_F(Copy, OfACopyUsesTheNameThatIsThere) {
  WrittenLog log(eventful(5, 10));
  const Head once = copy(log, log.head());
  MemoryStorage again;
  const LogReader reader(out);
  const Head twice = copy_log(reader, once.sequence, again, clock, random);
  EXPECT_EQ(twice.sequence, once.sequence.next());
  const LogReader second(again);
  const std::uint32_t generation = state_of_copy().book().generation.number;
  EXPECT_EQ(rebuild(daybook::events_of(second), twice.sequence).book().generation.number, generation + 1);
}

TEST_F(Copy, DrawsATagThatNoEarlierGenerationHas) {
  class Repeating final : public Random {
   public:
    std::uint64_t next() override { return 0x9f3ac1d2; }  // the tag of the driver's first generation
  } repeating;
  WrittenLog log(eventful(5, 10));
  const LogReader reader = log.reader();
  copy_log(reader, log.head(), out, clock, repeating);
  EXPECT_NE(state_of_copy().book().generation.tag, GenerationTag(0x9f3ac1d2));
}

TEST_F(Copy, OpensUnderAnEpochAboveAllThatItHolds) {
  State lived;
  Driver driver(lived);
  for (int i = 0; i < 4; ++i) driver.step({.kind = daybook::testing::Step::Kind::restart, .choice = 1});
  WrittenLog log({driver.events(), driver.batch_ends()});
  copy(log, log.head());
  LogOpening opening;
  const auto opened = SegmentLog::open(out, clock, random, {}, opening);
  EXPECT_EQ(opening.tail, TailStatus::clean);
  EXPECT_GT(opening.epoch, lived.book().epoch);
  State state = rebuild(daybook::events_of(*opened), opening.head.sequence);
  BookOpened begun;
  begun.epoch = opening.epoch;
  const Outcome outcome = execute(state, {{OpenBook{begun}}, {}}, driver.now(), driver.bounds());
  EXPECT_TRUE(outcome.answers);
}

TEST_F(Copy, RunsNothingUntilAdoptedAndThenRefusesTheOtherHistorysTokens) {
  State lived;
  Driver driver(lived);
  driver.submit({{Schedule{.queue = "pay", .kind = "invoice"}, Schedule{.queue = "pay", .kind = "invoice"}}, {}});
  const auto claimed = driver.submit({{Claim{.queues = {"pay"}, .worker = "w"}}, {}});
  const ClaimedJob job = std::get<Claimed>(claimed.outcome.answers->front()).jobs.at(0);
  WrittenLog log({driver.events(), driver.batch_ends()});
  copy(log, log.head());

  State state = state_of_copy();
  const auto ask = [&](Command command) {
    const Outcome outcome = execute(state, {{std::move(command)}, {}}, driver.now(), driver.bounds());
    return outcome.answers ? RefusalCode{} : outcome.answers.error().code;
  };
  EXPECT_EQ(ask(Claim{.queues = {"pay"}, .worker = "w"}), RefusalCode::book_held);
  EXPECT_EQ(ask(AdoptBook{}), RefusalCode{});
  EXPECT_EQ(ask(Complete{job.id, job.token}), RefusalCode::another_history);
  EXPECT_EQ(ask(Claim{.queues = {"pay"}, .worker = "w"}), RefusalCode{});
}

TEST_F(Copy, PastTheHeadIsAllThereIs) {
  WrittenLog log(eventful(5, 10));
  EXPECT_GT(copy(log, Sequence(1'000'000)).sequence, log.head());
  EXPECT_THAT(differences(rebuild(daybook::events_of(log.journal()), log.head()),
                          as_of(daybook::events_of(LogReader(out)), log.head(), log.head())->state),
              IsEmpty());
}

TEST_F(Copy, SpansBatchesAndSegments) {
  State lived;
  Driver driver(lived);
  const std::string large(200, 'x');
  for (int i = 0; i < 12'000; ++i) {
    driver.submit({{Schedule{.queue = "q", .kind = "k", .payload = large}}, {}});
  }
  WrittenLog log({driver.events(), driver.batch_ends()});
  copy(log, log.head());
  EXPECT_GT(verify_log(out).batches, 2U);
  EXPECT_GT(verify_log(out).segments.size(), 1U);
  const LogReader reader(out);
  EXPECT_THAT(differences(rebuild(daybook::events_of(reader), log.head()), lived), IsEmpty());
}

TEST_F(Copy, OfADamagedLogIsNotMade) {
  WrittenLog log(eventful(5, 60));
  const std::string segment = "log/00000000000000000001.seg";
  const LogReader reader = log.reader();
  log.storage().flip_bit(segment, 8 * 5000);
  EXPECT_THROW(copy_log(reader, log.head(), out, clock, random), CorruptionError);
  EXPECT_FALSE(log_exists(out));
}

TEST_F(Copy, OnceItIsMadeItSurvivesALossOfPower) {
  WrittenLog log(eventful(5, 60));
  const Head head = copy(log, log.head());
  out.crash();
  ASSERT_TRUE(log_exists(out));
  EXPECT_EQ(verify_log(out).kind, LogVerdict::Kind::clean_end);
  EXPECT_EQ(LogReader(out).head(), head);
}

TEST_F(Copy, SaysWhichBatchCouldNotBeWrittenAndWhy) {
  WrittenLog log(eventful(5, 60));
  const auto expect_failure = [&](MemoryStorage& into, int error_number, const char* why) {
    try {
      copy_log(log.reader(), log.head(), into, clock, random);
      ADD_FAILURE() << "copied";
    } catch (const StorageError& error) {
      EXPECT_EQ(error.error_number(), error_number);
      EXPECT_THAT(error.what(), HasSubstr("cannot write the copy at sequence 1: "));
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
    EXPECT_FALSE(log_exists(into));
  };
  MemoryStorage full;
  full.set_free_bytes(1'100'000);  // the first segment, and no second one
  expect_failure(full, ENOSPC, "the disk is nearly full");
  MemoryStorage failing;
  failing.fail_at(Operation::sync_data, 3, EIO);  // the witness is made with two
  expect_failure(failing, EIO, "cannot sync");
}

TEST_F(Copy, WhoseFilesAreNotFoundAgainIsAnError) {
  class Forgetful final : public PassingStorage {
   public:
    using PassingStorage::PassingStorage;
    int list(const std::string& folder, std::vector<std::string>& names) override {
      const int error = PassingStorage::list(folder, names);
      names.clear();
      return error;
    }
  } forgetful(out);
  WrittenLog log(eventful(5, 10));
  try {
    copy_log(log.reader(), log.head(), forgetful, clock, random);
    FAIL() << "copied";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cannot find the files of the copy"));
  }
}

TEST_F(Copy, WhatFailsIsToldAndWhereNothingIsToldItIsWholeAndHeld) {
  WrittenLog log(eventful(5, 60));
  const LogReader reader = log.reader();
  std::vector<std::string> said;
  bool finished = false;
  for (std::uint64_t nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    MemoryStorage into;
    into.fail_call(nth, EIO);
    try {
      const Head head = copy_log(reader, log.head(), into, clock, random);
      finished = !into.fired();
      into.heal();
      const LogReader copied(into);
      EXPECT_EQ(copied.head(), head) << "call " << nth;
      EXPECT_TRUE(rebuild(daybook::events_of(copied), head.sequence).book().held) << "call " << nth;
      EXPECT_EQ(verify_log(into).kind, LogVerdict::Kind::clean_end) << "call " << nth;
    } catch (const StorageError& error) {
      said.emplace_back(error.what());
    }
  }
  EXPECT_THAT(said, Contains(HasSubstr("cannot say where the copy ends")));
}

TEST_F(Copy, OntoAFullDiskIsRefusedAndLeavesNoLog) {
  WrittenLog log(eventful(5, 60));
  out.set_free_bytes(100'000);
  EXPECT_THROW(copy(log, log.head()), StorageError);
  EXPECT_FALSE(log_exists(out));
}

// The danger is a copy that lacks its end: it would open as the original, not held, and do everything twice.
TEST_F(Copy, CutShortAtAnyCallIsNeverABookThatRuns) {
  WrittenLog log(eventful(5, 25));
  bool finished = false;
  std::size_t whole = 0;
  for (std::uint64_t nth = 1; !finished; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    for (const unsigned kept : {0U, 50U, 100U}) {
      MemoryStorage into;
      into.cut_power_at(nth);
      try {
        copy_log(log.reader(), log.head(), into, clock, random);
        finished = true;
      } catch (const PowerCut&) {
      }
      into.crash({.seed = nth, .kept_percent = kept, .garbage_percent = 0});
      if (!log_exists(into)) continue;
      LogOpening opening;
      try {
        const auto opened = SegmentLog::open(into, clock, random, {}, opening);
        const State state = rebuild(daybook::events_of(*opened), opening.head.sequence);
        ASSERT_TRUE(state.book().held) << "cut at call " << nth;
        ASSERT_GT(opening.head.sequence, log.head()) << "cut at call " << nth;
        ++whole;
      } catch (const CorruptionError&) {
      } catch (const StorageError&) {
      }
    }
  }
  EXPECT_GT(whole, 0U);
}

TEST_F(Copy, CutShortBetweenItsSegmentsIsRefused) {
  State lived;
  Driver driver(lived);
  const std::string large(200, 'x');
  for (int i = 0; i < 6'000; ++i) driver.submit({{Schedule{.queue = "q", .kind = "k", .payload = large}}, {}});
  WrittenLog log({driver.events(), driver.batch_ends()});
  const LogReader reader = log.reader();
  std::size_t moves = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    ASSERT_LT(nth, 1000U) << "it never finishes";
    MemoryStorage into;
    into.fail_at(Operation::rename, nth, EIO);
    try {
      copy_log(reader, log.head(), into, clock, random);
      break;  // there are no more renames
    } catch (const StorageError& error) {
      if (std::string(error.what()).find("into its place") != std::string::npos) {
        ++moves;
        EXPECT_THAT(error.what(), HasSubstr("copy again"));
      }
    }
    if (!log_exists(into)) continue;
    EXPECT_ANY_THROW({
      LogOpening opening;
      (void)SegmentLog::open(into, clock, random, {}, opening);
    }) << "rename "
       << nth << " failed";
  }
  EXPECT_GT(moves, 2U) << "one segment and its witness: nothing was tested";
}

}  // namespace
}  // namespace daybook::test
