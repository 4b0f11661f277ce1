// SPDX-License-Identifier: Apache-2.0
#include "daybook/log_sink.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "daybook/core/escape.hpp"

namespace daybook {

namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

std::function<void(LogLevel, const std::string&)> log_sink(const std::string& name) {
  std::shared_ptr<spdlog::logger> logger = spdlog::get(name);
  if (!logger) logger = spdlog::stderr_logger_mt(name);
  return [logger](LogLevel level, const std::string& sentence) { logger->log(level_of(level), escaped(sentence)); };
}

}  // namespace daybook
