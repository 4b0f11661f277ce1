// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daybook/replay/replay.hpp"

namespace daybook {

/// Calls a Progress every few thousand events and once at the end.
class Ticker {
 public:
  explicit Ticker(const Progress& progress) : progress_(progress) {}

  void done(Sequence sequence) {
    last_ = sequence;
    if (++count_ % 4096 == 0 && progress_) progress_(last_);
  }
  void finish() const {
    if (count_ % 4096 != 0 && progress_) progress_(last_);
  }

 private:
  const Progress& progress_;
  Sequence last_;
  std::uint64_t count_ = 0;
};

}  // namespace daybook
