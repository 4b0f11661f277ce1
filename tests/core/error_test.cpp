// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace daybook {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StorageError, SaysWhereWhatAndWhy) {
  const StorageError error({"log/0000000001.seg", 8192, Sequence(455)}, ENOSPC, "cannot write a batch of 300 bytes");
  EXPECT_STREQ(
      error.what(),
      "log/0000000001.seg: offset 8192: sequence 455: cannot write a batch of 300 bytes: No space left on device "
      "(errno 28)");
  EXPECT_EQ(error.error_number(), ENOSPC);
  EXPECT_EQ(error.place().offset, 8192U);
}

TEST(StorageError, LeavesOutWhatIsNotKnown) {
  EXPECT_STREQ(StorageError({"LOCK", {}, {}}, 0, "held by process 17").what(), "LOCK: held by process 17");
  EXPECT_STREQ(StorageError({}, EIO, "cannot sync").what(), "cannot sync: Input/output error (errno 5)");
}

TEST(CorruptionError, NamesTheDamageAndThePlace) {
  const CorruptionError error(Damage::lost_acknowledged, {"log/witness", {}, Sequence(9)},
                              "the log ends at 7, expected 9");
  EXPECT_STREQ(error.what(), "log/witness: sequence 9: lost acknowledged: the log ends at 7, expected 9");
  EXPECT_EQ(error.damage(), Damage::lost_acknowledged);
  EXPECT_EQ(error.place().path, "log/witness");
}

TEST(CorruptionError, AHostileFileNameIsEscaped) {
  EXPECT_THAT(CorruptionError(Damage::foreign, {"\x1b[2J.seg", {}, {}}, "x").what(), Not(HasSubstr("\x1b")));
}

TEST(Damage, EveryKindHasItsWords) {
  EXPECT_EQ(to_string(Damage::corrupt_sealed_segment), "corrupt sealed segment");
  EXPECT_EQ(to_string(Damage::corrupt_middle), "corrupt middle");
  EXPECT_EQ(to_string(Damage::lost_acknowledged), "lost acknowledged");
  EXPECT_EQ(to_string(Damage::foreign), "foreign");
  EXPECT_EQ(to_string(Damage::unknown_format), "unknown format");
  EXPECT_EQ(to_string(Damage::drifted_state), "drifted state");
}

}  // namespace
}  // namespace daybook
