// SPDX-License-Identifier: Apache-2.0
#pragma once

// Crontab: the text of a crontab(5), read line by line. Arithmetic on bytes: any bytes at all are either a job, or left out with a
// remark that names line and column. docs/tool.md says what becomes of what.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/cron.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/zones.hpp"

namespace daybook::cli {

enum class CrontabForm {
  user,    // crontab -l: the command follows the times
  system,  // /etc/crontab, /etc/cron.d: a user stands between them
};

struct CrontabOptions {
  CrontabForm form = CrontabForm::user;
  std::string zone = "UTC";  // where no CRON_TZ stands above
  std::string prefix;        // of the names
  std::string owner;         // two files with the same prefix have other names when their owners differ
};

struct CrontabJob {
  std::size_t line = 0;    // from 1
  std::string expression;  // as it is written
  CronExpression cron;
  std::string zone;
  Duration jitter{};    // RANDOM_DELAY
  std::string user;     // of the system form
  std::string command;  // up to the first %
  std::string script;   // for a shell's standard input: variables, the command, what it reads
  /// prefix/word-hash of what is run. Times, variables and other lines are not in it, so that a line keeps its name when they change;
  /// the second line that runs the same ends in -2.
  std::string name;
};

struct CrontabRemark {
  enum class Weight {
    note,       // taken, and something is not as cron does it
    not_taken,  // the line is not among the jobs, or has no effect on them
  };
  std::size_t line = 0;
  std::size_t column = 0;  // from 1, in bytes
  Weight weight = Weight::note;
  std::string sentence;
};

struct Crontab {
  std::vector<CrontabJob> jobs;        // in order
  std::vector<CrontabRemark> remarks;  // in order
  [[nodiscard]] std::size_t not_taken() const;
};

[[nodiscard]] Crontab read_crontab(std::string_view text, const CrontabOptions& options, const Zones& zones);

}  // namespace daybook::cli
