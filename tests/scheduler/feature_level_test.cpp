// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "daybook/log/log_reader.hpp"
#include "support/engine_book.hpp"

// A log says in its segments what it may hold, before it holds it: releases of the level before refuse it by that.

namespace daybook {
namespace {

class FeatureLevelTest : public testing::Test {
 protected:
  FeatureLevelTest() {
    book.log_options.feature_level = limits::feature_level_first;
    book.open();
  }
  Result<std::vector<Answer>> submit(std::vector<Command> commands) {
    Result<std::vector<Answer>> answers = tl::unexpected<Refusal>(Refusal{});
    book.engine->submit({.commands = std::move(commands), .context = {}},
                        [&](Reply reply) { answers = std::move(reply.answers); });
    book.step();
    return answers;
  }
  test::EngineBook book;
};

TEST_F(FeatureLevelTest, TheLogIsRaisedWhereverInABatchTheRaiseStands) {
  ASSERT_EQ(LogReader(book.storage).feature_level(), limits::feature_level_first);
  ASSERT_TRUE(submit({test::EngineBook::mail(), RaiseFeatureLevel{}}).has_value());
  EXPECT_EQ(book.log->feature_level(), limits::feature_level_highest);
  EXPECT_EQ(LogReader(book.storage).feature_level(), limits::feature_level_highest) << "the last segment says so";
  EXPECT_EQ(book.book().feature_level, limits::feature_level_highest);
  book.close();
  book.open();
  EXPECT_EQ(book.book().feature_level, limits::feature_level_highest);
}

TEST_F(FeatureLevelTest, ALevelThatIsNotKnownRaisesNothing) {
  EXPECT_FALSE(submit({RaiseFeatureLevel{limits::feature_level_highest + 1}}).has_value());
  EXPECT_EQ(book.log->feature_level(), limits::feature_level_first);
}

}  // namespace
}  // namespace daybook
