// SPDX-License-Identifier: Apache-2.0
// A book as it was, written out as a book of its own. Events are copied and nothing is run.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daybook/system/system_clock.hpp"
#include "daybook/system/system_random.hpp"
#include "exit.hpp"
#include "reading.hpp"
#include "verbs.hpp"

namespace daybook::cli {

namespace {

struct ReplayOptions {
  Point to;
  std::string out;
};

int replay(const Common& common, const ReplayOptions& options) {
  const ReadingBook book(common);
  const Sequence head = book.log().head().sequence;
  if (const auto* sequence = std::get_if<Sequence>(&options.to);
      sequence != nullptr && (*sequence > head || *sequence < Sequence(1))) {
    throw RefusedError("--to " + std::to_string(sequence->value()) + ": this log holds events 1 to " +
                       std::to_string(head.value()));
  }
  const Resolved to = resolve(book.events(), head, options.to);
  if (to.sequence == Sequence()) throw RefusedError("--to: that is before the first event; there was no book yet");

  namespace fs = std::filesystem;
  const std::string shown = sanitized(options.out);
  std::error_code error;
  if (fs::exists(options.out, error) && !fs::is_empty(options.out, error)) {
    throw RefusedError(shown +
                       " is not empty, and nothing in it was changed: name a directory that does not exist yet");
  }
  // A copy runs nothing; whoever opens it for writing is asked again.
  const auto storage = PosixStorage::open(options.out, Access::create, OnNetwork::allow);
  const Locked lock = storage->lock("daybook replay");
  if (lock.lock == nullptr) throw RefusedError(shown + " is held by " + sanitized(lock.owner));
  SystemClock clock;
  SystemRandom random;
  Sequence written;
  {
    ProgressLine progress("copying");
    written = copy_log(book.log(), to.sequence, *storage, clock, random, progress.callback()).sequence;
  }
  if (!to.ambiguous.empty()) tell(to.ambiguous);
  if (common.json) {
    print_json({{"out", options.out},
                {"seq", to.sequence.value()},
                {"at", to_string(to.moment.wall)},
                {"head", written.value()},
                {"held", true},
                {"ambiguous", to.ambiguous}});
  } else {
    print(shown + " is the book as it was after #" + std::to_string(to.sequence.value()) + ", " +
          to_string(to.moment.wall));
    tell("It is held: it can be read, and runs nothing until\n  daybook adopt --dir " + shell_word(options.out) +
         " --reason …");
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_replay(Tool& tool) {
  auto options = std::make_shared<ReplayOptions>();
  tool.verb("replay", "writes the book as it was into a new directory", Opens::reading)
      .about(
          "writes the book as it was into a new directory. Replaying never runs a job; the copy is held,\n"
          "and runs none either until somebody adopts it.")
      .option("--to", "SEQ|TIME", options->to, "up to and including this sequence, or instant")
      .required()
      .option("--out", "NEWDIR", options->out, "missing, or empty")
      .required()
      .example(
          "  $ daybook replay --to 2026-03-04T12:05:00Z --out before-the-incident\n"
          "  before-the-incident is the book as it was after #28, 2026-03-04T12:05:00.000000Z\n")
      .runs([&tool, options] { return replay(tool.common(), *options); });
}

}  // namespace daybook::cli
