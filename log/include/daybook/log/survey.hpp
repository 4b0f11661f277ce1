// SPDX-License-Identifier: Apache-2.0
#pragma once

// LogSurvey: what can be proved of a log that may be damaged anywhere, and what is missing in between. Opening and
// LogReader stop at the first damage; this goes on behind it. Never writes, and never mends: an event is proved, or it is lost.
//
// A batch is proved when its header and its payload agree with their checksums, it bears the salt of its segment and its own
// offset, its events decode with their sequences, and it continues the chain hash of the batch before it. Behind a hole
// there is no batch before it: then it is proved by itself, and what follows by it. What that can no longer exclude is
// a history that was forged, checksums and all, behind a hole.
//
// Events that were dropped are neither proved nor missing: what stands for them is taken as it is, and the first event behind it must
// continue its chain hash.

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

/// Events that cannot be proved, from the one behind the last that was proved to the one before the next.
struct Hole {
  Sequence first;
  Sequence last;
  Place place;        // where the first of them was looked for
  std::string found;  // what was there instead
};

class LogSurvey {
 public:
  /// Reads every byte. `progress` is told how far it is. A part of a file that the disk does not give any more counts as
  /// damaged. Throws StorageError for what cannot be opened or listed; CorruptionError `foreign` when there is no log,
  /// `unknown_format` when a newer release wrote any of it, `lost_acknowledged` when nothing at all can be proved,
  /// `corrupt_sealed_segment` when events were dropped and what stands for the last of them cannot be read.
  explicit LogSurvey(Storage& storage, const std::function<void(Sequence)>& progress = {});
  ~LogSurvey();
  LogSurvey(LogSurvey&&) noexcept;

  [[nodiscard]] Uuid log_uuid() const;
  [[nodiscard]] const std::vector<Hole>& holes() const;         // in order; the last may end the log
  [[nodiscard]] const std::vector<std::string>& notes() const;  // what was odd and cost no event
  [[nodiscard]] Head dropped() const;                           // the last event that was dropped; 0: none
  [[nodiscard]] Sequence last() const;                          // of all events, proved or lost
  [[nodiscard]] std::uint64_t events() const;                   // that were proved
  [[nodiscard]] Epoch highest_epoch() const;                    // seen anywhere
  [[nodiscard]] std::uint32_t feature_level() const;            // of the segments

  /// The chain hash behind an event, as the batch that ends with it or the one that follows proves it; nothing otherwise.
  [[nodiscard]] std::optional<Hash> chain_at(Sequence sequence) const;

  /// Hands on every proved event, in order, and the bytes it is stored in, which are good until `visit` returns. Reads and
  /// checks again; throws StorageError when the disk gives something else than it did.
  void read(const std::function<void(const RecordedEvent&, std::span<const std::byte>)>& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace daybook
