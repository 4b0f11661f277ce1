// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "exit.hpp"
#include "holding.hpp"
#include "reading.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

void drop_index(const Common& common) {
  const auto storage = PosixStorage::open(common.directory, Access::read_write, on_network(common));
  // Somebody who has the book open has the index mapped.
  const auto lock = hold(*storage, common);
  std::vector<std::string> names;
  if (storage->list("index", names) == ENOENT) return;
  for (const std::string& name : names) {
    const std::string file = "index/" + name;
    if (const int error = storage->remove(file); error != 0) {
      throw StorageError(Place{.path = file, .offset = {}, .sequence = {}}, error, "cannot be removed");
    }
  }
}

int rebuild_index(const Common& common) {
  require_book(common);
  drop_index(common);
  Daybook book = open_book(common);
  const OpeningReport report = book.opening();
  std::uint64_t jobs = 0;
  book.look([&](const View& view, const Moment&) {
    for (const auto& [key, count] : view.counts()) jobs += count;
  });
  book.close();
  if (common.json) {
    print_json({{"rebuilt", report.index_rebuilt},
                {"events", report.events_replayed},
                {"snapshot", report.snapshot.value()},
                {"jobs", jobs}});
  } else {
    const std::string snapshot =
        report.snapshot == Sequence() ? "" : "the snapshot of #" + std::to_string(report.snapshot.value()) + " and ";
    print("rebuilt the index from " + snapshot + counted(report.events_replayed, "event") + ": " +
          counted(jobs, "job"));
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_rebuild(Tool& tool) {
  tool.verb("rebuild", "drops the index and makes it anew from the log", Opens::writing)
      .about(
          "drops the index and makes it anew from the log. Nothing is lost by it: the index holds nothing that the\n"
          "log does not say.")
      .example("  $ daybook rebuild\n  rebuilt the index from 1,204 events: 395 jobs\n")
      .runs([&tool] { return rebuild_index(tool.common()); });
}

}  // namespace daybook::cli
