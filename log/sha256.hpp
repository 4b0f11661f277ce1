// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 (FIPS 180-4) through OpenSSL's EVP, which uses the processor's instructions. Thread-safe; each
// thread keeps one context, so a warm thread allocates nothing. Throws std::runtime_error only when OpenSSL
// itself refuses to work.

#include <cstddef>
#include <initializer_list>
#include <span>

#include "daybook/log/journal.hpp"

namespace daybook {

/// The hash of the pieces, one after another.
[[nodiscard]] Hash sha256(std::initializer_list<std::span<const std::byte>> pieces);
[[nodiscard]] inline Hash sha256(std::span<const std::byte> bytes) {
  return sha256({bytes});
}

}  // namespace daybook
