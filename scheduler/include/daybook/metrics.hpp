// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a book says of itself in numbers. docs/observability.md has the table.
//
//   const daybook::Metrics metrics = book.metrics();
//   write(daybook::to_prometheus(metrics));
//
// Counting is done in the engine's own step, by one thread at a time: an addition to a fixed place for an event, no memory, no lock, two
// looks at the clock for a sync. Reading takes a turn between two steps. Plain values, good for ever.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/core/ids.hpp"
#include "daybook/core/job.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/core/time.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

/// How often something was at most 1, 4, 16, … 4^19 of its unit: microseconds (up to 76 hours), or events.
struct Histogram {
  static constexpr std::size_t bounds = 20;
  [[nodiscard]] static constexpr std::uint64_t bound(std::size_t bucket) { return std::uint64_t{1} << (2 * bucket); }

  void add(std::uint64_t value);
  [[nodiscard]] std::uint64_t count() const;

  std::array<std::uint64_t, bounds + 1> counts{};  // per bucket; the last: above all bounds
  std::uint64_t sum = 0;
  friend bool operator==(const Histogram&, const Histogram&) = default;
};

struct Metrics {
  struct QueueRow {
    std::string queue;
    bool paused = false;
    std::array<std::uint64_t, job_states> jobs{};  // by JobState
    // How long ago the oldest job that could be claimed fell due, among the first 100 in claim order; unset: none is due.
    std::optional<Duration> oldest_due_age;
  };
  std::vector<QueueRow> queues;  // by name
  Sequence head;
  bool held = false;
  bool clock_doubted = false;
  std::uint64_t segment_bytes = 0;  // of all files of the log, allocated ahead included

  /// What happened since the book was opened, here. Counts of events are of what the engine recorded.
  struct Activity {
    std::array<std::uint64_t, std::variant_size_v<Event>> events{};  // by alternative
    std::uint64_t retries = 0;                                       // attempts that failed and will be made again
    std::array<std::uint64_t, 16> dead{};                            // by DeadReason
    std::array<std::uint64_t, 64> refusals{};                        // by RefusalCode
    Histogram lateness;                                              // µs between due and claimed
    Histogram run_time;  // µs between claimed and the end of the attempt; of claims granted since the opening
    std::uint64_t runs_not_timed = 0;  // ended attempts that are not in it
    Histogram sync_time;               // µs to write and sync a batch of events
    Histogram sync_events;             // events in a batch
    std::uint64_t written_bytes = 0;   // to the log
    std::uint64_t syncs = 0;
    std::uint64_t projection_lag = 0;  // events that the index on disk does not hold yet
  };
  std::optional<Activity> activity;  // unset: nobody counts (Options::metrics), or the book is only read
};

/// What a state says of its queues. For a book that nobody here has open; the rest is left empty.
[[nodiscard]] Metrics metrics_of(const View& view, const Moment& now);
/// The bytes of all files in the log's folder. Throws StorageError.
[[nodiscard]] std::uint64_t segment_bytes_of(Storage& storage);

struct MetricFamily {
  std::string_view name;
  std::string_view type;  // "gauge", "counter" or "histogram"
  std::string_view help;
};
/// Every metric there is, in the order of the text.
[[nodiscard]] std::vector<MetricFamily> metric_families();

struct MetricSample {
  std::string name;  // of the family; for a histogram with _bucket, _sum or _count
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;  // seconds, bytes, or a number
};
/// In the order of the families. A family of which nothing is known has none.
[[nodiscard]] std::vector<MetricSample> samples(const Metrics& metrics);

/// Prometheus' text exposition format, version 0.0.4. Label values are escaped as it demands; they come from users all the same.
[[nodiscard]] std::string to_prometheus(const Metrics& metrics);

}  // namespace daybook
