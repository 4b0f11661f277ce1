// SPDX-License-Identifier: Apache-2.0
#include "change_jobs.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "daybook/operate.hpp"
#include "exit.hpp"
#include "job_output.hpp"
#include "reading.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

constexpr std::size_t kShown = 5;  // by a dry run

/// The command line without --dry-run.
std::string command_line(const Common& common, const ChangeJobs& asked) {
  std::string line = "daybook " + common.verb + " --dir " + shell_word(common.directory) + " --where " +
                     shell_word(asked.where->text());
  if (!asked.queue.empty()) line += " --to " + shell_word(asked.queue);
  if (asked.in) line += " --in " + to_string(*asked.in);
  if (asked.at) line += " --at " + to_string(*asked.at);
  if (asked.limit) line += " --limit " + std::to_string(*asked.limit);
  if (asked.rate) line += " --rate " + rate_text(*asked.rate);
  line += " --reason " + (common.reason.empty() ? std::string("…") : shell_word(common.reason));
  return line;
}

std::uint64_t limit_of(const ChangeJobs& asked) {
  return asked.limit.value_or(std::numeric_limits<std::uint64_t>::max());
}

// Takes no lock: beside a running service, too.
int only_look(const Common& common, const ChangeJobs& asked) {
  ReadingBook book(common);
  const State state = book.state();
  const Moment now = moment_now(state);
  std::uint64_t matched = 0;
  std::vector<JobInfo> first;
  state.each_job([&](const Job& job) {
    if (matched == limit_of(asked) || !asked.where->matches(job, state, now)) return;
    if (++matched <= kShown) first.push_back(job_info(job, state, now));
  });
  if (common.json) {
    Json object = {{"verb", common.verb},
                   {"where", asked.where->text()},
                   {"dry_run", true},
                   {"matched", matched},
                   {"first", Json::array()}};
    for (const JobInfo& info : first) object["first"].push_back(job_json(info));
    print_json(object);
    return book.exit_code();
  }
  if (matched == 0) {
    tell("no such jobs");
    return book.exit_code();
  }
  print(counted(matched, "job") + (matched == 1 ? " matches" : " match"));
  Table table = job_table();
  for (const JobInfo& info : first) add_job(table, info);
  table.print();
  if (matched > first.size()) print("… and " + grouped(matched - first.size()) + " more");
  tell("nothing was changed. To do it:");
  print(command_line(common, asked));
  return book.exit_code();
}

/// Sleeps until no more than the rate allows was changed since the beginning, and says how far it is.
class Pace {
 public:
  Pace(std::optional<ChangeRate> rate, std::uint64_t seconds_of_progress) : rate_(rate), every_(seconds_of_progress) {}

  [[nodiscard]] std::size_t batch() const {
    if (!rate_) return limits::operate_batch;
    // About ten batches a second, so that a rate is felt as one.
    const double in_a_tenth = static_cast<double>(rate_->count) / seconds(rate_->per) / 10;
    return static_cast<std::size_t>(std::clamp(in_a_tenth, 1.0, static_cast<double>(limits::operate_batch)));
  }

  bool between(const OperateReport& report) {
    const std::uint64_t done = report.done();
    const auto now = Clock::now();
    if (now - told_ >= std::chrono::seconds(every_) && done < report.matched) {
      tell(grouped(done) + " of " + counted(report.matched, "job"));
      told_ = now;
    }
    if (!rate_ || done == report.matched) return true;
    const std::chrono::duration<double> due(static_cast<double>(done) * seconds(rate_->per) /
                                            static_cast<double>(rate_->count));
    std::this_thread::sleep_until(begun_ + std::chrono::duration_cast<Clock::duration>(due));
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

  std::optional<ChangeRate> rate_;
  std::uint64_t every_;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point told_ = begun_;
};

Json refusals_json(const OperateReport& report) {
  Json refusals = Json::object();
  for (const auto& [code, refused] : report.refusals) {
    refusals[std::string(to_string(code))] = {{"jobs", refused.jobs}, {"first", refused.first}};
  }
  return refusals;
}

int change_matching(const Common& common, const ChangeJobs& asked) {
  Daybook book = open_book(common);
  Pace pace(asked.rate, 1);
  const OperateReport report =
      take(book.operate({.verb = asked.verb,
                         .where = *asked.where,
                         .due = when(asked.in, asked.at),
                         .queue = asked.queue,
                         .limit = limit_of(asked),
                         .context = context(common),
                         .batch = pace.batch(),
                         .between = [&pace](const OperateReport& so_far) { return pace.between(so_far); }}));
  book.close();
  if (common.json) {
    Json object = {{"verb", common.verb},
                   {"where", asked.where->text()},
                   {"matched", report.matched},
                   {"changed", report.changed},
                   {"unchanged", report.unchanged},
                   {"refused", report.refused},
                   {"refusals", refusals_json(report)}};
    if (report.command != Sequence()) object["command"] = report.command.value();
    print_json(object);
  } else if (report.matched == 0) {
    tell("no such jobs");
  } else {
    print(counted(report.matched, "job") + (report.matched == 1 ? " matches, " : " match, ") + grouped(report.changed) +
          " changed by #" + std::to_string(report.command.value()) +
          (report.unchanged > 0
               ? ", " + grouped(report.unchanged) + (report.unchanged == 1 ? " was" : " were") + " so already"
               : "") +
          (report.refused > 0 ? ", " + grouped(report.refused) + " refused" : ""));
    for (const auto& [code, refused] : report.refusals) {
      tell(std::string(to_string(code)) + ": " + counted(refused.jobs, "job") +
           ", the first: " + sanitized(refused.first));
    }
  }
  return static_cast<int>(report.refused > 0 ? Exit::refused : Exit::fine);
}

Command change_of_one(const ChangeJobs& asked) {
  switch (asked.verb) {
    case OperatorVerb::retry:
      return Retry{.job = *asked.job, .due = when(asked.in, asked.at)};
    case OperatorVerb::cancel:
      return Cancel{.job = *asked.job};
    case OperatorVerb::reschedule:
      return Reschedule{.job = *asked.job, .due = when(asked.in, asked.at)};
    case OperatorVerb::move:
      break;
  }
  return Move{.job = *asked.job, .queue = asked.queue};
}

}  // namespace

Verb& choose_jobs(Verb& verb, ChangeJobs& asked) {
  return verb.argument("ID", asked.job, "the job")
      .optional()
      .option("--where", "FILTER", asked.where, "all jobs that it matches; docs/filter.md has the fields")
      .flag("--dry-run", asked.dry_run, "with --where: shows how many, and the first of them; takes no lock")
      .option("--rate", "N/s", asked.rate, "with --where: no more than so many a second (/m, /h)")
      .option("--limit", "N", asked.limit, "with --where: the first so many, by id");
}

int change_jobs(const Common& common, const ChangeJobs& asked) {
  if (asked.job && asked.where) throw UsageError("an ID, or --where: not both");
  if (!asked.job && !asked.where) {
    throw UsageError("which job? Give its ID, or --where FILTER for all that it matches");
  }
  if (asked.job && (asked.dry_run || asked.rate || asked.limit)) {
    throw UsageError("--dry-run, --rate and --limit go with --where");
  }
  if (asked.limit == 0U) throw UsageError("--limit 0 would change nothing; give 1 or more");
  if (asked.job) return change_job(common, *asked.job, change_of_one(asked));
  return asked.dry_run ? only_look(common, asked) : change_matching(common, asked);
}

}  // namespace daybook::cli
