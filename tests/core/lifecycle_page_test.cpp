// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/refusal.hpp"

// docs/job_lifecycle.md lists what the code has. A new state, phase, reason, event or refusal is not done before the page
// explains it.

namespace daybook {
namespace {

/// The text between a heading and the next one.
std::string section(const std::string& heading) {
  std::ifstream file(DAYBOOK_LIFECYCLE_PAGE);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string page = text.str();
  const std::size_t start = page.find("\n## " + heading + "\n");
  if (start == std::string::npos) return {};
  const std::size_t end = page.find("\n## ", start + 1);
  return page.substr(start, end == std::string::npos ? end : end - start);
}

/// The section has a table row that begins with the name.
::testing::AssertionResult has_row(const std::string& heading, std::string_view name) {
  if (section(heading).find("\n| `" + std::string(name) + "` |") != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "docs/job_lifecycle.md, \"" << heading << "\", has no row for " << name;
}

/// All values of an enum that have a name, from 0 on; unnamed ones are "unknown".
template <class Enum>
std::vector<Enum> named_values() {
  std::vector<Enum> values;
  for (unsigned value = 0; value < 64; ++value) {
    if (to_string(static_cast<Enum>(value)) != "unknown") values.push_back(static_cast<Enum>(value));
  }
  return values;
}

TEST(LifecyclePage, HasEveryPhaseAndTheStateBehindIt) {
  ASSERT_EQ(named_values<Phase>().size(), 9U);
  for (const Phase phase : named_values<Phase>()) EXPECT_TRUE(has_row("States and phases", to_string(phase)));
}

TEST(LifecyclePage, HasEveryState) {
  ASSERT_EQ(named_values<JobState>().size(), job_states);
  const std::string page = section("States and phases");
  for (const JobState state : named_values<JobState>()) {
    EXPECT_NE(page.find("| `" + std::string(to_string(state)) + "` |"), std::string::npos) << to_string(state);
    EXPECT_NE(section("The picture").find(to_string(state)), std::string::npos) << to_string(state);
  }
}

TEST(LifecyclePage, HasEveryReasonToBeDead) {
  ASSERT_EQ(named_values<DeadReason>().size(), 7U);
  for (const DeadReason reason : named_values<DeadReason>()) {
    EXPECT_TRUE(has_row("States and phases", to_string(reason)));
  }
}

TEST(LifecyclePage, HasEveryEvent) {
  ASSERT_EQ(all_event_type_names().size(), std::variant_size_v<Event>);
  for (const std::string_view name : all_event_type_names()) EXPECT_TRUE(has_row("Events", name));
}

TEST(LifecyclePage, HasEveryRefusal) {
  ASSERT_EQ(named_values<RefusalCode>().size(), 30U);
  for (const RefusalCode code : named_values<RefusalCode>()) EXPECT_TRUE(has_row("Refusals", to_string(code)));
}

}  // namespace
}  // namespace daybook
