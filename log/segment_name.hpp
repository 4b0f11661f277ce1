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

/// "log/00000000000000000042.seg".
[[nodiscard]] std::string segment_name(Sequence first);

/// The inverse, of a name as `Storage::list` gives it (no folder). Nothing for what is no segment's name.
[[nodiscard]] std::optional<Sequence> parse_segment_file(std::string_view file);

struct LogFiles {
  std::vector<Sequence> segments;        // ascending
  std::vector<std::string> temporaries;  // "log/next.tmp" …: of no meaning once their writer is gone
  bool witness = false;
};

/// What lies in the log's folder; nothing when there is no such folder. Throws StorageError.
[[nodiscard]] LogFiles list_log(Storage& storage);

}  // namespace daybook
