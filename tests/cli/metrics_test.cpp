// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <iterator>

#include "book_of_tool.hpp"

// Numbers for monitoring, from a book that nobody has open and from one at work.

namespace daybook::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MetricsVerb : public BookOfTool {
 protected:
  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(MetricsVerb, AClosedBookShowsWhatCanBeReadOffIt) {
  schedule();
  schedule({"--in", "1h"});
  const ToolRun done = run({"metrics"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("# TYPE daybook_jobs gauge\n"));
  EXPECT_THAT(done.out, HasSubstr("daybook_jobs{queue=\"mail\",state=\"waiting\"} 2\n"));
  EXPECT_THAT(done.out, HasSubstr("daybook_oldest_due_age_seconds{queue=\"mail\"} "));
  EXPECT_THAT(done.out, HasSubstr("daybook_segment_bytes "));
  EXPECT_THAT(done.out, Not(HasSubstr("daybook_sync"))) << "nobody counts there";
}

TEST_F(MetricsVerb, InJsonEachSampleIsALine) {
  schedule();
  bool found = false;
  for (const Json& sample : json({"metrics"})) {
    ASSERT_TRUE(sample["value"].is_number());
    if (sample["name"] == "daybook_jobs" && sample["labels"]["state"] == "waiting") {
      found = true;
      EXPECT_EQ(sample["labels"]["queue"], "mail");
      EXPECT_EQ(sample["value"], 1);
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(MetricsVerb, WorkKeepsAFileForACollector) {
  schedule();
  const std::string path = file("daybook.prom");
  const ToolRun done = run({"work", "--queue", "mail", "--until-empty", "--metrics-file", path, "--", "true"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(text_of(path), HasSubstr("daybook_jobs{queue=\"mail\",state=\"completed\"} 1\n"));
  EXPECT_THAT(text_of(path), HasSubstr("daybook_run_seconds_count 1\n"));
  EXPECT_FALSE(std::filesystem::exists(path + ".new")) << "it is replaced whole";
}

TEST_F(MetricsVerb, AFileThatCannotBeWrittenIsSaidBeforeAnythingRuns) {
  const std::string id = schedule();
  EXPECT_THAT(
      run({"work", "--queue", "mail", "--until-empty", "--metrics-file", file("nowhere/daybook.prom"), "--", "true"}),
      Refused("cannot be written"));
  EXPECT_EQ(job(id)["state"], "available");
  EXPECT_THAT(
      run({"work", "--queue", "mail", "--metrics-file", file("m.prom"), "--metrics-every", "1ms", "--", "true"}),
      WrongUsage("at least 1s"));
}

}  // namespace
}  // namespace daybook::test
