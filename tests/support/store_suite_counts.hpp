// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of the suite for stores that is about groups, unique keys and counts. Included by store_suite.hpp.

#include "support/store_suite.hpp"

namespace daybook {

// ---- groups ------------------------------------------------------------------------------------------------------

TEST_P(StoreSuite, GroupsWithReadyJobsAreFoundInTheOrderOfTheirIds) {
  using namespace store_suite;
  const auto next = [&](NameId from, std::vector<NameId> kinds = {}) {
    const bool any_kind = kinds.empty();
    return store_->next_group({mail, std::move(kinds), any_kind}, from);
  };
  EXPECT_EQ(next(NameId()), std::nullopt);
  put(Sketch(1));
  put(Sketch(2).group(green).of(render));
  put(Sketch(3).group(red).due_at(noon + 10s));
  put(Sketch(4).group(red).in(reports));
  EXPECT_EQ(next(NameId()), NameId());
  EXPECT_EQ(next(NameId(1)), green);
  EXPECT_EQ(next(NameId(1), {send}), std::nullopt);
  keep_house();
  advance_to(10s);
  EXPECT_EQ(next(NameId(1)), red);
  EXPECT_EQ(next(NameId(1), {send, render}), red);
  EXPECT_EQ(next(red.next()), green);
  keep_house();
  put(Sketch(3).group(red).running_until(book_noon + 40s));
  EXPECT_EQ(next(NameId(1)), green);
  put(Sketch(2).group(green).of(render).ended(JobState::completed));
  EXPECT_EQ(next(NameId(1)), std::nullopt);
  put(Sketch(3).group(red).due_at(noon));
  EXPECT_EQ(next(NameId(1)), red);
}

TEST_P(StoreSuite, ReadyJobsCanBeAskedForByGroup) {
  using namespace store_suite;
  put(Sketch(1).group(red).priority(5));
  put(Sketch(2).group(red).of(render));
  put(Sketch(3).group(green));
  put(Sketch(4));
  keep_house();
  const auto of = [&](NameId group, std::size_t limit) {
    return store_->ready({.queues = {mail}, .kinds = {}, .any_kind = true, .limit = limit, .group = group});
  };
  EXPECT_EQ(of(red, 9), ids({2, 1}));
  EXPECT_EQ(of(red, 1), ids({2}));
  EXPECT_EQ(of(green, 9), ids({3}));
  EXPECT_EQ(of(NameId(), 9), ids({4}));
  EXPECT_EQ(ready(), ids({2, 3, 4, 1}));
}

TEST_P(StoreSuite, RunningJobsAreCountedByQueueAndGroup) {
  using namespace store_suite;
  put(Sketch(1).group(red).running_until(book_noon + 30s));
  put(Sketch(2).group(red).running_until(book_noon + 30s));
  put(Sketch(3).running_until(book_noon + 30s));
  keep_house();
  EXPECT_EQ(store_->running_in(mail), 3U);
  EXPECT_EQ(store_->running_in(mail, red), 2U);
  EXPECT_EQ(store_->running_in(mail, green), 0U);
  EXPECT_EQ(store_->running_in(reports), 0U);
  put(Sketch(1).group(red).ended(JobState::completed));
  keep_house();
  EXPECT_EQ(store_->running_in(mail, red), 1U);
}

TEST_P(StoreSuite, GroupsComeAndGo) {
  using namespace store_suite;
  store_->put(Group{mail, red, 3, Bucket{-5, book_noon}});
  store_->put(Group{reports, red, 2});
  store_->put(Queue{mail, true, {1, 2, {3, 4s, 5}, {6, 7s, 8}}, {red, 9}, Bucket{10, book_noon}});
  keep_house();
  ASSERT_NE(store_->group(mail, red), nullptr);
  EXPECT_EQ(*store_->group(mail, red), (Group{mail, red, 3, Bucket{-5, book_noon}}));
  EXPECT_EQ(*store_->queue(mail), (Queue{mail, true, {1, 2, {3, 4s, 5}, {6, 7s, 8}}, {red, 9}, Bucket{10, book_noon}}));
  store_->erase_group(mail, red);
  keep_house();
  EXPECT_EQ(store_->group(mail, red), nullptr);
  std::vector<Group> groups;
  store_->each_group([&](const Group& group) { groups.push_back(group); });
  EXPECT_EQ(groups, (std::vector<Group>{{reports, red, 2}}));
}

// ---- unique keys, counts ------------------------------------------------------------------------------------------

TEST_P(StoreSuite, AUniqueKeyIsHeldWithinItsQueueUntilTheJobIsFinal) {
  using namespace store_suite;
  put(Sketch(1).key("order-7"));
  EXPECT_EQ(store_->key_holder(mail, "order-7"), Sequence(1));
  EXPECT_EQ(store_->key_holder(reports, "order-7"), std::nullopt);
  EXPECT_EQ(store_->key_holder(mail, "order-"), std::nullopt);
  keep_house();
  put(Sketch(1).key("order-7").running_until(book_noon + 30s));
  EXPECT_EQ(store_->key_holder(mail, "order-7"), Sequence(1));
  put(Sketch(1).key("order-7").ended(JobState::completed));
  EXPECT_EQ(store_->key_holder(mail, "order-7"), std::nullopt);
  put(Sketch(2).key("order-7"));
  EXPECT_EQ(store_->key_holder(mail, "order-7"), Sequence(2));
}

TEST_P(StoreSuite, ADeadJobThatIsRetriedHoldsItsKeyAgain) {
  using namespace store_suite;
  put(Sketch(1).key("k").ended(JobState::dead));
  EXPECT_EQ(store_->key_holder(mail, "k"), std::nullopt);
  keep_house();
  put(Sketch(1).key("k"));
  EXPECT_EQ(store_->key_holder(mail, "k"), Sequence(1));
}

TEST_P(StoreSuite, KeysAreAnyBytes) {
  using namespace store_suite;
  const std::string with_nul("a\0b", 3);
  const std::string longest(255, '\xff');
  put(Sketch(1).key(with_nul));
  put(Sketch(2).key(longest));
  keep_house();
  EXPECT_EQ(store_->key_holder(mail, with_nul), Sequence(1));
  EXPECT_EQ(store_->key_holder(mail, "a"), std::nullopt);
  EXPECT_EQ(store_->key_holder(mail, longest), Sequence(2));
}

TEST_P(StoreSuite, CountsFollowTheJobs) {
  using namespace store_suite;
  const auto counts = [&] {
    Counts all = store_->counts();
    std::erase_if(all, [](const auto& entry) { return entry.second == 0; });
    return all;
  };
  EXPECT_EQ(counts(), Counts());
  put(Sketch(1));
  put(Sketch(2).due_at(noon + 1h));
  put(Sketch(3).in(reports));
  EXPECT_EQ(counts(), (Counts{{{mail, JobState::waiting}, 2}, {{reports, JobState::waiting}, 1}}));
  keep_house();
  put(Sketch(1).running_until(book_noon + 30s));
  put(Sketch(3).in(reports).ended(JobState::dead));
  EXPECT_EQ(counts(),
            (Counts{{{mail, JobState::waiting}, 1}, {{mail, JobState::running}, 1}, {{reports, JobState::dead}, 1}}));
  store_->erase_job(Sequence(1));
  EXPECT_EQ(counts(), (Counts{{{mail, JobState::waiting}, 1}, {{reports, JobState::dead}, 1}}));
}

}  // namespace daybook
