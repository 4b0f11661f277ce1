// SPDX-License-Identifier: Apache-2.0
#include "oracle.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "daybook/core/apply.hpp"

namespace daybook::simulation {

namespace {

std::vector<std::byte> stored(const std::vector<RecordedEvent>& events, std::size_t count) {
  BatchEncoder encoder;
  for (std::size_t i = 0; i < count; ++i) encoder.add(events[i]);
  return encoder.batch().bytes;
}

bool begins_with(const std::vector<std::byte>& whole, const std::vector<std::byte>& part) {
  return whole.size() >= part.size() && std::equal(part.begin(), part.end(), whole.begin());
}

}  // namespace

void Oracle::in_flight(const EncodedBatch& batch) {
  if (in_flight_) failure_->say("a batch was appended while nobody knew what became of the one before");
  if (batch.first != head().next()) failure_->say("a batch was appended that does not continue the log");
  in_flight_ = batch;
}

void Oracle::acknowledged() {
  take_over(*in_flight_);
  in_flight_.reset();
}

void Oracle::not_written() {
  in_flight_.reset();
}

void Oracle::take_over(const EncodedBatch& batch) {
  ++batches_;
  bytes_.insert(bytes_.end(), batch.bytes.begin(), batch.bytes.end());
  for (RecordedEvent& event : decode_batch(batch)) {
    apply(model_, event);
    ledger_.take(event, batches_);
    events_.push_back(std::move(event));
  }
}

std::string Oracle::difference(const std::vector<RecordedEvent>& found) const {
  const std::vector<std::byte> bytes = stored(found, found.size());
  if (!begins_with(bytes, bytes_)) {
    const auto same = common(found);
    return std::to_string(events_.size()) + " events were acknowledged; " + std::to_string(found.size()) +
           " are there, " + (same ? "the first " + std::to_string(*same) + " as they were" : "and some are others");
  }
  if (bytes.size() == bytes_.size()) return {};
  const auto more = std::span(bytes).subspan(bytes_.size());
  if (in_flight_ && std::ranges::equal(more, in_flight_->bytes)) return {};
  return std::to_string(found.size() - events_.size()) + " events follow what was acknowledged, " +
         (in_flight_ ? "not the batch in flight" : "and nothing was in flight");
}

void Oracle::expect(const std::vector<RecordedEvent>& found) {
  const std::string different = difference(found);
  if (!different.empty()) return failure_->say(different);
  if (in_flight_ && found.size() > events_.size()) take_over(*in_flight_);
  in_flight_.reset();
}

std::optional<std::size_t> Oracle::common(const std::vector<RecordedEvent>& found) const {
  const std::size_t count = std::min(found.size(), events_.size());
  if (!begins_with(bytes_, stored(found, count))) return std::nullopt;
  return count;
}

void Oracle::compare(const View& view) const {
  for (const std::string& difference : differences(view, model_, 3)) {
    failure_->say("the entities differ from the acknowledged events: " + difference);
  }
  ledger_.compare(view);
}

std::uint64_t Oracle::hash() const {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  const auto add = [&](std::uint64_t number) {
    for (int i = 0; i < 8; ++i) hash = (hash ^ ((number >> (8 * i)) & 0xFFu)) * 0x100000001b3u;
  };
  add(head().value());
  model_.each_job([&](const Job& job) {
    add(job.id.sequence.value());
    add(static_cast<std::uint64_t>(job.state));
    add(job.attempt);
    add(job.last_event.value());
  });
  return hash;
}

}  // namespace daybook::simulation
