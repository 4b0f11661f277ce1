// SPDX-License-Identifier: Apache-2.0
#include "open_book.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "daybook/core/state.hpp"
#include "daybook/log/log_reader.hpp"
#include "daybook/replay/open_store.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/system/process.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_random.hpp"
#include "daybook/system/system_waiter.hpp"
#include "daybook/version.hpp"

namespace daybook {

namespace {

constexpr std::array<std::string_view, 5> own_entries{"LOCK", "log", "index", "snapshots", "quarantine"};
constexpr Duration lock_poll = std::chrono::milliseconds(20);

// A directory with somebody else's files in it is not made into a book.
void refuse_foreign(const std::filesystem::path& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (std::find(own_entries.begin(), own_entries.end(), name) == own_entries.end()) {
      throw CorruptionError(Damage::foreign, Place{.path = directory.string(), .offset = {}, .sequence = {}},
                            "not a daybook: no log in it, but \"" + name +
                                "\"; nothing was changed; name an empty directory, or one that does not exist yet");
    }
  }
}

std::unique_ptr<StorageLock> lock_or_name_owner(PosixStorage& storage, OpenedBook& book, const Options& options) {
  const BootTime give_up = book.clock->boot() + options.owner_wait;
  while (true) {
    Locked locked = storage.lock(options.purpose.empty() ? program_name() : options.purpose);
    if (locked.lock) return std::move(locked.lock);
    const bool held = locked.error == 0 || locked.error == EWOULDBLOCK;
    const BootTime now = book.clock->boot();
    if (!held || now >= give_up) {
      const std::string sentence = held ? "held by another process (" +
                                              (locked.owner.empty() ? std::string("unknown") : locked.owner) +
                                              "), waited " + to_string(options.owner_wait) + "; stop it, or wait longer"
                                        : std::string("cannot lock the book");
      throw StorageError(Place{.path = storage.path(), .offset = {}, .sequence = {}}, held ? 0 : locked.error,
                         sentence);
    }
    book.waiter->wait(std::nullopt, std::min(give_up, now + lock_poll));
  }
}

BookOpened opening_event(const LogOpening& found) {
  BookOpened opening;
  opening.epoch = found.epoch;
  opening.tail = found.tail;
  opening.bytes_cut = found.bytes_cut;
  opening.cut_sha256 = found.cut_sha256;
  opening.process = process_id();
  opening.host = host_name();
  opening.release = version;
  return opening;
}

std::vector<Setting> settings(const Bounds& bounds) {
  return {{"batch_bytes", std::to_string(bounds.batch_bytes)},
          {"batch_commands", std::to_string(bounds.batch_commands)},
          {"payload_bytes", std::to_string(bounds.payload_bytes)}};
}

void check_options(const Options& options) {
  const Bounds& bounds = options.bounds;
  if (options.feature_level < limits::feature_level_first || options.feature_level > limits::feature_level_highest) {
    throw std::invalid_argument("daybook::Options::feature_level: " + std::to_string(options.feature_level) +
                                ", expected " + std::to_string(limits::feature_level_first) + " to " +
                                std::to_string(limits::feature_level_highest));
  }

  if (bounds.payload_bytes > limits::payload_bytes_max || bounds.batch_bytes > limits::batch_bytes_max) {
    throw std::invalid_argument("daybook::Options::bounds: payload_bytes is at most " +
                                std::to_string(limits::payload_bytes_max) + " and batch_bytes at most " +
                                std::to_string(limits::batch_bytes_max));
  }
}

// The log is well by now. An index that cannot be opened or made (a full disk) does not keep the book shut.
StoreOpening open_index(OpenedBook& book, const LogOpening& found, const Moment& now, const StartAt& start) {
  PosixStorage& storage = *book.storage;
  try {
    return open_store(
        storage.path() + "/index", *book.log, found.log_uuid, book.clock->boot_id(), now,
        [&](Sequence sequence) { return LogReader(storage).chain_at(sequence); }, start);
  } catch (const StorageError& error) {
    const int number = error.error_number();
    if (number != ENOSPC && number != EDQUOT && number != EIO) throw;  // a symbolic link, no permission: for people
    StoreOpening none;
    none.note = std::string("the index failed, going on in memory: ") + error.what();
    return none;
  }
}

StartAt snapshot_start(Storage& storage, const Uuid& log_uuid, const Options& options) {
  const auto chain_at = [&storage](Sequence sequence) { return LogReader(storage).chain_at(sequence); };
  return start_at_snapshot({storage, log_uuid, chain_at}, [log = options.log](const std::string& note) {
    if (log) log(LogLevel::warning, note);
  });
}

}  // namespace

