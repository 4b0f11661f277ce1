// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Merkle tree over all events of a log (RFC 6962): what a new leaf needs to know of those before it. Pure values; knows no files.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "daybook/log/journal.hpp"

namespace daybook {

/// SHA-256(0x00 ‖ stored event): the event's message as it lies in its batch, without the frame around it.
[[nodiscard]] Hash merkle_leaf(std::span<const std::byte> stored_event);
/// SHA-256(0x01 ‖ left ‖ right).
[[nodiscard]] Hash merkle_node(const Hash& left, const Hash& right);

/// The right edge of the tree: the roots of the perfect trees that its leaves make up, the largest first. There is one for each bit that
/// is set in the number of leaves, so 64 at most, and the tree goes on growing from them alone.
class MerkleFrontier {
 public:
  MerkleFrontier() = default;  // no leaf
  /// As it was. `hashes` are as many as `leaves` has bits set; anything else is a bug of the caller.
  MerkleFrontier(std::uint64_t leaves, std::vector<Hash> hashes);

  void add(const Hash& leaf);

  [[nodiscard]] std::uint64_t leaves() const { return leaves_; }
  [[nodiscard]] const std::vector<Hash>& hashes() const { return hashes_; }
  /// The tree's hash; of no leaf: SHA-256 of nothing.
  [[nodiscard]] Hash root() const;

  friend bool operator==(const MerkleFrontier&, const MerkleFrontier&) = default;

 private:
  std::uint64_t leaves_ = 0;
  std::vector<Hash> hashes_;
};

}  // namespace daybook
