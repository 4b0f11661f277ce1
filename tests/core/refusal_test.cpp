// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/refusal.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace daybook {
namespace {

TEST(Refusal, EveryCodeHasItsOwnStableName) {
  std::set<std::string_view> names;
  for (std::uint16_t code = 1; code <= 30; ++code) {
    const std::string_view name = to_string(static_cast<RefusalCode>(code));
    EXPECT_NE(name, "unknown") << code;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(to_string(static_cast<RefusalCode>(31)), "unknown") << "a new code is missing in this test";
  EXPECT_EQ(to_string(static_cast<RefusalCode>(0)), "unknown");
  EXPECT_EQ(to_string(RefusalCode::lease_lost), "lease_lost");
  EXPECT_EQ(to_string(RefusalCode::too_old), "too_old");
}

TEST(Refusal, RefuseMakesAResultThatHoldsIt) {
  const Result<int> result = refuse(RefusalCode::no_such_job, "job 17 was never scheduled", 17);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), (Refusal{RefusalCode::no_such_job, "job 17 was never scheduled", 17}));
}

}  // namespace
}  // namespace daybook
