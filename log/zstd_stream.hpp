// SPDX-License-Identifier: Apache-2.0
#pragma once

// Zstandard in pieces: memory is bounded by the window (at most 16 MiB), whatever the bytes claim. Zstandard itself
// stays behind this header.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace daybook {

/// Makes one frame of exactly `source_bytes` bytes. Throws std::bad_alloc, and what `sink` throws.
class Compressor {
 public:
  using Sink = std::function<void(std::span<const std::byte>)>;
  Compressor(std::uint64_t source_bytes, Sink sink);
  ~Compressor();
  void add(std::span<const std::byte> bytes);
  void finish();

 private:
  struct Context;
  void run(std::span<const std::byte> bytes, bool end);
  std::unique_ptr<Context> context_;
  Sink sink_;
  std::vector<std::byte> buffer_;
};

/// Reads one frame, from its beginning on.
class Decompressor {
 public:
  /// Fills the span with the next compressed bytes and says how many; 0 at the end.
  using Source = std::function<std::size_t(std::span<std::byte>)>;
  explicit Decompressor(Source source);
  ~Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;

  /// Fewer bytes than asked for only at the end of the frame. The error: what is wrong with the compressed bytes.
  [[nodiscard]] tl::expected<std::size_t, std::string> read(std::span<std::byte> into);
  /// Was the frame read to its end, with no byte behind it?
  [[nodiscard]] bool at_end();

 private:
  struct Context;
  bool refill();
  std::unique_ptr<Context> context_;
  Source source_;
  std::vector<std::byte> buffer_;
  std::size_t buffer_bytes_ = 0;
  std::size_t buffer_used_ = 0;
  bool frame_ended_ = false;
};

}  // namespace daybook
