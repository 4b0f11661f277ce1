// SPDX-License-Identifier: Apache-2.0
#include "instants.hpp"

#include <cstdio>

namespace daybook::cli {

std::string local_text(Instant instant, const Zone& zone) {
  const auto at = std::chrono::floor<std::chrono::seconds>(instant);
  const auto offset = zone.span(at).offset;
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::abs(offset)).count();
  char written[16];
  std::snprintf(written, sizeof written, "%c%02d:%02d", offset.count() < 0 ? '-' : '+',
                static_cast<int>(minutes / 60 % 100), static_cast<int>(minutes % 60));
  return to_string(Instant(at + offset)).substr(0, 19) + written;
}

std::string utc_text(Instant instant) {
  const bool whole = instant == std::chrono::floor<std::chrono::seconds>(instant);
  return whole ? to_string(instant).substr(0, 19) + "Z" : to_string(instant);
}

std::string_view note_text(DstNote note) {
  switch (note) {
    case DstNote::shifted:
      return "shifted by DST";
    case DstNote::first_of_two:
      return "first of two";
    case DstNote::second_of_two:
      return "second of two";
    default:
      return {};
  }
}

}  // namespace daybook::cli
