// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the log's files lie in a book's directory, and what they are called.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/ids.hpp"
#include "daybook/core/ports.hpp"

namespace daybook {

inline constexpr const char* log_folder = "log";
inline constexpr const char* quarantine_folder = "quarantine";
inline constexpr const char* witness_name = "log/witness";
inline constexpr const char* witness_temporary = "log/witness.tmp";
inline constexpr const char* next_temporary = "log/next.tmp";            // allocated ahead of need
inline constexpr const char* recovered_temporary = "log/recovered.tmp";  // a segment being written anew
inline constexpr const char* archive_temporary = "log/archive.tmp";      // an archive or a stub being written

/// "log/00000000000000000042.seg".
[[nodiscard]] std::string segment_name(Sequence first);
/// "log/00000000000000000042.seg.zst", in the place of the segment.
[[nodiscard]] std::string archive_name(Sequence first);
/// "log/00000000000000000042.stub", in the place of either.
[[nodiscard]] std::string stub_name(Sequence first);

/// The inverse, of a name as `Storage::list` gives it (no folder). Nothing for what is no name of a plain segment.
[[nodiscard]] std::optional<Sequence> parse_segment_file(std::string_view file);

struct LogFiles {
  std::vector<Sequence> segments;        // in whatever form; ascending
  std::vector<Sequence> plain;           // those of which the fullest form is this one
  std::vector<Sequence> archived;        //
  std::vector<Sequence> dropped;         //
  std::vector<std::string> temporaries;  // "log/next.tmp", an archive beside its segment …: of no meaning once their
                                         // writer is gone
  bool witness = false;

  /// The first sequence whose event is here; 0 when there are no segments or all of them were dropped.
  [[nodiscard]] Sequence first_readable() const;
};

/// What lies in the log's folder; nothing when there is no such folder. Misses no segment that another process is archiving or
/// dropping. Throws StorageError.
[[nodiscard]] LogFiles list_log(Storage& storage);

}  // namespace daybook
