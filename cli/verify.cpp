// SPDX-License-Identifier: Apache-2.0
// Questions, each asked only when the one before it was answered with yes: are the bytes what was written, does every event follow
// from those before, are the snapshots what the events say, and is the index?
#include <nlohmann/json.hpp>

#include "daybook/projections/job_index.hpp"
#include "daybook/replay/open_store.hpp"
#include "daybook/replay/snapshot.hpp"
#include "daybook/system/system_clock.hpp"
#include "exit.hpp"
#include "holding.hpp"
#include "reading.hpp"
#include "surroundings.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

struct IndexVerdict {
  enum class Kind { equal, absent, different, damaged } kind = Kind::equal;
  Sequence applied;
  std::string why;                       // absent, damaged
  std::vector<std::string> differences;  // different
};

/// Bytes of a newer release are no damage, and this release cannot say whether they are right.
bool is_newer(const LogVerdict& verdict) {
  return verdict.damage == Damage::unknown_format;
}

const char* name_of(const LogVerdict& verdict) {
  if (is_newer(verdict)) return "unknown_format";
  switch (verdict.kind) {
    case LogVerdict::Kind::clean_end:
      return "clean_end";
    case LogVerdict::Kind::unclean_end:
      return "unclean_end";
    case LogVerdict::Kind::torn_tail:
      return "torn_tail";
    case LogVerdict::Kind::damaged:
      return "damaged";
  }
  return "";
}

const char* name_of(IndexVerdict::Kind kind) {
  switch (kind) {
    case IndexVerdict::Kind::equal:
      return "equal";
    case IndexVerdict::Kind::absent:
      return "absent";
    case IndexVerdict::Kind::different:
      return "different";
    case IndexVerdict::Kind::damaged:
      return "damaged";
  }
  return "";
}

/// From the first event, or from a snapshot where the first events were dropped.
StartAt start_of(Storage& storage, const LogReader& reader) {
  if (reader.first_readable() == Sequence(1)) return {};
  return start_at_snapshot(snapshots_of(storage, reader));
}

/// An event that cannot follow from those before is damage as well, only of another kind; and so is a log whose beginning was dropped,
/// when no snapshot knows what that led to: it cannot be opened anew. `states` counts the states that were held against a hash on record,
/// when it is not null. False: not all events were judged.
bool verify_events(Storage& storage, LogVerdict& verdict, std::uint64_t* states) {
  const LogReader reader(storage);
  const Sequence head = reader.head().sequence;
  try {
    ProgressLine progress("replaying");
    const StartAt start = start_of(storage, reader);
    if (states != nullptr) {
      *states = verify_states(events_of(reader), reader.first_readable(), head, progress.callback(), start);
    } else {
      static_cast<void>(rebuild(events_of(reader), head, progress.callback(), start));
    }
  } catch (const CorruptionError& error) {
    verdict.kind = LogVerdict::Kind::damaged;
    verdict.damage = error.damage();
    verdict.place = error.place();
    verdict.message = error.what();
  } catch (const DroppedError& dropped) {
    verdict.kind = LogVerdict::Kind::damaged;
    verdict.damage = Damage::lost_acknowledged;
    verdict.place = Place{"snapshots", std::nullopt, dropped.through()};
    verdict.message = "no snapshot can be believed that holds what the dropped events up to sequence " +
                      std::to_string(dropped.through().value()) + " led to: the jobs of that time are known to nobody";
  }
  return reader.first_readable() == Sequence(1);
}

