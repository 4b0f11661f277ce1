// SPDX-License-Identifier: Apache-2.0

// Lives that once went wrong, shortened, with a name. `simulation_tests` prints new ones in this form.
#include <gtest/gtest.h>

#include "campaign.hpp"

namespace daybook::simulation {
namespace {

void expect_kept(const Script& script) {
  Figures figures;
  EXPECT_EQ(live(script, figures), "");
}

TEST(Found, ALifeWithoutActionsKeepsItsPromises) {
  expect_kept({});
}

// The engine, stopped, asked an index that it had given up for the time.
TEST(Found, AnIndexThatFailsWhileTheLogCannotBeReadStopsTheEngineAndNotTheProgram) {
  expect_kept({.options = {.segment_bytes_min = 9000,
                           .segment_bytes_max = 36000,
                           .commit_alignment = 8,
                           .payload_bytes = 1000,
                           .batch_bytes = 5000,
                           .index = true,
                           .chance = 7942715545699306837u},
               .actions = {
                   {Kind::fail_soon, 1814821183u},
                   {Kind::index_err, 3416274666u},
                   {Kind::pass, 3549044962u},
                   {Kind::schedule, 3886177745u},
                   {Kind::step, 3158965914u},
                   {Kind::pass, 4098209925u},
               }});
}

}  // namespace
}  // namespace daybook::simulation
