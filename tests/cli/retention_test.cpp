// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

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

class LongBook : public Retention {
 protected:
  /// Three segments, of which the first two are finished, by payloads that are too large for fewer.
  void fill() {
    const std::string payload(240 * 1024, 'p');
    for (int i = 0; i < 16; ++i) {
      ids_.push_back(one({"schedule", "--queue", "mail", "--kind", "welcome", "--payload-file", "-"}, payload)["id"]);
    }
  }
  std::vector<std::string> forms() const {
    std::vector<std::string> all;
    for (const Json& segment : json({"segments"})) all.push_back(segment["form"]);
    return all;
  }
  Words drop() const { return {"drop", "--before", json({"segments"}).back()["first"].dump(), "--reason", "test"}; }
  void drop_behind_two_snapshots() const {
    one({"snapshot"});
    schedule();
    one({"snapshot"});
    const ToolRun dropped = run(drop());
    EXPECT_EQ(dropped.exit_code, 0) << dropped.err;
    EXPECT_THAT(forms(), testing::ElementsAre("dropped", "dropped", "plain"));
  }
  std::vector<std::string> ids_;
};

class DroppedBeginning : public LongBook {
 protected:
  DroppedBeginning() { fill(); }
};

TEST_F(DroppedBeginning, ItIsDroppedOnlyBehindTwoSnapshotsAndTheBookGoesOn) {
  EXPECT_THAT(forms(), testing::ElementsAre("plain", "plain", "plain"));
  one({"snapshot"});
  EXPECT_THAT(run(drop()), Refused("two snapshots"));
  EXPECT_THAT(forms(), testing::ElementsAre("plain", "plain", "plain"));
  drop_behind_two_snapshots();
  const ToolRun verified = run({"verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  EXPECT_EQ(claim()["id"], ids_.front()) << "its event was dropped, and the job was not";
}

TEST_F(DroppedBeginning, ABackupOfItKeepsTheJobs) {
  drop_behind_two_snapshots();
  one({"backup", "--out", file("monday")});
  EXPECT_EQ(in(file("monday"), {"verify"}).exit_code, 0);
  EXPECT_EQ(in(file("monday"), {"adopt", "--reason", "machine a is gone"}).exit_code, 0);
  for (const std::string& id : ids_) {
    EXPECT_THAT(in(file("monday"), {"job", id}).out, HasSubstr("available")) << id;
  }
  EXPECT_THAT(in(file("monday"), {"claim", "--queue", "mail", "--worker", "w"}).out, HasSubstr("welcome"));
}

TEST_F(DroppedBeginning, WhatIsSalvagedBeginsWithASnapshot) {
  drop_behind_two_snapshots();
  const Json made = one({"salvage", "--out", file("rescued")});
  EXPECT_EQ(made["whole"], true);
  EXPECT_GT(made["dropped_through"], 0);
  EXPECT_GE(made["snapshot"], made["dropped_through"]);
  const ToolRun verified = in(file("rescued"), {"verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  const ToolRun rebuilt = in(file("rescued"), {"rebuild"});
  EXPECT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  EXPECT_EQ(in(file("rescued"), {"adopt", "--reason", "the first is damaged"}).exit_code, 0);
  for (const std::string& id : ids_) {
    EXPECT_THAT(in(file("rescued"), {"job", id}).out, HasSubstr("available")) << id;
  }
}

TEST_F(DroppedBeginning, WithoutItsSnapshotsItIsDamagedAndNothingIsSalvaged) {
  drop_behind_two_snapshots();
  std::filesystem::rename(directory() + "/snapshots", file("elsewhere"));
  const ToolRun verified = run({"verify"});
  EXPECT_EQ(verified.exit_code, 3);
  EXPECT_THAT(verified.out, HasSubstr("no snapshot can be believed that holds what the dropped events"));
  EXPECT_THAT(run({"salvage", "--out", file("rescued")}), Refused("the beginning of this log was dropped"));
  EXPECT_FALSE(std::filesystem::exists(file("rescued")));
  std::filesystem::rename(file("elsewhere"), directory() + "/snapshots");
  EXPECT_EQ(run({"verify"}).exit_code, 0);
}

// ---- jobs that were pruned, and events that were dropped ----

class PrunedJobs : public LongBook {
 protected:
  PrunedJobs() {
    for (int i = 0; i < 3; ++i) done_.push_back(schedule());
    for (int i = 0; i < 3; ++i) {
      const Json claimed = claim();
      run({"complete", claimed["id"], "--token", claimed["token"]});
    }
  }
  void prune() const {
    one({"retention", "--completed", "0s"});
    schedule();  // and whatever opens the book prunes
    EXPECT_THAT(json({"jobs", "--state", "completed"}), testing::IsEmpty());
  }
  std::vector<std::string> done_;
};

TEST_F(PrunedJobs, TellOnlyOfThemselves) {
  prune();
  const auto lines = json({"job", done_[1]});
  EXPECT_EQ(lines.front()["pruned"], true);
  EXPECT_EQ(lines.back()["type"], "JobsPruned");
  EXPECT_EQ(lines.back()["job"], done_[1]);
  EXPECT_FALSE(lines.back().contains("jobs"));
  EXPECT_EQ(lines.back()["data"]["pruned"].size(), 1U);
  const ToolRun told = run({"job", done_[1]});
  EXPECT_THAT(told.out, testing::Not(HasSubstr(done_[0])));
  EXPECT_THAT(told.err, testing::Not(HasSubstr("dropped")));
  EXPECT_EQ(json({"log", "--job", done_[1]}).back(), lines.back());
  EXPECT_THAT(run({"schedule", "--queue", "q", "--kind", "k", "--after", done_[1], "--when", "always"}),
              Refused("its history is in the log"));
}

TEST_F(PrunedJobs, SayThatTheirBeginningWasDropped) {
  fill();
  prune();
  drop_behind_two_snapshots();
  const ToolRun told = run({"job", done_[0]});
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr(done_[0] + " was completed at "));
  EXPECT_THAT(told.err, HasSubstr("what happened to it before #"));
  EXPECT_THAT(run({"schedule", "--queue", "q", "--kind", "k", "--after", done_[0], "--when", "always"}),
              Refused("was dropped from the log"));
}

TEST_F(PrunedJobs, OfWhichNothingIsKnownAnyMoreAreNotDenied) {
  prune();
  fill();
  drop_behind_two_snapshots();
  const std::uint64_t readable = json({"segments"}).back()["first"];
  const std::string gone = "job " + done_[0] + ": nothing is known of it any more: events before #" +
                           std::to_string(readable) + " were dropped";
  const ToolRun told = run({"job", done_[0]});
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_EQ(told.out, gone + "\n");
  EXPECT_EQ(one({"job", done_[0]}), (Json{{"id", done_[0]}, {"known", false}, {"dropped_through", readable - 1}}));
  const Words child = {"schedule", "--queue", "q", "--kind", "k", "--when", "always", "--after"};
  const auto after = [&](const std::string& id) {
    Words all = child;
    all.push_back(id);
    return run(all);
  };
  EXPECT_THAT(after(done_[0]), Refused(gone));
  EXPECT_THAT(run({"cancel", done_[0]}), Refused("never issued, or pruned since"));
  const std::string closing = json({"log"}).back()["seq"].dump();
  EXPECT_THAT(run({"job", closing}), Refused("never issued in this book"));
  EXPECT_THAT(after("9999999"), Refused("never issued in this book"));
  EXPECT_THAT(run({"job", done_[0].substr(0, done_[0].find('-')) + "-00000001"}), Refused("another history"));
}

}  // namespace
}  // namespace daybook::test
