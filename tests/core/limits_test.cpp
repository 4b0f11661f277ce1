// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <type_traits>

namespace daybook {
namespace {

using ::testing::HasSubstr;

std::string file(const std::string& path) {
  std::ifstream in(std::string(DAYBOOK_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// 1,000,000
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

template <class Value>
std::string shown(Value value) {
  if constexpr (std::is_integral_v<Value>) {
    const auto number = static_cast<std::uint64_t>(value);
    if (number >= 1024 * 1024 && number % (1024 * 1024) == 0) return std::to_string(number / 1024 / 1024) + " MiB";
    if (number >= 16 * 1024 && number % 1024 == 0) return std::to_string(number / 1024) + " KiB";
    return grouped(number);
  } else {
    return to_string(value);
  }
}

#define DAYBOOK_LIMIT(name) \
  { #name, shown(limits::name) }
const std::map<std::string, std::string> all = {DAYBOOK_LIMIT(lease_default),
                                                DAYBOOK_LIMIT(lease_min),
                                                DAYBOOK_LIMIT(lease_max),
                                                DAYBOOK_LIMIT(lease_renewals),
                                                DAYBOOK_LIMIT(attempts_default),
                                                DAYBOOK_LIMIT(attempts_max),
                                                DAYBOOK_LIMIT(backoff_first_default),
                                                DAYBOOK_LIMIT(backoff_cap_default),
                                                DAYBOOK_LIMIT(backoff_max),
                                                DAYBOOK_LIMIT(jitter_permille_default),
                                                DAYBOOK_LIMIT(jitter_permille_max),
                                                DAYBOOK_LIMIT(payload_bytes_default),
                                                DAYBOOK_LIMIT(payload_bytes_max),
                                                DAYBOOK_LIMIT(unique_key_bytes_max),
                                                DAYBOOK_LIMIT(name_bytes_max),
                                                DAYBOOK_LIMIT(request_id_bytes_max),
                                                DAYBOOK_LIMIT(reason_bytes_max),
                                                DAYBOOK_LIMIT(trace_bytes_max),
                                                DAYBOOK_LIMIT(parents_max),
                                                DAYBOOK_LIMIT(tags_max),
                                                DAYBOOK_LIMIT(tag_bytes_max),
                                                DAYBOOK_LIMIT(batch_commands_default),
                                                DAYBOOK_LIMIT(batch_bytes_default),
                                                DAYBOOK_LIMIT(batch_bytes_max),
                                                DAYBOOK_LIMIT(claim_count_max),
                                                DAYBOOK_LIMIT(claim_names_max),
                                                DAYBOOK_LIMIT(refusals_recorded_max),
                                                DAYBOOK_LIMIT(steps_max),
                                                DAYBOOK_LIMIT(steps_bytes_max),
                                                DAYBOOK_LIMIT(filter_bytes_max),
                                                DAYBOOK_LIMIT(filter_depth_max),
                                                DAYBOOK_LIMIT(weight_max),
                                                DAYBOOK_LIMIT(running_max),
                                                DAYBOOK_LIMIT(rate_starts_max),
                                                DAYBOOK_LIMIT(rate_period_min),
                                                DAYBOOK_LIMIT(rate_period_max),
                                                DAYBOOK_LIMIT(operate_slice),
                                                DAYBOOK_LIMIT(operate_batch),
                                                DAYBOOK_LIMIT(holds_max),
                                                DAYBOOK_LIMIT(request_window),
                                                DAYBOOK_LIMIT(clock_step_min),
                                                DAYBOOK_LIMIT(boot_gap_max),
                                                DAYBOOK_LIMIT(clock_back_max),
                                                DAYBOOK_LIMIT(clock_ahead_max),
                                                DAYBOOK_LIMIT(feature_level_first),
                                                DAYBOOK_LIMIT(feature_level_highest),
                                                DAYBOOK_LIMIT(due_min),
                                                DAYBOOK_LIMIT(due_max),
                                                DAYBOOK_LIMIT(after_max),
                                                DAYBOOK_LIMIT(segment_bytes_min),
                                                DAYBOOK_LIMIT(segment_bytes_max),
                                                DAYBOOK_LIMIT(snapshot_events_default),
                                                {"state_hash_events", grouped(limits::state_hash_events)},
                                                DAYBOOK_LIMIT(snapshot_log_bytes_default),
                                                DAYBOOK_LIMIT(quarantine_files_max),
                                                DAYBOOK_LIMIT(quarantine_bytes_max),
                                                DAYBOOK_LIMIT(quarantine_cut_bytes_max),
                                                DAYBOOK_LIMIT(owner_wait_default),
                                                DAYBOOK_LIMIT(cron_bytes_max),
                                                DAYBOOK_LIMIT(period_min),
                                                DAYBOOK_LIMIT(period_max),
                                                DAYBOOK_LIMIT(recurrence_jitter_max),
                                                DAYBOOK_LIMIT(calendar_instants_max),
                                                DAYBOOK_LIMIT(missed_after),
                                                DAYBOOK_LIMIT(missed_window_default),
                                                DAYBOOK_LIMIT(missed_cap_default),
                                                DAYBOOK_LIMIT(missed_cap_max),
                                                DAYBOOK_LIMIT(buffered_max),
                                                DAYBOOK_LIMIT(recurring_live_max),
                                                DAYBOOK_LIMIT(recurring_sync_max),
                                                DAYBOOK_LIMIT(backfill_max),
                                                DAYBOOK_LIMIT(unmade_max),
                                                DAYBOOK_LIMIT(recurring_slice),
                                                DAYBOOK_LIMIT(recurring_looks),
                                                DAYBOOK_LIMIT(recurring_jobs)};
#undef DAYBOOK_LIMIT

TEST(Limits, ThePageHasARowWithTheValueOfEachConstant) {
  const std::string page = file("docs/limits.md");
  for (const auto& [name, value] : all) EXPECT_THAT(page, HasSubstr("| `" + name + "` | " + value + " |"));
}

TEST(Limits, NoConstantOfTheHeaderIsMissingOnThePage) {
  const std::string header = file("core/include/daybook/core/limits.hpp");
  const std::string page = file("docs/limits.md");
  const std::regex constant(R"(constexpr\s+[\w:]+\s+(\w+)\s*=)");
  std::set<std::string> found;
  for (std::sregex_iterator at(header.begin(), header.end(), constant), end; at != end; ++at) {
    found.insert((*at)[1]);
    EXPECT_THAT(page, HasSubstr("| `" + (*at)[1].str() + "` |"));
    EXPECT_TRUE(all.contains((*at)[1])) << (*at)[1] << " is missing in this test";
  }
  EXPECT_EQ(found.size(), all.size());
}

}  // namespace
}  // namespace daybook
