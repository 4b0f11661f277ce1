// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reading events in order across segments, for the writer itself and for readers beside it.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "daybook/core/event.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/log/journal.hpp"

namespace daybook {

/// Hands the events from `from` to `until`, the end of a batch that was synced, on to `visit` until it returns false.
/// Checks checksums and chain of all it reads. Throws CorruptionError, StorageError.
void walk_events(Storage& storage, const Uuid& log_uuid, Sequence from, Sequence until,
                 const std::function<bool(const RecordedEvent&)>& visit);

/// The same with the message each event was stored as, good until `visit` returns.
void walk_stored_events(Storage& storage, const Uuid& log_uuid, Sequence from, Sequence until,
                        const std::function<bool(const RecordedEvent&, std::span<const std::byte>)>& visit);

/// The chain hash behind the batch that ends with `sequence`; nothing when none ends there.
[[nodiscard]] std::optional<Hash> chain_behind(Storage& storage, const Uuid& log_uuid, Sequence sequence);

}  // namespace daybook
