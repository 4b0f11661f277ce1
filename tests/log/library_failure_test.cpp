// SPDX-License-Identifier: Apache-2.0

// OpenSSL and Zstandard refuse: a hash is never a guess, and an archive never half of one. Calls of either are wrapped by the linker.
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sha256.hpp"
#include "zstd_stream.hpp"

namespace {

std::string refusing;  // the call that fails
bool wrong_size = false;
constexpr std::size_t zstd_error = static_cast<std::size_t>(-1);  // "Error (generic)"

bool refused(const char* call) {
  return refusing == call;
}

}  // namespace

extern "C" {
EVP_MD* __real_EVP_MD_fetch(OSSL_LIB_CTX*, const char*, const char*);
EVP_MD* __wrap_EVP_MD_fetch(OSSL_LIB_CTX* context, const char* name, const char* properties) {
  return refused("EVP_MD_fetch") ? nullptr : __real_EVP_MD_fetch(context, name, properties);
}
EVP_MD_CTX* __real_EVP_MD_CTX_new();
EVP_MD_CTX* __wrap_EVP_MD_CTX_new() {
  return refused("EVP_MD_CTX_new") ? nullptr : __real_EVP_MD_CTX_new();
}
int __real_EVP_DigestInit_ex2(EVP_MD_CTX*, const EVP_MD*, const OSSL_PARAM*);
int __wrap_EVP_DigestInit_ex2(EVP_MD_CTX* context, const EVP_MD* algorithm, const OSSL_PARAM* parameters) {
  return refused("EVP_DigestInit_ex2") ? 0 : __real_EVP_DigestInit_ex2(context, algorithm, parameters);
}
int __real_EVP_DigestUpdate(EVP_MD_CTX*, const void*, std::size_t);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX* context, const void* bytes, std::size_t count) {
  return refused("EVP_DigestUpdate") ? 0 : __real_EVP_DigestUpdate(context, bytes, count);
}
int __real_EVP_DigestFinal_ex(EVP_MD_CTX*, unsigned char*, unsigned int*);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX* context, unsigned char* hash, unsigned int* size) {
  if (refused("EVP_DigestFinal_ex")) return 0;
  const int result = __real_EVP_DigestFinal_ex(context, hash, size);
  if (wrong_size) *size = 20;
  return result;
}
ZSTD_CCtx* __real_ZSTD_createCCtx();
ZSTD_CCtx* __wrap_ZSTD_createCCtx() {
  return refused("ZSTD_createCCtx") ? nullptr : __real_ZSTD_createCCtx();
}
ZSTD_DCtx* __real_ZSTD_createDCtx();
ZSTD_DCtx* __wrap_ZSTD_createDCtx() {
  return refused("ZSTD_createDCtx") ? nullptr : __real_ZSTD_createDCtx();
}
std::size_t __real_ZSTD_CCtx_setParameter(ZSTD_CCtx*, ZSTD_cParameter, int);
std::size_t __wrap_ZSTD_CCtx_setParameter(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) {
  return refused("ZSTD_CCtx_setParameter") ? zstd_error : __real_ZSTD_CCtx_setParameter(context, parameter, value);
}
std::size_t __real_ZSTD_DCtx_setParameter(ZSTD_DCtx*, ZSTD_dParameter, int);
std::size_t __wrap_ZSTD_DCtx_setParameter(ZSTD_DCtx* context, ZSTD_dParameter parameter, int value) {
  return refused("ZSTD_DCtx_setParameter") ? zstd_error : __real_ZSTD_DCtx_setParameter(context, parameter, value);
}
std::size_t __real_ZSTD_compressStream2(ZSTD_CCtx*, ZSTD_outBuffer*, ZSTD_inBuffer*, ZSTD_EndDirective);
std::size_t __wrap_ZSTD_compressStream2(ZSTD_CCtx* context, ZSTD_outBuffer* out, ZSTD_inBuffer* in,
                                        ZSTD_EndDirective end) {
  return refused("ZSTD_compressStream2") ? zstd_error : __real_ZSTD_compressStream2(context, out, in, end);
}
}