IndexVerdict compare_index(PosixStorage& storage, const LogReader& reader) {
  SystemClock clock;
  IndexDistrust distrust;
  const auto index = JobIndex::open(storage.path() + "/index", reader.log_uuid(), clock.boot_id(), distrust);
  if (index == nullptr)
    return {.kind = IndexVerdict::Kind::absent, .applied = {}, .why = distrust.why, .differences = {}};

  IndexVerdict verdict{
      .kind = IndexVerdict::Kind::equal, .applied = index->mark().applied, .why = {}, .differences = {}};
  const auto chain = reader.chain_at(verdict.applied);
  if (verdict.applied > reader.head().sequence || (verdict.applied != Sequence() && chain != index->mark().chain)) {
    verdict.differences.push_back("it stands at #" + std::to_string(verdict.applied.value()) +
                                  " of another log than this one, which ends at #" +
                                  std::to_string(reader.head().sequence.value()));
  } else {
    ProgressLine progress("comparing");
    verdict.differences =
        daybook::verify_index(*index, events_of(reader), progress.callback(), start_of(storage, reader));
  }
  index->close();
  if (!verdict.differences.empty()) verdict.kind = IndexVerdict::Kind::different;
  return verdict;
}

IndexVerdict hold_and_compare(PosixStorage& storage, const Common& common) {
  const auto lock = hold(storage, common);
  const LogReader reader(storage);
  try {
    return compare_index(storage, reader);
  } catch (const StorageError& error) {
    // What the log's own report says stays true, so an index that cannot be read is a verdict and no end of the run.
    if (!error.place().path.starts_with("index")) throw;
    return {.kind = IndexVerdict::Kind::damaged, .applied = {}, .why = error.what(), .differences = {}};
  }
}

/// What is wrong with them. Reads the log again, as far as the newest of them goes.
std::vector<std::string> judge_snapshots(Storage& storage) {
  const LogReader reader(storage);
  ProgressLine progress("snapshots");
  return verify_snapshots(storage, reader, progress.callback());
}

/// What --deep adds.
struct Deep {
  Surroundings surroundings;
  std::uint64_t states = 0;  // compared with a hash on record
  Duration took{};
};

Json deep_json(const Deep& deep) {
  Json object = {{"bytes", deep.surroundings.log_bytes},
                 {"took", to_string(deep.took)},
                 {"states", deep.states},
                 {"quarantine", Json::array()},
                 {"oddities", deep.surroundings.oddities}};
  for (const auto& [name, bytes] : deep.surroundings.quarantine) {
    object["quarantine"].push_back({{"name", name}, {"bytes", bytes}});
  }
  return object;
}

void print_deep(const Deep& deep) {
  for (const auto& [name, bytes] : deep.surroundings.quarantine) {
    print("quarantine: " + sanitized(name) + ", " + size_text(bytes) + " that recovery cut; kept as evidence");
  }
  for (const std::string& oddity : deep.surroundings.oddities) print("note: " + sanitized(oddity));
  if (deep.states != 0) print("states: " + std::to_string(deep.states) + " on record, equal to those of a replay");
  print("read " + size_text(deep.surroundings.log_bytes) + " of log in " + to_string(deep.took));
}

Json verdict_json(const LogVerdict& log, const std::optional<IndexVerdict>& index) {
  Json object = {{"verdict", name_of(log)},
                 {"events", log.events},
                 {"batches", log.batches},
                 {"head", log.head.sequence.value()},
                 {"chain", hex({reinterpret_cast<const char*>(log.head.chain.data()), log.head.chain.size()})},
                 {"message", log.message}};
  if (log.kind == LogVerdict::Kind::torn_tail) object["torn_bytes"] = log.torn_bytes;
  if (log.dropped_through != Sequence()) object["dropped_through"] = log.dropped_through.value();
  if (log.damage) object["damage"] = to_string(*log.damage);
  if (!log.place.path.empty()) object["path"] = log.place.path;
  if (log.place.offset) object["offset"] = *log.place.offset;
  if (log.place.sequence) object["sequence"] = log.place.sequence->value();
  object["segments"] = Json::array();
  for (const SegmentSummary& segment : log.segments) {
    object["segments"].push_back({{"name", segment.name},
                                  {"form", to_string(segment.form)},
                                  {"first", segment.first.value()},
                                  {"last", segment.last.value()},
                                  {"bytes", segment.bytes},
                                  {"used_bytes", segment.used_bytes},
                                  {"sealed", segment.sealed}});
  }
  if (index) {
    object["index"] = {{"verdict", name_of(index->kind)}, {"applied", index->applied.value()}};
    if (!index->why.empty()) object["index"]["why"] = index->why;
    if (!index->differences.empty()) object["index"]["differences"] = index->differences;
  }
  return object;
}

