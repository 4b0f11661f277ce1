// SPDX-License-Identifier: Apache-2.0
#include "daybook/core/filter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "daybook/core/limits.hpp"
#include "daybook/core/state.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;

/// One job, and whether filters match it.
class FilterOfJobs : public ::testing::Test {
 protected:
  FilterOfJobs() {
    names.put(Name{NameId(1), NameSort::queue, "mail"});
    names.put(Name{NameId(2), NameSort::kind, "welcome mail"});
    names.put(Name{NameId(7), NameSort::group, "acme"});
    names.put(Name{NameId(3), NameSort::worker, "mailer-1"});
    names.put(Name{NameId(4), NameSort::error_kind, "timeout"});
    now.wall = noon;
    now.book = BookTime(100h);
    spec.queue = NameId(1);
    spec.kind = NameId(2);
    spec.group = NameId(7);
    job.id = JobId{Sequence(17), GenerationTag(0x9f3ac1d2)};
    job.due.at = noon - 10min;
    job.scheduled_at = noon - 3h;
    job.attempts_allowed = 25;
  }

  bool matches(const std::string& text) {
    job.spec = std::make_shared<const JobSpec>(spec);
    const auto filter = Filter::parse(text);
    EXPECT_TRUE(filter) << text << ": " << filter.error().sentence;
    return filter && filter->matches(job, names, now);
  }
  void run() {
    job.state = JobState::running;
    job.attempt = 1;
    job.lease = Lease{};
    job.lease->worker = NameId(3);
    job.lease->claimed_at = noon - 5min;
  }
  void die() {
    job.state = JobState::dead;
    job.dead_reason = DeadReason::attempts_exhausted;
    job.finalized_at = noon - 1min;
    job.error = Envelope("smtp 421: try again");
    job.error_kind = NameId(4);
  }

  const Instant noon = *parse_instant("2026-11-21T12:00:00Z");
  State names;
  Moment now{};
  JobSpec spec;
  Job job;
};

std::string refused(const std::string& text) {
  const auto filter = Filter::parse(text);
  EXPECT_FALSE(filter) << text;
  return filter ? std::string() : filter.error().sentence;
}

std::string canonical(const std::string& text) {
  const auto filter = Filter::parse(text);
  EXPECT_TRUE(filter) << text << ": " << filter.error().sentence;
  return filter ? filter->text() : std::string();
}

// ---- what matches -------------------------------------------------------------------------------------------------

TEST_F(FilterOfJobs, NamesAreComparedAsTheyAreSpelledOut) {
  EXPECT_TRUE(matches("queue = mail"));
  EXPECT_FALSE(matches("queue = Mail"));
  EXPECT_TRUE(matches("kind = 'welcome mail'"));
  EXPECT_TRUE(matches("group = acme and not group = other"));
  EXPECT_TRUE(matches("queue in (sms, mail)"));
  EXPECT_TRUE(matches("queue not in (sms)"));
  EXPECT_TRUE(matches("queue != sms"));
}

TEST_F(FilterOfJobs, TheStateIsTheOneAPersonSees) {
  EXPECT_TRUE(matches("state = available"));
  job.due.at = noon + 1s;
  EXPECT_TRUE(matches("state = scheduled"));
  job.attempt = 1;
  EXPECT_TRUE(matches("state in (retryable, dead)"));
  die();
  EXPECT_TRUE(matches("state = dead and dead_reason = attempts_exhausted"));
}

TEST_F(FilterOfJobs, AndBindsTighterThanOrAndNotTightest) {
  EXPECT_TRUE(matches("queue = mail or queue = sms and state = dead"));
  EXPECT_FALSE(matches("(queue = mail or queue = sms) and state = dead"));
  EXPECT_TRUE(matches("not queue = sms and queue = mail"));
  EXPECT_FALSE(matches("not (queue = mail)"));
}

TEST_F(FilterOfJobs, NumbersAreOrdered) {
  spec.priority = Priority(-5);
  job.attempt = 3;
  EXPECT_TRUE(matches("priority < 0 and priority >= -5 and priority <= -5 and priority = -5"));
  EXPECT_TRUE(matches("attempt > 2 and attempt in (1, 3) and attempts_allowed = 25"));
}

TEST_F(FilterOfJobs, InstantsAreOrderedAndMayBeToldFromNow) {
  EXPECT_TRUE(matches("scheduled_at = 2026-11-21T09:00Z"));
  EXPECT_TRUE(matches("scheduled_at > 2026-11-21 and scheduled_at < 2026-11-22"));
  EXPECT_TRUE(matches("scheduled_at < now-2h and scheduled_at > now-4h and due_at < now and due_at < now+1h"));
  EXPECT_TRUE(matches("due_at = 2026-11-21T12:50:00+01:00"));
}

