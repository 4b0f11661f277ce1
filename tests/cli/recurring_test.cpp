// SPDX-License-Identifier: Apache-2.0
// Stories of what recurs: declared, looked at, and changed by operators.
#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

class RecurringOfTool : public BookOfTool {
 protected:
  /// "recurring VERB …", where run() and json() put what they add behind the first word.
  static Words recurring(const std::string& verb, const Words& more = {}) {
    Words all = {"recurring", verb};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  static Words add(const std::string& name, const Words& more) {
    Words all = {"recurring", "add", name, "--queue", "reports", "--kind", "nightly"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Json nightly() const { return one(add("nightly", {"--cron", "0 3 * * *", "--zone", "Europe/Prague"})); }
  Json show(const std::string& name) const { return one(recurring("show", {name})); }
};

// ---- add ----------------------------------------------------------------------------------------------------------

TEST_F(RecurringOfTool, AddingSaysWhenItIsNextAndWhoRunsIt) {
  const ToolRun added = run(add("nightly", {"--cron", "0 3 * * *"}));
  EXPECT_EQ(added.exit_code, 0) << added.err;
  EXPECT_THAT(added.out, MatchesRegex("nightly  added  next 20[0-9]{2}-[0-9]{2}-[0-9]{2}T03:00:00Z\n"));
  EXPECT_THAT(added.err, AllOf(HasSubstr("made a new daybook"), HasSubstr("daybook work --queue reports -- CMD")));
  EXPECT_THAT(run(add("nightly", {"--cron", "0 3 * * *"})).out, HasSubstr("nightly  as it was  next "));
  EXPECT_THAT(run(add("nightly", {"--cron", "0 4 * * *"})).out, HasSubstr("nightly  changed  next "));
}

TEST_F(RecurringOfTool, WhatIsDeclaredIsShownUnderStableNames) {
  const Json added = one(add("nightly", {"--cron",
                                         "0 3 * * MON-FRI",
                                         "--zone",
                                         "Europe/Prague",
                                         "--dst-gap",
                                         "skip",
                                         "--dst-repeat",
                                         "last",
                                         "--start",
                                         "2030-01-01T00:00:00Z",
                                         "--until",
                                         "2031-01-01T00:00:00Z",
                                         "--jitter",
                                         "10m",
                                         "--missed",
                                         "all",
                                         "--missed-window",
                                         "7d",
                                         "--missed-cap",
                                         "3",
                                         "--overlap",
                                         "buffer_one",
                                         "--owner",
                                         "ada",
                                         "--payload",
                                         "all",
                                         "--max-attempts",
                                         "3",
                                         "--priority",
                                         "5",
                                         "--group",
                                         "acme",
                                         "--run-timeout",
                                         "1h",
                                         "--start-deadline",
                                         "2h",
                                         "--tag",
                                         "team=a"}));
  EXPECT_EQ(added["added"], true);
  EXPECT_EQ(added["changed"], false);
  const Json found = show("nightly");
  EXPECT_EQ(found["name"], "nightly");
  EXPECT_EQ(found["owner"], "ada");
  EXPECT_EQ(found["recurs"], "cron");
  EXPECT_EQ(found["cron"], "0 3 * * 1-5");
  EXPECT_EQ(found["zone"], "Europe/Prague");
  EXPECT_EQ(found["dst_gap"], "skip");
  EXPECT_EQ(found["dst_repeat"], "last");
  EXPECT_EQ(found["start"], "2030-01-01T00:00:00.000000Z");
  EXPECT_EQ(found["until"], "2031-01-01T00:00:00.000000Z");
  EXPECT_EQ(found["jitter"], "10m");
  EXPECT_EQ(found["missed"], "all");
  EXPECT_EQ(found["missed_window"], "7d");
  EXPECT_EQ(found["missed_cap"], 3);
  EXPECT_EQ(found["overlap"], "buffer_one");
  EXPECT_EQ(found["queue"], "reports");
  EXPECT_EQ(found["kind"], "nightly");
  EXPECT_EQ(found["payload"], "all");
  EXPECT_EQ(found["max_attempts"], 3);
  EXPECT_EQ(found["priority"], 5);
  EXPECT_EQ(found["group"], "acme");
  EXPECT_EQ(found["run_timeout"], "1h");
  EXPECT_EQ(found["start_deadline"], "2h");
  EXPECT_EQ(found["tags"], (Json{{"team", "a"}}));
  EXPECT_EQ(found["paused"], false);
  EXPECT_EQ(found["next_at"], "2030-01-01T02:00:00.000000Z");
  EXPECT_GE(found["next_due_at"].get<std::string>(), found["next_at"].get<std::string>());
  EXPECT_EQ(found["upcoming"],
            (Json{"2030-01-01T02:00:00.000000Z", "2030-01-02T02:00:00.000000Z", "2030-01-03T02:00:00.000000Z",
                  "2030-01-04T02:00:00.000000Z", "2030-01-07T02:00:00.000000Z"}));
  EXPECT_FALSE(found.contains("last_at"));
  EXPECT_THAT(found["live"], IsEmpty());
}

TEST_F(RecurringOfTool, IntervalsAndInstantsRecurToo) {
  const Json interval = one(add("poll", {"--every", "12h", "--start", "2030-01-01T05:00:00Z"}));
  EXPECT_EQ(interval["recurs"], "interval");
  EXPECT_EQ(interval["every"], "12h");
  EXPECT_EQ(interval["next_at"], "2030-01-01T12:00:00.000000Z") << "counted from 1970";
  const Json anchored =
      one(add("odd", {"--every", "12h", "--anchor", "2026-01-01T05:00:00Z", "--start", "2030-01-01T00:00:00Z"}));
  EXPECT_EQ(anchored["next_at"], "2030-01-01T05:00:00.000000Z");
  const Json calendar = one(add("launches", {"--at", "2031-01-01T00:00:00Z", "--at", "2030-01-01T00:00:00Z"}));
  EXPECT_EQ(calendar["recurs"], "calendar");
  EXPECT_EQ(calendar["instants"], (Json{"2030-01-01T00:00:00.000000Z", "2031-01-01T00:00:00.000000Z"}));
  EXPECT_EQ(calendar["next_at"], "2030-01-01T00:00:00.000000Z");
}

TEST_F(RecurringOfTool, WhatIsWrongIsNamedWithWhatWouldBeRightAndMakesNoBook) {
  EXPECT_THAT(run(add("x", {})), WrongUsage("Give one of --cron '0 3 * * *', --every 12h and --at"));
  EXPECT_THAT(run(add("x", {"--cron", "@daily", "--every", "1h"})), WrongUsage("Give one of"));
  EXPECT_THAT(run(add("x", {"--cron", "0 24 * * *"})), WrongUsage("hour, column 3: found \"24\""));
  EXPECT_THAT(run(add("x", {"--cron", "@daily", "--zone", "Europe/Prag"})), WrongUsage("--zone: \"Europe/Prag\""));
  EXPECT_THAT(run(add("x", {"--every", "1h", "--zone", "UTC"})), WrongUsage("go with --cron alone"));
  EXPECT_THAT(run(add("x", {"--cron", "@daily", "--anchor", "2026-01-01T00:00:00Z"})),
              WrongUsage("--anchor goes with"));
  EXPECT_THAT(run(add("x", {"--cron", "@daily", "--missed", "never"})), WrongUsage("once"));
  EXPECT_THAT(run(add("x", {"--cron", "@daily", "--overlap", "queue"})), WrongUsage("buffer_one"));
  EXPECT_THAT(run(add("x", {"--every", "soon"})), WrongUsage("10m"));
  EXPECT_THAT(run(add("", {"--cron", "@daily"})), WrongUsage("NAME: empty"));
  EXPECT_THAT(run(add("x", {"--every", "1ms"})), Refused("1s"));
  EXPECT_THAT(run(add("x", {"--cron", "@daily", "--missed", "all", "--missed-cap", "0"})), Refused("cap"));
  EXPECT_THAT(run({"recurring", "add", "x", "--cron", "@daily", "--kind", "k"}), WrongUsage("--queue"));
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(RecurringOfTool, AnothersScheduleIsLeftAlone) {
  run(add("nightly", {"--cron", "@daily", "--owner", "service"}));
  EXPECT_THAT(run(add("nightly", {"--cron", "@hourly"})), Refused("service"));
}

// ---- list and show ------------------------------------------------------------------------------------------------

TEST_F(RecurringOfTool, TheListIsAlignedAndByName) {
  schedule();
  EXPECT_THAT(run(recurring("list")).err, HasSubstr("daybook recurring add NAME --cron"));
  nightly();
  run(add("a", {"--every", "12h", "--owner", "ada"}));
  run(recurring("pause", {"a", "--reason", "broken"}));
  const ToolRun listed = run(recurring("list"));
  EXPECT_THAT(listed.out, MatchesRegex("NAME     RECURS +QUEUE    KIND     NEXT +LAST\n"
                                       "a        every 12h +reports  nightly  [^ ]+Z +-     paused: broken\n"
                                       "nightly  0 3 \\* \\* \\* Europe/Prague  reports  nightly  [^ ]+Z  -\n"));
  EXPECT_THAT(listed.err, HasSubstr("recurring show NAME"));
  EXPECT_THAT(json({"recurring", "list"}), SizeIs(2));
  EXPECT_THAT(json({"recurring", "list", "--owner", "ada"}), SizeIs(1));
}

TEST_F(RecurringOfTool, ShowingEndsWithTheNextInstantsAndWhereItsJobsAre) {
  run(add("gap", {"--cron", "30 2 * * *", "--zone", "Europe/Prague", "--start", "2035-03-24T12:00:00Z"}));
  const ToolRun shown = run(recurring("show", {"gap"}));
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("name          gap\n"), HasSubstr("missed        once, of the last 366d\n"),
                    HasSubstr("overlap       skip\n"),
                    HasSubstr("next          2035-03-25T03:30:00+02:00  2035-03-25T01:30:00Z  shifted by DST\n"
                              "              2035-03-26T02:30:00+02:00  2035-03-26T00:30:00Z\n")));
  EXPECT_THAT(shown.err, HasSubstr("daybook jobs --where 'recurring = gap'"));
  EXPECT_THAT(run(recurring("show", {"none"})), Refused("none of that name is declared"));
}

// ---- operators ----------------------------------------------------------------------------------------------------

TEST_F(RecurringOfTool, APausedScheduleIsResumed) {
  nightly();
  EXPECT_EQ(run(recurring("pause", {"nightly", "--reason", "quarter's end"})).out, "nightly  paused\n");
  EXPECT_EQ(show("nightly")["paused"], true);
  EXPECT_EQ(show("nightly")["pause_reason"], "quarter's end");
  EXPECT_THAT(run(recurring("resume", {"nightly"})).out, MatchesRegex("nightly  recurs  next [^ ]+Z\n"));
  EXPECT_EQ(show("nightly")["paused"], false);
  EXPECT_THAT(run(recurring("pause", {"other"})), Refused("none of that name is declared"));
}

TEST_F(RecurringOfTool, RunNowMakesOneJobAtOnce) {
  nightly();
  const Json made = one(recurring("run-now", {"nightly", "--reason", "numbers were wrong"}));
  EXPECT_EQ(made["state"], "available");
  EXPECT_EQ(made["recurring"], "nightly");
  EXPECT_EQ(show("nightly")["live"], (Json{made["id"]}));
  EXPECT_THAT(run(recurring("run-now", {"nightly"})).out, MatchesRegex("[0-9]+-[0-9a-f]{8}\n"));
  EXPECT_THAT(json({"jobs", "--where", "recurring = nightly"}), SizeIs(2));
}

TEST_F(RecurringOfTool, ThePastIsMadeOnce) {
  nightly();
  const Words past =
      recurring("backfill", {"nightly", "--from", "2026-03-28T00:00:00Z", "--until", "2026-03-31T00:00:00Z"});
  const ToolRun made = run(past);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, MatchesRegex("[0-9]+-[0-9a-f]{8}  2026-03-28T02:00:00Z\n"
                                     "[0-9]+-[0-9a-f]{8}  2026-03-29T01:00:00Z\n"
                                     "[0-9]+-[0-9a-f]{8}  2026-03-30T01:00:00Z\n"));
  EXPECT_THAT(made.err, HasSubstr("3 jobs made, due at once"));
  const ToolRun again = run(past);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.out, IsEmpty());
  EXPECT_THAT(again.err, HasSubstr("nothing was made"));
  EXPECT_THAT(run(recurring("backfill", {"nightly", "--from", "2026-03-28T00:00:00Z"})), WrongUsage("--until"));
}

