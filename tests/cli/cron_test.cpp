// SPDX-License-Identifier: Apache-2.0
// Looking ahead along a cron expression, without a book.
#include "book_of_tool.hpp"

namespace daybook::test {
namespace {

using testing::HasSubstr;

class CronOfTool : public testing::Test {
 protected:
  static ToolRun cron(std::vector<std::string> words) {
    words.insert(words.begin(), {DAYBOOK_TOOL, "cron"});
    return run_program(std::move(words), {}, {{"DAYBOOK_DIR", ""}});
  }
};

TEST_F(CronOfTool, TheNextInstantsAreShownByLocalClocksAndInUtc) {
  const ToolRun run = cron({"30 2 * * *", "--zone", "Europe/Prague", "--from", "2026-03-28T00:00:00Z", "--count", "3"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out,
            "LOCAL                      UTC\n"
            "2026-03-28T02:30:00+01:00  2026-03-28T01:30:00Z\n"
            "2026-03-29T03:30:00+02:00  2026-03-29T01:30:00Z  shifted by DST\n"
            "2026-03-30T02:30:00+02:00  2026-03-30T00:30:00Z\n");
}

TEST_F(CronOfTool, TheDeclaredPoliciesDecideWhereClocksAreSet) {
  const std::vector<std::string> autumn = {
      "30 2 * * *", "--zone", "Europe/Prague", "--from",      "2026-10-25T00:00:00Z",
      "--count",    "2",      "--json",        "--dst-repeat"};
  const auto with = [&](const std::string& policy) {
    auto words = autumn;
    words.push_back(policy);
    return json_lines(cron(words));
  };
  const auto both = with("both");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0]["at"], "2026-10-25T00:30:00.000000Z");
  EXPECT_EQ(both[0]["note"], "first of two");
  EXPECT_EQ(both[1]["at"], "2026-10-25T01:30:00.000000Z");
  EXPECT_EQ(both[1]["local"], "2026-10-25T02:30:00+01:00");
  EXPECT_EQ(both[1]["note"], "second of two");
  EXPECT_EQ(with("last")[0]["at"], "2026-10-25T01:30:00.000000Z");
  const auto skip = json_lines(cron({"30 2 * * *", "--zone", "Europe/Prague", "--from", "2026-03-29T00:00:00Z",
                                     "--count", "1", "--json", "--dst-gap", "skip"}));
  EXPECT_EQ(skip[0]["at"], "2026-03-30T00:30:00.000000Z");
}

TEST_F(CronOfTool, WhatIsWrongIsNamedWithWhatWouldBeRight) {
  EXPECT_THAT(cron({"0 24 * * *"}), WrongUsage("hour, column 3: found \"24\", expected 0 to 23"));
  EXPECT_THAT(cron({"@daily", "--zone", "Europe/Prag"}), WrongUsage("like Europe/Prague"));
  EXPECT_THAT(cron({"@daily", "--zone", "../../../etc/passwd"}), WrongUsage("is no time zone"));
  EXPECT_THAT(cron({"@daily", "--dst-gap", "jump"}), WrongUsage("\"jump\" is neither skip nor shift"));
  EXPECT_THAT(cron({"0", "0", "*", "*", "*"}), WrongUsage(""));
  EXPECT_THAT(cron({"@daily", "--from", "9999-12-31T12:00:00Z"}).err, HasSubstr("no more up to the year 9999"));
}

}  // namespace
}  // namespace daybook::test
