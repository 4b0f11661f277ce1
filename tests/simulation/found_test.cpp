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

// The segment that a backup ends with was padded for a disk that garbles no block: what was acknowledged in it after the restore was lost
// with the block that the next batch shared.
TEST(Found, ARestoredBookIsPaddedForADiskThatGarblesWholeBlocks) {
  expect_kept({.options = {.segment_bytes_min = 9000,
                           .segment_bytes_max = 18000,
                           .commit_alignment = 4096,
                           .payload_bytes = 100,
                           .batch_bytes = 300,
                           .index = false,
                           .chance = 14562426151154655774u},
               .actions = {
                   {Kind::restore, 2351452023u},
                   {Kind::lose_power_soon, 3601762810u},
                   {Kind::claim, 4088864408u},
                   {Kind::step, 1549816677u},
               }});
}

}  // namespace
}  // namespace daybook::simulation
