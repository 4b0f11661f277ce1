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
#include <stdexcept>
#include <string>
#include <string_view>
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

/// What was asked for was dropped: of these events only counts, chain hashes and leaf hashes are kept. what() says up to where,
/// and with which sequence the readable log begins.
class DroppedError : public std::runtime_error {
 public:
  DroppedError(Sequence asked, Sequence through);
  [[nodiscard]] Sequence through() const { return through_; }  // the last event that was dropped

 private:
  Sequence through_;
};

class LogReader {
 public:
  /// Throws StorageError; CorruptionError for damage in what it needs to open (headers, seals, witness).
  explicit LogReader(Storage& storage);
  ~LogReader();
  LogReader(LogReader&&) noexcept;

  [[nodiscard]] Uuid log_uuid() const;
  [[nodiscard]] std::uint32_t feature_level() const;  // of the last segment: what the log may hold
  [[nodiscard]] Head head() const;                    // of what may be read, as found by the constructor

  /// The oldest sequence whose event is still here: 1 unless segments were dropped. Looks anew at every call, because another
  /// process may be dropping some. Throws StorageError.
  [[nodiscard]] Sequence first_readable() const;

  /// Hands the events from `from` on to `visit`, in order, until it returns false or the head was read. Checks every
  /// checksum and the chain on the way; throws CorruptionError at the first thing that is wrong, DroppedError when `from` was
  /// dropped. Archived segments are read like any other; one takes up to 20 MiB of memory while it is.
  void read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) const;

  /// The same with the bytes each event was stored as, good until `visit` returns: what the hash of the event is made of.
  using VisitStored = std::function<bool(const RecordedEvent&, std::span<const std::byte> stored)>;
  void read_stored(Sequence from, const VisitStored& visit) const;

  /// The chain hash after the batch that ends with `sequence`; nothing when no batch ends there, or when that was dropped.
  [[nodiscard]] std::optional<Hash> chain_at(Sequence sequence) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class SegmentForm : std::uint8_t {
  plain,     // as it was written
  archived,  // compressed; read like a plain one
  dropped,   // a stub: counts, sequences, chain hashes and leaf hashes; no events
};
[[nodiscard]] std::string_view to_string(SegmentForm form);

struct SegmentSummary {
  std::string name;
  SegmentForm form{};
  Sequence first;
  Sequence last;                    // 0: holds no event yet
  std::uint64_t bytes = 0;          // of the file as it is on the disk
  std::uint64_t segment_bytes = 0;  // of the segment's file as it was written; of a plain one: the same
  std::uint64_t used_bytes = 0;     // up to the end of the last batch or the seal
  bool sealed = false;
};

/// What `daybook verify` says of the log. Reads every byte.
struct LogVerdict {
  enum class Kind : std::uint8_t { clean_end, unclean_end, torn_tail, damaged };
  Kind kind{};
  Head head;                 // the last event that can be proved
  std::uint64_t events = 0;  // read and proved
  std::uint64_t batches = 0;
  Sequence dropped_through;      // 0: none. Up to here events are proved only by their leaf hashes
  std::uint64_t torn_bytes = 0;  // with torn_tail
  std::optional<Damage> damage;  // with damaged
  Place place;                   // with torn_tail and damaged
  std::string message;           // one or more sentences for people
  std::vector<SegmentSummary> segments;
};
/// Never throws for damage; StorageError for what cannot be read.
[[nodiscard]] LogVerdict verify_log(Storage& storage);

/// The segments there are, oldest first. Reads the headers and seals of all and every byte of the last one. Throws StorageError, CorruptionError.
[[nodiscard]] std::vector<SegmentSummary> list_segments(Storage& storage);

}  // namespace daybook
