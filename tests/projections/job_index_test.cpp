// SPDX-License-Identifier: Apache-2.0

// Stories of the index beside its State: fronts that are read on, backlogs, clocks that step back, kills.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "daybook/core/error.hpp"
#include "index_fixture.hpp"
#include "keys.hpp"
#include "lmdb.hpp"
#include "record.hpp"

namespace daybook {
namespace {

using test::book_time;
using test::moment;
using test::Twins;
using test::waiting_job;
using test::wall;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr IndexTuning tiny = {.window = 4, .chunk = 2, .cached_jobs = 0, .promotions = 3, .map_bytes = 256 * 1024};

std::vector<Sequence> claimable(const View& view, std::size_t limit) {
  return view.ready(test::any_of({NameId(1)}, limit));
}

TEST(JobIndex, AnEmptyIndexAnswersLikeAnEmptyBook) {
  Twins twins;
  EXPECT_THAT(twins.disagreements(), IsEmpty());
  EXPECT_EQ(twins.index->job(Sequence(1)), nullptr);
}

TEST(JobIndex, ALaneLongerThanItsWindowIsClaimedInOrder) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  twins.advance(moment(1000, 1000));
  for (std::uint64_t id = 1; id <= 50; ++id) {
    twins.put(waiting_job(id, {wall(static_cast<std::int64_t>(id * 37 % 50)), {}}, Priority(static_cast<int>(id % 3))));
  }
  twins.project();
  ASSERT_EQ(twins.reopen(), "");
  while (!claimable(twins.state, 3).empty()) {
    ASSERT_THAT(twins.disagreements(), IsEmpty());
    for (const Sequence id : claimable(twins.state, 3)) {
      twins.put(test::running_job(*twins.state.job(id), book_time(2000)));
    }
    if (claimable(twins.state, 100).size() % 2 == 0) twins.project();
  }
  EXPECT_THAT(claimable(*twins.index, 3), IsEmpty());
}

TEST(JobIndex, ABacklogThatFallsDueAtOnceIsClaimedInOrder) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  for (std::uint64_t id = 1; id <= 60; ++id) {
    const std::optional<BookTime> after = id % 3 == 0 ? std::optional(book_time(500)) : std::nullopt;
    twins.put(waiting_job(id, {wall(500), after}, Priority(-static_cast<int>(id % 7))));
  }
  twins.project();
  twins.put(test::completed_job(waiting_job(5, {wall(500), {}}, Priority(-5))));  // superseded, not yet projected
  twins.put(waiting_job(6, {wall(900), {}}, Priority(-6)));
  twins.advance(moment(501, 501));
  EXPECT_THAT(twins.disagreements(), IsEmpty());
  twins.project();
  EXPECT_THAT(twins.disagreements(), IsEmpty());
  ASSERT_EQ(twins.reopen(), "");
  EXPECT_THAT(twins.disagreements(), IsEmpty());
}

TEST(JobIndex, WhatFellDueIsReadyAfterAProjectionThatMovedOnlySomeOfIt) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  for (std::uint64_t id = 1; id <= 4; ++id) twins.put(waiting_job(id, {wall(10), {}}));
  twins.project();
  twins.advance(moment(10, 0));
  for (std::uint64_t id = 5; id <= 20; ++id) twins.put(waiting_job(id, {wall(5), {}}));
  for (int i = 0; i < 4; ++i) {
    twins.project();
    EXPECT_THAT(twins.disagreements(), IsEmpty()) << i;
  }
}

TEST(JobIndex, AWallClockThatStepsBackTakesJobsOutOfTheLanes) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  for (std::uint64_t id = 1; id <= 30; ++id) {
    const std::optional<BookTime> after = id % 4 == 0 ? std::optional(book_time(1)) : std::nullopt;
    twins.put(waiting_job(id, {wall(static_cast<std::int64_t>(100 + id)), after}, Priority(static_cast<int>(id % 2))));
  }
  twins.advance(moment(1000, 1000));
  twins.project();
  twins.put(test::running_job(*twins.state.job(Sequence(7)), book_time(1100)));
  twins.put(waiting_job(9, {wall(50), {}}, Priority(1)));
  for (const std::int64_t seconds : {115, 105, 120, 0, 2000}) {
    twins.advance(moment(seconds, 1001));
    ASSERT_THAT(twins.disagreements(), IsEmpty()) << "at " << seconds;
    if (seconds % 2 == 0) twins.project();
    ASSERT_THAT(twins.disagreements(), IsEmpty()) << "at " << seconds;
  }
  twins.advance(moment(110, 1001));
  twins.index.crash();
  ASSERT_EQ(twins.reopen(), "");
  // The overlay went with the crash: only what LMDB had is compared.
  EXPECT_EQ(twins.index->timers().wall_due, wall(111));
}

