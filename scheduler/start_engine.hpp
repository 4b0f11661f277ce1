// SPDX-License-Identifier: Apache-2.0
#pragma once

// What opening a book does once its log is open, behind ports alone: the entities, from the index or from the log, the
// engine over them, and the event that records the opening.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daybook/core/retention.hpp"
#include "daybook/log/segment_log.hpp"
#include "daybook/replay/open_store.hpp"
#include "daybook/scheduler/engine.hpp"

namespace daybook {

/// Who opens the book. For people; nothing depends on it.
struct Owner {
  std::uint32_t process = 0;
  std::string host;
  std::string release;  // of Daybook
};

struct EngineStart {
  Journal& journal;         // as its opening left it
  const LogOpening& found;  // what that opening found
  ChainAt chain_at;
  std::optional<std::string> index_folder;  // absolute; nothing: no index, the entities stay in memory
  Clock& clock;
  Random& random;
  Bounds bounds = {};
  const Zones& zones = utc_alone();
  std::optional<Retention> retention = {};  // unset: as the record says
  ClockPolicy clock_policy = ClockPolicy::ask;
  Owner owner = {};
  std::function<void(const std::string&)> warn = {};  // what an operator should know; may be empty
  Meter* meter = nullptr;                             // may be null
  StartAt start = {};                                 // where folding may begin; empty: with the first event
};

struct StartedEngine {
  std::unique_ptr<Engine> engine;
  std::uint64_t events_replayed = 0;
  bool index_rebuilt = false;
  Sequence began_at;       // the snapshot that it began with; 0: none
  std::string index_note;  // why
  Instant last_event{};    // wall clock of the last event before the opening
  std::uint32_t claims_ended = 0;
};

/// Throws StorageError, CorruptionError. An index that fails on a full or failing disk does not keep the book shut.
[[nodiscard]] StartedEngine start_engine(EngineStart start);

}  // namespace daybook
