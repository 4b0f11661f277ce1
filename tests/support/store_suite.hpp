// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every Store must do, whatever it is made of. Include this in one source file of a test program, and say
//
//   INSTANTIATE_TEST_SUITE_P(State, StoreSuite, ::testing::Values(StoreUnderTest{"State", [] { return …; }, {}}));
//
// The store may be given a moment for its own housekeeping (writing to disk, dropping caches, even being closed and
// opened again): the suite calls it at the worst times, and nothing may change.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daybook/core/view.hpp"
#include "support/scan_store.hpp"

namespace daybook {

struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<Store>()> make;                                  // an empty one
  std::function<void(std::unique_ptr<Store>&, const Moment& now)> housekeeping;  // may be unset

  friend std::ostream& operator<<(std::ostream& out, const StoreUnderTest& store) { return out << store.name; }
};

namespace store_suite {

using namespace std::chrono_literals;

inline constexpr GenerationTag tag(0x9f3ac1d2);
inline constexpr NameId mail(1);
inline constexpr NameId reports(2);
inline constexpr NameId send(11);
inline constexpr NameId render(12);
inline constexpr NameId red(14);
inline constexpr NameId green(15);
inline const Instant noon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 4) + 12h;
inline const BookTime book_noon = BookTime(1000h);

/// Both clocks, `by` after noon.
inline Moment at_noon_plus(Duration by) {
  return {noon + by, BootTime(1h + by), book_noon + by, 0};
}

/// A waiting job, built by what matters to the case.
class Sketch {
 public:
  explicit Sketch(std::uint64_t id) {
    spec_.queue = mail;
    spec_.kind = send;
    job_.id = {Sequence(id), tag};
    job_.attempts_allowed = 25;
    job_.due.at = noon;
    job_.scheduled_at = noon;
    job_.last_event = Sequence(id);
  }
  Sketch& in(NameId queue) { return spec_.queue = queue, *this; }
  Sketch& of(NameId kind) { return spec_.kind = kind, *this; }
  Sketch& group(NameId group) { return spec_.group = group, *this; }
  Sketch& priority(std::int32_t priority) { return spec_.priority = Priority(priority), *this; }
  Sketch& key(std::string key) { return spec_.unique_key = std::move(key), *this; }
  Sketch& starts_by(Due by) { return job_.start_by = by, *this; }
  Sketch& ends_by(BookTime by) { return job_.end_by = by, *this; }
  Sketch& due_at(Instant at) { return job_.due = {at, {}}, *this; }
  Sketch& due_after(Duration from_noon) { return job_.due = {noon + from_noon, book_noon + from_noon}, *this; }
  Sketch& after(std::vector<JobId> parents) { return spec_.dependencies.parents = std::move(parents), *this; }
  /// The parent of that index, if there is one.
  Sketch& awaits(std::size_t index) {
    if (index >= spec_.dependencies.parents.size()) return *this;
    job_.state = JobState::awaiting;
    job_.awaits = spec_.dependencies.parents[index].sequence;
    return *this;
  }
  Sketch& running_until(BookTime end) {
    job_.state = JobState::running;
    job_.attempt = 1;
    job_.lease = Lease{
        {Sequence(1000 + job_.id.sequence.value()), tag}, NameId(21), Holder::handler, 30s, end, noon + 30s, noon, {}};
    return *this;
  }
  Sketch& ended(JobState state) {
    job_.state = state;
    job_.finalized_at = noon;
    if (state == JobState::dead) job_.dead_reason = DeadReason::not_retryable;
    return *this;
  }
  operator Job() const {  // NOLINT(google-explicit-constructor): a sketch is a job in the making
    Job job = job_;
    job.spec = std::make_shared<const JobSpec>(spec_);
    return job;
  }

 private:
  JobSpec spec_;
  Job job_;
};

inline std::vector<Sequence> ids(std::initializer_list<std::uint64_t> numbers) {
  std::vector<Sequence> all;
  for (const std::uint64_t number : numbers) all.emplace_back(number);
  return all;
}

}  // namespace store_suite

class StoreSuite : public ::testing::TestWithParam<StoreUnderTest> {
 protected:
  using Sketch = store_suite::Sketch;

  void SetUp() override {
    store_ = GetParam().make();
    advance_to(Duration(0));
  }

