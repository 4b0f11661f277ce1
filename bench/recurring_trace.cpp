// SPDX-License-Identifier: Apache-2.0

// bench/recurring_trace FILE: what recurs in a real installation, for a year in virtual time. See recurring_run.hpp.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "recurring_run.hpp"

namespace {

using namespace daybook;
using namespace daybook::bench;

/// How many schedules ran at other instants than they should.
std::uint64_t differing(const Instants& fired, Instants expected) {
  std::uint64_t count = 0;
  for (const auto& [name, instants] : fired) {
    count += expected[name] == instants ? 0 : 1;
    expected.erase(name);
  }
  for (const auto& [name, instants] : expected) count += instants.empty() ? 0 : 1;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: recurring_trace FILE.tsv [DAYS [FOLDER]]\n"
                 "Runs recurring schedules (name, interval | minimum_interval | cron, schedule) for DAYS (365) in "
                 "virtual time, in "
                 "a\nbook in FOLDER (the temporary directory); prints one JSON object.\n";
    return 2;
  }
  const std::filesystem::path parent = argc > 3 ? argv[3] : std::filesystem::temp_directory_path();
  std::string folder = (parent / "daybook-recurring-XXXXXX").string();
  try {
    std::ifstream in(argv[1]);
    if (!in) throw std::runtime_error(std::string("cannot read ") + argv[1]);
    const auto periodics = read_periodics(in);
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make " + folder);
    const int days = argc > 2 ? std::stoi(argv[2]) : 365;
    RecurringRun run{.from = *parse_instant("2026-01-01T00:07:00Z"),
                     .until = {},
                     .zone = "Europe/Prague",
                     .closings = 12,
                     .closed_for = std::chrono::minutes(90),
                     .directory = folder + "/book"};
    run.until = run.from + std::chrono::hours(24) * days;
    const auto begin = std::chrono::steady_clock::now();
    const RecurringResult result = run_recurring(periodics, run);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::filesystem::remove_all(folder);
    const auto wrong = differing(result.fired, expected_instants(periodics, run.zone, run.from, run.until));
    std::cout << nlohmann::json{{"schedules", periodics.size() - result.refused.size()},
                                {"refused", result.refused.size()},
                                {"virtual_days", days},
                                {"firings", result.firings},
                                {"caught_up", result.late},
                                {"skipped", result.skipped},
                                {"completed", result.completed},
                                {"early", result.early},
                                {"schedules_unlike_the_expectation", wrong},
                                {"events", result.events},
                                {"log_bytes", result.log_bytes},
                                {"log_verifies", result.log_verifies},
                                {"seconds", seconds.count()}}
                     .dump()
              << "\n";
    return wrong == 0 && result.early == 0 && result.completed == result.firings && result.log_verifies ? 0 : 1;
  } catch (const std::exception& error) {
    std::filesystem::remove_all(folder);
    std::cerr << "recurring_trace: " << error.what() << "\n";
    return 1;
  }
}
