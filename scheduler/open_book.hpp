// SPDX-License-Identifier: Apache-2.0
#pragma once

// Opening a book: directory, lock, log and its recovery, index, engine, and the event that records it.

#include <filesystem>
#include <memory>

#include "daybook/daybook.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/scheduler/engine.hpp"
#include "meter.hpp"

namespace daybook {

/// Members are destroyed from the last to the first: the lock goes after the log.
struct OpenedBook {
  std::unique_ptr<Clock> own_clock;
  std::unique_ptr<Random> own_random;
  std::unique_ptr<Waiter> own_waiter;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Waiter* waiter = nullptr;
  std::unique_ptr<Zones> own_zones;
  const Zones* zones = nullptr;
  std::unique_ptr<Storage> own_storage;
  Storage* storage = nullptr;
  std::unique_ptr<StorageLock> lock;
  std::unique_ptr<SegmentLog> log;
  std::unique_ptr<Meter> meter;  // null: not wanted
  std::unique_ptr<Engine> engine;
  OpeningReport report;
};

/// Throws StorageError, CorruptionError.
[[nodiscard]] OpenedBook open_book(const std::filesystem::path& directory, const Options& options);
/// On storage that belongs to the caller: no index, the entities stay in memory.
[[nodiscard]] OpenedBook open_book(Storage& storage, const Options& options);

}  // namespace daybook
