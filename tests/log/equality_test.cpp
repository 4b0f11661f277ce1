// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "daybook/log/snapshot_file.hpp"
#include "format.hpp"

// Checks compare whole structures: each of their fields has to count.

namespace daybook {
namespace {

template <class Structure>
void expect_each_counts(const Structure& made, const std::vector<std::function<void(Structure&)>>& changes) {
  const Structure same = made;
  EXPECT_EQ(same, made);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Structure other = made;
    changes[i](other);
    EXPECT_FALSE(other == made) << "field " << i + 1;
  }
}

TEST(Equality, OfASegmentHeaderLooksAtEveryField) {
  expect_each_counts<format::SegmentHeader>({}, {
                                                    [](auto& h) { ++h.format_version; },
                                                    [](auto& h) { ++h.minimum_reader; },
                                                    [](auto& h) { ++h.feature_level; },
                                                    [](auto& h) { ++h.generation; },
                                                    [](auto& h) { h.generation_tag = GenerationTag(7); },
                                                    [](auto& h) { h.commit_alignment = 512; },
                                                    [](auto& h) { h.log_uuid.bytes[15] = 1; },
                                                    [](auto& h) { h.boot_id.bytes[0] = 1; },
                                                    [](auto& h) { h.first = Sequence(9); },
                                                    [](auto& h) { h.epoch = Epoch(9); },
                                                    [](auto& h) { ++h.salt; },
                                                    [](auto& h) { ++h.segment_bytes; },
                                                    [](auto& h) { h.created += Duration(1); },
                                                    [](auto& h) { h.chain[31] = 1; },
                                                });
}

TEST(Equality, OfABatchHeaderLooksAtEveryField) {
  expect_each_counts<format::BatchHeader>({}, {
                                                  [](auto& h) { ++h.payload_bytes; },
                                                  [](auto& h) { h.first = Sequence(9); },
                                                  [](auto& h) { ++h.count; },
                                                  [](auto& h) { h.seal = true; },
                                                  [](auto& h) { ++h.salt; },
                                                  [](auto& h) { ++h.offset; },
                                                  [](auto& h) { h.epoch = Epoch(9); },
                                                  [](auto& h) { ++h.batch_id; },
                                                  [](auto& h) { h.previous[31] = 1; },
                                                  [](auto& h) { ++h.payload_crc32c; },
                                              });
}

TEST(Equality, OfASealLooksAtEveryField) {
  expect_each_counts<format::SealPayload>({}, {
                                                  [](auto& s) { ++s.batches; },
                                                  [](auto& s) { ++s.events; },
                                                  [](auto& s) { s.last = Sequence(9); },
                                                  [](auto& s) { s.chain[31] = 1; },
                                                  [](auto& s) { ++s.used_bytes; },
                                              });
}

TEST(Equality, OfAWitnessLooksAtEveryField) {
  expect_each_counts<format::WitnessSlot>({}, {
                                                  [](auto& w) { w.log_uuid.bytes[15] = 1; },
                                                  [](auto& w) { w.clean = true; },
                                                  [](auto& w) { w.acknowledged = Sequence(9); },
                                                  [](auto& w) { ++w.end_offset; },
                                                  [](auto& w) { w.segment = Sequence(9); },
                                                  [](auto& w) { w.epoch = Epoch(9); },
                                                  [](auto& w) { ++w.counter; },
                                                  [](auto& w) { w.chain[31] = 1; },
                                              });
}

TEST(Equality, OfASnapshotsSummaryLooksAtEveryField) {
  expect_each_counts<SnapshotSummary>({}, {
                                              [](auto& s) { s.point.sequence = Sequence(9); },
                                              [](auto& s) { s.point.chain[31] = 1; },
                                              [](auto& s) { s.point.generation.number = 9; },
                                              [](auto& s) { s.point.generation.tag = GenerationTag(9); },
                                              [](auto& s) { ++s.point.feature_level; },
                                              [](auto& s) { ++s.counts.names; },
                                              [](auto& s) { ++s.counts.settings; },
                                              [](auto& s) { ++s.counts.queues; },
                                              [](auto& s) { ++s.counts.workers; },
                                              [](auto& s) { ++s.counts.requests; },
                                              [](auto& s) { ++s.counts.jobs; },
                                              [](auto& s) { ++s.counts.others; },
                                              [](auto& s) { s.state_hash[31] = 1; },
                                              [](auto& s) { s.frontier.add(Hash{}); },
                                              [](auto& s) { s.file_sha256[31] = 1; },
                                              [](auto& s) { ++s.bytes; },
                                          });
}

}  // namespace
}  // namespace daybook
