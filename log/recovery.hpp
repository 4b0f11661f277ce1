// SPDX-License-Identifier: Apache-2.0
#pragma once

// Makes a log that was inspected ready for its next writer. Every step leaves a log that inspection finds good again, so
// being killed anywhere in it loses nothing and running it again ends the same way.

#include <cstdint>
#include <optional>
#include <string>

#include "daybook/core/ports.hpp"
#include "daybook/log/segment_log.hpp"
#include "inspection.hpp"
#include "segment_writer.hpp"
#include "witness.hpp"

namespace daybook {

/// A log that takes appends, and what its witness says.
struct ReadyLog {
  SegmentWriter segment;
  Witness witness;
  format::WitnessSlot said;
  Head head;
  std::optional<ReservedFile> next = std::nullopt;  // taken over from the writer before
};

/// Goes on in the last segment after a clean end; otherwise puts the cut bytes aside, writes what survived anew, sealed,
/// and begins a new segment. Throws StorageError.
[[nodiscard]] ReadyLog recover(Storage& storage, Clock& clock, Random& random, const LogOptions& options,
                               const Inspection& found, LogOpening& opening);

/// The header of the segment that comes behind `head`. `previous`: of any segment of the log.
[[nodiscard]] format::SegmentHeader successor(const format::SegmentHeader& previous, const Head& head, Epoch epoch,
                                              std::uint64_t bytes, Clock& clock, Random& random);

}  // namespace daybook
