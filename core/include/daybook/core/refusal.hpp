// SPDX-License-Identifier: Apache-2.0
#pragma once

// A refusal is an ordinary answer: the command was understood and changed nothing. It is a value, never an
// exception. Storage trouble and damage are exceptions (error.hpp); bugs are assertions (assert.hpp).

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace daybook {

/// Stable: the names are part of `--json`, the numbers of the log.
enum class RefusalCode : std::uint16_t {
  invalid_argument = 1,        // a value that means nothing here: a name, a number, a text that does not parse
  no_such_job = 2,             // never issued in this book, or nothing is known of it any more
  another_history = 3,         // the id or token was issued by another copy of this book
  lease_lost = 4,              // the token is not that of the current claim
  already_completed = 5,       // the same token completed this job before
  already_final = 6,           // completed, cancelled or dead: nothing can change it (a dead job can be retried)
  not_running = 7,             // the job is not claimed
  is_running = 8,              // the job is claimed, and the command needs it waiting
  not_dead = 9,                // only a dead job can be retried
  duplicate_key = 10,          // another job holds the unique key; the sentence and `job` name it
  payload_too_large = 11,      // payload, result, error or progress over the limit
  due_out_of_range = 12,       // before 1970 or after the year 9999
  lease_out_of_range = 13,     // under 1 s or over 24 h
  attempts_out_of_range = 14,  // fewer than 1 or too many attempts, or a backoff that makes no sense
  batch_too_large = 15,        // too many commands or bytes for one batch
  too_many_tags = 16,
  queue_unknown = 17,  // no job was ever scheduled in, and nobody ever named, this queue
  worker_unknown = 18,
  book_held = 19,          // the book is a copy and waits to be adopted
  not_held = 20,           // adopt, on a book that nobody holds back
  storage_full = 21,       // no room for new jobs; finishing work goes on
  closed = 22,             // the book was closed, or is closing
  read_only = 23,          // opened for reading
  too_old = 24,            // a request id from before the window
  clock_doubted = 25,      // the clock does not fit the book's last event: nothing is claimed until it is confirmed
  needs_upgrade = 26,      // the book's feature level is too low for this
  is_uncertain = 27,       // the record of the job has a hole: it can only be retried or cancelled
  pruned = 28,             // the job ended, and is no longer part of the state; the log has its history
  not_matching = 29,       // the job is not, or no longer, one that the command's filter matches
  no_such_recurring = 30,  // no recurring schedule of that name is declared
};

[[nodiscard]] std::string_view to_string(RefusalCode code);

struct Refusal {
  RefusalCode code{};
  std::string sentence;   // names the thing and the fact: lower case, no full stop
  std::uint64_t job = 0;  // sequence of the job concerned; for duplicate_key the holder; 0: none

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

template <class T>
using Result = tl::expected<T, Refusal>;

[[nodiscard]] inline tl::unexpected<Refusal> refuse(RefusalCode code, std::string sentence, std::uint64_t job = 0) {
  return tl::unexpected<Refusal>(Refusal{code, std::move(sentence), job});
}

}  // namespace daybook
