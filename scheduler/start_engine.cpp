// SPDX-License-Identifier: Apache-2.0
#include "start_engine.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/core/state.hpp"
#include "daybook/replay/replay.hpp"

namespace daybook {

namespace {

BookOpened opening_event(const LogOpening& found, const Owner& owner) {
  BookOpened opening;
  opening.epoch = found.epoch;
  opening.tail = found.tail;
  opening.bytes_cut = found.bytes_cut;
  opening.cut_sha256 = found.cut_sha256;
  opening.process = owner.process;
  opening.host = owner.host;
  opening.release = owner.release;
  return opening;
}

std::vector<Setting> settings(const Bounds& bounds, const std::optional<Retention>& retention) {
  std::vector<Setting> all = {{"batch_bytes", std::to_string(bounds.batch_bytes)},
                              {"batch_commands", std::to_string(bounds.batch_commands)},
                              {"payload_bytes", std::to_string(bounds.payload_bytes)}};
  if (retention) std::ranges::move(settings_of(*retention), std::back_inserter(all));
  return all;
}

// The log is well by now. An index that cannot be opened or made (a full disk) does not keep the book shut.
StoreOpening open_index(const EngineStart& start, const std::string& folder) {
  const Moment now{start.clock.wall(), start.clock.boot(), BookTime{}, 0};
  try {
    return open_store(folder, start.journal, start.found.log_uuid, start.clock.boot_id(), now, start.chain_at,
                      start.start);
  } catch (const StorageError& error) {
    const int number = error.error_number();
    if (number != ENOSPC && number != EDQUOT && number != EIO) throw;  // a symbolic link, no permission: for people
    StoreOpening none;
    none.note = std::string("the index failed, going on in memory: ") + error.what();
    if (start.warn) start.warn(none.note);
    return none;
  }
}

}  // namespace

StartedEngine start_engine(EngineStart start) {
  StoreOpening store;
  if (start.index_folder) store = open_index(start, *start.index_folder);
  JobIndex* index = store.index.get();
  std::unique_ptr<Store> entities = std::move(store.index);
  if (entities == nullptr) {
    entities =
        std::make_unique<State>(rebuild(events_of(start.journal), start.journal.tail().sequence, {}, start.start));
  }
  StartedEngine started;
  started.events_replayed = store.events_replayed;
  started.index_rebuilt = store.rebuilt;
  started.began_at = store.began_at;
  started.index_note = std::move(store.note);
  started.last_event = entities->book().head_wall;
  started.engine = std::make_unique<Engine>(Engine::Parts{.journal = start.journal,
                                                          .store = std::move(entities),
                                                          .index = index,
                                                          .clock = start.clock,
                                                          .random = start.random,
                                                          .bounds = start.bounds,
                                                          .zones = start.zones,
                                                          .clock_policy = start.clock_policy,
                                                          .warn = std::move(start.warn),
                                                          .start = std::move(start.start),
                                                          .meter = start.meter});
  started.claims_ended =
      started.engine->open(opening_event(start.found, start.owner), settings(start.bounds, start.retention));
  return started;
}

}  // namespace daybook
