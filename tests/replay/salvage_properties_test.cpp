// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "daybook/core/execute.hpp"
#include "salvaged_log.hpp"

// Random histories, damaged in one to three random places: what is salvaged is never anything else than what was written, all that
// was not hit is there, and the book that comes out is whole, held, and runs once it is adopted.

namespace daybook::test {
namespace {

using ::testing::IsEmpty;

struct Hit {
  std::string file;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

/// Damages the disk and says where.
class Vandal {
 public:
  Vandal(MemoryStorage& storage, std::uint64_t seed) : storage_(storage), chance_(seed) {}

  void strike() {
    std::vector<std::string> files;
    for (const std::string& name : storage_.names()) {
      if (name.ends_with(".seg") || name == "log/witness") files.push_back(name);
    }
    if (files.size() < 2) return;
    const std::string file = files[chance_() % files.size()];
    const std::uint64_t size = used(file);
    const std::uint64_t at = chance_() % size;
    switch (chance_() % 8) {
      case 0:
        storage_.remove_durably(file);
        hits.push_back({file, 0, UINT64_MAX});
        break;
      case 1:
        storage_.cut(file, at);
        hits.push_back({file, at, UINT64_MAX});
        break;
      case 2:
      case 3:
        overwrite(file, at, std::min(size, at + 1 + chance_() % 2000), true);
        break;
      case 4:
        overwrite(file, at, std::min(size, at + 1 + chance_() % 2000), false);
        break;
      default:
        storage_.flip_bit(file, at * 8 + chance_() % 8);
        hits.push_back({file, at, at + 1});
        break;
    }
  }

  [[nodiscard]] bool touched(const WrittenBatch& batch) const { return touches(batch.file, batch.offset, batch.end); }
  [[nodiscard]] bool touches(const std::string& file, std::uint64_t from, std::uint64_t to) const {
    return std::any_of(hits.begin(), hits.end(),
                       [&](const Hit& hit) { return hit.file == file && hit.from < to && from < hit.to; });
  }

  std::vector<Hit> hits;

 private:
  std::uint64_t used(const std::string& file) const {
    const auto bytes = storage_.content(file);
    std::uint64_t end = bytes.size();
    while (end > 1 && bytes[end - 1] == std::byte{0}) --end;
    return end;
  }
  void overwrite(const std::string& file, std::uint64_t from, std::uint64_t to, bool zeros) {
    auto bytes = storage_.content(file);
    for (std::uint64_t at = from; at < to; ++at) {
      bytes[at] = zeros ? std::byte{0} : static_cast<std::byte>(chance_() & 0xFF);
    }
    storage_.write_durably(file, std::move(bytes));
    hits.push_back({file, from, to});
  }