  void put(const Job& job) { store_->put(job); }
  void advance_to(Duration after_noon) { advance(store_suite::at_noon_plus(after_noon)); }
  void advance(const Moment& now) {
    now_ = now;
    store_->advance(now);
  }
  void keep_house() {
    if (GetParam().housekeeping) GetParam().housekeeping(store_, now_);
  }
  /// The ready ones of these queues and kinds; no kind means any.
  std::vector<Sequence> ready(std::vector<NameId> queues = {store_suite::mail}, std::vector<NameId> kinds = {},
                              std::size_t limit = 100) {
    const bool any_kind = kinds.empty();
    return store_->ready({std::move(queues), std::move(kinds), any_kind, limit});
  }

  std::unique_ptr<Store> store_;
  Moment now_;
};

// ---- ready --------------------------------------------------------------------------------------------------------

TEST_P(StoreSuite, ClaimsGoByPriorityThenDueThenId) {
  using namespace store_suite;
  put(Sketch(1).priority(5));
  put(Sketch(4).due_at(noon - 1s));
  put(Sketch(3).due_at(noon - 2s));
  put(Sketch(6).due_at(noon - 1s));
  put(Sketch(5).priority(-1));
  EXPECT_EQ(ready(), ids({5, 3, 4, 6, 1}));
  keep_house();
  EXPECT_EQ(ready(), ids({5, 3, 4, 6, 1}));
  EXPECT_EQ(ready({mail}, {}, 2), ids({5, 3}));
  EXPECT_EQ(ready({mail}, {}, 0), ids({}));
}

TEST_P(StoreSuite, TheOrderHoldsAcrossQueuesAndKinds) {
  using namespace store_suite;
  put(Sketch(1).due_at(noon - 1s));
  put(Sketch(2).in(reports).due_at(noon - 4s));
  put(Sketch(3).of(render).due_at(noon - 3s));
  put(Sketch(4).in(reports).of(render).due_at(noon - 2s));
  keep_house();
  EXPECT_EQ(ready({mail, reports}), ids({2, 3, 4, 1}));
  EXPECT_EQ(ready({mail}), ids({3, 1}));
  EXPECT_EQ(ready({mail, reports}, {render}), ids({3, 4}));
  EXPECT_EQ(ready({reports}, {send, render}, 1), ids({2}));
}

TEST_P(StoreSuite, AQueueOrKindNamedTwiceCountsOnce) {
  using namespace store_suite;
  put(Sketch(1));
  EXPECT_EQ(ready({mail, mail}), ids({1}));
  EXPECT_EQ(ready({mail, mail}, {send, send}), ids({1}));
}

TEST_P(StoreSuite, UnknownQueuesAndKindsHaveNothingReady) {
  using namespace store_suite;
  put(Sketch(1));
  EXPECT_EQ(ready({NameId(99)}), ids({}));
  EXPECT_EQ(ready({mail}, {NameId(99)}), ids({}));
  EXPECT_EQ(ready({}), ids({}));
}

TEST_P(StoreSuite, APausedQueueIsTheCallersConcern) {
  using namespace store_suite;
  store_->put(Queue{mail, true});
  put(Sketch(1));
  EXPECT_EQ(ready(), ids({1}));
}

TEST_P(StoreSuite, OnlyWaitingJobsAreReady) {
  using namespace store_suite;
  put(Sketch(1).running_until(book_noon + 30s));
  put(Sketch(2).ended(JobState::completed));
  put(Sketch(3).ended(JobState::cancelled));
  put(Sketch(4).ended(JobState::dead));
  EXPECT_EQ(ready(), ids({}));
}

TEST_P(StoreSuite, AClaimedJobLeavesTheLaneAndComesBack) {
  using namespace store_suite;
  put(Sketch(1));
  put(Sketch(2));
  put(Sketch(1).running_until(book_noon + 30s));
  EXPECT_EQ(ready(), ids({2}));
  keep_house();
  put(Sketch(1));
  EXPECT_EQ(ready(), ids({1, 2}));
}

// ---- falling due --------------------------------------------------------------------------------------------------

TEST_P(StoreSuite, JobsFallDueByTheWallClock) {
  using namespace store_suite;
  put(Sketch(1).due_at(noon + 10s));
  EXPECT_EQ(ready(), ids({}));
  EXPECT_EQ(store_->timers().wall_due, noon + 10s);
  keep_house();
  advance_to(10s - 1us);
  EXPECT_EQ(ready(), ids({}));
  advance_to(10s);
  EXPECT_EQ(ready(), ids({1}));
  EXPECT_EQ(store_->timers().wall_due, std::nullopt);
}

