// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "job_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

struct ClaimOptions {
  Claim command;
  Duration wait_for{};
};

/// Why there is nothing: not everything that is due may be claimed.
std::string why_nothing(const View& view, const Claim& claim) {
  constexpr std::size_t kMost = 1000;
  std::vector<NameId> kinds;
  for (const std::string& name : claim.kinds) {
    if (const auto id = view.find_name(NameSort::kind, name)) kinds.push_back(*id);
  }
  std::string held;
  for (const std::string& name : claim.queues) {
    const auto id = view.find_name(NameSort::queue, name);
    const Queue* queue = id ? view.queue(*id) : nullptr;
    // Where neither holds, nothing is kept from anybody.
    if (queue == nullptr || !(queue->paused || queue->limits != QueueLimits())) continue;
    const std::size_t due =
        view.ready({.queues = {*id}, .kinds = kinds, .any_kind = claim.kinds.empty(), .limit = kMost}).size();
    if (due == 0) continue;
    held += (held.empty() ? "" : "; ") + grouped(due) + (due == kMost ? " or more" : "") + " due in " +
            sanitized(name) + (queue->paused ? ", which is paused" : ", held back by its limits (daybook stat)");
  }
  return held.empty() ? "nothing is due" : "nothing may be claimed now: " + held;
}

int claim(const Common& common, const ClaimOptions& options) {
  Claim command = options.command;
  // Whoever asked for the job goes on after this process ends, and so must the lease.
  command.holder = Holder::external;
  Daybook book = open_book(common);
  require_trusted_clock(book);
  std::vector<ClaimedJob> jobs;
  if (options.wait_for > Duration(0)) {
    jobs = take(book.claim(command, options.wait_for));
  } else {
    jobs = std::get<Claimed>(execute(book, common, command)).jobs;
  }
  std::string nothing;
  if (jobs.empty()) book.look([&](const View& view, const Moment&) { nothing = why_nothing(view, command); });
  book.close();
  for (const ClaimedJob& job : jobs) {
    if (common.json) {
      print_json(claim_json(job));
    } else {
      print(to_string(job.id) + "  " + to_string(job.token) + "  " + sanitized(job.kind) + "  attempt " +
            std::to_string(job.attempt) + "  until " + to_string(job.lease_expires_at));
    }
  }
  if (jobs.empty() && !common.json) tell(nothing);
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_claim(Tool& tool) {
  auto options = std::make_shared<ClaimOptions>();
  tool.verb("claim", "takes jobs that are due, under a lease", Opens::writing)
      .about(
          "takes the first jobs that are due: lower priority, then earlier due, then lower id.\n"
          "Prints id, token, kind, attempt and the end of the lease. Until then the jobs are the worker's: finish "
          "with\n"
          "complete, fail, snooze or release, or renew. Nothing due, or nothing that limits admit now, is no failure "
          "(exit 0).")
      .repeated("--queue", "Q", options->command.queues, "where to look")
      .required()
      .repeated("--kind", "K", options->command.kinds, "what the worker can do; anything unless given")
      .option("--worker", "NAME", options->command.worker, "who works on them")
      .required()
      .option("--lease", "D", options->command.lease, "how long they are the worker's, 1s to 24h (30s)")
      .option("--count", "N", options->command.count, "at most so many (1)")
      .option("--for", "D", options->wait_for, "wait this long for something to fall due")
      .example(
          "  $ daybook claim --queue mail --worker mailer-1 --lease 30s\n"
          "  17-9f3ac1d2  31-9f3ac1d2  welcome  attempt 1  until 2026-03-04T12:05:30.113204Z\n")
      .runs([&tool, options] { return claim(tool.common(), *options); });
}

}  // namespace daybook::cli
