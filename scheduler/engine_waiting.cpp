// SPDX-License-Identifier: Apache-2.0

// Those who wait in the engine: claims for something to claim, others for a job to become final.
#include <utility>

#include "daybook/core/assert.hpp"
#include "daybook/scheduler/engine.hpp"

namespace daybook {

namespace {

bool goes_on_waiting(const Result<std::vector<Answer>>& answers) {
  if (!answers) return answers.error().code == RefusalCode::clock_doubted;
  return std::get<Claimed>(answers->front()).jobs.empty();
}

}  // namespace

void Engine::submit_claim(Ticket ticket, Claim claim, Context context, BookTime until, Completion completion) {
  DAYBOOK_ASSERT(!context.request);
  Submission submission{.commands = {std::move(claim)}, .context = std::move(context)};
  waiting_.push_back({ticket, std::move(submission), until, std::move(completion)});
  available_ = true;  // it has not been tried yet
}

void Engine::submit_wait(Ticket ticket, JobId job, BookTime until, Look look, Completion completion) {
  waiting_looks_.push_back({ticket, job, until, std::move(look), std::move(completion), false});
}

void Engine::withdraw(Ticket ticket) {
  for (WaitingClaim& claim : waiting_) {
    if (claim.ticket == ticket) claim.withdrawn = true;
  }
  for (WaitingLook& wait : waiting_looks_) {
    if (wait.ticket == ticket) wait.withdrawn = true;
  }
}

void Engine::withdraw_all() {
  for (WaitingClaim& claim : waiting_) claim.withdrawn = true;
  for (WaitingLook& wait : waiting_looks_) wait.withdrawn = true;
}

void Engine::serve_waiting(const Moment& now) {
  available_ = false;
  crowded_ = false;
  for (auto claim = waiting_.begin(); claim != waiting_.end() && !poison_;) {
    if (claim->withdrawn) {
      ++claim;
      continue;
    }
    Outcome outcome = execute_safely(claim->submission, now);
    take(outcome);
    if (goes_on_waiting(outcome.answers)) {
      claim->held_back = outcome.held_back;
      crowded_ = crowded_ || outcome.held_back.by_running;
      ++claim;
      continue;
    }
    unsynced_.emplace_back(std::move(claim->completion), Reply{std::move(outcome.answers), nullptr});
    claim = waiting_.erase(claim);
  }
}

void Engine::end_waiting(const Moment& now) {
  for (auto claim = waiting_.begin(); claim != waiting_.end();) {
    if (!claim->withdrawn && claim->until > now.book) {
      ++claim;
      continue;
    }
    Reply reply{std::vector<Answer>{Claimed{}}, nullptr};
    if (!claim->withdrawn && store_->book().clock_doubted) {  // whoever waited in vain learns why
      Outcome outcome = execute_safely(claim->submission, now);
      take(outcome);
      reply.answers = std::move(outcome.answers);
    }
    unsynced_.emplace_back(std::move(claim->completion), std::move(reply));
    claim = waiting_.erase(claim);
  }
}

// Everybody's job is looked at in every step: a hash lookup each, and those who wait are seldom many.
void Engine::serve_looks(const Moment& now) {
  for (auto wait = waiting_looks_.begin(); wait != waiting_looks_.end();) {
    const Job* job = ask_store([&] { return store_->job(wait->job.sequence); });
    const bool ours = job && (wait->job.generation == GenerationTag() || wait->job.generation == job->id.generation);
    if (ours && !is_final(job->state) && !wait->withdrawn && wait->until > now.book) {
      ++wait;
      continue;
    }
    run(wait->look, wait->completion, now);
    wait = waiting_looks_.erase(wait);
  }
}

}  // namespace daybook
