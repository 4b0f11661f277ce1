// SPDX-License-Identifier: Apache-2.0
// What a command line says twice, says emptily or cannot mean: it is refused by name, and nothing is done. And what is true where
// nothing was done.
#include <filesystem>

#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class NonsenseToTool : public BookOfTool {
 protected:
  [[nodiscard]] ToolRun scheduling(const Words& more) const {
    Words all = {"schedule", "--queue", "mail", "--kind", "welcome"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  [[nodiscard]] ToolRun adding(const Words& more) const {
    Words all = {tool(),    "recurring", "add",     "--dir", directory(), "nightly",
                 "--every", "12h",       "--queue", "q",     "--kind",    "k"};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  }
  void expect_no_book() const { EXPECT_FALSE(std::filesystem::exists(directory())); }
};

// ---- what cannot be meant -----------------------------------------------------------------------------------------

TEST_F(NonsenseToTool, ATimeoutOfNothingIsRefused) {
  EXPECT_THAT(run({"work", "--queue", "mail", "--timeout", "0s", "--", "true"}),
              WrongUsage("--timeout 0s would end each attempt at once"));
}

TEST_F(NonsenseToTool, AStartDeadlineOfNothingIsRefused) {
  EXPECT_THAT(scheduling({"--start-deadline", "0s"}), Refused("start deadline 0s"));
  EXPECT_THAT(adding({"--start-deadline", "0s"}), Refused("start deadline 0s"));
  expect_no_book();
}

TEST_F(NonsenseToTool, OptionsThatMeanNothingWithoutAnotherAreRefused) {
  EXPECT_THAT(adding({"--missed-cap", "3"}), WrongUsage("--missed-cap goes with --missed all"));
  EXPECT_THAT(adding({"--missed", "skip", "--missed-window", "7d"}), WrongUsage("--missed-window goes with"));
  EXPECT_THAT(run({"work", "--queue", "mail", "--metrics-every", "5s", "--", "true"}),
              WrongUsage("--metrics-every goes with --metrics-file"));
  expect_no_book();
}

TEST_F(NonsenseToTool, NoneAtAllIsNoNumberOfThingsToShowOrChange) {
  schedule();
  EXPECT_THAT(run_program({tool(), "cron", "@daily", "--count", "0"}), WrongUsage("--count 0"));
  EXPECT_THAT(run({"jobs", "--limit", "0"}), WrongUsage("--limit 0"));
  EXPECT_THAT(run({"cancel", "--where", "queue = mail", "--limit", "0"}), WrongUsage("--limit 0"));
}

TEST_F(NonsenseToTool, ANumberThatIsNoneIsAnsweredWithWhatWouldBe) {
  EXPECT_THAT(run({"jobs", "--limit", "-1"}),
              WrongUsage("--limit: \"-1\" is not a whole number of 0 or more, such as"));
  EXPECT_THAT(scheduling({"--priority", "high"}), WrongUsage("\"high\" is not a whole number, such as -5"));
}

// ---- what is said emptily, or twice -------------------------------------------------------------------------------

TEST_F(NonsenseToTool, EmptyTextIsRefusedWhereverTextIsAsked) {
  for (const char* option : {"--unique-key", "--group", "--actor", "--queue"}) {
    EXPECT_THAT(scheduling({option, ""}), WrongUsage(std::string(option))) << option;
  }
  EXPECT_THAT(scheduling({"--group", ""}), WrongUsage("--group: empty; leave it out where it may be"));
  EXPECT_THAT(run({"hold", "--where", "queue = mail", "--reason", ""}), WrongUsage("--reason: empty"));
  EXPECT_THAT(run({"pause", ""}), WrongUsage("QUEUE: empty"));
  EXPECT_THAT(run({"pause", "mail", "--reason", ""}), WrongUsage("--reason: empty"));
  expect_no_book();
}

TEST_F(NonsenseToTool, ContentsMayBeEmpty) {
  const std::string id = schedule({"--payload", ""});
  const std::string token = claim()["token"];
  EXPECT_EQ(one({"complete", id, "--token", token, "--result", ""})["state"], "completed");
}

TEST_F(NonsenseToTool, AnOptionGivenTwiceIsNamed) {
  EXPECT_THAT(run({"jobs", "--dir", "elsewhere"}), WrongUsage("--dir is given 2 times; once is enough"));
  EXPECT_THAT(scheduling({"--group", "a", "--group", "b"}), WrongUsage("--group is given 2 times"));
  EXPECT_THAT(scheduling({"--actor", "a", "--actor", "b"}), WrongUsage("--actor is given 2 times"));
}

TEST_F(NonsenseToTool, AnOptionWithoutItsValueIsNamed) {
  EXPECT_THAT(scheduling({"--group"}), WrongUsage("--group: its value is missing"));
  EXPECT_THAT(run({"jobs", "--limit"}), WrongUsage("--limit: its value is missing"));
}

TEST_F(NonsenseToTool, ARepeatedOptionTakesOneWordEachTime) {
  EXPECT_EQ(run_program({tool(), "recurring", "add", "--dir", directory(), "--queue", "q", "--kind", "k", "--at",
                         "2100-01-31T09:00:00Z", "launches"})
                .exit_code,
            0);
}

TEST_F(NonsenseToTool, AVerbThatIsNoneIsToldInOneSentence) {
  EXPECT_THAT(run({"frobnicate"}), WrongUsage("there is no verb \"frobnicate\"; daybook --help lists them"));
}

TEST_F(NonsenseToTool, AClosedStandardInputIsNoEmptyPayload) {
  const auto closed = [&](const std::string& rest) {
    return run_program({"/bin/sh", "-c", "exec " + tool() + " " + rest + " --dir " + directory() + " <&-"});
  };
  EXPECT_THAT(closed("schedule --queue mail --kind k --payload-file -"), WrongUsage("Bad file descriptor"));
  EXPECT_THAT(closed("import-crontab - --owner ada"), WrongUsage("Bad file descriptor"));
  EXPECT_THAT(scheduling({"--payload-file", folder_.path().string()}), WrongUsage("Is a directory"));
  expect_no_book();
}

// ---- what is true where nothing was done ---------------------------------------------------------------------------

TEST_F(NonsenseToTool, AClaimSaysWhatKeepsDueJobsFromIt) {
  const auto claiming = [&](const Words& more) {
    Words all = {"claim", "--queue", "mail", "--worker", "ada", "--count", "10"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  };
  for (int i = 0; i < 9; ++i) schedule();
  run({"limits", "mail", "--max-running", "4"});
  EXPECT_THAT(claiming({}).err, IsEmpty());
  const ToolRun held = claiming({});
  EXPECT_EQ(held.exit_code, 0);
  EXPECT_THAT(held.out, IsEmpty());
  EXPECT_EQ(held.err, "nothing may be claimed now: 5 due in mail, held back by its limits (daybook stat)\n");
  EXPECT_EQ(claiming({"--kind", "other"}).err, "nothing is due\n");
  run({"pause", "mail"});
  EXPECT_EQ(claiming({}).err, "nothing may be claimed now: 5 due in mail, which is paused\n");
}

TEST_F(NonsenseToTool, PausingAQueueThatNobodyEverUsedIsDoneAndSaid) {
  schedule();
  EXPECT_THAT(run({"pause", "mail"}).err, IsEmpty());
  const ToolRun typo = run({"pause", "mial"});
  EXPECT_EQ(typo.exit_code, 0);
  EXPECT_EQ(typo.out, "mial is paused\n");
  EXPECT_EQ(typo.err, "no job was ever scheduled in mial\n");
  EXPECT_THAT(run({"resume", "mali"}), Refused("nobody has named it yet"));
}

TEST_F(NonsenseToTool, TheLogOfAJobThatNeverWasIsRefusedAndThatOfOneOutsideTheRangeIsEmpty) {
  const std::string id = schedule();
  EXPECT_THAT(run({"log", "--job", "9999-00000001"}), Refused("there is no such job in this book, and never was"));
  // Sequences that are no job's:
  EXPECT_THAT(run({"log", "--job", "1-00000001"}), Refused("no such job"));
  const ToolRun before = run({"log", "--job", id, "--until", "1"});
  EXPECT_EQ(before.exit_code, 0) << before.err;
  EXPECT_THAT(before.out, IsEmpty());
  EXPECT_THAT(json({"log", "--job", id, "--from", "1"}), SizeIs(1));
}

TEST_F(NonsenseToTool, HelpNamesTheExitCodesOfItsVerb) {
  EXPECT_THAT(run_program({tool(), "wait", "--help"}).out, HasSubstr("3 damage · 4 ended, and not completed · 5 not"));
  EXPECT_THAT(run_program({tool(), "jobs", "--help"}).out, AllOf(HasSubstr("3 damage\n"), Not(HasSubstr(" · 4 "))));
}

}  // namespace
}  // namespace daybook::test
