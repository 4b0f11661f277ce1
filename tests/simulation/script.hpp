// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scripts: a life of a book, written down before it is lived. An action is symbolic ("complete, choice 17": the claim and
// the result follow from what the world holds by then), so that a script from which actions were taken still means something.
// The same script is the same life, byte for byte.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::simulation {

/// What happens. Each has one line in the table of actions.cpp, and one function.
enum class Kind : std::uint8_t {
  // Clients and workers: they submit, and are answered by a later step. A batch is made of those before it.
  schedule,
  claim,
  renew,
  complete,
  fail,
  snooze,
  release,
  cancel,
  reschedule,
  retry,
  pause,
  resume,
  join,
  leave,
  configure,
  adopt,
  expire,
  raise_level,
  doubt_clock,
  confirm_clock,
  recur,  // declare, pause, run, fill, remove what recurs
  batch,
  wait_for_claim,
  repeat,  // a request once more, perhaps because nobody knows what became of it
  look,
  forget,  // a worker dies: nobody speaks for its claims any more
  withdraw,
  // The service.
  step,
  restart,  // closes cleanly and opens
  reboot,   // closes cleanly; the machine goes down and comes up; opens
  // Time.
  pass,     // and the engine is woken when it asked to be
  suspend,  // and it is not
  jump,     // the wall clock steps
  // Ends.
  kill,             // the process, between two storage calls
  lose_power,       // likewise
  kill_soon,        // within one of the next storage calls
  lose_power_soon,  // likewise
  // The disk.
  fail_soon,  // one of the next storage calls fails
  hinder,     // from here on calls are interrupted, reads and writes fall short, bytes reach the device unasked
  err,        // from here on calls fail, by chance
  lie,        // from here on the disk loses, moves and spoils what it was given, by chance
  shorten,    // reads and writes move few bytes at once
  fill,       // the disk has next to no room
  calm,       // nothing of that any more
  damage,     // judged on a copy of the disk: it must be found
  // The index.
  drop_index,
  index_err,  // from here on its calls fail, by chance; the book goes on
  // What is made beside the book at work.
  snapshot,
  archive,
  backup,   // and opened, on a disk of its own
  drop,     // of segments behind two snapshots
  restore,  // the last backup takes the place of the book, which is lost
};
inline constexpr std::size_t kind_count = static_cast<std::size_t>(Kind::restore) + 1;
[[nodiscard]] std::string_view to_string(Kind kind);

struct Action {
  Kind kind{};
  std::uint32_t choice = 0;
  friend bool operator==(const Action&, const Action&) = default;
};

struct Options {
  std::uint64_t segment_bytes_min = 12 * 1024;
  std::uint64_t segment_bytes_max = 24 * 1024;
  std::uint32_t commit_alignment = 8;
  std::size_t payload_bytes = 256;
  std::size_t batch_bytes = 700;
  bool index = false;        // with LMDB, whose writes go through a simulated disk of its own
  std::uint64_t chance = 1;  // the world's own: ids, jitter, fates of sectors
  friend bool operator==(const Options&, const Options&) = default;
};

struct Script {
  Options options;
  std::vector<Action> actions;
};

/// The life that a seed stands for.
[[nodiscard]] Script script_of(std::uint64_t seed, bool index);

/// As it would stand in found_test.cpp.
[[nodiscard]] std::string as_code(const Script& script);

}  // namespace daybook::simulation
