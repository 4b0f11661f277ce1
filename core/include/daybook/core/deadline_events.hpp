// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events of deadlines that end a job. Part of event.hpp.

#include "daybook/core/ids.hpp"

namespace daybook {

/// The start deadline passed before the job was claimed once: it is dead.
struct JobExpired {
  JobId job;
  friend bool operator==(const JobExpired&, const JobExpired&) = default;
};

/// The total timeout passed: the job is dead, or cancelled when that was asked for meanwhile.
struct JobTimedOut {
  JobId job;
  Token token;  // of the attempt that it ended; zero: none ran
  bool cancelled = false;
  friend bool operator==(const JobTimedOut&, const JobTimedOut&) = default;
};

}  // namespace daybook
