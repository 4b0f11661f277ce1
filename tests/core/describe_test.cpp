// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/describe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "daybook/core/names.hpp"
#include "daybook/core/state.hpp"
#include "support/generators.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr GenerationTag tag(0x9f3ac1d2);
constexpr JobId job{Sequence(17), tag};
const Instant noon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) + 12h;

class Describing : public ::testing::Test {
 protected:
  Describing() {
    names_.put(Name{NameId(1), NameSort::queue, "mail"});
    names_.put(Name{NameId(2), NameSort::kind, "send invoice"});
    names_.put(Name{NameId(3), NameSort::worker, "mailer-1"});
    names_.put(Name{NameId(4), NameSort::actor, "alice"});
  }
  [[nodiscard]] std::string line(const Event& event) const { return describe(recorded(event), &names_); }
  static RecordedEvent recorded(const Event& event) {
    RecordedEvent recorded;
    recorded.sequence = Sequence(31);
    recorded.wall = noon;
    recorded.event = event;
    return recorded;
  }

  State names_;
};

TEST_F(Describing, AClaimSaysWhoHoldsWhatForHowLong) {
  const JobClaimed claimed{job, 1, NameId(3), Holder::handler, tag, 30s, BookTime(1h), noon + 30s};
  EXPECT_EQ(line(claimed),
            "job=17-9f3ac1d2 attempt=1 worker=mailer-1 lease=30s until=2026-03-04T12:00:30.000000Z holder=handler "
            "token=31-9f3ac1d2");
}

TEST_F(Describing, AScheduledJobHasItsOwnSequenceAndSizesNotContents) {
  JobSpec spec;
  spec.queue = NameId(1);
  spec.kind = NameId(2);
  spec.priority = Priority(-5);
  spec.unique_key = "order 7";
  spec.tags = {{"customer", "12"}};
  spec.payload = "secret";
  const JobScheduled scheduled{std::make_shared<const JobSpec>(spec), tag, {noon + 10min, BookTime(5h)}};
  EXPECT_EQ(line(scheduled),
            "job=31-9f3ac1d2 queue=mail kind=\"send invoice\" priority=-5 due=2026-03-04T12:10:00.000000Z in=10m "
            "key=\"order 7\" payload=6B tag=customer:12");
}

TEST_F(Describing, NamesThatAreNotKnownAreNumbers) {
  EXPECT_EQ(line(QueuePaused{NameId(99)}), "queue=#99");
  EXPECT_EQ(describe(recorded(QueuePaused{NameId(1)})), "queue=#1");
}

TEST_F(Describing, AFailureSaysWhatFollows) {
  const Token token{Sequence(20), tag};
  EXPECT_EQ(line(AttemptFailed{job, token, 2, "boom", NameId(), true, Again{{noon + 2s, BookTime(1h)}}}),
            "job=17-9f3ac1d2 attempt=2 error=4B next=again due=2026-03-04T12:00:02.000000Z in=2s token=20-9f3ac1d2");
  EXPECT_THAT(line(AttemptFailed{job, token, 2, {}, NameId(), false, Dead{DeadReason::not_retryable}}),
              HasSubstr("retryable=no next=dead dead_reason=not_retryable"));
  EXPECT_THAT(line(LeaseExpired{job, token, 2, ExpiryReason::process_died, Cancelled{}}),
              HasSubstr("why=process_died next=cancelled"));
}

TEST_F(Describing, WhoAndWhyComeLast) {
  RecordedEvent event = recorded(JobCancelled{job});
  event.by = {NameId(4), ActorOrigin::peer_credential, Sequence(12), "wrong customer", ""};
  event.request = RequestRef{NameId(99), "r-1", 0};
  EXPECT_EQ(
      describe(event, &names_),
      "job=17-9f3ac1d2 by=alice known_by=peer_credential cause=12 reason=\"wrong customer\" client=#99 request=r-1");
}

TEST_F(Describing, NoNameStandsTwiceInALine) {
  for (Event event : {Event(RecurringFired{}), Event(ClockStepped{}), Event(ClockDoubted{})}) {
    RecordedEvent by = recorded(std::move(event));
    by.by.actor = NameId(4);
    const std::string text = " " + describe(by, &names_);
    EXPECT_EQ(text.find(" by="), text.rfind(" by=")) << text;
  }
}

TEST_F(Describing, HostileTextCannotLeaveItsPlace) {
  RecordedEvent event = recorded(JobCancelled{job});
  event.by.reason = "x\" job=1\n\x1b[2J";
  EXPECT_EQ(describe(event, &names_), R"(job=17-9f3ac1d2 reason="x\" job=1\x0a\x1b[2J")");
}

TEST_F(Describing, ABookWithAScheduledJobWithoutASpecIsStillDescribed) {
  EXPECT_EQ(line(JobScheduled{nullptr, tag, {}}), "job=31-9f3ac1d2");
}

RC_GTEST_PROP(Describe, EveryEventIsOneSafeLine, (const RecordedEvent& recorded)) {
  const std::string line = describe(recorded);
  RC_ASSERT(is_utf8(line));
  RC_ASSERT(std::none_of(line.begin(), line.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }));
  for (const Sequence job : jobs_of(recorded.sequence, recorded.event)) {
    RC_ASSERT(line.find(std::to_string(job.value())) != std::string::npos);
  }
}

}  // namespace
}  // namespace daybook
