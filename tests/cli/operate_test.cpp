// SPDX-License-Identifier: Apache-2.0
// Stories of operators: many jobs by a filter, and what is kept from being pruned.
#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class OperatorsTool : public BookOfTool {
 protected:
  void SetUp() override {
    for (int i = 0; i < 7; ++i) mails.push_back(schedule({"--tag", "customer=acme"}));
    other = schedule();
  }
  [[nodiscard]] std::size_t matching(const std::string& where) const { return json({"jobs", "--where", where}).size(); }
  std::vector<std::string> mails;
  std::string other;
};

TEST_F(OperatorsTool, ADryRunShowsHowManyAndTheFirstAndTheCommandAndChangesNothing) {
  const ToolRun dry = run({"cancel", "--where", "tag.customer='acme'", "--dry-run", "--reason", "it's over"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out, AllOf(HasSubstr("7 jobs match\n"), HasSubstr(mails[0]), HasSubstr(mails[4]),
                             HasSubstr("… and 2 more\n")));
  EXPECT_THAT(dry.out, testing::Not(HasSubstr(mails[5])));
  EXPECT_THAT(dry.out, testing::EndsWith("daybook cancel --dir " + directory() +
                                         " --where 'tag.customer = acme' --reason 'it'\\''s over'\n"));
  EXPECT_EQ(matching("state = available"), 8U);
  const Json object = one({"cancel", "--where", "tag.customer = acme", "--dry-run"});
  EXPECT_EQ(object["matched"], 7);
  EXPECT_EQ(object["dry_run"], true);
  EXPECT_THAT(object["first"], SizeIs(5));
}

TEST_F(OperatorsTool, AFilterChangesAllThatItMatchesAndTheRecordSaysSo) {
  const Json report =
      one({"cancel", "--where", "tag.customer = acme", "--reason", "customer left", "--actor", "grace"});
  EXPECT_EQ(report["matched"], 7);
  EXPECT_EQ(report["changed"], 7);
  EXPECT_EQ(report["refused"], 0);
  EXPECT_EQ(matching("state = cancelled"), 7U);
  EXPECT_EQ(job(other)["state"], "available");
  std::size_t children = 0;
  for (const Json& event : json({"log"})) {
    if (event["type"] == "OperatorCommanded") {
      EXPECT_EQ(event["seq"], report["command"]);
      EXPECT_EQ(event["actor"], "grace");
      EXPECT_EQ(event["reason"], "customer left");
      EXPECT_EQ(event["data"]["where"], "tag.customer = acme");
      EXPECT_EQ(event["data"]["matched"], 7);
    }
    if (event["type"] == "JobCancelled") {
      EXPECT_EQ(event["cause"], report["command"]);
      ++children;
    }
  }
  EXPECT_EQ(children, 7U);
}

TEST_F(OperatorsTool, ARateAndALimitHold) {
  const auto begun = std::chrono::steady_clock::now();
  const ToolRun moved =
      run({"move", "--where", "queue = mail", "--to", "bulk", "--limit", "3", "--rate", "10/s", "--reason", "r"});
  EXPECT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_THAT(moved.out, HasSubstr("3 jobs match, 3 changed by #"));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(200));
  EXPECT_EQ(matching("queue = bulk"), 3U);
}

TEST_F(OperatorsTool, OneJobIsMovedByItsId) {
  EXPECT_EQ(one({"move", other, "--to", "bulk"})["queue"], "bulk");
  EXPECT_THAT(run({"move", other}), WrongUsage("--to"));
}

TEST_F(OperatorsTool, DeadJobsAreRetriedAndWaitingOnesRescheduled) {
  const Json claimed = claim();
  run({"fail", claimed["id"], "--token", claimed["token"], "--error", "smtp 421", "--no-retry"});
  EXPECT_EQ(one({"retry", "--where", "state = dead and error ~ \"smtp 421\"", "--in", "1h"})["changed"], 1);
  EXPECT_EQ(matching("state = retryable"), 1U);
  EXPECT_EQ(one({"reschedule", "--where", "state = available", "--at", "2100-01-01T00:00:00Z"})["changed"], 7);
  EXPECT_EQ(matching("due_at = 2100-01-01"), 7U);
  EXPECT_THAT(run({"retry", "--where", "state = dead"}).err, HasSubstr("no such jobs"));
}

TEST_F(OperatorsTool, WhatIsRefusedIsToldByReason) {
  const Json claimed = claim();
  const ToolRun refused = run({"reschedule", "--where", "queue = mail", "--in", "1h"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.out, HasSubstr("8 jobs match, 7 changed by #"));
  EXPECT_THAT(refused.out, HasSubstr(", 1 refused"));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("is_running: 1 job"), HasSubstr(claimed["id"].get<std::string>())));
}

TEST_F(OperatorsTool, WhatWasSoAlreadyIsNotCountedAsChanged) {
  EXPECT_EQ(one({"cancel", "--where", "tag.customer = acme"})["unchanged"], 0);
  const ToolRun again = run({"cancel", "--where", "tag.customer = acme"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, testing::MatchesRegex("7 jobs match, 0 changed by #[0-9]+, 7 were so already\n"));
  const Json report = one({"move", "--where", "id = " + other, "--to", "mail"});
  EXPECT_EQ(report["matched"], 1);
  EXPECT_EQ(report["changed"], 0);
  EXPECT_EQ(report["unchanged"], 1);
  EXPECT_EQ(report["refused"], 0);
}

TEST_F(OperatorsTool, WhatCannotBeMeantIsWrongUsage) {
  EXPECT_THAT(run({"cancel"}), WrongUsage("--where FILTER"));
  EXPECT_THAT(run({"cancel", other, "--where", "all"}), WrongUsage("not both"));
  EXPECT_THAT(run({"cancel", other, "--dry-run"}), WrongUsage("go with --where"));
  EXPECT_THAT(run({"cancel", "--where", "quue = mail"}), WrongUsage("did you mean queue?"));
  EXPECT_THAT(run({"cancel", "--where", "all", "--rate", "fast"}), WrongUsage("10/s"));
  EXPECT_THAT(run({"reschedule", "--where", "all"}), WrongUsage("--in 10m"));
}

TEST_F(OperatorsTool, AHoldIsPlacedListedAndLifted) {
  const std::string id = std::to_string(
      one({"hold", "--where", "tag.customer = acme", "--reason", "case 8812", "--actor", "ada"})["hold"].get<int>());
  const Json hold = one({"holds"});
  EXPECT_EQ(hold["where"], "tag.customer = acme");
  EXPECT_EQ(hold["reason"], "case 8812");
  EXPECT_EQ(hold["actor"], "ada");
  EXPECT_EQ(hold["jobs"], 7);
  EXPECT_THAT(run({"holds"}).out, HasSubstr("tag.customer = acme  case 8812"));
  EXPECT_EQ(one({"unhold", id, "--reason", "closed"})["lifted"], true);
  EXPECT_THAT(json({"holds"}), IsEmpty());
  EXPECT_THAT(run({"unhold", id}), Refused("no such hold"));
  EXPECT_THAT(run({"hold", "--where", "all"}), WrongUsage("--reason"));
}

}  // namespace
}  // namespace daybook::test