TEST_P(StoreSuite, DelaysFallDueByBookTimeAlone) {
  using namespace store_suite;
  put(Sketch(1).due_after(10s));
  EXPECT_EQ(store_->timers().book_due, book_noon + 10s);
  EXPECT_EQ(store_->timers().wall_due, std::nullopt);
  keep_house();
  advance({noon + 24h, {}, book_noon + 10s - 1us, 0});
  EXPECT_EQ(ready(), ids({})) << "the wall clock leapt ahead";
  advance({noon - 24h, {}, book_noon + 10s, 0});
  EXPECT_EQ(ready(), ids({1})) << "the wall clock stepped back";
  EXPECT_EQ(store_->timers().book_due, std::nullopt);
}

TEST_P(StoreSuite, WhenTheWallClockStepsBackReadyJobsWaitAgain) {
  using namespace store_suite;
  put(Sketch(1).due_at(noon - 1h));
  put(Sketch(2).due_at(noon + 10s));
  put(Sketch(3).due_after(10s));
  advance_to(20s);
  EXPECT_EQ(ready(), ids({1, 2, 3}));
  keep_house();
  advance({noon, {}, book_noon + 21s, 0});
  EXPECT_EQ(ready(), ids({1, 3}));
  EXPECT_EQ(store_->timers().wall_due, noon + 10s);
  keep_house();
  advance({noon + 10s, {}, book_noon + 31s, 0});
  EXPECT_EQ(ready(), ids({1, 2, 3}));
}

TEST_P(StoreSuite, SeveralStepsBackDemoteEachTime) {
  using namespace store_suite;
  for (std::uint64_t id = 1; id <= 3; ++id) put(Sketch(id).due_at(noon + std::chrono::seconds(id)));
  advance({noon + 9s, {}, book_noon, 0});
  EXPECT_EQ(ready(), ids({1, 2, 3}));
  advance({noon + 2s, {}, book_noon, 0});
  EXPECT_EQ(ready(), ids({1, 2}));
  keep_house();
  advance({noon + 1s, {}, book_noon, 0});
  EXPECT_EQ(ready(), ids({1}));
  advance({noon, {}, book_noon, 0});
  EXPECT_EQ(ready(), ids({}));
  EXPECT_EQ(store_->timers().wall_due, noon + 1s);
}

TEST_P(StoreSuite, AJobPutAfterTheLastAdvanceIsJudgedByItsMoment) {
  using namespace store_suite;
  advance_to(5s);
  put(Sketch(1).due_at(noon + 5s));
  put(Sketch(2).due_at(noon + 6s));
  EXPECT_EQ(ready(), ids({1}));
  EXPECT_EQ(store_->timers().wall_due, noon + 6s);
}

TEST_P(StoreSuite, ARescheduledJobForgetsItsOldDueTime) {
  using namespace store_suite;
  put(Sketch(1).due_at(noon + 10s));
  keep_house();
  put(Sketch(1).due_after(60s));
  EXPECT_EQ(store_->timers().wall_due, std::nullopt);
  EXPECT_EQ(store_->timers().book_due, book_noon + 60s);
  advance_to(10s);
  EXPECT_EQ(ready(), ids({}));
  put(Sketch(1).due_at(noon));
  EXPECT_EQ(ready(), ids({1}));
  EXPECT_EQ(store_->timers().book_due, std::nullopt);
}

TEST_P(StoreSuite, TimersNameTheFirstOfEachSort) {
  using namespace store_suite;
  EXPECT_FALSE(store_->timers().wall_due || store_->timers().book_due || store_->timers().lease_end);
  put(Sketch(1).due_at(noon + 20s));
  put(Sketch(2).due_at(noon + 10s).in(reports));
  put(Sketch(3).due_after(40s));
  put(Sketch(4).due_after(30s).of(render));
  put(Sketch(5).running_until(book_noon + 60s));
  put(Sketch(6).running_until(book_noon + 50s));
  put(Sketch(7).due_at(noon - 1s));
  keep_house();
  EXPECT_EQ(store_->timers().wall_due, noon + 10s);
  EXPECT_EQ(store_->timers().book_due, book_noon + 30s);
  EXPECT_EQ(store_->timers().lease_end, book_noon + 50s);
}

// ---- leases -------------------------------------------------------------------------------------------------------

TEST_P(StoreSuite, LeasesExpireInTheOrderTheyEnd) {
  using namespace store_suite;
  put(Sketch(1).running_until(book_noon + 30s));
  put(Sketch(2).running_until(book_noon + 10s));
  put(Sketch(4).running_until(book_noon + 20s));
  put(Sketch(3).running_until(book_noon + 20s));
  keep_house();
  EXPECT_EQ(store_->expired(book_noon + 10s - 1us, 10), ids({}));
  EXPECT_EQ(store_->expired(book_noon + 10s, 10), ids({2}));
  EXPECT_EQ(store_->expired(book_noon + 30s, 10), ids({2, 3, 4, 1}));
  EXPECT_EQ(store_->expired(book_noon + 30s, 3), ids({2, 3, 4}));
  EXPECT_EQ(store_->running(), ids({1, 2, 3, 4}));
}

