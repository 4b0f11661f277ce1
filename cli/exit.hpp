// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a run of the tool ends: the exit codes, and the two ways out that are neither damage nor a bug.

#include <stdexcept>
#include <string>
#include <utility>

#include "daybook/core/refusal.hpp"

namespace daybook::cli {

enum class Exit : int {
  fine = 0,
  refused = 1,  // understood, and not done: a refusal, or the disk or another process stands in the way
  usage = 2,    // the command line does not say anything that could be done
  damage = 3,   // bytes on disk are not what was written
  // of `wait` alone, where nothing went wrong but the job:
  not_completed = 4,
  not_ended = 5,
};

/// The command line is wrong. what() is one sentence that shows what would be right.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The book said no.
class RefusedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The value of an answer; a refusal ends the run.
template <class T>
T take(Result<T> answer) {
  if (!answer) throw RefusedError(answer.error().sentence);
  return *std::move(answer);
}
inline void take(const Result<void>& answer) {
  if (!answer) throw RefusedError(answer.error().sentence);
}

}  // namespace daybook::cli
