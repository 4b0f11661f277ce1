// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every bound and default in one place. docs/limits.md shows the same table.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "daybook/core/time.hpp"

// A test builds the library a second time at the level before, to see what the release before would make of a book.
#ifndef DAYBOOK_FEATURE_LEVEL
#define DAYBOOK_FEATURE_LEVEL 2
#endif

namespace daybook::limits {

using namespace std::chrono_literals;

inline constexpr Duration lease_default = 30s;
inline constexpr Duration lease_min = 1s;
inline constexpr Duration lease_max = 24h;
inline constexpr int lease_renewals = 3;  // a lease is renewed at a third of it

inline constexpr std::uint32_t attempts_default = 25;
inline constexpr std::uint32_t attempts_max = 1'000'000;
inline constexpr Duration backoff_first_default = 1s;
inline constexpr Duration backoff_cap_default = 1h;
inline constexpr Duration backoff_max = std::chrono::hours(24 * 366);
inline constexpr std::uint16_t jitter_permille_default = 100;  // up to 10 % later, never earlier
inline constexpr std::uint16_t jitter_permille_max = 1000;

inline constexpr std::size_t payload_bytes_default = 256 * 1024;  // also result, error, progress
inline constexpr std::size_t payload_bytes_max = 1024 * 1024;
inline constexpr std::size_t unique_key_bytes_max = 255;
inline constexpr std::size_t name_bytes_max = 128;  // queue, kind, group, worker, actor, error kind, client
inline constexpr std::size_t request_id_bytes_max = 128;
inline constexpr std::size_t reason_bytes_max = 1024;
inline constexpr std::size_t trace_bytes_max = 256;
inline constexpr std::size_t steps_max = 1000;               // of one job
inline constexpr std::size_t steps_bytes_max = 1024 * 1024;  // of the results of all steps of a job
inline constexpr std::size_t parents_max = 1000;             // of one job
inline constexpr std::size_t tags_max = 16;
inline constexpr std::size_t tag_bytes_max = 128;  // key and value, each

inline constexpr std::size_t batch_commands_default = 10'000;
inline constexpr std::size_t batch_bytes_default = 1024 * 1024;
inline constexpr std::size_t batch_bytes_max = 64 * 1024 * 1024;
inline constexpr std::uint32_t claim_count_max = 10'000;
inline constexpr std::size_t claim_names_max = 256;       // queues, and kinds, in one claim
inline constexpr std::size_t refusals_recorded_max = 32;  // per job; more are only counted

inline constexpr std::size_t filter_bytes_max = 4096;        // also written out in full
inline constexpr std::size_t filter_depth_max = 32;          // of not and ( within each other
inline constexpr std::uint32_t weight_max = 1000;            // of a group
inline constexpr std::uint32_t running_max = 1'000'000;      // a limit of jobs that run at once
inline constexpr std::uint32_t rate_starts_max = 1'000'000;  // starts in a period, and in a burst
inline constexpr Duration rate_period_min = 1ms;
inline constexpr Duration rate_period_max = std::chrono::hours(24 * 366);
inline constexpr std::size_t operate_slice = 2000;  // jobs that an operator's command looks at in one go …
inline constexpr std::size_t operate_batch = 500;   // … and changes in one go
inline constexpr std::size_t holds_max = 1000;

inline constexpr Duration request_window = 24h;
inline constexpr Duration clock_step_min = 1s;  // a smaller difference between the clocks is drift
inline constexpr Duration boot_gap_max = std::chrono::hours(24 * 7);  // most that book time advances across a boot
inline constexpr Instant due_min = Instant(Duration(0));              // 1970-01-01
inline constexpr Instant due_max = Instant(Duration(253'402'300'799'999'999));  // 9999-12-31T23:59:59.999999Z
inline constexpr Duration after_max = std::chrono::hours(24 * 366 * 8000LL);

inline constexpr Duration clock_back_max = 5min;  // a book opened further back doubts its clock
inline constexpr Duration clock_ahead_max = std::chrono::hours(24 * 365);  // … or further ahead of its last event

inline constexpr std::uint32_t feature_level_first = 1;
inline constexpr std::uint32_t feature_level_highest = DAYBOOK_FEATURE_LEVEL;  // that this release knows

inline constexpr std::uint64_t segment_bytes_min = 1024 * 1024;
inline constexpr std::uint64_t segment_bytes_max = 64 * 1024 * 1024;
inline constexpr std::uint64_t snapshot_events_default = 1'000'000;
inline constexpr std::uint64_t state_hash_events =
    65'536;  // the state is hashed behind each event whose sequence is a multiple
inline constexpr std::uint64_t snapshot_log_bytes_default = 256 * 1024 * 1024;
inline constexpr std::size_t quarantine_files_max = 64;  // cuts that are kept; the oldest go first
inline constexpr std::uint64_t quarantine_bytes_max = 64 * 1024 * 1024;
inline constexpr std::size_t quarantine_cut_bytes_max = 8 * 1024 * 1024;  // of a larger cut, beginning and end are kept
inline constexpr Duration owner_wait_default = 5s;

inline constexpr std::size_t cron_bytes_max = 1024;
inline constexpr Duration period_min = 1s;  // of an interval
inline constexpr Duration period_max = std::chrono::hours(24 * 366 * 10);
inline constexpr Duration recurrence_jitter_max = std::chrono::hours(24);
inline constexpr std::size_t calendar_instants_max = 10'000;

inline constexpr Duration missed_after = 1min;  // an occurrence handled so long after its due time was missed
inline constexpr Duration missed_window_default = std::chrono::hours(24 * 366);
inline constexpr std::uint32_t missed_cap_default = 100;
inline constexpr std::uint32_t missed_cap_max = 1000;
inline constexpr std::size_t buffered_max = 1000;          // occurrences of a schedule that wait for its jobs to end
inline constexpr std::size_t recurring_live_max = 1000;    // jobs of a schedule that are not final; more are not made
inline constexpr std::size_t recurring_sync_max = 10'000;  // schedules of one owner
inline constexpr std::size_t backfill_max = 1000;          // jobs in one go
inline constexpr std::size_t unmade_max = 1000;            // stretches of skipped occurrences that can be filled later
inline constexpr std::size_t recurring_slice = 2000;       // occurrences of a schedule looked at in one go …
inline constexpr std::size_t recurring_looks = 10'000;     // … those of all schedules in one step …
inline constexpr std::uint32_t recurring_jobs = 500;       // … and jobs made in it

}  // namespace daybook::limits
