// SPDX-License-Identifier: Apache-2.0
#include "book_of_tool.hpp"

// Backups and old segments, as a person at a shell meets them.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;

class Retention : public BookOfTool {
 protected:
  ToolRun in(const std::string& where, const Words& rest) const {
    Words all = {tool(), rest.front(), "--dir", where};
    all.insert(all.end(), rest.begin() + 1, rest.end());
    return run_program(all, {});
  }
};

TEST_F(Retention, ABackupHoldsEverythingAndRunsNothingUntilItIsAdopted) {
  const std::string id = schedule();
  const Json made = one({"backup", "--out", file("monday")});
  EXPECT_EQ(made["held"], true);
  EXPECT_GT(made["head"].get<std::uint64_t>(), made["seq"].get<std::uint64_t>());
  EXPECT_EQ(made["segments"], 1);
  EXPECT_EQ(in(file("monday"), {"verify"}).exit_code, 0);
  EXPECT_THAT(in(file("monday"), {"stat"}).out, HasSubstr("held"));
  EXPECT_THAT(in(file("monday"), {"claim", "--queue", "mail", "--worker", "w"}), Refused("adopted"));
  EXPECT_EQ(in(file("monday"), {"adopt", "--reason", "machine a is gone"}).exit_code, 0);
  EXPECT_THAT(in(file("monday"), {"claim", "--queue", "mail", "--worker", "w"}).out, HasSubstr("welcome"));
  EXPECT_EQ(job(id)["state"], "available") << "the original knows nothing of it";
}

TEST_F(Retention, ABackupIsMadeOnlyInAnEmptyDirectory) {
  schedule();
  EXPECT_THAT(run({"backup", "--out", directory()}), Refused("not empty"));
  EXPECT_THAT(run({"backup"}), WrongUsage("--out"));
}

TEST_F(Retention, SegmentsAreListedWithTheirForm) {
  schedule();
  const auto all = json({"segments"});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["form"], "plain");
  EXPECT_EQ(all[0]["first"], 1);
  EXPECT_EQ(all[0]["sealed"], false);
  EXPECT_THAT(run({"segments"}).out, HasSubstr("plain"));
}

TEST_F(Retention, WithoutAFinishedSegmentThereIsNothingToArchiveOrDrop) {
  schedule();
  const ToolRun archived = run({"archive"});
  EXPECT_EQ(archived.exit_code, 0) << archived.err;
  EXPECT_THAT(archived.err, HasSubstr("no finished segment"));
  const ToolRun dropped = run({"drop", "--before", "3", "--reason", "test"});
  EXPECT_EQ(dropped.exit_code, 0) << dropped.err;
  EXPECT_THAT(dropped.err, HasSubstr("no finished segment"));
}

TEST_F(Retention, DroppingNeedsABoundAndAReason) {
  schedule();
  EXPECT_THAT(run({"drop", "--reason", "test"}), WrongUsage("--before SEQ or --older-than"));
  EXPECT_THAT(run({"drop", "--before", "3"}), WrongUsage("--reason"));
}

}  // namespace
}  // namespace daybook::test
