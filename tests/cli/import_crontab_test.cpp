// SPDX-License-Identifier: Apache-2.0
// Stories of crontabs that become schedules, and of their jobs.
#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

class ImportCrontab : public BookOfTool {
 protected:
  ToolRun import(const std::string& text, const Words& more = {}) const {
    std::ofstream(file("jobs")) << text;
    Words all = {"import-crontab", file("jobs"), "--zone", "Europe/Prague"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  std::vector<Json> listed() const { return json({"recurring", "list"}); }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Json& one : listed()) names.push_back(one["name"]);
    return names;
  }
};

TEST_F(ImportCrontab, EachLineBecomesAScheduleOfTheFile) {
  const ToolRun done = import(
      "PATH=/usr/bin:/bin\n"
      "30 2 * * * backup --all\n"
      "@daily find /tmp -delete\n");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out,
              MatchesRegex("LINE  NAME +RECURS +NEXT +COMMAND\n"
                           "   2  jobs/backup-[0-9a-f]{8} +30 2 \\* \\* \\* Europe/Prague  [^ ]+Z  backup --all\n"
                           "   3  jobs/find-[0-9a-f]{8} +0 0 \\* \\* \\* Europe/Prague +[^ ]+Z  find /tmp -delete\n"
                           ".*jobs: 2 added, 0 changed, 0 removed, 0 as they were\n"));
  EXPECT_THAT(done.err, AllOf(HasSubstr("unlike cron"), HasSubstr("daybook work --queue cron -- sh")));
  const auto all = listed();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0]["owner"], file("jobs"));
  EXPECT_EQ(all[0]["cron"], "30 2 * * *");
  EXPECT_EQ(all[0]["zone"], "Europe/Prague");
  EXPECT_EQ(all[0]["queue"], "cron");
  EXPECT_EQ(all[0]["kind"], "command");
  EXPECT_EQ(all[0]["max_attempts"], 1);
  EXPECT_EQ(all[0]["payload"], "export PATH='/usr/bin:/bin'\nbackup --all\n");
}

TEST_F(ImportCrontab, ImportingAgainChangesWhatChangedAndRemovesWhatIsGone) {
  import("0 1 * * * a\n0 2 * * * b\n0 3 * * * c\n");
  run({"recurring", "add", "mine", "--every", "1h", "--queue", "q", "--kind", "k"});
  EXPECT_THAT(import("0 1 * * * a\n0 2 * * * b\n0 3 * * * c\n").out,
              HasSubstr("0 added, 0 changed, 0 removed, 3 as they were"));
  const auto before = names();
  EXPECT_THAT(import("# moved\n0 1 * * * a\n0 5 * * * b\n@daily d\n").out,
              HasSubstr("1 added, 1 changed, 1 removed, 1 as they were"));
  EXPECT_THAT(names(), SizeIs(4));
  EXPECT_THAT(names(), Contains("mine"));
  EXPECT_THAT(names(), Contains(before[1])) << "b keeps its name";
}

TEST_F(ImportCrontab, WhatIsNotTakenIsToldByLineAndColumnAndTheRestIsTaken) {
  const ToolRun done = import("@reboot serve\n0 24 * * * a\n0 5 * * * b\nMAILTO=ada\n");
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, AllOf(HasSubstr("/jobs:1:1: not taken: "), HasSubstr("@reboot names no time"),
                              HasSubstr("/jobs:2:1: not taken: "), HasSubstr("column 3: found \"24\""),
                              HasSubstr("/jobs:4:1: note: MAILTO")));
  EXPECT_THAT(done.out, HasSubstr("1 added, 0 changed, 0 removed, 0 as they were; 2 lines not taken\n"));
  EXPECT_THAT(listed(), SizeIs(1));
}

TEST_F(ImportCrontab, WhereNothingCouldBeTakenNothingIsRemoved) {
  import("@daily a\n");
  const ToolRun none = import("17 * * *\n");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr("no line could be taken, so nothing was changed"));
  EXPECT_THAT(listed(), SizeIs(1));
}

TEST_F(ImportCrontab, ACrontabWithoutAJobRemovesNothing) {
  import("@daily a\n");
  for (const char* text : {"", "# nothing here\n", "PATH=/bin\n"}) {
    const ToolRun none = import(text);
    EXPECT_EQ(none.exit_code, 1) << text;
    EXPECT_THAT(none.err, HasSubstr("there is no job in it, so nothing was changed")) << text;
  }
  EXPECT_THAT(listed(), SizeIs(1));
}

