// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys: composite, big-endian, signed numbers with the sign bit flipped, so that the order of the bytes is the order of
// what they mean. Text comes last and needs no length. At most 511 bytes, as LMDB asks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daybook/core/entities.hpp"
#include "daybook/core/view.hpp"
#include "positions.hpp"

namespace daybook::keys {

class Key {
 public:
  static constexpr std::size_t bytes_max = 511;

  Key() {}  // NOLINT(modernize-use-equals-default): leaves the bytes unset
  Key& add(std::uint8_t number);
  Key& add(std::uint32_t number);
  Key& add(std::uint64_t number);
  Key& add(std::int32_t number) { return add(static_cast<std::uint32_t>(number) ^ (1U << 31)); }
  Key& add(std::int64_t number) { return add(static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << 63)); }
  Key& add(std::string_view text);  // limits.hpp keeps it short enough; asserted
  template <class Tag, class Rep>
  Key& add(Strong<Tag, Rep> strong) {
    return add(strong.value());
  }

  operator std::string_view() const { return {bytes_.data(), size_}; }  // NOLINT(google-explicit-constructor)

 private:
  std::array<char, bytes_max> bytes_;
  std::size_t size_ = 0;
};

/// Takes a key or a small value apart. Reading past the end gives zeros and makes `whole` false.
class KeyReader {
 public:
  explicit KeyReader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint8_t u8();
  [[nodiscard]] std::uint32_t u32();
  [[nodiscard]] std::uint64_t u64();
  [[nodiscard]] std::int32_t i32() { return static_cast<std::int32_t>(u32() ^ (1U << 31)); }
  [[nodiscard]] std::int64_t i64() { return static_cast<std::int64_t>(u64() ^ (std::uint64_t{1} << 63)); }
  [[nodiscard]] bool whole() const { return !short_ && bytes_.empty(); }  // everything was there, and nothing is left
  [[nodiscard]] bool left() const { return !bytes_.empty(); }
  [[nodiscard]] std::string_view rest() const { return bytes_; }

 private:
  std::uint64_t number(std::size_t bytes);
  std::string_view bytes_;
  bool short_ = false;
};

[[nodiscard]] Key number(std::uint64_t number);
[[nodiscard]] Key number(std::uint32_t number);
template <class Tag, class Rep>
[[nodiscard]] Key number(Strong<Tag, Rep> strong) {
  return number(strong.value());
}

[[nodiscard]] Key future(FuturePosition position);
[[nodiscard]] Key ready(LaneId lane, ReadyPosition position);
[[nodiscard]] Key lease(BookTime end, Sequence id);
[[nodiscard]] Key group(NameId queue, NameId id);
[[nodiscard]] Key unique(NameId queue, std::string_view key);
[[nodiscard]] Key state(NameId queue, JobState state, Sequence id);
[[nodiscard]] Key family(const FamilyPosition& position);
[[nodiscard]] Key shelf(Shelf shelf, const ShelfPosition& position);
[[nodiscard]] Key request(NameId client, std::string_view id);
[[nodiscard]] Key request_by_time(BookTime recorded_at, NameId client, std::string_view id);

/// Values of the tables that hold waiting jobs: what the key does not say.
[[nodiscard]] Key future_value(const Waiting& job);
[[nodiscard]] Key ready_value(const Waiting& job);

/// The inverse of key and value together. Unset: the bytes are not such an entry.
[[nodiscard]] std::optional<Waiting> parse_future(FutureClock clock, std::string_view key, std::string_view value);
[[nodiscard]] std::optional<Waiting> parse_ready(std::string_view key, std::string_view value);
[[nodiscard]] std::optional<FamilyPosition> parse_family(std::string_view key);
[[nodiscard]] std::optional<Sequence> parse_id(std::string_view bytes);

}  // namespace daybook::keys
