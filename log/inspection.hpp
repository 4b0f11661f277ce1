// SPDX-License-Identifier: Apache-2.0
#pragma once

// Looks at a whole log without changing it, and judges what it finds: a clean end, the trace of a crash, or damage.
// Opening and `verify` judge by the same code; they differ in how much they read.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/ports.hpp"
#include "segment_name.hpp"
#include "segment_reader.hpp"
#include "witness.hpp"

namespace daybook {

enum class Depth : std::uint8_t {
  ends,        // headers and seals of all segments, every byte of the last one
  everything,  // every byte, every event decoded
};

struct FoundSegment {
  std::string name;
  format::SegmentHeader header;
  SegmentForm form{};
  std::uint64_t file_bytes = 0;  // of the segment as it was written
  std::uint64_t disk_bytes = 0;  // that it takes as it is
  Cursor end;  // behind the last whole batch; with Depth::ends, of all but the last segment only next, chain, epoch
  bool sealed = false;
  std::uint64_t used_bytes = 0;  // up to the end of the seal, or of the last batch with its padding
  bool header_lost = false;      // only the last: nothing but a bad header; to be begun anew
};

struct Inspection {
  enum class Tail : std::uint8_t { clean_end, unclean_end, torn_tail };

  WitnessFound witness;
  std::vector<FoundSegment> segments;  // those found good so far; at least one when `inspect` returns
  std::vector<std::string> temporaries;
  Uuid log_uuid;
  Head head;                  // of what is proved so far
  Epoch highest_epoch;        // seen anywhere
  std::uint64_t batches = 0;  // counted with Depth::everything
  std::uint64_t events = 0;
  Sequence dropped_through;  // 0: none
  Tail tail{};

  // with torn_tail: in the last segment
  std::uint64_t cut_from = 0;
  std::uint64_t cut_bytes = 0;  // up to the last that is not zero
  std::string torn;             // what was found there

  std::vector<std::string> notes;  // sentences for people: what is odd and harmless
};

/// Throws CorruptionError for damage and StorageError; `found` then holds what was good before it.
void inspect(Storage& storage, Depth depth, Inspection& found);

}  // namespace daybook
