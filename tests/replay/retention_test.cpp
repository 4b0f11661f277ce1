// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/retention.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/log/archive.hpp"
#include "daybook/replay/replay.hpp"
#include "written_log.hpp"

// Only whole segments behind a verified snapshot are dropped, each once on record; and a job whose beginning went says what is left.

namespace daybook::test {
namespace {

SegmentSummary segment(std::uint64_t first, std::uint64_t last) {
  SegmentSummary summary;
  summary.first = Sequence(first);
  summary.last = Sequence(last);
  return summary;
}

const std::vector<SegmentSummary> segments = {segment(1, 10), segment(11, 20), segment(21, 30), segment(31, 35)};
constexpr Sequence all(UINT64_MAX);

TEST(PlanDrop, TakesWholeSegmentsUpToTheSnapshotAndNeverTheLast) {
  EXPECT_EQ(plan_drop(segments, Sequence(), all, all), (SegmentsDropped{Sequence(1), Sequence(30)}));
  EXPECT_EQ(plan_drop(segments, Sequence(), all, Sequence(29)), (SegmentsDropped{Sequence(1), Sequence(20)}));
  EXPECT_EQ(plan_drop(segments, Sequence(), Sequence(10), all), (SegmentsDropped{Sequence(1), Sequence(10)}));
}

TEST(PlanDrop, WithoutASnapshotNothingGoes) {
  EXPECT_EQ(plan_drop(segments, Sequence(), all, Sequence()), std::nullopt);
  EXPECT_EQ(plan_drop(segments, Sequence(), all, Sequence(9)), std::nullopt);
}

TEST(PlanDrop, GoesOnBehindWhatIsOnRecord) {
  EXPECT_EQ(plan_drop(segments, Sequence(10), all, Sequence(25)), (SegmentsDropped{Sequence(11), Sequence(20)}));
  EXPECT_EQ(plan_drop(segments, Sequence(20), all, Sequence(25)), std::nullopt);
  EXPECT_EQ(plan_drop({}, Sequence(), all, all), std::nullopt);
}

TEST(HistoryOfAJob, WhoseBeginningWasDroppedIsWhatIsLeftOfIt) {
  State lived;
  daybook::testing::Driver driver(lived);
  const auto scheduled = driver.submit({{Schedule{.queue = "pay", .kind = "invoice"}}, {}});
  const Sequence job = std::get<Scheduled>(scheduled.outcome.answers->front()).job.sequence;
  const std::string large(200, 'x');
  for (int i = 0; i < 200; ++i) driver.submit({{Schedule{.queue = "q", .kind = "k", .payload = large}}, {}});
  driver.submit({{Claim{.queues = {"pay"}, .worker = "w"}}, {}});
  WrittenLog log({driver.events(), driver.batch_ends()},
                 LogOptions{.segment_bytes_min = 12 * 1024, .segment_bytes_max = 12 * 1024, .feature_level = 2});
  const LogReader reader = log.reader();
  const auto whole = history(daybook::events_of(reader), job);
  ASSERT_GT(whole.size(), 1U);
  ASSERT_TRUE(drop_next(log.storage(), all));
  ASSERT_GT(reader.first_readable(), job);
  EXPECT_THROW(static_cast<void>(history(daybook::events_of(reader), job)), DroppedError);
  const auto left = history(daybook::events_of(reader), job, reader.first_readable());
  EXPECT_EQ(left, (std::vector<RecordedEvent>(whole.begin() + 1, whole.end())));
}

// ---- what dropping looks at ----

class SmallSegments : public ::testing::Test {
 protected:
  SegmentSummary summary_of(std::size_t nth) { return list_segments(log.storage()).at(nth); }
  [[nodiscard]] Instant begin_of(std::size_t nth) {
    return log.events()[static_cast<std::size_t>(summary_of(nth).first.value()) - 1].wall;
  }

  /// In which no step of the clock brings back the instant of the beginning.
  static daybook::testing::RecordedHistory history_going_on() {
    for (std::uint64_t seed = 5;; ++seed) {
      auto history = eventful(seed, 400);
      const Instant begin = history.events.front().wall;
      const auto later = [&](const RecordedEvent& recorded) { return recorded.wall > begin; };
      if (std::all_of(history.events.begin() + 100, history.events.end(), later)) return history;
    }
  }

