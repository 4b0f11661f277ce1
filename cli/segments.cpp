// SPDX-License-Identifier: Apache-2.0
// What becomes of old segments: shown, compressed, let go.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "daybook/log/archive.hpp"
#include "daybook/replay/retention.hpp"
#include "daybook/system/system_clock.hpp"
#include "exit.hpp"
#include "holding.hpp"
#include "reading.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

std::string range_of(Sequence first, Sequence last) {
  return "#" + std::to_string(first.value()) + " to #" + std::to_string(last.value());
}

int segments(const Common& common) {
  require_book(common);
  const auto storage = PosixStorage::open(common.directory, Access::read_only);
  using Align = Table::Align;
  Table table({{"SEGMENT"}, {"events"}, {"form"}, {"on disk", Align::right}, {"written", Align::right}});
  for (const SegmentSummary& segment : list_segments(*storage)) {
    if (common.json) {
      print_json({{"name", segment.name},
                  {"form", to_string(segment.form)},
                  {"first", segment.first.value()},
                  {"last", segment.last.value()},
                  {"bytes", segment.bytes},
                  {"used_bytes", segment.used_bytes},
                  {"sealed", segment.sealed}});
    } else {
      table.row({sanitized(segment.name),
                 segment.last == Sequence() ? "none yet" : range_of(segment.first, segment.last),
                 std::string(to_string(segment.form)), size_text(segment.bytes), size_text(segment.used_bytes)});
    }
  }
  if (!common.json) table.print();
  return static_cast<int>(Exit::fine);
}

void print_moved(const Common& common, const SegmentMoved& moved, const char* what) {
  if (common.json) {
    print_json({{"name", moved.name},
                {"first", moved.first.value()},
                {"last", moved.last.value()},
                {"bytes_before", moved.bytes_before},
                {"bytes_after", moved.bytes_after}});
  } else {
    print(std::string(what) + " " + range_of(moved.first, moved.last) + ": " + size_text(moved.bytes_before) +
          ", now " + size_text(moved.bytes_after) + " in " + sanitized(moved.name));
  }
}

int archive(const Common& common, const std::optional<Sequence>& until) {
  require_book(common);
  const auto storage = PosixStorage::open(common.directory, Access::read_write);
  const auto lock = hold(*storage, common);
  std::size_t count = 0;
  ProgressLine progress("archiving");
  while (const auto moved = archive_next(*storage, until.value_or(Sequence(UINT64_MAX)))) {
    print_moved(common, *moved, "archived");
    progress.update(moved->last);
    ++count;
  }
  if (count == 0) tell("no finished segment is left to archive");
  return static_cast<int>(Exit::fine);
}

struct DropOptions {
  std::optional<Sequence> before;
  std::optional<Duration> older_than;
};

/// The last event that may go.
Sequence until_of(const LogReader& log, const std::vector<SegmentSummary>& all, const DropOptions& options) {
  if (options.before) return *options.before == Sequence() ? Sequence() : Sequence(options.before->value() - 1);
  SystemClock clock;
  return last_older_than(log, all, clock.wall() - *options.older_than);
}

int drop(const Common& common, const DropOptions& options) {
  if (!options.before && !options.older_than) throw UsageError("up to where? Give --before SEQ or --older-than D");
  require_book(common);
  Daybook book = open_book(common);
  const auto storage = PosixStorage::open(common.directory, Access::read_write);  // the lock is the book's
  const auto all = list_segments(*storage);
  const LogReader reader(*storage);
  const Sequence until = until_of(reader, all, options);
  Sequence on_record;
  book.look([&](const View& view, const Moment&) { on_record = view.book().dropped_through; });
  const Sequence snapshot = snapshot_to_rely_on(snapshots_of(*storage, reader));
  const auto planned = plan_drop(all, on_record, until, snapshot);
  if (!planned && plan_drop(all, on_record, until, Sequence(UINT64_MAX))) {
    throw RefusedError(
        "two snapshots that can be believed must stand behind these segments, so that one of them may be lost, and "
        "nothing was dropped: without any the jobs in them would be lost too. daybook snapshot makes one");
  }
  if (planned) {
    require_whole(reader, *planned);
    execute(book, common, RecordDrop{*planned});
  }
  std::size_t count = 0;
  // Also what is on record already and was cut short.
  while (const auto moved = drop_next(*storage, std::min(planned ? planned->last : on_record, snapshot))) {
    print_moved(common, *moved, "dropped");
    ++count;
  }
  book.close();
  if (count == 0) tell("no finished segment is left to drop");
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_segments(Tool& tool) {
  tool.verb("segments", "the segments of the log: plain, archived or dropped", Opens::reading)
      .about(
          "lists the segments of the log, oldest first: their events, their form, and what they take of the disk.\n"
          "Works beside a running service. Reads headers; daybook verify reads every byte.")
      .example(
          "  $ daybook segments\n"
          "  SEGMENT                           events          form      on disk   written\n"
          "  log/00000000000000000001.seg.zst  #1 to #3912     archived  131.4 KiB  1.0 MiB\n"
          "  log/00000000000000003913.seg      #3913 to #4120  plain       2.0 MiB  61.2 KiB\n")
      .runs([&tool] { return segments(tool.common()); });

  auto until = std::make_shared<std::optional<Sequence>>();
  tool.verb("archive", "compresses finished segments", Opens::holding)
      .about(
          "compresses the finished segments of the log. They stay readable by every verb, and zstd -d unpacks them "
          "too.\n"
          "Each is read back and compared before the original goes. Needs the book to itself, and feature level 2.")
      .option("--until", "SEQ", *until, "only segments that end at or before this event; all unless given")
      .example(
          "  $ daybook archive\n"
          "  archived #1 to #3912: 1.0 MiB, now 131.4 KiB in log/00000000000000000001.seg.zst\n")
      .runs([&tool, until] { return archive(tool.common(), *until); });

  auto options = std::make_shared<DropOptions>();
  tool.verb("drop", "lets the oldest segments go, behind a snapshot", Opens::writing)
      .about(
          "drops the oldest segments of the log. Their events cannot be read any more; counts, chain hashes and leaf "
          "hashes\n"
          "stay, so that the rest is still proved. Only segments behind two snapshots that can be believed go, so that "
          "no job is\n"
          "lost, even if one snapshot is. Each event is read a last time before.\n"
          "It is on record with who and why before a file goes.")
      .option("--before", "SEQ", options->before, "segments that end before this event")
      .option("--older-than", "D", options->older_than, "segments whose last event is older")
      .not_with("--before")
      .takes_reason(true)
      .example(
          "  $ daybook drop --older-than 365d --reason \"kept for a year\"\n"
          "  dropped #1 to #3912: 131.4 KiB, now 126.8 KiB in log/00000000000000000001.stub\n")
      .runs([&tool, options] { return drop(tool.common(), *options); });
}

}  // namespace daybook::cli
