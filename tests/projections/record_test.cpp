// SPDX-License-Identifier: Apache-2.0
#include "record.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "index_fixture.hpp"
#include "support/generators.hpp"
#include "support/histories.hpp"

namespace daybook {
namespace {

template <class Entity>
void expect_same_again(const Entity& entity) {
  std::string bytes;
  record::encode(entity, bytes);
  Entity again;
  RC_ASSERT(record::decode(bytes, again));
  std::string second;
  record::encode(again, second);
  RC_ASSERT(second == bytes);
}

// What histories make has every field set in some job or other.
RC_GTEST_PROP(Record, EveryEntityOfAHistoryReadsAsItWasWritten, (const testing::Steps& steps)) {
  State state;
  testing::Driver driver(state);
  for (const testing::Step& step : steps) driver.step(step);
  state.each_job([](const Job& job) {
    std::string bytes;
    record::encode(job, bytes);
    Job again;
    again.id.sequence = job.id.sequence;
    RC_ASSERT(record::decode(bytes, again));
    record::encode(*job.spec, bytes);
    JobSpec spec;
    RC_ASSERT(record::decode(bytes, spec));
    again.spec = std::make_shared<JobSpec>(spec);
    RC_ASSERT(again == job);
  });
  state.each_name([](const Name& name) { expect_same_again(name); });
  state.each_request([](const RequestRecord& request) { expect_same_again(request); });
  state.each_queue([](const Queue& queue) { expect_same_again(queue); });
  state.each_group([](const Group& group) { expect_same_again(group); });
  for (const NameId id : state.workers()) expect_same_again(*state.worker(id));
  expect_same_again(state.book());
}

Job full_job() {
  Job job =
      test::running_job(test::waiting_job(17, {test::wall(5), test::book_time(6)}, Priority(-3)), test::book_time(40));
  job.cancel_requested = true;
  job.finalized_at = test::wall(9);
  job.completed_by = Token{Sequence(18), GenerationTag(7)};
  job.progress = Envelope("half");
  job.result = Envelope("all");
  job.error = Envelope(Envelope::Contents{.codec = 1, .subject = "s", .key_id = 2, .nonce = "n", .bytes = "b"});
  job.error_kind = NameId(4);
  job.trace = "00-aa-bb-01";
  job.refused = {{{Sequence(3), GenerationTag(7)}, RefusalCode::lease_lost}};
  return job;
}

TEST(Record, AJobWithEverythingReadsAsItWasWritten) {
  const Job job = full_job();
  std::string bytes;
  record::encode(job, bytes);
  Job again;
  again.id.sequence = job.id.sequence;
  again.spec = job.spec;
  ASSERT_TRUE(record::decode(bytes, again));
  EXPECT_EQ(again, job);
}

TEST(Record, EveryCutRecordIsRefused) {
  std::string bytes;
  record::encode(full_job(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Job job;
    EXPECT_FALSE(record::decode(std::string_view(bytes).substr(0, size), job)) << size;
  }
  Job job;
  EXPECT_FALSE(record::decode(bytes + '\0', job));
}

RC_GTEST_PROP(Record, AnyBytesAreReadOrRefused, (const std::string& bytes)) {
  Job job;
  (void)record::decode(bytes, job);
  JobSpec spec;
  (void)record::decode(bytes, spec);
  std::vector<Setting> settings;
  (void)record::decode(bytes, settings);
  std::vector<Hold> holds;
  (void)record::decode(bytes, holds);
  Recurring recurring;
  (void)record::decode(bytes, recurring);
}

RC_GTEST_PROP(Record, ARecurringScheduleReadsAsItWasWritten, (const Recurring& recurring)) {
  std::string bytes;
  record::encode(recurring, bytes);
  Recurring again{.id = recurring.id};
  RC_ASSERT(record::decode(bytes, again));
  RC_ASSERT(again == recurring);
  Recurring none;
  RC_ASSERT(!record::decode(bytes + '\0', none));
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!record::decode(std::string_view(bytes).substr(0, cut), none));
}

TEST(Record, HoldsReadAsTheyWereWritten) {
  const std::vector<Hold> holds = {{Sequence(9), "queue = mail", "case 8812", NameId(3), Instant(Duration(-5))},
                                   {Sequence(12), "all", "", NameId(), {}}};
  std::string bytes;
  record::encode(holds, bytes);
  std::vector<Hold> again;
  ASSERT_TRUE(record::decode(bytes, again));
  EXPECT_EQ(again, holds);
  EXPECT_FALSE(record::decode(bytes + '\0', again));
}

TEST(Record, EveryFlippedBitOfASealedRecordIsSeen) {
  std::string sealed;
  record::encode(full_job(), sealed);
  record::seal(Table::jobs, "key", sealed);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    std::string_view view = flipped;
    EXPECT_FALSE(record::unseal(Table::jobs, "key", view)) << bit;
  }
  std::string_view whole = sealed;
  EXPECT_TRUE(record::unseal(Table::jobs, "key", whole));
}

TEST(Record, ARecordUnderAnotherKeyOrInAnotherTableIsSeen) {
  std::string sealed = "record";
  record::seal(Table::jobs, "key", sealed);
  std::string_view elsewhere = sealed;
  EXPECT_FALSE(record::unseal(Table::jobs, "kez", elsewhere));
  elsewhere = sealed;
  EXPECT_FALSE(record::unseal(Table::specs, "key", elsewhere));
}

}  // namespace
}  // namespace daybook
