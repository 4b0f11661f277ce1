// SPDX-License-Identifier: Apache-2.0
#include "state_hashes.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/core/limits.hpp"
#include "daybook/core/mutant.hpp"

namespace daybook {

void StateHashes::follow(const RecordedEvent& recorded, HashedState& state) {
  if (const auto* hashed = std::get_if<StateHashed>(&recorded.event)) {
    compare(hashed->sequence, hashed->state_hash, recorded.sequence);
  } else if (const auto* taken = std::get_if<SnapshotTaken>(&recorded.event)) {
    compare(taken->sequence, taken->state_hash, recorded.sequence);
  }
  const bool due = recorded.sequence.value() % limits::state_hash_events == 0 || also_.contains(recorded.sequence);
  if (!due || state.book().lost_through != Sequence()) return;
  const Hash hash = state.hash();
  hashes_.insert_or_assign(recorded.sequence, std::string(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

void StateHashes::compare(Sequence sequence, const std::string& on_record, Sequence recorder) {
  const auto found = hashes_.find(sequence);
  if (found == hashes_.end()) return;
  if (kept("replay.states.hash") && found->second != on_record) {
    std::string before = ", the first that was compared";
    if (equal_ != Sequence()) before = "; behind sequence " + std::to_string(equal_.value()) + " it still was";
    throw CorruptionError(Damage::drifted_state, Place{"log", std::nullopt, sequence},
                          "log: the state behind it is not the one that event " + std::to_string(recorder.value()) +
                              " recorded the hash of" + before +
                              ". The bytes of the log are right: an event means something else to this release than "
                              "to the one that wrote it. Nothing was changed. Use the release that wrote it");
  }
  equal_ = std::max(equal_, sequence);
  ++compared_;
}

std::vector<StateHashed> StateHashes::hashed() const {
  std::vector<StateHashed> all;
  for (const auto& [sequence, hash] : hashes_) all.push_back({sequence, hash});
  return all;
}

}  // namespace daybook
