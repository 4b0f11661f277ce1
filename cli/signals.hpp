// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "child_process.hpp"

namespace daybook::cli {

/// SIGINT, SIGTERM, SIGHUP and SIGCHLD as something to poll. Made before the book is opened, so that every thread of the book
/// has them blocked and this is the only place where they arrive. SIGPIPE is ignored from here on.
class Signals {
 public:
  Signals();
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// How often somebody asked this process to end since the last call.
  [[nodiscard]] int requests_to_end();

 private:
  Pipe descriptor_;
};

}  // namespace daybook::cli