void print_log_verdict(const LogVerdict& verdict, const std::string& directory) {
  using Align = Table::Align;
  Table table({{"SEGMENT"}, {"events"}, {"written", Align::right}, {"of", Align::right}, {""}});
  for (const SegmentSummary& segment : verdict.segments) {
    const std::string events = segment.last == Sequence() ? "none yet"
                                                          : "#" + std::to_string(segment.first.value()) + " to #" +
                                                                std::to_string(segment.last.value());
    table.row({sanitized(segment.name), events, size_text(segment.used_bytes), size_text(segment.bytes),
               segment.form != SegmentForm::plain ? std::string(to_string(segment.form))
               : segment.sealed                   ? "sealed"
                                                  : "open"});
  }
  if (!table.empty()) {
    table.print();
    print("");
  }
  const std::string proved = counted(verdict.events, "event") + " in " + grouped(verdict.batches) +
                             (verdict.batches == 1 ? " batch" : " batches") + ", up to #" +
                             std::to_string(verdict.head.sequence.value());
  if (verdict.dropped_through != Sequence()) {
    print("note: events up to #" + std::to_string(verdict.dropped_through.value()) +
          " were dropped; their number, their place in the chain and their leaf hashes are whole");
  }
  switch (verdict.kind) {
    case LogVerdict::Kind::clean_end:
      print("FINE: " + proved + "; every checksum and the chain hold; closed cleanly");
      break;
    case LogVerdict::Kind::unclean_end:
      print("FINE: " + proved + "; every checksum and the chain hold");
      print("note: the log was not closed: it is open now, or a crash left it so. Nothing is missing");
      break;
    case LogVerdict::Kind::torn_tail:
      print("FINE: " + proved + "; every checksum and the chain hold");
      print("note: behind them lie " + counted(verdict.torn_bytes, "byte") +
            " of a write that a crash tore. Nobody was told that it happened; the next opening cuts it and keeps the "
            "bytes");
      break;
    case LogVerdict::Kind::damaged:
      print((is_newer(verdict) ? "NOT VERIFIED: " : "DAMAGED: ") + sanitized(verdict.message));
      if (!verdict.place.path.empty()) {
        print("  file      " + sanitized(verdict.place.path));
      }
      if (verdict.place.offset) print("  offset    " + std::to_string(*verdict.place.offset));
      if (verdict.place.sequence) print("  sequence  " + std::to_string(verdict.place.sequence->value()));
      print("proved: " + proved);
      if (is_newer(verdict) || verdict.damage == Damage::drifted_state) {
        print("what to do next: ask the release that wrote it");
        break;
      }
      print("what to do next: nothing was changed, and nothing should be. Copy " + directory +
            " as it is, look at the disk, restore the newest backup.\nWithout one, daybook salvage --dir " + directory +
            " --out NEWDIR makes a new book of what can be proved;\nwhat stands before the damage can be read: daybook "
            "log --dir " +
            directory);
      break;
  }
}

void print_index_verdict(const IndexVerdict& verdict, const std::string& directory) {
  switch (verdict.kind) {
    case IndexVerdict::Kind::equal:
      print("index: equals a replay of the log up to #" + std::to_string(verdict.applied.value()));
      break;
    case IndexVerdict::Kind::absent:
      print("index: not used as it is" + (verdict.why.empty() ? "" : " (" + sanitized(verdict.why) + ")") +
            "; the next opening makes it anew from the log");
      break;
    case IndexVerdict::Kind::different:
      print("index: DIFFERS from a replay of the log up to #" + std::to_string(verdict.applied.value()));
      for (const std::string& difference : verdict.differences) print("  " + sanitized(difference));
      print("what to do next: the log is the truth, and fine. daybook rebuild --dir " + directory);
      break;
    case IndexVerdict::Kind::damaged:
      print("index: DAMAGED: " + sanitized(verdict.why));
      print("what to do next: the log is the truth, and fine. daybook rebuild --dir " + directory +
            " makes the index anew");
      break;
  }
}

