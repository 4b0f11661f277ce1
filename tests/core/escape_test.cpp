// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/escape.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "daybook/core/names.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

TEST(Escape, PlainTextStaysAsItIs) {
  EXPECT_EQ(escaped(""), "");
  EXPECT_EQ(escaped("mail to grüße@日本 😀 \"quoted\""), "mail to grüße@日本 😀 \"quoted\"");
}

TEST(Escape, ControlCharactersCannotReachATerminal) {
  EXPECT_EQ(escaped("a\nb\tc"), R"(a\x0ab\x09c)");
  EXPECT_EQ(escaped("\x1b[31mred"), R"(\x1b[31mred)");
  EXPECT_EQ(escaped(std::string("\0\x7f", 2)), R"(\x00\x7f)");
  EXPECT_EQ(escaped("\xc2\x9b"
                    "2J"),
            R"(\u{9b}2J)");
}

TEST(Escape, TextCannotPretendToReadTheOtherWayOrBeInvisible) {
  EXPECT_EQ(escaped("\u202egnp.exe"), R"(\u{202e}gnp.exe)");
  EXPECT_EQ(escaped("\u2066x\u2069"), R"(\u{2066}x\u{2069})");
  EXPECT_EQ(escaped("\u2028"), R"(\u{2028})");
  EXPECT_EQ(escaped("\ufeff"), R"(\u{feff})");
  EXPECT_EQ(escaped("\U000e0041"), R"(\u{e0041})");
}

TEST(Escape, ABackslashIsDoubled) {
  EXPECT_EQ(escaped(R"(\x0a)"), R"(\\x0a)");
}

TEST(Escape, WhatIsNotUtf8IsShownByteByByte) {
  EXPECT_EQ(escaped("\xff\xfe"), R"(\xff\xfe)");
  EXPECT_EQ(escaped("\xc0\xaf"), R"(\xc0\xaf)") << "overlong";
  EXPECT_EQ(escaped("\xe0\x80\xaf"), R"(\xe0\x80\xaf)") << "overlong";
  EXPECT_EQ(escaped("\xed\xa0\x80"), R"(\xed\xa0\x80)") << "surrogate";
  EXPECT_EQ(escaped("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)") << "above U+10FFFF";
  EXPECT_EQ(escaped("a\xe6\x97"), R"(a\xe6\x97)") << "cut off";
  EXPECT_EQ(escaped("\x80"), R"(\x80)");
}

TEST(Escape, QuotedTextsEndWhereTheyEnd) {
  EXPECT_EQ(quoted("say \"hi\""), R"("say \"hi\"")");
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(quoted("abcdef", 6), R"("abcdef")");
  EXPECT_EQ(quoted("a日本", 3), "\"a…\"") << "a character is not cut in two";
}

RC_GTEST_PROP(Escape, TheResultIsAlwaysSafeToPrint, ()) {
  const std::string safe = escaped(*generate::bytes(300));
  RC_ASSERT(is_utf8(safe));
  RC_ASSERT(std::none_of(safe.begin(), safe.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }));
  // Nothing but backslashes is left to escape.
  std::string doubled;
  for (const char c : safe) doubled += c == '\\' ? std::string("\\\\") : std::string(1, c);
  RC_ASSERT(escaped(safe) == doubled);
}

RC_GTEST_PROP(Escape, DifferentTextsStayDifferent, ()) {
  const std::string one = *generate::bytes(40);
  const std::string other = *generate::bytes(40);
  RC_ASSERT((escaped(one) == escaped(other)) == (one == other));
}

}  // namespace
}  // namespace daybook
