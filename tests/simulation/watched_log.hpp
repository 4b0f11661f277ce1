// SPDX-License-Identifier: Apache-2.0
#pragma once

// WatchedLog: the segment log with the oracle looking on.

#include "daybook/log/segment_log.hpp"
#include "oracle.hpp"

namespace daybook::simulation {

class WatchedLog final : public Journal {
 public:
  WatchedLog(SegmentLog& log, Oracle& oracle) : log_(log), oracle_(oracle) {}

  [[nodiscard]] AppendResult append(Epoch epoch, const Head& expected, const EncodedBatch& batch, Room room) override {
    oracle_.in_flight(batch);
    AppendResult result = log_.append(epoch, expected, batch, room);
    if (std::holds_alternative<Committed>(result)) {
      oracle_.acknowledged();
    } else if (!std::holds_alternative<Unknown>(result)) {
      oracle_.not_written();
    }
    return result;
  }
  void read(Sequence from, const std::function<bool(const RecordedEvent&)>& visit) override { log_.read(from, visit); }
  [[nodiscard]] Head tail() const override { return log_.tail(); }
  [[nodiscard]] Epoch epoch() const override { return log_.epoch(); }
  [[nodiscard]] std::size_t largest_batch_bytes() const override { return log_.largest_batch_bytes(); }
  [[nodiscard]] Costs costs() const override { return log_.costs(); }
  [[nodiscard]] std::uint32_t feature_level() const override { return log_.feature_level(); }
  [[nodiscard]] AppendResult raise_feature_level(std::uint32_t level) override {
    return log_.raise_feature_level(level);
  }
  [[nodiscard]] bool has_room() const override { return log_.has_room(); }
  void settle() override { log_.settle(); }
  void close() override { log_.close(); }

 private:
  SegmentLog& log_;
  Oracle& oracle_;
};

}  // namespace daybook::simulation
