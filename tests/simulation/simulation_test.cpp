// SPDX-License-Identifier: Apache-2.0

// A hundred thousand crashes in the suite; as many as wanted with `simulation_tests --crashes N --seed S`.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "campaign.hpp"

namespace daybook::simulation {
namespace {

constexpr std::uint64_t base_seed = 20'260'304;
constexpr std::uint64_t crashes_per_case = 25'000;

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Outcome run_and_tell(const Campaign& campaign, const std::string& name) {
  std::cout << "seed " << campaign.seed << '\n';
  Outcome outcome = run(campaign);
  std::cout << describe(outcome.figures);
  record(outcome.figures, name, campaign.seed);
  return outcome;
}

void expect_every_promise_kept(std::uint64_t seed, const std::string& name) {
  const Outcome outcome = run_and_tell({.seed = seed, .crashes = number_in("DAYBOOK_CRASHES", crashes_per_case)}, name);
  ASSERT_EQ(outcome.failure, "");
  if (outcome.figures.crashes() < crashes_per_case) return;  // too few to meet everything
  EXPECT_EQ(never_fired(outcome.figures), "") << "planned, and never met: the run has shown nothing of them";
}

TEST(Simulation, KeepsEveryPromiseInTheFirstQuarter) {
  expect_every_promise_kept(base_seed, "first");
}
TEST(Simulation, KeepsEveryPromiseInTheSecondQuarter) {
  expect_every_promise_kept(base_seed + 1, "second");
}
TEST(Simulation, KeepsEveryPromiseInTheThirdQuarter) {
  expect_every_promise_kept(base_seed + 2, "third");
}
TEST(Simulation, KeepsEveryPromiseFromASeedOfTheDay) {
  const std::uint64_t seed = number_in("DAYBOOK_SEED", std::random_device{}());
  std::cout << "repeat with DAYBOOK_SEED=" << seed << '\n';
  expect_every_promise_kept(seed, "of the day");
}

int soak(int argc, char** argv) {
  Campaign campaign{.seed = std::random_device{}(), .progress = true};
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--crashes") {
      campaign.crashes = value;
    } else if (option == "--seed") {
      campaign.seed = value;
    } else if (option == "--life") {
      std::cout << shortened(script_of(value, campaign.index_every == 1));
      return 0;
    } else if (option == "--index-every") {
      campaign.index_every = std::max<std::uint64_t>(1, value);
    } else {
      std::cerr << "unknown option " << option
                << "; known are --crashes N, --seed S, --index-every LIVES and --life SEED\n";
      return 2;
    }
  }
  const Outcome outcome = run_and_tell(campaign, "soak");
  if (!outcome.failure.empty()) std::cout << outcome.failure;
  return outcome.failure.empty() ? 0 : 1;
}

}  // namespace
}  // namespace daybook::simulation

int main(int argc, char** argv) {
  if (argc > 1 && !std::string(argv[1]).starts_with("--gtest")) return daybook::simulation::soak(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
