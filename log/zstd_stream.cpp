// SPDX-License-Identifier: Apache-2.0
#include "zstd_stream.hpp"

#include <zstd.h>

#include <new>
#include <stdexcept>

#include "daybook/core/assert.hpp"

namespace daybook {
namespace {

constexpr int level = 6;            // higher ones take several times as long for a few percent
constexpr int largest_window = 24;  // as a power of two; the levels in use need less
constexpr std::size_t buffer_bytes = 128 * 1024;

void require(std::size_t result, const char* call) {
  if (ZSTD_isError(result) != 0) {
    throw std::runtime_error(std::string("zstd: ") + call + " failed: " + ZSTD_getErrorName(result));
  }
}

}  // namespace

struct Compressor::Context {
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> zstd{ZSTD_createCCtx(), ZSTD_freeCCtx};
};

Compressor::Compressor(std::uint64_t source_bytes, Sink sink)
    : context_(std::make_unique<Context>()), sink_(std::move(sink)), buffer_(buffer_bytes) {
  ZSTD_CCtx* const zstd = context_->zstd.get();
  if (zstd == nullptr) throw std::bad_alloc();
  require(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level), "setting the level");
  require(ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1), "asking for a checksum");
  require(ZSTD_CCtx_setPledgedSrcSize(zstd, source_bytes), "setting the size");
}

Compressor::~Compressor() = default;

void Compressor::run(std::span<const std::byte> bytes, bool end) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  bool more = true;
  while (more) {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
    const std::size_t left = ZSTD_compressStream2(context_->zstd.get(), &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
    require(left, "compressing");
    if (out.pos != 0) sink_(std::span<const std::byte>(buffer_).first(out.pos));
    more = end ? left != 0 : in.pos < in.size;
  }
}

void Compressor::add(std::span<const std::byte> bytes) {
  run(bytes, false);
}

void Compressor::finish() {
  run({}, true);
}

struct Decompressor::Context {
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> zstd{ZSTD_createDCtx(), ZSTD_freeDCtx};
};

Decompressor::Decompressor(Source source)
    : context_(std::make_unique<Context>()), source_(std::move(source)), buffer_(buffer_bytes) {
  if (context_->zstd == nullptr) throw std::bad_alloc();
  require(ZSTD_DCtx_setParameter(context_->zstd.get(), ZSTD_d_windowLogMax, largest_window), "bounding the window");
}

Decompressor::~Decompressor() = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;

bool Decompressor::refill() {
  if (buffer_used_ < buffer_bytes_) return true;
  buffer_used_ = 0;
  buffer_bytes_ = source_(buffer_);
  return buffer_bytes_ != 0;
}

tl::expected<std::size_t, std::string> Decompressor::read(std::span<std::byte> into) {
  ZSTD_outBuffer out{into.data(), into.size(), 0};
  while (out.pos < out.size && !frame_ended_) {
    // Without input there may still be output that found no place before.
    const bool more = refill();
    ZSTD_inBuffer in{buffer_.data(), buffer_bytes_, buffer_used_};
    const std::size_t before = out.pos;
    const std::size_t left = ZSTD_decompressStream(context_->zstd.get(), &out, &in);
    if (ZSTD_isError(left) != 0) {
      return tl::unexpected<std::string>(std::string("its Zstandard frame cannot be read: ") + ZSTD_getErrorName(left));
    }
    buffer_used_ = in.pos;
    frame_ended_ = left == 0;
    if (!more && !frame_ended_ && out.pos == before) {
      return tl::unexpected<std::string>("its Zstandard frame is cut short");
    }
  }
  return out.pos;
}

bool Decompressor::at_end() {
  if (!frame_ended_) {
    std::byte one{};
    const auto got = read({&one, 1});
    if (!got || *got != 0) return false;
  }
  return !refill();
}

}  // namespace daybook
