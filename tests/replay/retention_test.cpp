// SPDX-License-Identifier: Apache-2.0
#include "daybook/replay/retention.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace daybook::test
