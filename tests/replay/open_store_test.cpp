// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/open_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "daybook/core/error.hpp"
#include "support/temp_folder.hpp"
#include "written_log.hpp"

// The index over a log: believed where that is right, caught up, made anew otherwise, and the same either way.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Uuid this_boot{{1}};
constexpr Uuid next_boot{{2}};

class OpenStore : public ::testing::Test {
 protected:
  StoreOpening open(WrittenLog& log, const Uuid& boot = this_boot) {
    const LogReader reader = log.reader();
    return open_store(folder(), log.journal(), log.uuid(), boot, now(log),
                      [&](Sequence sequence) { return reader.chain_at(sequence); });
  }

  static Moment now(WrittenLog& log) {
    return {.wall = log.events().back().wall, .boot = log.events().back().boot, .book = {}};
  }

  static void expect_equal(const JobIndex& index, WrittenLog& log) {
    EXPECT_THAT(differences(index, rebuild(daybook::events_of(log.journal()), log.head())), IsEmpty());
    EXPECT_EQ(index.mark(), (IndexMark{log.uuid(), log.head(), log.journal().tail().chain}));
  }

  [[nodiscard]] std::string folder() const { return (temp.path() / "index").string(); }

  TempFolder temp;
};

TEST_F(OpenStore, MakesTheIndexThatIsMissingAndSaysSo) {
  WrittenLog log(eventful(3, 80));
  const StoreOpening opening = open(log);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_EQ(opening.events_replayed, log.head().value());
  EXPECT_THAT(opening.note, HasSubstr("made anew"));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, CatchesUpATrustedIndex) {
  WrittenLog log(eventful(3, 120), 40);
  open(log).index->close();
  Sequence seen = log.head();
  for (int i = 0; i < 3; ++i) {
    log.append(20);
    const StoreOpening opening = open(log);
    EXPECT_FALSE(opening.rebuilt) << opening.note;
    EXPECT_THAT(opening.note, IsEmpty());
    EXPECT_EQ(opening.events_replayed, log.head().value() - seen.value());
    seen = log.head();
    expect_equal(*opening.index, log);
    opening.index->close();
  }
}

TEST_F(OpenStore, HasNothingToDoForAnIndexThatIsThere) {
  WrittenLog log(eventful(3, 80));
  open(log).index->close();
  const StoreOpening opening = open(log);
  EXPECT_FALSE(opening.rebuilt) << opening.note;
  EXPECT_EQ(opening.events_replayed, 0U);
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, AnEmptyLogHasAnEmptyIndex) {
  WrittenLog log(eventful(3, 80), 0);
  const auto chain = [](Sequence) { return std::optional<Hash>(); };
  StoreOpening opening = open_store(folder(), log.journal(), log.uuid(), this_boot, {}, chain);
  EXPECT_EQ(opening.events_replayed, 0U);
  opening.index->close();
  log.append(3);
  opening = open_store(folder(), log.journal(), log.uuid(), this_boot, {}, chain);
  EXPECT_FALSE(opening.rebuilt) << opening.note;
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, MakesAnewWhatAnotherBootLeftOpen) {
  WrittenLog log(eventful(3, 120), 40);
  open(log).index.reset();  // as a crash would
  log.append();
  const StoreOpening opening = open(log, next_boot);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_THAT(opening.note, Not(IsEmpty()));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, MakesAnewTheIndexOfAnotherLog) {
  WrittenLog other(eventful(4, 80), SIZE_MAX, 2);
  open(other).index->close();
  WrittenLog log(eventful(3, 40));
  ASSERT_NE(log.uuid(), other.uuid());
  const StoreOpening opening = open(log);
  EXPECT_TRUE(opening.rebuilt);
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, MakesAnewTheIndexOfAnotherChainOfTheSameLog) {
  WrittenLog other(eventful(4, 80), 20);
  open(other).index->close();
  WrittenLog log(eventful(3, 120));
  ASSERT_EQ(log.uuid(), other.uuid());
  ASSERT_GT(log.head(), other.head());
  const StoreOpening opening = open(log);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_THAT(opening.note, HasSubstr("sequence " + std::to_string(other.head().value())));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, MakesAnewTheIndexOfAnotherChainOfTheSameLength) {
  WrittenLog log(eventful(3, 40));
  WrittenLog other(eventful(3, 40));
  open(other).index->close();
  const StoreOpening same = open(log);
  EXPECT_FALSE(same.rebuilt) << "the same events in the same batches: the same chain";
  same.index->close();

  const State state = rebuild(daybook::events_of(log.journal()), log.head());
  JobIndex::create(folder(), this_boot, state, {log.uuid(), log.head(), {}})->close();
  const StoreOpening opening = open(log);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_THAT(opening.note, HasSubstr("chain"));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, AnIndexAheadOfItsLogMeansThatAcknowledgedEventsAreLost) {
  const auto history = eventful(3, 120);
  WrittenLog longer(history);
  open(longer).index->close();
  WrittenLog shorter(history, 40);
  ASSERT_EQ(shorter.uuid(), longer.uuid());
  try {
    (void)open(shorter);
    FAIL() << "opened over a log that lost its end";
  } catch (const CorruptionError& error) {
    EXPECT_EQ(error.damage(), Damage::lost_acknowledged);
    EXPECT_EQ(error.place().sequence, shorter.head());
    EXPECT_THAT(error.what(), HasSubstr("sequence " + std::to_string(shorter.head().value())));
    EXPECT_THAT(error.what(), HasSubstr("sequence " + std::to_string(longer.head().value())));
  }
  std::filesystem::remove_all(folder());
  expect_equal(*open(shorter).index, shorter);
}

