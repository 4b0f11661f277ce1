// SPDX-License-Identifier: Apache-2.0
#include "swf.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace daybook::bench {

namespace {

constexpr std::size_t fields_needed = 18;

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    fields.push_back(line.substr(at, end - at));
    at = end;
  }
  return fields;
}

bool read_number(std::string_view text, std::int64_t& number) {
  // Fractions occur in some traces; a second is exact enough.
  const std::string_view whole = text.substr(0, text.find('.'));
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), number);
  return error == std::errc() && end == whole.data() + whole.size();
}

// Empty: the row is a job. Otherwise why it is none.
std::string judge(const std::vector<std::string_view>& fields, TraceJob& job) {
  if (fields.size() < fields_needed) {
    return "found " + std::to_string(fields.size()) + " fields, expected " + std::to_string(fields_needed);
  }
  std::int64_t submit = 0;
  std::int64_t run = 0;
  if (!read_number(fields[0], job.number)) return "job number \"" + std::string(fields[0]) + "\" is no number";
  if (!read_number(fields[1], submit)) return "submit time \"" + std::string(fields[1]) + "\" is no number";
  if (!read_number(fields[3], run)) return "run time \"" + std::string(fields[3]) + "\" is no number";
  if (submit < 0) return "submit time " + std::to_string(submit) + " is negative";
  if (run < 0) return "run time " + std::to_string(run) + " is negative";
  job.submit = std::chrono::seconds(submit);
  job.run = std::chrono::seconds(run);
  return {};
}

}  // namespace

Trace read_swf(std::istream& in) {
  Trace trace;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const auto fields = fields_of(line);
    if (fields.empty() || fields.front().front() == ';') continue;
    TraceJob job;
    if (const std::string why = judge(fields, job); !why.empty()) {
      trace.rejected.push_back("line " + std::to_string(number) + ": " + why);
    } else {
      trace.jobs.push_back(job);
    }
  }
  std::stable_sort(trace.jobs.begin(), trace.jobs.end(),
                   [](const auto& a, const auto& b) { return a.submit < b.submit; });
  return trace;
}

Trace read_swf_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  if (!path.ends_with(".gz")) return read_swf(file);
  std::string quoted;
  for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("gzip -dc -- '" + quoted + "'").c_str(), "r"), ::pclose);
  if (!pipe) throw std::runtime_error(path + ": gzip cannot be started");
  std::stringstream text;
  std::array<char, 65536> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.write(buffer.data(), static_cast<std::streamsize>(got));
  }
  return read_swf(text);
}

}  // namespace daybook::bench
