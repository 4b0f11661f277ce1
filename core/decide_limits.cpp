// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "daybook/core/escape.hpp"
#include "daybook/core/limits.hpp"
#include "draft.hpp"
#include "rules.hpp"

// How much of a queue may run and start, and the shares of its groups. What follows from them for a claim is selection.cpp's.

namespace daybook {
namespace {

Refused check_running(std::string_view what, std::optional<std::uint32_t> running) {
  if (!running || *running <= limits::running_max) return std::nullopt;
  return Refusal{RefusalCode::invalid_argument, std::string(what) + " " + std::to_string(*running) + ": at most " +
                                                    std::to_string(limits::running_max) + "; 0 lifts the limit"};
}

Refused check_rate(std::string_view what, const std::optional<Rate>& rate) {
  if (!rate || !rate->limited()) return std::nullopt;
  if (rate->starts > limits::rate_starts_max || rate->burst > limits::rate_starts_max) {
    return Refusal{RefusalCode::invalid_argument, std::string(what) + " of " + std::to_string(rate->starts) +
                                                      " starts and a burst of " + std::to_string(rate->burst) +
                                                      ": at most " + std::to_string(limits::rate_starts_max) + " each"};
  }
  if (rate->per < limits::rate_period_min || rate->per > limits::rate_period_max) {
    return Refusal{RefusalCode::invalid_argument, std::string(what) + " in every " + to_string(rate->per) +
                                                      ": expected " + to_string(limits::rate_period_min) + " to " +
                                                      to_string(limits::rate_period_max)};
  }
  return std::nullopt;
}

void change(Rate& rate, const std::optional<Rate>& asked) {
  if (!asked) return;
  rate = asked->limited() ? *asked : Rate();
  if (rate.burst == 0) rate.burst = rate.starts;
}

}  // namespace

Refused judge(Draft& draft, const SetLimits& command) {
  if (auto refused = check_text("queue", command.queue)) return refused;
  if (auto refused = check_running("running", command.running)) return refused;
  if (auto refused = check_running("running per group", command.running_per_group)) return refused;
  if (auto refused = check_rate("a rate", command.rate)) return refused;
  if (auto refused = check_rate("a rate per group", command.rate_per_group)) return refused;
  const NameId id = draft.name(NameSort::queue, command.queue);
  const Queue* queue = draft.view.queue(id);
  const QueueLimits before = queue ? queue->limits : QueueLimits();
  QueueLimits limits = command.clear ? QueueLimits() : before;
  limits.running = command.running.value_or(limits.running);
  limits.running_per_group = command.running_per_group.value_or(limits.running_per_group);
  change(limits.rate, command.rate);
  change(limits.rate_per_group, command.rate_per_group);
  if (limits != before) draft.add(LimitsSet{id, limits});
  return std::nullopt;
}

Refused judge(Draft& draft, const SetWeight& command) {
  if (auto refused = check_text("queue", command.queue)) return refused;
  if (auto refused = check_text("group", command.group)) return refused;
  if (command.weight < 1 || command.weight > limits::weight_max) {
    return Refusal{RefusalCode::invalid_argument,
                   "a weight of " + std::to_string(command.weight) + ": 1 to " + std::to_string(limits::weight_max)};
  }
  const NameId queue = draft.name(NameSort::queue, command.queue);
  const NameId id = draft.name(NameSort::group, command.group);
  const Group* group = draft.view.group(queue, id);
  if ((group ? group->weight : 1) != command.weight) draft.add(WeightSet{queue, id, command.weight});
  return std::nullopt;
}

}  // namespace daybook
