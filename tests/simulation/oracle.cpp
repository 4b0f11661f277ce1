// SPDX-License-Identifier: Apache-2.0
#include "oracle.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "daybook/core/apply.hpp"
#include "daybook/log/merkle.hpp"

namespace daybook::simulation {

namespace {

constexpr std::size_t frame_bytes = 8;  // before each stored event

EncodedBatch encoded(std::span<const RecordedEvent> events) {
  BatchEncoder encoder;
  for (const RecordedEvent& event : events) encoder.add(event);
  EncodedBatch batch = encoder.batch();
  if (!events.empty()) batch.first = events.front().sequence;
  return batch;
}

bool begins_with(std::span<const std::byte> whole, std::span<const std::byte> part) {
  return whole.size() >= part.size() && std::ranges::equal(part, whole.first(part.size()));
}

Sequence first_of(const std::vector<RecordedEvent>& found) {
  return found.empty() ? Sequence(1) : found.front().sequence;
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
  std::size_t end = bytes_.size();
  bytes_.insert(bytes_.end(), batch.bytes.begin(), batch.bytes.end());
  BatchEncoder one;
  for (RecordedEvent& event : decode_batch(batch)) {
    one.clear();
    end += one.add(event);
    ends_.push_back(end);
    apply(model_, event);
    ledger_.take(event, batches_);
    events_.push_back(std::move(event));
  }
  batch_ends_.push_back(head());
}

std::span<const std::byte> Oracle::bytes_from(Sequence first) const {
  const std::size_t before = first.value() - 1;
  return std::span(bytes_).subspan(before == 0 ? 0 : ends_.at(before - 1));
}

std::string Oracle::difference(const std::vector<RecordedEvent>& found) const {
  const Sequence first = first_of(found);
  if (first > model_.book().dropped_through.next()) {
    return "the log begins with sequence " + std::to_string(first.value()) + "; on record to go were those up to " +
           std::to_string(model_.book().dropped_through.value());
  }
  const std::size_t expected = events_.size() - (first.value() - 1);
  const std::vector<std::byte> bytes = encoded(found).bytes;
  const auto acknowledged = bytes_from(first);
  if (!begins_with(bytes, acknowledged)) {
    const auto same = common(found);
    return std::to_string(expected) + " events were acknowledged from sequence " + std::to_string(first.value()) +
           " on; " + std::to_string(found.size()) + " are there, " +
           (same ? "the first " + std::to_string(*same) + " as they were" : "and some are others");
  }
  if (bytes.size() == acknowledged.size()) return {};
  const auto more = std::span(bytes).subspan(acknowledged.size());
  if (in_flight_ && std::ranges::equal(more, in_flight_->bytes)) return {};
  return std::to_string(found.size() - expected) + " events follow what was acknowledged, " +
         (in_flight_ ? "not the batch in flight" : "and nothing was in flight");
}

void Oracle::expect(const std::vector<RecordedEvent>& found) {
  const std::string different = difference(found);
  if (!different.empty()) return failure_->say(different);
  if (in_flight_ && !found.empty() && found.back().sequence > head()) take_over(*in_flight_);
  in_flight_.reset();
}

std::optional<std::size_t> Oracle::common(const std::vector<RecordedEvent>& found) const {
  const Sequence first = first_of(found);
  if (first > head().next()) return std::nullopt;
  const std::size_t count = std::min<std::size_t>(found.size(), events_.size() - (first.value() - 1));
  if (!begins_with(bytes_from(first), encoded(std::span(found).first(count)).bytes)) return std::nullopt;
  return count;
}

std::string Oracle::wrong_leaves(Sequence first, std::span<const std::byte> leaves) const {
  std::size_t event = first.value() - 1;
  for (; !leaves.empty(); ++event) {
    if (event >= events_.size() || leaves.size() < sizeof(Hash)) return "it stands for more events than there were";
    const auto stored = bytes_from(Sequence(event + 1)).first(ends_[event] - (event == 0 ? 0 : ends_[event - 1]));
    const Hash leaf = merkle_leaf(stored.subspan(frame_bytes));
    if (!std::ranges::equal(std::as_bytes(std::span(leaf)), leaves.first(leaf.size()))) {
      return "the leaf hash of sequence " + std::to_string(event + 1) + " is not that of the event";
    }
    leaves = leaves.subspan(leaf.size());
  }
  if (event > model_.book().dropped_through.value()) return "it stands for events that were not on record to go";
  return {};
}

void Oracle::go_on_from(Sequence until, const std::vector<RecordedEvent>& own) {
  const std::vector<RecordedEvent> events = std::move(events_);
  const std::vector<Sequence> batch_ends = std::move(batch_ends_);
  in_flight_.reset();
  bytes_.clear();
  events_.clear();
  ends_.clear();
  batch_ends_.clear();
  batches_ = 0;
  model_ = State();
  ledger_ = Ledger(*failure_);
  for (const Sequence end : batch_ends) {
    if (end > until) break;
    take_over(encoded(std::span(events).subspan(events_.size(), end.value() - events_.size())));
  }
  if (head() != until) failure_->say("a backup ends within a batch");
  take_over(encoded(own));
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
