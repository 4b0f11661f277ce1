// SPDX-License-Identifier: Apache-2.0
// Stories of jobs: scheduled, claimed, ended, and worked on by hand.
#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::MatchesRegex;
using testing::SizeIs;

constexpr const char* kInstant = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z";

class JobsOfTool : public BookOfTool {};

// ---- schedule -----------------------------------------------------------------------------------------------------

TEST_F(JobsOfTool, SchedulingPrintsTheIdAloneAndSaysThatABookWasMade) {
  const ToolRun first = run({"schedule", "--queue", "mail", "--kind", "welcome"});
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_THAT(first.out, MatchesRegex("[0-9]+-[0-9a-f]{8}\n"));
  EXPECT_THAT(first.err, HasSubstr("made a new daybook"));
  const ToolRun second = run({"schedule", "--queue", "mail", "--kind", "welcome"});
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_THAT(second.err, IsEmpty());
}

TEST_F(JobsOfTool, AScheduledJobHasTheStableNames) {
  const Json job = one({"schedule", "--queue", "mail", "--kind", "welcome", "--payload", "ada", "--priority", "-5",
                        "--max-attempts", "3", "--unique-key", "k", "--tag", "team=a", "--tag", "x=1=2"});
  EXPECT_EQ(job["queue"], "mail");
  EXPECT_EQ(job["kind"], "welcome");
  EXPECT_EQ(job["state"], "available");
  EXPECT_EQ(job["attempt"], 0);
  EXPECT_EQ(job["existing"], false);
  EXPECT_EQ(job["payload"], "ada");
  EXPECT_EQ(job["priority"], -5);
  EXPECT_EQ(job["max_attempts"], 3);
  EXPECT_EQ(job["unique_key"], "k");
  EXPECT_EQ(job["tags"], (Json{{"team", "a"}, {"x", "1=2"}}));
  EXPECT_THAT(job["due_at"].get<std::string>(), MatchesRegex(kInstant));
}

