// SPDX-License-Identifier: Apache-2.0
// Stories of `work`: what a command gets, what becomes of its end, and who may be running after a kill.
#include "work_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST_F(WorkOfTool, ACommandGetsThePayloadAndItsOutputIsTheResult) {
  const std::string id = schedule({"--payload", "ada@example.org"});
  const ToolRun done = work({}, "tr a-z A-Z");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, IsEmpty());
  EXPECT_THAT(done.err, AllOf(HasSubstr(id), HasSubstr("completed"), HasSubstr("1 attempt: 1 completed")));
  EXPECT_EQ(job(id)["result"], "ADA@EXAMPLE.ORG");
}

TEST_F(WorkOfTool, TheEnvironmentNamesTheJob) {
  const std::string id = schedule();
  work({}, "echo $DAYBOOK_ID $DAYBOOK_KIND $DAYBOOK_QUEUE $DAYBOOK_ATTEMPT $DAYBOOK_TOKEN $DAYBOOK_DIR");
  const auto lines = json({"job", id});
  EXPECT_EQ(lines[0]["result"],
            id + " welcome mail 1 " + lines[2]["data"]["token"].get<std::string>() + " " + directory() + "\n");
}

TEST_F(WorkOfTool, TheCommandGoesOnWithTheTraceOfTheScheduling) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const std::string traced = schedule({"--trace", trace});
  const std::string plain = schedule();
  work({}, "echo \"<$TRACEPARENT>\"");
  EXPECT_EQ(job(traced)["trace"], trace);
  EXPECT_EQ(job(traced)["result"], "<" + trace + ">\n");
  EXPECT_EQ(job(plain)["result"], "<>\n");
}

TEST_F(WorkOfTool, ATraceThatIsNoneIsRefusedWithAnExample) {
  const ToolRun refused = run({"schedule", "--queue", "mail", "--kind", "send", "--trace", "4bf92f35"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("--trace"), HasSubstr("00-4bf92f3577b34da6a3ce929d0e0e4736")));
}

TEST_F(WorkOfTool, ACheckpointTooLargeForAnEnvironmentIsLeftOut) {
  const auto hand_back_with = [&](const std::string& checkpoint) {
    const Json held = claim();
    const std::string id = held["id"];
    const std::string token = held["token"];
    one({"renew", id, "--token", token, "--progress", checkpoint});
    one({"release", id, "--token", token});
  };
  const std::string small = schedule();
  hand_back_with("page 7");
  work({}, "printf %s \"${DAYBOOK_PROGRESS-none}\"");
  EXPECT_EQ(job(small)["result"], "page 7");
  const std::string large = schedule();
  hand_back_with(std::string(65 * 1024, 'p'));
  work({}, "printf %s \"${DAYBOOK_PROGRESS-none}\"");
  EXPECT_EQ(job(large)["result"], "none");
}

TEST_F(WorkOfTool, ACommandInheritsNothingBesidesItsThreeStreams) {
  const int null = ::open("/dev/null", O_RDONLY);
  const int stray = ::fcntl(null, F_DUPFD, 50);  // neither is close-on-exec: the tool gets both
  ASSERT_GE(stray, 50);
  const std::string id = schedule();
  // 3 is the shell's own, which it opened to look.
  work({}, "for d in /proc/$$/fd/*; do echo ${d##*/}; done");
  ::close(stray);
  ::close(null);
  EXPECT_EQ(job(id)["result"], "0\n1\n2\n3\n");
}

TEST_F(WorkOfTool, ACommandHasTheDefaultsForSignalsThatTheToolIgnores) {
  const std::string id = schedule();
  work({"--worker", "ada"}, "test $DAYBOOK_ATTEMPT = 2 || kill -PIPE $$; grep SigBlk: /proc/self/status");
  EXPECT_EQ(job(id)["attempt"], 2);
  EXPECT_THAT(job(id)["result"].get<std::string>(), ContainsRegex("SigBlk:.0000000000000000"));
}

TEST_F(WorkOfTool, AFailedCommandFailsTheAttemptWithItsStandardError) {
  const std::string id = schedule({"--max-attempts", "1"});
  const ToolRun done = work({}, "echo smtp 421 >&2; exit 3");
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.err, AllOf(HasSubstr("failed, exit status 3"), HasSubstr("dead: "), HasSubstr("smtp 421")));
  EXPECT_EQ(job(id)["state"], "dead");
  EXPECT_EQ(job(id)["error"], "smtp 421\n");
  EXPECT_EQ(job(id)["error_kind"], "exit");
}

