// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs what recurs through a book in virtual time: the book makes the jobs, one worker ends each at once, and the record tells at which
// instants. The book is closed now and then while time goes on, and what fell due meanwhile runs when it is opened again.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/time.hpp"
#include "periodics.hpp"

namespace daybook::bench {

struct RecurringRun {
  Instant from{};
  Instant until{};
  std::string zone = "UTC";  // of the cron expressions
  std::uint32_t closings = 0;
  Duration closed_for{};                                // each of them
  std::optional<std::filesystem::path> directory = {};  // empty or missing; unset: a book without a disk
};

struct RecurringResult {
  Instants fired;                    // by name, nominal instants as the record has them, in the order of the record
  std::vector<std::string> refused;  // "name: why" of expressions that are none
  std::uint64_t firings = 0;
  std::uint64_t jobs = 0;
  std::uint64_t completed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t late = 0;   // of the firings, those whose time passed while the book was closed
  std::uint64_t early = 0;  // made before their nominal instant; 0, or something is wrong
  std::uint64_t events = 0;
  std::uint64_t log_bytes = 0;
  bool log_verifies = false;
  std::string log_message;
};

/// Throws what the book throws.
[[nodiscard]] RecurringResult run_recurring(const std::vector<Periodic>& periodics, const RecurringRun& run);

}  // namespace daybook::bench
