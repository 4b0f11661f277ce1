// SPDX-License-Identifier: Apache-2.0
#pragma once

// Oracle: what was acknowledged, byte for byte, as it was when it was acknowledged, and the state that follows from it.
// Everything that is found later is held against this record. Of a log whose beginning was dropped, the rest; and nothing is gone
// that was not on record to go.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daybook/core/state.hpp"
#include "daybook/log/journal.hpp"
#include "failure.hpp"
#include "ledger.hpp"

namespace daybook::simulation {

class Oracle {
 public:
  explicit Oracle(Failure& failure) : failure_(&failure), ledger_(failure) {}

  // ---- told by the log as it is written
  void in_flight(const EncodedBatch& batch);
  void acknowledged();  // the batch in flight
  void not_written();   // so the log says of it

  // ---- told when a log was opened
  /// The log is what was acknowledged and at most the batch in flight, whole. From here on all of it counts as acknowledged:
  /// recovery shows nothing that may still vanish.
  void expect(const std::vector<RecordedEvent>& found);
  /// As above, for a judgement on a copy of the disk: nothing is taken over. Returns how it differs; empty: not at all.
  [[nodiscard]] std::string difference(const std::vector<RecordedEvent>& found) const;
  /// How many of `found` are acknowledged events; nothing when some before the last of those are others.
  [[nodiscard]] std::optional<std::size_t> common(const std::vector<RecordedEvent>& found) const;

  /// What stands in a stub for the events from `first` on, against them. Empty, or what is wrong.
  [[nodiscard]] std::string wrong_leaves(Sequence first, std::span<const std::byte> leaves) const;
  /// Another book goes on from here: of the events up to `until`, the last of a batch, and of its own that follow.
  void go_on_from(Sequence until, const std::vector<RecordedEvent>& own);

  /// Memory (or the index) against the state folded here.
  void compare(const View& view) const;

  [[nodiscard]] Sequence head() const { return model_.book().head; }
  [[nodiscard]] const State& model() const { return model_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] const std::vector<RecordedEvent>& events() const { return events_; }
  [[nodiscard]] std::uint64_t batches() const { return batches_; }  // acknowledged
  [[nodiscard]] bool anything_in_flight() const { return in_flight_.has_value(); }

  /// Of the state and the head, the same for the same.
  [[nodiscard]] std::uint64_t hash() const;

 private:
  void take_over(const EncodedBatch& batch);
  [[nodiscard]] std::span<const std::byte> bytes_from(Sequence first) const;

  Failure* failure_;
  Ledger ledger_;
  std::vector<std::byte> bytes_;       // of all acknowledged events
  std::vector<RecordedEvent> events_;  // the same, to look at
  std::vector<std::size_t> ends_;      // of each in bytes_
  std::vector<Sequence> batch_ends_;
  std::optional<EncodedBatch> in_flight_;
  std::uint64_t batches_ = 0;
  State model_;
};

}  // namespace daybook::simulation
