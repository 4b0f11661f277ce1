// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an operator does to many jobs at once: Daybook::operate.

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "daybook/core/command.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/filter.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/refusal.hpp"

namespace daybook {

struct OperateReport {
  struct Refused {
    std::uint64_t jobs = 0;
    std::string first;  // what was said of the first of them
  };
  Sequence command;           // of the OperatorCommanded; 0: nothing matched, and nothing is on record
  std::uint64_t matched = 0;  // and meant: at most Operation::limit
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;  // were so already, such as cancelled ones: nothing is recorded of them
  std::uint64_t refused = 0;

  /// Of those that matched: the rest when it stopped, or is under way, were not come to.
  [[nodiscard]] std::uint64_t done() const { return changed + unchanged + refused; }
  std::map<RefusalCode, Refused> refusals;
  bool stopped = false;  // by Operation::between: the rest is as it was
};

struct Operation {
  OperatorVerb verb{};
  Filter where;
  When due = {};                                                    // retry: at once unless given; reschedule
  std::string queue = {};                                           // move
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  // the first so many that match, by id
  Context context = {};                       // who and why; its cause is the command's, its request id must be unset
  std::size_t batch = limits::operate_batch;  // jobs changed under one wait, from 1
  /// Called on the caller's thread when a batch is durable; false stops. May take its time, to keep to a rate: nothing is held meanwhile.
  std::function<bool(const OperateReport& so_far)> between = {};
};

}  // namespace daybook
