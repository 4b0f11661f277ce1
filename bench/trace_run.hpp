// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a trace through the scheduler in virtual time: jobs are scheduled when they came, claimed by a pool of workers,
// completed after their run times. Engine, log, index and disk are the real ones; only time is made.

#include <cstdint>
#include <filesystem>
#include <string>

#include "daybook/core/time.hpp"
#include "swf.hpp"

namespace daybook::bench {

struct TraceResult {
  std::uint64_t jobs = 0;       // of the trace
  std::uint64_t scheduled = 0;  // as the log counts them
  std::uint64_t claimed = 0;
  std::uint64_t completed = 0;
  std::uint64_t events = 0;
  std::uint64_t batches = 0;
  Duration virtual_span{};         // from the first submission to the last completion
  Duration longest_wait{};         // between due and claim
  std::uint64_t claims_early = 0;  // before their time; 0, or something is wrong
  bool log_verifies = false;
  std::string log_message;
  std::string index_difference;  // empty: the index equals a rebuild
};

/// The book is made in `directory`, which must be empty or missing. Run times of 24 hours and more are more than a lease
/// holds, and make a job run again. Throws what the book throws.
[[nodiscard]] TraceResult run_trace(const Trace& trace, const std::filesystem::path& directory, std::uint32_t workers);

}  // namespace daybook::bench
