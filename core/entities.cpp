// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/entities.hpp"

namespace daybook {

std::string_view to_string(NameSort sort) {
  switch (sort) {
    case NameSort::queue:
      return "queue";
    case NameSort::kind:
      return "kind";
    case NameSort::worker:
      return "worker";
    case NameSort::actor:
      return "actor";
    case NameSort::error_kind:
      return "error_kind";
    case NameSort::client:
      return "client";
    case NameSort::group:
      return "group";
    case NameSort::recurring:
      return "recurring";
  }
  return "unknown";
}

}  // namespace daybook
