// SPDX-License-Identifier: Apache-2.0

// bench/trace FILE: a real workload in virtual time. See trace_run.hpp.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "trace_run.hpp"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr
        << "usage: trace FILE.swf[.gz] [WORKERS]\n"
           "Runs a workload in the Standard Workload Format through a book in virtual time; prints one JSON object.\n";
    return 2;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "daybook-trace-XXXXXX").string();
  try {
    const auto trace = daybook::bench::read_swf_file(argv[1]);
    for (const std::string& rejected : trace.rejected) std::cerr << argv[1] << ": " << rejected << "; skipped\n";
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make " + folder);
    const auto workers = static_cast<std::uint32_t>(argc > 2 ? std::stoul(argv[2]) : 32);
    const auto begin = std::chrono::steady_clock::now();
    const auto result = daybook::bench::run_trace(trace, folder + "/book", workers);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::filesystem::remove_all(folder);
    std::cout << nlohmann::json{{"jobs", result.jobs},
                                {"rejected_rows", trace.rejected.size()},
                                {"workers", workers},
                                {"scheduled", result.scheduled},
                                {"claimed", result.claimed},
                                {"completed", result.completed},
                                {"claims_early", result.claims_early},
                                {"events", result.events},
                                {"batches", result.batches},
                                {"virtual_days", std::chrono::duration<double>(result.virtual_span).count() / 86400},
                                {"longest_wait_s", std::chrono::duration<double>(result.longest_wait).count()},
                                {"log_verifies", result.log_verifies},
                                {"index_equals_rebuild", result.index_difference.empty()},
                                {"seconds", seconds.count()}}
                     .dump()
              << "\n";
    return result.completed == result.jobs && result.log_verifies && result.index_difference.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::filesystem::remove_all(folder);
    std::cerr << "trace: " << error.what() << "\n";
    return 1;
  }
}