// Both places have the same key; only the value tells the clocks apart.
TEST(JobIndex, AJobRescheduledFromOneClockToTheOtherIsDueByTheNewOne) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  twins.put(waiting_job(1, {wall(96), book_time(10)}));
  twins.put(waiting_job(2, {wall(500), book_time(900)}));
  twins.advance(moment(100, 20));
  twins.project();
  twins.put(waiting_job(1, {wall(96), {}}));
  twins.put(waiting_job(2, {wall(400), book_time(900)}));  // the same delay, by a wall clock that was corrected
  twins.project();
  ASSERT_EQ(twins.reopen(), "");
  twins.advance(moment(95, 21));
  EXPECT_THAT(claimable(*twins.index, 10), IsEmpty());
  EXPECT_THAT(twins.disagreements(), IsEmpty());
  twins.advance(moment(95, 900));
  twins.project();
  EXPECT_THAT(twins.disagreements(), IsEmpty());
}

TEST(JobIndex, ALaneEntryOfAJobThatDoesNotWaitIsAnErrorAndNoClaim) {
  Twins twins(tiny);
  twins.put(waiting_job(1, {}));
  twins.put(test::completed_job(waiting_job(2, {})));
  twins.project();
  twins.index.crash();
  {
    lmdb::Environment environment(twins.index.path(), "index/data.mdb", 1 << 20, lmdb::Environment::Tables::must_exist);
    environment.write([&](lmdb::WriteTransaction& transaction) {
      transaction.put(Table::ready, keys::ready({NameId(1), NameId(2), NameId()}, {Priority(0), 0, Sequence(2)}), "");
    });
  }
  ASSERT_EQ(twins.index.reopen(), "");
  EXPECT_THROW((void)claimable(*twins.index, 10), StorageError);
}

TEST(JobIndex, AReopenedIndexDemotesWhatTheEarlierClockSaidWasDue) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  twins.put(waiting_job(1, {wall(100), {}}));
  twins.put(waiting_job(2, {wall(200), {}}));
  twins.advance(moment(300, 1));
  twins.project();
  ASSERT_EQ(twins.index.reopen(), "");
  twins.advance(moment(150, 1));
  EXPECT_THAT(claimable(*twins.index, 10), ElementsAre(Sequence(1)));
  EXPECT_THAT(twins.disagreements(), IsEmpty());
}

TEST(JobIndex, AJobThatCameAndWentBetweenTwoProjectionsIsOneEntity) {
  Twins twins;
  const std::size_t before = twins.index->unprojected();
  const Job job = waiting_job(1, {});
  twins.put(job);
  twins.put(test::running_job(job, book_time(30)));
  twins.put(test::completed_job(job));
  EXPECT_EQ(twins.index->unprojected(), before + 1);
  twins.project();
  EXPECT_EQ(twins.index->unprojected(), 0U);
  ASSERT_EQ(twins.reopen(), "");
  EXPECT_EQ(twins.index->job(Sequence(1))->state, JobState::completed);
}

TEST(JobIndex, AnIdThatWasTakenBackCanBeGivenOutAgain) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  twins.put(waiting_job(1, {wall(7), {}}));
  twins.erase(1);
  EXPECT_EQ(twins.index->job(Sequence(1)), nullptr);
  EXPECT_THAT(twins.disagreements(), IsEmpty());
  twins.put(waiting_job(1, {wall(8), {}}, Priority(3)));
  twins.project();
  ASSERT_EQ(twins.reopen(), "");
  EXPECT_THAT(twins.disagreements(), IsEmpty());
}

TEST(JobIndex, AnErasedJobIsGoneFromEveryTable) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  twins.put(waiting_job(1, {}));
  twins.put(waiting_job(2, {}));
  twins.project();
  twins.erase(1);
  twins.project();
  ASSERT_EQ(twins.reopen(), "");
  EXPECT_THAT(twins.disagreements(), IsEmpty());
  EXPECT_EQ(twins.index->job(Sequence(1)), nullptr);
}

TEST(JobIndex, JobsOfOneQueueAndStateAreListedWithoutTheOthers) {
  Twins twins(tiny);
  twins.put(waiting_job(1, {}));
  twins.put(waiting_job(2, {}, {}, NameId(9)));
  twins.put(waiting_job(3, {}));
  twins.put(waiting_job(4, {}));
  twins.project();
  twins.put(test::completed_job(waiting_job(3, {})));
  twins.put(waiting_job(5, {}));
  const auto listed = [&](JobState state, std::size_t limit) {
    std::vector<Sequence> ids;
    twins.index->each_job_in(NameId(1), state, [&](const Job& job) {
      ids.push_back(job.id.sequence);
      return ids.size() < limit;
    });
    return ids;
  };
  EXPECT_THAT(listed(JobState::waiting, 100), ElementsAre(Sequence(1), Sequence(4), Sequence(5)));
  EXPECT_THAT(listed(JobState::waiting, 2), ElementsAre(Sequence(1), Sequence(4)));
  EXPECT_THAT(listed(JobState::completed, 100), ElementsAre(Sequence(3)));
}

