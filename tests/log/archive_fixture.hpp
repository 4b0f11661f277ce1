// SPDX-License-Identifier: Apache-2.0
#pragma once

// A log of several segments whose old ones can be archived and dropped, and what all tests of that ask of it.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daybook/log/archive.hpp"
#include "log_fixture.hpp"
#include "segment_name.hpp"

namespace daybook::test {

inline const Sequence everything(UINT64_MAX);

inline LogOptions with_archives() {
  LogOptions options = small_segments();
  options.feature_level = archives_feature_level;
  return options;
}

/// So many sealed segments, and one in use behind them; open.
inline LogBook book_of(std::size_t sealed, const LogOptions& options = with_archives()) {
  LogBook book(options);
  book.create();
  while (book.segments().size() <= sealed) book.append_acknowledged(1 + book.acknowledged.size() % 3, 1700);
  book.append_acknowledged(2, 10);
  return book;
}

inline std::size_t archive_all(Storage& storage, Sequence until = everything) {
  std::size_t moved = 0;
  while (archive_next(storage, until)) ++moved;
  return moved;
}

inline std::size_t drop_all(Storage& storage, Sequence until = everything) {
  std::size_t moved = 0;
  while (drop_next(storage, until)) ++moved;
  return moved;
}

inline std::vector<RecordedEvent> read_from(const LogReader& reader, Sequence from) {
  std::vector<RecordedEvent> events;
  reader.read(from, [&](const RecordedEvent& event) {
    events.push_back(event);
    return true;
  });
  return events;
}

/// Everything acknowledged from the first readable event on, as a reader beside the writer sees it.
inline void expect_readable_as_acknowledged(Storage& disk, const std::vector<RecordedEvent>& acknowledged) {
  const LogReader reader(disk);
  const Sequence first = reader.first_readable();
  const std::vector<RecordedEvent> expected(acknowledged.begin() + static_cast<std::ptrdiff_t>(first.value() - 1),
                                            acknowledged.end());
  EXPECT_EQ(read_from(reader, first), expected) << "from " << first.value();
}

/// No archive or stub beside a fuller form, no temporary.
inline void expect_nothing_left_over(Storage& disk) {
  std::vector<std::string> left = list_log(disk).temporaries;
  std::erase(left, next_temporary);
  EXPECT_TRUE(left.empty()) << left.front();
}

}  // namespace daybook::test
