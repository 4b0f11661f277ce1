// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/system/posix_storage.hpp"
#include "log_fixture.hpp"
#include "support/temp_folder.hpp"

// The same log on the file system of this machine: what the ports promise each other is kept by the real ones.

namespace daybook::test {
namespace {

TEST(RealDisk, AppendingRotatingDyingAndReopeningKeepsEverything) {
  const TempFolder folder;
  const auto storage = PosixStorage::open(folder.path() / "book", Access::create);
  ManualClock clock;
  FixedRandom random;
  LogOpening opening;
  const LogOptions options = small_segments();
  std::vector<RecordedEvent> acknowledged;

  for (int life = 0; life < 4; ++life) {
    const auto log = life == 0 ? SegmentLog::create(*storage, clock, random, options, opening)
                               : SegmentLog::open(*storage, clock, random, options, opening);
    const TailStatus expected = life % 2 == 1 ? TailStatus::unclean : TailStatus::clean;
    EXPECT_EQ(opening.tail, life == 0 ? TailStatus::created : expected);
    for (int i = 0; i < 10; ++i) {
      const RecordedEvent event = some_event(log->tail().sequence.next(), log->epoch(), 1500);
      BatchEncoder encoder;
      encoder.add(event);
      ASSERT_TRUE(
          std::holds_alternative<Committed>(log->append(log->epoch(), log->tail(), encoder.batch(), Room::ordinary)));
      acknowledged.push_back(event);
    }
    std::vector<RecordedEvent> found;
    log->read(Sequence(1), [&](const RecordedEvent& event) {
      found.push_back(event);
      return true;
    });
    ASSERT_EQ(found, acknowledged);
    if (life % 2 == 1) log->close();
  }

  const LogVerdict verdict = verify_log(*storage);
  EXPECT_EQ(verdict.kind, LogVerdict::Kind::clean_end) << verdict.message;
  EXPECT_EQ(verdict.events, acknowledged.size());
  EXPECT_GT(verdict.segments.size(), 3u);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "book")) {
    const auto mode = static_cast<unsigned>(entry.status().permissions());
    EXPECT_EQ(mode & 077u, 0u) << entry.path();
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(!name.ends_with(".tmp") || name == "next.tmp") << entry.path();
  }
}

}  // namespace
}  // namespace daybook::test
