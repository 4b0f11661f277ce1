// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tables of the index. docs/index_format.md describes their keys and values; any change of these raises
// layout_version, and indexes of another layout are built anew.

#include <array>
#include <cstddef>
#include <cstdint>

namespace daybook {

inline constexpr std::uint32_t layout_version = 7;

enum class Table : std::uint8_t {
  meta,              // mark, book, frontiers, settings, holds
  jobs,              // id → what changes of a job
  specs,             // id → what never changes of it
  future_wall,       // (due at, id) → lane, priority
  future_book,       // (due after, id) → lane, priority, due at
  ready,             // (queue, kind, group, priority, due at, id) → due after, if any
  leases,            // (end, id)
  keys,              // (queue, unique key) → id
  states,            // (queue, state, id)
  counts,            // queue → jobs of each state
  queues,            // id → queue
  groups,            // (queue, id) → group
  workers,           // id → worker
  names,             // id → name
  requests,          // (client, request id) → request
  requests_by_time,  // (recorded at, client, request id)
  shelves,           // (shelf, at, id): final jobs by when they ended, results by until when they are kept
  deadlines_wall,    // (deadline, id), of jobs that wait
  deadlines_book,    // the same by book time
  families,          // (parent, kinship, child)
  ended,             // id of a final job that a job awaits, or did since it was looked for
  recurring,         // id → recurring schedule
};

inline constexpr std::array<const char*, 22> table_names = {
    "meta",           "jobs",     "specs",    "future_wall",      "future_book", "ready",
    "leases",         "keys",     "states",   "counts",           "queues",      "groups",
    "workers",        "names",    "requests", "requests_by_time", "shelves",     "deadlines_wall",
    "deadlines_book", "families", "ended",    "recurring"};
inline constexpr std::size_t table_count = table_names.size();
static_assert(static_cast<std::size_t>(Table::recurring) + 1 == table_count);

// Keys of the table `meta`.
namespace meta {
inline constexpr const char* mark = "mark";
inline constexpr const char* book = "book";
inline constexpr const char* frontiers = "frontiers";
inline constexpr const char* settings = "settings";
inline constexpr const char* holds = "holds";
}  // namespace meta

}  // namespace daybook
