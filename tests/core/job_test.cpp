// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "daybook/core/entities.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const Instant noon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) + 12h;
const Moment now{noon, BootTime(1h), BookTime(5h), 0};

TEST(Due, AnInstantIsComparedWithTheWallClock) {
  EXPECT_TRUE(is_due({noon, {}}, now));
  EXPECT_FALSE(is_due({noon + 1us, {}}, now));
}

TEST(Due, ADelayIsComparedWithBookTimeAlone) {
  EXPECT_TRUE(is_due({noon + 1h, BookTime(5h)}, now));
  EXPECT_FALSE(is_due({noon - 1h, BookTime(5h) + 1us}, now));
}

TEST(Phase, IsDerivedFromStateClockAndAttempts) {
  Job job;
  job.due.at = noon + 1s;
  EXPECT_EQ(phase(job, now), Phase::scheduled);
  job.attempt = 1;
  EXPECT_EQ(phase(job, now), Phase::retryable);
  job.due.at = noon;
  EXPECT_EQ(phase(job, now), Phase::available);
  job.state = JobState::awaiting;
  EXPECT_EQ(phase(job, now), Phase::awaiting);
  job.state = JobState::running;
  EXPECT_EQ(phase(job, now), Phase::running);
  job.state = JobState::completed;
  EXPECT_EQ(phase(job, now), Phase::completed);
  job.state = JobState::cancelled;
  EXPECT_EQ(phase(job, now), Phase::cancelled);
  job.state = JobState::dead;
  EXPECT_EQ(phase(job, now), Phase::dead);
}

TEST(Phase, IsReadAsItIsWritten) {
  for (int value = 0; value <= static_cast<int>(Phase::dead); ++value) {
    const auto phase = static_cast<Phase>(value);
    EXPECT_EQ(parse_phase(to_string(phase)), phase);
  }
  const auto refused = parse_phase("waiting");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, RefusalCode::invalid_argument);
  EXPECT_THAT(refused.error().sentence,
              HasSubstr("scheduled, available, retryable, awaiting, running, completed, cancelled, dead"));
}

TEST(Job, WordsOfItsStates) {
  EXPECT_EQ(to_string(JobState::waiting), "waiting");
  EXPECT_EQ(to_string(JobState::dead), "dead");
  EXPECT_EQ(to_string(DeadReason::attempts_exhausted), "attempts_exhausted");
  EXPECT_EQ(to_string(DeadReason::lease_lost), "lease_lost");
  EXPECT_EQ(to_string(Holder::handler), "handler");
  EXPECT_EQ(to_string(NameSort::error_kind), "error_kind");
}

RC_GTEST_PROP(Job, IsComparedByValueSpecIncluded, (const Job& job)) {
  Job copy = job;
  copy.spec = std::make_shared<const JobSpec>(*job.spec);
  RC_ASSERT(copy == job);
  JobSpec other = *job.spec;
  other.priority = Priority(other.priority == Priority(0) ? 1 : 0);
  copy.spec = std::make_shared<const JobSpec>(other);
  RC_ASSERT(!(copy == job));
}

TEST(Job, EveryFieldCountsInTheComparison) {
  Job job;
  job.spec = std::make_shared<const JobSpec>();
  const auto differs = [&](auto change) {
    Job other = job;
    change(other);
    return !(other == job);
  };
  EXPECT_TRUE(differs([](Job& other) { other.id.sequence = Sequence(1); }));
  EXPECT_TRUE(differs([](Job& other) { other.state = JobState::dead; }));
  EXPECT_TRUE(differs([](Job& other) { other.dead_reason = DeadReason::expired; }));
  EXPECT_TRUE(differs([](Job& other) { other.cancel_requested = true; }));
  EXPECT_TRUE(differs([](Job& other) { other.attempt = 1; }));
  EXPECT_TRUE(differs([](Job& other) { other.attempts_allowed = 1; }));
  EXPECT_TRUE(differs([](Job& other) { other.due.at = noon; }));
  EXPECT_TRUE(differs([](Job& other) { other.scheduled_at = noon; }));
  EXPECT_TRUE(differs([](Job& other) { other.finalized_at = noon; }));
  EXPECT_TRUE(differs([](Job& other) { other.lease = Lease(); }));
  EXPECT_TRUE(differs([](Job& other) { other.completed_by = Token(); }));
  EXPECT_TRUE(differs([](Job& other) { other.progress = "x"; }));
  EXPECT_TRUE(differs([](Job& other) { other.result = "x"; }));
  EXPECT_TRUE(differs([](Job& other) { other.error = "x"; }));
  EXPECT_TRUE(differs([](Job& other) { other.error_kind = NameId(1); }));
  EXPECT_TRUE(differs([](Job& other) { other.trace = "x"; }));
  EXPECT_TRUE(differs([](Job& other) { other.last_event = Sequence(1); }));
  EXPECT_TRUE(differs([](Job& other) { other.refused.emplace_back(); }));
}

}  // namespace
}  // namespace daybook
