// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/nearest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace daybook {
namespace {

constexpr std::array<std::string_view, 4> words = {"queue", "kind", "id", "due_at"};

TEST(Nearest, IsTheFewestEditsAway) {
  EXPECT_EQ(nearest("quue", words), "queue");
  EXPECT_EQ(nearest("queues", words), "queue");
  EXPECT_EQ(nearest("knid", words), "kind");
  EXPECT_EQ(nearest("queue", words), "queue");
}

TEST(Nearest, IsNothingWhenAllAreFarAway) {
  EXPECT_EQ(nearest("frobnicate", words), "");
  EXPECT_EQ(nearest("xy", words), "") << "two edits are all of it";
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest(std::string(1'000'000, 'x'), words), "");
  EXPECT_EQ(nearest("queue", {}), "");
}

}  // namespace
}  // namespace daybook
