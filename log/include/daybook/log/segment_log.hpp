// SPDX-License-Identifier: Apache-2.0
#pragma once

// SegmentLog: the embedded journal. Segment files with batches, each batch synced before it is acknowledged; the layout
// and the rules of recovery are in docs/log_format.md. One writer; not thread-safe. Needs the book's lock to be held.

#include <cstdint>
#include <memory>
#include <string>

#include "daybook/core/error.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/log/journal.hpp"

namespace daybook {

struct LogOptions {
  std::uint64_t segment_bytes_min = limits::segment_bytes_min;  // of the first; each next is twice as large …
  std::uint64_t segment_bytes_max = limits::segment_bytes_max;  // … up to this
  std::uint32_t commit_alignment = 8;                           // 8, 512 or 4096
  std::size_t batch_bytes_max = limits::batch_bytes_max;
  std::uint32_t feature_level = limits::feature_level_highest;  // `create` only: what the new log may hold; at least 1
  Epoch first_epoch =
      Epoch(1);  // `create` only: of the new log's writer. A copy begins where the epochs of its events end
};

/// What opening found and did.
struct LogOpening {
  TailStatus tail{};
  Head head;    // the last event that survived; sequence 0: an empty log
  Epoch epoch;  // of this writer
  Uuid log_uuid;
  std::uint64_t bytes_cut = 0;  // with `torn`
  std::string cut_sha256;       // with `torn`: 32 bytes
  std::string quarantine;       // with `torn`: the file that keeps the cut bytes
  std::string note;             // one sentence for people
};

class SegmentLog final : public Journal {
 public:
  /// A new log in an empty "log" folder. Throws StorageError.
  [[nodiscard]] static std::unique_ptr<SegmentLog> create(Storage& storage, Clock& clock, Random& random,
                                                          const LogOptions& options, LogOpening& opening);
  /// Recovers. Throws CorruptionError, having changed nothing, when what it finds is not the work of a crash.
  [[nodiscard]] static std::unique_ptr<SegmentLog> open(Storage& storage, Clock& clock, Random& random,
                                                        const LogOptions& options, LogOpening& opening);
  ~SegmentLog() override;  // without close(): leaves the log unclean, as a crash would

  [[nodiscard]] AppendResult append(Epoch epoch, const Head& expected, const EncodedBatch& batch, Room room) override;
  void read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) override;
  [[nodiscard]] Head tail() const override;
  [[nodiscard]] Epoch epoch() const override;
  [[nodiscard]] std::size_t largest_batch_bytes() const override;
  [[nodiscard]] Costs costs() const override;
  [[nodiscard]] std::uint32_t feature_level() const override;
  [[nodiscard]] AppendResult raise_feature_level(std::uint32_t level) override;
  [[nodiscard]] bool has_room() const override;
  void settle() override;  // syncs the witness whenever it is behind; how often, the caller decides
  void close() override;

  [[nodiscard]] Uuid log_uuid() const;
  /// False: after an append that answered Unknown, or threw.
  [[nodiscard]] bool writable() const;

 private:
  struct Impl;
  explicit SegmentLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace daybook