TEST_F(OpenStore, AnUntrustedIndexAheadProvesNothing) {
  const auto history = eventful(3, 120);
  WrittenLog longer(history);
  open(longer).index.reset();  // left open under a boot that is gone
  WrittenLog shorter(history, 40);
  const StoreOpening opening = open(shorter, next_boot);
  EXPECT_TRUE(opening.rebuilt);
  expect_equal(*opening.index, shorter);
}

// Indexes with the right mark and the wrong contents: a bug's work, not the disk's.
TEST_F(OpenStore, MakesAnewAnIndexThatTheEventsCannotFollow) {
  WrittenLog log(eventful(3, 120), 40);
  const State right = rebuild(daybook::events_of(log.journal()), log.head());
  State hollow;
  hollow.put(right.book());
  JobIndex::create(folder(), this_boot, hollow, {log.uuid(), log.head(), log.journal().tail().chain})->close();
  log.append();
  const StoreOpening opening = open(log);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_THAT(opening.note, HasSubstr("sequence"));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, MakesAnewAnIndexWhoseBookStandsElsewhereThanItsMark) {
  WrittenLog log(eventful(3, 120), 40);
  const State behind = rebuild(daybook::events_of(log.journal()), Sequence(2));
  JobIndex::create(folder(), this_boot, behind, {log.uuid(), log.head(), log.journal().tail().chain})->close();
  const StoreOpening opening = open(log);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_THAT(opening.note, HasSubstr("sequence 2"));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, MakesAnewAnIndexThatStandsInsideABatch) {
  WrittenLog log(eventful(3, 120));
  const LogReader reader = log.reader();
  Sequence inside(1);
  while (inside < log.head() && reader.chain_at(inside)) inside = inside.next();
  ASSERT_LT(inside, log.head()) << "every batch has one event";
  const State state = rebuild(daybook::events_of(log.journal()), inside);
  JobIndex::create(folder(), this_boot, state, {log.uuid(), inside, {}})->close();
  const StoreOpening opening = open(log);
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_THAT(opening.note, HasSubstr("where no batch of the log ends"));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, MakesAnewAnIndexThatDidNotReachTheEnd) {
  /// Reads less than there is, once.
  class Faltering final : public Journal {
   public:
    explicit Faltering(Journal& journal) : journal_(journal) {}
    AppendResult append(Epoch epoch, const Head& expected, const EncodedBatch& batch, Room room) override {
      return journal_.append(epoch, expected, batch, room);
    }
    void read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) override {
      if (std::exchange(faltered_, true)) journal_.read(from, visit);
    }
    Head tail() const override { return journal_.tail(); }
    Epoch epoch() const override { return journal_.epoch(); }
    std::uint32_t feature_level() const override { return journal_.feature_level(); }
    AppendResult raise_feature_level(std::uint32_t level) override { return journal_.raise_feature_level(level); }
    std::size_t largest_batch_bytes() const override { return journal_.largest_batch_bytes(); }
    Costs costs() const override { return journal_.costs(); }
    bool has_room() const override { return journal_.has_room(); }
    void settle() override { journal_.settle(); }
    void close() override { journal_.close(); }

   private:
    Journal& journal_;
    bool faltered_ = false;
  };
  WrittenLog log(eventful(3, 120), 40);
  open(log).index->close();
  const Sequence seen = log.head();
  log.append();
  const LogReader reader = log.reader();
  Faltering journal(log.journal());
  const StoreOpening opening = open_store(folder(), journal, log.uuid(), this_boot, now(log),
                                          [&](Sequence sequence) { return reader.chain_at(sequence); });
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_THAT(opening.note, HasSubstr("it reached sequence " + std::to_string(seen.value()) + ", expected"));
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, RebuildsOnDemand) {
  WrittenLog log(eventful(3, 80));
  open(log).index->close();
  const StoreOpening opening = rebuild_store(folder(), log.journal(), log.uuid(), this_boot, now(log));
  EXPECT_TRUE(opening.rebuilt);
  EXPECT_EQ(opening.events_replayed, log.head().value());
  expect_equal(*opening.index, log);
}

TEST_F(OpenStore, VerifyingFindsNothingInAnIndexThatIsRight) {
  WrittenLog log(eventful(3, 80));
  const StoreOpening opening = open(log);
  log.append();
  EXPECT_THAT(verify_index(*opening.index, daybook::events_of(log.journal())), IsEmpty());
}

TEST_F(OpenStore, VerifyingNamesWhatIsDifferent) {
  WrittenLog log(eventful(3, 80));
  const StoreOpening opening = open(log);
  Job wrong;
  opening.index->each_job([&](const Job& job) { wrong = job; });
  wrong.attempt += 1;
  const std::string id = std::to_string(wrong.id.sequence.value());
  opening.index->put(wrong);
  const auto found = verify_index(*opening.index, daybook::events_of(log.journal()));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found.front(), HasSubstr(id));
}

}  // namespace
}  // namespace daybook::test
