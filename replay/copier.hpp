// SPDX-License-Identifier: Apache-2.0
#pragma once

// Copier: writes the events of one log into another that is being made.

#include <cstddef>
#include <span>
#include <string>

#include "daybook/core/ports.hpp"
#include "daybook/log/segment_log.hpp"

namespace daybook {

class Copier {
 public:
  /// `out` is named in errors.
  Copier(SegmentLog& log, Storage& out) : log_(log), out_(out) {}

  /// Events come in order. Written in batches; what is left is written by `flush`. All throw StorageError.
  void add(const RecordedEvent& recorded);
  /// The event as it is stored, byte for byte.
  void add_stored(Sequence sequence, std::span<const std::byte> message);
  void flush();

 private:
  void flush_when_full();
  [[noreturn]] void fail(int error, const std::string& what) const;

  SegmentLog& log_;
  Storage& out_;
  BatchEncoder encoder_;
};

}  // namespace daybook