TEST_F(FilterOfJobs, DurationsAreTakenFromTheClockTheJobGoesBy) {
  EXPECT_TRUE(matches("age = 3h and lateness >= 10m and lateness < 11m"));
  job.due.after = now.book - 7min;  // book time decides then
  EXPECT_TRUE(matches("lateness = 7m"));
  run();
  EXPECT_TRUE(matches("run_time = 5m and lateness = none"));
}

TEST_F(FilterOfJobs, IdsNeedNoGenerationAndAreOrdered) {
  EXPECT_TRUE(matches("id = 17"));
  EXPECT_TRUE(matches("id = 17-9f3ac1d2"));
  EXPECT_FALSE(matches("id = 17-00000001"));
  EXPECT_TRUE(matches("id > 16 and id <= 17 and id in (3, 17)"));
}

TEST_F(FilterOfJobs, WhatAJobDoesNotHaveIsNoneAndFailsEveryTest) {
  EXPECT_TRUE(matches("worker = none and finalized_at = none and unique_key = none and tag.x = none"));
  EXPECT_FALSE(matches("finalized_at < now"));
  EXPECT_FALSE(matches("finalized_at >= now"));
  EXPECT_TRUE(matches("worker != ada and worker !~ ada and not worker = ada"));
  EXPECT_FALSE(matches("worker != none"));
  EXPECT_FALSE(matches("worker = \"none\""));
  run();
  EXPECT_TRUE(matches("worker != none and worker = mailer-1 and claimed_at = now-5m and cancel_requested = no"));
}

TEST_F(FilterOfJobs, TagsHaveAnyKey) {
  spec.tags = {{"customer", "acme.eu"}, {"weird key", ""}};
  EXPECT_TRUE(matches("tag.customer = acme.eu and tags[\"customer\"] ~ acme"));
  EXPECT_TRUE(matches("tags[\"weird key\"] = \"\" and tags['weird key'] != none"));
}

TEST_F(FilterOfJobs, LikeContainsUnlessItHasStarsThenItIsTheWhole) {
  die();
  EXPECT_TRUE(matches("error ~ 421 and error ~ \"try again\" and error_kind ~ time"));
  EXPECT_TRUE(matches("error ~ smtp* and error ~ *again and error ~ *421* and error ~ \"smtp ???: *\""));
  EXPECT_FALSE(matches("error ~ *421"));
  EXPECT_TRUE(matches("error !~ *421"));
  spec.unique_key = "a*b";
  EXPECT_TRUE(matches("unique_key ~ \"a\\\\*b\" and unique_key ~ \"\\\\*\""));
  spec.unique_key = "axb";
  EXPECT_FALSE(matches("unique_key ~ \"a\\\\*b\""));
  spec.unique_key = "größe";
  EXPECT_TRUE(matches("unique_key ~ gr??e and unique_key ~ größ"));
  EXPECT_TRUE(matches("unique_key ~ \"\""));
}

TEST_F(FilterOfJobs, ManyStarsTakeNoLongerThanTheProductOfBothLengths) {
  spec.unique_key = std::string(limits::unique_key_bytes_max, 'a');
  EXPECT_FALSE(matches("unique_key ~ " + std::string(100, '*') + "a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"));
}

TEST_F(FilterOfJobs, SealedContentsSayNothing) {
  spec.payload = Envelope(Envelope::Contents{.codec = 1, .subject = {}, .key_id = 1, .nonce = "n", .bytes = "secret"});
  EXPECT_TRUE(matches("payload = none and payload !~ secret"));
  spec.payload = Envelope("ada@example.org");
  EXPECT_TRUE(matches("payload ~ example"));
}

TEST_F(FilterOfJobs, AllMatchesEveryJob) {
  EXPECT_TRUE(matches("all"));
  EXPECT_TRUE(Filter().matches(job, names, now));
  EXPECT_EQ(Filter(), *Filter::parse("all"));
}

TEST_F(FilterOfJobs, RawTimesAtTheEdgesOfTheirRangeAreCompared) {
  job.scheduled_at = Instant(Duration::min());
  now.wall = Instant(Duration::max());
  EXPECT_TRUE(matches("age > 2920000d and scheduled_at < now+1d"));
}

// ---- as text ------------------------------------------------------------------------------------------------------