void print_snapshots(std::size_t count, const std::vector<std::string>& wrong, const std::string& directory) {
  if (wrong.empty())
    return print("snapshots: " + std::to_string(count) + ", equal to a replay of what can be read of the log");
  print("snapshots: DAMAGED, or of another history");
  for (const std::string& sentence : wrong) print("  " + sanitized(sentence));
  print("what to do next: the log is the truth, and fine. Move the file away; daybook snapshot --dir " + directory +
        " takes a new one");
}

int verify(const Common& common, bool with_index, bool with_deep) {
  require_book(common);
  SystemClock clock;
  const BootTime begun = clock.boot();
  const auto storage = PosixStorage::open(common.directory, Access::read_only);
  LogVerdict log = verify_log(*storage);
  std::uint64_t states = 0;
  const bool replayed =
      log.kind == LogVerdict::Kind::damaged || verify_events(*storage, log, with_deep ? &states : nullptr);
  const bool damaged = log.kind == LogVerdict::Kind::damaged;
  const std::size_t snapshots = list_snapshots(*storage).size();
  std::vector<std::string> wrong;
  if (!damaged) wrong = judge_snapshots(*storage);
  std::optional<IndexVerdict> index;
  if ((with_index || with_deep) && !damaged) {
    const auto writable = PosixStorage::open(common.directory, Access::read_write, on_network(common));
    index = hold_and_compare(*writable, common);
  }
  std::optional<Deep> deep;
  if (with_deep) deep = Deep{look_around(common.directory), states, clock.boot() - begun};
  if (common.json) {
    Json object = verdict_json(log, index);
    object["snapshots"] = {{"count", snapshots}, {"wrong", wrong}};
    if (deep) object["deep"] = deep_json(*deep);
    print_json(object);
  } else {
    const std::string shown = shell_word(common.directory);
    print_log_verdict(log, shown);
    if (!replayed)
      print("note: whether each event follows from those before it was not judged, because some were dropped");
    if (index) print_index_verdict(*index, shown);
    if (!damaged && snapshots != 0) print_snapshots(snapshots, wrong, shown);
    if (deep) print_deep(*deep);
  }
  if (is_newer(log)) return static_cast<int>(Exit::refused);
  const bool index_fine =
      !index || (index->kind != IndexVerdict::Kind::different && index->kind != IndexVerdict::Kind::damaged);
  const bool fine = !damaged && wrong.empty() && index_fine;
  return static_cast<int>(fine ? Exit::fine : Exit::damage);
}

}  // namespace

void add_verify(Tool& tool) {
  auto with_index = std::make_shared<bool>(false);
  auto deep = std::make_shared<bool>(false);
  tool.verb("verify", "reads every byte of the log and says whether it is right", Opens::holding)
      .about(
          "reads every byte of the log: checksums, hash chain, and whether each event follows from those before.\n"
          "Works beside a running service and changes nothing. A torn tail, which a crash leaves, is no damage (exit "
          "0, with a\n"
          "note); damage is (exit 3), with its file, offset and sequence.")
      .flag("--index", *with_index, "compare the index with a replay too; needs the book to itself")
      .flag("--deep", *deep,
            "everything: --index, and what else lies in the directory; says how much was\nread and how long it took")
      .example(
          "  $ daybook verify\n"
          "  SEGMENT         events      written       of\n"
          "  …\n"
          "  FINE: 1,204 events in 871 batches, up to #1204; every checksum and the chain hold; closed cleanly\n")
      .runs([&tool, with_index, deep] { return verify(tool.common(), *with_index, *deep); });
}

}  // namespace daybook::cli
