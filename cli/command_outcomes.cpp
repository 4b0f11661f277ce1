// SPDX-License-Identifier: Apache-2.0
// What is put on record about a job when its command has ended, and what is said of it.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "command_worker.hpp"
#include "job_output.hpp"
#include "output.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

/// An outcome's name as people write it.
std::string words_of(std::string outcome) {
  std::replace(outcome.begin(), outcome.end(), '_', ' ');
  return outcome;
}

/// Of a claim that was over before anything could be said about it.
std::string outcome_without_claim(const Running& run) {
  if (run.stopping == Stopping::lease_lost) return "lease_lost";
  return run.limit->total ? "timed_out" : "failed";
}

}  // namespace

std::optional<Command> CommandWorker::outcome_of(const Running& run, const ChildProcess::Ended& ended,
                                                 std::string& outcome) const {
  const JobId id = run.job.id;
  const Token token = run.job.token;
  const auto fail = [&](const std::string& sentence, const std::string& kind) {
    outcome = "failed";
    std::string error = run.child->errors_tail();
    if (error.empty()) error = sentence;
    return Fail{.job = id, .token = token, .error = Envelope(std::move(error)), .error_kind = kind};
  };
  switch (run.stopping) {
    case Stopping::lease_lost:
    case Stopping::out_of_time:
      outcome = outcome_without_claim(run);
      return std::nullopt;
    case Stopping::cancelled:
    case Stopping::shutdown:
      outcome = run.stopping == Stopping::cancelled ? "cancelled" : "released";
      return Release{.job = id, .token = token};
    case Stopping::timed_out:
      return fail("ran longer than " + to_string(*options_.timeout), "timeout");
    case Stopping::no:
      break;
  }
  if (!ended.succeeded()) return fail(ended.text(), ended.signal != 0 ? "crash" : "exit");
  outcome = "completed";
  return Complete{.job = id, .token = token, .result = Envelope(run.child->output_tail())};
}

void CommandWorker::finish(std::vector<Running> ended) {
  // All are submitted before one is waited for, so that they share a sync.
  std::vector<Finished> all;
  for (Running& run : ended) {
    Finished finished{.run = std::move(run), .ended = {}, .outcome = {}, .recorded = {}};
    finished.ended = finished.run.child->reap();
    if (auto command = outcome_of(finished.run, *finished.ended, finished.outcome)) {
      Submission submission{.commands = {*std::move(command)}, .context = context(common_)};
      finished.recorded = book_.submit(std::move(submission));
    }
    all.push_back(std::move(finished));
  }
  for (Finished& finished : all) {
    std::string refusal;
    if (finished.recorded) {
      if (const auto answer = finished.recorded->get(); !answer) {
        finished.outcome = "refused";
        refusal = answer.error().sentence;
        if (answer.error().code == RefusalCode::lease_lost) {
          finished.run.stopping = end_of_claim(finished.run);
          finished.outcome = outcome_without_claim(finished.run);
          if (finished.run.stopping == Stopping::out_of_time) refusal.clear();
        }
      }
    }
    report(finished, refusal);
    claimer_->free_slot();
  }
}

void CommandWorker::report(const Finished& finished, const std::string& refusal) {
  ++outcomes_[finished.outcome];
  const auto job = book_.job(finished.run.job.id);
  const double seconds = std::chrono::duration<double>(now() - finished.run.started).count();
  if (job && common_.json) {
    Json object = job_json(*job);
    object["outcome"] = finished.outcome;
    object["attempt_made"] = finished.run.job.attempt;
    if (finished.ended && finished.ended->signal != 0) {
      object["signal"] = finished.ended->signal;
    } else if (finished.ended) {
      object["exit_status"] = finished.ended->exit_status;
    }
    object["seconds"] = seconds;
    print_json(object);
  }
  char took[32];
  std::snprintf(took, sizeof took, "%.2fs", seconds);
  std::string line = to_string(finished.run.job.id) + "  " + sanitized(finished.run.job.kind) + "  attempt " +
                     std::to_string(finished.run.job.attempt) + "  " + took + "  " + ending_of(finished, job);
  if (!refusal.empty()) line += ": " + sanitized(refusal);
  tell(line);
}

std::string CommandWorker::ending_of(const Finished& finished, const Result<JobInfo>& job) {
  if (!finished.ended) return "not started, its claim was over before";
  if (finished.outcome == "lease_lost") return "lease lost, its outcome does not count";
  std::string text = words_of(finished.outcome);
  const bool out_of_time = finished.run.stopping == Stopping::out_of_time;
  if (finished.outcome != "failed" && !out_of_time) return text;
  if (out_of_time) {
    const TimeLimit& limit = *finished.run.limit;
    text += (limit.total ? ", ran past its total timeout of " : ", ran longer than its run timeout of ") +
            to_string(limit.length);
  } else {
    text += ", " + finished.ended->text();
  }
  if (!job) return text;
  if (job->phase == Phase::dead) {
    text += ", dead: " + std::string(to_string(job->dead_reason));
  } else {
    text += job->phase == Phase::cancelled ? ", cancelled" : ", again at " + to_string(job->due_at);
  }
  // Of a job that ran out of time the error says the same again, or speaks of an attempt before.
  return out_of_time ? text : text + ": " + excerpt(job->error.bytes(), 80);
}

void CommandWorker::tell_summary() const {
  std::string parts;
  std::uint64_t total = 0;
  for (const auto& [outcome, count] : outcomes_) {
    parts += (parts.empty() ? ": " : ", ") + grouped(count) + " " + words_of(outcome);
    total += count;
  }
  tell(counted(total, "attempt") + parts);
  if (left_in_paused_ > 0) tell(counted(left_in_paused_, "job") + " left in a paused queue");
}

}  // namespace daybook::cli
