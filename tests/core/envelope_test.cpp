// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/envelope.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/generators.hpp"

namespace daybook {
namespace {

TEST(Envelope, HoldsBytesPlain) {
  const Envelope envelope(std::string("a\0b", 3));
  EXPECT_EQ(envelope.bytes(), std::string_view("a\0b", 3));
  EXPECT_EQ(envelope.contents().codec, 0);
  EXPECT_FALSE(envelope.empty());
}

TEST(Envelope, EmptyOnesAreEqualHoweverTheyWereMade) {
  EXPECT_TRUE(Envelope().empty());
  EXPECT_TRUE(Envelope("").empty());
  EXPECT_TRUE(Envelope(Envelope::Contents()).empty());
  EXPECT_EQ(Envelope(), Envelope(""));
  EXPECT_EQ(Envelope().bytes(), "");
  EXPECT_EQ(Envelope().contents(), Envelope::Contents());
}

TEST(Envelope, ASubjectAloneIsNotNothing) {
  const Envelope envelope(Envelope::Contents{0, "customer-7", 0, {}, {}});
  EXPECT_FALSE(envelope.empty());
  EXPECT_FALSE(envelope == Envelope());
}

TEST(Envelope, IsComparedByContents) {
  EXPECT_EQ(Envelope("same"), Envelope(std::string("same")));
  EXPECT_FALSE(Envelope("same") == Envelope("other"));
  EXPECT_FALSE(Envelope("sealed") == Envelope(Envelope::Contents{1, {}, 0, {}, "sealed"}));
}

RC_GTEST_PROP(Envelope, ContentsComeBackAsTheyWere, (const Envelope& envelope)) {
  RC_ASSERT(Envelope(envelope.contents()) == envelope);
  RC_ASSERT(envelope.bytes() == envelope.contents().bytes);
}

}  // namespace
}  // namespace daybook
