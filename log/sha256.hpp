// SPDX-License-Identifier: Apache-2.0
#pragma once

// SHA-256 (FIPS 180-4) through OpenSSL's EVP, which uses the processor's instructions. Thread-safe; each
// thread keeps one context, so a warm thread allocates nothing. Throws std::runtime_error only when OpenSSL
// itself refuses to work.

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>

#include "daybook/log/journal.hpp"

// OpenSSL's context, known to sha256.cpp alone.
struct evp_md_ctx_st;

namespace daybook {

/// The hash of the pieces, one after another.
[[nodiscard]] Hash sha256(std::initializer_list<std::span<const std::byte>> pieces);
[[nodiscard]] inline Hash sha256(std::span<const std::byte> bytes) {
  return sha256({bytes});
}

/// The same for what comes little by little.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::span<const std::byte> bytes);
  /// Of all that was added. The next `add` begins anew.
  [[nodiscard]] Hash take();

 private:
  evp_md_ctx_st* context_;
};

}  // namespace daybook
