// SPDX-License-Identifier: Apache-2.0
#pragma once

// A written log that is damaged, and the book that is salvaged from it.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/replay/salvage.hpp"
#include "written_log.hpp"

namespace daybook::test {

struct WrittenBatch {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t end = 0;
  Sequence first;
  Sequence last;
};

/// The batches of an undamaged log, by their headers, as docs/log_format.md describes them.
inline std::vector<WrittenBatch> batches_of(const MemoryStorage& storage) {
  const auto number = [](const std::vector<std::byte>& bytes, std::uint64_t at, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
    return value;
  };
  std::vector<WrittenBatch> batches;
  for (const std::string& name : storage.names()) {
    if (!name.ends_with(".seg")) continue;
    const std::vector<std::byte> bytes = storage.content(name);
    for (std::uint64_t at = 4096; at + 128 <= bytes.size() && number(bytes, at, 4) != 0;) {
      const std::uint64_t end = at + 128 + number(bytes, at + 4, 4);
      const std::uint64_t first = number(bytes, at + 8, 8);
      const std::uint64_t count = number(bytes, at + 16, 4);
      if (count != 0) batches.push_back({name, at, end, Sequence(first), Sequence(first + count - 1)});
      at = end;
    }
  }
  return batches;
}

/// The message of an event as a log stores it.
inline std::string stored(const RecordedEvent& event) {
  BatchEncoder encoder;
  encoder.add(event);
  const auto& bytes = encoder.batch().bytes;
  return {reinterpret_cast<const char*>(bytes.data()) + 8, bytes.size() - 8};
}

class SalvagedLog {
 public:
  explicit SalvagedLog(Storage& from) {
    FixedRandom random{99};
    report = salvage_log(from, out, clock, random);
    LogReader(out).read(Sequence(1), [&](const RecordedEvent& recorded) {
      events.push_back(recorded);
      return true;
    });
  }

  [[nodiscard]] const RecordedEvent& at(Sequence sequence) const {
    return events.at(static_cast<std::size_t>(sequence.value()) - 1);
  }
  [[nodiscard]] State state() { return rebuild(daybook::events_of(LogReader(out)), report.head.sequence); }

  MemoryStorage out;
  ManualClock clock;
  SalvageReport report;
  std::vector<RecordedEvent> events;
};

}  // namespace daybook::test
