// SPDX-License-Identifier: Apache-2.0
// What the lines of a crontab are read as, and what a shell makes of them.
#include "crontab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "crontab_script.hpp"
#include "daybook/core/names.hpp"
#include "support/hand_made_zones.hpp"
#include "support/run_tool.hpp"

namespace daybook::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

const Zones& zones() {
  static const auto made = [] {
    const auto at = [](std::string_view text) {
      return std::chrono::floor<std::chrono::seconds>(*parse_instant(text));
    };
    auto zones = std::make_unique<test::HandMadeZones>();
    zones->add("Europe/Prague", 1h,
               {{at("2035-03-25T01:00:00Z"), 2h}, {at("2035-10-28T01:00:00Z"), 1h}, {at("2036-03-30T01:00:00Z"), 2h}});
    return zones;
  }();
  return *made;
}

Crontab read(std::string_view text, CrontabForm form = CrontabForm::user) {
  return read_crontab(text, {.form = form, .zone = "UTC", .prefix = "mail", .owner = "/etc/cron.d/mail"}, zones());
}
CrontabJob job(std::string_view text, CrontabForm form = CrontabForm::user) {
  const Crontab crontab = read(text, form);
  EXPECT_THAT(crontab.jobs, SizeIs(1)) << text;
  return crontab.jobs.empty() ? CrontabJob() : crontab.jobs.front();
}
/// "3:7 …" of a line that is left out, "3:7 note: …" of one that is not.
std::vector<std::string> remarks(const Crontab& crontab) {
  std::vector<std::string> all;
  for (const CrontabRemark& remark : crontab.remarks) {
    all.push_back(std::to_string(remark.line) + ":" + std::to_string(remark.column) + " " +
                  (remark.weight == CrontabRemark::Weight::note ? "note: " : "") + remark.sentence);
  }
  return all;
}
std::string why_not(std::string_view text, CrontabForm form = CrontabForm::user) {
  const Crontab crontab = read(text, form);
  EXPECT_THAT(crontab.jobs, IsEmpty()) << text;
  EXPECT_EQ(crontab.not_taken(), 1U) << text;
  return crontab.remarks.empty() ? "" : remarks(crontab).front();
}

TEST(Crontab, ALineIsItsTimesAndItsCommand) {
  const CrontabJob found = job("30 2 * * MON-FRI  /usr/local/bin/backup --all  # no comment\n");
  EXPECT_EQ(found.line, 1U);
  EXPECT_EQ(found.expression, "30 2 * * MON-FRI");
  EXPECT_EQ(to_string(found.cron), "30 2 * * 1-5");
  EXPECT_EQ(found.command, "/usr/local/bin/backup --all  # no comment");
  EXPECT_EQ(found.script, "/usr/local/bin/backup --all  # no comment\n");
  EXPECT_EQ(found.zone, "UTC");
  EXPECT_THAT(found.name, testing::MatchesRegex("mail/backup-[0-9a-f]{8}"));
}

TEST(Crontab, BlankLinesCommentsTabsAndLineEndsOfOtherSystemsAreUnderstood) {
  const Crontab crontab =
      read("\n  \t\n# a comment\n   # another, 1 2 3 4 5 x\n\t5\t*  *\t* *\tone two\t\r\n@daily\tthree");
  EXPECT_THAT(remarks(crontab), IsEmpty());
  ASSERT_THAT(crontab.jobs, SizeIs(2));
  EXPECT_EQ(crontab.jobs[0].line, 5U);
  EXPECT_EQ(crontab.jobs[0].command, "one two\t");
  EXPECT_EQ(crontab.jobs[1].line, 6U);
  EXPECT_EQ(crontab.jobs[1].expression, "@daily");
  EXPECT_EQ(to_string(crontab.jobs[1].cron), "0 0 * * *");
  EXPECT_EQ(crontab.jobs[1].command, "three");
}

TEST(Crontab, TheSystemsFormHasAUserInFrontOfTheCommand) {
  const CrontabJob found = job("17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly\n", CrontabForm::system);
  EXPECT_EQ(found.user, "root");
  EXPECT_EQ(found.command, "cd / && run-parts --report /etc/cron.hourly");
  EXPECT_EQ(job("@daily www-data x\n", CrontabForm::system).user, "www-data");
  EXPECT_THAT(why_not("17 * * * * /bin/x --all\n", CrontabForm::system),
              HasSubstr("1:12 found \"/bin/x\", expected a user"));
  EXPECT_THAT(why_not("17 * * * * root\n", CrontabForm::system), HasSubstr("1:16 found no command"));
  EXPECT_THAT(why_not("17 * * * *\n", CrontabForm::system), HasSubstr("1:11 found nothing, expected a user"));
}

