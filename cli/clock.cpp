// SPDX-License-Identifier: Apache-2.0
// Whether the clock is believed: what it says beside what the log says, and the word of an operator that it is right.
#include <nlohmann/json.hpp>

#include "daybook/core/decide.hpp"
#include "daybook/system/system_clock.hpp"
#include "exit.hpp"
#include "reading.hpp"
#include "verbs.hpp"
#include "writing.hpp"

namespace daybook::cli {

namespace {

std::string distance_text(Duration gap) {
  if (gap < Duration(0)) return to_string(-gap) + " before the last event";
  return to_string(gap) + " after the last event";
}

int clock(const Common& common) {
  ReadingBook reading(common);
  const State state = reading.state();
  const Book& book = state.book();
  SystemClock system;
  const Instant wall = system.wall();
  const BootTime boot = system.boot();
  const bool same_boot = system.boot_id() == book.boot_id && boot >= book.head_boot;
  const bool would_be = !book.open && !book.clock_doubted && doubtful_gap(book, wall).has_value();

  if (common.json) {
    print_json({{"wall", to_string(wall)},
                {"boot", to_string(boot.time_since_epoch())},
                {"head", book.head.value()},
                {"head_at", to_string(book.head_wall)},
                {"head_boot", to_string(book.head_boot.time_since_epoch())},
                {"same_boot", same_boot},
                {"clock_doubted", book.clock_doubted},
                {"next_opening_doubts", would_be}});
    return static_cast<int>(Exit::fine);
  }
  print("wall clock  " + to_string(wall) + ", " + distance_text(wall - book.head_wall));
  print("boot clock  " + to_string(boot.time_since_epoch()) + " since the machine started" +
        (same_boot ? "; this boot wrote the last event" : "; another boot wrote the last event"));
  print("last event  #" + std::to_string(book.head.value()) + " at " + to_string(book.head_wall) + ", " +
        to_string(book.head_boot.time_since_epoch()) + " after its boot");
  if (book.clock_doubted) {
    print("the clock is in doubt: nothing is claimed until daybook confirm-clock --reason …");
  } else if (would_be) {
    print("the next opening will doubt the clock: set it right first, or confirm it then");
  } else {
    print("the clock is believed");
  }
  return static_cast<int>(Exit::fine);
}

int confirm(const Common& common) {
  Daybook book = open_book(common);
  const bool doubted = book.opening().clock_doubted;
  execute(book, common, ConfirmClock{});
  book.close();
  if (common.json) {
    print_json({{"was_doubted", doubted}});
  } else {
    print(doubted ? "confirmed: jobs run from here on" : "nobody doubted the clock");
  }
  return static_cast<int>(Exit::fine);
}

}  // namespace

void add_clock(Tool& tool) {
  tool.verb("clock", "the clocks, beside the times of the last event", Opens::reading)
      .about(
          "shows what the clocks say, the times of the last event, and whether the clock is in doubt.\n"
          "A book that is opened with a clock more than 5 minutes before its last event, or a year after it, takes "
          "jobs and\n"
          "outcomes, but nothing is claimed until an operator has confirmed the clock. (From feature level 2 on.)")
      .example(
          "  $ daybook clock\n"
          "  wall clock  2026-03-04T12:10:00.000000Z, 5m after the last event\n"
          "  boot clock  6h5m since the machine started; this boot wrote the last event\n"
          "  last event  #32 at 2026-03-04T12:05:00.000000Z, 6h after its boot\n"
          "  the clock is believed\n")
      .runs([&tool] { return clock(tool.common()); });
  tool.verb("confirm-clock", "says that a clock in doubt is right: jobs run again", Opens::writing)
      .about(
          "says that the clock is right although it does not fit the last event. Be sure of it (daybook clock, date): "
          "when it is\n"
          "wrong, set it right first; what is due by a wrong clock would run.")
      .takes_reason(true)
      .example("  $ daybook confirm-clock --reason \"switched off since 2024\"\n  confirmed: jobs run from here on\n")
      .runs([&tool] { return confirm(tool.common()); });
}

}  // namespace daybook::cli