namespace daybook {
namespace {

using ::testing::HasSubstr;

class Refusing {
 public:
  explicit Refusing(const char* call) { refusing = call; }
  ~Refusing() { refusing.clear(); }
};

template <class Act>
std::string thrown_by(Act act) {
  try {
    act();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing";
}

const std::vector<std::byte> bytes(1000, std::byte{'x'});

// The algorithm is fetched once for the process: this case comes before any hash.
TEST(LibraryFailure, AHashWithoutItsAlgorithmIsNone) {
  {
    const Refusing call("EVP_MD_fetch");
    EXPECT_THAT(thrown_by([] { static_cast<void>(sha256(bytes)); }), HasSubstr("EVP_MD_fetch failed"));
  }
  EXPECT_EQ(sha256(bytes), sha256(bytes));
}

TEST(LibraryFailure, EachCallOfAHashIsLookedAt) {
  const Hash right = sha256(bytes);
  for (const char* call : {"EVP_DigestInit_ex2", "EVP_DigestUpdate", "EVP_DigestFinal_ex"}) {
    const Refusing refusal(call);
    EXPECT_THAT(thrown_by([] { static_cast<void>(sha256(bytes)); }), HasSubstr(std::string(call) + " failed"));
  }
  wrong_size = true;
  EXPECT_THAT(thrown_by([] { static_cast<void>(sha256(bytes)); }), HasSubstr("EVP_DigestFinal_ex failed"));
  wrong_size = false;
  EXPECT_EQ(sha256(bytes), right);
}

TEST(LibraryFailure, AThreadWithoutAContextHasNoHash) {
  bool out_of_memory = false;
  std::thread([&] {
    const Refusing call("EVP_MD_CTX_new");
    try {
      static_cast<void>(sha256(bytes));
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
    }
  }).join();
  EXPECT_TRUE(out_of_memory);
}

TEST(LibraryFailure, EachCallOfAHashInPartsIsLookedAt) {
  {
    const Refusing call("EVP_MD_CTX_new");
    EXPECT_THROW(Sha256(), std::bad_alloc);
  }
  {
    const Refusing call("EVP_DigestInit_ex2");
    EXPECT_THAT(thrown_by([] { Sha256 hash; }), HasSubstr("EVP_DigestInit_ex2 failed"));
  }
  Sha256 hash;
  {
    const Refusing call("EVP_DigestUpdate");
    EXPECT_THAT(thrown_by([&] { hash.add(bytes); }), HasSubstr("EVP_DigestUpdate failed"));
  }
  {
    const Refusing call("EVP_DigestFinal_ex");
    EXPECT_THAT(thrown_by([&] { static_cast<void>(hash.take()); }), HasSubstr("EVP_DigestFinal_ex failed"));
  }
  wrong_size = true;
  EXPECT_THAT(thrown_by([&] { static_cast<void>(Sha256().take()); }), HasSubstr("EVP_DigestFinal_ex failed"));
  wrong_size = false;
  const Refusing call("EVP_DigestInit_ex2");
  EXPECT_THAT(thrown_by([&] { static_cast<void>(hash.take()); }), HasSubstr("EVP_DigestInit_ex2 failed"));
}

// ---- Zstandard

std::vector<std::byte> compressed() {
  std::vector<std::byte> packed;
  Compressor compressor(
      bytes.size(), [&](std::span<const std::byte> part) { packed.insert(packed.end(), part.begin(), part.end()); });
  compressor.add(bytes);
  compressor.finish();
  return packed;
}

/// Hands out so much of `packed`.
Decompressor::Source first_of(const std::vector<std::byte>& packed, std::size_t count) {
  auto given = std::make_shared<std::size_t>(0);
  return [&packed, count, given](std::span<std::byte> into) {
    const std::size_t part = std::min(into.size(), count - *given);
    std::copy_n(packed.begin() + static_cast<std::ptrdiff_t>(*given), part, into.begin());
    *given += part;
    return part;
  };
}

TEST(LibraryFailure, EachCallOfACompressionIsLookedAt) {
  {
    const Refusing call("ZSTD_createCCtx");
    EXPECT_THROW(compressed(), std::bad_alloc);
  }
  {
    const Refusing call("ZSTD_CCtx_setParameter");
    EXPECT_THAT(thrown_by([] { compressed(); }), HasSubstr("zstd: setting the level failed"));
  }
  const Refusing call("ZSTD_compressStream2");
  EXPECT_THAT(thrown_by([] { compressed(); }), HasSubstr("zstd: compressing failed"));
}

TEST(LibraryFailure, EachCallOfADecompressionIsLookedAt) {
  const auto packed = compressed();
  {
    const Refusing call("ZSTD_createDCtx");
    EXPECT_THROW(Decompressor(first_of(packed, packed.size())), std::bad_alloc);
  }
  const Refusing call("ZSTD_DCtx_setParameter");
  EXPECT_THAT(thrown_by([&] { Decompressor decompressor(first_of(packed, packed.size())); }),
              HasSubstr("zstd: bounding the window failed"));
}

TEST(Decompression, EndsWhereItsFrameDoesAndNowhereElse) {
  const auto packed = compressed();
  std::vector<std::byte> read(bytes.size());
  Decompressor whole(first_of(packed, packed.size()));
  ASSERT_EQ(whole.read(read), bytes.size());
  EXPECT_EQ(read, bytes);
  EXPECT_TRUE(whole.at_end());

  Decompressor more(first_of(packed, packed.size()));
  ASSERT_EQ(more.read(std::span(read).first(999)), 999U);
  EXPECT_FALSE(more.at_end()) << "a byte is left";

  auto longer = packed;
  longer.push_back(std::byte{0});
  Decompressor behind(first_of(longer, longer.size()));
  ASSERT_EQ(behind.read(read), bytes.size());
  EXPECT_FALSE(behind.at_end()) << "something follows the frame";

  Decompressor cut(first_of(packed, packed.size() - 1));  // within the checksum
  const auto got = cut.read(read);
  EXPECT_TRUE(!got || !cut.at_end()) << "the frame is not whole";
  EXPECT_FALSE(Decompressor(first_of(packed, 6)).read(read)) << "cut short";
}

}  // namespace
}  // namespace daybook