TEST(Crontab, AUserInTheFormWithoutIsPointedOut) {
  EXPECT_THAT(remarks(read("17 * * * * root run-parts /etc\n")),
              ElementsAre(HasSubstr("1:12 note: the command begins with root")));
}

TEST(Crontab, PercentSignsEndTheCommandAndTheLinesOfItsInput) {
  const auto parts = [](std::string_view text) {
    const ScriptParts found = split_command(text);
    return found.command + "|" + found.input.value_or("-");
  };
  EXPECT_EQ(parts("date +\\%H"), "date +%H|-");
  EXPECT_EQ(parts("mail ada%hello%%bye"), "mail ada|hello\n\nbye\n");
  EXPECT_EQ(parts("cat%a\\%b%"), "cat|a%b\n");
  EXPECT_EQ(parts("cat%"), "cat|");
  EXPECT_EQ(parts("echo \\\\ \\x"), "echo \\\\ \\x|-");
}

TEST(Crontab, VariablesHoldForTheLinesBelow) {
  const Crontab crontab =
      read("@daily a\nPATH = /usr/bin:/bin \n'QUIET' = \" it's \"\n@daily b\nPATH=/bin\n@daily c\n");
  EXPECT_THAT(remarks(crontab), IsEmpty());
  ASSERT_THAT(crontab.jobs, SizeIs(3));
  EXPECT_EQ(crontab.jobs[0].script, "a\n");
  EXPECT_EQ(crontab.jobs[1].script, "export PATH='/usr/bin:/bin'\nexport QUIET=' it'\\''s '\nb\n");
  EXPECT_EQ(crontab.jobs[2].script, "export PATH='/bin'\nexport QUIET=' it'\\''s '\nc\n");
}

TEST(Crontab, CronTzIsTheZoneOfTheLinesBelow) {
  const Crontab crontab = read("@daily a\nCRON_TZ=Europe/Prague\n@daily b\n");
  EXPECT_THAT(remarks(crontab), IsEmpty());
  ASSERT_THAT(crontab.jobs, SizeIs(2));
  EXPECT_EQ(crontab.jobs[0].zone, "UTC");
  EXPECT_EQ(crontab.jobs[1].zone, "Europe/Prague");
  EXPECT_EQ(crontab.jobs[1].script, "b\n");
}

TEST(Crontab, LinesBelowAnUnknownZoneAreNotTaken) {
  const Crontab crontab = read("CRON_TZ=Europe/Prag\n@daily a\nCRON_TZ=UTC\n@daily b\n");
  EXPECT_THAT(remarks(crontab), ElementsAre(testing::StartsWith("1:9 CRON_TZ: \"Europe/Prag\" is no time zone"),
                                            "2:1 the CRON_TZ of line 1 is no time zone"));
  ASSERT_THAT(crontab.jobs, SizeIs(1));
  EXPECT_EQ(crontab.jobs[0].command, "b");
}

TEST(Crontab, TzIsHandedToCommandsAndMovesNoTimes) {
  const Crontab crontab = read("TZ=Europe/Prague\n@daily a\n");
  EXPECT_THAT(remarks(crontab), ElementsAre(HasSubstr("1:1 note: TZ: commands get it")));
  EXPECT_EQ(crontab.jobs.at(0).zone, "UTC");
  EXPECT_EQ(crontab.jobs.at(0).script, "export TZ='Europe/Prague'\na\n");
}

TEST(Crontab, ARandomDelayIsJitter) {
  const Crontab crontab = read("RANDOM_DELAY=45\n@daily a\nRANDOM_DELAY = soon\n@daily b\nRANDOM_DELAY=1441\n");
  EXPECT_THAT(remarks(crontab), ElementsAre("3:16 RANDOM_DELAY: found \"soon\", expected minutes, 0 to 1440",
                                            "5:14 RANDOM_DELAY: found \"1441\", expected minutes, 0 to 1440"));
  EXPECT_EQ(crontab.jobs.at(0).jitter, 45min);
  EXPECT_EQ(crontab.jobs.at(1).jitter, 45min);
}

TEST(Crontab, NothingIsMailedAndThatIsSaid) {
  EXPECT_THAT(remarks(read("MAILTO=ada@example.org\n@daily a\n")),
              ElementsAre(HasSubstr("1:1 note: MAILTO: nothing is mailed")));
  EXPECT_THAT(remarks(read("MAILTO=\"\"\n@daily a\n")), IsEmpty());
  EXPECT_EQ(job("MAILTO=ada@example.org\nMAILFROM=x\nCONTENT_TYPE=text/plain\n@daily a\n").script, "a\n");
}

