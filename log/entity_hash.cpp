// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "entity_codec.hpp"
#include "sha256.hpp"

// What an entity adds to the state hash, and the sum of that.

namespace daybook {

Hash entity_hash(const StoredEntity& stored) {
  const auto type = static_cast<std::uint16_t>(stored.type);
  const std::array number = {static_cast<std::byte>(type & 0xFF), static_cast<std::byte>(type >> 8)};
  return sha256({number, stored.message});
}

namespace {

std::uint64_t word_of(const Hash& hash, std::size_t word) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{hash[8 * word + i]} << (8 * i);
  return value;
}

}  // namespace

void HashSum::add(const Hash& hash) {
  std::uint64_t carry = 0;
  for (std::size_t word = 0; word < 4; ++word) {
    std::uint64_t sum = 0;
    const bool over = __builtin_add_overflow(words_[word], word_of(hash, word), &sum);
    const bool over_again = __builtin_add_overflow(sum, carry, &words_[word]);
    carry = over || over_again ? 1 : 0;
  }
}

void HashSum::subtract(const Hash& hash) {
  std::uint64_t borrowed = 0;
  for (std::size_t word = 0; word < 4; ++word) {
    std::uint64_t left = 0;
    const bool under = __builtin_sub_overflow(words_[word], word_of(hash, word), &left);
    const bool under_again = __builtin_sub_overflow(left, borrowed, &words_[word]);
    borrowed = under || under_again ? 1 : 0;
  }
}

Hash HashSum::value() const {
  Hash hash{};
  for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<std::uint8_t>(words_[i / 8] >> (8 * (i % 8)));
  return hash;
}

}  // namespace daybook
