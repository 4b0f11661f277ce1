// SPDX-License-Identifier: Apache-2.0
#pragma once

// The beginning of a new generation behind a history that was copied: what it must know of that history, and its events.

#include <optional>
#include <string_view>
#include <vector>

#include "daybook/core/event.hpp"
#include "daybook/core/ports.hpp"
#include "daybook/core/view.hpp"

namespace daybook {

inline constexpr std::string_view own_actor_name = "daybook";

/// What the new generation must know of the history it continues. Told from the events alone, without folding them, so that a
/// copy needs no memory for the jobs.
class Facts {
 public:
  /// Of a state instead of the events up to it.
  void begin_with(const View& state);
  void note(const RecordedEvent& recorded);

  std::optional<RecordedEvent> last;
  NameId names;  // the last one defined
  std::optional<NameId> actor;
  std::vector<Generation> generations;
};

/// The copy's own events behind `until`. They bear the times of the last event copied: boot times of this machine would mean
/// nothing in that epoch, and a wall time without them would pass for a clock step. When the copy was made is in the reason,
/// behind the word `how` ("copied", "backed up").
[[nodiscard]] std::vector<RecordedEvent> new_generation(const Facts& facts, std::string_view how, Sequence until,
                                                        Uuid source, Clock& clock, Random& random);

}  // namespace daybook
