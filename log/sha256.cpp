// SPDX-License-Identifier: Apache-2.0
#include "sha256.hpp"

#include <openssl/evp.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>

// The algorithm is fetched once for the process and never freed (a static of another file may still hash
// while the process ends); the context belongs to its thread. Looking the algorithm up for every hash costs
// more than a short hash.

namespace daybook {
namespace {

[[noreturn]] void refuse_to_work(const char* call) {
  throw std::runtime_error(std::string("sha-256: OpenSSL's ") + call +
                           " failed; check that libcrypto's default provider can be loaded");
}

const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = [] {
    const EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (md == nullptr) refuse_to_work("EVP_MD_fetch");
    return md;
  }();
  return fetched;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

EVP_MD_CTX* context() {
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> mine(EVP_MD_CTX_new());
  if (mine == nullptr) throw std::bad_alloc();
  return mine.get();
}

}  // namespace

Hash sha256(std::initializer_list<std::span<const std::byte>> pieces) {
  EVP_MD_CTX* const state = context();
  if (EVP_DigestInit_ex2(state, algorithm(), nullptr) != 1) refuse_to_work("EVP_DigestInit_ex2");
  for (const auto& piece : pieces) {
    if (EVP_DigestUpdate(state, piece.data(), piece.size()) != 1) refuse_to_work("EVP_DigestUpdate");
  }
  Hash hash;
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(state, hash.data(), &size) != 1 || size != hash.size()) refuse_to_work("EVP_DigestFinal_ex");
  return hash;
}

}  // namespace daybook
