// SPDX-License-Identifier: Apache-2.0

// Any bytes as a segment: the last of a log, or one that has a successor, with the witness or without. Opening, verifying and
// reading end in a verdict; an event that is handed out stands in a batch of these bytes, or of the sample's, whose checksums hold.

#include <algorithm>
#include <map>
#include <vector>

#include "crc32c.hpp"
#include "daybook/core/error.hpp"
#include "daybook/log/log_reader.hpp"
#include "format.hpp"
#include "fuzz.hpp"
#include "sample_log.hpp"

namespace daybook::fuzz {
namespace {

using Provable = std::multimap<Sequence, RecordedEvent>;

// Judged without the reader of the log: only its structures and checksums.
void add_provable(Bytes content, Provable& provable) {
  for (std::size_t at = format::segment_header_bytes; at + format::batch_header_bytes <= content.size(); at += 8) {
    const auto header = format::parse_batch_header(content.subspan(at));
    if (!header || header->seal) continue;
    const Bytes behind = content.subspan(at + format::batch_header_bytes);
    if (behind.size() < header->payload_bytes) continue;
    const Bytes payload = behind.first(header->payload_bytes);
    if (crc32c(payload) != header->payload_crc32c) continue;
    try {
      for (RecordedEvent& event : daybook::decode_batch(
               {.first = header->first, .count = header->count, .bytes = {payload.begin(), payload.end()}})) {
        provable.emplace(event.sequence, std::move(event));
      }
    } catch (const CorruptionError&) {
    }
  }
}

bool is_provable(const Provable& provable, const RecordedEvent& event) {
  const auto [first, last] = provable.equal_range(event.sequence);
  return std::any_of(first, last, [&](const auto& entry) { return entry.second == event; });
}

}  // namespace

void segment(Bytes bytes) {
  Program program(bytes);
  const std::uint8_t mode = program.byte();
  SampleLog sample = sample_log((mode & 1) != 0 ? Ending::closed : Ending::in_flight);
  const std::string name = (mode & 2) != 0 ? sample.segments.front() : sample.segments.back();
  if ((mode & 4) != 0) sample.disk->remove_durably("log/witness");
  if ((mode & 8) != 0) {  // alone
    for (const std::string& other : sample.segments) {
      if (other != name) sample.disk->remove_durably(other);
    }
  }
  sample.disk->write_durably(name, {program.rest().begin(), program.rest().end()});
  Provable provable;
  for (const std::string& file : sample.segments) {
    if (sample.disk->exists(file)) add_provable(sample.disk->content(file), provable);
  }

  const auto before = picture(*sample.disk);
  const LogVerdict verdict = verify_log(*sample.disk);
  require(picture(*sample.disk) == before, "verifying changes nothing");
  const Reopened first = reopen(*sample.disk);
  require(first.opened || picture(*sample.disk) == before, "a refusal changes nothing");
  for (const RecordedEvent& event : first.events)
    require(is_provable(provable, event), "what is handed out can be proved");
  // Opening reads less than verifying, which reads what reading reads.
  if (verdict.kind != LogVerdict::Kind::damaged) {
    require(!first.refused.has_value(), "what verify calls fine is not refused: " + first.refused.value_or(""));
    require(first.events.size() == verdict.events, "as many events as verify counts");
  } else {
    require(first.refused.has_value(), "what verify calls damaged is refused: " + verdict.message);
  }
  if (first.refused) return;
  const Reopened second = reopen(*sample.disk);
  require(!second.refused && second.tail == TailStatus::clean && second.events == first.events, "recovery settles it");
}

}  // namespace daybook::fuzz
