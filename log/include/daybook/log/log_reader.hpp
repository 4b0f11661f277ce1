// SPDX-License-Identifier: Apache-2.0
#pragma once

// LogReader: reads a log without the lock, beside a living writer or in a copy. Never writes. Shows only what was
// synced: up to the witness; without a whole witness, up to the last whole batch. (After a loss of power the witness may
// be a second behind what survived; the next writer brings it up to date.)

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/log/journal.hpp"

namespace daybook {

/// Is there a log at all? False for an empty or foreign directory.
[[nodiscard]] bool log_exists(Storage& storage);

/// About how many bytes of log follow an event: those of the segments that begin after it, as far as they are written. Reads names,
/// sizes and the witness alone. Throws StorageError.
[[nodiscard]] std::uint64_t log_bytes_after(Storage& storage, Sequence sequence);

class LogReader {
 public:
  /// Throws StorageError; CorruptionError for damage in what it needs to open (headers, seals, witness).
  explicit LogReader(Storage& storage);
  ~LogReader();
  LogReader(LogReader&&) noexcept;

  [[nodiscard]] Uuid log_uuid() const;
  [[nodiscard]] std::uint32_t feature_level() const;  // of the last segment: what the log may hold
  [[nodiscard]] Head head() const;                    // of what may be read, as found by the constructor

  /// Hands the events from `from` on to `visit`, in order, until it returns false or the head was read. Checks every
  /// checksum and the chain on the way; throws CorruptionError at the first thing that is wrong.
  void read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) const;

  /// The same with the bytes each event was stored as, good until `visit` returns: what the hash of the event is made of.
  using VisitStored = std::function<bool(const RecordedEvent&, std::span<const std::byte> stored)>;
  void read_stored(Sequence from, const VisitStored& visit) const;

  /// The chain hash after the batch that ends with `sequence`; nothing when no batch ends there.
  [[nodiscard]] std::optional<Hash> chain_at(Sequence sequence) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct SegmentSummary {
  std::string name;
  Sequence first;
  Sequence last;                 // 0: holds no event yet
  std::uint64_t bytes = 0;       // of the file
  std::uint64_t used_bytes = 0;  // up to the end of the last batch or the seal
  bool sealed = false;
};

/// What `daybook verify` says of the log. Reads every byte.
struct LogVerdict {
  enum class Kind : std::uint8_t { clean_end, unclean_end, torn_tail, damaged };
  Kind kind{};
  Head head;  // the last event that can be proved
  std::uint64_t events = 0;
  std::uint64_t batches = 0;
  std::uint64_t torn_bytes = 0;  // with torn_tail
  std::optional<Damage> damage;  // with damaged
  Place place;                   // with torn_tail and damaged
  std::string message;           // one or more sentences for people
  std::vector<SegmentSummary> segments;
};
/// Never throws for damage; StorageError for what cannot be read.
[[nodiscard]] LogVerdict verify_log(Storage& storage);

}  // namespace daybook
