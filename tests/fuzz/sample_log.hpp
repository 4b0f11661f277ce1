// SPDX-License-Identifier: Apache-2.0
#pragma once

// SampleLog: a small log of several segments on a disk in memory, always the same, and what it was told.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/log/segment_log.hpp"
#include "support/manual_clock.hpp"
#include "support/memory_storage.hpp"

namespace daybook::fuzz {

/// How the writer of the sample ended.
enum class Ending : std::uint8_t { closed, killed, in_flight };

struct SampleLog {
  std::unique_ptr<test::MemoryStorage> disk;
  std::vector<RecordedEvent> events;  // all that were ever handed over
  std::size_t acknowledged = 0;       // so many of them; the rest was in flight
  std::vector<std::string> segments;  // names, in order
};

/// A copy to break.
[[nodiscard]] SampleLog sample_log(Ending ending);

[[nodiscard]] LogOptions sample_options();

/// What a next writer comes to.
struct Reopened {
  std::vector<RecordedEvent> events;   // handed out, also when `refused` came in the middle of reading them
  std::optional<std::string> refused;  // CorruptionError, from opening or from reading
  bool opened = false;
  TailStatus tail{};
};
/// Opens, reads everything, closes. Whatever is no CorruptionError gets out.
[[nodiscard]] Reopened reopen(test::MemoryStorage& disk);

/// Every file with its bytes.
[[nodiscard]] std::vector<std::pair<std::string, std::vector<std::byte>>> picture(const test::MemoryStorage& disk);

}  // namespace daybook::fuzz
