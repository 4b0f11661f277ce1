// SPDX-License-Identifier: Apache-2.0
#pragma once

// LogBook: a segment log on a disk in memory, and the ledger of what it promised. Verbs append, close, crash and reopen;
// `expect_promises_kept` is the law of the log.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/log/segment_log.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"

namespace daybook::test {

inline constexpr const char* first_segment = "log/00000000000000000001.seg";
inline constexpr const char* witness_file = "log/witness";

/// Small enough that tests may look at every byte.
[[nodiscard]] LogOptions small_segments();

/// An event that takes about `text_bytes` and 150 more.
[[nodiscard]] RecordedEvent some_event(Sequence sequence, Epoch epoch, std::size_t text_bytes = 0);

class LogBook {
 public:
  explicit LogBook(const LogOptions& options = small_segments()) : options_(options) {}
  /// The same disk and ledger, in another universe; the log is not open.
  LogBook(const LogBook& other);

  std::unique_ptr<MemoryStorage> disk = std::make_unique<MemoryStorage>();
  ManualClock clock;
  FixedRandom random;
  LogOpening opening;
  std::unique_ptr<SegmentLog> log;
  std::vector<RecordedEvent> acknowledged;  // what the log answered for
  std::vector<RecordedEvent> in_flight;     // handed over, not answered for

  void create();
  void open();  // settles in the ledger whether the batch in flight survived
  void open_or_create();
  void close();
  void drop() { log.reset(); }  // the process ends here

  AppendResult append(std::uint32_t events = 1, std::size_t text_bytes = 0, Room room = Room::reserve);
  void append_acknowledged(std::uint32_t events = 1, std::size_t text_bytes = 0);  // expects Committed
  /// Writes one batch that is not answered for: it stands in the segment, and the witness does not know it.
  void leave_in_flight(std::uint32_t events = 1, std::size_t text_bytes = 0);

  [[nodiscard]] std::vector<RecordedEvent> read_all();
  /// Everything acknowledged is there, byte for byte; behind it at most the whole batch that was in flight at `open`.
  void expect_promises_kept();

  [[nodiscard]] std::vector<std::string> segments() const;                // names, in order
  [[nodiscard]] std::uint64_t used_bytes(const std::string& name) const;  // up to the last byte that is not zero

 private:
  LogOptions options_;
};

/// Where each batch of a segment ends (at the alignment of 8).
[[nodiscard]] std::vector<std::uint64_t> batch_ends(const MemoryStorage& disk, const std::string& segment);

/// All files and their content, to see that a refusal changed nothing.
[[nodiscard]] std::vector<std::pair<std::string, std::vector<std::byte>>> picture(const MemoryStorage& disk);

}  // namespace daybook::test
