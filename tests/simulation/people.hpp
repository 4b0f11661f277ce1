// SPDX-License-Identifier: Apache-2.0
#pragma once

// People: the clients and workers around a book. They know what they were told, and nothing else; what they were told they
// hold against the oracle.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "choices.hpp"
#include "daybook/core/answer.hpp"
#include "daybook/core/command.hpp"
#include "daybook/scheduler/engine.hpp"
#include "failure.hpp"
#include "oracle.hpp"
#include "script.hpp"

namespace daybook::simulation {

class People {
 public:
  People(const Oracle& oracle, Failure& failure) : oracle_(&oracle), failure_(&failure) {}

  // ---- asking; `now` is what a client sees on the wall
  [[nodiscard]] Command command(Kind kind, Choices& choices, Instant now) const;
  [[nodiscard]] Context context(Choices& choices);
  /// A request that was sent before; nothing when there was none.
  [[nodiscard]] std::optional<Submission> sent_before(Choices& choices) const;
  /// From here on `submission` may have happened.
  void send(const Submission& submission);

  // ---- hearing
  void step_begins() { batches_before_ = oracle_->batches(); }
  void hear(const Submission& submission, const Reply& reply, BookTime now);
  [[nodiscard]] std::uint64_t answered() const { return answered_; }

  // ---- dying
  void forget_worker(Choices& choices);
  void process_died();  // and every handler's claim with it
  void life_begins() { storage_failed_ = false; }
  /// The book goes on from a backup of `until`. People still know of what happened behind it, and it never did.
  void history_ends(Sequence until);

 private:
  struct Claimed {
    JobId job;
    Token token;
    std::string worker;
    Holder holder{};
  };

  [[nodiscard]] Schedule schedule(Choices& choices, Instant now) const;
  [[nodiscard]] Claimed claim_of(Choices& choices) const;
  [[nodiscard]] JobId job_of(Choices& choices) const;
  void hear_answer(const Command& command, const Answer& answer);
  void hear_of_job(const JobId& id);
  void hear_refusal(const Command& command, const Refusal& refusal);
  void expect_end(const Token& token, Ledger::End how);
  [[nodiscard]] bool was_scheduled(const JobId& id) const;
  void expect_job_of_this_history(const Command& command);
  void expect_first_answer(const Submission& submission, const Result<std::vector<Answer>>& answers, BookTime now);
  void drop_claim(const Token& token);

  const Oracle* oracle_;
  Failure* failure_;
  std::vector<JobId> jobs_;
  std::vector<Claimed> held_;
  std::vector<Claimed> gone_;
  std::vector<Submission> requests_;
  std::map<Sequence, std::string> first_answers_;  // by the first event of the request
  std::uint64_t batches_before_ = 0;               // this step
  std::uint32_t requests_made_ = 0;
  std::uint64_t answered_ = 0;
  bool storage_failed_ = false;
};

}  // namespace daybook::simulation
