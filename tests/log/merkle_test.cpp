// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/merkle.hpp"

#include <gtest/gtest.h>

#include <string>

#include "hex.hpp"

namespace daybook {
namespace {

std::string hex(const Hash& hash) {
  return to_hex(std::as_bytes(std::span(hash)));
}

Hash leaf(std::string_view bytes) {
  return merkle_leaf(std::as_bytes(std::span(bytes)));
}

// The leaves and roots that the implementations of Certificate Transparency test themselves with.
const std::vector<std::string> entries = {std::string(),
                                          std::string("\x00", 1),
                                          "\x10",
                                          "\x20\x21",
                                          "\x30\x31",
                                          "\x40\x41\x42\x43",
                                          "\x50\x51\x52\x53\x54\x55\x56\x57",
                                          "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};

TEST(Merkle, TheRootsAreThoseOfCertificateTransparency) {
  MerkleFrontier tree;
  EXPECT_EQ(hex(tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::vector<std::string> roots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    tree.add(leaf(entries[i]));
    EXPECT_EQ(hex(tree.root()), roots[i]) << "with " << i + 1 << " leaves";
  }
}

Hash root_of(std::span<const Hash> leaves) {  // RFC 6962, section 2.1, to the letter
  if (leaves.size() == 1) return leaves.front();
  std::size_t left = 1;
  while (left * 2 < leaves.size()) left *= 2;
  return merkle_node(root_of(leaves.first(left)), root_of(leaves.subspan(left)));
}

TEST(Merkle, TheFrontierAloneIsEnoughToGoOn) {
  std::vector<Hash> leaves;
  MerkleFrontier tree;
  for (int i = 0; i < 200; ++i) {
    leaves.push_back(leaf(std::to_string(i)));
    tree = MerkleFrontier(tree.leaves(), tree.hashes());
    tree.add(leaves.back());
    ASSERT_EQ(tree.root(), root_of(leaves)) << "with " << i + 1 << " leaves";
    ASSERT_EQ(tree.leaves(), leaves.size());
  }
}

}  // namespace
}  // namespace daybook
