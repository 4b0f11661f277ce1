// SPDX-License-Identifier: Apache-2.0
#pragma once

// FamilyBook: a MemoryBook whose jobs have parents, with verbs for what ends them.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/memory_book.hpp"

namespace daybook::testing {

class FamilyBook : public MemoryBook {
 public:
  FamilyBook() { done(RaiseFeatureLevel{}); }

  static Schedule child_of(std::vector<Parent> parents, RunWhen run_when = RunWhen::succeeded,
                           Otherwise otherwise = Otherwise::fail) {
    Schedule command{.queue = "mail", .kind = "send", .retry = {.max_attempts = 1}};
    command.parents = std::move(parents);
    if (command.parents.empty()) return command;
    command.run_when = run_when;
    if (run_when != RunWhen::always) command.otherwise = otherwise;
    return command;
  }
  JobId add(std::vector<Parent> parents = {}, RunWhen run_when = RunWhen::succeeded,
            Otherwise otherwise = Otherwise::fail) {
    return schedule(child_of(std::move(parents), run_when, otherwise));
  }

  /// The claim of this job, and of no other.
  ClaimedJob claim_of(const JobId& id) {
    ClaimedJob found;
    for (const ClaimedJob& claimed : claim({.queues = {"mail"}, .worker = "w1", .count = 1000})) {
      if (claimed.id == id) {
        found = claimed;
      } else {
        done(Release{claimed.id, claimed.token});
      }
    }
    EXPECT_EQ(found.id, id) << "it cannot be claimed";
    return found;
  }
  void complete(const JobId& id, const std::string& result = "result") {
    done(Complete{id, claim_of(id).token, Envelope(result)});
    settle();
  }
  void die(const JobId& id) {
    done(Fail{.job = id, .token = claim_of(id).token, .error = "no", .retryable = false});
    settle();
  }
  void cancel(const JobId& id) {
    done(Cancel{id});
    settle();
  }
  void retry(const JobId& id) {
    done(Retry{id});
    settle();
  }
  [[nodiscard]] std::string shown(const JobId& id) const { return std::string(to_string(state_of(id))); }
};

}  // namespace daybook::testing
