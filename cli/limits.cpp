// SPDX-License-Identifier: Apache-2.0
// Limits of queues and weights of groups, and how they are shown.
#include "daybook/core/limits.hpp"

#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "limits_output.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

Json rate_json(const Rate& rate) {
  return {{"starts", rate.starts}, {"per", to_string(rate.per)}, {"burst", rate.burst}};
}

struct LimitOptions {
  SetLimits command;
  std::optional<std::uint32_t> burst;
  std::optional<std::uint32_t> burst_per_group;
};

void add_burst(std::optional<Rate>& rate, const std::optional<std::uint32_t>& burst, const std::string& option) {
  if (!burst) return;
  if (!rate) throw UsageError("a burst of what? Give " + option + " 100/s with it");
  rate->burst = *burst;
}

int set_limits(const Common& common, LimitOptions options) {
  SetLimits& command = options.command;
  add_burst(command.rate, options.burst, "--rate");
  add_burst(command.rate_per_group, options.burst_per_group, "--rate-per-group");
  if (!command.clear && !command.running && !command.running_per_group && !command.rate && !command.rate_per_group) {
    throw UsageError(
        "which limit? Give --max-running 10 or --rate 100/s, say, or --clear; daybook stat shows what is set");
  }
  Daybook book = open_book(common);
  execute(book, common, command);
  QueueLimits limits;
  book.look([&](const View& view, const Moment&) {
    const auto id = view.find_name(NameSort::queue, command.queue);
    const Queue* queue = id ? view.queue(*id) : nullptr;
    if (queue != nullptr) limits = queue->limits;
  });
  book.close();
  if (common.json) {
    print_json({{"queue", command.queue}, {"limits", limits_json(limits)}});
  } else {
    print(sanitized(command.queue) + ": " + limits_text(limits));
  }
  return static_cast<int>(Exit::fine);
}

int set_weight(const Common& common, const SetWeight& command) {
  if (command.weight < 1 || command.weight > limits::weight_max) {
    throw UsageError("a weight of " + std::to_string(command.weight) + ": give 1 to " +
                     std::to_string(limits::weight_max));
  }
  Daybook book = open_book(common);
  execute(book, common, command);
  book.close();
  if (common.json) {
    print_json({{"queue", command.queue}, {"group", command.group}, {"weight", command.weight}});
  } else {
    print(sanitized(command.group) + " in " + sanitized(command.queue) + ": weight " + std::to_string(command.weight));
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

Json limits_json(const QueueLimits& limits) {
  Json object = Json::object();
  if (limits.running != 0) object["running"] = limits.running;
  if (limits.running_per_group != 0) object["running_per_group"] = limits.running_per_group;
  if (limits.rate.limited()) object["rate"] = rate_json(limits.rate);
  if (limits.rate_per_group.limited()) object["rate_per_group"] = rate_json(limits.rate_per_group);
  return object;
}

std::string limits_text(const QueueLimits& limits) {
  std::string text;
  const auto add = [&](const std::string& one) { text += (text.empty() ? "" : ", ") + one; };
  if (limits.running != 0) add("at most " + std::to_string(limits.running) + " at once");
  if (limits.rate.limited()) add(to_string(limits.rate));
  if (limits.running_per_group != 0) {
    add("at most " + std::to_string(limits.running_per_group) + " at once of a group");
  }
  if (limits.rate_per_group.limited()) add(to_string(limits.rate_per_group) + " of a group");
  return text.empty() ? "no limits" : text;
}

void add_limits(Tool& tool) {
  auto options = std::make_shared<LimitOptions>();
  SetLimits& limits = options->command;
  tool.verb("limits", "how much of a queue may run and start", Opens::writing)
      .about(
          "limits how many jobs of a queue run at once and how many start in a time, in all or for each group by "
          "itself.\n"
          "What is not named stays as it is; 0, or the rate none, lifts a limit. What runs already goes on.\n"
          "daybook stat shows the limits.")
      .argument("QUEUE", limits.queue, "its name; it need not have jobs yet")
      .option("--max-running", "N", limits.running, "at most so many run at once")
      .option("--max-running-per-group", "N", limits.running_per_group, "the same for each group")
      .option("--rate", "N/D", limits.rate, "so many start in a time: 100/s, 5/10m")
      .option("--rate-burst", "N", options->burst, "of these at once after a pause (all)")
      .option("--rate-per-group", "N/D", limits.rate_per_group, "the same for each group")
      .option("--rate-per-group-burst", "N", options->burst_per_group, "of these at once after a pause (all)")
      .flag("--clear", limits.clear, "lift every limit that is not given here")
      .takes_reason()
      .example(
          "  $ daybook limits mail --max-running 10 --rate 100/s --reason \"what the provider allows\"\n"
          "  mail: at most 10 at once, 100/1s\n")
      .runs([&tool, options] { return set_limits(tool.common(), *options); });

  auto weight = std::make_shared<SetWeight>();
  tool.verb("weight", "the share of a group in its queue", Opens::writing)
      .about(
          "gives a group its weight: how many of its jobs start before it is another group's turn.\n"
          "Every group has the weight 1 unless it is given another.")
      .argument("QUEUE", weight->queue, "the queue")
      .argument("GROUP", weight->group, "the group, as jobs name it with --group")
      .argument("N", weight->weight, "1 to 1000")
      .takes_reason()
      .example("  $ daybook weight mail customer-7 3\n  customer-7 in mail: weight 3\n")
      .runs([&tool, weight] { return set_weight(tool.common(), *weight); });
}

}  // namespace daybook::cli