TEST_F(RecurringOfTool, ARemovedScheduleLeavesItsJobs) {
  nightly();
  run(recurring("run-now", {"nightly"}));
  const ToolRun removed = run(recurring("remove", {"nightly", "--reason", "nobody reads it"}));
  EXPECT_EQ(removed.out, "nightly  removed\n");
  EXPECT_THAT(removed.err, HasSubstr("daybook cancel --where 'recurring = nightly'"));
  EXPECT_THAT(json({"recurring", "list"}), IsEmpty());
  EXPECT_THAT(json({"jobs"}), SizeIs(1));
}

TEST_F(RecurringOfTool, WhatAnEarlierRuleHandledIsNotSaidToHaveItsJobs) {
  run(add("x", {"--every", "6h"}));
  const Words past = recurring("backfill", {"x", "--from", "2026-03-01T00:00:00Z", "--until", "2026-03-02T00:00:00Z"});
  EXPECT_THAT(json(past), SizeIs(4));
  run(add("x", {"--every", "3h"}));
  const ToolRun again = run(past);
  EXPECT_THAT(again.out, IsEmpty());
  EXPECT_THAT(again.err, HasSubstr("or lies in the time of an earlier rule of the schedule, which did not skip it"));
}

TEST_F(RecurringOfTool, CommandsThatAreShownAreSafeToPaste) {
  const std::string name = "a'; touch /tmp/pwn; echo '";
  EXPECT_THAT(run({"recurring", "add", name, "--queue", "x y", "--kind", "k", "--every", "6h"}).err,
              HasSubstr("daybook work --queue 'x y' -- CMD"));
  run(recurring("run-now", {name}));
  const std::string quoted = R"('recurring = "a'\''; touch /tmp/pwn; echo '\''"')";
  EXPECT_THAT(run(recurring("show", {name})).err, HasSubstr("daybook jobs --where " + quoted + "\n"));
  EXPECT_THAT(run(recurring("remove", {name})).err, HasSubstr("daybook cancel --where " + quoted + " ends"));
}

