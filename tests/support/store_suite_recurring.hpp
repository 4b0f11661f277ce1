// SPDX-License-Identifier: Apache-2.0
#pragma once

// What recurring schedules ask of a store, beside store_suite.hpp.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "support/store_suite.hpp"

namespace daybook {

TEST_P(StoreSuite, RecurringSchedulesComeAndGoAndStandInTheOrderOfTheirAttention) {
  using namespace store_suite;
  const auto schedule = [](std::uint32_t id, Duration ahead) {
    Recurring made{.id = NameId(id), .owner = "service"};
    made.terms = std::make_shared<const RecurringTerms>();
    made.next = Occurrence{noon + ahead, noon + ahead};
    return made;
  };
  const auto due = [&](Duration ahead) { return store_->due_recurring(noon + ahead, 10); };
  EXPECT_EQ(store_->timers().recurring, std::nullopt);
  store_->put(schedule(7, std::chrono::hours(2)));
  store_->put(schedule(5, std::chrono::hours(1)));
  store_->put(schedule(6, std::chrono::hours(1)));
  keep_house();
  EXPECT_EQ(store_->timers().recurring, noon + std::chrono::hours(1));
  EXPECT_TRUE(due(std::chrono::minutes(59)).empty());
  EXPECT_EQ(due(std::chrono::hours(2)), (std::vector{NameId(5), NameId(6), NameId(7)}));
  EXPECT_EQ(store_->due_recurring(noon + std::chrono::hours(2), 1), std::vector{NameId(5)});
  EXPECT_EQ(store_->recurring(NameId(5))->owner, "service");
  EXPECT_EQ(store_->recurring(NameId(8)), nullptr);

  Recurring waits = schedule(7, std::chrono::hours(2));
  waits.buffer = {noon};
  store_->put(waits);  // and no job of it is live
  Recurring paused = schedule(5, std::chrono::hours(1));
  paused.paused = true;
  store_->put(paused);
  store_->erase_recurring(NameId(6));
  keep_house();
  EXPECT_EQ(due(std::chrono::hours(2)), std::vector{NameId(7)});
  EXPECT_EQ(store_->timers().recurring, limits::due_min);
  std::vector<NameId> all;
  store_->each_recurring([&](const Recurring& one) { all.push_back(one.id); });
  EXPECT_EQ(all, (std::vector{NameId(5), NameId(7)}));
  EXPECT_EQ(*store_->recurring(NameId(7)), waits);
}

}  // namespace daybook
