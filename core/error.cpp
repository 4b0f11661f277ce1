// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/error.hpp"

#include <system_error>

#include "daybook/core/escape.hpp"

namespace daybook {
namespace {

std::string at_place(const Place& place) {
  std::string text;
  if (!place.path.empty()) {
    text += escaped(place.path) + ": ";
  }
  if (place.offset) {
    text += "offset " + std::to_string(*place.offset) + ": ";
  }
  if (place.sequence) {
    text += "sequence " + std::to_string(place.sequence->value()) + ": ";
  }
  return text;
}

std::string with_errno(std::string text, int error_number) {
  if (error_number != 0) {
    text += ": " + std::generic_category().message(error_number) + " (errno " + std::to_string(error_number) + ")";
  }
  return text;
}

}  // namespace

StorageError::StorageError(Place place, int error_number, const std::string& sentence)
    : std::runtime_error(with_errno(at_place(place) + sentence, error_number)),
      place_(std::move(place)),
      error_number_(error_number) {}

CorruptionError::CorruptionError(Damage damage, Place place, const std::string& sentence)
    : std::runtime_error(at_place(place) + std::string(to_string(damage)) + ": " + sentence),
      damage_(damage),
      place_(std::move(place)) {}

std::string_view to_string(Damage damage) {
  switch (damage) {
    case Damage::corrupt_sealed_segment:
      return "corrupt sealed segment";
    case Damage::corrupt_middle:
      return "corrupt middle";
    case Damage::lost_acknowledged:
      return "lost acknowledged";
    case Damage::foreign:
      return "foreign";
    case Damage::unknown_format:
      return "unknown format";
    case Damage::drifted_state:
      return "drifted state";
  }
  return "unknown";
}

}  // namespace daybook
