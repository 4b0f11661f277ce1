// SPDX-License-Identifier: Apache-2.0
#include "fields.hpp"

#include "crc32c.hpp"
#include "daybook/core/mutant.hpp"

namespace daybook::format {

void write_checksum(std::span<std::byte> bytes) {
  const auto covered = bytes.first(bytes.size() - checksum_bytes);
  Writer(bytes.last(checksum_bytes)).u32(crc32c(covered));
}

std::string hexadecimal(std::uint32_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(8, '0');
  for (std::size_t i = 8; i-- > 0; value >>= 4) text[i] = digits[value & 0xF];
  return text;
}

tl::unexpected<Problem> problem(Problem::Kind kind, std::string sentence) {
  return tl::unexpected<Problem>(Problem{kind, std::move(sentence)});
}

tl::unexpected<Problem> newer(const std::string& what) {
  return problem(Problem::Kind::newer, what + ": written by a newer release of Daybook; upgrade to read it");
}

Parsed<std::span<const std::byte>> intact(std::span<const std::byte> bytes, std::size_t size, std::string_view magic,
                                          const std::string& what, bool with_checksum) {
  if (kept("log.format.size") && bytes.size() < size) {
    return problem(Problem::Kind::too_short,
                   what + " of " + std::to_string(bytes.size()) + " bytes, expected " + std::to_string(size));
  }
  bytes = bytes.first(size);
  if (kept("log.format.magic") && std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) {
    if (is_blank(bytes)) return problem(Problem::Kind::blank, "zeros, expected a " + what);
    std::uint32_t found = 0;
    Reader(bytes).u32(found);
    return problem(Problem::Kind::foreign, "bytes that begin with " + hexadecimal(found) +
                                               " (little-endian), expected a " + what + ", which begins with \"" +
                                               std::string(magic) + "\"");
  }
  std::uint32_t stored = 0;
  Reader(bytes.last(checksum_bytes)).u32(stored);
  const std::uint32_t computed = crc32c(bytes.first(size - checksum_bytes));
  if (with_checksum && stored != computed) {
    return problem(Problem::Kind::checksum, what + " checksum: found " + hexadecimal(stored) + ", expected " +
                                                hexadecimal(computed) + " for its bytes");
  }
  return bytes;
}

}  // namespace daybook::format
