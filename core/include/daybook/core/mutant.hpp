// SPDX-License-Identifier: Apache-2.0
#pragma once

// kept("folder.place.what"): true, and nothing in the compiled code, but for the build that tests the tests
// (-DDAYBOOK_MUTANTS=ON; ./dev mutants). There it is false for the one name in the environment's DAYBOOK_MUTANT, so that
// a single build serves every mutant. It stands in front of each sync and each check, whose removal the suite must see;
// docs/testing.md. Each name occurs once. Not installed.

namespace daybook {

#ifdef DAYBOOK_MUTANTS
[[nodiscard]] bool kept(const char* name);
#else
[[nodiscard]] consteval bool kept(const char*) {
  return true;
}
#endif

}  // namespace daybook