  WrittenLog log{history_going_on(), LogOptions{.segment_bytes_min = 12 * 1024, .segment_bytes_max = 12 * 1024}};
  LogReader reader = log.reader();
};

TEST_F(SmallSegments, AreOlderThanAnInstantWhenTheNextOneBeganBefore) {
  const auto older_than = [&](Instant limit) { return last_older_than(reader, list_segments(log.storage()), limit); };
  ASSERT_GT(list_segments(log.storage()).size(), 3U);
  EXPECT_EQ(older_than(Instant::min()), Sequence());
  EXPECT_EQ(older_than(begin_of(1)), Sequence()) << "it ended at that very instant";
  const std::size_t last = list_segments(log.storage()).size() - 1;
  EXPECT_EQ(older_than(Instant::max()), summary_of(last - 1).last) << "never the one that is written to";
  ASSERT_TRUE(drop_next(log.storage(), all));
  EXPECT_EQ(older_than(Instant::max()), summary_of(last - 1).last) << "what was dropped is not read";
}

TEST_F(SmallSegments, AreReadOnceMoreBeforeTheyGo) {
  const SegmentsDropped planned{Sequence(1), summary_of(1).last};
  EXPECT_NO_THROW(require_whole(reader, planned));
  log.storage().flip_bit(summary_of(1).name, 8 * 5000);
  EXPECT_THROW(require_whole(reader, planned), CorruptionError);
  EXPECT_NO_THROW(require_whole(reader, {Sequence(1), summary_of(0).last})) << "what stays is not its business";
}

TEST_F(SmallSegments, NeedTwoSnapshotsBehindThem) {
  WrittenLog growing(eventful(5, 400), 20);
  const auto relied_on = [&] {
    const LogReader now = growing.reader();
    return snapshot_to_rely_on(snapshots_of(growing.storage(), now));
  };
  const auto take = [&] {
    const LogReader now = growing.reader();
    return take_snapshot(growing.storage(), now)->summary.point.sequence;
  };
  EXPECT_EQ(relied_on(), Sequence());
  const Sequence first = take();
  EXPECT_EQ(relied_on(), Sequence()) << "the only one may be lost";
  growing.append(20);
  (void)take();
  EXPECT_EQ(relied_on(), first);
  growing.storage().flip_bit(snapshot_name(first), 8 * 700);
  EXPECT_EQ(relied_on(), Sequence()) << "the older one cannot be believed";
}

TEST_F(SmallSegments, OnceDroppedOnlyTellOfInstantsBehindThem) {
  const ReadEvents read = daybook::events_of(reader);
  const Sequence head = log.head();
  const Instant gone = begin_of(0);
  const Resolved known = resolve(read, head, Instant::max());
  EXPECT_NO_THROW(static_cast<void>(resolve(read, head, gone)));
  ASSERT_TRUE(drop_next(log.storage(), all));
  EXPECT_EQ(resolve(read, head, Instant::max()).sequence, known.sequence);
  EXPECT_THROW(static_cast<void>(resolve(read, head, gone)), DroppedError);
  EXPECT_EQ(resolve(read, Sequence(), gone).sequence, Sequence()) << "nothing has happened yet";
}

TEST(HistoryOfAJob, SaysWhenItWasLetGo) {
  const JobId job{Sequence(5), GenerationTag(7)};
  const auto pruned = [](std::vector<JobId> jobs) {
    JobsPruned event;
    for (const JobId& id : jobs) event.jobs.push_back({id, JobState::completed, Instant(), id.sequence});
    RecordedEvent recorded;
    recorded.sequence = Sequence(90);
    recorded.event = event;
    return recorded;
  };
  RecordedEvent other;
  other.event = JobCancelled{job};
  const JobId twin{Sequence(5), GenerationTag(8)};
  EXPECT_EQ(let_go_in({}, job), std::nullopt);
  EXPECT_EQ(let_go_in({other, pruned({{Sequence(4), GenerationTag(7)}, twin})}, job), std::nullopt);
  const auto found = let_go_in({other, pruned({twin, job})}, job);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->job.job, job);
  EXPECT_EQ(let_go_in({pruned({twin})}, {Sequence(5), GenerationTag()})->job.job, twin) << "of whatever history";
}

// ---- what the state does not know ----

class AJobThatTheStateDoesNotKnow : public ::testing::Test {
 protected:
  AJobThatTheStateDoesNotKnow() {
    book.head = Sequence(9);
    book.generation = {1, GenerationTag(7)};
  }
  /// From #1 on, one for each.
  [[nodiscard]] Absence absence(const JobId& id, std::vector<Event> events, std::uint64_t first_readable = 1) const {
    const ReadEvents read = [&](Sequence from, const std::function<bool(const RecordedEvent&)>& visit) {
      EXPECT_GE(from, Sequence(first_readable));
      for (std::uint64_t i = from.value(); i <= events.size(); ++i) {
        RecordedEvent recorded;
        recorded.sequence = Sequence(i);
        recorded.event = events[i - 1];
        if (!visit(recorded)) return;
      }
    };
    return why_absent(read, id, book, Sequence(first_readable));
  }
  [[nodiscard]] static JobId id(std::uint64_t sequence, std::uint32_t tag = 0) {
    return {Sequence(sequence), GenerationTag(tag)};
  }
  Book book;
};

TEST_F(AJobThatTheStateDoesNotKnow, WasNeverIssuedWhenItsEventIsThereAndAnother) {
  const Absence other = absence(id(2), {BookClosed(), BookClosed()});
  EXPECT_EQ(other.refusal.code, RefusalCode::no_such_job);
  EXPECT_EQ(other.refusal.sentence, "job 2: never issued in this book");
  EXPECT_FALSE(other.untold);
  EXPECT_FALSE(absence(id(10), {}).untold) << "above the head";
  EXPECT_FALSE(absence(id(0), {}, 5).untold);
}

TEST_F(AJobThatTheStateDoesNotKnow, MayHaveBeenWhereTheLogWasDroppedOrHasAHole) {
  const Absence dropped = absence(id(2, 7), {}, 5);
  EXPECT_TRUE(dropped.untold);
  EXPECT_EQ(dropped.refusal.code, RefusalCode::no_such_job);
  EXPECT_THAT(dropped.refusal.sentence, ::testing::EndsWith("events before #5 were dropped"));
  EXPECT_TRUE(absence(id(1), {GapDeclared{}, EventLost{}}).untold);
  EXPECT_TRUE(absence(id(2), {GapDeclared{}, EventLost{}}).untold);
}

TEST_F(AJobThatTheStateDoesNotKnow, IsOfAnotherHistoryByItsTagUnlessAnEarlierGenerationMayHaveIssuedIt) {
  EXPECT_EQ(absence(id(2, 8), {}, 5).refusal.code, RefusalCode::another_history);
  EXPECT_EQ(absence(id(2, 8), {BookClosed(), BookClosed()}).refusal.code, RefusalCode::another_history);
  book.generation.number = 2;
  EXPECT_EQ(absence(id(2, 8), {BookClosed(), BookClosed()}).refusal.code, RefusalCode::another_history);
  EXPECT_TRUE(absence(id(2, 8), {}, 5).untold);
}

TEST_F(AJobThatTheStateDoesNotKnow, WasPrunedByWhicheverGeneration) {
  JobsPruned pruned;
  pruned.jobs.push_back({id(2, 8), JobState::completed, Instant(), Sequence(2)});
  const std::vector<Event> events = {BookClosed(), JobScheduled{}, pruned};
  const Absence whole = absence(id(2, 8), events);
  EXPECT_EQ(whole.refusal.code, RefusalCode::pruned);
  EXPECT_THAT(whole.refusal.sentence, ::testing::EndsWith("its history is in the log"));
  EXPECT_EQ(whole.history.size(), 2U);
  const Absence left = absence(id(2, 8), events, 3);
  EXPECT_THAT(left.refusal.sentence, ::testing::EndsWith("before #3 was dropped from the log"));
  EXPECT_EQ(left.history.size(), 1U);
}

}  // namespace
}  // namespace daybook::test
