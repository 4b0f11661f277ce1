// SPDX-License-Identifier: Apache-2.0
#pragma once

// Meter: counts what the engine does. Used by whoever leads, so by one thread at a time.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "daybook/core/answer.hpp"
#include "daybook/core/event.hpp"
#include "daybook/core/view.hpp"
#include "daybook/metrics.hpp"

namespace daybook {

class Meter {
 public:
  /// An event that was decided; `view` is the state after it.
  void note(const RecordedEvent& recorded, const View& view);
  /// What a submission came to.
  void note(const Result<std::vector<Answer>>& answers);
  void note_sync(Duration took, std::uint32_t events);

  [[nodiscard]] const Metrics::Activity& activity() const { return activity_; }

 private:
  // When each running attempt was claimed, in a table without chains: of two that meet in a place, the later stays.
  struct Claim {
    std::uint64_t sequence = 0;
    BootTime at{};
  };
  static constexpr std::size_t claims_kept = 4096;
  [[nodiscard]] Claim& place_of(Sequence claim) { return claims_[claim.value() % claims_kept]; }
  void note_claim(const RecordedEvent& recorded, const JobClaimed& claimed, const View& view);
  void note_end(const RecordedEvent& recorded, Token token, const Next* next);
  void note_dead(DeadReason why);
  void note(const Refusal& refusal);

  Metrics::Activity activity_;
  std::array<Claim, claims_kept> claims_;
};

}  // namespace daybook