TEST_F(WorkOfTool, ACommandThatFailsTwiceIsRunThreeTimes) {
  const std::string id = schedule({"--first", "10ms"});
  const ToolRun done = work({}, "test $DAYBOOK_ATTEMPT = 3");
  EXPECT_THAT(done.err, HasSubstr("3 attempts: 1 completed, 2 failed"));
  EXPECT_EQ(job(id)["state"], "completed");
  EXPECT_EQ(job(id)["attempt"], 3);
}

TEST_F(WorkOfTool, ACommandKilledBySomebodyIsACrash) {
  const std::string id = schedule({"--max-attempts", "1"});
  work({}, "kill -9 $$");
  EXPECT_EQ(job(id)["error_kind"], "crash");
  EXPECT_THAT(job(id)["error"].get<std::string>(), HasSubstr("signal 9"));
}

TEST_F(WorkOfTool, OnlyTheEndOfALongOutputIsKept) {
  const std::string id = schedule();
  work({}, "head -c 300000 /dev/zero | tr '\\0' x; echo the end");
  const std::string result = job(id)["result"];
  EXPECT_THAT(result, SizeIs(64 * 1024));
  EXPECT_THAT(result, EndsWith("xthe end\n"));
}

TEST_F(WorkOfTool, ALargePayloadReachesACommandThatWritesWhileItReads) {
  const std::string payload(200 * 1024, 'p');
  const std::string id = one({"schedule", "--queue", "mail", "--kind", "k", "--payload-file", "-"}, payload)["id"];
  work({}, "tee /dev/stderr | wc -c");
  EXPECT_EQ(job(id)["result"], "204800\n");
}

TEST_F(WorkOfTool, ACommandThatReadsNothingIsNoFailure) {
  const std::string payload(200 * 1024, 'p');
  const std::string id = one({"schedule", "--queue", "mail", "--kind", "k", "--payload-file", "-"}, payload)["id"];
  work({}, "exit 0");
  EXPECT_EQ(job(id)["state"], "completed");
}

TEST_F(WorkOfTool, SeveralRunAtATime) {
  make_fifo("a");
  make_fifo("b");
  schedule({"--payload", "1"});
  schedule({"--payload", "2"});
  // Each opens one end of two fifos in the same order: only together do they get through.
  const ToolRun done = work({"--concurrency", "2", "--timeout", "20s"},
                            "read n; cd " + folder_.path().string() +
                                "; if [ $n = 1 ]; then echo x > a; read y < b; else read y < a; echo x > b; fi");
  EXPECT_THAT(done.err, HasSubstr("2 attempts: 2 completed"));
}

TEST_F(WorkOfTool, OnlyTheKindsAskedForAreRun) {
  schedule();
  const std::string thumb = one({"schedule", "--queue", "mail", "--kind", "thumb"})["id"];
  const ToolRun done = work({"--kind", "thumb"}, "true");
  EXPECT_THAT(done.err, AllOf(HasSubstr(thumb), HasSubstr("1 attempt: 1 completed")));
}

TEST_F(WorkOfTool, ATimeoutEndsTheWholeProcessGroup) {
  const std::string id = schedule({"--max-attempts", "1"});
  work({"--timeout", "200ms", "--grace", "100ms"}, stubborn());
  EXPECT_EQ(job(id)["state"], "dead");
  EXPECT_EQ(job(id)["error_kind"], "timeout");
  expect_nothing_of_it_is_left();
}

TEST_F(WorkOfTool, JsonIsOneObjectForEachAttempt) {
  schedule({"--first", "1ms"});
  Words verb = working({}, "test $DAYBOOK_ATTEMPT = 2");
  const auto lines = json(verb);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]["outcome"], "failed");
  EXPECT_EQ(lines[0]["exit_status"], 1);
  EXPECT_EQ(lines[0]["attempt_made"], 1);
  EXPECT_EQ(lines[1]["outcome"], "completed");
  EXPECT_EQ(lines[1]["state"], "completed");
}

TEST_F(WorkOfTool, WorkersJoinAndLeaveOnTheRecord) {
  schedule();
  work({"--worker", "ada", "--concurrency", "3"}, "true");
  Json joined;
  bool left = false;
  for (const Json& event : json({"log"})) {
    if (event["type"] == "WorkerJoined") joined = event["data"];
    left = left || event["type"] == "WorkerLeft";
  }
  EXPECT_EQ(joined["worker"], "ada");
  EXPECT_EQ(joined["slots"], 3);
  EXPECT_TRUE(left);
}

TEST_F(WorkOfTool, WhatAPausedQueueHoldsIsLeftAndSaid) {
  schedule();
  run({"pause", "mail"});
  const ToolRun done = work({}, "true");
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.err, HasSubstr("1 job left in a paused queue"));
}