  MemoryStorage& storage_;
  std::mt19937_64 chance_;
};

// Whatever stands at a sequence of the old history is the event that stood there, that event set aside, or the mark of a lost one.
void expect_nothing_invented(const SalvagedLog& salvaged, std::span<const RecordedEvent> written,
                             const std::set<Sequence>& may_be_lost) {
  std::uint64_t lost = 0;
  std::uint64_t set_aside = 0;
  for (const RecordedEvent& original : written) {
    if (original.sequence > salvaged.report.last) {
      ASSERT_TRUE(may_be_lost.contains(original.sequence)) << original.sequence.value() << " is missing at the end";
      continue;
    }
    const RecordedEvent& now = salvaged.at(original.sequence);
    if (const auto* aside = std::get_if<EventSetAside>(&now.event); aside != nullptr && !(now == original)) {
      ASSERT_EQ(aside->stored, stored(original)) << original.sequence.value();
      ++set_aside;
    } else if (!(now == original)) {
      ASSERT_TRUE(std::holds_alternative<GapDeclared>(now.event) || std::holds_alternative<EventLost>(now.event))
          << original.sequence.value() << " is " << type_name(now.event);
      ASSERT_TRUE(may_be_lost.contains(original.sequence)) << original.sequence.value() << " was not hit";
      ++lost;
    }
  }
  EXPECT_EQ(set_aside, salvaged.report.set_aside.size());
  EXPECT_GE(salvaged.report.lost, lost);
  EXPECT_EQ(salvaged.report.lost + set_aside + salvaged.report.copied, salvaged.report.last.value());
}

// A job that may still run, and is not in doubt, has its whole history, as far as anything is left that knows how long that is: when the
// end of the log went together with the witness, nothing does.
void expect_doubt_where_there_is_a_hole(SalvagedLog& salvaged, std::span<const RecordedEvent> written) {
  const State state = salvaged.state();
  for (const RecordedEvent& original : written) {
    if (original.sequence > salvaged.report.last || salvaged.at(original.sequence) == original) continue;
    for (const Sequence sequence : jobs_of(original.sequence, original.event)) {
      const Job* job = state.job(sequence);
      if (job == nullptr || is_final(job->state)) continue;
      ASSERT_EQ(job->state, JobState::uncertain)
          << "job " << sequence.value() << ", whose event " << original.sequence.value() << " is missing";
    }
  }
}

void expect_runs_once_adopted(SalvagedLog& salvaged) {
  LogOpening opening;
  FixedRandom random;
  const auto log = SegmentLog::open(salvaged.out, salvaged.clock, random, {}, opening);
  ASSERT_EQ(opening.tail, TailStatus::clean);
  State state = rebuild(daybook::events_of(*log), opening.head.sequence);
  ASSERT_TRUE(state.book().held);
  Moment now{.wall = state.book().head_wall, .boot = BootTime(Duration(5)), .book = {}, .chance = 1};
  BookOpened begun;
  begun.epoch = opening.epoch;
  begun.boot_id.bytes[0] = 0x77;
  begun.new_boot = true;
  const Bounds bounds;
  const auto ask = [&](Command command) {
    return execute(state, {{std::move(command)}, {}}, now, bounds).answers.has_value();
  };
  ASSERT_TRUE(ask(OpenBook{begun}));
  ASSERT_FALSE(ask(Schedule{.queue = "new", .kind = "new"}));
  ASSERT_TRUE(ask(AdoptBook{}));
  ASSERT_TRUE(ask(Schedule{.queue = "new", .kind = "new"}));
  for (const JobId& id : salvaged.report.uncertain) {
    ASSERT_EQ(state.job(id.sequence)->state, JobState::uncertain);
    ASSERT_TRUE(ask(Cancel{id})) << to_string(id);
  }
}

class RandomDamage : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomDamage, LosesWhatWasHitAndNothingElseAndInventsNothing) {
  const std::uint64_t seed = GetParam();
  WrittenLog log(eventful(seed, 40 + seed % 5 * 40), SIZE_MAX, seed, 10'000 + seed % 3 * 6'000);
  if (seed % 4 != 0) log.journal().close();
  const auto batches = batches_of(log.storage());
  Vandal vandal(log.storage(), seed);
  for (std::uint64_t i = 0; i <= seed % 3; ++i) vandal.strike();

  std::set<Sequence> may_be_lost;
  for (const WrittenBatch& batch : batches) {
    const bool header = vandal.touches(batch.file, 0, 4096);  // what it holds then needs a neighbour to prove it
    if (!vandal.touched(batch) && !(header && vandal.hits.size() > 1)) continue;
    for (Sequence at = batch.first; at <= batch.last; at = at.next()) may_be_lost.insert(at);
  }
  std::unique_ptr<SalvagedLog> salvaged;
  try {
    salvaged = std::make_unique<SalvagedLog>(log.storage());
  } catch (const CorruptionError& error) {
    ASSERT_TRUE(error.damage() == Damage::lost_acknowledged || error.damage() == Damage::foreign) << error.what();
    ASSERT_EQ(may_be_lost.size(), log.events().size()) << error.what();
    return;
  }
  expect_nothing_invented(*salvaged, log.events(), may_be_lost);
  expect_doubt_where_there_is_a_hole(*salvaged, log.events());
  EXPECT_EQ(verify_log(salvaged->out).kind, LogVerdict::Kind::clean_end);
  EXPECT_EQ(verify_log(salvaged->out).events, salvaged->report.head.sequence.value());
  expect_runs_once_adopted(*salvaged);
}

TEST_P(RandomDamage, OfNothingLosesNothing) {
  const std::uint64_t seed = GetParam();
  WrittenLog log(eventful(seed, 40 + seed % 5 * 40), SIZE_MAX, seed, 10'000 + seed % 3 * 6'000);
  if (seed % 2 != 0) log.journal().close();
  SalvagedLog salvaged(log.storage());
  EXPECT_TRUE(salvaged.report.whole());
  EXPECT_THAT(salvaged.report.notes, IsEmpty());
  EXPECT_EQ(salvaged.report.copied, log.events().size());
  expect_nothing_invented(salvaged, log.events(), {});
  EXPECT_THAT(salvaged.report.uncertain, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomDamage, ::testing::Range<std::uint64_t>(1, 301));

}  // namespace
}  // namespace daybook::test
