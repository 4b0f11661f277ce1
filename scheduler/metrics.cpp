// SPDX-License-Identifier: Apache-2.0

// Metrics as they are gathered: from a state, from a folder. Rendering is in prometheus.cpp, counting in meter.cpp.
#include "daybook/metrics.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <numeric>

#include "daybook/core/error.hpp"

namespace daybook {

namespace {

constexpr std::size_t jobs_looked_at = 100;  // for the oldest one that is due

std::optional<Duration> oldest_due_age(const View& view, NameId queue, const Moment& now) {
  std::optional<Duration> oldest;
  ReadyQuery query;
  query.queues = {queue};
  query.any_kind = true;
  query.limit = jobs_looked_at;
  for (const Sequence id : view.ready(query)) {
    const Job* job = view.job(id);
    if (job == nullptr) continue;
    const Duration age = job->due.after ? Duration(now.book - *job->due.after) : Duration(now.wall - job->due.at);
    oldest = std::max({oldest.value_or(Duration(0)), age, Duration(0)});
  }
  return oldest;
}

}  // namespace

void Histogram::add(std::uint64_t value) {
  // The first bound 4^k that is not below the value.
  const std::size_t bits = value <= 1 ? 0 : static_cast<std::size_t>(std::bit_width(value - 1));
  ++counts[std::min((bits + 1) / 2, bounds)];
  sum += value;
}

std::uint64_t Histogram::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

Metrics metrics_of(const View& view, const Moment& now) {
  Metrics metrics;
  const Counts counts = view.counts();
  view.each_queue([&](const Queue& queue) {
    Metrics::QueueRow row;
    if (const Name* name = view.name(queue.id); name != nullptr) row.queue = name->text;
    row.paused = queue.paused;
    for (std::size_t state = 0; state < row.jobs.size(); ++state) {
      const auto found = counts.find({queue.id, static_cast<JobState>(state)});
      if (found != counts.end()) row.jobs[state] = found->second;
    }
    row.oldest_due_age = oldest_due_age(view, queue.id, now);
    metrics.queues.push_back(std::move(row));
  });
  std::sort(metrics.queues.begin(), metrics.queues.end(),
            [](const auto& a, const auto& b) { return a.queue < b.queue; });
  metrics.head = view.book().head;
  metrics.held = view.book().held;
  metrics.clock_doubted = view.book().clock_doubted;
  return metrics;
}

std::uint64_t segment_bytes_of(Storage& storage) {
  const auto fail = [&](const std::string& name, int error) {
    throw StorageError(Place{.path = storage.describe(name), .offset = {}, .sequence = {}}, error,
                       "the size of the log cannot be told");
  };
  std::vector<std::string> names;
  if (const int error = storage.list("log", names)) fail("log", error);
  std::uint64_t sum = 0;
  for (const std::string& name : names) {
    std::uint64_t bytes = 0;
    Opened opened = storage.open("log/" + name, OpenMode::read);
    const int error = opened.file ? opened.file->size(bytes) : opened.error;
    if (error != 0 && error != ENOENT) fail("log/" + name, error);  // a keeper may have replaced it meanwhile
    sum += bytes;
  }
  return sum;
}

}  // namespace daybook
