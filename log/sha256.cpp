// SPDX-License-Identifier: Apache-2.0
#include "sha256.hpp"

#include <openssl/evp.h>

#include <new>
#include <stdexcept>
#include <string>

// The algorithm is fetched once for the process and kept: looking it up for every hash costs more than a short hash. The
// context belongs to its thread.

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

// A plain pointer beside the guard that frees it: an object with static lifetime may close a book while the process ends, after
// the guard of its thread is gone. Then one more context is made, and left to the end of the process.
thread_local EVP_MD_CTX* current = nullptr;

struct FreeAtThreadEnd {
  ~FreeAtThreadEnd() {
    EVP_MD_CTX_free(current);
    current = nullptr;
  }
  void arm() const {}  // touching a thread_local is what makes its destructor run
};
thread_local const FreeAtThreadEnd guard;

EVP_MD_CTX* context() {
  if (current == nullptr) {
    current = EVP_MD_CTX_new();
    if (current == nullptr) throw std::bad_alloc();
    guard.arm();
  }
  return current;
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

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) throw std::bad_alloc();
  if (EVP_DigestInit_ex2(context_, algorithm(), nullptr) != 1) refuse_to_work("EVP_DigestInit_ex2");
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_);
}

void Sha256::add(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(context_, bytes.data(), bytes.size()) != 1) refuse_to_work("EVP_DigestUpdate");
}

Hash Sha256::take() {
  Hash hash;
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_, hash.data(), &size) != 1 || size != hash.size())
    refuse_to_work("EVP_DigestFinal_ex");
  if (EVP_DigestInit_ex2(context_, algorithm(), nullptr) != 1) refuse_to_work("EVP_DigestInit_ex2");
  return hash;
}

}  // namespace daybook
