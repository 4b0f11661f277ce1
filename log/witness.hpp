// SPDX-License-Identifier: Apache-2.0
#pragma once

// The witness: a small file that says how far the log was synced, kept apart from it. It only ever raises the floor of
// what must exist. Two slots are written alternately, so one is whole at any time.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "daybook/core/ports.hpp"
#include "file_io.hpp"
#include "format.hpp"

namespace daybook {

struct WitnessFound {
  bool exists = false;
  std::optional<format::WitnessSlot> newest;               // nothing: missing, or no slot is whole
  std::array<std::optional<format::Problem>, 2> problems;  // of each slot
  std::uint64_t bytes = 0;                                 // of the file

  [[nodiscard]] bool clean() const { return newest && newest->clean; }
};

/// Throws StorageError; CorruptionError when a newer release wrote it.
[[nodiscard]] WitnessFound read_witness(Storage& storage);

class Witness {
 public:
  /// Makes the file, or makes it anew, in one step that is durable. `slot.counter` is where to go on counting.
  [[nodiscard]] static Witness create(Storage& storage, format::WitnessSlot slot);
  /// Goes on with the file there is. Writes nothing.
  [[nodiscard]] static Witness resume(Storage& storage, const format::WitnessSlot& newest);

  /// Says `slot`, whose counter is set here. Not synced.
  void write(format::WitnessSlot slot);
  void sync();
  /// Says `slot` in both slots, each synced before the other is touched: whichever is lost later, the other says the same.
  void write_durably(const format::WitnessSlot& slot);

  [[nodiscard]] bool behind() const { return behind_; }  // is there something to sync?

 private:
  explicit Witness(LogFile file) : file_(std::move(file)) {}

  LogFile file_;
  std::uint64_t counter_ = 0;
  bool behind_ = false;
};

}  // namespace daybook
