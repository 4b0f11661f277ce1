// SPDX-License-Identifier: Apache-2.0

// Jobs that wait for others, at the shell.
#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class FamiliesOfTool : public BookOfTool {
 protected:
  void complete_next(const std::string& result) const {
    const Json claimed = claim();
    ASSERT_FALSE(claimed.is_null());
    EXPECT_EQ(run({"complete", claimed["id"], "--token", claimed["token"], "--result", result}).exit_code, 0);
  }
  [[nodiscard]] Json shown(const std::string& id) const { return json({"job", id}).front(); }
};

TEST_F(FamiliesOfTool, AChildAwaitsItsParentsAndIsFreedWhenTheyAreCompleted) {
  const std::string first = schedule();
  const std::string second = schedule();
  const std::string child = schedule({"--after", first, "--after", second, "--when", "succeeded", "--else", "cancel"});
  Json job = shown(child);
  EXPECT_EQ(job["state"], "awaiting");
  EXPECT_THAT(job["parents"], ElementsAre(first, second));
  EXPECT_EQ(job["awaits"], second);
  EXPECT_EQ(job["when"], "succeeded");
  EXPECT_EQ(job["else"], "cancel");
  EXPECT_THAT(shown(first)["children"], ElementsAre(child));
  EXPECT_THAT(json({"jobs", "--where", "state = awaiting and parents = 2"}), testing::SizeIs(1));
  complete_next("one");
  complete_next("two");
  EXPECT_EQ(shown(child)["state"], "available");
  EXPECT_THAT(claim()["parents"], ElementsAre(first, second));
  const ToolRun text = run({"job", child});
  EXPECT_THAT(text.out, HasSubstr("after         " + first + " " + second + ", when succeeded, else cancel\n"));
  EXPECT_THAT(text.out, HasSubstr("ChildFreed"));
}

TEST_F(FamiliesOfTool, ADroppedChildSaysWhy) {
  const std::string parent = schedule();
  const std::string child = schedule({"--after", parent, "--when", "succeeded", "--else", "fail"});
  const std::string always = schedule({"--after", parent, "--when", "always"});
  EXPECT_EQ(run({"cancel", parent}).exit_code, 0);
  EXPECT_EQ(shown(child)["state"], "dead");
  EXPECT_EQ(shown(child)["dead_reason"], "parent_failed");
  EXPECT_EQ(shown(always)["state"], "available");
}

TEST_F(FamiliesOfTool, WhatCannotBeMeantIsRefusedByItsPlace) {
  const std::string parent = schedule();
  const auto told = [&](const Words& more) {
    Words all = {"schedule", "--queue", "mail", "--kind", "welcome"};
    all.insert(all.end(), more.begin(), more.end());
    const ToolRun done = run(all);
    EXPECT_NE(done.exit_code, 0);
    return done.err;
  };
  EXPECT_THAT(told({"--after", parent}), HasSubstr("says when it runs"));
  EXPECT_THAT(told({"--after", parent, "--when", "failed"}), HasSubstr("otherwise: fail or cancel"));
  EXPECT_THAT(told({"--when", "always"}), HasSubstr("without parents"));
  EXPECT_THAT(told({"--after", parent, "--when", "soon"}), HasSubstr("none of succeeded, failed, always"));
  EXPECT_THAT(told({"--after", parent, "--after", "999", "--when", "always"}),
              HasSubstr("parent 2 of 2: job 999: never issued in this book"));
}

TEST_F(FamiliesOfTool, AFamilyInAPausedQueueKeepsNoWorkerAndIsShown) {
  const std::string parent = schedule();
  schedule({"--after", parent, "--when", "always"});
  EXPECT_EQ(run({"pause", "mail"}).exit_code, 0);
  const ToolRun worked = run({"work", "--queue", "mail", "--until-empty", "--", "true"});
  EXPECT_EQ(worked.exit_code, 0) << worked.err;
  EXPECT_THAT(run({"state", "--at", std::to_string(one({"stat"})["head"].get<std::uint64_t>())}).out,
              HasSubstr("awaiting"));
}

TEST_F(FamiliesOfTool, WhatAwaitsItsParentsIsNotCountedAmongWhatWaits) {
  const std::string parent = schedule();
  EXPECT_THAT(run({"stat"}).out, Not(HasSubstr("awaiting"))) << "where nobody has a family, there is no column for it";
  schedule({"--after", parent, "--when", "always"});
  const Json mail = one({"stat"})["queues"][0];
  EXPECT_EQ(mail["waiting"], 1);
  EXPECT_EQ(mail["awaiting"], 1);
  EXPECT_THAT(run({"stat"}).out, ContainsRegex("mail +1 +1 +0"));
}

TEST_F(FamiliesOfTool, AQueueSchedulesAJobForEachThatDies) {
  schedule({"--in", "1h"});  // makes the book
  const Json set = one({"on-dead", "mail", "--kind", "tell", "--into", "support", "--reason", "we want to know"});
  EXPECT_EQ(set["on_dead"]["kind"], "tell");
  const std::string id = schedule();
  const Json claimed = claim();
  EXPECT_EQ(run({"fail", id, "--token", claimed["token"], "--error", "no", "--no-retry"}).exit_code, 0);
  const auto told = json({"jobs", "--queue", "support"});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front()["kind"], "tell");
  EXPECT_EQ(told.front()["payload"], "{\"job\":\"" + id + "\",\"dead_reason\":\"not_retryable\"}");
  EXPECT_THAT(told.front()["parents"], ElementsAre(id));
  EXPECT_EQ(one({"stat"})["queues"][0]["on_dead"], set["on_dead"]);
  EXPECT_THAT(run({"stat"}).out, HasSubstr("mail: a dead job schedules one of kind tell in support"));
  EXPECT_EQ(one({"on-dead", "mail", "--clear"})["on_dead"], nullptr);
  EXPECT_EQ(one({"stat"})["queues"][0]["on_dead"], nullptr);
  EXPECT_EQ(run({"on-dead", "mail"}).exit_code, 2);
  EXPECT_EQ(run({"on-dead", "mail", "--kind", "tell"}).exit_code, 2);
}

}  // namespace
}  // namespace daybook::test