TEST(JobIndex, RequestsOlderThanTheWindowAreDropped) {
  test::IndexFolder index(tiny);
  index.create();
  const auto record = [&](const char* id, BookTime at) {
    index->put(RequestRecord{NameId(1), id, Sequence(1), Sequence(2), at});
  };
  record("old", book_time(10));
  record("new", book_time(20));
  index.project(moment(0, 30));
  const BookTime later = book_time(15) + limits::request_window;
  Book book;
  book.head_boot = BootTime(later.time_since_epoch());
  index->put(book);
  index.project({wall(0), BootTime(), later, 0});
  EXPECT_EQ(index->request(NameId(1), "old"), nullptr);
  ASSERT_NE(index->request(NameId(1), "new"), nullptr);
  std::size_t left = 0;
  index->each_request([&](const RequestRecord&) { ++left; });
  EXPECT_EQ(left, 1U);
}

TEST(JobIndex, ARequestRecordedAnewIsPrunedByItsNewTime) {
  test::IndexFolder index(tiny);
  index.create();
  index->put(RequestRecord{NameId(1), "again", Sequence(1), Sequence(2), book_time(10)});
  index.project(moment(0, 30));
  const BookTime later = book_time(15) + limits::request_window;
  index->put(RequestRecord{NameId(1), "again", Sequence(8), Sequence(9), later});
  Book book;
  book.head_boot = BootTime(later.time_since_epoch());
  index->put(book);
  index.project({wall(0), BootTime(), later, 0});
  index.project({wall(0), BootTime(), later, 0});
  ASSERT_NE(index->request(NameId(1), "again"), nullptr);
  EXPECT_EQ(index->request(NameId(1), "again")->first, Sequence(8));
}

TEST(JobIndex, MoreThanTheMapHoldsMakesItGrow) {
  Twins twins(tiny);
  for (std::uint64_t id = 1; id <= 300; ++id) {
    Job job = waiting_job(id, {});
    auto spec = std::make_shared<JobSpec>(*job.spec);
    spec->payload = Envelope(std::string(id * 37, 'p'));
    job.spec = std::move(spec);
    twins.put(job);
  }
  twins.project();
  ASSERT_EQ(twins.reopen(), "");
  EXPECT_THAT(twins.disagreements(), IsEmpty());
}

TEST(JobIndex, ALoadedStateIsHeldWhole) {
  Twins twins(tiny);
  twins.put_queue(NameId(1));
  twins.put(waiting_job(1, {}));
  twins.put(waiting_job(2, {wall(9'000'000'000), {}}));
  twins.put(waiting_job(3, {wall(5), book_time(9'000'000'000)}));
  twins.put(test::running_job(waiting_job(4, {}), book_time(50)));
  twins.put(test::completed_job(waiting_job(5, {})));
  twins.state.put(Setting{"a", "b"});
  twins.state.put(Name{NameId(2), NameSort::kind, "send"});
  Worker worker;
  worker.id = NameId(3);
  worker.queues = {NameId(1)};
  twins.state.put(worker);
  twins.state.put(RequestRecord{NameId(1), "r", Sequence(1), Sequence(2), book_time(1)});
  twins.index.create(twins.state);
  twins.index->advance(twins.now);
  EXPECT_THAT(twins.disagreements(), IsEmpty());
  EXPECT_EQ(twins.index->find_name(NameSort::kind, "send"), NameId(2));
}

// The child is killed between two projections; what it leaves is the State at the mark.
TEST(JobIndex, AKilledProcessLeavesTheIndexAtItsMark) {
  test::IndexFolder index(tiny);
  index.create();
  constexpr std::uint64_t projected = 40;
  index.crash();
  const pid_t child = ::fork();
  if (child == 0) {
    if (!index.reopen().empty()) ::_exit(1);
    for (std::uint64_t id = 1; id <= projected + 5; ++id) {
      index->put(waiting_job(id, {}));
      index->put(test::book_at(id));
      if (id % 8 == 0) index.project(moment(0, 0));
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(index.reopen(), "");
  EXPECT_EQ(index->mark(), test::mark_at(Sequence(projected)));
  State expected;
  for (std::uint64_t id = 1; id <= projected; ++id) expected.put(waiting_job(id, {}));
  expected.put(test::book_at(projected));
  EXPECT_THAT(test::disagreements(expected, *index, moment(0, 0)), IsEmpty());
}

TEST(JobIndex, ADamagedRecordIsAnErrorThatNamesTheJob) {
  Twins twins(tiny);
  twins.put(waiting_job(1, {wall(9'000'000'000), {}}));
  twins.project();
  twins.index.crash();
  {
    lmdb::Environment environment(twins.index.path(), "index/data.mdb", 1 << 20, lmdb::Environment::Tables::must_exist);
    std::string bytes(*environment.get(Table::jobs, keys::number(Sequence(1))));
    bytes[3] = static_cast<char>(bytes[3] ^ 1);
    environment.write(
        [&](lmdb::WriteTransaction& transaction) { transaction.put(Table::jobs, keys::number(Sequence(1)), bytes); });
  }
  ASSERT_EQ(twins.index.reopen(), "");
  try {
    (void)twins.index->job(Sequence(1));
    FAIL() << "read a damaged record";
  } catch (const StorageError& error) {
    EXPECT_NE(std::string(error.what()).find("record of job 1 does not read"), std::string::npos) << error.what();
    EXPECT_EQ(error.place().path, "index/data.mdb");
  }
}

}  // namespace
}  // namespace daybook
