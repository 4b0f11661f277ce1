// SPDX-License-Identifier: Apache-2.0
#pragma once

// Events of holes in the record, in a book that was salvaged. Part of event.hpp.

#include <string>

#include "daybook/core/ids.hpp"

namespace daybook {

/// Stands in the place of the first of the events that could not be proved; the last of them is `last`.
struct GapDeclared {
  Sequence last;
  std::string reason;
  friend bool operator==(const GapDeclared&, const GapDeclared&) = default;
};

/// Stands in the place of each further lost event of a gap, so that sequences stay without holes.
struct EventLost {
  friend bool operator==(const EventLost&, const EventLost&) = default;
};

/// An event that is proved, but cannot follow what is left of those before it. Kept, and without effect.
struct EventSetAside {
  std::string why;
  std::string stored;  // the message as it stood in the log
  friend bool operator==(const EventSetAside&, const EventSetAside&) = default;
};

}  // namespace daybook
