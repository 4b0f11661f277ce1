// SPDX-License-Identifier: Apache-2.0
#include "writing.hpp"

#include <pwd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "job_output.hpp"
#include "reading.hpp"

namespace daybook::cli {

namespace {

/// "ada(1000)". A user that the system has no name for is its number alone.
std::string user_of_process() {
  const uid_t uid = ::geteuid();
  const passwd* entry = ::getpwuid(uid);
  const std::string number = std::to_string(uid);
  return entry == nullptr || entry->pw_name == nullptr ? "uid(" + number + ")"
                                                       : std::string(entry->pw_name) + "(" + number + ")";
}

void tell_opening(const Common& common, const OpeningReport& report) {
  const std::string shown = sanitized(common.directory);
  if (report.tail == TailStatus::created) tell("made a new daybook in " + shown);
  if (report.tail == TailStatus::torn) {
    tell("the last write was torn by a crash: " + counted(report.bytes_cut, "byte") +
         " that nobody was told of were cut, and " +
         (report.quarantine.empty() ? "not kept: the disk is full" : "are kept in quarantine"));
  }
  // `rebuild` has dropped it a moment ago, and says so itself.
  if (report.index_rebuilt && report.tail != TailStatus::created && common.verb != "rebuild") {
    tell(report.index_note.empty() ? "the index was made anew from the log" : sanitized(report.index_note));
  }
}

}  // namespace

Daybook open_book(const Common& common, IfMissing if_missing) {
  if (if_missing == IfMissing::refuse) require_book(common);
  Options options;
  options.create = if_missing == IfMissing::create;
  options.owner_wait = common.wait;
  options.allow_network = common.allow_network;
  options.actor = context(common).actor;
  options.actor_origin = context(common).origin;
  options.clock_policy = common.trust_clock ? ClockPolicy::trust : ClockPolicy::ask;
  options.purpose = "daybook " + common.verb;
  // A run that ends after one command would give each one up half made.
  if (common.verb != "work") options.snapshots = {.every_events = 0, .every_log_bytes = 0};
  options.log = [](LogLevel level, const std::string& line) {
    if (level >= LogLevel::warning) tell("daybook: " + sanitized(line));
  };
  Daybook book = Daybook::open(common.directory, std::move(options));
  tell_opening(common, book.opening());
  return book;
}

void require_trusted_clock(const Daybook& book) {
  if (!book.opening().clock_doubted) return;
  throw RefusedError(
      "nothing can be claimed while the clock is in doubt, and nobody can confirm it while this process has the book: "
      "see "
      "daybook clock, then daybook confirm-clock --reason …, or give --trust-clock");
}

Context context(const Common& common) {
  Context who;
  who.actor = common.actor.empty() ? user_of_process() : common.actor;
  who.origin = common.actor.empty() ? ActorOrigin::peer_credential : ActorOrigin::declared;
  who.reason = common.reason;
  return who;
}

Answer execute(Daybook& book, const Common& common, Command command) {
  Submission submission;
  submission.commands.push_back(std::move(command));
  submission.context = context(common);
  return take(book.execute(std::move(submission))).front();
}

int change_job(const Common& common, JobId id, Command command) {
  Daybook book = open_book(common);
  execute(book, common, std::move(command));
  const JobInfo job = take(book.job(id));
  book.close();
  if (common.json) {
    print_json(job_json(job));
  } else {
    print(job_line(job));
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace daybook::cli
