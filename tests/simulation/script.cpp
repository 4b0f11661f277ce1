// SPDX-License-Identifier: Apache-2.0
#include "script.hpp"

#include <sstream>

#include "actions.hpp"
#include "choices.hpp"

namespace daybook::simulation {

namespace {

Options options_of(Choices& choices, bool index) {
  Options options;
  options.commit_alignment = choices.one_of({8U, 8U, 512U, 4096U});
  options.segment_bytes_min = choices.one_of<std::uint64_t>({9'000, 12 * 1024, 20 * 1024});
  options.segment_bytes_max = options.segment_bytes_min * choices.one_of<std::uint64_t>({1, 2, 4});
  options.payload_bytes = choices.one_of<std::size_t>({100, 1000});
  options.batch_bytes = choices.one_of<std::size_t>({300, 5000});
  options.index = index;
  options.chance = choices.any();
  return options;
}

Kind draw(Choices& choices) {
  std::uint32_t all = 0;
  for (const ActionEntry& entry : action_table()) all += entry.weight;
  auto left = static_cast<std::uint32_t>(choices.below(all));
  for (const ActionEntry& entry : action_table()) {
    if (left < entry.weight) return entry.kind;
    left -= entry.weight;
  }
  return Kind::step;
}

}  // namespace

std::string_view to_string(Kind kind) {
  return action_table().at(static_cast<std::size_t>(kind)).name;
}

Script script_of(std::uint64_t seed, bool index) {
  Choices choices(seed);
  Script script;
  script.options = options_of(choices, index);
  const std::size_t length = choices.once_in(30) ? 500 : 40 + choices.below(80);
  for (std::size_t left = length; left > 0; --left) {
    const Kind kind = draw(choices);
    script.actions.push_back({kind, static_cast<std::uint32_t>(choices.any())});
  }
  return script;
}

std::string as_code(const Script& script) {
  const Options& options = script.options;
  std::ostringstream out;
  out << "TEST(Found, NameMe) {\n  expect_kept({.options = {.segment_bytes_min = " << options.segment_bytes_min << ",\n"
      << std::string(27, ' ') << ".segment_bytes_max = " << options.segment_bytes_max << ",\n"
      << std::string(27, ' ') << ".commit_alignment = " << options.commit_alignment << ",\n"
      << std::string(27, ' ') << ".payload_bytes = " << options.payload_bytes << ",\n"
      << std::string(27, ' ') << ".batch_bytes = " << options.batch_bytes << ",\n"
      << std::string(27, ' ') << ".index = " << (options.index ? "true" : "false") << ",\n"
      << std::string(27, ' ') << ".chance = " << options.chance << "u},\n               .actions = {\n";
  for (const Action& action : script.actions) {
    out << "                   {Kind::" << to_string(action.kind) << ", " << action.choice << "u},\n";
  }
  out << "               }});\n}\n";
  return out.str();
}

}  // namespace daybook::simulation
