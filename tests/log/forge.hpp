// SPDX-License-Identifier: Apache-2.0
#pragma once

// Changes what is stored as a program would that knows the checksums: one field is another, all else is right. Only the
// check of that very field can tell.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "daybook/core/error.hpp"
#include "format.hpp"
#include "log_fixture.hpp"

namespace daybook::test {

void forge_segment(MemoryStorage& disk, const std::string& segment,
                   const std::function<void(format::SegmentHeader&)>& change);
void forge_batch(MemoryStorage& disk, const std::string& segment, std::uint64_t offset,
                 const std::function<void(format::BatchHeader&)>& change);
/// After the bytes of its payload were changed.
void forge_payload_checksum(MemoryStorage& disk, const std::string& segment, std::uint64_t offset);
/// The seal behind the last batch. The checksum over its payload is made right before `change_header` sees it.
void forge_seal(MemoryStorage& disk, const std::string& segment,
                const std::function<void(format::SealPayload&)>& change_payload,
                const std::function<void(format::BatchHeader&)>& change_header = nullptr);
/// The newest slot of the witness, and the other one after it.
void forge_witness(MemoryStorage& disk, const std::function<void(format::WitnessSlot&)>& change);

/// Makes the checksum in the last four bytes of a structure right again.
void rechecksum(std::span<std::byte> structure);

// ---- what is said of it: expects the kind of damage, and answers with its words ----

/// Of a copy of the book. Unset: it opens, and the answer is empty.
[[nodiscard]] std::string open_says(const LogBook& book, std::optional<Damage> expected);
[[nodiscard]] std::string verify_says(const LogBook& book, Damage expected);
/// Of a LogReader that reads all of it.
[[nodiscard]] std::string reading_says(const LogBook& book, Damage expected);

[[nodiscard]] std::string last_segment(const LogBook& book);

}  // namespace daybook::test
