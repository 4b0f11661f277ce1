// SPDX-License-Identifier: Apache-2.0

// Any bytes as a crontab, in both forms: no line is both a job and left out, remarks name a place, names are names and differ, a script
// is text that ends its line, and the same bytes are read as the same again.

#include <set>
#include <string_view>

#include "crontab.hpp"
#include "daybook/core/names.hpp"
#include "fuzz.hpp"
#include "support/hand_made_zones.hpp"

namespace daybook::fuzz {

void crontab(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const test::HandMadeZones zones;
  for (const auto form : {cli::CrontabForm::user, cli::CrontabForm::system}) {
    const cli::CrontabOptions options{.form = form, .zone = "UTC", .prefix = "p", .owner = "o"};
    const cli::Crontab found = cli::read_crontab(text, options, zones);
    std::set<std::size_t> lines;
    std::set<std::string> names;
    for (const cli::CrontabJob& job : found.jobs) {
      require(lines.insert(job.line).second, "a line is one job");
      require(names.insert(job.name).second && check_name("name", job.name), "names are names and differ");
      require(job.script.ends_with('\n') && job.script.find('\0') == std::string::npos, "a script is lines of text");
      require(parse_cron(job.expression) == Result<CronExpression>(job.cron), "the expression is what is written");
    }
    for (const cli::CrontabRemark& remark : found.remarks) {
      require(remark.line > 0 && remark.column > 0 && !remark.sentence.empty(), "a remark names its place");
      if (remark.weight == cli::CrontabRemark::Weight::not_taken) {
        require(lines.insert(remark.line).second, "a line is a job or left out");
      }
    }
    const cli::Crontab again = cli::read_crontab(text, options, zones);
    require(again.jobs.size() == found.jobs.size() && again.remarks.size() == found.remarks.size(), "the same again");
  }
}

}  // namespace daybook::fuzz