TEST_F(WorkOfTool, ACommandThatIsNotThereClaimsNothing) {
  schedule();
  EXPECT_THAT(run({"work", "--queue", "mail", "--", "no-such-command-anywhere"}),
              WrongUsage("no-such-command-anywhere"));
  EXPECT_THAT(run({"work", "--queue", "mail"}), WrongUsage("--"));
  EXPECT_EQ(json({"jobs"}).at(0)["state"], "available");
}

// ---- stopping -----------------------------------------------------------------------------------------------------

TEST_F(WorkOfTool, AskedToStopItWaitsForWhatRunsAndClaimsNoMore) {
  make_fifo("started");
  make_fifo("go");
  const std::string first = schedule();
  const std::string second = schedule();
  RunningTool worker(words(
      {"work", "--queue", "mail", "--", "sh", "-c", "echo x > " + file("started") + "; read line < " + file("go")}));
  EXPECT_EQ(line_from("started"), "x");
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.says("stopping"));
  std::ofstream(file("go")) << "go\n";
  const ToolRun done = worker.wait();
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(job(first)["state"], "completed");
  EXPECT_EQ(job(second)["state"], "available");
}

TEST_F(WorkOfTool, WhenPatienceIsOverTheJobIsHandedBack) {
  make_fifo("started");
  const std::string id = schedule();
  RunningTool worker(words({"work", "--queue", "mail", "--patience", "0s", "--", "sh", "-c",
                            "echo x > " + file("started") + "; exec sleep 1000"}));
  EXPECT_EQ(line_from("started"), "x");
  worker.signal(SIGINT);
  const ToolRun done = worker.wait();
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(job(id)["state"], "available");
  EXPECT_EQ(job(id)["attempt"], 0);
}

TEST_F(WorkOfTool, ASecondSignalEndsAtOnceAndHandsTheJobBack) {
  make_fifo("started");
  const std::string id = schedule();
  RunningTool worker(words({"work", "--queue", "mail", "--", "sh", "-c",
                            "trap '' TERM INT; echo $$ > " + file("started") + "; sleep 1000; sleep 1000"}));
  const pid_t child = std::stoi(line_from("started"));
  worker.signal(SIGTERM);
  ASSERT_TRUE(worker.says("stopping"));
  worker.signal(SIGTERM);
  EXPECT_EQ(worker.wait().exit_code, 1);
  EXPECT_FALSE(alive(child));
  EXPECT_EQ(job(id)["state"], "available");
}

// ---- leases -------------------------------------------------------------------------------------------------------

TEST_F(WorkOfTool, AJobLongerThanItsLeaseKeepsIt) {
  const std::string id = schedule();
  work({"--lease", "1s"}, "sleep 1.5");
  EXPECT_EQ(job(id)["state"], "completed");
  EXPECT_EQ(job(id)["attempt"], 1);
  EXPECT_THAT(event_types(id), AllOf(testing::Contains("LeasesRenewed"), Not(testing::Contains("LeaseExpired"))));
}

TEST_F(WorkOfTool, ALostLeaseEndsTheCommandAndItsOutcomeDoesNotCount) {
  const std::string id = schedule();
  // The first attempt stops the tool, as a machine that sleeps would, until the lease is over; the second is quick.
  const ToolRun done =
      work({"--lease", "1s", "--grace", "100ms"},
           "if [ $DAYBOOK_ATTEMPT = 1 ]; then kill -STOP $PPID; sleep 1.2; kill -CONT $PPID; exec sleep 1000; fi");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("lease lost"));
  EXPECT_EQ(job(id)["state"], "completed");
  EXPECT_EQ(job(id)["attempt"], 2);
  EXPECT_THAT(event_types(id), testing::Contains("LeaseExpired"));
}

TEST_F(WorkOfTool, TheToolIsKilledItsChildLivesAndNobodyElseStartsBeforeTheLeaseEnds) {
  make_fifo("started");
  const std::string id = schedule();
  RunningTool worker(words({"work", "--queue", "mail", "--lease", "3s", "--", "sh", "-c",
                            "echo $$ > " + file("started") + "; exec sleep 1000"}));
  const pid_t child = std::stoi(line_from("started"));
  worker.signal(SIGKILL);
  EXPECT_EQ(worker.wait_for_process().signal, SIGKILL);
  EXPECT_TRUE(alive(child));

  EXPECT_TRUE(claim().is_null());
  EXPECT_EQ(job(id)["state"], "running");
  const std::string lease_end = job(id)["lease_expires_at"];
  const Json second = claim({"--for", "30s"});
  ASSERT_FALSE(second.is_null());
  EXPECT_EQ(second["attempt"], 2);
  std::string claimed_at;
  for (const Json& event : json({"log", "--job", id})) {
    if (event["type"] == "JobClaimed") claimed_at = event["at"];
  }
  EXPECT_GE(claimed_at, lease_end);
  ::kill(-child, SIGKILL);
}

}  // namespace
}  // namespace daybook::test
