// SPDX-License-Identifier: Apache-2.0
// Reading the words of a command line. Only shapes are judged here; whether a value is in range is for the rules in
// core, so that the tool and the library refuse alike.
#include "values.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <system_error>
#include <type_traits>

#include "child_process.hpp"
#include "exit.hpp"
#include "output.hpp"

namespace daybook::cli {

namespace {

template <class Number>
Result<void> read_number(const std::string& text, Number& into, const char* example) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, into);
  if (error == std::errc() && stopped == end) return {};
  if (error == std::errc::result_out_of_range) {
    return refuse(RefusalCode::invalid_argument,
                  daybook::quoted(text) + " is out of range: " + std::to_string(std::numeric_limits<Number>::min()) +
                      " to " + std::to_string(std::numeric_limits<Number>::max()));
  }
  constexpr const char* kind = std::is_signed_v<Number> ? "whole number" : "whole number of 0 or more";
  return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is not a " + kind + ", such as " + example);
}

template <class T>
Result<void> assign(Result<T> read, T& into) {
  if (!read) return tl::unexpected<Refusal>(std::move(read.error()));
  into = *std::move(read);
  return {};
}

}  // namespace

Result<void> read_value(const std::string& text, std::string& into) {
  // Whoever wrote '' meant something: a shell variable that is not set, most likely.
  if (text.empty())
    return refuse(RefusalCode::invalid_argument, "empty; leave it out where it may be, or give a value");
  into = text;
  return {};
}

Result<void> read_value(const std::string& text, std::uint32_t& into) {
  return read_number(text, into, "5");
}
Result<void> read_value(const std::string& text, std::uint64_t& into) {
  return read_number(text, into, "100");
}

Result<void> read_value(const std::string& text, Priority& into) {
  std::int32_t number = 0;
  if (auto read = read_number(text, number, "-5, 0 or 10"); !read) return read;
  into = Priority(number);
  return {};
}

Result<void> read_value(const std::string& text, Duration& into) {
  return assign(parse_duration(text), into);
}
Result<void> read_value(const std::string& text, Rate& into) {
  if (text == "none") {
    into = Rate();
    return {};
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) {
    return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is no rate: expected 100/s, 5/10m or none");
  }
  if (auto read = read_number(text.substr(0, slash), into.starts, "100/s or 5/10m"); !read) return read;
  std::string period = text.substr(slash + 1);
  const bool bare = !period.empty() && (period.front() < '0' || period.front() > '9');
  return read_value(bare ? "1" + period : period, into.per);
}
Result<void> read_value(const std::string& text, Instant& into) {
  return assign(parse_instant(text), into);
}
Result<void> read_value(const std::string& text, JobId& into) {
  return assign(parse_job_id(text), into);
}
Result<void> read_value(const std::string& text, Token& into) {
  return assign(parse_token(text), into);
}
Result<void> read_value(const std::string& text, Phase& into) {
  return assign(parse_phase(text), into);
}
Result<void> read_value(const std::string& text, Filter& into) {
  return assign(Filter::parse(text), into);
}

std::string rate_text(const ChangeRate& rate) {
  const char* unit = rate.per == std::chrono::hours(1) ? "/h" : rate.per == std::chrono::minutes(1) ? "/m" : "/s";
  return std::to_string(rate.count) + unit;
}

Result<void> read_value(const std::string& text, ChangeRate& into) {
  const std::string_view unit = text.size() < 2 ? "" : std::string_view(text).substr(text.size() - 2);
  std::uint64_t count = 0;
  if ((unit == "/s" || unit == "/m" || unit == "/h") && read_number(text.substr(0, text.size() - 2), count, "10") &&
      count > 0) {
    into = {count, unit == "/h"   ? Duration(std::chrono::hours(1))
                   : unit == "/m" ? Duration(std::chrono::minutes(1))
                                  : Duration(std::chrono::seconds(1))};
    return {};
  }
  return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is no rate, such as 10/s, 600/m or 5/h");
}

Result<void> read_value(const std::string& text, Point& into) {
  return assign(parse_point(text), into);
}

Result<void> read_value(const std::string& text, Sequence& into) {
  std::uint64_t number = 0;
  // "#17" is how the tool itself writes a sequence.
  if (auto read = read_number(text.starts_with('#') ? text.substr(1) : text, number, "17"); !read) return read;
  into = Sequence(number);
  return {};
}

Result<void> read_value(const std::string& text, Tag& into) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is no tag: write key=value");
  }
  into = Tag{text.substr(0, equals), text.substr(equals + 1)};
  return {};
}