TEST(Crontab, WhatIsNotTakenIsNamedByLineAndColumnWithWhatWouldBeRight) {
  EXPECT_THAT(why_not("  0 24 * * * a\n"), HasSubstr("hour, column 5: found \"24\", expected 0 to 23"));
  EXPECT_THAT(why_not("\n\n@reboot a\n"),
              testing::AllOf(testing::StartsWith("3:1 "), HasSubstr("@reboot names no time")));
  EXPECT_THAT(why_not("@fortnightly a\n"), HasSubstr("found \"@fortnightly\", expected @hourly"));
  EXPECT_THAT(why_not("0 0 30 2 * a\n"), HasSubstr("it never matches"));
  EXPECT_THAT(why_not("*/90 * * * * a\n"), HasSubstr("minute, column 3: found \"90\""));
  EXPECT_THAT(
      why_not("0 5 * *\n"),
      HasSubstr("1:8 found 4 fields, expected minute, hour, day of month, month and day of week, then a command"));
  EXPECT_THAT(why_not("backup\n"), HasSubstr("found 1 field, expected minute"));
  EXPECT_THAT(why_not("0 5 * * *  \n"), HasSubstr("1:12 found no command behind the times"));
  EXPECT_THAT(why_not("@daily\n"), HasSubstr("1:7 found no command"));
  EXPECT_THAT(why_not("@daily %x\n"), HasSubstr("1:8 found no command before the %"));
  EXPECT_THAT(why_not("-x = y\n"), HasSubstr("1:1 found \"-x\" before \"=\", expected the name of a variable"));
  EXPECT_THAT(why_not(std::string_view("@daily a\0b\n", 11)), HasSubstr("1:9 found a byte of 0"));
  EXPECT_THAT(why_not("@every 5m a\n"), HasSubstr("@every is no cron"));
}

TEST(Crontab, WhereCronGoesByOtherRulesWhenClocksAreSetIsPointedOut) {
  const auto note = [](const std::string& times) { return remarks(read("CRON_TZ=Europe/Prague\n" + times + " a\n")); };
  EXPECT_THAT(note("*/15 2 * * *"),
              ElementsAre(HasSubstr("2:1 note: where the clocks of Europe/Prague are set, cron skips")));
  EXPECT_THAT(note("0 */2 * * *"), SizeIs(1));
  EXPECT_THAT(note("5 0-23 * * *"), ElementsAre(HasSubstr("cron makes up for what names hours")));
  EXPECT_THAT(note("30 2 * * *"), IsEmpty());
  EXPECT_THAT(note("*/15 * * * *"), IsEmpty());
  EXPECT_THAT(note("@hourly"), IsEmpty());
  EXPECT_THAT(remarks(read("*/15 2 * * * a\n")), IsEmpty()) << "UTC sets no clocks";
}

TEST(Crontab, ALineKeepsItsNameWhenItsTimesOrOtherLinesChange) {
  const std::string before = job("0 1 * * * /bin/backup --all\n").name;
  const Crontab after = read("PATH=/bin\n@daily other\n0 2 * * * /bin/backup --all\n");
  EXPECT_EQ(after.jobs.at(1).name, before);
  EXPECT_NE(job("0 1 * * * /bin/backup --some\n").name, before);
  EXPECT_NE(job("0 1 * * * /bin/backup --all%x\n").name, before);
  EXPECT_NE(job("0 1 * * * root /bin/backup --all\n", CrontabForm::system).name, before);
}

TEST(Crontab, LinesThatRunTheSameAreToldApartByTheirOrder) {
  const Crontab crontab = read("0 1 * * * a\n0 2 * * * b\n0 3 * * * a\n");
  EXPECT_EQ(crontab.jobs.at(2).name, crontab.jobs.at(0).name + "-2");
}

TEST(Crontab, FilesOfTheSameNameHaveSchedulesOfOtherNames) {
  const auto named = [](const std::string& owner) {
    return read_crontab("@daily a\n", {.zone = "UTC", .prefix = "root", .owner = owner}, zones()).jobs.at(0).name;
  };
  EXPECT_NE(named("/etc/cron.d/root"), named("/var/spool/cron/crontabs/root"));
}

TEST(Crontab, ProgramsGiveReadableNames) {
  EXPECT_EQ(program_of("/usr/bin/php8.2 -q x"), "php8.2");
  EXPECT_EQ(program_of("  (cd /tmp; ls)"), "_cd");
  EXPECT_EQ(program_of("test -x /usr/sbin/anacron || x"), "test");
  EXPECT_EQ(program_of("a&&b"), "a");
  EXPECT_EQ(program_of("\xc3\xa4/\xc3\xa4"), "__");
  EXPECT_EQ(program_of("| x"), "command");
  EXPECT_THAT(program_of(std::string(300, 'x')), SizeIs(48));
}

// ---- what a shell makes of the script ----

std::string shown(std::string_view text) {
  const auto run = test::run_program({"/bin/sh"}, job(text).script);
  return run.out + run.err + (run.exit_code == 0 ? "" : "exit " + std::to_string(run.exit_code));
}

