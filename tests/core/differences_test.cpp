// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "daybook/core/limits.hpp"
#include "daybook/core/state.hpp"
#include "daybook/core/view.hpp"
#include "support/generators.hpp"
#include "support/scan_store.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Instant noon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) + 12h;

Job job(std::uint64_t id) {
  Job job;
  job.id = {Sequence(id), GenerationTag(0x9f3ac1d2)};
  JobSpec spec;
  spec.queue = NameId(1);
  spec.kind = NameId(2);
  job.spec = std::make_shared<const JobSpec>(spec);
  return job;
}

class Differences : public ::testing::Test {
 protected:
  template <class Entity>
  void both(const Entity& entity) {
    left_.put(entity);
    right_.put(entity);
  }
  [[nodiscard]] std::vector<std::string> found() const { return differences(left_, right_); }

  State left_;
  State right_;
};

TEST_F(Differences, EqualStoresHaveNone) {
  both(job(1));
  both(Queue{NameId(1), true});
  both(Name{NameId(1), NameSort::queue, "mail"});
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Differences, AJobThatDiffersIsReportedByField) {
  both(job(17));
  Job other = job(17);
  other.attempt = 2;
  right_.put(other);
  EXPECT_THAT(found(), ElementsAre("job 17-9f3ac1d2: attempt is 0 on the left, 2 on the right"));
}

TEST_F(Differences, ASpecThatDiffersIsReportedToo) {
  left_.put(job(17));
  Job other = job(17);
  JobSpec spec = *other.spec;
  spec.payload = "p";
  other.spec = std::make_shared<const JobSpec>(spec);
  right_.put(other);
  EXPECT_THAT(found(), ElementsAre(HasSubstr("job 17-9f3ac1d2: payload is 0 bytes")));
}

TEST_F(Differences, EveryFieldOfAJobIsCompared) {
  const auto reported = [](auto change) {
    State left;
    State right;
    Job other = job(17);
    left.put(other);
    change(other);
    right.put(other);
    return differences(left, right).size();
  };
  EXPECT_EQ(reported([](Job&) {}), 0U);
  EXPECT_EQ(reported([](Job& other) { other.id.generation = GenerationTag(1); }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.dead_reason = DeadReason::expired; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.cancel_requested = true; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.attempts_allowed = 1; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.due.after = BookTime(1h); }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.scheduled_at = noon; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.finalized_at = noon; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.lease = Lease(); }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.completed_by = Token(); }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.progress = "x"; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.result = "x"; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.error = "x"; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.error_kind = NameId(1); }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.trace = "x"; }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.last_event = Sequence(1); }), 1U);
  EXPECT_EQ(reported([](Job& other) { other.refused.emplace_back(); }), 1U);
}

TEST_F(Differences, WhatOnlyOneSideHasIsMissingOnTheOther) {
  left_.put(Queue{NameId(1), false});
  right_.put(Setting{"lease", "30s"});
  EXPECT_THAT(found(), ElementsAre("queue 1 is missing on the right", "setting \"lease\" is missing on the left"));
}

TEST_F(Differences, EverySortOfEntityIsCompared) {
  Book book;
  book.head = Sequence(4);
  right_.put(book);
  left_.put(Worker{NameId(1), Holder::handler, 1, {}, {}, noon, Epoch(1)});
  right_.put(Worker{NameId(1), Holder::handler, 2, {}, {}, noon, Epoch(1)});
  left_.put(Name{NameId(1), NameSort::queue, "mail"});
  right_.put(Name{NameId(1), NameSort::queue, "post"});
  left_.put(RequestRecord{NameId(1), "r", Sequence(1), Sequence(1), BookTime(1h)});
  right_.put(RequestRecord{NameId(1), "r", Sequence(1), Sequence(2), BookTime(1h)});
  left_.put(Setting{"lease", "30s"});
  right_.put(Setting{"lease", "40s"});
  left_.put(Queue{NameId(1), false});
  right_.put(Queue{NameId(1), true});
  left_.put(Hold{Sequence(7), "all", "", NameId(1), noon});
  right_.put(Hold{Sequence(7), "queue = mail", "", NameId(1), noon});
  left_.put(Recurring{.id = NameId(8), .owner = "a"});
  right_.put(Recurring{.id = NameId(8), .owner = "b"});
  EXPECT_THAT(found(),
              ElementsAre(HasSubstr("the book: head is 0"), HasSubstr("queue 1: paused is false"),
                          HasSubstr("worker 1: slots is 1"), HasSubstr("name 1 \"mail\" is missing"),
                          HasSubstr("name 1 \"post\" is missing"), HasSubstr("request \"r\" of client 1: last is 1"),
                          HasSubstr("setting \"lease\": value is \"30s\""), HasSubstr("hold 7: filter is \"all\""),
                          HasSubstr("recurring schedule 8: owner is \"a\"")));
}

TEST_F(Differences, AMissingJobShowsInTheCountsAsWell) {
  left_.put(job(1));
  EXPECT_THAT(found(), ElementsAre("job 1-9f3ac1d2 is missing on the right",
                                   "queue 1: number of waiting jobs is 1 on the left, 0 on the right"));
}

TEST_F(Differences, TheListEndsAtTheLimit) {
  for (std::uint64_t id = 1; id <= 50; ++id) left_.put(job(id));
  EXPECT_THAT(found(), SizeIs(20));
  EXPECT_THAT(differences(left_, right_, 3), SizeIs(3));
}

TEST_F(Differences, WhichLaneAJobStandsInIsHousekeeping) {
  Job later = job(1);
  later.due.at = noon;
  both(later);
  left_.advance({noon + 1s, {}, {}, 0});
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(Differences, RequestsBehindTheWindowAreHousekeeping) {
  ScanStore keeps_all;
  const RequestRecord request{NameId(1), "r", Sequence(1), Sequence(1), BookTime(1h)};
  Book book;
  book.head_boot = BootTime(1h + limits::request_window);
  left_.put(book);
  keeps_all.put(book);
  keeps_all.put(request);
  EXPECT_THAT(differences(left_, keeps_all), ElementsAre(HasSubstr("missing on the left"))) << "just within";
  book.head_boot += 1us;
  left_.put(book);
  keeps_all.put(book);
  EXPECT_THAT(differences(left_, keeps_all), IsEmpty());
  EXPECT_THAT(differences(keeps_all, left_), IsEmpty());
}

RC_GTEST_PROP(DifferencesOfAnyJobs, AreThereExactlyWhenTheJobsDiffer, (const Job& job)) {
  State left;
  State right;
  left.put(job);
  right.put(job);
  RC_ASSERT(differences(left, right).empty());
  Job other = *rc::gen::arbitrary<Job>();
  other.id = job.id;
  right.put(other);
  RC_ASSERT(differences(left, right).empty() == (job == other));
}

}  // namespace
}  // namespace daybook
