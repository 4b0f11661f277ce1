// SPDX-License-Identifier: Apache-2.0

// What a book says of itself: numbers, events as they become durable, lines for a log. In virtual time, without threads but where said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "daybook/metrics.hpp"
#include "daybook/subscription.hpp"
#include "daybook/testing/test_book.hpp"
#include "daybook/trace.hpp"
#include "support/temp_folder.hpp"

namespace daybook {
namespace {

using namespace std::chrono_literals;
using daybook::testing::TestBook;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Schedule mail(When due = {}, RetryPolicy retry = {}) {
  return {.queue = "mail", .kind = "welcome", .due = due, .retry = retry};
}
Claim any() {
  return {.queues = {"mail"}, .worker = "w", .lease = 30s};
}

TEST(HistogramTest, EachValueIsCountedOnceBelowTheFirstBoundThatHoldsIt) {
  const auto bucket_of = [](std::uint64_t value) {
    Histogram histogram;
    histogram.add(value);
    EXPECT_EQ(histogram.count(), 1u);
    EXPECT_EQ(histogram.sum, value);
    return static_cast<std::size_t>(std::find(histogram.counts.begin(), histogram.counts.end(), 1u) -
                                    histogram.counts.begin());
  };
  for (const std::uint64_t value :
       {0ULL, 1ULL, 2ULL, 3ULL, 4ULL, 5ULL, 16ULL, 17ULL, 1'000ULL, 1ULL << 38, (1ULL << 38) + 1, ~0ULL}) {
    const std::size_t bucket = bucket_of(value);
    if (bucket < Histogram::bounds) {
      EXPECT_LE(value, Histogram::bound(bucket));
    }
    if (bucket > 0) {
      EXPECT_GT(value, Histogram::bound(bucket - 1));
    }
  }
}

TEST(MetricsTest, QueuesAreCountedByStateAndTheOldestIsAged) {
  TestBook book;
  ASSERT_TRUE(book->schedule(mail()));
  ASSERT_TRUE(book->schedule(mail(after(24h))));
  ASSERT_TRUE(book->schedule({.queue = "attic", .kind = "k", .due = after(24h)}));
  ASSERT_TRUE(book->pause("attic"));
  book.clock().advance(90s);
  const Metrics metrics = book->metrics();
  ASSERT_EQ(metrics.queues.size(), 2u);
  const auto& attic = metrics.queues[0];
  const auto& row = metrics.queues[1];
  EXPECT_EQ(attic.queue, "attic");
  EXPECT_TRUE(attic.paused);
  EXPECT_EQ(attic.oldest_due_age, std::nullopt);
  EXPECT_EQ(row.jobs[static_cast<std::size_t>(JobState::waiting)], 2u);
  EXPECT_EQ(row.oldest_due_age, Duration(90s));
  EXPECT_EQ(metrics.head, book->stat().head);
  EXPECT_EQ(metrics.segment_bytes, book.storage().bytes()) << "a book of segments and a witness";
}

TEST(MetricsTest, LatenessRunTimeRetriesAndDeathsAddUp) {
  TestBook book;
  const RetryPolicy twice{.first = 1min, .cap = 1min, .jitter_permille = 0, .max_attempts = 2};
  ASSERT_TRUE(book->schedule(mail({}, twice)));
  ASSERT_TRUE(book->schedule(mail()));
  WorkLoop worker = book->work({.queues = {"mail"}, .worker = "w"});
  int runs = 0;
  worker.on("welcome", [&](Attempt& attempt) -> Verdict {
    ++runs;
    book.advance_and_run(10s);
    return attempt.job().attempts_allowed == 2 ? retry("no") : done();
  });
  ASSERT_TRUE(worker.start());
  book.advance_and_run(1h);
  EXPECT_EQ(runs, 3);
  const Metrics::Activity activity = book->metrics().activity.value();
  EXPECT_EQ(activity.retries, 1u);
  EXPECT_EQ(activity.dead[static_cast<std::size_t>(DeadReason::attempts_exhausted)], 1u);
  EXPECT_EQ(activity.run_time.count(), 3u);
  EXPECT_EQ(activity.run_time.sum, 30'000'000u);
  EXPECT_EQ(activity.runs_not_timed, 0u);
  EXPECT_EQ(activity.lateness.count(), 3u);
  EXPECT_EQ(activity.lateness.sum, 10'000'000u) << "the second job waited for the only slot";
  const std::uint64_t events = std::accumulate(activity.events.begin(), activity.events.end(), std::uint64_t{0});
  EXPECT_EQ(events, book->stat().head.value()) << "the book is new, so each of its events was counted";
  EXPECT_EQ(activity.sync_events.sum, events);
  EXPECT_EQ(activity.sync_events.count(), book->stat().costs.batches);
}

TEST(MetricsTest, JobsThatADeadlineEndsAreCountedByReason) {
  TestBook book;
  Schedule late = mail();
  late.start_deadline = after(1min);
  ASSERT_TRUE(book->schedule(late));
  Schedule slow{.queue = "slow", .kind = "k"};
  slow.total_timeout = 2min;
  ASSERT_TRUE(book->schedule(slow));
  ASSERT_FALSE(book->claim({.queues = {"slow"}, .worker = "w", .lease = 10min})->empty());
  book.advance_and_run(1h);
  const Metrics::Activity activity = book->metrics().activity.value();
  EXPECT_EQ(activity.dead[static_cast<std::size_t>(DeadReason::expired)], 1u);
  EXPECT_EQ(activity.dead[static_cast<std::size_t>(DeadReason::timed_out)], 1u);
  EXPECT_EQ(activity.run_time.sum, 120'000'000u);
}

TEST(MetricsTest, RefusalsAreCountedByCode) {
  TestBook book;
  ASSERT_TRUE(book->schedule(mail()));
  const auto job = book->claim(any()).value().front();
  book.clock().advance(1h);
  EXPECT_FALSE(book->complete(job));
  EXPECT_FALSE(book->complete(job));
  Renew renewal;
  renewal.claims.push_back({.job = job.id, .token = job.token});
  EXPECT_FALSE(book->renew(renewal)->claims.front());
  EXPECT_FALSE(book->schedule({.queue = "", .kind = "k"}));
  const Metrics::Activity activity = book->metrics().activity.value();
  EXPECT_EQ(activity.refusals[static_cast<std::size_t>(RefusalCode::lease_lost)], 3u);
  EXPECT_EQ(activity.refusals[static_cast<std::size_t>(RefusalCode::invalid_argument)], 1u);
}

TEST(MetricsTest, AClaimOfAnEarlierOpeningIsNotTimed) {
  TestBook book;
  ASSERT_TRUE(book->schedule(mail()));
  const auto job = book->claim(any()).value().front();
  book.reopen();
  ASSERT_TRUE(book->complete(job));
  const Metrics::Activity activity = book->metrics().activity.value();
  EXPECT_EQ(activity.runs_not_timed, 1u);
  EXPECT_EQ(activity.run_time.count(), 0u);
}

TEST(MetricsTest, NobodyCountsWhatIsNotWanted) {
  TestBook book({.metrics = false});
  ASSERT_TRUE(book->schedule(mail()));
  const Metrics metrics = book->metrics();
  EXPECT_FALSE(metrics.activity);
  EXPECT_EQ(metrics.queues.size(), 1u);
}

TEST(MetricsTest, CountingChangesNothingOnRecord) {
  const auto life = [](bool metrics) {
    TestBook book({.metrics = metrics});
    EXPECT_TRUE(book->schedule(mail()));
    EXPECT_TRUE(book->complete(book->claim(any()).value().front()));
    return book->stat().head;
  };
  EXPECT_EQ(life(true), life(false));
}

TEST(MetricsTest, TheIndexOnTheDiskLagsAndCatchesUp) {
  const test::TempFolder folder;
  daybook::testing::VirtualClock clock;
  Daybook book = Daybook::open(folder.path() / "book", {.clock = &clock, .waiter = &clock, .driven = true});
  ASSERT_TRUE(book.schedule(mail()));  // the first step projects the opening
  ASSERT_TRUE(book.schedule(mail()));
  EXPECT_EQ(book.metrics().activity->projection_lag, 1u);
  clock.advance(2s);
  book.drive();
  EXPECT_EQ(book.metrics().activity->projection_lag, 0u);
}

// ---- the text

// A book with something of everything.
Metrics varied() {
  Metrics metrics;
  metrics.queues.push_back({.queue = "a \"queue\"\\ with\nall", .oldest_due_age = 1500ms});
  metrics.segment_bytes = 123'456'789'012;
  auto& activity = metrics.activity.emplace();
  activity.events.fill(7);
  activity.dead[1] = 1;
  activity.refusals[4] = 2;
  for (const std::uint64_t value : {1ULL, 5ULL, 1ULL << 60}) activity.run_time.add(value);
  activity.sync_events.add(3);
  return metrics;
}

TEST(PrometheusTest, EachFamilyHasItsHelpItsTypeAndItsSamples) {
  const std::string text = to_prometheus(varied());
  EXPECT_THAT(text, HasSubstr("# HELP daybook_retries_total "));
  EXPECT_THAT(text, HasSubstr("# TYPE daybook_run_seconds histogram\n"
                              "daybook_run_seconds_bucket{le=\"1e-06\"} 1\n"
                              "daybook_run_seconds_bucket{le=\"4e-06\"} 1\n"
                              "daybook_run_seconds_bucket{le=\"1.6e-05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("daybook_run_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("daybook_run_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("daybook_segment_bytes 123456789012\n"));
  EXPECT_THAT(text, HasSubstr("daybook_oldest_due_age_seconds{queue=\"a \\\"queue\\\"\\\\ with\\nall\"} 1.5\n"));
  EXPECT_THAT(text, HasSubstr("daybook_dead_total{reason=\"attempts_exhausted\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("daybook_refusals_total{code=\"lease_lost\"} 2\n"));
}

TEST(PrometheusTest, NamesSayUnitAndKind) {
  for (const MetricFamily& family : metric_families()) {
    const std::string name(family.name);
    EXPECT_TRUE(std::regex_match(name, std::regex("daybook_[a-z_]+"))) << name;
    EXPECT_EQ(family.type == "counter", name.ends_with("_total")) << name;
    EXPECT_TRUE(family.help.ends_with(".")) << name;
  }
}

TEST(PrometheusTest, WhatNobodyCountedIsLeftOut) {
  Metrics metrics = varied();
  metrics.activity.reset();
  const std::string text = to_prometheus(metrics);
  EXPECT_THAT(text, HasSubstr("daybook_jobs{"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("daybook_sync")));
}

// Another implementation's parser, where Debian's python3-prometheus-client is installed.
TEST(PrometheusTest, PrometheusOwnParserReadsTheSameValues) {
  if (std::system("/usr/bin/python3 -c 'import prometheus_client.parser' 2>/dev/null") != 0) {
    GTEST_SKIP() << "python3-prometheus-client is not installed";
  }
  const test::TempFolder folder;
  const std::string at = (folder.path() / "metrics").string();
  std::ofstream(at + ".prom") << to_prometheus(varied());
  std::ofstream(at + ".py")
      << "import sys\n"
         "from prometheus_client.parser import text_string_to_metric_families as parse\n"
         "for family in parse(open(sys.argv[1]).read()):\n"
         "  assert family.type in ('gauge', 'counter', 'histogram'), family\n"
         "  assert family.documentation, family\n"
         "  for sample in family.samples:\n"
         "    labels = [k + '=' + v for k, v in sample.labels.items()]\n"
         "    print('\\t'.join([sample.name, repr(sample.value)] + labels).replace('\\n', '|'))\n";
  ASSERT_EQ(std::system(("/usr/bin/python3 " + at + ".py " + at + ".prom >" + at + ".read").c_str()), 0);
  std::ifstream read(at + ".read");
  const auto all = samples(varied());
  for (const MetricSample& sample : all) {
    std::string line;
    ASSERT_TRUE(std::getline(read, line)) << sample.name;
    std::istringstream fields(line);
    std::string name, value, label;
    std::getline(fields, name, '\t');
    std::getline(fields, value, '\t');
    EXPECT_EQ(name, sample.name);
    EXPECT_EQ(std::stod(value), sample.value) << line;
    for (const auto& [key, wanted] : sample.labels) {
      ASSERT_TRUE(std::getline(fields, label, '\t')) << line;
      EXPECT_EQ(label, key + "=" + std::regex_replace(wanted, std::regex("\n"), "|"));
    }
  }
}

TEST(PrometheusTest, ThePageHasEveryMetricAndNoOther) {
  std::ifstream page(DAYBOOK_SOURCE_DIR "/docs/observability.md");
  std::map<std::string, std::string> on_page;
  const std::regex row(R"(\| `(daybook_[a-z_]+)`[^|]* \| (gauge|counter|histogram) \| .+ \|)");
  for (std::string line; std::getline(page, line);) {
    if (std::smatch found; std::regex_match(line, found, row)) on_page[found[1]] = found[2];
  }
  std::map<std::string, std::string> in_code;
  for (const MetricFamily& family : metric_families()) in_code[std::string(family.name)] = family.type;
  EXPECT_EQ(on_page, in_code);
}

// ---- subscriptions

TEST(SubscriptionTest, EveryEventComesOnceInOrderFromTheOneThatWasAskedFor) {
  TestBook book;
  ASSERT_TRUE(book->schedule(mail()));
  const Sequence from = book->stat().head;
  std::vector<std::uint64_t> seen;
  Subscription subscription =
      book->subscribe(from, [&](const RecordedEvent& recorded) { seen.push_back(recorded.sequence.value()); });
  ASSERT_TRUE(book->schedule(mail()));
  book.run_until_idle();
  ASSERT_TRUE(book->complete(book->claim(any()).value().front()));
  book.run_until_idle();
  const std::uint64_t head = book->stat().head.value();
  std::vector<std::uint64_t> expected(head - from.value() + 1);
  std::iota(expected.begin(), expected.end(), from.value());
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(subscription.next(), Sequence(head + 1));
  subscription.stop();
  ASSERT_TRUE(book->schedule(mail()));
  book.run_until_idle();
  EXPECT_EQ(seen, expected) << "none after the end";
}

TEST(SubscriptionTest, ASubscriberMayCauseTheNextEvent) {
  TestBook book;
  std::vector<std::string> seen;
  const Subscription subscription = book->subscribe(book->stat().head.next(), [&](const RecordedEvent& recorded) {
    seen.emplace_back(type_name(recorded.event));
    if (seen.size() == 1) {
      ASSERT_TRUE(book->pause("mail"));
      book.run_until_idle();
    }
  });
  ASSERT_TRUE(book->resume("mail").error().code == RefusalCode::queue_unknown);
  ASSERT_TRUE(book->schedule(mail()));
  book.run_until_idle();
  EXPECT_THAT(seen, ::testing::IsSupersetOf({"JobScheduled", "QueuePaused"}));
  EXPECT_EQ(subscription.next(), book->stat().head.next());
}

TEST(SubscriptionTest, AnExceptionEndsItBeforeTheEventAndIsTold) {
  std::vector<std::string> told;
  TestBook book({.log = [&](LogLevel level, const std::string& line) {
    if (level == LogLevel::error) told.push_back(line);
  }});
  ASSERT_TRUE(book->schedule(mail()));
  const Sequence broken = book->stat().head;
  Subscription subscription = book->subscribe(Sequence(1), [&](const RecordedEvent& recorded) {
    if (recorded.sequence == broken) throw std::runtime_error("the collector is away");
  });
  book.run_until_idle();
  EXPECT_FALSE(subscription.alive());
  EXPECT_EQ(subscription.next(), broken);
  EXPECT_THAT(told, ElementsAre(HasSubstr("the collector is away")));
  std::vector<Sequence> seen;
  const Subscription again =
      book->subscribe(subscription.next(), [&](const RecordedEvent& recorded) { seen.push_back(recorded.sequence); });
  book.run_until_idle();
  EXPECT_THAT(seen, ElementsAre(broken));
}

TEST(SubscriptionTest, TheEndOfTheBookIsDeliveredToo) {
  TestBook book;
  std::vector<std::string_view> seen;
  const Subscription subscription = book->subscribe(
      book->stat().head.next(), [&](const RecordedEvent& recorded) { seen.push_back(type_name(recorded.event)); });
  book->close();
  EXPECT_THAT(seen, ElementsAre("BookClosed"));
}

TEST(SubscriptionTest, OnAThreadOfItsOwnASlowOneDelaysNobody) {
  const test::TempFolder folder;
  Daybook book = Daybook::open(folder.path() / "book");
  std::mutex held;
  std::unique_lock lock(held);
  std::vector<std::uint64_t> seen;
  Subscription subscription = book.subscribe(Sequence(1), [&](const RecordedEvent& recorded) {
    const std::lock_guard wait(held);
    seen.push_back(recorded.sequence.value());
  });
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(book.schedule(mail())) << "while the subscriber is stuck";
  lock.unlock();
  const Sequence head = book.stat().head;
  ASSERT_TRUE(subscription.wait_through(head));
  subscription.stop();
  std::vector<std::uint64_t> expected(head.value());
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(seen, expected);
  EXPECT_FALSE(subscription.wait_through(head.next())) << "it ended";
}

// ---- lines for a log

TEST(EventLinesTest, WhatPeopleLookForIsToldWithItsFacts) {
  std::vector<std::string> lines;
  TestBook book({.log =
                     [&](LogLevel level, const std::string& line) {
                       static const char* const names[] = {"debug ", "info ", "warning ", "error "};
                       if (line.starts_with("event=")) lines.push_back(names[static_cast<int>(level)] + line);
                     },
                 .log_events = true});
  ASSERT_TRUE(book->schedule(mail({}, {.first = 1s, .cap = 1s, .max_attempts = 1})));
  ASSERT_FALSE(book->claim(any())->empty());
  book.advance_and_run(1h);
  book.clock().step_wall(-24h);
  ASSERT_TRUE(book->pause("mail", "smtp \"is\" down"));
  book.run_until_idle();
  std::erase_if(lines, [](const std::string& line) { return line.find("event=ConfigurationChanged") != line.npos; });
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_THAT(lines[0], HasSubstr("info event=BookOpened seq=2 at=2026-01-01T00:00:00.000000Z"));
  EXPECT_THAT(lines[1], HasSubstr("info event=GenerationBegun"));
  EXPECT_THAT(lines[2], HasSubstr("info event=FeatureLevelRaised"));
  EXPECT_THAT(lines[3], ::testing::AllOf(HasSubstr("error event=LeaseExpired"), HasSubstr("lease_lost")));
  EXPECT_THAT(lines[4], HasSubstr("warning event=ClockStepped"));
  EXPECT_THAT(lines[5], ::testing::AllOf(HasSubstr("info event=QueuePaused"), HasSubstr("queue=mail"),
                                         HasSubstr("reason=\"smtp \\\"is\\\" down\"")));
}

// ---- trace context

TEST(TraceContextTest, ATraceparentIsReadAndWritten) {
  const std::string text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto context = parse_traceparent(text);
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(to_traceparent(*context), text);
  EXPECT_EQ(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later"), context);
}

TEST(TraceContextTest, WhatIsNoneIsRefusedWithAnExample) {
  for (const char* text : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
                           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x"}) {
    const auto refused = parse_traceparent(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().sentence, HasSubstr("expected \"00-4bf9"));
  }
}

TEST(TraceContextTest, ItTravelsFromTheSchedulingToTheHandler) {
  TestBook book;
  const std::string text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  ASSERT_TRUE(book->execute({.commands = {mail()}, .context = {.trace = text}}));
  EXPECT_EQ(book->claim(any()).value().front().trace, text);
}

}  // namespace
}  // namespace daybook
