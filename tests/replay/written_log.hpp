// SPDX-License-Identifier: Apache-2.0
#pragma once

// WrittenLog: a history in a real log, on a disk in memory.

#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/replay.hpp"
#include "support/histories.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"

namespace daybook::test {

/// A history of at least so many events. The seed says which; in some a copy stands held for long.
inline testing::RecordedHistory eventful(std::uint64_t seed, std::size_t events) {
  for (std::size_t steps = events;; steps += events) {
    testing::RecordedHistory history = testing::record(testing::random_steps(seed, steps));
    if (history.events.size() >= events) return history;
  }
}

class WrittenLog {
 public:
  /// `seed` decides the log's uuid. With `batches`, only so many of the history's. With `segment_bytes`, segments stay of that size.
  explicit WrittenLog(testing::RecordedHistory history, std::size_t batches = SIZE_MAX, std::uint64_t seed = 1,
                      std::uint64_t segment_bytes = 0)
      : WrittenLog(std::move(history),
                   LogOptions{.segment_bytes_min = segment_bytes != 0 ? segment_bytes : 64 * 1024,
                              .segment_bytes_max = segment_bytes != 0 ? segment_bytes : limits::segment_bytes_max},
                   batches, seed) {}
  WrittenLog(testing::RecordedHistory history, const LogOptions& options, std::size_t batches = SIZE_MAX,
             std::uint64_t seed = 1)
      : history_(std::move(history)), random_(seed) {
    log_ = SegmentLog::create(storage_, clock_, random_, options, opening_);
    append(batches);
  }

  /// Appends the next batches of the history.
  void append(std::size_t batches = SIZE_MAX) {
    for (; batches > 0 && next_ < history_.batch_ends.size(); --batches, ++next_) {
      BatchEncoder encoder;
      const std::size_t begin = next_ == 0 ? 0 : history_.batch_ends[next_ - 1];
      for (std::size_t at = begin; at < history_.batch_ends[next_]; ++at) encoder.add(history_.events[at]);
      const AppendResult result = log_->append(log_->epoch(), log_->tail(), encoder.batch(), Room::ordinary);
      if (!std::holds_alternative<Committed>(result)) throw std::logic_error("test: the batch was not committed");
    }
  }

  [[nodiscard]] SegmentLog& journal() { return *log_; }
  [[nodiscard]] LogReader reader() { return LogReader(storage_); }
  [[nodiscard]] MemoryStorage& storage() { return storage_; }
  [[nodiscard]] Uuid uuid() const { return opening_.log_uuid; }
  [[nodiscard]] Sequence head() const { return log_->tail().sequence; }
  [[nodiscard]] std::span<const RecordedEvent> events() const {
    return std::span(history_.events).first(static_cast<std::size_t>(head().value()));
  }

 private:
  testing::RecordedHistory history_;
  std::size_t next_ = 0;  // batch
  MemoryStorage storage_;
  ManualClock clock_;
  FixedRandom random_;
  LogOpening opening_;
  std::unique_ptr<SegmentLog> log_;
};

/// The same shape over events that no log holds.
inline ReadEvents events_of(std::span<const RecordedEvent> events) {
  return [events](Sequence from, const std::function<bool(const RecordedEvent&)>& visit) {
    for (const RecordedEvent& recorded : events) {
      if (recorded.sequence >= from && !visit(recorded)) return;
    }
  };
}

}  // namespace daybook::test
