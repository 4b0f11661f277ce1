// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Standard Workload Format (Parallel Workloads Archive): one job a line, 18 numbers, ";" begins a comment. Only what a
// scheduler needs is kept: when a job came, and how long it ran.

#include <chrono>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace daybook::bench {

struct TraceJob {
  std::int64_t number = 0;        // field 1
  std::chrono::seconds submit{};  // field 2, since the beginning of the trace
  std::chrono::seconds run{};     // field 4
};

struct Trace {
  std::vector<TraceJob> jobs;         // by submit time, ties in the order of the file
  std::vector<std::string> rejected;  // "line 17: …", a sentence a row that is no job
};

/// Rows with too few fields, with what is no number, or with a negative submit or run time are rejected and told by line.
[[nodiscard]] Trace read_swf(std::istream& in);

/// The same from a file, through gzip when its name ends in ".gz". Throws std::runtime_error when it cannot be read.
[[nodiscard]] Trace read_swf_file(const std::string& path);

}  // namespace daybook::bench