Result<void> read_value(const std::string& text, Envelope& into) {
  into = Envelope(text);
  return {};
}

Result<void> read_value(const std::string& text, OnConflict& into) {
  for (const OnConflict policy : {OnConflict::reject, OnConflict::return_existing, OnConflict::replace,
                                  OnConflict::debounce, OnConflict::throttle}) {
    std::string name(to_string(policy));
    if (text != name) std::replace(name.begin(), name.end(), '_', '-');
    if (text != name) continue;
    into = policy;
    return {};
  }
  return refuse(RefusalCode::invalid_argument,
                daybook::quoted(text) + " is none of reject, return-existing, replace, debounce, throttle");
}

Result<void> read_value(const std::string& text, RunWhen& into) {
  for (const RunWhen rule : {RunWhen::succeeded, RunWhen::failed, RunWhen::always}) {
    if (text != to_string(rule)) continue;
    into = rule;
    return {};
  }
  return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is none of succeeded, failed, always");
}

Result<void> read_value(const std::string& text, Otherwise& into) {
  for (const Otherwise otherwise : {Otherwise::fail, Otherwise::cancel}) {
    if (text != to_string(otherwise)) continue;
    into = otherwise;
    return {};
  }
  return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is neither fail nor cancel");
}

Result<void> read_value(const std::string& text, UniqueScope& into) {
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string state = text.substr(from, comma - from);
    bool UniqueScope::*const field = state == "completed"   ? &UniqueScope::completed
                                     : state == "cancelled" ? &UniqueScope::cancelled
                                     : state == "dead"      ? &UniqueScope::dead
                                                            : nullptr;
    if (field == nullptr) {
      return refuse(
          RefusalCode::invalid_argument,
          daybook::quoted(state) + " is no final state: completed, cancelled, dead, with commas between them");
    }
    into.*field = true;
    from = comma + 1;
  }
  return {};
}

Result<void> read_value(const std::string& text, CronExpression& into) {
  return assign(parse_cron(text), into);
}

Result<void> read_value(const std::string& text, DstGap& into) {
  for (const DstGap gap : {DstGap::skip, DstGap::shift}) {
    if (text == to_string(gap)) {
      into = gap;
      return {};
    }
  }
  return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is neither skip nor shift");
}

Result<void> read_value(const std::string& text, DstRepeat& into) {
  for (const DstRepeat repeat : {DstRepeat::first, DstRepeat::last, DstRepeat::both}) {
    if (text == to_string(repeat)) {
      into = repeat;
      return {};
    }
  }
  return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is neither first, last nor both");
}

Result<void> read_value(const std::string& text, Missed& into) {
  return assign(parse_missed(text), into);
}
Result<void> read_value(const std::string& text, Overlap& into) {
  return assign(parse_overlap(text), into);
}

Result<void> read_value(const std::string& text, RetryPolicy::Backoff& into) {
  if (text == "fixed") {
    into = RetryPolicy::Backoff::fixed;
  } else if (text == "exponential") {
    into = RetryPolicy::Backoff::exponential;
  } else {
    return refuse(RefusalCode::invalid_argument, daybook::quoted(text) + " is neither fixed nor exponential");
  }
  return {};
}

When when(const std::optional<Duration>& in, const std::optional<Instant>& at) {
  if (in) return daybook::after(*in);
  if (at) return daybook::at(*at);
  return at_once();
}

std::string read_bytes(const std::string& option, const std::string& path, std::size_t limit) {
  const auto failed = [&] {
    return UsageError(option + " " + daybook::quoted(path) + ": " + std::strerror(errno) +
                      (path == "-" ? " (standard input)" : ""));
  };
  // Not by streams: to them a standard input that is closed is one that is empty.
  const Pipe file(path == "-" ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (path != "-" && !file.open()) throw failed();
  const int from = path == "-" ? STDIN_FILENO : file.get();
  std::string bytes(limit + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = ::read(from, bytes.data() + size, bytes.size() - size);
    if (count == -1 && errno == EINTR) continue;
    if (count == -1) throw failed();
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

Result<std::string> read_payload(const std::string& path, std::size_t limit) {
  std::string bytes = read_bytes("--payload-file", path, limit);
  if (bytes.size() > limit) {
    return refuse(RefusalCode::payload_too_large,
                  "the payload in " + (path == "-" ? "standard input" : daybook::quoted(path)) + " is larger than " +
                      std::to_string(limit) + " bytes: store it elsewhere and pass a reference");
  }
  return bytes;
}

}  // namespace daybook::cli
