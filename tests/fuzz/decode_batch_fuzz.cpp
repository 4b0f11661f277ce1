// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "daybook/core/error.hpp"
#include "daybook/log/journal.hpp"
#include "format.hpp"
#include "fuzz.hpp"

// Bytes as a batch's payload, and as each of the fixed structures: what is read must be written again as something that
// reads the same, and everything else must end in CorruptionError or a Problem. The first four bytes are the count.

namespace daybook::fuzz {
namespace {

void decode_payload(std::span<const std::byte> bytes) {
  if (bytes.size() < 4) return;
  EncodedBatch batch;
  std::memcpy(&batch.count, bytes.data(), 4);
  batch.count %= 64;
  batch.first = Sequence(1);
  batch.bytes.assign(bytes.begin() + 4, bytes.end());
  try {
    const auto events = daybook::decode_batch(batch);
    BatchEncoder encoder;
    for (const RecordedEvent& event : events) encoder.add(event);
    require(daybook::decode_batch(encoder.batch()) == events, "events read again as themselves");
  } catch (const CorruptionError&) {
  }
}

void parse_structures(std::span<const std::byte> bytes) {
  if (const auto header = format::parse_segment_header(bytes)) {
    require(format::parse_segment_header(format::to_bytes(*header)).value() == *header,
            "a structure reads again as itself");
  }
  if (const auto header = format::parse_batch_header(bytes)) {
    require(format::parse_batch_header(format::to_bytes(*header)).value() == *header,
            "a structure reads again as itself");
  }
  if (const auto slot = format::parse_witness_slot(bytes)) {
    require(format::parse_witness_slot(format::to_bytes(*slot)).value() == *slot, "a structure reads again as itself");
  }
  if (const auto seal = format::parse_seal_payload(bytes)) {
    require(format::parse_seal_payload(format::to_bytes(*seal)).value() == *seal, "a structure reads again as itself");
  }
}

}  // namespace

void decode_batch(Bytes bytes) {
  decode_payload(bytes);
  parse_structures(bytes);
}

}  // namespace daybook::fuzz
