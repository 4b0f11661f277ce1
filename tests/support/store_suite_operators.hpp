// SPDX-License-Identifier: Apache-2.0
#pragma once

// What operators' commands ask of a store, beside store_suite.hpp: holds, jobs that change their queue, jobs in slices.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "support/store_suite.hpp"

namespace daybook {

TEST_P(StoreSuite, HoldsComeAndGo) {
  store_->put(Hold{Sequence(9), "all", "why", NameId(1), store_suite::noon});
  store_->put(Hold{Sequence(4), "queue = mail", "", NameId(2), store_suite::noon});
  keep_house();
  EXPECT_EQ(store_->hold(Sequence(9))->reason, "why");
  EXPECT_EQ(store_->hold(Sequence(4))->filter, "queue = mail");
  EXPECT_EQ(store_->hold(Sequence(5)), nullptr);
  std::vector<Sequence> holds;
  store_->each_hold([&](const Hold& hold) { holds.push_back(hold.id); });
  EXPECT_EQ(holds, (std::vector{Sequence(4), Sequence(9)}));
  store_->erase_hold(Sequence(4));
  keep_house();
  EXPECT_EQ(store_->hold(Sequence(4)), nullptr);
}

TEST_P(StoreSuite, AJobThatMovesTakesItsKeyItsPlaceAndItsCountAlong) {
  using namespace store_suite;
  const NameId other(mail.value() + 100);
  const Job before = Sketch(1).key("k");
  put(before);
  put(Sketch(2));
  keep_house();
  Job moved = before;
  auto spec = std::make_shared<JobSpec>(*before.spec);
  spec->queue = other;
  moved.spec = std::move(spec);
  put(moved);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store_->key_holder(other, "k"), Sequence(1));
    EXPECT_EQ(store_->key_holder(mail, "k"), std::nullopt);
    EXPECT_EQ(ready(), ids({2}));
    EXPECT_EQ(store_->counts().at({other, JobState::waiting}), 1U);
    EXPECT_EQ(store_->job(Sequence(1))->spec->queue, other);
    keep_house();
  }
  put(before);
  keep_house();
  EXPECT_EQ(store_->key_holder(mail, "k"), Sequence(1));
  EXPECT_EQ(store_->key_holder(other, "k"), std::nullopt);
  EXPECT_EQ(ready(), ids({1, 2}));
}

TEST_P(StoreSuite, JobsAreVisitedFromAnyPlaceUntilItIsEnough) {
  const auto from = [&](std::uint64_t after, std::size_t enough) {
    std::vector<std::uint64_t> seen;
    store_->each_job_after(Sequence(after), [&](const Job& job) {
      seen.push_back(job.id.sequence.value());
      return seen.size() < enough;
    });
    return seen;
  };
  EXPECT_TRUE(from(0, 9).empty());
  for (const std::uint64_t id : {300, 2, 70'000}) put(Sketch(id));
  keep_house();
  put(Sketch(5));
  put(Sketch(90'000));
  using Ids = std::vector<std::uint64_t>;
  EXPECT_EQ(from(0, 9), (Ids{2, 5, 300, 70'000, 90'000}));
  EXPECT_EQ(from(2, 2), (Ids{5, 300}));
  EXPECT_EQ(from(3, 1), (Ids{5}));
  EXPECT_EQ(from(300, 9), (Ids{70'000, 90'000}));
  EXPECT_TRUE(from(90'000, 9).empty());
}

}  // namespace daybook
