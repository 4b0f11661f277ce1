// SPDX-License-Identifier: Apache-2.0
#pragma once

// Jobs as lines: the names used here are the ones that programs rely on (docs/tool.md).

#include <string>

#include "daybook/core/answer.hpp"
#include "daybook/core/job_info.hpp"
#include "output.hpp"

namespace daybook::cli {

[[nodiscard]] Json job_json(const JobInfo& job);
[[nodiscard]] Json claim_json(const ClaimedJob& job);

/// "17-9f3ac1d2  retryable  attempt 1 of 25  due 2026-03-04T12:05:00.000000Z"
[[nodiscard]] std::string job_line(const JobInfo& job);
/// Everything about it, one fact a line.
void print_job(const JobInfo& job);

/// The columns of `jobs` and `state`.
[[nodiscard]] Table job_table();
void add_job(Table& table, const JobInfo& job);

}  // namespace daybook::cli
