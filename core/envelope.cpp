// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/envelope.hpp"

#include <utility>

namespace daybook {

// Empty contents are always the null pointer, so that an empty envelope read back equals one never filled.
Envelope::Envelope(std::string bytes) {
  if (!bytes.empty()) {
    contents_ = std::make_shared<const Contents>(Contents{0, {}, 0, {}, std::move(bytes)});
  }
}

Envelope::Envelope(Contents contents) {
  if (contents != Contents()) {
    contents_ = std::make_shared<const Contents>(std::move(contents));
  }
}

const Envelope::Contents& Envelope::contents() const {
  static const Contents none;
  return contents_ ? *contents_ : none;
}

}  // namespace daybook
