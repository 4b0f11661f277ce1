// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "support/generators.hpp"

namespace daybook {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Names, MayBeAnyCleanTextOf1To128Bytes) {
  EXPECT_TRUE(check_name("queue", "mail"));
  EXPECT_TRUE(check_name("queue", "a"));
  EXPECT_TRUE(check_name("queue", std::string(128, 'x')));
  EXPECT_TRUE(check_name("queue", "Grüße an 日本 😀"));
}

TEST(Names, OthersAreRefusedAndTheRefusalNamesTheThingAndTheRule) {
  const auto sentence = [](std::string_view text) {
    const auto result = check_name("queue", text);
    EXPECT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, RefusalCode::invalid_argument);
    EXPECT_THAT(result.error().sentence, StartsWith("queue "));
    return result.error().sentence;
  };
  EXPECT_THAT(sentence(""), HasSubstr("empty"));
  EXPECT_THAT(sentence(std::string(129, 'x')), HasSubstr("129 bytes, expected at most 128"));
  EXPECT_THAT(sentence("a\nb"), HasSubstr("control character at byte 1"));
  EXPECT_THAT(sentence(std::string("ab\0", 3)), HasSubstr("control character at byte 2"));
  EXPECT_THAT(sentence("\x7f"), HasSubstr("control character"));
  EXPECT_THAT(sentence("\xc2\x85"), HasSubstr("control character"));
  EXPECT_THAT(sentence("mail\xff"), HasSubstr("not valid UTF-8 at byte 4"));
}

RC_GTEST_PROP(Names, GeneratedNamesAreNames, ()) {
  RC_ASSERT(check_name("name", *generate::name()).has_value());
}

TEST(Utf8, IsJudgedStrictly) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("a\n\u00e9\u65e5\U0001f600\U0010ffff"));
  for (const char* text :
       {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80", "\xe6\x97"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

}  // namespace
}  // namespace daybook
