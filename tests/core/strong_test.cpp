// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/strong.hpp"

#include <gtest/gtest.h>

#include <concepts>

#include "daybook/core/ids.hpp"

namespace daybook {
namespace {

static_assert(!std::convertible_to<std::uint64_t, Sequence>, "a raw number is not a sequence");
static_assert(!std::convertible_to<Sequence, Epoch>, "a sequence is not an epoch");
static_assert(!std::constructible_from<Epoch, Sequence>, "a sequence is not an epoch");

TEST(Strong, OrdersByItsValue) {
  EXPECT_LT(Sequence(1), Sequence(2));
  EXPECT_EQ(Sequence(1).next(), Sequence(2));
}

}  // namespace
}  // namespace daybook
