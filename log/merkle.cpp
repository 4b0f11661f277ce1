// SPDX-License-Identifier: Apache-2.0
#include "daybook/log/merkle.hpp"

#include <array>
#include <bit>
#include <utility>

#include "daybook/core/assert.hpp"
#include "sha256.hpp"

namespace daybook {
namespace {

constexpr std::array leaf_prefix = {std::byte{0}};
constexpr std::array node_prefix = {std::byte{1}};

}  // namespace

Hash merkle_leaf(std::span<const std::byte> stored_event) {
  return sha256({leaf_prefix, stored_event});
}

Hash merkle_node(const Hash& left, const Hash& right) {
  return sha256({node_prefix, std::as_bytes(std::span(left)), std::as_bytes(std::span(right))});
}

MerkleFrontier::MerkleFrontier(std::uint64_t leaves, std::vector<Hash> hashes)
    : leaves_(leaves), hashes_(std::move(hashes)) {
  DAYBOOK_ASSERT(hashes_.size() == static_cast<std::size_t>(std::popcount(leaves_)));
}

// As in adding one to a binary number: each bit that is carried joins two trees of the same size.
void MerkleFrontier::add(const Hash& leaf) {
  Hash grown = leaf;
  for (int carried = std::countr_one(leaves_); carried > 0; --carried) {
    grown = merkle_node(hashes_.back(), grown);
    hashes_.pop_back();
  }
  hashes_.push_back(grown);
  ++leaves_;
}

Hash MerkleFrontier::root() const {
  if (hashes_.empty()) return sha256(std::span<const std::byte>());
  Hash root = hashes_.back();
  for (auto hash = hashes_.rbegin() + 1; hash != hashes_.rend(); ++hash) root = merkle_node(*hash, root);
  return root;
}

}  // namespace daybook