OpenedBook open_book(const std::filesystem::path& directory, const Options& options) {
  check_options(options);
  OpenedBook book;
  book.own_clock = std::make_unique<SystemClock>();
  book.own_random = std::make_unique<SystemRandom>();
  book.own_waiter = std::make_unique<SystemWaiter>();
  book.clock = options.clock != nullptr ? options.clock : book.own_clock.get();
  book.random = options.random != nullptr ? options.random : book.own_random.get();
  book.waiter = options.waiter != nullptr ? options.waiter : book.own_waiter.get();

  book.storage = PosixStorage::open(directory, options.create ? Access::create : Access::read_write,
                                    options.allow_network ? OnNetwork::allow : OnNetwork::refuse);
  if (const std::string network = book.storage->network(); options.log && !network.empty()) {
    options.log(LogLevel::warning,
                "the book is on a network file system (" + network +
                    "), as allowed: what the disk acknowledges may be lost, and no lock keeps other machines out");
  }
  if (!log_exists(*book.storage)) {
    refuse_foreign(directory);
    if (!options.create) {
      throw StorageError(Place{.path = book.storage->path(), .offset = {}, .sequence = {}}, 0, "no daybook here yet");
    }
  }
  book.lock = lock_or_name_owner(*book.storage, book, options);

  LogOpening found;
  book.log = log_exists(*book.storage) ? SegmentLog::open(*book.storage, *book.clock, *book.random, {}, found)
                                       : SegmentLog::create(*book.storage, *book.clock, *book.random,
                                                            LogOptions{.feature_level = options.feature_level}, found);
  const Moment now{book.clock->wall(), book.clock->boot(), BookTime{}, 0};
  const StartAt start = snapshot_start(*book.storage, found.log_uuid, options);
  StoreOpening store = open_index(book, found, now, start);
  JobIndex* index = store.index.get();
  std::unique_ptr<Store> entities = std::move(store.index);
  if (entities == nullptr) {
    entities = std::make_unique<State>(rebuild(events_of(*book.log), book.log->tail().sequence, {}, start));
  }

  std::function<void(const std::string&)> warn;
  if (options.log && index == nullptr) options.log(LogLevel::warning, store.note);
  if (options.log) warn = [log = options.log](const std::string& sentence) { log(LogLevel::warning, sentence); };
  const Instant last_event = entities->book().head_wall;
  book.engine = std::make_unique<Engine>(Engine::Parts{.journal = *book.log,
                                                       .store = std::move(entities),
                                                       .index = index,
                                                       .clock = *book.clock,
                                                       .random = *book.random,
                                                       .bounds = options.bounds,
                                                       .clock_policy = options.clock_policy,
                                                       .warn = std::move(warn),
                                                       .start = start});
  book.report.claims_ended = book.engine->open(opening_event(found), settings(options.bounds));

  book.report.tail = found.tail;
  book.report.head = book.log->tail().sequence;
  book.report.epoch = found.epoch;
  book.report.bytes_cut = found.bytes_cut;
  book.report.quarantine = found.quarantine;
  book.report.events_replayed = store.events_replayed;
  book.report.index_rebuilt = store.rebuilt;
  book.report.snapshot = store.began_at;
  book.report.index_note = store.note;
  book.report.held = book.engine->view().book().held;
  book.report.clock_doubted = book.engine->view().book().clock_doubted;
  book.report.note = found.note;
  if (options.log && book.report.clock_doubted) {
    options.log(LogLevel::warning,
                "the clock is in doubt: it says " + to_string(now.wall) +
                    ", and the last event before this opening is of " + to_string(last_event) +
                    "; nothing is claimed until somebody confirms the clock: daybook confirm-clock, or "
                    "Daybook::confirm_clock");
  }
  return book;
}

}  // namespace daybook