TEST(FilterText, IsWrittenTheSameWayHoweverItWasTyped) {
  EXPECT_EQ(canonical("  ((queue='mail'))and(not(state=dead or attempt>=3)) "),
            "queue = mail and not (state = dead or attempt >= 3)");
  EXPECT_EQ(canonical("queue=a and (queue=b and (queue=c))"), "queue = a and queue = b and queue = c");
  EXPECT_EQ(canonical("queue not in (a,\tb)"), "not queue in (a, b)");
}

TEST(FilterText, WritesValuesOut) {
  EXPECT_EQ(canonical("due_at < 2026-11-21"), "due_at < 2026-11-21T00:00:00.000000Z");
  EXPECT_EQ(canonical("due_at < now+90m or due_at > now-0s"), "due_at < now+1h30m or due_at > now");
  EXPECT_EQ(canonical("age > \"90m\" and priority = -0 and id = 17-9F3AC1D2"),
            "age > 1h30m and priority = 0 and id = 17-9f3ac1d2");
}

TEST(FilterText, PutsInQuotesWhatIsNoWord) {
  EXPECT_EQ(canonical("queue = 'two words' or queue = \"and\" or queue = '' or queue = ü"),
            "queue = \"two words\" or queue = \"and\" or queue = \"\" or queue = ü");
  EXPECT_EQ(canonical(R"(queue = "a\x00\x1b\"\\")"), R"(queue = "a\x00\x1b\"\\")");
  EXPECT_EQ(canonical("queue = \"\xe2\x80\xae\""), R"(queue = "\xe2\x80\xae")") << "what turns the text around";
  EXPECT_EQ(canonical("tags[\"customer\"] = a and tags['a b'] = b"), "tag.customer = a and tags[\"a b\"] = b");
}

TEST(FilterText, EqualsTakesAnyValue) {
  for (const char* value : {"mail", "two words", "and", "none", "\xff\"\\", "a = b"}) {
    const auto filter = Filter::equals("queue", value);
    ASSERT_TRUE(filter) << value;
    EXPECT_EQ(*filter, *Filter::parse(filter->text()));
  }
  EXPECT_FALSE(Filter::equals("state", "deaf"));
}

TEST(FilterText, BothIsWhatBothMatch) {
  const Filter left = *Filter::parse("queue = a or queue = b");
  const Filter right = *Filter::parse("state = dead and attempt = 1");
  EXPECT_EQ((left && right).text(), "(queue = a or queue = b) and state = dead and attempt = 1");
  EXPECT_EQ(Filter() && right, right);
  EXPECT_EQ(left && Filter(), left);
}

// ---- what is refused ----------------------------------------------------------------------------------------------

TEST(FilterRefused, PointsAtTheColumn) {
  EXPECT_EQ(refused("queue = mail and quue = sms"),
            "filter, column 18: there is no field \"quue\"; did you mean queue?\n"
            "  queue = mail and quue = sms\n"
            "                   ^");
  EXPECT_EQ(refused("queue = ü and\tattempt > x"),
            "filter, column 25: \"x\" is no whole number, such as -5, 0 or 10\n"
            "  queue = ü and attempt > x\n"
            "                          ^");
}

TEST(FilterRefused, ShowsAWindowOfALongText) {
  const std::string sentence =
      refused("queue = " + std::string(300, 'a') + " and x = 1 and queue = " + std::string(300, 'b'));
  EXPECT_THAT(sentence, HasSubstr("column 314: there is no field \"x\""));
  EXPECT_THAT(sentence, HasSubstr("\n  …aaaa"));
  EXPECT_THAT(sentence, HasSubstr("bbb…\n  " + std::string(61, ' ') + "^"));
}

TEST(FilterRefused, EscapesWhatATerminalWouldObey) {
  const std::string sentence = refused("queue = \"\x1b[31m\" nonsense");
  EXPECT_THAT(sentence, HasSubstr("\n  queue = \"\\x1b[31m\" nonsense\n"));
  EXPECT_THAT(sentence, EndsWith("\n  " + std::string(19, ' ') + "^"));
}

TEST(FilterRefused, SaysWhatWouldBeRight) {
  const auto says = [](const std::string& text, const std::string& what) {
    EXPECT_THAT(refused(text), HasSubstr(what)) << text;
  };
  says("", "expected a field, not, ( or all; found the end");
  says("frobnicate = 1", "the fields are id, queue, kind, group, recurring, nominal, state,");
  says("queue", "expected a comparison behind queue, a text, which takes = != ~ !~ in; found the end");
  says("queue mail", "found \"mail\"");
  says("queue == mail", "one = is enough");
  says("queue = mail && state = dead", "write and");
  says("queue = mail || state = dead", "write or");
  says("!queue = mail", "write not");
  says("queue = mail AND state = dead", "write and, in small letters");
  says("queue = mail state = dead", "expected and, or, or the end; found \"state\"");
  says("(queue = mail", "column 1: this ( has no )");
  says("queue = mail)", "no ( stands before this )");
  says("queue = \"mail", "column 9: the quoted text that begins here has no \"");
  says("queue = \"\\n\"", "behind \"\\\" stands");
  says("queue > mail", "> does not compare queue, a text, which takes = != ~ !~ in");
  says("due_at ~ 2026", "~ does not compare due_at, an instant, which takes = != < <= > >= in");
  says("state = runing", "\"runing\" is no state; did you mean running?");
  says("state = 7", "it is one of scheduled, available,");
  says("dead_reason = none or dead_reason = unknown", "\"unknown\" is no dead_reason; it is one of attempts_exhausted");
  says("due_at < tomorrow", "no instant, such as 2026-11-21,");
  says("due_at < now-2", "a unit is missing");
  says("age > 9999999d", "is longer than");
  says("id = x", "no job's id, such as 17-9f3ac1d2");
  says("queue = and", "a word of the language: put it in quotes");
  says("queue in mail", "expected a list such as (a, b)");
  says("queue in ()", "expected a text");
  says("queue in (a b)", "expected , or )");
  says("queue not = a", "expected in behind not");
  says("attempt > none", "none is compared with = != in");
  says("queue ~ none", "put it in quotes");
  says("tag = a", "Write tag.KEY, or tags[\"any key\"]");
  says("tags = a", "Write tag.KEY");
  says("tag. = a", "the key of a tag has 1 to 128 bytes");
  says("tags[\"a\" = b", "expected ]");
  says("tags[=] = b", "expected the key of a tag");
  says("queue = a;b", "write and between tests");
  says("queue = \xff", "not UTF-8");
}

TEST(FilterRefused, WhenItIsTooLongOrTooDeep) {
  EXPECT_THAT(refused(std::string(limits::filter_bytes_max + 1, ' ')), HasSubstr("4097 bytes: at most 4096"));
  EXPECT_THAT(refused("queue = \"" + std::string(limits::filter_bytes_max / 2, '\x01') + "\""),
              HasSubstr("written out, has"));
  const auto nested = [](std::size_t depth) { return std::string(depth, '(') + "queue = a" + std::string(depth, ')'); };
  EXPECT_EQ(canonical(nested(limits::filter_depth_max)), "queue = a");
  EXPECT_THAT(refused(nested(limits::filter_depth_max + 1)), HasSubstr("column 33: more than 32"));
  std::string nots;
  for (std::size_t i = 0; i < limits::filter_depth_max; ++i) nots += "not ";
  EXPECT_TRUE(Filter::parse(nots + "all"));
  EXPECT_FALSE(Filter::parse(nots + "not all"));
  EXPECT_FALSE(Filter::parse(nots + "queue not in (a)"));
}

// ---- the page -----------------------------------------------------------------------------------------------------

std::string page() {
  std::ifstream in(std::string(DAYBOOK_SOURCE_DIR) + "/docs/filter.md");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(FilterPage, HasARowForEachField) {
  const std::string text = page();
  for (const FilterFieldInfo& field : filter_fields()) {
    const std::string row = "\n| `" + std::string(field.name) + "` | " + std::string(field.type) + " | " +
                            std::string(field.meaning) + " |";
    EXPECT_THAT(text, HasSubstr(row));
  }
}

TEST(FilterPage, ShowsFiltersThatAreOnes) {
  const std::string text = page();
  std::size_t filters = 0;
  for (std::size_t at = text.find("```filter\n"); at != std::string::npos; at = text.find("```filter\n", at + 1)) {
    const std::size_t begin = at + 10;
    const std::size_t end = text.find("\n```", begin);
    for (std::size_t line = begin; line < end;) {
      const std::size_t next = std::min(text.find('\n', line), end);
      const auto filter = Filter::parse(text.substr(line, next - line));
      EXPECT_TRUE(filter) << filter.error().sentence;
      ++filters;
      line = next + 1;
    }
  }
  EXPECT_GE(filters, 12U);
}

TEST(FilterPage, ShowsARefusalAsItIsTold) {
  EXPECT_THAT(page(), HasSubstr(refused("queue = mail and stat = dead")));
}

}  // namespace
}  // namespace daybook
