// SPDX-License-Identifier: Apache-2.0
#pragma once

// CRC32C (Castagnoli; RFC 3720 appendix B.4, check value E3069283 for "123456789"). With the processor's
// instruction where it has one, found out at run time.

#include <cstddef>
#include <cstdint>
#include <span>

namespace daybook {

/// `seed` is the checksum of the bytes before: crc32c(b, crc32c(a)) == crc32c(ab).
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);

/// The same without special instructions.
[[nodiscard]] std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t seed = 0);

/// Does this processor have the instruction?
[[nodiscard]] bool crc32c_is_accelerated();

}  // namespace daybook
