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

// The disk kept the segment beside the stub that was made of it.
TEST(Found, ASegmentThatADropCouldNotRemoveIsNoProofOfANeedForSnapshots) {
  expect_kept({.options = {.segment_bytes_min = 9000,
                           .segment_bytes_max = 18000,
                           .commit_alignment = 8,
                           .payload_bytes = 1000,
                           .batch_bytes = 300,
                           .index = false,
                           .chance = 5913187326184855226u},
               .actions = {
                   {Kind::lose_power_soon, 2067811445u},
                   {Kind::drop, 3501716883u},
                   {Kind::kill, 1415874560u},
                   {Kind::recur, 4208539472u},
                   {Kind::pass, 1797417646u},
                   {Kind::snooze, 1465734350u},
                   {Kind::snapshot, 3413793161u},
                   {Kind::step, 3322585505u},
                   {Kind::err, 3842036605u},
                   {Kind::kill, 2468074580u},
                   {Kind::pass, 4142132131u},
                   {Kind::archive, 3217877208u},
                   {Kind::kill, 1460287255u},
                   {Kind::pass, 2326075675u},
                   {Kind::err, 172826893u},
                   {Kind::schedule, 1576369936u},
                   {Kind::repeat, 1403577087u},
                   {Kind::lose_power_soon, 2136032426u},
                   {Kind::schedule, 2256929612u},
                   {Kind::pass, 2035171050u},
                   {Kind::pass, 581043008u},
                   {Kind::batch, 98352395u},
                   {Kind::kill_soon, 1548156985u},
                   {Kind::step, 2793038662u},
                   {Kind::schedule, 115290391u},
                   {Kind::repeat, 3460656443u},
                   {Kind::drop, 315225217u},
               }});
}

}  // namespace
}  // namespace daybook::simulation