TEST_F(ImportCrontab, TheSystemsFormKeepsTheUser) {
  import("17 * * * * root cd / && run-parts /etc/cron.hourly\n", {"--system"});
  EXPECT_EQ(listed().at(0)["tags"], (Json{{"user", "root"}}));
  EXPECT_EQ(listed().at(0)["payload"], "cd / && run-parts /etc/cron.hourly\n");
}

TEST_F(ImportCrontab, ADryRunShowsTheNextInstantsAndNeedsNoBook) {
  std::ofstream(file("jobs")) << "0 3 * * * a\n*/90 * * * * b\n";
  const ToolRun dry =
      run_program({tool(), "import-crontab", file("jobs"), "--zone", "UTC", "--dry-run"}, {}, {{"DAYBOOK_DIR", ""}});
  EXPECT_EQ(dry.exit_code, 1) << "one line would not be taken";
  EXPECT_THAT(dry.out,
              MatchesRegex("LINE [^\n]*\n   1  jobs/a-[0-9a-f]{8}  0 3 \\* \\* \\* UTC  [0-9-]{10}T03:00:00Z  a\n"));
  EXPECT_THAT(dry.err, HasSubstr("nothing was changed"));
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(ImportCrontab, StandardInputNeedsAnOwner) {
  EXPECT_THAT(run({"import-crontab", "-"}, "@daily a\n"), WrongUsage("Name it with --owner"));
  const ToolRun done = run({"import-crontab", "-", "--owner", "ada", "--zone", "UTC"}, "@daily a\n");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("\nada: 1 added"));
  EXPECT_THAT(names(), ElementsAre(MatchesRegex("ada/a-[0-9a-f]{8}")));
}

TEST_F(ImportCrontab, ObjectsTellLinesRemarksAndWhatBecameOfThem) {
  const ToolRun done = import("@reboot x\n0 5 * * * b\n", {"--json"});
  const auto lines = json_lines(done);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0]["line"], 1);
  EXPECT_EQ(lines[0]["column"], 1);
  EXPECT_EQ(lines[0]["taken"], false);
  EXPECT_THAT(lines[0]["message"].get<std::string>(), HasSubstr("@reboot"));
  EXPECT_EQ(lines[1]["line"], 2);
  EXPECT_EQ(lines[1]["cron"], "0 5 * * *");
  EXPECT_EQ(lines[1]["zone"], "Europe/Prague");
  EXPECT_EQ(lines[1]["command"], "b");
  EXPECT_TRUE(lines[1].contains("next_at"));
  EXPECT_EQ(lines[2]["owner"], file("jobs"));
  EXPECT_EQ(lines[2]["added"], 1);
  EXPECT_EQ(lines[2]["not_taken"], 1);
}

TEST_F(ImportCrontab, WhatIsWrongIsNamed) {
  EXPECT_THAT(run({"import-crontab", file("none")}), WrongUsage("No such file"));
  EXPECT_THAT(run({"import-crontab", folder_.path().string()}), WrongUsage("FILE "));
  EXPECT_THAT(run({"import-crontab", "/dev/zero", "--owner", "z"}), WrongUsage("is no crontab"));
  EXPECT_THAT(run({"import-crontab", "/etc/passwd", "--owner", std::string(61, 'o')}), WrongUsage("at most 60 bytes"));
  EXPECT_THAT(run({"import-crontab", "/etc/passwd", "--zone", "Europe/Prag"}), WrongUsage("--zone: \"Europe/Prag\""));
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

TEST_F(ImportCrontab, AShellRunsTheirJobs) {
  import("GREETING = good morning\n0 5 * * * echo \"$GREETING\"; cat%ada%grace\n");
  run({"recurring", "run-now", names().at(0)});
  const auto worked = run({"work", "--queue", "cron", "--until-empty", "--", "/bin/sh"});
  EXPECT_EQ(worked.exit_code, 0) << worked.err;
  const auto jobs = json({"jobs"});
  ASSERT_THAT(jobs, SizeIs(1));
  EXPECT_EQ(jobs[0]["state"], "completed");
  EXPECT_EQ(jobs[0]["result"], "good morning\nada\ngrace\n");
}

}  // namespace
}  // namespace daybook::test