TEST(Crontab, AShellRunsWhatCronWould) {
  EXPECT_EQ(shown("@daily echo \"a  b\" '\\%' # c\n"), "a  b %\n");
  EXPECT_EQ(shown("@daily cat\n"), "") << "there is nothing to read";
  EXPECT_EQ(shown("@daily sort -r%1%3%2\n"), "3\n2\n1\n");
  EXPECT_EQ(shown("@daily cat%END%$HOME `x`%it's\n"), "END\n$HOME `x`\nit's\n");
  EXPECT_EQ(shown("@daily cat%\n"), "");
  EXPECT_EQ(shown("WORD= it's  \"so\" \n@daily echo \"$WORD\"\n"), "it's  \"so\"\n");
  EXPECT_EQ(shown("SHELL=/bin/bash\n@daily [[ a == a ]] && echo \"$SHELL\"\n"), "/bin/bash\n");
  EXPECT_EQ(shown("@daily echo a \\\n"), "a \\\n") << "a backslash at the end joins it with no other line";
  EXPECT_EQ(shown("@daily false || exit 3\n"), "exit 3");
  EXPECT_EQ(shown("@daily cat; exit 4%x\n"), "x\nexit 4");
}

// ---- laws ----

/// Lines of pieces that mean something in a crontab, in any order.
rc::Gen<std::string> crontabs() {
  const auto piece = rc::gen::elementOf(std::vector<std::string>{"*",
                                                                 "0",
                                                                 "5-9",
                                                                 "@daily",
                                                                 "@reboot",
                                                                 "*/7",
                                                                 "MON",
                                                                 "root",
                                                                 "/bin/x",
                                                                 "%",
                                                                 "\\%",
                                                                 "'",
                                                                 "\"",
                                                                 "#",
                                                                 " ",
                                                                 " ",
                                                                 " ",
                                                                 " ",
                                                                 "\t",
                                                                 "\n",
                                                                 "\n",
                                                                 "\r\n",
                                                                 "=",
                                                                 "TZ",
                                                                 "A",
                                                                 "é",
                                                                 "\xff",
                                                                 "\\",
                                                                 "CRON_TZ=UTC\n",
                                                                 "CRON_TZ=x\n",
                                                                 "SHELL=/bin/bash\n",
                                                                 "0 0 * * * x\n",
                                                                 "1 2 3 4 5 y\n"});
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const std::vector<std::string>& pieces) {
    std::string text;
    for (const std::string& one : pieces) text += one;
    return text;
  });
}

RC_GTEST_PROP(CrontabLaws, EachLineIsAJobOrIsAccountedForOnce, ()) {
  const std::string text = *crontabs();
  const auto form = *rc::gen::element(CrontabForm::user, CrontabForm::system);
  const Crontab crontab = read(text, form);
  std::multiset<std::size_t> lines;
  for (const CrontabJob& found : crontab.jobs) lines.insert(found.line);
  for (const CrontabRemark& remark : crontab.remarks) {
    RC_ASSERT(!remark.sentence.empty() && remark.column > 0);
    if (remark.weight == CrontabRemark::Weight::not_taken) lines.insert(remark.line);
  }
  for (const std::size_t line : lines) RC_ASSERT(lines.count(line) == 1U);
  // What has no sign of a variable or a comment in it is one or the other.
  std::size_t number = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos ||
        line.find_first_of("=#") != std::string_view::npos) {
      continue;
    }
    RC_ASSERT(lines.count(number) == 1U);
  }
}

RC_GTEST_PROP(CrontabLaws, NamesAreNamesAndNoTwoAreTheSame, ()) {
  std::set<std::string> names;
  for (const CrontabJob& found : read(*crontabs()).jobs) {
    RC_ASSERT(static_cast<bool>(check_name("a schedule's name", found.name)));
    RC_ASSERT(names.insert(found.name).second);
    RC_ASSERT(found.script.back() == '\n');
  }
}

RC_GTEST_PROP(CrontabLaws, ACommentInFrontMovesLinesAndChangesNothingElse, ()) {
  const std::string text = *crontabs();
  const Crontab plain = read(text);
  const Crontab moved = read("# moved\n" + text);
  RC_ASSERT(plain.jobs.size() == moved.jobs.size());
  for (std::size_t i = 0; i < plain.jobs.size(); ++i) {
    RC_ASSERT(moved.jobs[i].line == plain.jobs[i].line + 1);
    RC_ASSERT(moved.jobs[i].name == plain.jobs[i].name);
    RC_ASSERT(moved.jobs[i].script == plain.jobs[i].script);
    RC_ASSERT(moved.jobs[i].cron == plain.jobs[i].cron);
  }
  RC_ASSERT(plain.remarks.size() == moved.remarks.size());
}

}  // namespace
}  // namespace daybook::cli
