// SPDX-License-Identifier: Apache-2.0
#pragma once

// Journal: the port behind which the durable sequence of events lives. SegmentLog is the embedded one; the contract is
// made so that a replicated engine can stand here too.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/core/ids.hpp"

namespace daybook {

using Hash = std::array<std::uint8_t, 32>;  // SHA-256

/// The end of the log: its last event and the hash that chains everything up to it. Always the end of a batch.
struct Head {
  Sequence sequence;
  Hash chain{};
  friend bool operator==(const Head&, const Head&) = default;
};

/// Events as they are stored, made by BatchEncoder. Reused from batch to batch, so that a warm writer allocates nothing.
struct EncodedBatch {
  Sequence first;
  std::uint32_t count = 0;
  std::vector<std::byte> bytes;
};

/// Turns recorded events into stored bytes. Not thread-safe.
class BatchEncoder {
 public:
  /// `event.sequence` continues the batch. Returns the bytes the event takes.
  std::size_t add(const RecordedEvent& event);
  /// An event of that sequence as another log stores it: a multiple of 8 bytes that were decoded before.
  void add_stored(Sequence sequence, std::span<const std::byte> message);
  void clear();  // keeps the memory
  [[nodiscard]] const EncodedBatch& batch() const { return batch_; }

 private:
  EncodedBatch batch_;
};

/// The inverse, for one batch. Throws CorruptionError (foreign bytes, unknown event type or revision, limits exceeded).
[[nodiscard]] std::vector<RecordedEvent> decode_batch(const EncodedBatch& batch);

struct Committed {  // durable
  Head head;
};
struct Conflict {  // somebody else appended
  Head head;
};
struct Fenced {  // a writer of a higher epoch took over
  Epoch epoch;
};
/// The batch may or may not survive. This journal takes no more; open it again.
struct Unknown {
  std::string what;
  int error_number = 0;
};
/// There is no room, and nothing was written: the journal is as it was.
struct Full {
  std::string what;
};
using AppendResult = std::variant<Committed, Conflict, Fenced, Unknown, Full>;

/// How much of the room that is left an append may use.
enum class Room : std::uint8_t {
  ordinary,  // leaves the reserve alone: new work
  reserve,   // may use it: what finishes or keeps work, and what the book records of itself
};

class Journal {
 public:
  virtual ~Journal() = default;

  /// Durable when it returns Committed: the bytes and everything before them are synced.
  [[nodiscard]] virtual AppendResult append(Epoch epoch, const Head& expected, const EncodedBatch& batch,
                                            Room room) = 0;

  /// Hands the events from `from` on to `visit` until it returns false or the end. Synced events only.
  virtual void read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) = 0;

  [[nodiscard]] virtual Head tail() const = 0;
  [[nodiscard]] virtual Epoch epoch() const = 0;
  [[nodiscard]] virtual std::size_t largest_batch_bytes() const = 0;

  /// What appending and syncing cost so far.
  struct Costs {
    std::uint64_t batches = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;  // written to the log, framing included
    std::uint64_t syncs = 0;  // of data files, the witness included
  };
  [[nodiscard]] virtual Costs costs() const = 0;

  /// What the log may hold from here on.
  [[nodiscard]] virtual std::uint32_t feature_level() const = 0;
  /// Durable when it returns Committed: from here on readers that do not know `level` refuse the log. Fine when it has that
  /// level already. The log must hold an event.
  [[nodiscard]] virtual AppendResult raise_feature_level(std::uint32_t level) = 0;

  /// False: only a reserve is left, and an append with Room::ordinary would answer Full.
  [[nodiscard]] virtual bool has_room() const = 0;

  /// Housekeeping, for when nothing else is to do: what may be synced late is synced.
  virtual void settle() = 0;

  /// Marks a clean end. No append after it.
  virtual void close() = 0;
};

}  // namespace daybook
