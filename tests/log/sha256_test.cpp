// SPDX-License-Identifier: Apache-2.0
#include "sha256.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hex.hpp"

namespace daybook {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string hex_of(const Hash& hash) {
  return to_hex(std::as_bytes(std::span(hash)));
}

TEST(Sha256, GivesTheExamplesOfFips180) {
  EXPECT_EQ(hex_of(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of(sha256(bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(sha256(bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of(sha256(bytes(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesHashAsTheirConcatenation) {
  const std::string text = "a daybook is written once, in order";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    ASSERT_EQ(sha256({bytes(text).first(cut), {}, bytes(text).subspan(cut)}), sha256(bytes(text)));
  }
}

TEST(Sha256, ThreadsDoNotDisturbEachOther) {
  const Hash expected = sha256(bytes(std::string(10'000, 'x')));
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int& count : wrong) {
    threads.emplace_back([&count, &expected] {
      for (int i = 0; i < 200; ++i) count += sha256(bytes(std::string(10'000, 'x'))) == expected ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace daybook
