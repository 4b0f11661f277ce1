// SPDX-License-Identifier: Apache-2.0
#pragma once

// The folder "quarantine": bytes that recovery cut. Evidence, never needed to open a book; bounded, so that a machine that
// crashes over and over does not fill its disk with it. What goes is the oldest; of each cut the book's own
// record keeps size and hash (BookOpened).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daybook/core/ports.hpp"
#include "daybook/log/journal.hpp"

namespace daybook {

struct Cut {
  std::string file;         // "quarantine/…"
  std::uint64_t bytes = 0;  // that were cut; of a large cut the file keeps the beginning and the end
  Hash sha256{};            // of all of them
};

/// Keeps the bytes, durably, and removes the oldest cuts beyond limits::quarantine_files_max and quarantine_bytes_max; `removed`
/// gets their names. Throws StorageError, and then leaves no part of them (ENOSPC: no room).
[[nodiscard]] Cut put_in_quarantine(Storage& storage, Sequence segment, std::uint64_t offset,
                                    std::span<const std::byte> bytes, std::vector<std::string>& removed);

/// The cut at that place, if there was one.
[[nodiscard]] std::optional<Cut> find_in_quarantine(Storage& storage, Sequence segment, std::uint64_t offset);

}  // namespace daybook
