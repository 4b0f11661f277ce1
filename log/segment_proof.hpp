// SPDX-License-Identifier: Apache-2.0
#pragma once

// What can be proved within one segment, wherever damage lies in it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "segment_reader.hpp"

namespace daybook {

/// The first thing that was wrong behind a proved batch.
struct Blame {
  Place place;
  std::string found;
};

/// Proved batches one behind the other, each of which continues the chain of the one before.
struct Run {
  std::uint64_t offset = 0;  // of the first batch
  Sequence first;
  Sequence last;
  Hash before{};               // the chain hash that the first batch continues
  Hash behind{};               // … and that behind the last one
  Epoch epoch;                 // the highest of its batches and events
  std::optional<Blame> blame;  // what was found between the run before and this one

  struct Second {  // the second batch: where the run begins when its first is left out
    std::uint64_t offset = 0;
    Sequence first;
    Hash before{};
  };
  std::optional<Second> second;
};

struct SegmentProof {
  std::vector<Run> runs;        // ascending
  std::optional<Blame> rest;    // behind the last run: what is neither a seal nor zeros
  Sequence sealed_through;      // a seal says that the segment went on up to here; 0: none does
  std::uint64_t rest_from = 0;  // with `rest`: where it begins, where its last byte that is not zero ends, and how
  std::uint64_t rest_end = 0;   // far one batch in flight could reach there
  std::uint64_t reach = 0;
};

/// Reads all of it, from its first batch on. Throws CorruptionError `unknown_format` for what a newer release wrote.
[[nodiscard]] SegmentProof prove_segment(SegmentReader& reader);

/// Reads one run again: its batches, each once. Returns false when they are no longer what they were.
[[nodiscard]] bool read_run(SegmentReader& reader, const Run& run, const std::function<void(const Step&)>& visit);

}  // namespace daybook
