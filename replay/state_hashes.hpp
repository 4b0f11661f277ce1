// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/log/state_hash.hpp"

namespace daybook {

/// Goes along with a fold: keeps the hash of the state behind every event whose sequence is a multiple of `limits::state_hash_events`
/// or in `also`, and holds it against the hashes that the log has on record. What stands behind a hole of the record leads to
/// another state than it did when it was recorded, so nothing is kept or compared there.
class StateHashes {
 public:
  explicit StateHashes(std::set<Sequence> also = {}) : also_(std::move(also)) {}

  /// `recorded` is the event that was applied to `state` last. Throws CorruptionError (`drifted_state`) when it has another hash on
  /// record than was kept for its sequence.
  void follow(const RecordedEvent& recorded, HashedState& state);

  [[nodiscard]] std::uint64_t compared() const { return compared_; }

  /// What was kept, to be put on record.
  [[nodiscard]] std::vector<StateHashed> hashed() const;

 private:
  void compare(Sequence sequence, const std::string& on_record, Sequence recorder);

  std::set<Sequence> also_;
  std::map<Sequence, std::string> hashes_;
  Sequence equal_;  // the last that was compared
  std::uint64_t compared_ = 0;
};

}  // namespace daybook
