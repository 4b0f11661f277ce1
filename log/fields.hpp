// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a fixed structure on disk is written, read and first judged. Each structure's layout stands once, as a function that walks its
// fields in order; a Writer or a Reader goes along, so that offsets cannot differ between the two.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "format.hpp"

namespace daybook::format {

class Writer {
 public:
  explicit Writer(std::span<std::byte> bytes) : bytes_(bytes) {}

  void text(std::string_view value) { raw(value.data(), value.size()); }
  void u32(std::uint32_t value) { number(value); }
  void u64(std::uint64_t value) { number(value); }
  void i64(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
  template <std::size_t size>
  void raw(const std::array<std::uint8_t, size>& value) {
    raw(value.data(), size);
  }
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  template <class T>
  void number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_[position_++] = static_cast<std::byte>(value >> (8 * i));
  }
  void raw(const void* from, std::size_t size) {
    std::memcpy(bytes_.subspan(position_, size).data(), from, size);
    position_ += size;
  }

  std::span<std::byte> bytes_;
  std::size_t position_ = 0;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  void text(std::string_view value) { position_ += value.size(); }  // the magic, judged before
  void u32(std::uint32_t& value) { value = number<std::uint32_t>(); }
  void u64(std::uint64_t& value) { value = number<std::uint64_t>(); }
  void i64(std::int64_t& value) { value = static_cast<std::int64_t>(number<std::uint64_t>()); }
  template <std::size_t size>
  void raw(std::array<std::uint8_t, size>& value) {
    std::memcpy(value.data(), bytes_.subspan(position_, size).data(), size);
    position_ += size;
  }
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  template <class T>
  T number() {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::to_integer<T>(bytes_[position_++]) << (8 * i);
    return value;
  }

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
};

// Strong types and times, through whichever walks along.
template <class Tag, class Rep>
inline void field(Writer& to, const Strong<Tag, Rep>& value) {
  if constexpr (sizeof(Rep) == 4)
    to.u32(value.value());
  else
    to.u64(value.value());
}
template <class Tag, class Rep>
inline void field(Reader& from, Strong<Tag, Rep>& value) {
  Rep raw{};
  if constexpr (sizeof(Rep) == 4)
    from.u32(raw);
  else
    from.u64(raw);
  value = Strong<Tag, Rep>(raw);
}
inline void field(Writer& to, const Instant& value) {
  to.i64(value.time_since_epoch().count());
}
inline void field(Reader& from, Instant& value) {
  std::int64_t raw = 0;
  from.i64(raw);
  value = Instant(Duration(raw));
}
/// A word of flags of which only bit 0 has a meaning. Reading leaves the others to `unknown`.
inline void flags(Writer& to, const bool& bit, std::uint32_t mask, std::uint32_t&) {
  to.u32(bit ? mask : 0);
}
inline void flags(Reader& from, bool& bit, std::uint32_t mask, std::uint32_t& unknown) {
  std::uint32_t raw = 0;
  from.u32(raw);
  bit = (raw & mask) != 0;
  unknown = raw & ~mask;
}

inline constexpr std::size_t checksum_bytes = 4;  // the last of every structure, CRC32C of all before them

void write_checksum(std::span<std::byte> bytes);

[[nodiscard]] std::string hexadecimal(std::uint32_t value);
[[nodiscard]] tl::unexpected<Problem> problem(Problem::Kind kind, std::string sentence);
[[nodiscard]] tl::unexpected<Problem> newer(const std::string& what);

/// What a structure is judged by before a field of it is believed: size, magic, checksum. Returns exactly its bytes.
[[nodiscard]] Parsed<std::span<const std::byte>> intact(std::span<const std::byte> bytes, std::size_t size,
                                                        std::string_view magic, const std::string& what,
                                                        bool with_checksum);

}  // namespace daybook::format
