// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "support/generators.hpp"

namespace daybook {
namespace {

using ::testing::HasSubstr;

TEST(Ids, AreWrittenWithTheTagOfTheirHistory) {
  EXPECT_EQ(to_string(JobId{Sequence(17), GenerationTag(0x9f3ac1d2)}), "17-9f3ac1d2");
  EXPECT_EQ(to_string(Token{Sequence(31), GenerationTag(0x2a)}), "31-0000002a");
}

TEST(Ids, AnIdWithoutATagMeansTheHistoryOfTheBook) {
  EXPECT_EQ(parse_job_id("17"), (JobId{Sequence(17), GenerationTag(0)}));
  EXPECT_EQ(to_string(JobId{Sequence(17), GenerationTag(0)}), "17");
}

TEST(Ids, ATokenNeedsItsTag) {
  const auto token = parse_token("31");
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, RefusalCode::invalid_argument);
  EXPECT_THAT(token.error().sentence, HasSubstr("31-9f3ac1d2"));
}

TEST(Ids, HexadecimalDigitsMayBeOfEitherCase) {
  EXPECT_EQ(parse_job_id("17-9F3AC1D2"), (JobId{Sequence(17), GenerationTag(0x9f3ac1d2)}));
}

TEST(Ids, WhatIsNoIdIsRefusedWithAnExample) {
  for (const char* text : {"",
                           "-",
                           "0",
                           "0-9f3ac1d2",
                           "017",
                           "+17",
                           "-17",
                           " 17",
                           "17 ",
                           "17-",
                           "17-9f3ac1d",
                           "17-9f3ac1d22",
                           "17-9f3ac1dg",
                           "17-00000000",
                           "17_9f3ac1d2",
                           "-9f3ac1d2",
                           "seventeen",
                           "1.5",
                           "18446744073709551616",
                           "17-9f3ac1d2-"}) {
    const auto id = parse_job_id(text);
    ASSERT_FALSE(id) << text;
    EXPECT_EQ(id.error().code, RefusalCode::invalid_argument);
    EXPECT_THAT(id.error().sentence, HasSubstr("17-9f3ac1d2")) << text;
    EXPECT_FALSE(parse_token(text)) << text;
  }
  EXPECT_TRUE(parse_job_id("18446744073709551615"));
}

TEST(Ids, ARefusalShowsTheTextEscaped) {
  EXPECT_THAT(parse_job_id("17\x1b[2J").error().sentence, HasSubstr(R"("17\x1b[2J")"));
}

TEST(Ids, UuidsHaveTheUsualForm) {
  Uuid uuid;
  for (std::size_t i = 0; i < 16; ++i) uuid.bytes[i] = static_cast<std::uint8_t>(i * 17);
  EXPECT_EQ(to_string(uuid), "00112233-4455-6677-8899-aabbccddeeff");
  for (const char* text : {"", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899-aabbccddeeffa",
                           "0011223344556677-8899-aabbccddeeff000", "00112233-4455-6677-8899-aabbccddeefg"}) {
    EXPECT_FALSE(parse_uuid(text)) << text;
  }
}

RC_GTEST_PROP(Ids, WhatIsWrittenIsReadBack, (const JobId& id, const Token& token, const Uuid& uuid)) {
  RC_ASSERT(parse_job_id(to_string(id)) == id);
  RC_ASSERT(parse_token(to_string(token)) == token);
  RC_ASSERT(parse_uuid(to_string(uuid)) == uuid);
}

}  // namespace
}  // namespace daybook
