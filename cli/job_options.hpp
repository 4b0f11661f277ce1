// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is said of a job, whether it is scheduled once or made again and again.

#include <optional>
#include <string>

#include "daybook/core/command.hpp"
#include "verb.hpp"

namespace daybook::cli {

struct JobOptions {
  Schedule command;
  std::optional<std::string> payload_file;
};

/// --queue, --kind and --payload; the first two are required.
Verb& add_job_contents(Verb& verb, JobOptions& options);
/// How it is run and tried again, and what is kept with it.
Verb& add_job_policies(Verb& verb, JobOptions& options);

/// Reads --payload-file, and refuses what no book would take. Throws RefusedError, UsageError.
void complete(JobOptions& options);

/// Throws what any book would refuse of the command, before one is made or opened.
void rehearse(const Common& common, Command command);

}  // namespace daybook::cli
