// SPDX-License-Identifier: Apache-2.0
#pragma once

// Retention of segments: what becomes of those that are finished. An archive is the segment compressed, and read like it; a stub
// keeps what proves the events, and not the events. The last segment always stays as it is.
//
// Both calls need the book's lock to be held, and work beside the SegmentLog of the process that holds it, one call at a time:
// they touch no segment that takes appends. LogReaders in other processes go on reading. Cut short anywhere, they
// leave a log in which each segment is there in one form at least; the next opening removes what was left over.
//
// Both throw CorruptionError when the segment is damaged, which then stays as it is; StorageError (ENOSPC: nothing was changed) and,
// with error number ENOTSUP, when the last segment of the log is of a feature level below archives_feature_level: an earlier
// release would take archives and stubs for missing segments.

#include <cstdint>
#include <optional>
#include <string>

#include "daybook/core/ids.hpp"
#include "daybook/core/ports.hpp"

namespace daybook {

inline constexpr std::uint32_t archives_feature_level = 2;

struct SegmentMoved {
  std::string name;  // of the file there is now, as in "log/00000000000000000001.seg.zst"
  Sequence first;
  Sequence last;
  std::uint64_t bytes_before = 0;  // on the disk
  std::uint64_t bytes_after = 0;
};

/// Compresses the oldest plain sealed segment whose last event is at or before `until`; nothing when there is none. One a call.
/// The archive was read back and compared before the segment goes. Takes about 60 MiB of memory.
[[nodiscard]] std::optional<SegmentMoved> archive_next(Storage& storage, Sequence until);

/// Replaces the oldest segment that is still here, and whose last event is at or before `until`, by a stub with its counts,
/// sequences, chain hashes and leaf hashes (SHA-256 of a zero byte and the stored event); nothing when there is none. One a call.
/// The events in it are gone for good: the caller sees to it that a verified snapshot stands at or behind its last event, and
/// that the dropping is on record.
[[nodiscard]] std::optional<SegmentMoved> drop_next(Storage& storage, Sequence until);

}  // namespace daybook
