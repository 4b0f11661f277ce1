// SPDX-License-Identifier: Apache-2.0
#pragma once

// Families: which jobs have which parents, in the order in which they are asked for.

#include <set>
#include <tuple>
#include <vector>

#include "daybook/core/view.hpp"

namespace daybook {

class Families {
 public:
  void enter(const Job& job);
  void leave(const Job& job);
  /// Whether its end is to be looked at follows from a parent being final.
  void note_parent(const Job& job);
  void forget_parent(Sequence id) { ended_.erase(id); }

  [[nodiscard]] std::vector<Sequence> unsettled(std::size_t limit) const;
  [[nodiscard]] bool has_open_children(Sequence parent) const;
  [[nodiscard]] std::vector<Sequence> children(Sequence parent, std::size_t limit) const;
  [[nodiscard]] bool empty() const { return children_.empty(); }
  [[nodiscard]] bool is_awaited(Sequence parent) const;

 private:
  std::set<std::tuple<Sequence, Kinship, Sequence>> children_;  // (parent, kinship, child)
  std::set<Sequence> ended_;                                    // final jobs that somebody awaits
};

}  // namespace daybook