TEST_F(RecurringOfTool, AnOwnerWithoutSchedulesIsNotABookWithoutAny) {
  nightly();
  EXPECT_THAT(run(recurring("list", {"--owner", "foo"})).err, HasSubstr("of the owner foo"));
  run(recurring("remove", {"nightly"}));
  EXPECT_THAT(run(recurring("list", {"--owner", "foo"})).err, HasSubstr("To declare one"));
}

TEST_F(RecurringOfTool, WorkMakesAndRunsWhatFallsDue) {
  run(add("often", {"--every", "1s", "--missed", "all", "--overlap", "allow"}));
  RunningTool work(words({"work", "--queue", "reports", "--json", "--", "/bin/true"}));
  while (json({"jobs", "--where", "recurring = often and state = completed"}).size() < 3) {
    if (!work.process()) break;
  }
  work.signal(SIGTERM);
  EXPECT_EQ(work.wait().exit_code, 0);
  EXPECT_TRUE(show("often").contains("last_job"));
}

// ---- two words ----------------------------------------------------------------------------------------------------

TEST_F(RecurringOfTool, TheVerbsOfTheFamilyAreListedAndMisspellingsTold) {
  const ToolRun help = run_program({tool(), "recurring", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* verb : {"add", "list", "show", "pause", "resume", "run-now", "backfill", "remove"}) {
    EXPECT_THAT(help.out, HasSubstr(std::string("  recurring ") + verb + " "));
    const ToolRun own = run_program({tool(), "recurring", verb, "--help"});
    EXPECT_EQ(own.exit_code, 0) << verb;
    EXPECT_THAT(own.out, AllOf(HasSubstr(std::string("usage: daybook recurring ") + verb),
                               HasSubstr(std::string("example\n  $ daybook recurring ") + verb)));
  }
  EXPECT_THAT(run_program({tool(), "recurring"}), WrongUsage("which verb of recurring?"));
  EXPECT_THAT(run_program({tool(), "recurring", "lst"}), WrongUsage("did you mean recurring list?"));
}

}  // namespace
}  // namespace daybook::test
