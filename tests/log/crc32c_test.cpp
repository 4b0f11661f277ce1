// SPDX-License-Identifier: Apache-2.0
#include "crc32c.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace daybook {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::vector<std::byte> noise(std::size_t size) {
  std::mt19937_64 engine(20261121);
  std::vector<std::byte> made(size);
  for (auto& byte : made) byte = static_cast<std::byte>(engine());
  return made;
}

TEST(Crc32c, GivesTheCheckValueAndTheExamplesOfRfc3720) {
  const std::vector<std::byte> zeros(32, std::byte{0x00});
  const std::vector<std::byte> ones(32, std::byte{0xFF});
  std::vector<std::byte> rising(32);
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<std::byte>(i);
  for (const auto& checksum : {&crc32c_portable, &crc32c}) {
    EXPECT_EQ(checksum(bytes("123456789"), 0), 0xE3069283U);
    EXPECT_EQ(checksum(zeros, 0), 0x8A9136AAU);
    EXPECT_EQ(checksum(ones, 0), 0x62A8AB43U);
    EXPECT_EQ(checksum(rising, 0), 0x46DD794EU);
    EXPECT_EQ(checksum({}, 0), 0U);
  }
}

TEST(Crc32c, TheInstructionAndTheTablesAgreeAtEveryLengthAndAlignment) {
  if (!crc32c_is_accelerated()) GTEST_SKIP() << "this processor has no instruction to compare with";
  const auto all = noise(320);
  for (std::size_t alignment = 0; alignment < 16; ++alignment) {
    for (std::size_t length = 0; length <= 300; ++length) {
      const auto part = std::span(all).subspan(alignment, length);
      ASSERT_EQ(crc32c(part, 0x1234567), crc32c_portable(part, 0x1234567)) << alignment << " " << length;
    }
  }
}

TEST(Crc32c, ContinuesFromTheChecksumOfTheBytesBefore) {
  const auto all = noise(100);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const auto head = std::span(all).first(cut);
    const auto rest = std::span(all).subspan(cut);
    ASSERT_EQ(crc32c(rest, crc32c(head)), crc32c(all));
    ASSERT_EQ(crc32c_portable(rest, crc32c_portable(head)), crc32c_portable(all));
  }
}

}  // namespace
}  // namespace daybook
