// SPDX-License-Identifier: Apache-2.0
#pragma once

// Failure: the first broken promise of a run. Checks say it and go on: an exception would be the engine's to catch.

#include <string>

namespace daybook::simulation {

class Failure {
 public:
  void say(std::string what) {
    if (what_.empty()) what_ = std::move(what);
  }
  [[nodiscard]] bool happened() const { return !what_.empty(); }
  [[nodiscard]] const std::string& what() const { return what_; }

 private:
  std::string what_;
};

}  // namespace daybook::simulation