TEST_P(StoreSuite, ARenewedLeaseEndsLaterAndAnEndedOneNever) {
  using namespace store_suite;
  put(Sketch(1).running_until(book_noon + 10s));
  put(Sketch(2).running_until(book_noon + 10s));
  keep_house();
  put(Sketch(1).running_until(book_noon + 40s));
  put(Sketch(2).ended(JobState::completed));
  EXPECT_EQ(store_->expired(book_noon + 39s, 10), ids({}));
  EXPECT_EQ(store_->expired(book_noon + 40s, 10), ids({1}));
  EXPECT_EQ(store_->running(), ids({1}));
}

// ---- the other entities, and undoing ------------------------------------------------------------------------------

TEST_P(StoreSuite, TheBookIsWhatWasPutLast) {
  EXPECT_EQ(store_->book(), Book());
  Book book;
  book.head = Sequence(7);
  book.generation = {1, store_suite::tag};
  store_->put(book);
  keep_house();
  EXPECT_EQ(store_->book(), book);
}

TEST_P(StoreSuite, NamesAreFoundByIdAndBySortAndText) {
  store_->put(Name{NameId(1), NameSort::queue, "mail"});
  store_->put(Name{NameId(2), NameSort::kind, "mail"});
  keep_house();
  EXPECT_EQ(store_->find_name(NameSort::queue, "mail"), NameId(1));
  EXPECT_EQ(store_->find_name(NameSort::kind, "mail"), NameId(2));
  EXPECT_EQ(store_->find_name(NameSort::worker, "mail"), std::nullopt);
  ASSERT_NE(store_->name(NameId(2)), nullptr);
  EXPECT_EQ(store_->name(NameId(2))->sort, NameSort::kind);
  store_->erase_name(NameId(1));
  EXPECT_EQ(store_->name(NameId(1)), nullptr);
  EXPECT_EQ(store_->find_name(NameSort::queue, "mail"), std::nullopt);
  EXPECT_EQ(store_->find_name(NameSort::kind, "mail"), NameId(2));
}

TEST_P(StoreSuite, RequestsAreFoundByClientAndId) {
  using namespace store_suite;
  store_->put(RequestRecord{NameId(31), "r1", Sequence(4), Sequence(6), book_noon});
  store_->put(RequestRecord{NameId(32), "r1", Sequence(7), Sequence(7), book_noon});
  keep_house();
  ASSERT_NE(store_->request(NameId(31), "r1"), nullptr);
  EXPECT_EQ(store_->request(NameId(31), "r1")->last, Sequence(6));
  EXPECT_EQ(store_->request(NameId(31), "r"), nullptr);
  store_->put(RequestRecord{NameId(31), "r1", Sequence(9), Sequence(9), book_noon + 1s});
  EXPECT_EQ(store_->request(NameId(31), "r1")->first, Sequence(9));
  store_->erase_request(NameId(31), "r1");
  EXPECT_EQ(store_->request(NameId(31), "r1"), nullptr);
  EXPECT_NE(store_->request(NameId(32), "r1"), nullptr);
}

TEST_P(StoreSuite, RequestsWithinTheWindowAreKept) {
  using namespace store_suite;
  store_->put(RequestRecord{NameId(31), "r1", Sequence(4), Sequence(6), book_noon});
  Book book;
  book.head = Sequence(9);
  book.head_boot = BootTime(1h);
  book.book_offset = (book_noon + limits::request_window).time_since_epoch() - 1h;
  store_->put(book);
  advance_to(limits::request_window);
  keep_house();
  EXPECT_NE(store_->request(NameId(31), "r1"), nullptr);
}

