// SPDX-License-Identifier: Apache-2.0
#pragma once

// Trouble with the disk, as exceptions. Both name the place; what() says what failed, where, found against expected,
// and what to do next. After a StorageError from a write or a sync the handle is poisoned: nothing is acknowledged
// until the book is opened again.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "daybook/core/ids.hpp"

namespace daybook {

/// Where it happened. `path` is relative to the book's directory when the file is in it.
struct Place {
  std::string path;
  std::optional<std::uint64_t> offset;
  std::optional<Sequence> sequence;
};

/// The operating system refused: full, read-only, no permission, I/O error.
class StorageError : public std::runtime_error {
 public:
  StorageError(Place place, int error_number, const std::string& sentence);
  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] int error_number() const { return error_number_; }  // errno, 0 when there is none

 private:
  Place place_;
  int error_number_;
};

enum class Damage : std::uint8_t {
  corrupt_sealed_segment,  // a segment that was finished no longer is what it was
  corrupt_middle,          // valid batches follow the bad one: not a crash
  lost_acknowledged,       // the log ends before what the witness saw synced
  foreign,                 // not a daybook, or a piece of another one
  unknown_format,          // written by a newer release
  drifted_state,           // the bytes are right, but lead this release to another state than the one on record
};
[[nodiscard]] std::string_view to_string(Damage damage);

/// Bytes on disk are not what was written. Nothing was changed.
class CorruptionError : public std::runtime_error {
 public:
  CorruptionError(Damage damage, Place place, const std::string& sentence);
  [[nodiscard]] Damage damage() const { return damage_; }
  [[nodiscard]] const Place& place() const { return place_; }

 private:
  Damage damage_;
  Place place_;
};

}  // namespace daybook