TEST_F(JobsOfTool, ARefusedScheduleMakesNoBook) {
  EXPECT_EQ(run({"schedule", "--queue", "mail", "--kind", "k", "--in", "30000000d"}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(JobsOfTool, ABareNumberNamesAJobAndAnotherTagDoesNot) {
  const std::string id = schedule();
  const std::string number = id.substr(0, id.find('-'));
  EXPECT_EQ(job(number)["id"], id);
  EXPECT_EQ(run({"job", number + "-00000001"}).exit_code, 1);
}

TEST_F(JobsOfTool, AJobIsDueAtAnInstantOrAfterADuration) {
  const std::string at = schedule({"--at", "2100-01-31T10:00:00+01:00"});
  EXPECT_EQ(job(at)["due_at"], "2100-01-31T09:00:00.000000Z");
  EXPECT_EQ(job(at)["state"], "scheduled");
  EXPECT_EQ(job(schedule({"--in", "10m"}))["state"], "scheduled");
  EXPECT_TRUE(claim().is_null());
}

TEST_F(JobsOfTool, APayloadComesFromAFileOrFromStandardInputByteForByte) {
  const std::string bytes("\x00\xff\n\xc3", 4);
  EXPECT_EQ(one({"schedule", "--queue", "mail", "--kind", "k", "--payload-file", "-"}, bytes)["payload_base64"],
            "AP8Kww==");
  EXPECT_EQ(claim()["payload_base64"], "AP8Kww==");
  std::ofstream(file("payload")) << "text of a file";
  schedule({"--payload-file", file("payload")});
  EXPECT_EQ(claim()["payload"], "text of a file");
}

TEST_F(JobsOfTool, AUniqueKeyIsHeldOnceAndTheHolderIsNamed) {
  const std::string holder = schedule({"--unique-key", "welcome/42"});
  const ToolRun second = run({"schedule", "--queue", "mail", "--kind", "welcome", "--unique-key", "welcome/42"});
  EXPECT_THAT(second, Refused(holder));
  const Json existing = one({"schedule", "--queue", "mail", "--kind", "welcome", "--unique-key", "welcome/42",
                             "--on-conflict", "return-existing"});
  EXPECT_EQ(existing["id"], holder);
  EXPECT_EQ(existing["existing"], true);
  EXPECT_THAT(json({"jobs"}), SizeIs(1));
}

TEST_F(JobsOfTool, DeadlinesAreGivenAndShown) {
  const Json scheduled = one({"schedule", "--queue", "mail", "--kind", "k", "--start-deadline", "2100-01-31T09:00:00Z",
                              "--run-timeout", "30s", "--total-timeout", "1h30m"});
  EXPECT_EQ(scheduled["start_deadline"], "2100-01-31T09:00:00.000000Z");
  EXPECT_EQ(scheduled["run_timeout"], "30s");
  EXPECT_EQ(scheduled["total_timeout"], "1h30m");
  const std::string text = run({"job", scheduled["id"]}).out;
  EXPECT_THAT(text, AllOf(ContainsRegex("start by +2100-01-31"), ContainsRegex("run timeout +30s")));
  EXPECT_THAT(one({"schedule", "--queue", "mail", "--kind", "k", "--start-deadline", "10m"})["start_deadline"]
                  .get<std::string>(),
              MatchesRegex(kInstant));
  EXPECT_THAT(run({"schedule", "--queue", "mail", "--kind", "k", "--start-deadline", "soon"}),
              Refused("neither a duration like 10m or 1h30m nor an instant"));
}

TEST_F(JobsOfTool, AJobWhoseStartDeadlinePassedIsDeadAtTheNextLook) {
  const std::string id = schedule({"--start-deadline", "2020-01-31T09:00:00Z"});
  EXPECT_TRUE(claim().is_null());
  EXPECT_EQ(job(id)["state"], "dead");
  EXPECT_EQ(job(id)["dead_reason"], "expired");
  EXPECT_THAT(event_types(id), testing::Contains("JobExpired"));
}

// ---- claim --------------------------------------------------------------------------------------------------------

TEST_F(JobsOfTool, NothingDueIsNoFailureAndPrintsNothing) {
  schedule({"--in", "1h"});
  const ToolRun text = run({"claim", "--queue", "mail", "--worker", "ada"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, IsEmpty());
  EXPECT_EQ(text.err, "nothing is due\n");
  const ToolRun json = run({"claim", "--json", "--queue", "mail", "--worker", "ada"});
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_THAT(json.out + json.err, IsEmpty());
}

TEST_F(JobsOfTool, JobsAreClaimedByPriorityThenDueThenId) {
  const std::string late = schedule({"--priority", "5"});
  const std::string first = schedule();
  const std::string second = schedule();
  const std::string urgent = schedule({"--priority", "-1"});
  std::vector<std::string> order;
  for (const Json& job : json({"claim", "--queue", "mail", "--worker", "ada", "--count", "10"}))
    order.push_back(job["id"]);
  EXPECT_THAT(order, ElementsAre(urgent, first, second, late));
}

TEST_F(JobsOfTool, AClaimNamesSeveralQueuesAndTheKindsItCanRun) {
  schedule();
  one({"schedule", "--queue", "photo", "--kind", "thumb"});
  EXPECT_EQ(claim({"--queue", "photo", "--kind", "thumb", "--kind", "other"})["kind"], "thumb");
  EXPECT_TRUE(claim({"--queue", "photo", "--kind", "thumb"}).is_null());
  EXPECT_EQ(claim({"--queue", "photo"})["kind"], "welcome");
}

TEST_F(JobsOfTool, AClaimAddsTokenAndTheEndOfTheLease) {
  const std::string id = schedule();
  const Json claimed = claim({"--lease", "1h"});
  EXPECT_EQ(claimed["id"], id);
  EXPECT_EQ(claimed["state"], "running");
  EXPECT_EQ(claimed["attempt"], 1);
  EXPECT_THAT(claimed["token"].get<std::string>(), MatchesRegex("[0-9]+-[0-9a-f]{8}"));
  EXPECT_THAT(claimed["lease_expires_at"].get<std::string>(), MatchesRegex(kInstant));
  EXPECT_EQ(job(id)["worker"], "ada");
  EXPECT_EQ(job(id)["lease_expires_at"], claimed["lease_expires_at"]);
}

TEST_F(JobsOfTool, AClaimInTextIsOneLineWithIdTokenKindAttemptAndLease) {
  schedule();
  const ToolRun text = run({"claim", "--queue", "mail", "--worker", "ada"});
  EXPECT_THAT(text.out, ContainsRegex("^[0-9]+-[0-9a-f]{8}  [0-9]+-[0-9a-f]{8}  welcome  attempt 1  until 2"));
}

TEST_F(JobsOfTool, AClaimCanWaitForSomethingToFallDue) {
  schedule({"--in", "50ms"});
  EXPECT_FALSE(claim({"--for", "30s"}).is_null());
}

// ---- outcomes -----------------------------------------------------------------------------------------------------

class ClaimedJobOfTool : public BookOfTool {
 protected:
  void SetUp() override {
    id = schedule();
    token = claim()["token"];
  }
  /// The verb about the claimed job.
  Json says(const std::string& verb, const Words& more = {}) {
    Words all = {verb, id, "--token", token};
    all.insert(all.end(), more.begin(), more.end());
    return one(all);
  }
  std::string id;
  std::string token;
};

TEST_F(ClaimedJobOfTool, CompletingRecordsTheResult) {
  const Json done = says("complete", {"--result", "sent"});
  EXPECT_EQ(done["state"], "completed");
  EXPECT_EQ(done["result"], "sent");
  EXPECT_TRUE(done.contains("finalized_at"));
}

TEST_F(ClaimedJobOfTool, CompletingTwiceSaysThatItWasCompleted) {
  says("complete");
  EXPECT_THAT(run({"complete", id, "--token", token}), Refused("complete"));
}

TEST_F(ClaimedJobOfTool, AStaleTokenIsRefusedAndOnRecord) {
  says("release");
  const Json again = claim();
  EXPECT_THAT(run({"complete", id, "--token", token}), Refused(id));
  EXPECT_EQ(job(id)["state"], "running");
  EXPECT_THAT(event_types(id), testing::Contains("OutcomeRefused"));
  token = again["token"];
  EXPECT_EQ(says("complete")["state"], "completed");
}

TEST_F(ClaimedJobOfTool, FailingIsTriedAgainAfterItsBackoff) {
  const Json failed = says("fail", {"--error", "smtp 421", "--error-kind", "transient"});
  EXPECT_EQ(failed["state"], "retryable");
  EXPECT_EQ(failed["attempt"], 1);
  EXPECT_EQ(failed["error"], "smtp 421");
  EXPECT_EQ(failed["error_kind"], "transient");
}

TEST_F(ClaimedJobOfTool, AFailureMaySayExactlyWhenToTryAgain) {
  says("fail", {"--error", "x", "--retry-in", "0s"});
  EXPECT_EQ(claim()["attempt"], 2);
}

TEST_F(ClaimedJobOfTool, AFailureThatNoRetryHelpsIsDeadUntilRetriedByHand) {
  const Json dead = says("fail", {"--error", "no such address", "--no-retry"});
  EXPECT_EQ(dead["state"], "dead");
  EXPECT_EQ(dead["dead_reason"], "not_retryable");
  const Json again = one({"retry", id, "--reason", "address is fixed"});
  EXPECT_EQ(again["state"], "available");
  EXPECT_EQ(claim()["attempt"], 2);
}

TEST_F(ClaimedJobOfTool, SnoozingCostsNoAttempt) {
  const Json snoozed = says("snooze", {"--for", "10m"});
  EXPECT_EQ(snoozed["attempt"], 0);
  EXPECT_EQ(snoozed["state"], "scheduled");
}

TEST_F(ClaimedJobOfTool, SnoozingUntilAnInstantIsDueThen) {
  EXPECT_EQ(says("snooze", {"--until", "2100-01-01T00:00:00Z"})["due_at"], "2100-01-01T00:00:00.000000Z");
}

TEST_F(ClaimedJobOfTool, SnoozingNeedsATime) {
  EXPECT_THAT(run({"snooze", id, "--token", token}), WrongUsage("--for 10m"));
}

TEST_F(ClaimedJobOfTool, ReleasingHandsItBackAtOnce) {
  says("release");
  EXPECT_EQ(claim()["attempt"], 1);
}

TEST_F(ClaimedJobOfTool, RenewingKeepsACheckpointForTheNextAttempt) {
  const std::string before = job(id)["lease_expires_at"];
  const Json renewed = says("renew", {"--lease", "2h", "--progress", "page 7"});
  EXPECT_GT(renewed["lease_expires_at"].get<std::string>(), before);
  says("fail", {"--error", "x", "--retry-in", "0s"});
  EXPECT_EQ(claim()["progress"], "page 7");
}

TEST_F(ClaimedJobOfTool, CancellingARunningJobAsksItsWorkerToStop) {
  EXPECT_EQ(one({"cancel", id, "--reason", "customer left"})["state"], "running");
  EXPECT_EQ(says("renew")["cancel_requested"], true);
  EXPECT_EQ(says("release")["state"], "cancelled");
}

// ---- filters ------------------------------------------------------------------------------------------------------

TEST_F(JobsOfTool, AFilterChoosesAndTheShorthandsAddToIt) {
  const std::string plain = schedule();
  const std::string tagged = schedule({"--tag", "customer=acme", "--priority", "-5"});
  const std::string later = schedule({"--tag", "customer=acme", "--in", "1h"});
  const auto ids = [&](const Words& words) {
    std::vector<std::string> found;
    for (const Json& job : json(words)) found.push_back(job["id"]);
    return found;
  };
  EXPECT_THAT(ids({"jobs", "--where", "tag.customer = acme"}), ElementsAre(tagged, later));
  EXPECT_THAT(ids({"jobs", "--where", "tag.customer = acme", "--state", "available"}), ElementsAre(tagged));
  EXPECT_THAT(ids({"jobs", "--where", "priority < 0 or due_at > now+30m", "--queue", "mail"}),
              ElementsAre(tagged, later));
  EXPECT_THAT(ids({"jobs", "--where", "not tag.customer ~ ac*"}), ElementsAre(plain));
  EXPECT_THAT(ids({"jobs", "--queue", "and"}), IsEmpty());
}

TEST_F(JobsOfTool, AFilterThatIsNoneIsWrongUsageAndPointsAtTheColumn) {
  schedule();
  EXPECT_THAT(run({"jobs", "--where", "queue = mail and quue = sms"}),
              WrongUsage("--where: filter, column 18: there is no field \"quue\"; did you mean queue?\n"
                         "  queue = mail and quue = sms\n"
                         "                   ^\n"));
}

// ---- operators ----------------------------------------------------------------------------------------------------

TEST_F(JobsOfTool, AWaitingJobIsCancelledAndStaysCancelled) {
  const std::string id = schedule();
  EXPECT_EQ(one({"cancel", id})["state"], "cancelled");
  EXPECT_TRUE(claim().is_null());
  EXPECT_THAT(run({"retry", id}), Refused(id));
}

TEST_F(JobsOfTool, ReschedulingMovesAJobInTime) {
  const std::string id = schedule({"--in", "1h"});
  EXPECT_EQ(one({"reschedule", id, "--at", "2100-01-01T00:00:00Z"})["due_at"], "2100-01-01T00:00:00.000000Z");
  one({"reschedule", id, "--in", "0s"});
  EXPECT_EQ(claim()["id"], id);
  EXPECT_THAT(run({"reschedule", id}), WrongUsage("--in 10m"));
}

TEST_F(JobsOfTool, NothingIsClaimedFromAPausedQueue) {
  schedule();
  EXPECT_EQ(one({"pause", "mail"}), (Json{{"queue", "mail"}, {"paused", true}}));
  EXPECT_TRUE(claim().is_null());
  EXPECT_EQ(one({"resume", "mail"})["paused"], false);
  EXPECT_FALSE(claim().is_null());
}

TEST_F(JobsOfTool, TheRecordSaysWhoAndWhy) {
  schedule();
  run({"pause", "mail", "--actor", "grace", "--reason", "smtp is down"});
  run({"resume", "mail"});
  Json paused;
  Json resumed;
  for (const Json& event : json({"log"})) {
    if (event["type"] == "QueuePaused") paused = event;
    if (event["type"] == "QueueResumed") resumed = event;
  }
  EXPECT_EQ(paused["actor"], "grace");
  EXPECT_EQ(paused["actor_origin"], "declared");
  EXPECT_EQ(paused["reason"], "smtp is down");
  EXPECT_THAT(resumed["actor"].get<std::string>(), HasSubstr("(" + std::to_string(::geteuid()) + ")"));
  EXPECT_EQ(resumed["actor_origin"], "peer_credential");
}

TEST_F(JobsOfTool, OnlyACopyIsAdopted) {
  schedule();
  EXPECT_EQ(run({"adopt", "--reason", "why not"}).exit_code, 1);
  EXPECT_THAT(run({"adopt"}), WrongUsage("--reason"));
}

}  // namespace
}  // namespace daybook::test
