// SPDX-License-Identifier: Apache-2.0
#include "open_book.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "daybook/log/log_reader.hpp"
#include "daybook/replay/replay.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/system/posix_storage.hpp"
#include "daybook/system/process.hpp"
#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_random.hpp"
#include "daybook/system/system_waiter.hpp"
#include "daybook/system/system_zones.hpp"
#include "daybook/version.hpp"
#include "start_engine.hpp"

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

std::unique_ptr<StorageLock> lock_or_name_owner(Storage& storage, OpenedBook& book, const Options& options) {
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
      throw StorageError(Place{.path = storage.describe(""), .offset = {}, .sequence = {}}, held ? 0 : locked.error,
                         sentence);
    }
    book.waiter->wait(std::nullopt, std::min(give_up, now + lock_poll));
  }
}

void check_options(const Options& options) {
  if (options.retention) {
    for (const Setting& setting : settings_of(*options.retention)) {
      const auto refused = check_retention_setting(setting);
      if (refused) throw std::invalid_argument("daybook::Options::retention: " + refused->sentence);
    }
  }
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

StartAt snapshot_start(Storage& storage, const Uuid& log_uuid, const Options& options) {
  const auto chain_at = [&storage](Sequence sequence) { return LogReader(storage).chain_at(sequence); };
  return start_at_snapshot({storage, log_uuid, chain_at}, [log = options.log](const std::string& note) {
    if (log) log(LogLevel::warning, note);
  });
}

OpenedBook with_ports(const Options& options) {
  check_options(options);
  OpenedBook book;
  book.own_clock = std::make_unique<SystemClock>();
  book.own_random = std::make_unique<SystemRandom>();
  book.own_waiter = std::make_unique<SystemWaiter>();
  book.clock = options.clock != nullptr ? options.clock : book.own_clock.get();
  book.random = options.random != nullptr ? options.random : book.own_random.get();
  book.waiter = options.waiter != nullptr ? options.waiter : book.own_waiter.get();
  if (options.zones == nullptr) book.own_zones = std::make_unique<SystemZones>();
  book.zones = options.zones != nullptr ? options.zones : book.own_zones.get();
  return book;
}

// What stands between a directory and the book in it. Returns the folder of the index.
std::string look_at_directory(PosixStorage& storage, const std::filesystem::path& directory, const Options& options) {
  if (const std::string network = storage.network(); options.log && !network.empty()) {
    options.log(LogLevel::warning,
                "the book is on a network file system (" + network +
                    "), as allowed: what the disk acknowledges may be lost, and no lock keeps other machines out");
  }
  if (!log_exists(storage)) {
    refuse_foreign(directory);
    if (!options.create) {
      throw StorageError(Place{.path = storage.path(), .offset = {}, .sequence = {}}, 0, "no daybook here yet");
    }
  }
  return storage.path() + "/index";
}

// `book` has its ports and its storage.
void open_log_and_engine(OpenedBook& book, std::optional<std::string> index_folder, const Options& options) {
  book.lock = lock_or_name_owner(*book.storage, book, options);

  if (options.metrics) book.meter = std::make_unique<Meter>();
  LogOpening found;
  book.log = log_exists(*book.storage) ? SegmentLog::open(*book.storage, *book.clock, *book.random, {}, found)
                                       : SegmentLog::create(*book.storage, *book.clock, *book.random,
                                                            LogOptions{.feature_level = options.feature_level}, found);
  std::function<void(const std::string&)> warn;
  if (options.log) warn = [log = options.log](const std::string& sentence) { log(LogLevel::warning, sentence); };
  StartedEngine started =
      start_engine({.journal = *book.log,
                    .found = found,
                    .chain_at = [&](Sequence sequence) { return LogReader(*book.storage).chain_at(sequence); },
                    .index_folder = std::move(index_folder),
                    .clock = *book.clock,
                    .random = *book.random,
                    .bounds = options.bounds,
                    .zones = *book.zones,
                    .retention = options.retention,
                    .clock_policy = options.clock_policy,
                    .owner = {.process = process_id(), .host = host_name(), .release = version},
                    .warn = std::move(warn),
                    .meter = book.meter.get(),
                    .start = snapshot_start(*book.storage, found.log_uuid, options)});
  book.engine = std::move(started.engine);

  book.report.tail = found.tail;
  book.report.opened = found.head.sequence.next();
  book.report.head = book.log->tail().sequence;
  book.report.epoch = found.epoch;
  book.report.bytes_cut = found.bytes_cut;
  book.report.quarantine = found.quarantine;
  book.report.events_replayed = started.events_replayed;
  book.report.index_rebuilt = started.index_rebuilt;
  book.report.snapshot = started.began_at;
  book.report.index_note = std::move(started.index_note);
  book.report.claims_ended = started.claims_ended;
  book.report.held = book.engine->view().book().held;
  book.report.clock_doubted = book.engine->view().book().clock_doubted;
  book.report.note = found.note;
  if (options.log && book.report.clock_doubted) {
    options.log(LogLevel::warning,
                "the clock is in doubt: it says " + to_string(book.clock->wall()) +
                    ", and the last event before this opening is of " + to_string(started.last_event) +
                    "; nothing is claimed until somebody confirms the clock: daybook confirm-clock, or "
                    "Daybook::confirm_clock");
  }
}

}  // namespace

OpenedBook open_book(const std::filesystem::path& directory, const Options& options) {
  OpenedBook book = with_ports(options);
  auto storage = PosixStorage::open(directory, options.create ? Access::create : Access::read_write,
                                    options.allow_network ? OnNetwork::allow : OnNetwork::refuse);
  const std::string index_folder = look_at_directory(*storage, directory, options);
  book.own_storage = std::move(storage);
  book.storage = book.own_storage.get();
  open_log_and_engine(book, index_folder, options);
  return book;
}

OpenedBook open_book(Storage& storage, const Options& options) {
  OpenedBook book = with_ports(options);
  book.storage = &storage;
  if (!options.create && !log_exists(storage)) {
    throw StorageError(Place{.path = storage.describe(""), .offset = {}, .sequence = {}}, 0, "no daybook here yet");
  }
  open_log_and_engine(book, std::nullopt, options);
  return book;
}

}  // namespace daybook