TEST_P(StoreSuite, QueuesWorkersAndSettingsComeAndGo) {
  store_->put(Queue{NameId(1), true});
  store_->put(Worker{NameId(5), Holder::handler, 4, {NameId(1)}, {}, store_suite::noon, Epoch(1)});
  store_->put(Worker{NameId(3), Holder::external, 1, {NameId(1)}, {NameId(2)}, store_suite::noon, Epoch(1)});
  store_->put(Setting{"lease", "30s"});
  keep_house();
  EXPECT_TRUE(store_->queue(NameId(1))->paused);
  EXPECT_EQ(store_->workers(), (std::vector{NameId(3), NameId(5)}));
  EXPECT_EQ(store_->worker(NameId(5))->slots, 4U);
  EXPECT_EQ(store_->setting("lease")->value, "30s");
  store_->put(Queue{NameId(1), false});
  store_->put(Setting{"lease", "1m"});
  EXPECT_FALSE(store_->queue(NameId(1))->paused);
  EXPECT_EQ(store_->setting("lease")->value, "1m");
  store_->erase_queue(NameId(1));
  store_->erase_worker(NameId(5));
  store_->erase_setting("lease");
  keep_house();
  EXPECT_EQ(store_->queue(NameId(1)), nullptr);
  EXPECT_EQ(store_->worker(NameId(5)), nullptr);
  EXPECT_EQ(store_->workers(), std::vector{NameId(3)});
  EXPECT_EQ(store_->setting("lease"), nullptr);
}

TEST_P(StoreSuite, AnErasedJobLeavesNoTrace) {
  using namespace store_suite;
  put(Sketch(1).key("k"));
  put(Sketch(2).due_at(noon + 10s));
  put(Sketch(3).due_after(10s));
  put(Sketch(4).running_until(book_noon + 10s));
  keep_house();
  for (std::uint64_t id = 1; id <= 4; ++id) store_->erase_job(Sequence(id));
  EXPECT_EQ(differences(*store_, ScanStore()), std::vector<std::string>());
  EXPECT_EQ(store_->key_holder(mail, "k"), std::nullopt);
  EXPECT_FALSE(store_->timers().wall_due || store_->timers().book_due || store_->timers().lease_end);
  keep_house();
  advance_to(1h);
  EXPECT_EQ(ready(), ids({}));
  EXPECT_EQ(store_->expired(book_noon + 1h, 10), ids({}));
}

TEST_P(StoreSuite, PuttingTheOldJobBackUndoesAClaim) {
  using namespace store_suite;
  const Job before = Sketch(1).key("k");
  put(before);
  put(Sketch(2));
  keep_house();
  put(Sketch(1).key("k").running_until(book_noon + 30s));
  put(before);
  EXPECT_EQ(ready(), ids({1, 2}));
  EXPECT_EQ(store_->running(), ids({}));
  EXPECT_EQ(*store_->job(Sequence(1)), before);
}

TEST_P(StoreSuite, AKeyThatChangedHandsIsRestoredInWhateverOrderItIsUndone) {
  using namespace store_suite;
  const Job holder = Sketch(1).key("k");
  put(holder);
  put(Sketch(1).key("k").ended(JobState::cancelled));
  put(Sketch(2).key("k"));
  keep_house();
  put(holder);
  store_->erase_job(Sequence(2));
  EXPECT_EQ(store_->key_holder(mail, "k"), Sequence(1));
}

TEST_P(StoreSuite, EverythingIsVisitedInOrderOfIds) {
  for (const std::uint64_t id : {300, 2, 70'000, 1}) {
    put(Sketch(id));
    store_->put(Queue{NameId(static_cast<std::uint32_t>(id)), false});
    store_->put(Name{NameId(static_cast<std::uint32_t>(id)), NameSort::kind, "n" + std::to_string(id)});
    store_->put(Setting{std::to_string(id), ""});
    store_->put(RequestRecord{NameId(id == 2 ? 1 : 2), std::to_string(id), {}, {}, store_suite::book_noon});
  }
  keep_house();
  std::vector<std::uint64_t> jobs;
  std::vector<std::uint64_t> queues;
  std::vector<std::uint64_t> names;
  std::vector<std::string> settings;
  std::vector<std::string> requests;
  store_->each_job([&](const Job& job) { jobs.push_back(job.id.sequence.value()); });
  store_->each_queue([&](const Queue& queue) { queues.push_back(queue.id.value()); });
  store_->each_name([&](const Name& name) { names.push_back(name.id.value()); });
  store_->each_setting([&](const Setting& setting) { settings.push_back(setting.key); });
  store_->each_request([&](const RequestRecord& request) { requests.push_back(request.id); });
  const std::vector<std::uint64_t> by_id = {1, 2, 300, 70'000};
  EXPECT_EQ(jobs, by_id);
  EXPECT_EQ(queues, by_id);
  EXPECT_EQ(names, by_id);
  EXPECT_EQ(settings, (std::vector<std::string>{"1", "2", "300", "70000"}));
  EXPECT_EQ(requests, (std::vector<std::string>{"2", "1", "300", "70000"}));
}

}  // namespace daybook

#include "support/store_suite_counts.hpp"
#include "support/store_suite_random.hpp"
