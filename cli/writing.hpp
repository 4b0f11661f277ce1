// SPDX-License-Identifier: Apache-2.0
#pragma once

// A book that is opened read-write: its lock, its recovery, and who is acting.

#include <string>

#include "daybook/daybook.hpp"
#include "verb.hpp"

namespace daybook::cli {

enum class IfMissing { refuse, create };

/// Opens, and tells on standard error what a person should know about it (made, cut, rebuilt, held).
[[nodiscard]] Daybook open_book(const Common& common, IfMissing if_missing = IfMissing::refuse);

/// For verbs that would only wait while the clock is in doubt. Throws RefusedError with what to do.
void require_trusted_clock(const Daybook& book);

/// Who and why, for the record: what --actor said, or the user of this process.
[[nodiscard]] Context context(const Common& common);

/// One command. A refusal throws RefusedError.
Answer execute(Daybook& book, const Common& common, Command command);

/// Executes a command about one job and prints the job as it then stands.
int change_job(const Common& common, JobId id, Command command);

}  // namespace daybook::cli
