// SPDX-License-Identifier: Apache-2.0
#include "daybook/log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>

namespace daybook {
namespace {

TEST(LogSink, HandsLevelAndEscapedSentenceToTheNamedLogger) {
  std::ostringstream written;
  auto logger = std::make_shared<spdlog::logger>("book", std::make_shared<spdlog::sinks::ostream_sink_st>(written));
  logger->set_pattern("%l %v");
  spdlog::register_logger(logger);
  const auto sink = log_sink("book");
  sink(LogLevel::warning, "the index of \"mail\033[31m\" failed");
  sink(LogLevel::info, "opened");
  spdlog::drop("book");
  EXPECT_THAT(written.str(),
              testing::AllOf(testing::HasSubstr("warning the index of"), testing::HasSubstr("info opened"),
                             testing::Not(testing::HasSubstr("\033"))));
}

}  // namespace
}  // namespace daybook
